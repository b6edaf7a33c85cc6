import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../../../src/core/errors.js';
import {
  type KeyPlace,
  maaKeyPlace,
  requireSoundIssuers,
  type TokenIssuer,
} from '../../../../src/endorsements/token-keys/token-issuer.js';

const ISSUER = 'https://issuer.example';
const issuerAt = (keys: KeyPlace, changes: Partial<TokenIssuer> = {}): TokenIssuer => ({
  type: 'maa-token',
  issuer: ISSUER,
  keys,
  roots: null,
  ...changes,
});

function problemsOf(...issuers: readonly TokenIssuer[]): readonly string[] {
  try {
    requireSoundIssuers(issuers);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}

describe('requireSoundIssuers', () => {
  it('takes keys at an https URL, in a file, and one issuer for both types of token', () => {
    const keys = maaKeyPlace(ISSUER);
    expect(keys).toEqual({ url: `${ISSUER}/certs`, discovery: `${ISSUER}/.well-known/openid-configuration` });
    expect(problemsOf(issuerAt(keys), issuerAt({ file: 'keys.json' }, { type: 'ita-token' }))).toEqual([]);
  });

  it.each(['http://issuer.example/certs', 'https://user:word@issuer.example/certs', 'certs', 'file:///certs', ''])(
    'refuses keys at %j',
    (url) => {
      expect(problemsOf(issuerAt({ url }))).toEqual([
        `maa-token ${ISSUER}: the location of the keys is not an https URL`,
      ]);
    },
  );

  it.each(['https://elsewhere.example/d', 'http://issuer.example/d', 'd'])('refuses discovery at %j', (discovery) => {
    expect(problemsOf(issuerAt({ url: `${ISSUER}/certs`, discovery }))).toEqual([
      `maa-token ${ISSUER}: the discovery document is at another origin than the keys`,
    ]);
  });

  it('refuses an issuer that is there twice', () => {
    const issuer = issuerAt({ file: 'keys.json' });
    expect(problemsOf(issuer, issuer)).toEqual([`maa-token ${ISSUER}: is configured twice`]);
  });
});
