import { describe, expect, it } from 'vitest';
import { FormatError, nullIfMalformed, within } from '../../../src/core/errors.js';

function throwing(error: Error): () => never {
  return () => {
    throw error;
  };
}

describe('a parse whose failure is a finding', () => {
  it('gives what was parsed, and null for bytes without their form', () => {
    expect(nullIfMalformed(() => 7)).toBe(7);
    expect(nullIfMalformed(throwing(new FormatError('cert_format', 'cut short')))).toBeNull();
  });

  it('lets every other error go on: a fault of this program is no finding about the bytes', () => {
    expect(() => nullIfMalformed(throwing(new TypeError('no bytes')))).toThrow(TypeError);
  });
});

describe('a parse of a place in the request', () => {
  it('names the place in a FormatError, unless it already has one', () => {
    const placed = (pointer?: string) => () =>
      within(
        '/evidence',
        throwing(new FormatError('cert_format', 'cut short', pointer === undefined ? {} : { pointer })),
      );
    expect(placed()).toThrow(expect.objectContaining({ code: 'cert_format', pointer: '/evidence' }));
    expect(placed('/evidence/vek')).toThrow(expect.objectContaining({ pointer: '/evidence/vek' }));
  });

  it('leaves every other error as it is', () => {
    const fault = new TypeError('no bytes');
    expect(() => within('/evidence', throwing(fault))).toThrow(fault);
  });
});
