import { describe, expect, it } from 'vitest';
import { UnfitError } from '../../../../../src/core/errors.js';
import { CollateralReader } from '../../../../../src/tee/tdx/intel/collateral.js';
import { readRecoveryEvents } from '../../../../../src/tee/tdx/intel/recovery-events.js';
import type { CollateralOptions } from '../../../../lab/collateral-builder.js';
import { buildEvaluationNumbers, type EvaluationNumbersMaking } from '../../../../lab/evaluation-numbers-builder.js';
import { createIntelPki } from '../../../../lab/intel-pki.js';
import { TdxPlatform } from '../../../../lab/tdx-platform.js';

const NOW = new Date('2026-03-01T12:00:00Z');
const day = (days: number) => new Date(NOW.getTime() + days * 24 * 60 * 60_000);
const pki = createIntelPki({ at: NOW });
const platform = new TdxPlatform({ pki });

function read(making: EvaluationNumbersMaking = {}, collateral: CollateralOptions = {}) {
  const list = buildEvaluationNumbers(pki, NOW, making);
  return readRecoveryEvents(new CollateralReader(pki.pins), list, platform.collateral(collateral));
}

describe('readRecoveryEvents', () => {
  it('gives the recoveries of a list that Intel signed, and when it is current', () => {
    const { recoveries, from, until } = read();
    expect(recoveries.map(({ evaluationDataNumber, date }) => [evaluationDataNumber, date])).toEqual([
      [19, new Date('2025-05-13')],
      [18, new Date('2024-11-12')],
      [17, new Date('2024-03-12')],
    ]);
    expect([from, until]).toEqual([day(-1), day(29)]);
  });

  it('is current no longer than the certificate of its signer', () => {
    const { from, until } = read({ tcbSigning: pki.issueTcbSigning({ notBefore: day(0), notAfter: day(1) }) });
    expect([from, until]).toEqual([day(0), day(1)]);
  });

  it.each<readonly [string, EvaluationNumbersMaking, CollateralOptions, RegExp]>([
    ['that was changed', { afterSigning: (text) => `${text} ` }, {}, /signature does not verify/],
    ['that others signed', { signer: pki.root.key }, {}, /signature does not verify/],
    [
      'of a signer with another role',
      { tcbSigning: pki.issueTcbSigning({ subject: pki.pckCa('platform').name }) },
      {},
      /signer is not certified for collateral/,
    ],
    [
      'of a signer that the root has revoked',
      {},
      { rootCrl: { revoked: [{ serial: pki.tcbSigning.serial }] } },
      /revoked/,
    ],
    ['that is none', { members: { tcbEvalNumbers: [] } }, {}, /tcbEvalNumbers is empty/],
  ])('refuses a list %s', (_what, making, collateral, why) => {
    expect(() => read(making, collateral)).toThrow(UnfitError);
    expect(() => read(making, collateral)).toThrow(why);
  });

  it('refuses a list of a signer whom only this list has, and the root has revoked', () => {
    const other = pki.issueTcbSigning({ serial: 77 });
    const revoked = { rootCrl: { revoked: [{ serial: 77 }] } };
    expect(read({ tcbSigning: other }).recoveries).toHaveLength(3);
    expect(() => read({ tcbSigning: other }, revoked)).toThrow('a signer is revoked');
  });

  it('refuses a list below another root', () => {
    const foreign = buildEvaluationNumbers(createIntelPki({ at: NOW }), NOW);
    const reader = new CollateralReader(pki.pins);
    expect(() => readRecoveryEvents(reader, foreign, platform.collateral())).toThrow(/does not end at a pinned key/);
  });

  it('refuses a list whose chain is no chain', () => {
    const list = { ...buildEvaluationNumbers(pki, NOW), issuerChain: '' };
    expect(() => readRecoveryEvents(new CollateralReader(pki.pins), list, platform.collateral())).toThrow(UnfitError);
  });
});
