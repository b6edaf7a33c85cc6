import { describe, expect, it } from 'vitest';
import type { TdxTcbClaim } from '../../../src/core/claims.js';
import type { ShadowResult } from '../../../src/core/decision.js';
import type { EarlyCollateral, EarlyCollateralKey, EarlyCollateralSource } from '../../../src/core/early-collateral.js';
import type { EndorsementSet, EndorsementSource, SourcedCollateral } from '../../../src/core/endorsement.js';
import type { TdxCollateral } from '../../../src/core/evidence.js';
import type { OpenedEvidence } from '../../../src/core/verification.js';
import { jwkThumbprint } from '../../../src/crypto/jwk-thumbprint.js';
import { EarlyCollateralShadow, expectedFrom } from '../../../src/judge/early-collateral.js';
import { LiveInquiry } from '../../../src/judge/inquiry.js';
import type { JoinedVerification } from '../../../src/judge/join.js';
import type { RouteToken } from '../../../src/judge/route-tokens.js';
import { appraise } from '../../../src/policy/appraise/appraise.js';
import { decide } from '../../../src/policy/appraise/decide.js';
import { parsePolicy } from '../../../src/policy/document/policy-document.js';
import { situation, tdxClaims, tdxTcb } from '../policy/fixture.js';
import { verified } from './cross-check/fixture.js';
import { FakeLog } from './fakes.js';
import { itaToken } from './route-fixture.js';

const recovery = (evaluationDataNumber: number, date: string, tcbDate: string) => ({
  evaluationDataNumber,
  date: new Date(date),
  tcbDate: new Date(tcbDate),
});
const RECOVERIES = [
  recovery(20, '2026-02-10', '2026-02-11'),
  recovery(19, '2025-05-13', '2025-05-14'),
  recovery(18, '2024-11-12', '2024-11-13'),
  recovery(17, '2024-03-12', '2024-03-13'),
];
const numbered = (number: number, members: Partial<TdxTcbClaim> = {}) =>
  tdxTcb({ evaluationDataNumber: number, qeEvaluationDataNumber: number, ...members });

describe('expectedFrom', () => {
  const level = (date: string) => numbered(20, { status: 'OutOfDate', date });

  it.each<readonly [string, TdxTcbClaim, TdxTcbClaim | null, string]>([
    ['the one recovery that is early', numbered(19), level('2025-05-14T00:00:00Z'), '2027-02-10'],
    ['the first that the platform is behind', numbered(18), level('2024-11-13T00:00:00Z'), '2026-05-13'],
    ['the last, where it is behind no other', numbered(18), level('2025-05-14T00:00:00Z'), '2027-02-10'],
    ['none that is standard, however far behind', numbered(19), level('2018-01-04T00:00:00Z'), '2027-02-10'],
    [
      'the first that is early, where the level does not say',
      numbered(18),
      level('2026-02-11T00:00:00Z'),
      '2026-05-13',
    ],
    [
      'the same, where the platform reaches no level',
      numbered(18),
      numbered(20, { status: null, date: null }),
      '2026-05-13',
    ],
    ['the same, where it is not described', numbered(18), null, '2026-05-13'],
    ['none above the early number', numbered(18), numbered(19, { date: '2018-01-04T00:00:00Z' }), '2026-05-13'],
    ['its own, where standard has the same number', numbered(19), numbered(19), '2026-05-13'],
    [
      'the lower number of standard, where Intel raises one document first',
      numbered(19, { evaluationDataNumber: 20 }),
      level('2025-05-14T00:00:00Z'),
      '2027-02-10',
    ],
    [
      'the first above the number of the QE identity, where that is the lower one of standard',
      numbered(18, { evaluationDataNumber: 20 }),
      level('2024-11-13T00:00:00Z'),
      '2026-05-13',
    ],
    [
      'the first above the number of the TCB info, where that is the lower one of standard',
      numbered(18, { qeEvaluationDataNumber: 20 }),
      level('2024-11-13T00:00:00Z'),
      '2026-05-13',
    ],
    [
      'the last up to the number of the TCB info, where that is the higher one of early',
      numbered(18),
      numbered(19, { evaluationDataNumber: 20, date: '2025-05-14T00:00:00Z' }),
      '2027-02-10',
    ],
    [
      'the last up to the number of the QE identity, where that is the higher one of early',
      numbered(18),
      numbered(19, { qeEvaluationDataNumber: 20, date: '2025-05-14T00:00:00Z' }),
      '2027-02-10',
    ],
  ])('is a year after %s', (_what, standard, early, date) => {
    expect(expectedFrom(RECOVERIES, standard, early)).toEqual({ date, estimated: true });
  });

  it('is not known without a list, and where the list has no such number', () => {
    expect(expectedFrom([], numbered(19), level('2025-05-14T00:00:00Z'))).toBeNull();
    expect(expectedFrom(RECOVERIES, numbered(20), numbered(21))).toBeNull();
    expect(expectedFrom(RECOVERIES, numbered(20), null)).toBeNull();
  });
});

const AT = new Date('2026-06-01T12:00:00Z');
const POLICY = parsePolicy(
  JSON.stringify({
    apiVersion: 'veritee/v1',
    id: 'current',
    version: 1,
    accepts: ['tdx'],
    freshness: 'none',
    minimums: { tdx: { acceptedStatuses: ['UpToDate'] } },
  }),
);
const DOCUMENTS = { tcbInfo: 'early' } as TdxCollateral;
const NEED = { kind: 'intel-tdx', fmspc: '00806f050000', ca: 'platform', supplied: null } as const;

/** A TD that was verified, with a TCB of this status. */
function joinedAs(status: 'UpToDate' | 'OutOfDate'): JoinedVerification {
  const { verification } = situation({ type: 'tdx', claims: { tdx: tdxClaims({ tcb: tdxTcb({ status }) }) } });
  return {
    verification: { ...verification, claims: verified(verification.claims) },
    boundByEvidence: verification.bound,
    results: new Map(),
    ofSameTee: new Set(),
    crossCheck: null,
    obtainedTokens: [],
    clockSkewSeconds: null,
    retryAfterSeconds: null,
  };
}

interface World {
  readonly held?: EarlyCollateral | null;
  readonly verify?: OpenedEvidence['verify'];
  readonly needs?: OpenedEvidence['needs'];
  readonly joined?: JoinedVerification;
  readonly historical?: boolean;
  readonly token?: RouteToken;
}

async function shadowOf(given: World = {}) {
  const { held = { documents: DOCUMENTS, recoveries: [] }, joined = joinedAs('UpToDate'), historical = false } = given;
  const asked: EarlyCollateralKey[] = [];
  const sets: EndorsementSet[] = [];
  const log = new FakeLog();
  const source: EarlyCollateralSource = { held: () => held, ask: (key) => void asked.push(key) };
  const verify: OpenedEvidence['verify'] =
    given.verify ??
    (async ({ endorsements }) => {
      sets.push(endorsements);
      return joinedAs('OutOfDate').verification;
    });
  const input = { ...situation({ type: 'tdx' }), verification: joined.verification };
  const tokens = given.token === undefined ? [] : [given.token];
  const shadow = await new EarlyCollateralShadow(source, jwkThumbprint, { monotonicMs: () => 0 }, log).judge(
    {
      request: { evidence: { type: 'tdx' } } as never,
      caller: { tenant: 'default' } as never,
      verifier: {} as never,
      decisionId: '',
      now: AT,
      at: AT,
      historical,
      policies: [POLICY],
      shadow: [],
      trial: false,
      nonce: { origin: 'none' },
      binding: null,
      resets: { remembered: async () => ({ state: 'none' }), advance: async () => null },
    },
    {
      joined,
      opened: { evidence: { needs: given.needs ?? [NEED], verify }, tokens: [], needs: [] },
      sets: [{ snp: null, akIssuers: [] }],
      own: { verification: joined.verification, tokens },
      results: { tokens, faults: new Map() },
      appraisals: [appraise(POLICY, input)],
      resets: { state: 'none' },
    },
    new LiveInquiry(),
  );
  return { shadow, asked, sets, log };
}

describe('EarlyCollateralShadow', () => {
  it('judges by what is held, in the place of the collateral alone, and asks for what is due', async () => {
    const { shadow, asked, sets } = await shadowOf();
    expect(shadow).toMatchObject([{ id: 'current', outcome: 'deny', collateral: 'early', expectedFrom: null }]);
    expect(sets).toEqual([{ snp: null, akIssuers: [], tdx: { value: DOCUMENTS, origin: 'network' } }]);
    expect(asked).toEqual([NEED]);
  });

  it('compares tokens with the evidence as its own collateral showed it', async () => {
    const joined = joinedAs('UpToDate');
    const token = itaToken();
    const { shadow } = await shadowOf({ joined, token });
    expect(shadow[0]?.reasons).not.toContain('disagreement');
  });

  it('judges nothing where nothing is held, and asks', async () => {
    const { shadow, asked, sets } = await shadowOf({ held: null });
    expect([shadow, sets, asked]).toEqual([[], [], [NEED]]);
  });

  it.each<readonly [string, World]>([
    ['a past verification time', { historical: true }],
    ['evidence that is of no TD', { needs: [] }],
    [
      'a TD that its own collateral does not vouch for',
      {
        joined: { ...joinedAs('UpToDate'), verification: situation({ type: 'tdx', claims: {} }).verification },
      },
    ],
  ])('neither judges nor asks for %s', async (_what, given) => {
    const { shadow, asked, sets } = await shadowOf(given);
    expect([shadow, sets, asked]).toEqual([[], [], []]);
  });

  it('says from when a policy will deny, and tells the log, only where it allows by standard collateral', async () => {
    const held = { documents: DOCUMENTS, recoveries: RECOVERIES };
    const allowing = await shadowOf({ held });
    const from = { date: '2025-03-12', estimated: true };
    expect(allowing.shadow).toMatchObject([{ outcome: 'deny', expectedFrom: from }]);
    expect(allowing.log.lines).toMatchObject([
      { level: 'info', message: 'allowed now, and denied by early TDX collateral' },
    ]);
    const denying = await shadowOf({ held, joined: joinedAs('OutOfDate') });
    expect(denying.shadow).toMatchObject([{ outcome: 'deny', expectedFrom: null }]);
    expect(denying.log.lines).toEqual([]);
  });

  it('is empty where judging fails, and the log says so', async () => {
    const fault = new Error('a fault of the verifier');
    const { shadow, log } = await shadowOf({ verify: () => Promise.reject(fault) });
    expect(shadow).toEqual([]);
    expect(log.lines).toEqual([
      { level: 'error', fields: { err: fault }, message: 'not judged by early TDX collateral' },
    ]);
  });
});

describe('early collateral, by its types', () => {
  it('is no collateral, no set and no source of a decision, and its results decide nothing', () => {
    const early: EarlyCollateral = { documents: DOCUMENTS, recoveries: [] };
    const source: EarlyCollateralSource = { held: () => early, ask: () => {} };
    const result = { outcome: 'allow', collateral: 'early' } as ShadowResult;
    // @ts-expect-error: no collateral that a source gives
    const sourced: SourcedCollateral = early;
    // @ts-expect-error: not in a set of endorsements
    const set: EndorsementSet = { snp: null, tdx: early };
    // @ts-expect-error: no source of endorsements
    const endorsements: EndorsementSource = source;
    // @ts-expect-error: no finding that a decision is derived from
    const decided = () => decide([result]);
    expect([sourced, set, endorsements, decided].length).toBe(4);
  });
});
