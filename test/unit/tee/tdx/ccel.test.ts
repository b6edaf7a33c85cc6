import { describe, expect, it } from 'vitest';
import { parseTcgEventLog } from '../../../../src/boot/format/tcg-event-log.js';
import { hex } from '../../../../src/core/bytes.js';
import type { Check } from '../../../../src/core/check.js';
import type { CheckId } from '../../../../src/core/codes.js';
import type { EndorsementSet } from '../../../../src/core/endorsement.js';
import type { Verification } from '../../../../src/core/verification.js';
import { checksAt } from '../../../../src/tee/catalogue.js';
import { markVerified } from '../../../../src/tee/shared/evidence/mark-verified.js';
import { verifyCcel } from '../../../../src/tee/tdx/ccel.js';
import { DcapTdQuoteVerifier } from '../../../../src/tee/tdx/td-quote-verifier.js';
import { TdxVerifier } from '../../../../src/tee/tdx/tdx-verifier.js';
import { flipBit, joinBytes, littleEndian } from '../../../lab/byte-patch.js';
import { buildCcel, CCEL_EVENT, type CcelEvent, labCcelEvents, replayCcel } from '../../../lab/ccel-builder.js';
import { TdxGuest, type TdxGuestEvidenceOptions } from '../../../lab/tdx-guest.js';
import { collateralOf } from '../../../real-tdx-evidence.js';
import { applyRecipe, haveVectors, readVector, recipes, vector } from '../../../vectors.js';
import {
  AT,
  endorsing,
  expectFailed,
  expectMalformed,
  expectUndecided,
  expectVerified,
  newVerifier,
  PLATFORM,
} from './fixture.js';

const ABOUT = '/evidence/ccel';
const LIMIT = 2 ** 16;
const EVENTS = labCcelEvents();
const ZERO = '00'.repeat(48);
const OTHER = 'aa'.repeat(48);

type Rtmrs = readonly [string, string, string, string];

function rtmrsOf(events: readonly CcelEvent[]): Rtmrs {
  const [first, second, third, fourth] = replayCcel(events);
  return [hex(first), hex(second), hex(third), hex(fourth)];
}

function judge(log: readonly CcelEvent[] | Uint8Array, rtmrs: Rtmrs = rtmrsOf(EVENTS)): readonly Check[] {
  const checks = checksAt(ABOUT);
  const bytes = log instanceof Uint8Array ? log : buildCcel(log);
  verifyCcel(checks, parseTcgEventLog(bytes, LIMIT), markVerified(rtmrs));
  return checks.all;
}

/** The first event, of a log that has these banks: algorithm and length of a digest each. */
function specIdOf(...banks: readonly (readonly [number, number])[]): Uint8Array {
  return joinBytes(
    Buffer.from('Spec ID Event03\0', 'latin1'),
    littleEndian(0, 4),
    Uint8Array.of(0, 2, 0, 2),
    littleEndian(banks.length, 4),
    ...banks.flat().map((value) => littleEndian(value, 2)),
    Uint8Array.of(0),
  );
}

const without = (register: number) => EVENTS.filter((event) => event.register !== register);
const extending = (register: number): CcelEvent => ({ register, type: CCEL_EVENT.ipl, data: Uint8Array.of(7) });
const failuresOf = (checks: readonly Check[]) => checks.filter(({ result }) => result !== 'pass');
const replayed = (checks: readonly Check[]) => checks.find(({ id }) => id === 'eventlog_replay');

interface Failure {
  readonly id: CheckId;
  readonly expected?: string;
  readonly actual?: string | number;
  readonly detail?: string;
}

const IDS = ['eventlog_order', 'eventlog_replay', 'eventlog_unverified'];

/** Asserts that all checks ran, and that exactly one failed. */
function expectFailure(checks: readonly Check[], failure: Failure): void {
  expect(checks.map(({ id }) => id)).toEqual(IDS);
  expect(failuresOf(checks)).toEqual([expect.objectContaining({ result: 'fail', about: ABOUT, ...failure })]);
}

function expectPassed(checks: readonly Check[]): void {
  expect(checks.map(({ id, result }) => [id, result])).toEqual(IDS.map((id) => [id, 'pass']));
}

describe('the replay of a CCEL', () => {
  it('TPM-15 gives RTMR 0 to 3', () => {
    const checks = judge(EVENTS);
    expectPassed(checks);
    expect(replayed(checks)?.detail).toBe('the log replays to RTMRs 0 to 3 of the quote');
  });

  const events = [...EVENTS, extending(4)];
  const genuine = rtmrsOf(events);
  const withOther = (rtmr: number) =>
    genuine.map((value, index) => (index === rtmr ? OTHER : value)) as unknown as Rtmrs;

  it.each([0, 1])('TPM-15 names RTMR %i where the quote has another value', (rtmr) => {
    expectFailure(judge(events, withOther(rtmr)), {
      id: 'eventlog_replay',
      expected: OTHER,
      actual: genuine[rtmr] ?? '',
      detail: `the log does not replay to RTMR ${rtmr} of the quote`,
    });
  });

  it.each([2, 3])('TPM-15 warns that RTMR %i is not covered where an OS has extended it after its events', (rtmr) => {
    const checks = judge(events, withOther(rtmr));
    expect(failuresOf(checks)).toEqual([
      expect.objectContaining({
        id: 'eventlog_replay',
        result: 'warn',
        detail: expect.stringMatching(new RegExp(`; not covered by the log: RTMR ${rtmr}$`)),
      }),
    ]);
  });

  it('TPM-15 names each RTMR of the firmware that has another value', () => {
    const found = failuresOf(judge(EVENTS, [OTHER, OTHER, OTHER, OTHER]));
    expect(found.map(({ detail }) => detail.match(/RTMR \d/)?.[0])).toEqual(['RTMR 0', 'RTMR 1']);
  });

  it.each([
    ['an event left out', EVENTS.slice(0, -1)],
    ['an event repeated', [...EVENTS, ...EVENTS.slice(-1)]],
    ['two events exchanged', [...EVENTS.slice(1, 2), ...EVENTS.slice(0, 1), ...EVENTS.slice(2)]],
  ])('TPM-15 is another with %s', (_name, events) => {
    expect(failuresOf(judge(events)).map(({ id }) => id)).toEqual(['eventlog_replay']);
  });

  it.each([0, 1])('TPM-15 denies RTMR %i that is extended without an event', (rtmr) => {
    expectFailure(judge(without(rtmr + 1)), {
      id: 'eventlog_replay',
      actual: ZERO,
      detail: `RTMR ${rtmr} is not zero, and the log has no event for it`,
    });
  });

  it.each([
    [2, '0, 1, 3', without(3), rtmrsOf(EVENTS)],
    [3, '0 to 2', EVENTS, rtmrsOf([...EVENTS, extending(4)])],
  ])(
    'TPM-15 does not cover RTMR %i that an OS has extended without an event, and says so',
    (rtmr, covered, log, rtmrs) => {
      const checks = judge(log, rtmrs);
      expectPassed(checks);
      expect(replayed(checks)?.detail).toBe(
        `the log replays to RTMRs ${covered} of the quote; not covered by the log: RTMR ${rtmr}`,
      );
    },
  );

  it('of no events is that of registers that are zero', () => {
    expectPassed(judge([], [ZERO, ZERO, ZERO, ZERO]));
    expectFailure(judge([], [OTHER, ZERO, ZERO, ZERO]), { id: 'eventlog_replay' });
  });

  it.each([0, 5, 2 ** 32 - 1])('denies an event that extends register %i', (register) => {
    expectFailure(judge([...EVENTS, extending(register)]), {
      id: 'eventlog_replay',
      detail: expect.stringMatching(new RegExp(`extends no register: index ${register}$`)),
    });
  });

  it('denies a log whose SHA-384 digests are absent, wholly or of one event', () => {
    const sha256 = [littleEndian(1, 4), littleEndian(0x0b, 2), new Uint8Array(32)];
    const sha384 = [littleEndian(1, 4), littleEndian(0x0c, 2), new Uint8Array(48)];
    const event = (digests: readonly Uint8Array[]) =>
      joinBytes(
        littleEndian(1, 4),
        littleEndian(CCEL_EVENT.action, 4),
        ...digests,
        littleEndian(1, 4),
        Uint8Array.of(1),
      );
    for (const digests of [[sha256], [sha384, sha256]]) {
      const log = buildCcel([], {
        specId: specIdOf([0x0b, 32], [0x0c, 48]),
        padding: joinBytes(...digests.map(event)),
      });
      expectFailure(judge(log), { id: 'eventlog_replay', detail: expect.stringContaining('has no sha384 digest') });
    }
  });
});

describe('the order of a CCEL', () => {
  const separator = (data: Uint8Array): CcelEvent => ({ register: 1, type: CCEL_EVENT.separator, data });
  const noAction = (digest: Uint8Array, register = 1): CcelEvent => ({
    register,
    type: CCEL_EVENT.noAction,
    data: Uint8Array.of(1),
    digest,
  });

  it.each([0, 1, 4, 9])('TPM-12 does not extend register %i by EV_NO_ACTION', (register) => {
    expectPassed(judge([noAction(new Uint8Array(48), register), ...EVENTS]));
  });

  it('TPM-12 denies EV_NO_ACTION with a digest', () => {
    const digest = new Uint8Array(48);
    digest[47] = 1;
    expectFailure(judge([...EVENTS, noAction(digest)]), {
      id: 'eventlog_order',
      detail: expect.stringMatching(/^the event at offset \d+ extends nothing and has a digest$/),
    });
  });

  it('TPM-12 denies EV_NO_ACTION with a digest of one bank, and none of the other', () => {
    const log = (last: number) => {
      const digests = [
        littleEndian(0x0b, 2),
        new Uint8Array(32),
        littleEndian(0x0c, 2),
        Uint8Array.of(...new Uint8Array(47), last),
      ];
      const event = [
        littleEndian(1, 4),
        littleEndian(CCEL_EVENT.noAction, 4),
        littleEndian(2, 4),
        ...digests,
        littleEndian(1, 4),
        Uint8Array.of(1),
      ];
      return buildCcel([], { specId: specIdOf([0x0b, 32], [0x0c, 48]), padding: joinBytes(...event) });
    };
    expectPassed(judge(log(0), [ZERO, ZERO, ZERO, ZERO]));
    expectFailure(judge(log(1), [ZERO, ZERO, ZERO, ZERO]), { id: 'eventlog_order' });
  });

  it('TPM-12 denies a digest of the first event', () => {
    expectFailure(judge(flipBit(buildCcel(EVENTS), 8)), { id: 'eventlog_order' });
  });

  it('TPM-12 has several separators in one register, and one that tells of an error', () => {
    for (const data of [new Uint8Array(4), new Uint8Array(4).fill(0xff)]) {
      const events = [...EVENTS, separator(data)];
      const checks = judge(events, rtmrsOf(events));
      expectPassed(checks);
      expect(checks[0]?.detail).toMatch(
        /^no event is out of order; the event at offset \d+ is a second separator in RTMR 0$/,
      );
    }
  });

  it.each([
    [new Uint8Array(3)],
    [new Uint8Array(5)],
    [Uint8Array.of(1, 0, 0, 0)],
    [Uint8Array.of(0, 0, 0, 0xff)],
    [Uint8Array.of(0x20, 0x20, 0x20, 0x20)],
  ])('TPM-12 denies a separator of %s', (data) => {
    const events = [...EVENTS, separator(data)];
    expectFailure(judge(events, rtmrsOf(events)), {
      id: 'eventlog_order',
      detail: expect.stringMatching(/^the event at offset \d+ does not have the form of a separator$/),
    });
  });

  it('denies an event that is turned into one that extends nothing', () => {
    const events = EVENTS.map((event, index) => (index === 1 ? { ...event, type: CCEL_EVENT.noAction } : event));
    expect(failuresOf(judge(events)).map(({ id }) => id)).toEqual(['eventlog_order', 'eventlog_replay']);
  });
});

describe('a TD quote with its CCEL', () => {
  const guest = new TdxGuest({ platform: PLATFORM, ccel: EVENTS });
  const tdx = new TdxVerifier(newVerifier(), new Set(), LIMIT);

  async function verify(
    options: TdxGuestEvidenceOptions = {},
    endorsements: EndorsementSet = endorsing(PLATFORM.collateral()),
  ): Promise<Verification> {
    return tdx.open(guest.evidence(options)).verify({ at: AT, endorsements, binding: null });
  }

  it('verifies, and the log must have an outcome', async () => {
    const found = await verify();
    expectVerified(found);
    expect(found.required).toEqual(expect.arrayContaining(IDS));
    expect(found.claims.tdx?.eventLog).toMatchObject({ replayed: [0, 1, 2, 3], notCovered: [] });
    expect(found.eventLogGaps).toMatchObject({ unexplained: [] });
  });

  it('verifies without one, and then no log is spoken of', async () => {
    const found = await verify({ ccel: null });
    expectVerified(found);
    expect([...found.required, ...found.checks.map(({ id }) => id)].filter((id) => id.startsWith('eventlog'))).toEqual(
      [],
    );
  });

  it('TPM-15 is denied with the log of another boot', async () => {
    const found = await verify({ ccel: labCcelEvents({ secureBoot: false }) });
    expectFailed(found, 'eventlog_replay');
    expect(found.claims.tdx).not.toHaveProperty('eventLog');
    expect(found).not.toHaveProperty('eventLogGaps');
  });

  it('TPM-13 takes nothing from data that is not what was measured: only digests are claimed', async () => {
    const altered = EVENTS.map((event) =>
      event.digest === undefined ? event : { ...event, data: Uint8Array.from(Buffer.from('something else')) },
    );
    const found = await verify({ ccel: altered });
    expectVerified(found);
    expect(found.eventLogGaps?.absent).not.toHaveProperty('applications');
    const { eventLog, ...ofQuote } = found.claims.tdx ?? {};
    expect(ofQuote).toEqual((await verify({ ccel: null })).claims.tdx);
    expect(eventLog?.applications).toEqual((await verify()).claims.tdx?.eventLog?.applications);
    expect(JSON.stringify(eventLog)).not.toContain('something else');
  });

  it('leaves the log unjudged where the quote does not hold', async () => {
    const quote = { afterSigning: (bytes: Uint8Array) => flipBit(bytes, 48 + 136) };
    const found = await verify({ quote });
    expectFailed(found, 'tdx_signature');
    expect(found.checks.filter(({ about }) => about === ABOUT).map(({ id, result }) => [id, result])).toEqual([
      ...IDS.map((id) => [id, 'skipped']),
    ]);
  });

  it('leaves the log unjudged where collateral is out of reach', async () => {
    expectUndecided(await verify({}, { snp: null }), 'collateral_unavailable');
  });

  it('TPM-14 refuses a log that is too long, or has no form, before endorsements are asked for', async () => {
    const long = new Uint8Array(LIMIT + 1);
    const cut = buildCcel(EVENTS).subarray(0, 100);
    for (const [ccel, code] of [
      [long, 'eventlog_limit'],
      [cut, 'eventlog_format'],
    ] as const) {
      await expectMalformed(verify({ ccel }), code, ABOUT);
      const naming = async () => tdx.open(guest.evidence({ ccel })).needs;
      await expectMalformed(naming(), code, ABOUT);
    }
  });

  it('TPM-14 takes a log area as long as one may be, filled to its end', async () => {
    const padding = new Uint8Array(LIMIT - buildCcel(EVENTS, { padding: new Uint8Array(0) }).byteLength);
    const ccel = buildCcel(EVENTS, { padding });
    expect(ccel.byteLength).toBe(LIMIT);
    expectVerified(await verify({ ccel }));
  });
});

describe.skipIf(!haveVectors)('a real TD quote with its CCEL', () => {
  const [quoteFile = '', logFile = ''] = haveVectors ? vector('tdx-v4-with-ccel').files : [];

  async function codesWith(ccel: Uint8Array): Promise<readonly string[]> {
    const { verifyAt, expect: expected } = vector('tdx-v4-with-ccel');
    const [collateralFile = ''] = vector(expected.facts.collateral.from).files;
    const collateral = collateralOf(readVector(collateralFile));
    const evidence = { type: 'tdx', quote: readVector(quoteFile), runtimeData: null, collateral: null, ccel } as const;
    const context = { at: new Date(verifyAt ?? ''), endorsements: endorsing(collateral), binding: null };
    const found = await new TdxVerifier(new DcapTdQuoteVerifier({}), new Set(), 2 ** 20).open(evidence).verify(context);
    const replay = found.checks.filter(({ id }) => id.startsWith('eventlog'));
    expect(replay.length).toBeGreaterThan(0);
    return failuresOf(found.checks).map(({ id }) => id);
  }

  it('replays to the RTMRs of the quote', async () => {
    expect(await codesWith(readVector(logFile))).toEqual([]);
  });

  it.each(haveVectors ? recipes('tdx').filter(({ file }) => file === logFile) : [])(
    '$id is denied: $field',
    async (recipe) => {
      expect(await codesWith(applyRecipe(recipe, logFile))).toContain('eventlog_replay');
    },
  );

  it('is refused with the ACPI table in place of the log', async () => {
    await expectMalformed(codesWith(readVector(vector('tdx-v4-with-ccel').files[2] ?? '')), 'eventlog_format', ABOUT);
  });

  it('the log of another machine replays to what the manifest says, and is denied with this quote', async () => {
    const { files, expect: expected } = vector('evlog-ccel-grub');
    const log = readVector(files[0] ?? '');
    const { '1': first, '2': second, '3': third } = expected.facts.replayedPcrs.sha384;
    expectPassed(judge(log, [first, second, third, ZERO]));
    expect(new Set(await codesWith(log))).toEqual(new Set(['eventlog_replay']));
  });
});
