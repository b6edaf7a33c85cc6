import { createHmac, hkdfSync } from 'node:crypto';
import { equalInConstantTime } from '../../crypto/constant-time.js';
import { sha256 } from '../../crypto/digest.js';
import { hex } from '../../model/bytes.js';

/** What an entry is about. */
export interface EntrySubject {
  readonly kind: 'vcek' | 'chain' | 'crl' | 'tdx-collateral';
  /** Of whom it was asked. */
  readonly origin: string;
  /** What was asked for. */
  readonly key: string;
}

/** What an origin answered, and when. */
export interface SharedEntry {
  readonly fetchedAt: Date;
  /** Null: the origin does not have it. */
  readonly bytes: Uint8Array | null;
}

/** Bytes of the MAC, with which an entry begins. */
export const MAC_BYTES = 32;

const [FOUND, ABSENT] = [1, 0];
/** Outcome, and the time of the fetch in milliseconds since 1970, big endian. */
const HEADER_BYTES = 1 + 8;

/** An instant that `Date` can hold. */
const LATEST_MS = 8_640_000_000_000_000n;

const PSEUDONYM_HEX = 16;

/**
 * Seals what replicas share: MAC, outcome, time, bytes. The MAC is HMAC-SHA-256 over kind, origin, key, outcome, time and bytes, by a
 * key that is derived (HKDF) from the MAC key of challenges, which all replicas have and the store has not.
 *
 * So a store can neither make an entry, nor put one in the place of another, nor make an old one look new. It can leave entries
 * out, and give ones of before.
 */
export class EntrySeal {
  readonly #entryKey: Uint8Array;
  readonly #nameKey: Uint8Array;

  /** @param challengeKey the MAC key of challenges */
  constructor(challengeKey: Uint8Array) {
    this.#entryKey = derived(challengeKey, 'veritee shared endorsements');
    this.#nameKey = derived(challengeKey, 'veritee shared endorsements, principals');
  }

  /** Under which an entry is kept: SHA-256 over its subject, hex. */
  id(subject: EntrySubject): string {
    return hex(sha256(encodeSubject(subject)));
  }

  /** A name by which the store can tell principals apart and not who they are, 16 hex digits. */
  pseudonym(principal: string): string {
    return createHmac('sha256', this.#nameKey).update(principal, 'utf8').digest('hex').slice(0, PSEUDONYM_HEX);
  }

  seal(subject: EntrySubject, { fetchedAt, bytes }: SharedEntry): Uint8Array {
    const body = Buffer.alloc(HEADER_BYTES + (bytes?.byteLength ?? 0));
    body.writeUInt8(bytes === null ? ABSENT : FOUND, 0);
    body.writeBigUInt64BE(BigInt(fetchedAt.getTime()), 1);
    if (bytes !== null) body.set(bytes, HEADER_BYTES);
    return Buffer.concat([this.#mac(subject, body), body]);
  }

  /** Null where it is not one that a replica sealed for this subject. */
  open(subject: EntrySubject, sealed: Uint8Array): SharedEntry | null {
    if (sealed.byteLength < MAC_BYTES + HEADER_BYTES) return null;
    const body = Buffer.from(sealed.subarray(MAC_BYTES));
    if (!equalInConstantTime(this.#mac(subject, body), sealed.subarray(0, MAC_BYTES))) return null;
    const milliseconds = body.readBigUInt64BE(1);
    if (milliseconds > LATEST_MS) return null;
    const fetchedAt = new Date(Number(milliseconds));
    if (body[0] === ABSENT) return body.byteLength === HEADER_BYTES ? { fetchedAt, bytes: null } : null;
    return body[0] === FOUND ? { fetchedAt, bytes: new Uint8Array(body.subarray(HEADER_BYTES)) } : null;
  }

  #mac(subject: EntrySubject, body: Uint8Array): Uint8Array {
    return createHmac('sha256', this.#entryKey).update(encodeSubject(subject)).update(body).digest();
  }
}

function derived(key: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, '', purpose, MAC_BYTES));
}

/** Each part behind its length, so that no two subjects have the same bytes. */
function encodeSubject({ kind, origin, key }: EntrySubject): Uint8Array {
  const parts = [kind, origin, key].map((part) => Buffer.from(part, 'utf8'));
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.byteLength);
      return [length, part];
    }),
  );
}
