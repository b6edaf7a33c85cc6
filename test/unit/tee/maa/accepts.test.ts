import { describe, expect, it } from 'vitest';
import { maaJwk } from '../../../lab/index.js';
import { AT, expectFailed, expectVerified, JWK, NONCE, OTHER_JWK, OTHER_NONCE } from '../fixture.js';
import { azureVm, ISSUER, maaVerifier, POLICY_HASH, SIGNER, sevSnpVm, tdxVm, tokenOf, verifyMaa } from './fixture.js';

const HOUR_MS = 60 * 60_000;

describe('tokens of Azure Attestation that verify', () => {
  it.each([
    ['azurevm', azureVm()],
    ['sevsnpvm', sevSnpVm()],
    ['tdxvm', tdxVm()],
  ])('accepts a token of type %s, and reports its claims as issued', async (attestationType, claims) => {
    const found = await verifyMaa(tokenOf(claims));
    expectVerified(found);
    expect(found.claims.maa).toMatchObject({ issuer: ISSUER, attestationType, policyHash: POLICY_HASH, claims });
    expect(found.validUntil).toEqual(new Date(AT.getTime() + 8 * HOUR_MS));
    expect(found.clockSkewSeconds).toBeNull();
    expect(found.endorsements).toMatchObject([{ kind: 'token-key', source: 'network' }]);
  });

  it('accepts a token of guest attestation about a TD', async () => {
    const { 'x-ms-isolation-tee': _, ...outer } = azureVm();
    expectVerified(await verifyMaa(tokenOf({ ...outer, 'x-ms-isolation-tee': tdxVm() })));
  });

  it('accepts a token without jku', async () => {
    expectVerified(await verifyMaa(tokenOf(azureVm(), { header: ({ jku: _, ...rest }) => rest })));
  });

  it('accepts a token whose x5c is that of its key', async () => {
    const x5c = maaJwk(SIGNER)['x5c'] ?? null;
    expectVerified(await verifyMaa(tokenOf(azureVm(), { header: { x5c } })));
  });

  it('asks for the key that the token names, of a configured issuer alone', () => {
    const verifier = maaVerifier();
    expect(verifier.open({ type: 'maa-token', token: tokenOf() }).needs).toEqual([
      { kind: 'token-keys', type: 'maa-token', issuer: ISSUER, kid: SIGNER.kid },
    ]);
    const strangers = tokenOf(azureVm(), { claims: { iss: 'https://stranger.lab.attest.azure.net' } });
    expect(verifier.open({ type: 'maa-token', token: strangers }).needs).toEqual([]);
  });
});

describe('the expected value in a token', () => {
  const padded = Buffer.alloc(64);
  padded.set(NONCE);

  it.each([
    ['user-data of the runtime claims', 'maa.userData', azureVm({ nonce: NONCE })],
    ['report data', 'maa.reportData', sevSnpVm({ nonce: NONCE })],
    ['report data of a TD', 'maa.reportData', tdxVm(NONCE)],
    ['runtime data', 'maa.runtimeNonce', sevSnpVm({ nonce: NONCE }, true)],
    ['the client payload', 'maa.clientPayloadNonce', azureVm({ clientPayloadNonce: NONCE })],
  ] as const)('TOK-09, TOK-16 is found in %s', async (_, place, claims) => {
    const found = await verifyMaa(tokenOf(claims), { nonce: NONCE });
    expectVerified(found);
    expect(found.bound).toEqual([place]);
  });

  it.each([
    ['user-data', azureVm({ nonce: NONCE, jwk: JWK })],
    ['report data', sevSnpVm({ nonce: NONCE, jwk: JWK })],
    ['runtime data', sevSnpVm({ nonce: NONCE, jwk: JWK }, true)],
  ])('is found together with a key in %s, and not with another key', async (_, claims) => {
    expectVerified(await verifyMaa(tokenOf(claims), { nonce: NONCE, jwk: JWK }));
    expectFailed(await verifyMaa(tokenOf(claims), { nonce: NONCE, jwk: OTHER_JWK }), 'nonce_mismatch');
  });

  it.each([
    ['of another request', azureVm({ nonce: OTHER_NONCE, clientPayloadNonce: OTHER_NONCE })],
    ['that nobody set', azureVm()],
    ['that is cut short', azureVm({ clientPayloadNonce: NONCE.slice(0, 31) })],
  ])('TOK-16 refuses one %s', async (_, claims) => {
    const found = await verifyMaa(tokenOf(claims), { nonce: NONCE });
    expectFailed(found, 'nonce_mismatch');
    expect(found.bound).toEqual([]);
  });

  it.each(['azurevm', 'sevsnpvm'] as const)('TOK-16 refuses a nonce that a %s token only echoes', async (type) => {
    const old = type === 'azurevm' ? azureVm({ nonce: OTHER_NONCE }) : sevSnpVm({ nonce: OTHER_NONCE });
    const nonce = Buffer.from(NONCE).toString('base64url');
    expectFailed(await verifyMaa(tokenOf({ ...old, nonce }), { nonce: NONCE }), 'nonce_mismatch');
  });

  it('TOK-16 refuses X in user-data of the runtime claims that the hardware does not vouch for', async () => {
    const claims = azureVm();
    const runtime = { 'user-data': padded.toString('hex'), nonce: Buffer.from(NONCE).toString('base64url') };
    expectFailed(await verifyMaa(tokenOf({ ...claims, 'x-ms-runtime': runtime }), { nonce: NONCE }), 'nonce_mismatch');
  });

  it('TOK-16 refuses a client payload in a token that was not sealed to a guest', async () => {
    const runtime = { 'client-payload': { nonce: Buffer.from(NONCE).toString('base64') } };
    expectFailed(
      await verifyMaa(tokenOf({ ...sevSnpVm(), 'x-ms-runtime': runtime }), { nonce: NONCE }),
      'nonce_mismatch',
    );
  });

  it('TOK-16 refuses a nonce of zeros in report data that nobody set', async () => {
    expectFailed(await verifyMaa(tokenOf(sevSnpVm()), { nonce: new Uint8Array(32) }), 'nonce_mismatch');
  });

  it('is not looked for where the token cannot be relied on', async () => {
    const found = await verifyMaa(tokenOf(sevSnpVm({ nonce: NONCE }), { claims: { iss: 'x' } }), { nonce: NONCE });
    expectFailed(found, 'token_issuer');
    expect(found.checks.find(({ id }) => id === 'nonce_mismatch')?.result).toBe('skipped');
  });
});
