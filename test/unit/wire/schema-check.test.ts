import { describe, expect, it } from 'vitest';
import { parseStrictJson } from '../../../src/formats/strict-json.js';
import { checkSchema, checkVerifyRequest } from '../../../src/wire/schema-check.js';
import { formatErrorOf } from '../../format-error-of.js';
import { bodyOf, snpEvidence, trusteeV1 } from './sample-bodies.js';

const json = (value: unknown) => parseStrictJson(bodyOf(value));

describe('checkSchema', () => {
  it('gives the value back as it came', () => {
    const value = json({ policy: 'payments' });
    expect(checkSchema('ChallengeRequest', value)).toBe(value);
  });

  it('fills nothing in and takes nothing out', () => {
    const value = json({});
    checkSchema('ChallengeRequest', value);
    expect(Object.keys(value as object)).toEqual([]);
    expect(formatErrorOf(() => checkSchema('ChallengeRequest', json({ a: 1 }))).code).toBe('unknown_property');
  });

  it('speaks of the alternative that got furthest', () => {
    expect(formatErrorOf(() => checkSchema('PolicySelection', json(['a', 'B'])))).toEqual({
      code: 'schema',
      pointer: '/1',
    });
  });

  it.each<[string, unknown, string]>([
    ['none', [], 'must NOT have fewer than 1 items'],
    ['nine', [...'abcdefghi'], 'must NOT have more than 8 items'],
    ['the same twice', ['a', 'a'], 'must NOT have duplicate items'],
    ['an id that is none', 'A', 'must match pattern'],
  ])('of alternatives at one place, that of the right type speaks: %s', (_title, value, message) => {
    expect(() => checkSchema('PolicySelection', json(value))).toThrow(message);
  });

  it('says what a schema that must not hold is about', () => {
    const both = json({ vek: 'AAAA', certificateTable: 'AAAA' });
    expect(() => checkSchema('SnpEndorsements', both)).toThrow(
      'has a member that must not be there, or not beside another',
    );
  });

  it('escapes names in the pointer', () => {
    const error = formatErrorOf(() => checkSchema('ChallengeRequest', json({ 'a/b~': 1 })));
    expect(error).toEqual({ code: 'unknown_property', pointer: '/a~1b~0' });
  });
});

describe('checkVerifyRequest', () => {
  it('compares the evidence with the form that it is given, and no other', () => {
    const body = json({ evidence: snpEvidence() });
    expect(checkVerifyRequest('SnpEvidence', body)).toBe(body);
    expect(formatErrorOf(() => checkVerifyRequest('AzSnpVtpmEvidence', body)).code).toBe('schema');
    expect(checkVerifyRequest('TrusteeEvidenceV1', json({ evidence: trusteeV1(1) }))).toBeDefined();
  });
});
