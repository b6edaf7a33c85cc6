import { describe, expect, it } from 'vitest';
import type { Check } from '../../../../src/core/check.js';
import type { CheckId } from '../../../../src/core/codes.js';
import { learnabilityOf } from '../../../../src/policy/learn/refusals.js';
import { azClaims, check } from '../fixture.js';

const SEEN = { type: 'az-snp-vtpm', claims: azClaims() } as const;
const DEBUG = check('snp_debug', 'warn', { detail: 'debug is on' });
const NONCE = check('nonce_missing', 'warn');

function codesOf(checks: readonly Check[], ...accepted: readonly CheckId[]) {
  const found = learnabilityOf(SEEN, checks, new Set(accepted));
  return { ...found, refused: found.refused.map(({ code }) => code) };
}

describe('what stands against learning', () => {
  it('is each finding that is not accepted, and what was accepted is named apart', () => {
    expect(codesOf([DEBUG, NONCE], 'snp_debug')).toEqual({
      refused: ['nonce_missing'],
      accepted: ['snp_debug'],
      warnings: [],
    });
    expect(codesOf([DEBUG, NONCE], 'snp_debug', 'nonce_missing')).toEqual({
      refused: [],
      accepted: ['snp_debug', 'nonce_missing'],
      warnings: [],
    });
  });

  it('is no check that passes, and no code that was accepted and not found', () => {
    expect(codesOf([check('snp_debug')], 'snp_debug')).toEqual({ refused: [], accepted: [], warnings: [] });
  });

  it('is no other warning, which is told of with its first detail', () => {
    const stale = [check('crl_unconfirmed', 'warn', { detail: 'first' }), check('crl_unconfirmed', 'warn')];
    expect(codesOf([check('crl_unconfirmed'), ...stale])).toEqual({
      refused: [],
      accepted: [],
      warnings: [{ code: 'crl_unconfirmed', detail: 'first' }],
    });
  });

  it('is any warning that a waiver made', () => {
    expect(codesOf([check('crl_unconfirmed', 'warn', { waived: true })]).refused).toEqual(['crl_unconfirmed']);
  });
});
