import { describe, expect, it } from 'vitest';
import type { CallerConfiguration } from '../../../src/config/callers.js';
import type { Configuration } from '../../../src/config/configuration.js';
import { changedKeys, configurationDigest, maskSecrets } from '../../../src/config/effective-configuration.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';

const load = (text: string) => loadConfiguration({ text, environment: {} });
const caller = `apiKeySha256: ${'ab'.repeat(32)}, expires: 2099-01-01`;

describe('changed keys', () => {
  it.each<[string, string, readonly string[]]>([
    ['{}', '{}', []],
    ['listen: { port: 1 }', 'listen: { port: 2 }', ['listen.port']],
    ['tpm: { roots: [a, b] }', 'tpm: { roots: [b, a] }', ['tpm.roots']],
    ['{}', `callers: { ci: { ${caller}, roles: [verify] } }`, ['callers.ci']],
    [
      `callers: { ci: { ${caller}, roles: [verify] } }`,
      `callers: { ci: { ${caller}, roles: [metrics] } }`,
      ['callers.ci.roles'],
    ],
    ['listen: { tls: { cert: a, key: b } }', '{}', ['listen.tls.cert', 'listen.tls.key']],
  ])('from %s to %s', (before, after, keys) => {
    expect(changedKeys(load(before), load(after))).toEqual(keys);
  });
});

describe('the digest of a configuration', () => {
  it('is the same for the same values, however they are written', () => {
    const one = load(
      `callers: { a: { ${caller}, roles: [verify] }, b: { ${caller.replace('ab', 'cd')}, roles: [verify] } }`,
    );
    const other = load(
      `callers: { b: { ${caller.replace('ab', 'cd')}, roles: [verify] }, a: { ${caller}, roles: [verify] } }\nlisten: { port: 8080 }`,
    );
    expect(configurationDigest(one)).toBe(configurationDigest(other));
  });

  it('differs where a value does', () => {
    expect(configurationDigest(load('listen: { port: 1 }'))).not.toBe(configurationDigest(load('listen: { port: 2 }')));
  });
});

const CALLER: CallerConfiguration = {
  apiKeySha256: 'secret',
  expires: '2027-01-31T00:00:00.000Z',
  next: { apiKeySha256: 'secret', expires: '2028-01-31T00:00:00.000Z' },
  roles: ['verify'],
  policies: null,
  audience: null,
  tenant: 'default',
  keys: [],
  oidc: null,
  mtls: { uri: 'spiffe://example/gate', dns: null, spkiSha256: null },
  kubernetes: null,
};

const defaults = loadConfiguration({ text: null, environment: {} });

/** More than loads together: masking does not depend on that. */
const everything: Configuration = {
  ...defaults,
  callers: { ci: CALLER },
};

it('shows no secret', () => {
  const shown = JSON.stringify(maskSecrets(everything));
  expect(JSON.stringify(everything)).toContain('secret');
  expect(shown).not.toContain('secret');
});

it('shows no query of an address of keys, which may be a signature', () => {
  const keys = 'https://keys.example/jwks?sig=secret';
  const way = { issuer: 'https://issuer.example', keys, audience: ['veritee'] };
  const { callers } = loadConfiguration({
    text: JSON.stringify({
      callers: {
        git: { roles: ['verify'], oidc: { profile: 'generic', subjects: ['s'], ...way } },
        pods: { roles: ['verify'], kubernetes: { serviceAccounts: ['a/b'], ...way } },
      },
    }),
    environment: {},
  });
  const masked = { keys: 'https://keys.example/jwks?***' };
  expect(maskSecrets({ ...defaults, callers })).toMatchObject({
    callers: { git: { oidc: masked }, pods: { kubernetes: masked } },
  });
});

it('keeps what is no secret', () => {
  expect(maskSecrets(everything)).toMatchObject({
    callers: {
      ci: {
        apiKeySha256: '***',
        expires: CALLER.expires,
        next: { apiKeySha256: '***', expires: '2028-01-31T00:00:00.000Z' },
        roles: ['verify'],
      },
    },
  });
});

it('shows where credentials for other verifiers stand', () => {
  const { maa } = loadConfiguration({
    text: `maa: { submit: { endpoints: [ https://sharedweu.weu.attest.azure.net ], credential: {
      kind: client-secret, tenantId: t.example, clientId: 5a1c8f5e-0d3c-4c41-9c1b-7f6f2d6a9b10, secretFile: /run/s } } }`,
    environment: {},
  });
  expect(maskSecrets({ ...defaults, maa })).toMatchObject({
    maa: { submit: { credential: { secretFile: '/run/s' } } },
  });
});

it('leaves null what is not set, and changes nothing else', () => {
  expect(maskSecrets(defaults)).toEqual(defaults);
});
