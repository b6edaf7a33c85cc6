import { describe, expect, it } from 'vitest';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { ConfigurationError } from '../../../src/model/errors.js';

const TENANT = '5F1C0C2A-7c65-4a0e-8f2b-5d3b7a1e9c04';
const ENTRA = {
  profile: 'entra',
  issuer: `https://login.microsoftonline.com/${TENANT.toLowerCase()}/v2.0`,
  keys: 'discovery',
  audience: ['api://veritee'],
  tenantId: TENANT,
  clientIds: [TENANT],
};
const GENERIC = {
  profile: 'generic',
  issuer: 'https://token.actions.githubusercontent.com',
  keys: 'discovery',
  audience: 'veritee',
  claims: { repository: 'org/app' },
};
const CLUSTER = {
  issuer: 'https://kubernetes.default.svc.cluster.local',
  keys: 'https://kubernetes.default.svc/openid/v1/jwks',
  audience: 'veritee',
  serviceAccounts: ['gates/release'],
};

const load = (way: object, others: object = {}) =>
  loadConfiguration({
    text: JSON.stringify({ callers: { ci: { roles: ['verify'], ...way } }, ...others }),
    environment: {},
  });

function problems(way: object, others: object = {}): readonly string[] {
  try {
    load(way, others);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems.map((text) => text.replace(/^.*?line \d+: /, ''));
    throw error;
  }
}

describe('a caller with tokens', () => {
  it('of Entra has its ids in lower case, and members of the other profile empty', () => {
    expect(load({ oidc: ENTRA }).callers['ci']?.oidc).toEqual({
      ...ENTRA,
      tenantId: TENANT.toLowerCase(),
      clientIds: [TENANT.toLowerCase()],
      appRoles: [],
      ca: null,
      subjects: [],
      claims: {},
    });
  });

  it('of another issuer, and of a cluster, may have one audience as a text', () => {
    expect(load({ oidc: GENERIC }).callers['ci']?.oidc).toMatchObject({
      audience: ['veritee'],
      claims: GENERIC.claims,
    });
    expect(load({ kubernetes: CLUSTER }).callers['ci']?.kubernetes).toEqual({
      ...CLUSTER,
      audience: ['veritee'],
      ca: null,
      tokenFile: null,
    });
  });

  it.each<[object, string]>([
    [{ ...ENTRA, tenantId: null }, 'callers.ci.oidc.tenantId: is missing'],
    [
      { ...ENTRA, clientIds: [] },
      'callers.ci.oidc.clientIds: is missing: any application of a tenant can get a token for this audience',
    ],
    [{ ...ENTRA, subjects: ['a'] }, 'callers.ci.oidc.subjects: is for the profile generic alone'],
    [{ ...ENTRA, claims: { a: 'b' } }, 'callers.ci.oidc.claims: is for the profile generic alone'],
    ...['common', 'organizations', 'consumers'].map((name): [object, string] => [
      { ...ENTRA, issuer: `https://login.microsoftonline.com/${name}/v2.0` },
      'callers.ci.oidc.issuer: is not the issuer of v2 tokens of one tenant, such as https://login.microsoftonline.com/TENANT/v2.0',
    ]),
    [
      { ...ENTRA, issuer: `https://sts.windows.net/${TENANT}/` },
      'callers.ci.oidc.issuer: is not the issuer of v2 tokens of one tenant, such as https://login.microsoftonline.com/TENANT/v2.0',
    ],
    [
      { ...GENERIC, claims: {} },
      'callers.ci.oidc: needs subjects or claims: else everybody with a token of this issuer is the caller',
    ],
    [{ ...GENERIC, tenantId: TENANT }, 'callers.ci.oidc.tenantId: is for the profile entra alone'],
    [{ ...GENERIC, clientIds: [TENANT] }, 'callers.ci.oidc.clientIds: is for the profile entra alone'],
    [{ ...GENERIC, appRoles: ['a'] }, 'callers.ci.oidc.appRoles: is for the profile entra alone'],
    [{ ...GENERIC, audience: [] }, 'callers.ci.oidc.audience: must not be empty'],
    [
      { ...GENERIC, keys: 'http://idp.example/keys' },
      'callers.ci.oidc.keys: must be discovery, an https URL without user, query and fragment, or a path',
    ],
    [
      { ...GENERIC, issuer: 'http://idp.example' },
      'callers.ci.oidc.issuer: must be an https URL without user, query and fragment',
    ],
    [{ ...GENERIC, profile: 'okta' }, 'callers.ci.oidc.profile: must be entra or generic'],
    [{ ...GENERIC, claims: { a: 7 } }, 'callers.ci.oidc.claims.a: must be text, not empty'],
  ])('does not load with %j', (oidc, problem) => {
    expect(problems({ oidc })).toContain(problem);
  });

  it.each([
    'https://sharedweu.weu.attest.azure.net',
    'https://mine.eus.attest.azure.net',
    'https://portal.trustauthority.intel.com',
    'https://own.example',
    'https://receipts.example',
  ])('does not load with %s, whose tokens say what a machine is', (issuer) => {
    const others = {
      maa: { issuers: [{ issuer: 'https://own.example', policyHash: 'any' }] },
      receipts: { issuer: 'https://receipts.example' },
    };
    const what = issuer.startsWith('https://receipts')
      ? 'issues receipts, and no tokens of callers'
      : 'issues tokens about TEEs, and none of callers';
    expect(problems({ oidc: { ...GENERIC, issuer } }, others)).toEqual([`callers.ci.oidc.issuer: ${what}`]);
    expect(problems({ kubernetes: { ...CLUSTER, issuer } }, others)).toEqual([`callers.ci.kubernetes.issuer: ${what}`]);
  });

  it.each([
    [{ serviceAccounts: ['release'] }, 'callers.ci.kubernetes.serviceAccounts[0]: must be namespace/name'],
    [{ serviceAccounts: ['*/release'] }, 'callers.ci.kubernetes.serviceAccounts[0]: must be namespace/name'],
    [{ serviceAccounts: [] }, 'callers.ci.kubernetes.serviceAccounts: must not be empty'],
    [
      { keys: 'http://api.example/jwks' },
      'callers.ci.kubernetes.keys: must be an https URL without user, query and fragment, or a path',
    ],
  ])('of a cluster does not load with %j', (changes, problem) => {
    expect(problems({ kubernetes: { ...CLUSTER, ...changes } })).toEqual([problem]);
  });
});
