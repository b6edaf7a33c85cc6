import { describe, expect, it } from 'vitest';
import { UnfitError } from '../../../../../src/core/errors.js';
import { CollateralReader } from '../../../../../src/tee/tdx/intel/collateral.js';
import { parseCollateralFile } from '../../../../../src/tee/tdx/intel/collateral-file.js';
import {
  collateralOf,
  isCurrent,
  newestParts,
  readIntelCollateral,
  windowOfAll,
} from '../../../../../src/tee/tdx/intel/collateral-parts.js';
import { INTEL_SGX_ROOT_PINS } from '../../../../../src/tee/tdx/intel/roots.js';
import type { CollateralOptions } from '../../../../lab/collateral-builder.js';
import { utcTime } from '../../../../lab/der-writer.js';
import { createIntelPki } from '../../../../lab/intel-pki.js';
import { TdxPlatform } from '../../../../lab/tdx-platform.js';
import { haveVectors, readVector, vectors } from '../../../../vectors.js';

const NOW = new Date('2026-03-01T12:00:00Z');
const day = (days: number) => new Date(NOW.getTime() + days * 24 * 60 * 60_000);
const pki = createIntelPki({ at: NOW });
const platform = new TdxPlatform({ pki });
const reader = new CollateralReader(pki.pins);
const read = (options: CollateralOptions = {}) => readIntelCollateral(reader, platform.collateral(options));

describe('readIntelCollateral', () => {
  it('says what collateral is for, how new it is, and when it is current', () => {
    const collateral = platform.collateral();
    const found = readIntelCollateral(reader, collateral);
    expect(found).toMatchObject({ fmspc: platform.fmspc, ca: 'platform' });
    expect([found.tcbInfo.number, found.qeIdentity.number]).toEqual([19n, 19n]);
    expect(windowOfAll(found)).toEqual({ from: day(-1), until: day(29) });
    expect(collateralOf(found)).toEqual(collateral);
  });

  it('TDX-29 takes two documents whose evaluation numbers differ, and keeps both numbers', () => {
    const { tcbInfo, qeIdentity } = read({ tcbInfo: { evaluationNumber: 20 } });
    expect([tcbInfo.number, qeIdentity.number]).toEqual([20n, 19n]);
  });

  it.each<readonly [string, CollateralOptions, Date, Date]>([
    ['the TCB info', { tcbInfo: { issueDate: day(0), nextUpdate: day(1) } }, day(0), day(1)],
    ['the QE identity', { qeIdentity: { issueDate: day(0), nextUpdate: day(1) } }, day(0), day(1)],
    ['the PCK list', { pckCrl: { overrides: { thisUpdate: day(0), nextUpdate: day(1) } } }, day(0), day(1)],
    ['the root list', { rootCrl: { overrides: { thisUpdate: day(0), nextUpdate: day(1) } } }, day(0), day(1)],
    ['the signer', { tcbSigning: pki.issueTcbSigning({ notBefore: day(0), notAfter: day(1) }) }, day(0), day(1)],
  ])('TDX-10 is current as long as %s is, both ends included', (_what, options, from, until) => {
    const found = read(options);
    expect(windowOfAll(found)).toEqual({ from, until });
    const second = 1_000;
    const instants = [from.getTime() - second, from.getTime(), until.getTime(), until.getTime() + second];
    expect(instants.map((at) => isCurrent(found, new Date(at)))).toEqual([false, true, true, false]);
  });

  it('is never current with a list that does not say when the next one is due', () => {
    expect(isCurrent(read({ pckCrl: { overrides: { nextUpdate: null } } }), NOW)).toBe(false);
  });

  it.each<readonly [string, CollateralOptions, string]>([
    ['a TCB info that was changed', { tcbInfo: { afterSigning: (text) => `${text} ` } }, 'tcb_info'],
    ['a QE identity that was changed', { qeIdentity: { afterSigning: (text) => `${text} ` } }, 'qe_identity'],
    ['a TCB info that others signed', { tcbInfo: { signer: pki.root.key } }, 'tcb_info'],
    [
      'a signer with another role',
      { tcbSigning: pki.issueTcbSigning({ subject: pki.pckCa('platform').name }) },
      'issuer_chain',
    ],
    ['a chain with its root first', { overrides: { tcbInfoIssuerChain: pki.root.pem + pki.tcbSigning.pem } }, 'chain'],
    ['a chain with its root twice', { overrides: { pckCrlIssuerChain: pki.root.pem + pki.root.pem } }, 'chain'],
    ['a list whose entries are malformed', { pckCrl: { revoked: [{ serial: 5, at: utcTime('') }] } }, 'is not a time'],
    ['a PCK list that others signed', { pckCrl: { overrides: { signer: pki.root.key } } }, 'pck_crl'],
    ['a root list that others signed', { rootCrl: { overrides: { signer: pki.tcbSigning.key } } }, 'root_ca_crl'],
    ['a PCK list of the root', { overrides: { pckCrl: pki.rootCrl() } }, 'pck_crl'],
    ['a chain of the list that is cut short', { overrides: { pckCrlIssuerChain: pki.root.pem } }, 'chain'],
    ['a chain of the list without CA', { overrides: { pckCrlIssuerChain: pki.tcbIssuerChain() } }, 'issuer_chain'],
    ['a revoked signer', { rootCrl: { revoked: [{ serial: pki.tcbSigning.serial }] } }, 'revoked'],
    ['a revoked PCK CA', { rootCrl: { revoked: [{ serial: pki.pckCa('platform').serial }] } }, 'revoked'],
    ['what is not a list', { overrides: { pckCrl: Uint8Array.of(0x30, 0) } }, ''],
    ['what is no chain', { overrides: { tcbInfoIssuerChain: '' } }, ''],
  ])('refuses %s', (_what, options, why) => {
    const refusal = expect.objectContaining({ name: UnfitError.name, message: expect.stringContaining(why) });
    expect(() => read(options)).toThrow(refusal);
  });

  it('refuses collateral of a root that is not pinned', () => {
    const stranger = new TdxPlatform({ pki: createIntelPki({ at: NOW }) }).collateral();
    expect(() => readIntelCollateral(reader, stranger)).toThrow(UnfitError);
  });
});

describe('a signer of one part alone', () => {
  const other = pki.issueTcbSigning({ serial: 77 });
  const chain = other.pem + pki.root.pem;
  /** The QE identity is of another signer than the TCB info. */
  const apart: CollateralOptions = { overrides: { qeIdentityIssuerChain: chain } };

  it('is refused where the root revokes it: that of the QE identity too', () => {
    const revoked = { rootCrl: { revoked: [{ serial: other.serial }] } };
    expect(() => read({ ...apart, ...revoked })).toThrow(
      expect.objectContaining({ name: UnfitError.name, message: 'a signer is revoked' }),
    );
  });

  it('twin: counts where the root does not', () => {
    expect(collateralOf(read(apart)).qeIdentityIssuerChain).toBe(chain);
  });
});

describe('newestParts', () => {
  const listed = (from: number) => ({ overrides: { thisUpdate: day(from), nextUpdate: day(30) } });

  const PARTS = ['tcbInfo', 'qeIdentity'] as const;

  it.each(PARTS)('takes the %s with the higher evaluation number, whatever its date', (part) => {
    const [older, newer] = [read({ evaluationNumber: 18, at: day(2) }), read({ evaluationNumber: 19, at: NOW })];
    expect(newestParts(older, newer)[part]).toBe(newer[part]);
    expect(newestParts(newer, older)[part]).toBe(newer[part]);
  });

  it.each(PARTS)('takes the later %s of equal evaluation numbers, and its own where both are the same', (part) => {
    const [first, second, same] = [read(), read({ at: day(1) }), read()];
    expect(newestParts(first, second)[part]).toBe(second[part]);
    expect(newestParts(second, first)[part]).toBe(second[part]);
    expect(newestParts(first, same)[part]).toBe(first[part]);
  });

  it('TDX-29 takes each part by itself: who has an old TCB info may have a new QE identity', () => {
    const a = read({ tcbInfo: { evaluationNumber: 20 }, pckCrl: listed(-3), rootCrl: listed(-1) });
    const b = read({ qeIdentity: { evaluationNumber: 20 }, pckCrl: listed(-2), rootCrl: listed(-2) });
    for (const newest of [newestParts(a, b), newestParts(b, a)]) {
      const { tcbInfo, qeIdentity, pckList, rootList } = newest;
      expect(tcbInfo).toBe(a.tcbInfo);
      expect(qeIdentity).toBe(b.qeIdentity);
      expect([pckList, rootList]).toEqual([b.pckList, a.rootList]);
    }
  });

  it('gives the one itself that has all newest parts, so that what is read of it once is known', () => {
    const [a, b] = [read(), read({ evaluationNumber: 20, pckCrl: listed(0), rootCrl: listed(0) })];
    expect(newestParts(a, read())).toBe(a);
    expect(newestParts(a, b)).toBe(b);
    expect(collateralOf(newestParts(a, b))).toBe(collateralOf(b));
    expect(collateralOf(b)).not.toBe(collateralOf(a));
  });
});

describe.skipIf(!haveVectors)('collateral of Intel', () => {
  const genuine = new CollateralReader(INTEL_SGX_ROOT_PINS);

  it.each(haveVectors ? vectors('collateral').flatMap(({ files }) => files) : [])('%s verifies', (file) => {
    const found = readIntelCollateral(genuine, parseCollateralFile(readVector(file)));
    expect(found.fmspc).toMatch(/^[0-9a-f]{12}$/);
    expect(found.tcbInfo.number > 0n && found.qeIdentity.number > 0n).toBe(true);
    const { from, until } = windowOfAll(found);
    expect(from < until).toBe(true);
  });
});
