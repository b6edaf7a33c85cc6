import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Sourced, TokenKeySet } from '../../../src/core/endorsement.js';
import { FormatError } from '../../../src/core/errors.js';
import type { JsonObject } from '../../../src/core/json.js';
import type { TokenVerification } from '../../../src/core/verification.js';
import { parseKeySet } from '../../../src/formats/json-web-key-set.js';
import { parseCertificate } from '../../../src/formats/x509-certificate.js';
import { checksAt } from '../../../src/tee/catalogue.js';
import type { MaaIssuer } from '../../../src/tee/maa/issuer-policy.js';
import { readStatement } from '../../../src/tee/maa/maa-statement.js';
import { MaaTokenVerifier } from '../../../src/tee/maa/maa-token-verifier.js';
import { verifyKeyCertificates } from '../../../src/tee/shared/tokens/token-certificates.js';
import { AmdSnpReportVerifier } from '../../../src/tee/snp/snp-report-verifier.js';
/** Real tokens of Azure Attestation, through its verifier. Their instants count to the second. */
import { rsaOf } from '../../unit/token-jwk.js';
import {
  applyRecipe,
  haveVectors,
  type Recipe,
  readVector,
  recipes,
  type Vector,
  vector,
  vectors,
} from '../../vectors.js';

const REAL = 'maa-azurevm-snp-weu-2022';
const TOKENS = haveVectors ? vectors('maa-jwt').filter(({ files }) => files.some((file) => file.endsWith('.jwt'))) : [];

type ReadFile = (file: string) => Uint8Array;
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');
const fileOf = ({ files }: Vector, ending: string) => files.find((file) => file.endsWith(ending)) ?? null;

/** The keys that come with a vector; those of the one with keys where there are none. */
function keysOf(entry: Vector, read: ReadFile): Sourced<TokenKeySet> {
  const { keys } = parseKeySet(read(fileOf(entry, '.jwks.json') ?? `maa-jwt/${REAL}.jwks.json`));
  return { value: { keys, crls: [] }, origin: 'store' };
}

/** Accepts the issuer that the vector is of, as a provider of Microsoft's. */
function verifierFor(issuer: string): MaaTokenVerifier {
  const accepted: MaaIssuer = { issuer, policyHashes: 'shared', policySigners: null, teeSigner: 'any' };
  const reports = new AmdSnpReportVerifier({ refuseProducts: new Set() });
  return new MaaTokenVerifier(
    { issuers: new Map([[issuer, accepted]]), leewaySeconds: 0, refuseProducts: new Set() },
    reports,
  );
}

async function verifyVector(
  entry: Vector,
  read: ReadFile = readVector,
  at = entry.verifyAt ?? '',
): Promise<TokenVerification> {
  const token = textOf(read(fileOf(entry, '.jwt') ?? ''));
  return verifierFor(entry.expect.facts.iss)
    .openResult({ type: 'maa-token', token }, '/evidence/token')
    .verify({ at: new Date(at), endorsements: { snp: null, tokenKeys: keysOf(entry, read) }, binding: null });
}

const failedIn = ({ checks }: TokenVerification) =>
  checks.filter(({ result }) => result === 'fail').map(({ id }) => id);

describe.skipIf(!haveVectors)('real tokens of Azure Attestation', () => {
  it.each(TOKENS)('$id $expect.verdict', async (entry) => {
    const found = await verifyVector(entry);
    const verifies = entry.expect.verdict === 'verifies';
    expect(failedIn(found)).toEqual(verifies ? [] : ['token_key']);
    expect(found.checks.every(({ result }) => result === 'pass')).toBe(verifies);
    if (!verifies) expect(found.claims).toEqual({});
  });

  it(`${REAL}: its claims are the facts`, async () => {
    const { facts } = vector(REAL).expect;
    const { claims, validUntil } = await verifyVector(vector(REAL));
    expect(JSON.parse(JSON.stringify(claims.maa?.claims))).toEqual(facts.payload);
    expect(claims.maa).toMatchObject({
      issuer: facts.iss,
      attestationType: facts.attestationType,
      stated: { complianceStatus: facts.complianceStatus, secureBoot: facts.secureboot },
    });
    expect(validUntil).toEqual(new Date(facts.exp * 1000));
  });

  it.each(TOKENS.filter(({ expect: { verdict } }) => verdict === 'fails'))(
    'TOK-10 $id: a key that the issuer does not publish, and none by its place in the header',
    async (entry) => {
      const { facts } = entry.expect;
      const token = textOf(readVector(fileOf(entry, '.jwt') ?? ''));
      expect(verifierFor(facts.iss).openResult({ type: 'maa-token', token }, '').needs).toEqual([
        { kind: 'token-keys', type: 'maa-token', issuer: facts.iss, kid: facts.header.kid },
      ]);
      expect(failedIn(await verifyVector(entry))).toEqual(['token_key']);
    },
  );

  it('TOK-08 a token of a test slot is of no issuer that production accepts', async () => {
    const entry = vector('maa-sevsnpvm-aci-test-unknown-key');
    const token = textOf(readVector(fileOf(entry, '.jwt') ?? ''));
    const production = verifierFor('https://sharedweu.weu.attest.azure.net');
    expect(production.openResult({ type: 'maa-token', token }, '').needs).toEqual([]);
  });

  it('TOK-14 the claims of the samples are what their types say', () => {
    const read = (claims: JsonObject) => readStatement(checksAt(), claims);
    const sample: JsonObject = JSON.parse(textOf(readVector('maa-jwt/maa-claims-sample.claims.json')));
    expect(read(sample)).toMatchObject({ attestationType: 'azurevm', tee: 'sevsnpvm' });
    expect(read(vector('maa-sevsnpvm-aci-test-unknown-key').expect.facts.payload)).toMatchObject({ tee: 'sevsnpvm' });
    // A VM with Trusted Launch: its token is about no TEE.
    expect(read(vector('maa-azurevm-eus2-2022-unknown-key').expect.facts.payload)).toBeNull();
  });
});

/** Codes that are right for each reason of the recipes (codes of the contract). */
const CODES: ReadonlyMap<string, readonly string[]> = new Map([
  ['jwt-parse', ['token_format', 'token_header', 'token_claim', 'duplicate_key']],
  ['jwt-signature', ['token_signature', 'token_format', 'token_issuer', 'token_claim', 'token_header']],
  ['jwt-expired', ['token_time']],
  ['jwt-not-yet-valid', ['token_time']],
  ['jwt-unknown-key', ['token_key']],
]);

async function codesOf(recipe: Recipe): Promise<readonly string[]> {
  const base = vector(recipe.base);
  try {
    const found = await verifyVector(base, (file) => applyRecipe(recipe, file), recipe.verifyAt ?? base.verifyAt ?? '');
    expect(found.claims.maa === undefined).toBe(true);
    return failedIn(found);
  } catch (error) {
    if (error instanceof FormatError) return [error.code];
    throw error;
  }
}

describe.skipIf(!haveVectors)('mutations of a real token are refused, for their reason', () => {
  it.each(haveVectors ? recipes('maa-jwt') : [])('$id $base: $field', async (recipe) => {
    const codes = await codesOf(recipe);
    const right = [recipe.expectedReason, ...recipe.alsoFails].flatMap((reason) => CODES.get(reason) ?? []);
    expect(right).toContain(codes[0]);
  });

  /** Of the payload only every seventh: all of them take a minute, and come to the same. */
  it.each([
    ['every bit of its header', 0, 1],
    ['every seventh bit of its payload', 1, 7],
    ['every bit of its signature', 2, 1],
  ] as const)(
    '%s',
    async (_, index, stride) => {
      const entry = vector(REAL);
      const parts = textOf(readVector(`maa-jwt/${REAL}.jwt`)).split('.');
      const bytes = Buffer.from(parts[index] ?? '', 'base64url');
      const outcomes = new Map<string, number>();
      for (let bit = 0; bit < bytes.length * 8; bit += stride) {
        const changed = Uint8Array.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const token = parts
          .map((part, at) => (at === index ? Buffer.from(changed).toString('base64url') : part))
          .join('.');
        const read = (file: string) => (file.endsWith('.jwt') ? Buffer.from(token) : readVector(file));
        const code = await refusalOf(entry, read);
        outcomes.set(code, (outcomes.get(code) ?? 0) + 1);
      }
      const count = [...outcomes.values()].reduce((sum, each) => sum + each, 0);
      expect(count).toBe(Math.ceil((bytes.length * 8) / stride));
      expect([...outcomes.keys()].filter((code) => !REFUSALS.has(code))).toEqual([]);
      if (index === 2) expect([...outcomes.keys()]).toEqual(['token_signature']);
    },
    60_000,
  );
});

const REFUSALS = new Set([...(CODES.get('jwt-signature') ?? []), 'token_alg', 'token_key', 'duplicate_key']);

async function refusalOf(entry: Vector, read: ReadFile): Promise<string> {
  try {
    return failedIn(await verifyVector(entry, read))[0] ?? 'verified';
  } catch (error) {
    if (error instanceof FormatError) return error.code;
    throw error;
  }
}

describe.skipIf(!haveVectors)('a real key set of Azure Attestation', () => {
  const entry = () => vector('maa-jwks-shape-2020');
  const set = () => parseKeySet(readVector('maa-jwt/maa-jwks-shape-2020.jwks.json'));

  it('TOK-12 is used without the key that is weak', () => {
    const { keys, leftOut } = set();
    const facts: readonly { kid: string; bits: number }[] = entry().expect.facts.keys;
    expect([...keys.keys()]).toEqual(facts.filter(({ bits }) => bits >= 2048).map(({ kid }) => kid));
    expect(leftOut).toMatchObject([{ index: 0 }]);
  });

  it('has keys from certificates, whose chains hold at its instant and end later', () => {
    const at = new Date(entry().verifyAt ?? '');
    const outcomes = (instant: Date) =>
      [...set().keys.values()].flat().map((key) => {
        const checks = checksAt();
        const [n, e] = [rsaOf(key).n, rsaOf(key).e].map((number) => Buffer.from(number).toString('base64url'));
        const named = parseKeySet(Buffer.from(JSON.stringify({ keys: [{ kty: 'RSA', kid: key.kid, n, e }] })));
        expect(named.keys.get(key.kid)).toMatchObject([{ spki: key.spki }]);
        verifyKeyCertificates(checks, key, { roots: null, revocation: null, at: instant });
        return checks.all.map(({ id, result }) => `${id} ${result}`);
      });
    const ended = ['cert_validity fail'];
    const holds = ['cert_validity pass'];
    // The certificate of the first one ended in September 2020.
    expect(outcomes(at)).toEqual([ended, holds, holds, holds]);
    expect(outcomes(new Date('2020-08-01T00:00:00Z'))).toEqual([holds, holds, holds, holds]);
    expect(outcomes(new Date('2022-01-01T00:00:00Z'))).toEqual([ended, ended, ended, ended]);
  });

  /** The report data of a protected signer, seen in the SGX quote of 2020: the digest that its kid is too. */
  it('shows how a TEE binds the key: SHA-256 over the PEM of the key and a NUL, then zeros', () => {
    const [first] = JSON.parse(textOf(readVector('maa-jwt/maa-jwks-shape-2020.jwks.json'))).keys;
    const { spki, extensions } = parseCertificate(Buffer.from(first.x5c[0], 'base64'));
    const quote = extensions.find(({ oid }) => oid === '1.2.840.113556.10.1.1')?.value.subarray(4);
    const body = Buffer.from(spki)
      .toString('base64')
      .match(/.{1,64}/g)
      ?.join('\n');
    const pem = `-----BEGIN PUBLIC KEY-----\n${body}\n-----END PUBLIC KEY-----\n`;
    const digest = createHash('sha256').update(`${pem}\0`).digest();
    expect(Buffer.from(quote?.subarray(48 + 320, 48 + 384) ?? [])).toEqual(Buffer.concat([digest, Buffer.alloc(32)]));
    expect(first.kid).toBe(digest.toString('base64'));
  });
});
