import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../../../src/core/errors.js';
import { completeIdentity } from '../../../../src/outside/azure-identity/entra-tokens.js';

const PUBLIC_CLOUD = 'https://login.microsoftonline.com';
const OPEN = { kind: 'workload-identity', tenantId: null, clientId: null, tokenFile: null, authority: null } as const;
const CLUSTER = { AZURE_TENANT_ID: 't', AZURE_CLIENT_ID: 'c', AZURE_FEDERATED_TOKEN_FILE: '/f' };
const SECRET = { kind: 'client-secret', tenantId: 't', clientId: 'c', secretFile: '/s', authority: null } as const;

describe('completeIdentity', () => {
  it('takes from the environment what a workload identity leaves open', () => {
    expect(completeIdentity(OPEN, CLUSTER)).toEqual({
      kind: 'workload-identity',
      tenantId: 't',
      clientId: 'c',
      tokenFile: '/f',
      authority: PUBLIC_CLOUD,
    });
  });

  it('prefers what is configured', () => {
    const said = { ...OPEN, tenantId: 'T', clientId: 'C', tokenFile: '/F', authority: 'https://login.example' };
    expect(completeIdentity(said, { ...CLUSTER, AZURE_AUTHORITY_HOST: 'https://other.example' })).toEqual(said);
  });

  it.each(Object.keys(CLUSTER))('refuses to start where %s is nowhere', (name) => {
    for (const environment of [
      { ...CLUSTER, [name]: undefined },
      { ...CLUSTER, [name]: '' },
    ]) {
      expect(() => completeIdentity(OPEN, environment)).toThrow(ConfigurationError);
      expect(() => completeIdentity(OPEN, environment)).toThrow(new RegExp(`^${name}: is missing`));
    }
  });

  it.each([
    ['https://login.microsoftonline.us/', 'https://login.microsoftonline.us'],
    ['https://login.example:8443', 'https://login.example:8443'],
    ['', PUBLIC_CLOUD],
  ])('takes the authority of the cluster: %j', (named, authority) => {
    expect(completeIdentity(OPEN, { ...CLUSTER, AZURE_AUTHORITY_HOST: named })).toMatchObject({ authority });
  });

  it.each([
    'http://login.example',
    'https://a@b.example',
    'https://a.example/x',
    'login.example',
    'https://[',
    'https://a?b',
  ])('refuses the authority %j of the cluster', (named) => {
    expect(() => completeIdentity(OPEN, { ...CLUSTER, AZURE_AUTHORITY_HOST: named })).toThrow(
      /^AZURE_AUTHORITY_HOST: /,
    );
  });

  it('lets no environment say where a secret is sent', () => {
    const environment = { AZURE_AUTHORITY_HOST: 'https://elsewhere.example' };
    expect(completeIdentity(SECRET, environment)).toEqual({ ...SECRET, authority: PUBLIC_CLOUD });
    const certificate = { kind: 'client-certificate', tenantId: 't', clientId: 'c', certificateFile: '/c' } as const;
    expect(completeIdentity({ ...certificate, authority: null }, environment)).toEqual({
      ...certificate,
      authority: PUBLIC_CLOUD,
    });
  });

  it('leaves a managed identity as it is', () => {
    const identity = { kind: 'managed-identity', clientId: null } as const;
    expect(completeIdentity(identity, CLUSTER)).toBe(identity);
  });
});
