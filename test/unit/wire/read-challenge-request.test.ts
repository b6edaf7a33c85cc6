import { describe, expect, it } from 'vitest';
import { readChallengeRequest } from '../../../src/wire/read-requests.js';
import { formatErrorOf } from '../../format-error-of.js';
import { bodyOf } from './sample-bodies.js';

describe('readChallengeRequest', () => {
  it('reads what limits the challenge', () => {
    const body = { audience: 'https://gate.example', policy: 'payments', evidenceType: 'az-snp-vtpm' };
    expect(readChallengeRequest(bodyOf(body))).toEqual(body);
  });

  it('reads a body that limits nothing', () => {
    expect(readChallengeRequest(bodyOf({}))).toEqual({ audience: null, policy: null, evidenceType: null });
  });

  it.each<[string, unknown, string, string]>([
    ['REQ-04 an unknown member', { nonce: 'AAAA' }, 'unknown_property', '/nonce'],
    ['REQ-05 null', { policy: null }, 'schema', '/policy'],
    ['REQ-05 a number', { evidenceType: 1 }, 'schema', '/evidenceType'],
    ['REQ-05 a list of policies', { policy: ['a'] }, 'schema', '/policy'],
    ['REQ-05 a body that is not an object', [], 'schema', ''],
    ['REQ-13 a type of a test', { evidenceType: 'simulated' }, 'type_unsupported', '/evidenceType'],
    ['REQ-13 a type that is not known', { evidenceType: 'sample', other: 1 }, 'type_unsupported', '/evidenceType'],
  ])('refuses: %s', (_, body, code, pointer) => {
    expect(formatErrorOf(() => readChallengeRequest(bodyOf(body)))).toEqual({ code, pointer });
  });

  it('REQ-06 refuses a duplicate', () => {
    const body = Buffer.from('{"policy":"a","policy":"a"}');
    expect(formatErrorOf(() => readChallengeRequest(body))).toEqual({ code: 'duplicate_key', pointer: '/policy' });
  });
});
