import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ChallengeCodec, challengeId } from '../../../src/judge/challenge-codec.js';

const KEY = new Uint8Array(32).fill(1);
const EXPIRES_AT = new Date('2026-06-01T00:05:00Z');

/** Gives each of the byte strings in turn, then the last one again and again. */
function draws(...given: readonly Uint8Array[]): (length: number) => Uint8Array {
  const left = [...given];
  return (length) => {
    const next = left.length > 1 ? left.shift() : left[0];
    if (next?.byteLength !== length) throw new Error(`asked for ${length} bytes`);
    return next;
  };
}

const RANDOM = new Uint8Array(16).fill(0xa5);
const codec = new ChallengeCodec(KEY, draws(RANDOM));

describe('a challenge', () => {
  it('is 16 random bytes, the expiry in 4, and 12 of the MAC over both', () => {
    const made = codec.make(EXPIRES_AT);
    const signed = Buffer.concat([RANDOM, Buffer.from('6a1cccac', 'hex')]);
    const mac = createHmac('sha256', KEY)
      .update('veritee-challenge-v1')
      .update(Uint8Array.of(0))
      .update(signed)
      .digest();
    expect(EXPIRES_AT.getTime() / 1000).toBe(0x6a1cccac);
    expect(Buffer.from(made)).toEqual(Buffer.concat([signed, mac.subarray(0, 12)]));
  });

  it('is recognised with its expiry, also as a part of other bytes', () => {
    const made = codec.make(EXPIRES_AT);
    expect(codec.recognise(made)).toEqual({ expiresAt: EXPIRES_AT });
    const within = new Uint8Array(40);
    within.set(made, 5);
    expect(codec.recognise(within.subarray(5, 37))).toEqual({ expiresAt: EXPIRES_AT });
  });

  it('holds an expiry beyond 2038, unsigned', () => {
    const late = new Date('2100-01-01T00:00:00Z');
    expect(codec.recognise(codec.make(late))).toEqual({ expiresAt: late });
  });

  it('FRS-07 is recognised by another process with the same key, and by none with another', () => {
    const made = codec.make(EXPIRES_AT);
    expect(new ChallengeCodec(KEY, draws(RANDOM)).recognise(made)).toEqual({ expiresAt: EXPIRES_AT });
    expect(new ChallengeCodec(new Uint8Array(32).fill(2), draws(RANDOM)).recognise(made)).toBeNull();
  });

  it('FRS-07 with any one bit changed is the caller’s own', () => {
    const made = codec.make(EXPIRES_AT);
    for (let bit = 0; bit < made.byteLength * 8; bit++) {
      const changed = Uint8Array.from(made, (byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      expect(codec.recognise(changed)).toBeNull();
    }
  });

  it('DEC-10 of another length is a plain mismatch, not an exception', () => {
    const made = codec.make(EXPIRES_AT);
    for (let length = 0; length <= 64; length++) {
      const nonce = new Uint8Array(length);
      nonce.set(made.subarray(0, length));
      expect(codec.recognise(nonce)).toEqual(length === 32 ? { expiresAt: EXPIRES_AT } : null);
    }
  });

  it('FRS-09 never looks like a value with a bound key: such bytes are drawn again', () => {
    const unlucky = Buffer.concat([Buffer.from('veritee1'), Buffer.alloc(8)]);
    const redrawing = new ChallengeCodec(KEY, draws(unlucky, unlucky, RANDOM));
    expect(Buffer.from(redrawing.make(EXPIRES_AT).subarray(0, 16))).toEqual(Buffer.from(RANDOM));
  });

  it('FRS-09 may start with what only begins like one', () => {
    const alike = Buffer.concat([Buffer.from('veritee2'), Buffer.alloc(8)]);
    expect(Buffer.from(new ChallengeCodec(KEY, draws(alike, RANDOM)).make(EXPIRES_AT).subarray(0, 8))).toEqual(
      Buffer.from('veritee2'),
    );
  });

  it('has an id that no other challenge has', () => {
    const other = new ChallengeCodec(KEY, draws(new Uint8Array(16)));
    expect(challengeId(codec.make(EXPIRES_AT))).toBe(challengeId(codec.make(EXPIRES_AT)));
    expect(challengeId(codec.make(EXPIRES_AT))).not.toBe(challengeId(other.make(EXPIRES_AT)));
  });
});
