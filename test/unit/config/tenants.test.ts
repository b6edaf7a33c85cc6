import { describe, expect, it } from 'vitest';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { policiesByTenant, policiesOf } from '../../../src/config/tenants.js';
import { ConfigurationError } from '../../../src/core/errors.js';

const load = (members: object) => loadConfiguration({ text: JSON.stringify(members), environment: {} });
const CALLER = { apiKeySha256: 'ab'.repeat(32), expires: '2099-01-01', roles: ['verify'] };
const OTHERS = { red: { policies: { directory: '/etc/red' } } };

function problems(members: object): readonly string[] {
  try {
    load(members);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems.map((text) => text.replace(/^.*?line \d+: /, ''));
    throw error;
  }
}

describe('tenants', () => {
  it('are one without any, which has the policies of the service', () => {
    const configuration = load({ policies: { directory: '/etc/p', default: 'payments', shadow: ['new'] } });
    expect([...policiesByTenant(configuration)]).toEqual([
      ['default', { directory: '/etc/p', default: 'payments', shadow: ['new'], path: ['policies'] }],
    ]);
  });

  it('have policies of their own, beside those of default', () => {
    const configuration = load({ tenants: OTHERS });
    expect([...policiesByTenant(configuration).keys()]).toEqual(['default', 'red']);
    expect(policiesOf(configuration, 'red')).toEqual({
      directory: '/etc/red',
      default: 'azure-cvm-baseline',
      shadow: [],
      path: ['tenants', 'red', 'policies'],
    });
    expect(() => policiesOf(configuration, 'blue')).toThrow('no such tenant');
  });

  it('may have default among them', () => {
    const configuration = load({ tenants: { default: { policies: { directory: '/etc/d' } } } });
    expect(policiesOf(configuration, 'default')).toMatchObject({
      directory: '/etc/d',
      path: ['tenants', 'default', 'policies'],
    });
  });

  const UNKNOWN = 'there is no tenant blue in tenants; there are default, red';

  it.each<[object, string]>([
    [{ callers: { ci: { ...CALLER, tenant: 'blue' } } }, `callers.ci.tenant: ${UNKNOWN}`],
    [{ gates: { web: { audience: 'a', policy: 'p', tenant: 'blue' } } }, `gates.web.tenant: ${UNKNOWN}`],
    [{ keys: { disk: { local: 'k', policy: 'p', tenant: 'blue' } } }, `keys.disk.tenant: ${UNKNOWN}`],
    [{ tenants: { red: {} } }, 'tenants.red.policies: is missing'],
    [{ tenants: { red: { policies: {} } } }, 'tenants.red.policies.directory: is missing'],
    [{ tenants: { 'a b': OTHERS.red } }, 'tenants.a b: is not a name'],
    [
      { policies: { directory: '/etc/p' }, tenants: { default: { policies: { directory: '/etc/d' } } } },
      'policies: is of the tenant default, which tenants.default has too',
    ],
    [
      { policies: { default: 'p' }, tenants: { default: { policies: { directory: '/etc/d' } } } },
      'policies: is of the tenant default, which tenants.default has too',
    ],
    [
      { policies: { shadow: ['p'] }, tenants: { default: { policies: { directory: '/etc/d' } } } },
      'policies: is of the tenant default, which tenants.default has too',
    ],
  ])('do not load with %j', (members, problem) => {
    expect(problems({ tenants: OTHERS, ...members })).toEqual([expect.stringContaining(problem)]);
  });
});
