import { describe, expect, it } from 'vitest';
import type { Check } from '../../../../../src/core/check.js';
import type { EventLogInput, PcrBank } from '../../../../../src/core/evidence.js';
import type { Verification } from '../../../../../src/core/verification.js';
import { readVtpmEventLog } from '../../../../../src/tee/shared/event-log/vtpm-event-log.js';
import { formatErrorOf } from '../../../../format-error-of.js';
import { flipBit } from '../../../../lab/byte-patch.js';
import {
  applicationEvent,
  buildCelJson,
  buildCelTlv,
  buildEventLog,
  buildSha1EventLog,
  GRUB_COMMAND_LINE,
  grubBoot,
  grubEvent,
  LOG_EVENT,
  type LogEvent,
  measureInto,
  secureBootVariable,
  systemdPhases,
  systemSeparators,
  ukiBoot,
  windowsBoot,
} from '../../../../lab/event-log-builder.js';
import { createVirtualMachine } from '../../../../lab/index.js';
import { change, text, variableName } from '../../../boot/fixture.js';
import { TDX_VM, verifyAzureTdx } from '../../azure/tdx-fixture.js';
import { expectFailed, expectMalformed, expectVerified, failed, PKI, verifyAzure } from '../../fixture.js';

const ABOUT = '/evidence/eventLog';
const IDS = ['tpm_weak_bank', 'eventlog_order', 'eventlog_replay', 'eventlog_unverified'];
const VM = await createVirtualMachine({ pki: PKI });
const GRUB = grubBoot();
const UKI = ukiBoot();
const PHASES = systemdPhases('enter-initrd', 'leave-initrd', 'sysinit', 'ready');

interface Sent {
  readonly banks?: readonly PcrBank[];
  /** PCRs of the SHA-256 bank that are quoted; all if left out. */
  readonly quoted?: readonly number[];
}

/** Verifies a log on a VM whose vTPM measured some events, which need not be those of the log. */
async function verify(
  measured: readonly LogEvent[],
  eventLog: EventLogInput,
  { quoted }: Sent = {},
): Promise<Verification> {
  measureInto(VM.vtpm, measured);
  const quote = quoted === undefined ? {} : { quote: { selections: [{ bank: 'sha256' as const, indices: quoted }] } };
  return verifyAzure(VM.evidence({ eventLog, ...quote }));
}

const verifyLog = (events: readonly LogEvent[], sent: Sent = {}) => verify(events, [buildEventLog(events)], sent);
const ofLog = ({ checks }: Verification): readonly Check[] => checks.filter(({ about }) => about === ABOUT);
const replayOf = (found: Verification) => ofLog(found).filter(({ id }) => id === 'eventlog_replay');
const without = (...pcrs: readonly number[]) => GRUB.filter(({ pcr }) => !pcrs.includes(pcr));
const extending = (pcr: number): LogEvent => ({ pcr, type: LOG_EVENT.ipl, data: text('what nobody logged') });

function expectNoLog(found: Verification): void {
  expect(found.claims.tpm ?? {}).not.toHaveProperty('eventLog');
  expect(found).not.toHaveProperty('eventLogGaps');
}

describe('the event log of a vTPM', () => {
  it.each([
    ['GRUB', GRUB],
    ['a unified kernel image', UKI],
    ['Windows', windowsBoot()],
    ['a firmware without Secure Boot', grubBoot({ secureBoot: false })],
    ['a firmware at locality 3', grubBoot({ locality: 3 })],
  ])('verifies: %s', async (_name, events) => {
    const found = await verifyLog(events);
    expectVerified(found);
    expect(ofLog(found).map(({ id }) => id)).toEqual(IDS);
    expect(found.required).toEqual(expect.arrayContaining(IDS));
    expect(found.claims.tpm?.eventLog?.replayed).toEqual(Array.from({ length: 24 }, (_, index) => index));
    expect(found.claims.tpm?.eventLog?.notCovered).toEqual([]);
    expect(found.eventLogGaps?.unexplained).toEqual([]);
  });

  it('verifies on TDX', async () => {
    measureInto(TDX_VM.vtpm, GRUB);
    const found = await verifyAzureTdx(TDX_VM.evidence({ eventLog: [buildEventLog(GRUB)] }));
    expectVerified(found);
    expect(found.required).toEqual(expect.arrayContaining(IDS));
    expect(found.claims.tpm?.eventLog).toMatchObject({ secureBoot: true, commandLines: [GRUB_COMMAND_LINE] });
    const other = await verifyAzureTdx(TDX_VM.evidence({ eventLog: [buildEventLog(UKI)] }));
    expect(failed(other)).toEqual(['eventlog_replay']);
    expectNoLog(other);
  });

  it('is not spoken of where none is sent', async () => {
    measureInto(VM.vtpm, GRUB);
    const found = await verifyAzure(VM.evidence());
    expect([...found.required, ...found.checks.map(({ id }) => id)].filter((id) => id.startsWith('eventlog'))).toEqual(
      [],
    );
    expectNoLog(found);
  });

  it('is skipped where the quote does not hold, and where no report does', async () => {
    measureInto(VM.vtpm, GRUB);
    const eventLog: EventLogInput = [buildEventLog(GRUB)];
    const signing = VM.evidence({ eventLog, quote: { beforeSigning: (message) => flipBit(message, 0) } });
    const noReport = VM.evidence({
      eventLog,
      report: { afterSigning: (bytes: Uint8Array) => flipBit(bytes, 0x90) },
    });
    for (const evidence of [signing, noReport]) {
      const found = await verifyAzure(evidence);
      const results = found.checks.filter(({ id }) => id.startsWith('eventlog')).map(({ result }) => result);
      expect(results).toEqual(['skipped', 'skipped', 'skipped']);
      expectNoLog(found);
    }
  });

  it.each<[string, Uint8Array]>([
    ['that has no form', new Uint8Array(64).fill(9)],
    ['that is empty', new Uint8Array()],
    ['of a byte more than the limit', new Uint8Array(2 ** 20 + 1)],
  ])('TPM-14 is malformed: one %s', async (_name, log) => {
    await expectMalformed(verify(GRUB, [log]), 'eventlog_limit', ABOUT);
    await expectMalformed(
      verify(GRUB, [buildEventLog(GRUB), log]),
      log[0] === 9 ? 'eventlog_format' : 'eventlog_limit',
      `${ABOUT}/1`,
    );
    await expectMalformed(verify(GRUB, [log, buildCelJson(PHASES)]), 'eventlog_limit', `${ABOUT}/0`);
  });

  it('TPM-14 is malformed where both have more than 2048 events together, and read where they have as many', () => {
    const phases = (count: number) => buildCelTlv(Array.from({ length: count }, () => PHASES[0] as LogEvent));
    const both = (count: number) => readVtpmEventLog([buildEventLog(GRUB), phases(count)], 2 ** 20);
    expect(both(2048 - GRUB.length)).toHaveLength(2);
    expect(formatErrorOf(() => both(2049 - GRUB.length))).toEqual({ code: 'eventlog_limit', pointer: ABOUT });
  });

  it('may be followed by an empty one, which has no digests', async () => {
    const found = await verify(GRUB, [buildEventLog(GRUB), text('[]')]);
    expectVerified(found);
    expect(found.claims.tpm?.eventLog?.notCovered).toEqual([]);
  });

  it('says where the firmware measured that DMA protection is off', async () => {
    const off = { pcr: 7, type: LOG_EVENT.action, data: text('DMA Protection Disabled') };
    const remarks = async (events: readonly LogEvent[]) =>
      ofLog(await verifyLog(events)).flatMap(({ id, detail }) => (id === 'eventlog_unverified' ? [detail] : []));
    const measured = 'the data of each event of PCR 7 is what its digest is of';
    expect(await remarks([...GRUB, off])).toEqual([`${measured}; the firmware measured that DMA protection is off`]);
    expect(await remarks(GRUB)).toEqual([measured]);
  });

  it('is malformed where the logs of a list are exchanged', async () => {
    await expectMalformed(verify(GRUB, [buildCelJson(PHASES), buildEventLog(GRUB)]), 'eventlog_limit', `${ABOUT}/0`);
    await expectMalformed(verify(GRUB, [buildEventLog(GRUB), buildEventLog(UKI)]), 'eventlog_format', `${ABOUT}/1`);
  });
});

describe('banks of the log', () => {
  it.each<[string, Uint8Array]>([
    ['in the older form', buildSha1EventLog(GRUB)],
    ['in the newer form', buildEventLog(GRUB, { banks: ['sha1'] })],
    ['and SHA-384', buildEventLog(GRUB, { banks: ['sha1', 'sha384'] })],
  ])('TPM-06 are too weak: SHA-1 %s', async (_name, log) => {
    const found = await verify(GRUB, [log]);
    expectFailed(found, 'tpm_weak_bank');
    expect(ofLog(found).map(({ id, result }) => [id, result])).toEqual([
      ['tpm_weak_bank', 'fail'],
      ...IDS.slice(1).map((id) => [id, 'skipped']),
    ]);
    expectNoLog(found);
  });

  it.each([
    ['a TLV', buildCelTlv(PHASES, { banks: ['sha1'] })],
    ['JSON', buildCelJson(PHASES, 'sequence', ['sha1'])],
  ])('TPM-06 are too weak in a Canonical Event Log as %s', async (_name, cel) => {
    expectFailed(await verify([...UKI, ...PHASES], [buildEventLog(UKI), cel]), 'tpm_weak_bank');
  });

  it('TPM-06 the SHA-1 digests of a log are nothing: only the SHA-256 bank counts', async () => {
    const found = await verify(GRUB, [buildEventLog(GRUB, { banks: ['sha256'] })]);
    expectVerified(found);
  });

  it('TPM-15 an event without a SHA-256 digest cannot be replayed', async () => {
    const log = buildEventLog(GRUB, { banks: ['sha256'] });
    const last = buildEventLog([...GRUB, extending(4)], { banks: ['sha256'] }).subarray(log.byteLength);
    const sha1 = buildEventLog([extending(4)], { banks: ['sha1'] });
    expect(last.byteLength).toBeGreaterThan(0);
    const both = buildEventLog(GRUB);
    const event = sha1.subarray(buildEventLog([], { banks: ['sha1'] }).byteLength);
    const found = await verify(GRUB, [Buffer.concat([both, event])]);
    expectFailed(found, 'eventlog_replay');
    expect(replayOf(found)[0]?.detail).toMatch(/^the event at offset \d+ has no sha256 digest$/);
  });
});

describe('the replay of a vTPM', () => {
  it.each([0, 1, 2, 3, 4, 5, 6, 7])('TPM-15 denies PCR %i that has more than the log', async (pcr) => {
    const found = await verify([...GRUB, extending(pcr)], [buildEventLog(GRUB)]);
    expectFailed(found, 'eventlog_replay');
    expect(replayOf(found)).toEqual([
      expect.objectContaining({
        expected: Buffer.from(VM.vtpm.pcr('sha256', pcr)).toString('hex'),
        detail: `the log does not replay to PCR ${pcr} of the quote`,
      }),
    ]);
    expectNoLog(found);
  });

  it.each([8, 9, 11, 14])('TPM-15 warns of PCR %i that an OS extended behind its events: not covered', async (pcr) => {
    const boot = [...(pcr === 11 ? UKI : GRUB)];
    const found = await verify([...boot, extending(pcr)], [buildEventLog(boot)]);
    expect(failed(found)).toEqual([]);
    expect(replayOf(found)).toEqual([
      expect.objectContaining({
        result: 'warn',
        detail: expect.stringMatching(new RegExp(`; not covered by the log: PCR ${pcr}$`)),
      }),
    ]);
    const { eventLog } = found.claims.tpm ?? {};
    expect(eventLog?.notCovered).toEqual([pcr]);
    expect(eventLog?.replayed).not.toContain(pcr);
    expect(eventLog?.[pcr === 14 ? 'mokList' : 'commandLines']).toBeNull();
    expect(found.eventLogGaps).toMatchObject({ unexplained: [] });
  });

  it.each([8, 10, 12, 13, 15, 16, 23])(
    'TPM-15 passes PCR %i that an OS extended without an event: not covered',
    async (pcr) => {
      const found = await verify([...without(pcr), extending(pcr)], [buildEventLog(without(pcr))]);
      expectVerified(found);
      expect(found.claims.tpm?.eventLog?.notCovered).toEqual([pcr]);
      expect(found.eventLogGaps?.unexplained).toEqual([]);
      const reads = [8, 12].includes(pcr);
      expect(found.eventLogGaps?.absent.commandLines?.check).toBe(reads ? 'eventlog_replay' : undefined);
    },
  );

  it.each([0, 1, 2, 3, 4, 5, 6, 7, 17, 22])('TPM-15 leaves PCR %i without an event to the policy', async (pcr) => {
    const found = await verify([...without(pcr), extending(pcr)], [buildEventLog(without(pcr))]);
    expectVerified(found);
    expect(found.claims.tpm?.eventLog?.notCovered).toEqual([pcr]);
    expect(found.eventLogGaps?.unexplained).toEqual([pcr]);
    const { absent } = found.eventLogGaps ?? {};
    if (pcr === 7)
      expect(absent).toMatchObject({ secureBoot: { check: 'eventlog_replay' }, db: { check: 'eventlog_replay' } });
    if (pcr === 4 || pcr === 2) expect(absent).toMatchObject({ applications: { check: 'eventlog_replay' } });
  });

  it.each([17, 22])('TPM-15 denies PCR %i with events that do not replay', async (pcr) => {
    expectFailed(await verify([...GRUB], [buildEventLog([...GRUB, extending(pcr)])]), 'eventlog_replay');
  });

  it('TPM-15 a log without events explains nothing', async () => {
    const found = await verify(GRUB, [buildEventLog([])]);
    expectVerified(found);
    expect(found.eventLogGaps?.unexplained).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(found.claims.tpm?.eventLog).toMatchObject({
      secureBoot: null,
      pk: null,
      applications: null,
      commandLines: null,
    });
  });

  it('TPM-15 denies the log of another machine', async () => {
    const found = await verify(GRUB, [buildEventLog(UKI)]);
    expectFailed(found, 'eventlog_replay');
    expectNoLog(found);
  });

  it('TPM-12 denies another locality than the one PCR 0 started at', async () => {
    for (const [measured, said] of [
      [3, 4],
      [3, 0],
      [0, 3],
    ]) {
      const events = grubBoot(measured === undefined ? {} : { locality: measured });
      expectFailed(
        await verify(events, [buildEventLog(grubBoot(said === undefined ? {} : { locality: said }))]),
        'eventlog_replay',
      );
    }
  });

  it('TPM-12 denies a log out of order, although it replays', async () => {
    const late = {
      pcr: 7,
      type: LOG_EVENT.variableDriverConfig,
      data: secureBootVariable('SecureBoot', Uint8Array.of(1)),
    };
    const found = await verifyLog([...GRUB, late]);
    expectFailed(found, 'eventlog_order');
    expectNoLog(found);
  });
});

describe('a second separator', () => {
  const twice = (pcr: number) => change(GRUB, isSeparatorIn(pcr), (event) => [event, event]);
  const isSeparatorIn = (pcr: number) => (event: LogEvent) => event.type === LOG_EVENT.separator && event.pcr === pcr;
  const orderOf = (found: Verification) => ofLog(found).filter(({ id }) => id === 'eventlog_order');

  it.each([0, 1, 3, 5, 6])('TPM-12 is a warning in PCR %i of a log that replays: eventlog_order', async (pcr) => {
    const found = await verifyLog(twice(pcr));
    expect(failed(found)).toEqual([]);
    expect(orderOf(found)).toMatchObject([
      {
        result: 'warn',
        detail: expect.stringMatching(new RegExp(`^the event at offset \\d+ is a second separator in PCR ${pcr}$`)),
      },
    ]);
    expect(found.claims.tpm?.eventLog).toMatchObject({ secureBoot: true, notCovered: [] });
  });

  it('TPM-12 is named in each PCR that has one', async () => {
    const found = await verifyLog(change(twice(0), isSeparatorIn(3), (event) => [event, event]));
    expect(orderOf(found)).toMatchObject([
      { result: 'warn', detail: expect.stringMatching(/second separator in PCR 0; .* second separator in PCR 3$/) },
    ]);
  });

  it.each([2, 4, 7])('TPM-12 denies in PCR %i, although the log replays: eventlog_order', async (pcr) => {
    for (const events of [twice(pcr), change(twice(pcr), isSeparatorIn(0), (event) => [event, event])]) {
      const found = await verifyLog(events);
      expectFailed(found, 'eventlog_order');
      expectNoLog(found);
    }
  });

  it('TPM-12 denies where the log does not replay', async () => {
    const found = await verify(GRUB, [buildEventLog(twice(0))]);
    expectFailed(found, 'eventlog_replay');
    expectNoLog(found);
  });
});

describe('a boot that systemd closed by its separator', () => {
  const SEPARATORS = systemSeparators();
  const CLOSED = SEPARATORS.filter(({ pcr }) => pcr !== 9);

  it('replays by the log of the firmware alone', async () => {
    const found = await verify([...GRUB, ...CLOSED], [buildEventLog(GRUB)]);
    expectVerified(found);
    expect(found.claims.tpm?.eventLog).toMatchObject({ secureBoot: true, notCovered: [] });
    expect(replayOf(found)[0]?.detail).toBe(
      'the log replays to PCRs 0 to 23 of the quote, with the separator of systemd in PCRs 0 to 7, 12 to 14',
    );
  });

  it('replays by both logs', async () => {
    const found = await verify([...GRUB, ...SEPARATORS], [buildEventLog(GRUB), buildCelJson(SEPARATORS)]);
    expectVerified(found);
    expect(found.claims.tpm?.eventLog).toMatchObject({ commandLines: [GRUB_COMMAND_LINE], notCovered: [] });
    expect(replayOf(found)[0]?.detail).toBe('the log replays to PCRs 0 to 23 of the quote');
  });

  it.each([
    ['twice', [...CLOSED, ...CLOSED]],
    ['and by something else', [...CLOSED, extending(7)]],
  ])('TPM-17 is refused where it was extended by it %s', async (_name, after) => {
    const found = await verify([...GRUB, ...after], [buildEventLog(GRUB)]);
    expect(failed(found)).toContain('eventlog_replay');
    expectNoLog(found);
  });

  it.each([8, 10, 11, 15])('has nothing to do with PCR %i', async (pcr) => {
    const found = await verify(
      [...GRUB, { pcr, type: LOG_EVENT.ipl, data: text('os-separator') }],
      [buildEventLog(GRUB)],
    );
    expect(found.claims.tpm?.eventLog?.notCovered).toEqual([pcr]);
  });
});

describe('PCRs that are not quoted', () => {
  it('TPM-04 cover nothing, and say so', async () => {
    const found = await verifyLog(GRUB, { quoted: [0, 1, 7, 9] });
    expectVerified(found);
    expect(found.claims.tpm?.eventLog).toMatchObject({
      replayed: [0, 1, 7, 9],
      notCovered: [],
      secureBoot: true,
      mokList: null,
      applications: null,
      commandLines: null,
    });
    expect(found.claims.tpm?.eventLog?.files).toHaveLength(3);
    expect(found.eventLogGaps?.absent).toEqual({
      mokList: { check: 'tpm_pcr_not_quoted', detail: 'PCR 14 was not quoted (sha256)', register: 'PCR 14' },
      applications: { check: 'tpm_pcr_not_quoted', detail: 'PCR 4 was not quoted (sha256)', register: 'PCR 4' },
      commandLines: { check: 'tpm_pcr_not_quoted', detail: 'PCR 8 was not quoted (sha256)', register: 'PCR 8' },
    });
  });

  it('TPM-04 have no Secure Boot where PCR 7 is not among them', async () => {
    const found = await verifyLog(GRUB, { quoted: [0, 4] });
    expect(found.claims.tpm?.eventLog).toMatchObject({ secureBoot: null, pk: null, db: null });
    expect(found.eventLogGaps?.absent.secureBoot?.check).toBe('tpm_pcr_not_quoted');
  });

  it('TPM-04 may have events that replay to nothing known', async () => {
    expectVerified(await verify(GRUB, [buildEventLog([...GRUB, extending(6)])], { quoted: [0, 1, 2, 3, 4, 7] }));
    expectFailed(
      await verify(GRUB, [buildEventLog([...GRUB, extending(6)])], { quoted: [0, 6, 7] }),
      'eventlog_replay',
    );
  });
});

describe('a firmware log with a Canonical Event Log behind it', () => {
  const ALL = [...UKI, ...PHASES];

  it.each<[string, Uint8Array]>([
    ['TLV', buildCelTlv(PHASES)],
    ['TLV of four banks', buildCelTlv(PHASES, { banks: ['sha1', 'sha256', 'sha384', 'sha512'] })],
    ['JSON, in an array', buildCelJson(PHASES, 'array')],
    ['JSON, as systemd writes it', buildCelJson(PHASES, 'sequence', ['sha1', 'sha256'])],
    ['JSON, a record a line', buildCelJson(PHASES, 'lines')],
  ])('verifies: %s', async (_name, cel) => {
    const found = await verify(ALL, [buildEventLog(UKI), cel]);
    expectVerified(found);
    expect(found.claims.tpm?.eventLog).toMatchObject({ notCovered: [], applications: expect.any(Array) });
    expect(found.claims.tpm?.eventLog?.commandLines).toHaveLength(2);
  });

  it('TPM-15 does not cover PCR 11 without it, with another one, or with half of it', async () => {
    const logs: readonly EventLogInput[] = [
      [buildEventLog(UKI)],
      [buildEventLog(UKI), buildCelJson(systemdPhases('other'))],
      [buildEventLog(UKI), buildCelJson(PHASES.slice(0, 2))],
      [buildEventLog(UKI), buildCelJson(PHASES.toReversed())],
    ];
    for (const log of logs) {
      const found = await verify(ALL, log);
      expect(failed(found)).toEqual([]);
      expect(replayOf(found)[0]?.result).toBe('warn');
      expect(found.claims.tpm?.eventLog).toMatchObject({ notCovered: [11], commandLines: null });
    }
  });

  it('TPM-15 denies it where it extends a PCR of firmware that was not extended', async () => {
    const cel = buildCelJson([{ pcr: 4, type: 0, data: text('x') }]);
    expectFailed(await verify(UKI, [buildEventLog(UKI), cel]), 'eventlog_replay');
  });

  it.each([24, 4096])('TPM-15 denies it where it extends PCR %i', async (pcr) => {
    expectFailed(
      await verify(UKI, [buildEventLog(UKI), buildCelJson([{ pcr, type: 0, data: text('x') }])]),
      'eventlog_replay',
    );
  });

  it('TPM-17 counts an application that it has', async () => {
    const evil = applicationEvent('evil');
    const listed = async (log: EventLogInput) => (await verify([...UKI, evil], log)).claims.tpm?.eventLog?.applications;
    const inFirmware = await listed([buildEventLog([...UKI, evil])]);
    expect(inFirmware).toHaveLength(3);
    for (const cel of [buildCelTlv([{ ...evil, data: text('x') }]), buildCelTlv([evil])]) {
      expect(await listed([buildEventLog(UKI), cel])).toEqual(inFirmware);
    }
  });

  it('TPM-11 denies what it adds to PCR 7 with data that is not what was measured', async () => {
    const forged = { pcr: 7, type: 0, data: text('x'), measured: text('y') };
    expectFailed(await verify([...UKI, forged], [buildEventLog(UKI), buildCelJson([forged])]), 'eventlog_unverified');
  });

  it('TPM-12 denies variables of Secure Boot that it adds', async () => {
    const late = { pcr: 7, type: 0, data: secureBootVariable('SecureBoot', Uint8Array.of(1)) };
    expectFailed(await verify([...UKI, late], [buildEventLog(UKI), buildCelTlv([late])]), 'eventlog_order');
  });
});

describe('a log that was changed and still replays to the quoted PCRs', () => {
  const OFF = grubBoot({ secureBoot: false });
  const isSecureBoot = (event: LogEvent) => event.pcr === 7 && variableName(event) === 'SecureBoot';
  const claimed = (found: Verification) => found.claims.tpm?.eventLog;

  it('TPM-11 fails where SecureBoot is hidden under another type, and a false one follows', async () => {
    for (const type of [LOG_EVENT.ipl, LOG_EVENT.firmwareBlob, LOG_EVENT.tag]) {
      const hidden = change(OFF, isSecureBoot, (event) => ({ ...event, type, data: text('x'), measured: event.data }));
      expectFailed(await verifyLog(hidden), 'eventlog_unverified');
      const late = {
        pcr: 7,
        type: LOG_EVENT.variableDriverConfig,
        data: secureBootVariable('SecureBoot', Uint8Array.of(1)),
      };
      const found = await verifyLog([...hidden, late]);
      expectFailed(found, 'eventlog_order', 'eventlog_unverified');
      expectNoLog(found);
    }
  });

  it('TPM-11 has no effect where only types are changed', async () => {
    const retyped = OFF.map((event) => (event.pcr === 7 ? { ...event, type: LOG_EVENT.ipl } : event));
    const found = await verify(OFF, [buildEventLog(retyped)]);
    expectVerified(found);
    expect(claimed(found)?.secureBoot).toBe(false);
  });

  it('TPM-11 does not extend an event that is turned into one that extends nothing', async () => {
    const hidden = change(OFF, isSecureBoot, (event) => ({ ...event, type: LOG_EVENT.noAction }));
    expectFailed(await verify(OFF, [buildEventLog(hidden)]), 'eventlog_replay');
  });

  it('TPM-11 fails where the contents are altered', async () => {
    const on = secureBootVariable('SecureBoot', Uint8Array.of(1));
    const altered = change(OFF, isSecureBoot, (event) => ({ ...event, data: on, measured: event.data }));
    const found = await verify(OFF, [buildEventLog(altered)]);
    expectFailed(found, 'eventlog_unverified');
    expectNoLog(found);
  });

  it('TPM-17 still counts an application that is retyped, an unlisted one, and one of another index', async () => {
    const evil = applicationEvent('evil');
    const genuine = claimed(await verifyLog([...GRUB, evil]))?.applications;
    expect(genuine).toHaveLength(4);
    const retyped = [
      ...GRUB,
      {
        ...evil,
        type: LOG_EVENT.action,
        data: text('Exit Boot Services Invocation'),
        measured: evil.measured ?? evil.data,
      },
    ];
    expect(claimed(await verify([...GRUB, evil], [buildEventLog(retyped)]))?.applications).toEqual(genuine);
    const moved = [...GRUB, { ...evil, pcr: 8 }];
    expectFailed(await verify([...GRUB, evil], [buildEventLog(moved)]), 'eventlog_replay');
  });

  it('TPM-17 still counts a command line that is relabelled', async () => {
    const evil = '/vmlinuz init=/bin/sh';
    const booted = grubBoot({ commandLine: evil });
    const isLine = (event: LogEvent) => event.pcr === 8 && Buffer.from(event.data).includes(evil);
    const relabelled = change(booted, isLine, (event) => ({
      ...grubEvent('grub_cmd: ', ''),
      data: text(`grub_cmd: ${Buffer.from(event.measured ?? []).toString()}\0`),
      measured: event.measured ?? event.data,
    }));
    const found = await verify(booted, [buildEventLog(relabelled)]);
    expectVerified(found);
    expect(claimed(found)?.commandLines).toEqual([evil]);
  });

  it('TPM-13 TPM-17 has no command lines where their data is altered', async () => {
    const altered = change(
      GRUB,
      ({ pcr }) => pcr === 8,
      (event) => ({ ...event, data: text('grub_cmd: set a=b\0') }),
    );
    const found = await verify(GRUB, [buildEventLog(altered)]);
    expectVerified(found);
    expect(claimed(found)?.commandLines).toBeNull();
    expect(found.eventLogGaps?.absent.commandLines).toMatchObject({ check: 'eventlog_unverified' });
  });

  it('TPM-13 offers no data that is not measured', async () => {
    const altered = GRUB.map((event) =>
      event.measured === undefined || event.pcr === 8 || event.pcr === 14
        ? event
        : { ...event, data: text('altered data') },
    );
    const found = await verify(GRUB, [buildEventLog(altered)]);
    expectVerified(found);
    expect(claimed(found)).toEqual(claimed(await verifyLog(GRUB)));
  });

  it('TPM-16 is not known where SecureBoot is empty, 2, of two bytes or there twice', async () => {
    const twice = change(GRUB, isSecureBoot, (event) => [event, event]);
    const boots = [new Uint8Array(), Uint8Array.of(2), Uint8Array.of(1, 0)].map((secureBootContents) =>
      grubBoot({ secureBootContents }),
    );
    for (const events of [...boots, twice]) {
      const found = await verifyLog(events);
      expectVerified(found);
      expect(claimed(found)?.secureBoot).toBeNull();
      expect(found.eventLogGaps?.absent.secureBoot?.check).toBe('secure_boot_unknown');
    }
  });
});
