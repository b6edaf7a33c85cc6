import { describe, expect, it } from 'vitest';
import { OS_SEPARATOR } from '../../../src/boot/known-digests.js';
import { fromLatin1, hex } from '../../../src/core/bytes.js';
import type { JsonObject, JsonValue } from '../../../src/core/json.js';
import { sha256 } from '../../../src/crypto/digest.js';
import { type Register, registersOf } from '../../../src/inspector/registers.js';
import { findBytes, readBytes } from '../../../src/inspector/structures.js';
import { buildEventLog, LOG_EVENT, type LogEvent } from '../../lab/event-log-builder.js';
import { buildCcel, CCEL_EVENT, replayCcel } from '../../lab/index.js';
import { PLATFORM } from '../tee/azure/tdx-fixture.js';

const ZEROS = new Uint8Array(32);
const extended = (...digests: readonly Uint8Array[]) =>
  hex(digests.reduce((value, digest) => sha256(value, digest), ZEROS));

const loader: LogEvent = { pcr: 8, type: LOG_EVENT.ipl, data: fromLatin1('linux /vmlinuz') };
const firmware: LogEvent = {
  pcr: 0,
  type: LOG_EVENT.crtmVersion,
  data: fromLatin1('version 1'),
  measured: fromLatin1('other bytes'),
};
const separator: LogEvent = { pcr: 7, type: LOG_EVENT.separator, data: new Uint8Array(4) };
const LOG = buildEventLog([firmware, loader, separator]);

const OF_FIRMWARE = sha256(fromLatin1('other bytes'));
const OF_SEPARATOR = sha256(new Uint8Array(4));
const AS_REPLAYED = {
  0: extended(OF_FIRMWARE),
  7: extended(OF_SEPARATOR),
  8: extended(sha256(loader.data)),
};

const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
const body = (members: JsonObject = {}): JsonObject => ({ evidence: { eventLog: base64url(LOG), ...members } });
const claims = (sha256: JsonObject) => ({ tpm: { pcrs: { sha256 } } });

function read(of: unknown, given: JsonObject = body()) {
  const boot = registersOf(findBytes(given), of, given);
  if (boot === null) throw new Error('there are no registers');
  return boot;
}

const states = (registers: readonly Register[]) => registers.map(({ name, state }) => [name, state]);

describe('registers of a boot', () => {
  it('show each event that extended one, and whether its digest is of its data', () => {
    const { registers, bank, isVerified, fault } = read(claims(AS_REPLAYED));
    expect({ bank, isVerified, fault }).toEqual({ bank: 'sha256', isVerified: true, fault: null });
    expect(states(registers)).toEqual([
      ['PCR 0', 'explained'],
      ['PCR 7', 'explained'],
      ['PCR 8', 'explained'],
    ]);
    expect(registers[0]).toMatchObject({ held: AS_REPLAYED[0], replayed: AS_REPLAYED[0] });
    expect(registers.map(({ events }) => events.map(({ type, text, isCovered }) => [type, text, isCovered]))).toEqual([
      [['EV_S_CRTM_VERSION', 'version 1', false]],
      [['EV_SEPARATOR', null, true]],
      [['EV_IPL', 'linux /vmlinuz', true]],
    ]);
    expect(registers[0]?.events[0]?.digest).toBe(hex(OF_FIRMWARE));
  });

  it('are told apart by what they hold', () => {
    const { registers } = read(
      claims({
        ...AS_REPLAYED,
        0: hex(ZEROS),
        1: hex(ZEROS),
        2: AS_REPLAYED[7],
        7: extended(OF_SEPARATOR, sha256(fromLatin1(OS_SEPARATOR))),
        10: AS_REPLAYED[7],
      }),
    );
    expect(states(registers)).toEqual([
      ['PCR 0', 'differs'],
      ['PCR 1', 'untouched'],
      ['PCR 2', 'differs'],
      ['PCR 7', 'closed'],
      ['PCR 8', 'explained'],
      ['PCR 10', 'unlogged'],
    ]);
  });

  it('differ where the log extends them, also those that software extends without it', () => {
    const given = { evidence: { eventLog: base64url(buildEventLog([{ ...loader, pcr: 10 }])) } };
    const { registers } = read(claims({ 10: AS_REPLAYED[7], 11: AS_REPLAYED[7] }), given);
    expect(states(registers)).toEqual([
      ['PCR 10', 'differs'],
      ['PCR 11', 'unlogged'],
    ]);
  });

  it('are compared in the first of SHA-256, SHA-384 and SHA-1 whose values are known, and else in the first of the log', () => {
    const both = {
      evidence: { eventLog: base64url(buildEventLog([separator], { banks: ['sha1', 'sha256', 'sha384'] })) },
    };
    const bankOf = (pcrs: JsonObject | null) => read(pcrs === null ? null : { tpm: { pcrs } }, both).bank;
    const value = { 7: AS_REPLAYED[7] };
    expect(bankOf({ sha1: value, sha256: value })).toBe('sha256');
    expect(bankOf({ sha384: value, sha256: value })).toBe('sha256');
    expect(bankOf({ sha1: value, sha384: value })).toBe('sha384');
    expect(bankOf({ sha256: {}, sha384: value })).toBe('sha384');
    expect(bankOf({ sha1: value })).toBe('sha1');
    expect(bankOf(null)).toBe('sha256');
  });

  it('of evidence that nobody verified are compared with what stands beside the quote', () => {
    const { registers, isVerified } = read(null, body({ pcrs: { sha256: { 0: AS_REPLAYED[0].toUpperCase() } } }));
    expect(isVerified).toBe(false);
    const ofQuote = read(null, body({ tpmQuote: { pcrs: { sha256: { 0: AS_REPLAYED[0] } } } }));
    expect(states(ofQuote.registers)).toEqual(states(registers));
    expect(states(registers)).toEqual([
      ['PCR 0', 'explained'],
      ['PCR 7', 'unquoted'],
      ['PCR 8', 'unquoted'],
    ]);
  });

  it.each<readonly [string, (info: JsonObject) => JsonValue]>([
    ['an object', (info) => info],
    ['in base64', (info) => base64url(Buffer.from(JSON.stringify(info)))],
  ])('of what an Azure guest sends are compared with the values beside its quote: %s', (_form, as) => {
    const digestOf = (value: string) => base64url(Buffer.from(value, 'hex'));
    const given = (PCRs: JsonValue): JsonObject => ({
      evidence: { value: as({ TcgLogs: base64url(LOG), TpmInfo: { PCRs } }) },
    });
    const PCRs = [
      { Index: 7, Digest: digestOf(AS_REPLAYED[0]) },
      { Index: 0, Digest: digestOf(AS_REPLAYED[0]) },
      { Index: 8, Digest: '!' },
    ];
    const { registers, isVerified, bank } = read(null, given(PCRs));
    expect({ isVerified, bank }).toEqual({ isVerified: false, bank: 'sha256' });
    expect(states(registers)).toEqual([
      ['PCR 0', 'explained'],
      ['PCR 7', 'differs'],
      ['PCR 8', 'unquoted'],
    ]);
    expect(registers[1]?.held).toBe(AS_REPLAYED[0]);
    for (const none of [[], [{ Index: '0', Digest: digestOf(AS_REPLAYED[0]) }], [null], 'AA', { Index: 0 }]) {
      expect(new Set(read(null, given(none)).registers.map(({ state }) => state))).toEqual(new Set(['unquoted']));
    }
  });

  it('agree with nothing where the log cannot be replayed', () => {
    const bad = buildEventLog([firmware, { ...loader, pcr: 24 }]);
    const given = { evidence: { eventLog: base64url(bad) } };
    const { registers, fault } = read(claims(AS_REPLAYED), given);
    expect(fault).toMatch(/extends no register: index 24/);
    expect(registers.map(({ state }) => state)).toEqual(['unquoted', 'unquoted', 'unquoted']);
  });

  it('are those of a TD where the log is its', () => {
    const events = [
      { register: 1, type: CCEL_EVENT.separator, data: new Uint8Array(4) },
      { register: 3, type: CCEL_EVENT.ipl, data: fromLatin1('linux /vmlinuz') },
    ];
    const rtmr = replayCcel(events).map(hex);
    const given = { evidence: { ccel: base64url(buildCcel(events)) } };
    const { registers, bank } = read({ tdx: { rtmr } }, given);
    expect(bank).toBe('sha384');
    expect(states(registers)).toEqual([
      ['RTMR 0', 'explained'],
      ['RTMR 1', 'untouched'],
      ['RTMR 2', 'explained'],
      ['RTMR 3', 'untouched'],
    ]);
    expect(states(read({ tdx: { rtmr: [...rtmr].reverse() } }, given).registers)).toContainEqual(['RTMR 0', 'differs']);
  });

  it('of a TD that nobody verified are those of its quote, and unquoted without one', () => {
    const events = [{ register: 1, type: CCEL_EVENT.separator, data: new Uint8Array(4) }];
    const [replayed = ZEROS] = replayCcel(events);
    const ones = new Uint8Array(48).fill(1);
    const quote = PLATFORM.quote({ fields: { rtmrs: [replayed, ones, new Uint8Array(48), ones] } });
    const ccel = base64url(buildCcel(events));
    const boot = read(null, { evidence: { ccel, quote: base64url(quote) } });
    expect([boot.isVerified, boot.bank]).toEqual([false, 'sha384']);
    expect(boot.registers.map(({ name, held, state }) => [name, held, state])).toEqual([
      ['RTMR 0', hex(replayed), 'explained'],
      ['RTMR 1', '01'.repeat(48), 'differs'],
      ['RTMR 2', '00'.repeat(48), 'untouched'],
      ['RTMR 3', '01'.repeat(48), 'unlogged'],
    ]);
    const alone = read(null, { evidence: { ccel } });
    expect([alone.isVerified, states(alone.registers)]).toEqual([false, [['RTMR 0', 'unquoted']]]);
  });

  it('are those of the first log, and of the one that goes on from it', () => {
    const more = buildEventLog([{ ...loader, pcr: 9 }]);
    const logs = (names: object) =>
      read(claims(AS_REPLAYED), { evidence: names as JsonObject }).registers.map(({ name }) => name);
    expect(logs({ eventLog: base64url(LOG), other: base64url(more) })).toEqual(['PCR 0', 'PCR 7', 'PCR 8']);
    expect(logs({ eventLog: [base64url(LOG), base64url(more)] })).toEqual(['PCR 0', 'PCR 7', 'PCR 8', 'PCR 9']);
  });

  it.each<readonly [string, (log: string) => JsonObject]>([
    ['eventLog', (log) => ({ eventLog: log })],
    ['eventLog of two', (log) => ({ eventLog: [log, log] })],
    [
      'ccel',
      () => ({ ccel: base64url(buildCcel([{ register: 1, type: CCEL_EVENT.separator, data: new Uint8Array(4) }])) }),
    ],
    ['TcgLogs of an Azure guest', (log) => ({ value: { TcgLogs: log } })],
    ['log of a request to inspect', (log) => ({ log })],
    ['event_log of ita', (log) => ({ value: { event_log: log } })],
    ['event_log of ita, version 2', (log) => ({ value: { tdx: { event_log: log } } })],
    ['value of a structure by itself', (log) => ({ value: log })],
    ['TcgLogs in base64', (log) => ({ value: base64url(Buffer.from(JSON.stringify({ TcgLogs: log }))) })],
  ])('are those of the log that stands in the place of one, whatever stands before it: %s', (_place, judged) => {
    const other = base64url(buildEventLog([{ ...separator, pcr: 9 }]));
    const given = { evidence: { another: other, ...judged(base64url(LOG)), last: other } };
    const boot = registersOf(findBytes(given), null, given);
    expect(boot?.registers.map(({ name }) => name)).not.toContain('PCR 9');
    expect(boot?.registers.length).toBeGreaterThan(0);
  });

  it('are those of a log by itself', () => {
    const file = readBytes(LOG);
    expect(registersOf(file === null ? [] : [file], null, null)?.registers.map(({ name }) => name)).toEqual([
      'PCR 0',
      'PCR 7',
      'PCR 8',
    ]);
  });

  it('are compared with the RTMRs of the quote that is judged, whatever other members hold', () => {
    const events = [{ register: 1, type: CCEL_EVENT.separator, data: new Uint8Array(4) }];
    const rtmrs = replayCcel(events) as unknown as readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    const [judged, other] = [PLATFORM.quote({ fields: { rtmrs } }), PLATFORM.quote()].map(base64url);
    const statesOf = (value: JsonObject) => {
      const evidence = { type: 'tdx', dialect: 'ita', value };
      return registersOf(findBytes({ evidence }), null, { evidence })?.registers.map(({ name, state }) => [
        name,
        state,
      ]);
    };
    const event_log = base64url(buildCcel(events));
    const [own, another] = [judged ?? '', other ?? ''];
    expect(statesOf({ user_data: another, quote: own, event_log })).toContainEqual(['RTMR 0', 'explained']);
    expect(statesOf({ user_data: own, quote: another, event_log })).toContainEqual(['RTMR 0', 'differs']);
    expect(statesOf({ user_data: own, event_log })).toEqual([['RTMR 0', 'unquoted']]);
  });

  it('are none where the log is in a member that holds anything', () => {
    const log = base64url(LOG);
    for (const evidence of [{ other: log }, { value: { ClientPayload: { nonce: log } } }, { runtimeData: log }])
      expect(registersOf(findBytes({ evidence }), claims(AS_REPLAYED), { evidence })).toBeNull();
    expect(registersOf(findBytes({ evidence: {}, eventLog: log }), claims(AS_REPLAYED), {})).toBeNull();
  });

  it('are none without an event log that can be read', () => {
    expect(registersOf([], claims(AS_REPLAYED), null)).toBeNull();
    expect(registersOf(findBytes({ eventLog: base64url(LOG.subarray(0, 90)) }), null, null)).toBeNull();
  });
});
