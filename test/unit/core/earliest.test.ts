import { describe, expect, it } from 'vitest';
import { earliest } from '../../../src/core/earliest.js';

const MAY = new Date('2026-05-01T00:00:00Z');
const JUNE = new Date('2026-06-01T00:00:00Z');
const JULY = new Date('2026-07-01T00:00:00Z');

describe('earliest', () => {
  it.each([
    ['the only one', [JUNE], JUNE],
    ['the first', [MAY, JUNE], MAY],
    ['the last', [JUNE, MAY], MAY],
    ['one between others', [JULY, MAY, JUNE], MAY],
    ['either of two that are the same', [MAY, new Date(MAY)], MAY],
    ['one beside what does not end', [JUNE, null], JUNE],
    ['one after what does not end', [null, JUNE, null, MAY], MAY],
  ])('is %s', (_, ends, expected) => {
    expect(earliest(...ends)).toEqual(expected);
  });

  it.each([[[]], [[null]], [[null, null]]])('is none where nothing ends: %j', (ends) => {
    expect(earliest(...ends)).toBeNull();
  });

  it('is an invalid date where one of them is: nothing outlives an end that cannot be told', () => {
    expect(earliest(new Date(Number.NaN), MAY)?.getTime()).toBeNaN();
    expect(earliest(MAY, new Date(Number.NaN))?.getTime()).toBeNaN();
  });
});
