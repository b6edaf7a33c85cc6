import { FormatError } from '../core/errors.js';
import { isObject, type JsonObject, type JsonValue } from '../core/json.js';
import { encodeBase64Url } from '../formats/base64.js';
import { readBytes } from './encoded-members.js';
import type { Schemas } from './schema-check.js';
import { MISSING_MEMBER } from './schema-message.js';

/** Bytes of one coordinate (RFC 7518 section 6.2.1.2). */
const COORDINATE_LENGTH = { 'P-256': 32, 'P-384': 48, 'P-521': 66 } as const;
const OKP_KEY_LENGTH = 32;
/** 2048 to 8192 bits. */
const MODULUS_LENGTH = { from: 256, to: 1024 } as const;
const EXPONENT_LENGTH = { from: 1, to: 8 } as const;

/**
 * Reads a public key after the check of its schema. Each number must have the one spelling of RFC 7518, since the
 * thumbprint (RFC 7638) covers that spelling.
 *
 * Does not check that a point is on its curve: the service only hashes the key, and the user of the key checks it.
 *
 * @throws {FormatError} `encoding` for anything but base64url without padding
 * @throws {FormatError} `schema` for another length
 */
export function readPublicJwk(jwk: Schemas['PublicJwk'], pointer: string): JsonObject {
  switch (jwk.kty) {
    case 'RSA':
      requireInteger(jwk.n, MODULUS_LENGTH, `${pointer}/n`);
      requireInteger(jwk.e, EXPONENT_LENGTH, `${pointer}/e`);
      break;
    case 'EC':
      requireLength(jwk.x, COORDINATE_LENGTH[jwk.crv], `${pointer}/x`);
      requireLength(jwk.y, COORDINATE_LENGTH[jwk.crv], `${pointer}/y`);
      break;
    case 'OKP':
      requireLength(jwk.x, OKP_KEY_LENGTH, `${pointer}/x`);
      break;
  }
  return jwk as unknown as JsonObject;
}

const PRIVATE_PEM = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/;
const REPLACE_IT = 'send the public key, and replace this private key, because it has left its machine';

/** Members of private and symmetric keys (RFC 7518 section 6). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;

/**
 * Rejects a private key before any other check, so that its sender learns at once that it is exposed.
 *
 * @param binding the member `binding` of a body, unchecked
 * @throws {FormatError} `schema`
 */
export function refusePrivateKey(binding: JsonValue | undefined): void {
  const { jwk, pem }: JsonObject = isObject(binding) ? binding : {};
  if (typeof pem === 'string' && PRIVATE_PEM.test(pem)) {
    throw new FormatError('schema', `this is a private key: ${REPLACE_IT}`, { pointer: '/binding/pem' });
  }
  if (!isObject(jwk)) return;
  const found = PRIVATE_MEMBERS.find((member) => jwk[member] !== undefined);
  if (found === undefined) return;
  const message = `this is a private key, since it has ${found}: ${REPLACE_IT}`;
  throw new FormatError('schema', message, { pointer: '/binding/jwk' });
}

/**
 * Requires that a binding has one key, as JWK or as PEM.
 *
 * @throws {FormatError} `schema`
 */
export function requireOneKey(binding: JsonValue | undefined): void {
  if (!isObject(binding)) return;
  const { jwk, pem } = binding;
  if (jwk === undefined && pem === undefined) {
    throw new FormatError('schema', MISSING_MEMBER, { pointer: '/binding/jwk' });
  }
  if (jwk !== undefined && pem !== undefined) {
    throw new FormatError('schema', 'one key is bound: send jwk or pem', { pointer: '/binding/pem' });
  }
}

/** Base64urlUInt (RFC 7518 section 2): big endian, no more bytes than needed. */
function requireInteger(text: string, length: { readonly from: number; readonly to: number }, pointer: string): void {
  const bytes = readBase64Url(text, pointer);
  if (bytes[0] === 0) throw new FormatError('schema', 'integer with a leading zero byte', { pointer });
  if (bytes.byteLength < length.from || bytes.byteLength > length.to) {
    throw new FormatError('schema', `integer is ${bytes.byteLength} bytes, expected ${length.from} to ${length.to}`, {
      pointer,
    });
  }
}

function requireLength(text: string, length: number, pointer: string): void {
  const bytes = readBase64Url(text, pointer);
  if (bytes.byteLength !== length) {
    throw new FormatError('schema', `${bytes.byteLength} bytes, expected ${length}`, { pointer });
  }
}

function readBase64Url(text: string, pointer: string): Uint8Array {
  const bytes = readBytes(text, pointer);
  if (encodeBase64Url(bytes) !== text) throw new FormatError('encoding', 'not base64url without padding', { pointer });
  return bytes;
}
