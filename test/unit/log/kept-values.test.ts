import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../src/core/json.js';
import { decodeValue, encodeValue, KeptBytes, namedBytes } from '../../../src/log/kept-values.js';

const BYTES = Uint8Array.of(1, 2, 3);
const SHA256 = createHash('sha256').update(BYTES).digest('hex');

/** Through JSON, as it is stored. */
function kept(value: unknown) {
  const bytes = new KeptBytes();
  const encoded: JsonValue = JSON.parse(JSON.stringify(encodeValue(value, bytes)));
  const byDigest = new Map(bytes.objects.map((object) => [object.sha256, object.bytes]));
  const bytesOf = (sha256: string) => {
    const found = byDigest.get(sha256);
    if (found === undefined) throw new Error('not kept');
    return found;
  };
  return { encoded, objects: bytes.objects, decoded: decodeValue(encoded, bytesOf) };
}

describe('values that are kept', () => {
  it.each([
    ['text, numbers and literals', { a: ['x', 1.5, true, null], b: {} }],
    ['bytes', { der: BYTES, also: [BYTES] }],
    ['a time', new Date('2026-01-15T12:00:00.123Z')],
    ['a large number', { number: 2n ** 80n }],
    ['a set', new Set(['verify', 'audit:read'])],
    ['a map of maps', new Map([['Milan', new Map([['a', BYTES]])]])],
    ['names that look like our own', { $date: 'no time', $bytes: 1, other: BYTES }],
    ['one name that looks like our own', { $map: { $set: [] } }],
  ])('come back as they were: %s', (_, value) => {
    expect(kept(value).decoded).toEqual(value);
  });

  it('have bytes once, by their digest', () => {
    const { encoded, objects } = kept([BYTES, BYTES, Uint8Array.of(1, 2, 3)]);
    expect(encoded).toEqual([{ $bytes: SHA256 }, { $bytes: SHA256 }, { $bytes: SHA256 }]);
    expect(objects.map(({ sha256 }) => sha256)).toEqual([SHA256]);
    expect(namedBytes(encoded)).toEqual([SHA256, SHA256, SHA256]);
    expect(namedBytes({ a: [{ b: { $bytes: SHA256 } }, 1, null] })).toEqual([SHA256]);
  });

  it('are in buffers of their own: another thread is not passed the larger buffer around them', () => {
    const larger = Buffer.concat([Buffer.alloc(1024 * 1024), BYTES]);
    const { objects } = kept([larger.subarray(-3), Buffer.from('from a pool')]);
    expect(objects.map(({ bytes }) => bytes.buffer.byteLength)).toEqual([3, 11]);
    expect(objects[0]).toEqual({ sha256: SHA256, bytes: BYTES });
  });

  it('are not copied where they own their buffer', () => {
    expect(kept(BYTES).objects[0]?.bytes).toBe(BYTES);
  });

  it('leave out functions, and members that are undefined', () => {
    expect(kept({ a: 1, b: undefined, c: () => true }).decoded).toEqual({ a: 1 });
  });

  it('are none of what cannot be written', () => {
    expect(() => encodeValue(Symbol('x'), new KeptBytes())).toThrow(TypeError);
    expect(() => encodeValue([() => true], new KeptBytes())).toThrow(TypeError);
  });
});
