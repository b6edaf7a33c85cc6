// @peculiar/x509 needs it.
import 'reflect-metadata';
import { verify, X509Certificate } from 'node:crypto';
import { X509Crl } from '@peculiar/x509';
import { describe, expect, it } from 'vitest';
import type { TdxCollateral } from '../../../src/core/evidence.js';
import type { JsonObject } from '../../../src/core/json.js';
import {
  createIntelPki,
  type IsvLevelFields,
  isvLevel,
  moduleIdOf,
  qeIdentityMembers,
  TdxPlatform,
  tcbInfoMembers,
  wireCollateral,
} from '../../lab/index.js';
import { haveVectors, readVector } from '../../vectors.js';

const AT = new Date('2026-06-01T12:00:00Z');
const pki = createIntelPki({ at: AT });
const platform = new TdxPlatform({ pki });

function isSigned(text: string, signature: Uint8Array, chain: string): boolean {
  const key = new X509Certificate(chain).publicKey;
  return verify('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }, signature);
}

const signaturesOf = (made: TdxCollateral) => [
  isSigned(made.tcbInfo, made.tcbInfoSignature, made.tcbInfoIssuerChain),
  isSigned(made.qeIdentity, made.qeIdentitySignature, made.qeIdentityIssuerChain),
];

describe('collateral of the lab', () => {
  it('is signed over its text by the first certificate of its chain', () => {
    expect(signaturesOf(platform.collateral())).toEqual([true, true]);
  });

  it('speaks of the platform, and is current for 30 days', () => {
    const { tcbInfo, qeIdentity } = platform.collateral();
    const window = { issueDate: '2026-05-31T12:00:00Z', nextUpdate: '2026-06-30T12:00:00Z' };
    expect(JSON.parse(tcbInfo)).toMatchObject({
      ...window,
      id: 'TDX',
      version: 3,
      fmspc: '00806F050000',
      pceId: '0000',
      tcbEvaluationDataNumber: 19,
      tdxModuleIdentities: [{ id: 'TDX_03' }, { id: 'TDX_01', tcbLevels: [{ tcb: { isvsvn: 6 } }, {}] }],
      tcbLevels: [{ tcbStatus: 'UpToDate' }, { tcbStatus: 'OutOfDate' }],
    });
    expect(JSON.parse(qeIdentity)).toMatchObject({ ...window, id: 'TD_QE', version: 2, tcbEvaluationDataNumber: 19 });
  });

  it('follows the instant, the number and the statuses asked for', () => {
    const made = platform.collateral({
      at: new Date('2026-09-01T00:00:00Z'),
      evaluationNumber: 21,
      tcbInfo: { status: 'ConfigurationNeeded', advisories: ['INTEL-SA-1'], moduleStatus: 'OutOfDate' },
      qeIdentity: { status: 'Revoked', evaluationNumber: 22 },
    });
    const [tcb, qe] = [JSON.parse(made.tcbInfo), JSON.parse(made.qeIdentity)];
    expect([tcb.issueDate, tcb.tcbEvaluationDataNumber, qe.tcbEvaluationDataNumber]).toEqual([
      '2026-08-31T00:00:00Z',
      21,
      22,
    ]);
    expect(tcb.tcbLevels[0]).toMatchObject({ tcbStatus: 'ConfigurationNeeded', advisoryIDs: ['INTEL-SA-1'] });
    expect(tcb.tdxModuleIdentities[1].tcbLevels[0].tcbStatus).toBe('OutOfDate');
    expect(qe.tcbLevels[0].tcbStatus).toBe('Revoked');
    expect(new X509Crl(Uint8Array.from(made.pckCrl)).thisUpdate).toEqual(new Date('2026-08-31T00:00:00Z'));
    expect(signaturesOf(made)).toEqual([true, true]);
  });

  it('is still signed after a change before the signature, and no more after one behind it', () => {
    const spaced = (text: string) => text.replace('{', '{ ');
    expect(signaturesOf(platform.collateral({ tcbInfo: { beforeSigning: spaced, members: { id: 'SGX' } } }))).toEqual([
      true,
      true,
    ]);
    expect(signaturesOf(platform.collateral({ tcbInfo: { afterSigning: spaced } }))).toEqual([false, true]);
    expect(signaturesOf(platform.collateral({ qeIdentity: { signer: platform.pck.key } }))).toEqual([true, false]);
    expect(signaturesOf(platform.collateral({ qeIdentity: { signature: (s) => s.map((b) => b ^ 1) } }))).toEqual([
      true,
      false,
    ]);
  });

  it('takes levels, modules, lists and members as they are given', () => {
    const level = { sgxSvns: Array(16).fill(9), pceSvn: 3, tdxSvns: Array(16).fill(0), status: 'Revoked' };
    const made = platform.collateral({
      tcbInfo: { levels: [level], modules: [] },
      pckCrl: { ca: 'processor', number: 4 },
      overrides: { tcbInfoIssuerChain: 'none' },
    });
    const tcb = JSON.parse(made.tcbInfo);
    expect([tcb.tcbLevels.length, tcb.tcbLevels[0].tcb.pcesvn, tcb.tdxModuleIdentities]).toEqual([1, 3, []]);
    expect(new X509Crl(Uint8Array.from(made.pckCrl)).issuer).toContain('Processor CA');
    expect(made.tcbInfoIssuerChain).toBe('none');
  });

  it('has no identity for a module of major version 0, and one of two digits for others', () => {
    expect(moduleIdOf(Uint8Array.of(3, 0))).toBeNull();
    expect(moduleIdOf(Uint8Array.of(3, 0x1a))).toBe('TDX_1A');
    const old = new TdxPlatform({ pki, teeTcbSvn: Uint8Array.of(3, 0, 6, ...new Uint8Array(13)) });
    const { tcbLevels } = JSON.parse(old.collateral().tcbInfo);
    const svns = tcbLevels[0].tcb.tdxtcbcomponents.map(({ svn }: { svn: number }) => svn);
    expect(svns.slice(0, 3)).toEqual([3, 0, 6]);
  });

  it('is what a source holds', () => {
    expect(platform.endorsementSet()).toMatchObject({ snp: null, tdx: { origin: 'store' } });
  });
});

describe.skipIf(!haveVectors)('builders against real collateral', () => {
  const real: JsonObject = haveVectors
    ? JSON.parse(Buffer.from(readVector('collateral/collateral-00806f-2026-06.json')).toString())
    : {};

  it('write the text of a real TCB info again', () => {
    const text = String(real['tcb_info']);
    const { fmspc, pceId, issueDate, nextUpdate, tcbEvaluationDataNumber, tdxModuleIdentities, tcbLevels } =
      JSON.parse(text);
    const written = tcbInfoMembers({ fmspc, pceId, sgxSvns: [], pceSvn: 0, teeTcbSvn: new Uint8Array(16) }, AT, {
      issueDate: new Date(issueDate),
      nextUpdate: new Date(nextUpdate),
      evaluationNumber: tcbEvaluationDataNumber,
      modules: tdxModuleIdentities.map(({ id, tcbLevels: levels }: RealModule) => ({
        id,
        levels: levels.map(isvFieldsOf),
      })),
      levels: tcbLevels.map(({ tcb, ...verdict }: RealLevel) => ({
        sgxSvns: tcb.sgxtcbcomponents.map(({ svn }) => svn),
        pceSvn: tcb.pcesvn,
        tdxSvns: tcb.tdxtcbcomponents.map(({ svn }) => svn),
        ...verdictOf(verdict),
      })),
    });
    expect(JSON.stringify(written)).toBe(text);
  });

  it('write the text of a real QE identity again', () => {
    const text = String(real['qe_identity']);
    const { issueDate, nextUpdate, tcbEvaluationDataNumber, tcbLevels } = JSON.parse(text);
    const written = qeIdentityMembers(AT, {
      issueDate: new Date(issueDate),
      nextUpdate: new Date(nextUpdate),
      evaluationNumber: tcbEvaluationDataNumber,
      levels: tcbLevels.map(isvFieldsOf),
    });
    expect(JSON.stringify(written)).toBe(text);
    expect(JSON.stringify(isvLevel({ isvSvn: 4 }))).toContain('"tcbStatus":"UpToDate"');
  });

  it('have the members that files of collateral have', () => {
    const made = wireCollateral(platform.collateral());
    expect(Object.keys(made).sort()).toEqual(Object.keys(real).sort());
    expect(Object.values(made).every((value) => typeof value === 'string')).toBe(true);
  });
});

interface RealVerdict {
  readonly tcbDate: string;
  readonly tcbStatus: string;
  readonly advisoryIDs?: readonly string[];
}
interface RealModule {
  readonly id: string;
  readonly tcbLevels: readonly (RealVerdict & { readonly tcb: { readonly isvsvn: number } })[];
}
interface RealLevel extends RealVerdict {
  readonly tcb: {
    readonly sgxtcbcomponents: readonly { readonly svn: number }[];
    readonly pcesvn: number;
    readonly tdxtcbcomponents: readonly { readonly svn: number }[];
  };
}

function isvFieldsOf({ tcb, ...verdict }: RealModule['tcbLevels'][number]): IsvLevelFields {
  return { isvSvn: tcb.isvsvn, ...verdictOf(verdict) };
}

function verdictOf({ tcbDate: date, tcbStatus: status, advisoryIDs: advisories = [] }: RealVerdict) {
  return { date, status, advisories };
}
