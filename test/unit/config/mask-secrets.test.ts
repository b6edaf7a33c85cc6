import { expect, it } from 'vitest';
import type { CallerConfiguration, Configuration } from '../../../src/config/configuration.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { maskSecrets } from '../../../src/config/mask-secrets.js';

const CALLER: CallerConfiguration = {
  apiKeySha256: 'secret',
  expires: '2027-01-31T00:00:00.000Z',
  roles: ['verify'],
  policies: null,
  audience: null,
  tenant: 'default',
  oidc: { a: 'secret' },
  mtls: { a: 'secret' },
  kubernetes: { a: 'secret' },
};

const defaults = loadConfiguration({ text: null, environment: {} });

/** More than this version loads: masking does not depend on what is available. */
const everything: Configuration = {
  ...defaults,
  challenges: { ...defaults.challenges, store: 'redis://user:secret@cache.example:6379/0' },
  decisions: { ...defaults.decisions, store: 'rediss://:secret@@cache.example' },
  callers: { ci: CALLER },
};

it('shows no secret', () => {
  const shown = JSON.stringify(maskSecrets(everything));
  expect(JSON.stringify(everything)).toContain('secret');
  expect(shown).not.toContain('secret');
});

it('keeps what is no secret', () => {
  expect(maskSecrets(everything)).toMatchObject({
    challenges: { store: 'redis://***@cache.example:6379/0' },
    decisions: { store: 'rediss://***@cache.example' },
    callers: { ci: { apiKeySha256: '***', expires: CALLER.expires, roles: ['verify'] } },
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
