import { describe, expect, it } from 'vitest';
import { EntrySeal, type EntrySubject, MAC_BYTES } from '../../../../src/endorsements/replicas/sealed-entries.js';

const KEY = Uint8Array.from({ length: 32 }, (_, index) => index);
const SUBJECT: EntrySubject = { kind: 'crl', origin: 'https://kds.example', key: '/vcek/v1/Milan/crl' };
const ENTRY = { fetchedAt: new Date('2026-03-01T12:00:00.123Z'), bytes: Uint8Array.of(1, 2, 3) };

const seal = new EntrySeal(KEY);
const sealed = seal.seal(SUBJECT, ENTRY);
const flipped = (index: number) => sealed.map((byte, at) => (at === index ? byte ^ 1 : byte));

describe('EntrySeal', () => {
  it('opens what another replica with the same key has sealed', () => {
    expect(new EntrySeal(KEY).open(SUBJECT, sealed)).toEqual(ENTRY);
    const absent = { ...ENTRY, bytes: null };
    expect(seal.open(SUBJECT, seal.seal(SUBJECT, absent))).toEqual(absent);
  });

  it.each(Array.from(sealed.keys()))('does not open an entry whose byte %i was changed', (index) => {
    expect(seal.open(SUBJECT, flipped(index))).toBeNull();
  });

  it.each([
    ['kind', { kind: 'vcek' }],
    ['origin', { origin: 'https://kds.example:8443' }],
    ['key', { key: '/vlek/v1/Milan/crl' }],
    ['border between origin and key', { origin: 'https://kds.example/', key: 'vcek/v1/Milan/crl' }],
  ] as const)('does not open the entry of another subject: %s', (_what, change) => {
    expect(seal.open({ ...SUBJECT, ...change }, sealed)).toBeNull();
    expect(seal.id({ ...SUBJECT, ...change })).not.toBe(seal.id(SUBJECT));
  });

  it('does not open what a replica with another key has sealed', () => {
    const other = new EntrySeal(KEY.map((byte) => byte ^ 1));
    expect(other.open(SUBJECT, sealed)).toBeNull();
  });

  it.each([0, 1, MAC_BYTES, MAC_BYTES + 8])('does not open the first %i bytes of an entry', (length) => {
    expect(seal.open(SUBJECT, sealed.subarray(0, length))).toBeNull();
  });

  it('does not open an entry with a byte more', () => {
    expect(seal.open(SUBJECT, Uint8Array.of(...sealed, 0))).toBeNull();
  });

  it('tells principals apart, and not who they are', () => {
    const [a, b] = [seal.pseudonym('ci'), seal.pseudonym('gate')];
    expect(a).toMatch(/^[0-9a-f]{16}$/);
    expect(a).not.toBe(b);
    expect(new EntrySeal(KEY).pseudonym('ci')).toBe(a);
    expect(new EntrySeal(KEY.map((byte) => byte ^ 1)).pseudonym('ci')).not.toBe(a);
  });
});
