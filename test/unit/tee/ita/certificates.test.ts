import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Check } from '../../../../src/core/check.js';
import type { CheckId } from '../../../../src/core/codes.js';
import type { JsonObject } from '../../../../src/core/json.js';
import type { TokenVerification } from '../../../../src/core/verification.js';
import { parseCertificate } from '../../../../src/formats/x509-certificate.js';
import { outcomeOf } from '../../../../src/policy/appraise/outcome.js';
import { basicConstraints, type CertificateOptions } from '../../../lab/pki.js';
import { TOKEN_KEYS } from '../../token-jwk.js';
import { expectFailed, expectVerified, idsWith } from '../fixture.js';
import { AT, CRLS, keysOf, PKI, ROOT, tokenOf, verifyToken } from './fixture.js';

const ROOTS = new Set([ROOT]);
const TOKEN = tokenOf();

/** The key of PS384 with other certificates. */
function jwkWith(...certificates: readonly Uint8Array[]): JsonObject {
  return { ...PKI.jwk('PS384'), x5c: certificates.map((der) => Buffer.from(der).toString('base64')) };
}

function chain(leaf: Partial<CertificateOptions> = {}, authority: Partial<CertificateOptions> = {}) {
  return [PKI.tokenCertificate('PS384', leaf), PKI.signingCaCertificate(authority), PKI.rootCertificate()] as const;
}

function verify(jwk: JsonObject, crls: readonly Uint8Array[] = CRLS, roots = ROOTS): Promise<TokenVerification> {
  return verifyToken(TOKEN, { roots, keys: keysOf([jwk], crls) });
}

/** Asserts that the key cannot be relied on for this reason, and that nothing of the token counts. */
function expectUndecided(found: TokenVerification, id: CheckId): void {
  expect(idsWith(found, 'unavailable')).toEqual([id]);
  expect(idsWith(found, 'fail')).toEqual([]);
  expect(idsWith(found, 'skipped')).toContain('token_claim_type');
  expect(found.claims).toEqual({});
}

describe('the certificates of the key, with pinned roots', () => {
  it('chain to one of them, and none is revoked', async () => {
    const found = await verify(PKI.jwk('PS384'));
    expectVerified(found);
    expect(found.required).toEqual(expect.arrayContaining(['cert_untrusted', 'cert_validity', 'cert_revoked']));
    expect(found.endorsements).toMatchObject([{ kind: 'token-key', revocation: 'good' }]);
  });

  it('may be pinned by the key of the root', async () => {
    const pin = createHash('sha256').update(parseCertificate(PKI.rootCertificate()).spki).digest('hex');
    expectVerified(await verify(PKI.jwk('PS384'), CRLS, new Set([pin])));
  });

  it('count until the first of certificates and lists ends', async () => {
    const nextUpdate = new Date(AT.getTime() + 60_000);
    const crls = [PKI.crl('signing-ca', new Set(), { nextUpdate }), PKI.crl('root-ca', new Set())];
    expect((await verify(PKI.jwk('PS384'), crls)).validUntil).toEqual(nextUpdate);
  });

  it('end at another root', async () => {
    const found = await verify(PKI.jwk('PS384'), CRLS, new Set(['ab'.repeat(32)]));
    expectFailed(found, 'cert_untrusted');
    expect(found.claims).toEqual({});
  });

  it('end at a root of the same name and another key', async () => {
    const { large: signer } = TOKEN_KEYS;
    const root = PKI.rootCertificate({ signer, spki: signer.spki });
    const jwk = jwkWith(PKI.tokenCertificate('PS384'), PKI.signingCaCertificate({ signer }), root);
    expectFailed(await verify(jwk), 'cert_untrusted');
  });

  it('are missing', async () => {
    const { x5c: _, ...jwk } = PKI.jwk('PS384');
    expectFailed(await verify(jwk), 'cert_untrusted');
  });

  it('leave the pinned root out', async () => {
    const [leaf, authority] = chain();
    expectUndecided(await verify(jwkWith(leaf, authority)), 'jwks_invalid');
  });

  it('are signed by somebody else', async () => {
    const signer = PKI.tokenKey('RS256');
    expectUndecided(await verify(jwkWith(...chain({ signer }))), 'jwks_invalid');
  });

  it('are of an issuer that is no authority', async () => {
    const extensions = [basicConstraints({ ca: false })];
    expectUndecided(await verify(jwkWith(...chain({}, { extensions }))), 'jwks_invalid');
  });

  it('have expired', async () => {
    const notAfter = new Date(AT.getTime() - 1000);
    expectFailed(await verify(jwkWith(...chain({ notAfter }))), 'cert_validity');
    expectFailed(await verify(jwkWith(...chain({}, { notAfter }))), 'cert_validity');
  });

  it.each([
    ['signing-ca', 'PS384'],
    ['root-ca', 'signing-ca'],
  ] as const)('are revoked by the %s', async (issuer, certificate) => {
    const other = issuer === 'signing-ca' ? 'root-ca' : 'signing-ca';
    const revoking = PKI.crl(issuer, new Set([certificate]));
    const found = await verify(PKI.jwk('PS384'), [revoking, PKI.crl(other, new Set())]);
    expectFailed(found, 'cert_revoked');
    expect(found.claims).toEqual({});
  });

  it('are not touched by the revocation of another key', async () => {
    expectVerified(
      await verify(PKI.jwk('PS384'), [PKI.crl('signing-ca', new Set(['RS256'])), CRLS[1] ?? new Uint8Array()]),
    );
  });

  it.each([
    ['no list', []],
    ['only the list of the root', CRLS.slice(1)],
    ['only the list of the signing authority', CRLS.slice(0, 1)],
  ])('cannot be judged with %s', async (_, crls) => {
    expectUndecided(await verify(PKI.jwk('PS384'), crls), 'crl_unavailable');
  });

  it('cannot be judged with a list whose next one is due', async () => {
    const stale = PKI.crl('signing-ca', new Set(), { nextUpdate: new Date(AT.getTime() - 1000) });
    expectUndecided(await verify(PKI.jwk('PS384'), [stale, ...CRLS.slice(1)]), 'crl_stale');
  });

  it('leave the decision open also where a policy takes a missing list for a warning', async () => {
    const found = await verify(PKI.jwk('PS384'), []);
    const relaxed = found.checks.map((check): Check => {
      return check.id === 'crl_unavailable' ? { ...check, result: 'warn' } : check;
    });
    expect(outcomeOf({ checks: relaxed, required: found.required }).outcome).toBe('indeterminate');
  });

  it('are one that signed itself and is pinned itself: no list could name it', async () => {
    const key = PKI.tokenKey('PS384');
    const { subject } = parseCertificate(PKI.tokenCertificate('PS384'));
    const self = PKI.tokenCertificate('PS384', { signer: key, issuer: subject.der });
    const pin = createHash('sha256').update(self).digest('hex');
    expectVerified(await verify(jwkWith(self), [], new Set([pin])));
    expectFailed(await verify(jwkWith(self), []), 'cert_untrusted');
  });
});

describe('the certificates of the key, without pinned roots', () => {
  const plain = (jwk: JsonObject) => verifyToken(TOKEN, { keys: keysOf([jwk]) });

  it('may be missing, and need no list', async () => {
    const { x5c: _, ...jwk } = PKI.jwk('PS384');
    expectVerified(await plain(jwk));
    const found = await plain(PKI.jwk('PS384'));
    expectVerified(found);
    expect(found.required).not.toContain('cert_untrusted');
  });

  it('hold together and are valid where they are there', async () => {
    expectFailed(await plain(jwkWith(...chain({ notAfter: new Date(AT.getTime() - 1000) }))), 'cert_validity');
    expectUndecided(await plain(jwkWith(...chain({ signer: PKI.tokenKey('RS256') }))), 'jwks_invalid');
  });
});
