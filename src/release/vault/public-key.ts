import { createPublicKey, type KeyObject } from 'node:crypto';
import type { JsonWebKey } from '@azure/keyvault-keys';
import { UnfitError } from '../../core/errors.js';
import { encodeBase64Url } from '../../formats/base64.js';

const P256_BYTES = 32;

/**
 * The public key of a key in a vault: of type EC on P-256 or of type RSA, in software or in an HSM.
 * @throws {UnfitError} for any other kind, which the message names
 */
export function publicKeyOf({ kty, crv, x, y, n, e }: JsonWebKey): KeyObject {
  const type = String(kty).replace(/-HSM$/, '');
  if (type === 'EC' && crv === 'P-256' && x !== undefined && y !== undefined) {
    return importVaultKey({ kty: 'EC', crv, x: coordinate(x), y: coordinate(y) });
  }
  if (type === 'RSA' && n !== undefined && e !== undefined) {
    return importVaultKey({ kty: 'RSA', n: encodeBase64Url(n), e: encodeBase64Url(e) });
  }
  throw new UnfitError(
    `a key of type ${word(kty)}${crv === undefined ? '' : ` on ${word(crv)}`}; keys of vaults sign receipts with P-256 or RSA`,
  );
}

/** Pads a number, since some services omit its leading zeros. */
function coordinate(bytes: Uint8Array): string {
  return encodeBase64Url(Buffer.concat([Buffer.alloc(Math.max(0, P256_BYTES - bytes.length)), bytes]));
}

function importVaultKey(jwk: { readonly [name: string]: string }): KeyObject {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    throw new UnfitError('a key that cannot be read');
  }
}

/** A word of a vault's answer for messages, of unchecked type. */
function word(text: unknown): string {
  return typeof text === 'string' && /^[A-Za-z0-9-]{1,32}$/.test(text) ? text : 'unknown';
}
