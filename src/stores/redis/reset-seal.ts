import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { ResetCounts } from '../../core/vtpm-resets.js';
import { countsText, parseCounts } from '../reset-counts.js';

/** Whose counts an entry has. */
export interface SealedVtpm {
  readonly tenant: string;
  /** Thumbprint of the attestation key. */
  readonly akThumbprint: string;
}

const DERIVATION = 'veritee shared reset counts';
const KEY_BYTES = 32;

/** Two counts, and the MAC in base64url. */
const ENTRY = /^(\d+ \d+) ([\w-]{43})$/;

/**
 * Seals reset counts that replicas share: the counts as text, which the store compares, and a MAC. That is HMAC-SHA-256 over
 * tenant, thumbprint and counts, by a key that is derived (HKDF) from the MAC key of challenges, which all replicas have and the store
 * has not.
 *
 * So a store can neither make counts up, nor put those of one vTPM in the place of another's. It can give lower counts of before, or
 * none: no MAC helps against that.
 */
export class ResetSeal {
  readonly #key: Uint8Array;

  /** @param challengeKey the MAC key of challenges */
  constructor(challengeKey: Uint8Array) {
    this.#key = new Uint8Array(hkdfSync('sha256', challengeKey, '', DERIVATION, KEY_BYTES));
  }

  seal(vtpm: SealedVtpm, counts: ResetCounts): string {
    const text = countsText(counts);
    return `${text} ${this.#mac(vtpm, text).toString('base64url')}`;
  }

  /** Null where it is not what a replica sealed for this vTPM. */
  open(vtpm: SealedVtpm, entry: string): ResetCounts | null {
    const [, text = '', encoded = ''] = ENTRY.exec(entry) ?? [];
    const counts = parseCounts(text);
    if (counts === null) return null;
    return timingSafeEqual(this.#mac(vtpm, text), Buffer.from(encoded, 'base64url')) ? counts : null;
  }

  /** JSON keeps its three parts apart: no two vTPMs have the same text. */
  #mac({ tenant, akThumbprint }: SealedVtpm, text: string): Buffer {
    return createHmac('sha256', this.#key)
      .update(JSON.stringify([tenant, akThumbprint, text]))
      .digest();
  }
}
