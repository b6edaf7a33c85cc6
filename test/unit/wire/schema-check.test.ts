import { describe, expect, it } from 'vitest';
import { parseStrictJson } from '../../../src/formats/strict-json.js';
import { OPENAPI_SCHEMAS } from '../../../src/wire/generated/openapi-schemas.js';
import { checkBodyWithEvidence, checkSchema, createAjv, type SchemaName } from '../../../src/wire/schema-check.js';
import { PATTERNS } from '../../../src/wire/schema-message.js';
import { insideOf, referenced, type Schema, schemaNamed } from '../../contract/openapi-schemas.js';
import { formatErrorOf } from '../../format-error-of.js';
import { azSnpVtpmEvidence, bodyOf, snpEvidence, trusteeV1 } from './sample-bodies.js';

const json = (value: unknown) => parseStrictJson(bodyOf(value));

/** Patterns of all schemas that values of the named ones go through. */
function patternsReachedFrom(names: readonly string[]): ReadonlySet<string> {
  const seen = new Set<Schema>();
  const visit = (schema: Schema): void => {
    for (const [, inner] of insideOf(schema, '')) {
      if (seen.has(inner)) continue;
      seen.add(inner);
      if (inner.$ref !== undefined) visit(referenced(inner));
    }
  };
  for (const name of names) visit(schemaNamed(name));
  return new Set([...seen].flatMap(({ pattern }) => pattern ?? []));
}

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
    ['none', [], 'the list has 0 items, expected at least 1'],
    ['nine', [...'abcdefghi'], 'the list has 9 items, expected at most 8'],
    ['the same twice', ['a', 'a'], 'the list has the same item twice'],
    ['an id that is none', 'A', 'not a policy id: expected 1 to 64 lower-case letters, digits and hyphens'],
  ])('of alternatives at one place, that of the right type speaks: %s', (_title, value, message) => {
    expect(() => checkSchema('PolicySelection', json(value))).toThrow(message);
  });

  it('says what a schema that must not hold is about', () => {
    const both = json({ vek: 'AAAA', certificateTable: 'AAAA' });
    expect(() => checkSchema('SnpEndorsements', both)).toThrow(
      'members that cannot be sent together: certificateTable and vek, certificateTable and chain',
    );
  });

  it.each<[string, SchemaName, unknown, string]>([
    [
      'an unknown member near a known one',
      'ChallengeRequest',
      { polcy: 'a' },
      'unknown member "polcy": did you mean policy?',
    ],
    [
      'an unknown member',
      'ChallengeRequest',
      { surplus: 1 },
      'unknown member "surplus"; known: audience, policy, evidenceType',
    ],
    [
      'a name that is none',
      'ChallengeRequest',
      { ['\u0007'.repeat(9)]: 1 },
      'unknown member (name withheld); known: audience, policy, evidenceType',
    ],
    ['a missing member', 'MaaTokenEvidence', { type: 'maa-token' }, 'member is missing'],
    [
      'a missing member, and an unknown one near it',
      'MaaTokenEvidence',
      { type: 'maa-token', tokn: 'a' },
      'member is missing; unknown member "tokn": did you mean token?',
    ],
    [
      'a missing member, and a known one near it',
      'AzTdxVtpmEvidence',
      { type: 'az-tdx-vtpm', hclReport: 'AA', tdQuote: 'AA' },
      'member is missing',
    ],
    [
      'a misspelt type of a token',
      'AttestationResult',
      { type: 'maa-tokn', token: 'a' },
      'unknown type "maa-tokn": did you mean maa-token?',
    ],
    [
      'a member that another needs',
      'AzSnpVtpmEvidence',
      { ...azSnpVtpmEvidence(), akChain: '' },
      'member is missing: akChain needs it',
    ],
    ['a number as text', 'TrusteeVersion', '1', 'the value is a string, not an integer'],
    ['a value outside of a list', 'TrusteeVersion', 3, 'the value is none of these: 1, 2'],
    ['null', 'SnpEvidence', { type: 'snp', report: null }, 'the value is null, not a string'],
    ['what no alternative takes', 'PolicySelection', 7, 'the value is a number, not a string or an array'],
    ['another constant', 'SnpEvidence', { ...snpEvidence(), type: 'tdx' }, 'the value is not "snp"'],
    ['an empty text', 'ChallengeRequest', { audience: '' }, 'the text has 0 characters, expected at least 1'],
    [
      'a long text',
      'ChallengeRequest',
      { audience: 'a'.repeat(513) },
      'the text has 513 characters, expected at most 512',
    ],
    ['an unknown kind of key', 'PublicJwk', { kty: 'oct' }, 'unknown kty "oct"; known: RSA, EC, OKP'],
    ['a key without kind', 'PublicJwk', {}, 'member is missing'],
    ['a kind that is no text', 'PublicJwk', { kty: 1 }, 'the value is a number, not one of RSA, EC, OKP'],
    [
      'an instant in words',
      'Instant',
      'yesterday',
      'not a time: expected RFC 3339 in UTC, with seconds and Z, such as 2026-01-15T12:00:00Z',
    ],
    ['an index of no PCR', 'PcrBankValues', { '24': '00' }, 'unknown PCR: indices are 0 to 23, without leading zeros'],
    ['a number that is no byte', 'Octets', [256], 'the number is above 255'],
  ])('says in words what is wrong: %s', (_title, name, value, message) => {
    expect(() => checkSchema(name, json(value))).toThrow(message);
  });

  it('rests on schemas that are valid JSON Schema', () => {
    const ajv = createAjv(OPENAPI_SCHEMAS);
    expect(ajv.validateSchema({ $defs: OPENAPI_SCHEMAS })).toBe(true);
    expect(ajv.validateSchema({ $defs: { ChallengeRequest: { type: 'no type' } } })).toBe(false);
  });

  it('has words for every pattern that a request is held against, and none for others', () => {
    const requests = ['VerifyRequest', 'Evidence', 'ChallengeRequest'];
    expect(patternsReachedFrom(requests)).toEqual(new Set(PATTERNS.keys()));
  });

  it('escapes names in the pointer', () => {
    const error = formatErrorOf(() => checkSchema('ChallengeRequest', json({ 'a/b~': 1 })));
    expect(error).toEqual({ code: 'unknown_property', pointer: '/a~1b~0' });
  });
});

describe('checkBodyWithEvidence', () => {
  it('compares the evidence with the form that it is given, and no other', () => {
    const body = json({ evidence: snpEvidence() });
    expect(checkBodyWithEvidence('VerifyRequest', 'SnpEvidence', body)).toBe(body);
    expect(formatErrorOf(() => checkBodyWithEvidence('VerifyRequest', 'AzSnpVtpmEvidence', body)).code).toBe('schema');
    expect(checkBodyWithEvidence('VerifyRequest', 'TrusteeEvidenceV1', json({ evidence: trusteeV1(1) }))).toBeDefined();
  });
});
