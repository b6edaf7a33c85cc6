import { createHash, createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';

/** Cryptographically secure random bytes. */
export type RandomBytes = (length: number) => Uint8Array;

const RANDOM_BYTES = 16;
const EXPIRY_BYTES = 4;
const SIGNED_BYTES = RANDOM_BYTES + EXPIRY_BYTES;
const MAC_BYTES = 12;
const CHALLENGE_BYTES = SIGNED_BYTES + MAC_BYTES;

/** Separates this MAC from every other MAC made with the same key. */
const DOMAIN = Buffer.from('veritee-challenge-v1\0', 'ascii');

/** The prefix of a value with a bound key. A nonce must not begin with it (openapi.yaml, `binding`). */
const BOUND_PREFIX = Buffer.from('veritee1', 'ascii');

/**
 * Makes and recognises challenges. A challenge consists of:
 * - 16 random bytes
 * - 4 bytes of expiry: seconds since 1970, unsigned, big endian
 * - the first 12 bytes of an HMAC-SHA-256 over both
 *
 * The MAC proves the origin of the bytes and nothing else. The store holds the purpose of a challenge, and whether it
 * is used.
 */
export class ChallengeCodec {
  readonly #key: KeyObject;
  readonly #randomBytes: RandomBytes;

  constructor(key: Uint8Array, randomBytes: RandomBytes) {
    this.#key = createSecretKey(key);
    this.#randomBytes = randomBytes;
  }

  /** @param expiresAt whole seconds; a fraction is dropped */
  make(expiresAt: Date): Uint8Array {
    const challenge = new Uint8Array(CHALLENGE_BYTES);
    do {
      challenge.set(this.#randomBytes(RANDOM_BYTES), 0);
    } while (BOUND_PREFIX.equals(challenge.subarray(0, BOUND_PREFIX.length)));
    viewOf(challenge).setUint32(RANDOM_BYTES, Math.floor(expiresAt.getTime() / 1000));
    challenge.set(this.#mac(challenge.subarray(0, SIGNED_BYTES)), SIGNED_BYTES);
    return challenge;
  }

  /** The expiry of the challenge; null if the bytes are not a challenge made with this key. */
  recognise(nonce: Uint8Array): { readonly expiresAt: Date } | null {
    if (nonce.byteLength !== CHALLENGE_BYTES) return null;
    if (!timingSafeEqual(nonce.subarray(SIGNED_BYTES), this.#mac(nonce.subarray(0, SIGNED_BYTES)))) return null;
    return { expiresAt: new Date(viewOf(nonce).getUint32(RANDOM_BYTES) * 1000) };
  }

  #mac(signed: Uint8Array): Uint8Array {
    return createHmac('sha256', this.#key).update(DOMAIN).update(signed).digest().subarray(0, MAC_BYTES);
  }
}

/** Id of a challenge in the store: its digest, so a reader of the store cannot use unused challenges. */
export function challengeId(challenge: Uint8Array): string {
  return createHash('sha256').update(challenge).digest('base64url');
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
