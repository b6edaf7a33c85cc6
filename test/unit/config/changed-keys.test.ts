import { describe, expect, it } from 'vitest';
import { changedKeys } from '../../../src/config/changed-keys.js';
import { configurationDigest } from '../../../src/config/configuration-digest.js';
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
