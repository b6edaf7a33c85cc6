import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Check } from '../../../src/core/check.js';
import type { Sourced, TokenKeySet } from '../../../src/core/endorsement.js';
import { FormatError } from '../../../src/core/errors.js';
import type { TokenVerification } from '../../../src/core/verification.js';
import { parseKeySet } from '../../../src/formats/json-web-key-set.js';
import { parseCertificate } from '../../../src/formats/x509-certificate.js';
import { ItaTokenVerifier } from '../../../src/tee/ita/ita-token-verifier.js';
import { applyRecipe, haveVectors, readVector, recipes, vector } from '../../vectors.js';

/**
 * Real tokens of Trust Authority's development stages. All are about enclaves, and none of its production keys is public:
 * what they show is that form, signature and chain are read as Intel writes them, and that no enclave passes for a TD.
 */

const ISSUER = 'Intel Trust Authority';
const ABOUT = '/evidence/token';
const TOKEN = 'ita-jwt/ita-sgx-dev-2023.jwt';
const KEYS = 'ita-jwt/ita-sgx-dev-2023.jwks.json';

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8').trim();
const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function keysOf(bytes: Uint8Array): Sourced<TokenKeySet> {
  return { value: { keys: parseKeySet(bytes).keys, crls: [] }, origin: 'store' };
}

interface Judging {
  readonly roots?: ReadonlySet<string> | null;
  readonly at?: string;
}

async function verify(token: Uint8Array, keys: Uint8Array, judging: Judging = {}): Promise<TokenVerification> {
  const { roots = null, at = vector('ita-sgx-dev-2023').verifyAt ?? '' } = judging;
  const issuer = { issuer: ISSUER, roots, policyIds: new Set<string>() };
  const verifier = new ItaTokenVerifier({ issuers: new Map([[ISSUER, issuer]]), leewaySeconds: 0 });
  return verifier.openResult({ type: 'ita-token', token: textOf(token) }, ABOUT).verify({
    at: new Date(at),
    endorsements: { snp: null, tokenKeys: keysOf(keys) },
    binding: null,
  });
}

const idsOf = (checks: readonly Check[], result: Check['result']) =>
  checks.filter((check) => check.result === result).map(({ id }) => id);

/** Certificates of the development key: its own, the signing authority's, the root's. */
function developmentChain(): readonly Uint8Array[] {
  const [key] = [...parseKeySet(readVector(KEYS)).keys.values()].flat();
  return key?.certificates ?? [];
}

const developmentRoot = () => developmentChain()[2] ?? new Uint8Array();

describe.skipIf(!haveVectors)('a token of the development stage', () => {
  it('TOK-19 verifies as a token, and is refused since it is about an enclave', async () => {
    const found = await verify(readVector(TOKEN), readVector(KEYS));
    expect(idsOf(found.checks, 'fail')).toEqual(['token_claim_type']);
    expect(idsOf(found.checks, 'pass')).toEqual(
      expect.arrayContaining([
        'token_alg',
        'token_issuer',
        'token_key',
        'token_signature',
        'token_time',
        'cert_validity',
      ]),
    );
    expect(idsOf(found.checks, 'skipped')).toEqual(['ita_tcb_status', 'ita_debug', 'ita_policy']);
    const { facts } = vector('ita-sgx-dev-2023').expect;
    expect(found.claims.ita).toMatchObject({ issuer: facts.iss, attestationType: facts.attesterType });
    expect(Object.keys(found.claims.ita?.claims ?? {}).sort()).toEqual([...facts.topLevelClaims].sort());
    expect(found.validUntil).toEqual(new Date(facts.exp * 1000));
  });

  it('has a key of the chain that the manifest lists', () => {
    const { jwksChain } = vector('ita-sgx-dev-2023').expect.facts;
    const sha256s = jwksChain.map(({ sha256 }: { readonly sha256: string }) => sha256);
    expect(developmentChain().map(digestOf)).toEqual(sha256s);
  });

  it.each([
    ['certificate', (root: Uint8Array) => digestOf(root)],
    ['key', (root: Uint8Array) => digestOf(parseCertificate(root).spki)],
  ])('ends at the development root, pinned by its %s, and lacks CRLs', async (_, pinOf) => {
    const roots = new Set([pinOf(developmentRoot())]);
    const found = await verify(readVector(TOKEN), readVector(KEYS), { roots });
    expect(idsOf(found.checks, 'fail')).toEqual([]);
    expect(idsOf(found.checks, 'pass')).toEqual(expect.arrayContaining(['cert_untrusted', 'cert_validity']));
    expect(idsOf(found.checks, 'unavailable')).toEqual(['crl_unavailable']);
    expect(found.claims).toEqual({});
  });

  it('ends at no other root', async () => {
    const found = await verify(readVector(TOKEN), readVector(KEYS), { roots: new Set(['00'.repeat(32)]) });
    expect(idsOf(found.checks, 'fail')).toEqual(['cert_untrusted']);
    expect(found.claims).toEqual({});
  });

  it.each(['ita-neg-jwks-leaf', 'ita-neg-jwks-root'])('has no key in %s, whose certificates cannot be read', (id) => {
    const [file = ''] = vector(id).files;
    // The only key is left out, so that nothing is left of the set: `jwks_invalid` where it is fetched.
    expect(() => parseKeySet(readVector(file))).toThrow(FormatError);
  });

  it('TOK-01 is refused with HS384 under the name of the RSA key', async () => {
    const [file = ''] = vector('ita-neg-hs384').files;
    const found = await verify(readVector(file), readVector(KEYS));
    expect(idsOf(found.checks, 'fail')).toEqual(['token_alg']);
  });

  it('TOK-10 is refused where the key is not published', async () => {
    const { files, verifyAt } = vector('ita-sgx-poc-2023-unknown-key');
    const found = await verify(readVector(files[0] ?? ''), readVector(KEYS), { at: verifyAt ?? '' });
    expect(idsOf(found.checks, 'fail')).toEqual(['token_key']);
    expect(found.claims).toEqual({});
  });
});

describe.skipIf(!haveVectors)('the nonces of Trust Authority', () => {
  it.each(['ita-sgx-dev-2023', 'ita-sgx-poc-2023-unknown-key'])('%s: base64 of base64 of 64 bytes', (id) => {
    const [, payload = ''] = textOf(readVector(vector(id).files[0] ?? '')).split('.');
    const { verifier_nonce: nonce } = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    const text = Buffer.from(nonce.val, 'base64').toString('latin1');
    const bytes = Buffer.from(text, 'base64');
    expect(bytes.toString('base64')).toBe(text);
    expect(bytes).toHaveLength(64);
  });
});

/** Codes that are right for each reason of the recipes (codes of the contract). */
const CODES: ReadonlyMap<string, readonly string[]> = new Map([
  ['jwt-signature', ['token_signature', 'token_format', 'token_issuer', 'token_claim', 'token_header']],
  ['jwt-expired', ['token_time']],
  ['jwt-not-yet-valid', ['token_time']],
]);

/** Codes of what fails, or the one of what is malformed. */
async function codesOf(verifying: Promise<TokenVerification>): Promise<readonly string[]> {
  try {
    return idsOf((await verifying).checks, 'fail');
  } catch (error) {
    if (error instanceof FormatError) return [error.code];
    throw error;
  }
}

describe.skipIf(!haveVectors)('mutations of a real token are refused, for their reason', () => {
  it.each(haveVectors ? recipes('ita-jwt') : [])('$id $base: $field', async (recipe) => {
    const at = (recipe.op === 'clock' ? recipe.verifyAt : vector(recipe.base).verifyAt) ?? '';
    const found = await codesOf(verify(applyRecipe(recipe, TOKEN), applyRecipe(recipe, KEYS), { at }));
    const right = [recipe.expectedReason, ...recipe.alsoFails].flatMap((reason) => CODES.get(reason) ?? []);
    expect(right.length).toBeGreaterThan(0);
    expect(right, `for ${recipe.expectedReason}`).toEqual(expect.arrayContaining([...found]));
    expect(found).toHaveLength(1);
  });
});
