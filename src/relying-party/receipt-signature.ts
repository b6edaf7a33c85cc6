import { type CryptoKey, compactVerify, importJWK } from 'jose';
import { thumbprintOf } from './bound-key.js';
import { type JsonObject, member } from './json-text.js';
import type { ReceiptKeySource } from './key-source.js';
import { ReceiptError } from './receipt-error.js';

/** The key type of each algorithm (RFC 7518, RFC 8037). */
const KEYS = {
  ES256: { kty: 'EC', crv: 'P-256', members: ['x', 'y'] },
  EdDSA: { kty: 'OKP', crv: 'Ed25519', members: ['x'] },
  RS256: { kty: 'RSA', crv: undefined, members: ['n', 'e'] },
} as const;

type ReceiptAlgorithm = keyof typeof KEYS;

/**
 * Steps 3 and 4 of docs/receipts.md: finds the issuer's key, and verifies the signature.
 *
 * @throws {ReceiptError} `receipt_key`, `receipt_keys_unavailable`, `receipt_signature`
 */
export async function requireSignature(receipt: string, header: JsonObject, keys: ReceiptKeySource): Promise<void> {
  const alg = algorithmOf(header);
  const key = await importKey(await findKey(header, alg, keys), alg);
  try {
    await compactVerify(receipt, key, { algorithms: [alg] });
  } catch {
    throw new ReceiptError(
      'receipt_signature',
      'The signature of the receipt does not hold under the key of the issuer.',
    );
  }
}

function algorithmOf(header: JsonObject): ReceiptAlgorithm {
  const alg = member(header, 'alg');
  if (alg === 'ES256' || alg === 'EdDSA' || alg === 'RS256') return alg;
  throw unfit('The algorithm of the receipt is not one of ES256, EdDSA and RS256.');
}

/** Of the entries with the `kid`, those for the algorithm; an entry without `alg` is for every algorithm of its key. All hold one key. */
async function findKey(header: JsonObject, alg: ReceiptAlgorithm, keys: ReceiptKeySource): Promise<JsonObject> {
  const kid = member(header, 'kid');
  if (typeof kid !== 'string') throw unfit('The header of the receipt names no key.');
  const named = await found(keys, kid);
  const [key, ...more] = named.filter((entry) => isKeyFor(alg, entry));
  if (named.length === 0) throw unfit('The key set of the issuer does not have the key that the receipt names.');
  if (key === undefined) throw unfit('The key of the issuer is for another algorithm than that of the receipt.');
  const thumbprints = await Promise.all([key, ...more].map(thumbprintOf));
  if (thumbprints.some((thumbprint) => thumbprint !== thumbprints[0])) {
    throw unfit('The key set of the issuer has several keys of the name and algorithm that the receipt has.');
  }
  return key;
}

function isKeyFor(alg: ReceiptAlgorithm, jwk: JsonObject): boolean {
  const { kty, crv } = KEYS[alg];
  const named = member(jwk, 'alg');
  return (named === undefined || named === alg) && member(jwk, 'kty') === kty && member(jwk, 'crv') === crv;
}

async function found(keys: ReceiptKeySource, kid: string): Promise<readonly JsonObject[]> {
  try {
    return await keys.find(kid);
  } catch (error) {
    if (error instanceof ReceiptError) throw error;
    throw new ReceiptError('receipt_keys_unavailable', 'The key set of the issuer is not available.', { cause: error });
  }
}

/** Imports only the public half, even if the entry has other members. */
async function importKey(jwk: JsonObject, alg: ReceiptAlgorithm): Promise<CryptoKey> {
  const { kty, crv, members } = KEYS[alg];
  const values = Object.fromEntries(members.map((name) => [name, member(jwk, name)]));
  try {
    const key = await importJWK({ kty, ...(crv === undefined ? {} : { crv }), ...values }, alg);
    return key as CryptoKey;
  } catch (cause) {
    throw new ReceiptError('receipt_key', `The key of the issuer cannot be used for ${alg} here.`, { cause });
  }
}

function unfit(message: string): ReceiptError {
  return new ReceiptError('receipt_key', message);
}
