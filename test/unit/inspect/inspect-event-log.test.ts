import { describe, expect, it } from 'vitest';
import type { EventBank } from '../../../src/boot/format/measured-event.js';
import type { JsonObject } from '../../../src/core/json.js';
import { inspectEventLog, type RegisterValues } from '../../../src/inspect/inspect-event-log.js';
import { formatErrorOf } from '../../format-error-of.js';
import { joinBytes, littleEndian } from '../../lab/byte-patch.js';
import { buildEventLog, grubBoot, replayEvents, systemSeparators } from '../../lab/event-log-builder.js';
import { buildCcel, labCcelEvents } from '../../lab/index.js';
import { applyRecipe, haveVectors, readVector, recipes, vector, vectors } from '../../vectors.js';
import { buildTpmLog, DATABASE_GUID, efiVariable, hashOf, type LogEvent, latin1 } from './tpm-log.js';

const LIMIT = 2 ** 20;

type Values = { readonly [bank in EventBank]?: { readonly [index: string]: string } };

interface Shown {
  readonly format: string;
  readonly events: readonly (JsonObject & { readonly covered: boolean; readonly offset: number })[];
  readonly eventCount: number;
  readonly replayed: Values;
  readonly secureBoot: boolean | null;
  readonly boot: JsonObject;
  readonly problems: readonly {
    readonly code: string;
    readonly offset?: number;
    readonly pcr?: number;
    readonly bank?: string;
    readonly expected?: string;
    readonly actual?: string;
    readonly detail: string;
  }[];
}

function inspect(log: Uint8Array, values: Values | null = null): Shown {
  return inspectEventLog(log, values === null ? null : registers(values), LIMIT) as unknown as Shown;
}

function registers(values: Values): RegisterValues {
  return new Map(
    Object.entries(values).map(([bank, of]) => [
      bank as EventBank,
      new Map(Object.entries(of).map(([index, value]) => [Number(index), Buffer.from(value, 'hex')])),
    ]),
  );
}

it('finds nothing wrong with registers that systemd closed by its separator', () => {
  const boot = grubBoot();
  const held = [...replayEvents([...boot, ...systemSeparators().filter(({ pcr }) => pcr !== 9)], 'sha256')];
  const values = Object.fromEntries(held.map(([index, value]) => [`${index}`, Buffer.from(value).toString('hex')]));
  const shown = inspect(buildEventLog(boot), { sha256: values });
  expect(shown.problems).toEqual([]);
  expect(shown.secureBoot).toBe(true);
});

const SEPARATOR = new Uint8Array(4);
const TYPE = {
  noAction: 3,
  separator: 4,
  ipl: 0xd,
  variable: 0x80000001,
  application: 0x80000003,
  authority: 0x800000e0,
};

function secureBootEvents(value: Uint8Array): readonly LogEvent[] {
  const of = (name: string, contents: Uint8Array, guid?: string) => ({
    index: 7,
    type: TYPE.variable,
    data: efiVariable(name, contents, guid),
  });
  return [
    of('SecureBoot', value),
    of('PK', latin1('pk')),
    of('KEK', latin1('kek')),
    of('db', latin1('db'), DATABASE_GUID),
    of('dbx', latin1('dbx'), DATABASE_GUID),
    { index: 7, type: TYPE.separator, data: SEPARATOR },
    { index: 7, type: TYPE.authority, data: efiVariable('db', latin1('authority'), DATABASE_GUID) },
  ];
}

const BOOT: readonly LogEvent[] = [
  ...secureBootEvents(Uint8Array.of(1)),
  { index: 4, type: TYPE.separator, data: SEPARATOR },
  { index: 4, type: TYPE.application, data: latin1('path of shim'), hashed: latin1('shim') },
  { index: 8, type: TYPE.ipl, data: latin1('kernel_cmdline: /vmlinuz ro\0'), hashed: latin1('/vmlinuz ro') },
];
const LOG = buildTpmLog(BOOT, ['sha1', 'sha256']);

describe('an event log by itself', () => {
  it('is shown event by event, replayed in every bank, with what it says of the boot', () => {
    const shown = inspect(LOG);
    expect(shown).toMatchObject({ format: 'crypto-agile', eventCount: 10, secureBoot: true, problems: [] });
    expect(Object.keys(shown.replayed)).toEqual(['sha1', 'sha256']);
    expect(shown.replayed.sha256?.['8']).toBe(
      Buffer.from(hashOf('sha256', new Uint8Array(32), hashOf('sha256', latin1('/vmlinuz ro')))).toString('hex'),
    );
    expect(shown.events[0]).toEqual({
      index: 7,
      type: 'EV_EFI_VARIABLE_DRIVER_CONFIG',
      offset: 69,
      digests: {
        sha1: Buffer.from(hashOf('sha1', efiVariable('SecureBoot', Uint8Array.of(1)))).toString('hex'),
        sha256: Buffer.from(hashOf('sha256', efiVariable('SecureBoot', Uint8Array.of(1)))).toString('hex'),
      },
      covered: true,
      data: {
        length: 53,
        text: null,
        hex: Buffer.from(efiVariable('SecureBoot', Uint8Array.of(1))).toString('hex'),
        variable: { name: 'SecureBoot', guid: '8be4df61-93ca-11d2-aa0d-00e098032b8c' },
      },
    });
    expect(shown.events.map(({ covered }) => covered)).toEqual([...Array(8).fill(true), false, true]);
    expect(shown.boot).toMatchObject({ commandLines: ['/vmlinuz ro'] });
  });

  it.each<[string, Values]>([
    ['no bank', {}],
    ['banks without values', { sha1: {}, sha256: {} }],
    ['a bank without values that the log lacks', { sha384: {} }],
  ])('is not compared with %s', (_name, values) => {
    expect(inspect(LOG, values)).toEqual(inspect(LOG));
  });

  it('of a TD has no registers but RTMRs to compare values with', () => {
    const ccel = buildCcel(labCcelEvents());
    const problems = (index: string) =>
      inspect(ccel, { sha384: { [index]: 'ab'.repeat(48) } }).problems.filter(({ code }) => code === 'eventlog_replay');
    const detail = 'a TD has no register of index 7: 1 to 4 are RTMR 0 to 3';
    expect(problems('7')).toEqual([{ code: 'eventlog_replay', bank: 'sha384', pcr: 7, detail }]);
    expect(problems('2')).toMatchObject([{ pcr: 2, expected: 'ab'.repeat(48) }]);
    expect(problems('0')).toEqual([]);
  });

  it('lists 256 events, and counts all', () => {
    const shown = inspect(buildTpmLog(Array(300).fill({ index: 10, type: TYPE.ipl, data: latin1('x') })));
    expect([shown.events.length, shown.eventCount]).toEqual([256, 300]);
  });

  it('has Secure Boot off, and null where the variable is empty, longer, another value, or there twice', () => {
    const stateOf = (...values: readonly Uint8Array[]) =>
      inspect(
        buildTpmLog(
          values
            .flatMap((value, index) => secureBootEvents(value).slice(0, index === 0 ? 7 : 1))
            .toSorted((a, b) => Number(a.type !== TYPE.variable) - Number(b.type !== TYPE.variable)),
        ),
      ).secureBoot;
    expect(stateOf(Uint8Array.of(1))).toBe(true);
    expect(stateOf(Uint8Array.of(0))).toBe(false);
    expect(stateOf(new Uint8Array())).toBeNull();
    expect(stateOf(Uint8Array.of(1, 0))).toBeNull();
    expect(stateOf(Uint8Array.of(2))).toBeNull();
    expect(stateOf(Uint8Array.of(1), Uint8Array.of(1))).toBeNull();
  });

  it('has the bytes that start data, cut, and a text cut where it is long', () => {
    const [event] = inspect(buildTpmLog([{ index: 8, type: TYPE.ipl, data: latin1('a'.repeat(1000)) }])).events;
    expect(event?.['data']).toEqual({ length: 1000, text: `${'a'.repeat(256)}…`, hex: '61'.repeat(64) });
  });

  it.each<[string, Uint8Array, string]>([
    ['no bytes', new Uint8Array(), 'eventlog_limit'],
    ['bytes that are none', latin1('not an event log'), 'eventlog_format'],
    ['a log that ends in an event', LOG.subarray(0, -1), 'eventlog_format'],
    [
      'an algorithm that the header does not name',
      buildTpmLog(BOOT.map((event) => ({ ...event, digests: [{ algorithm: 0x12, value: new Uint8Array(32) }] }))),
      'eventlog_format',
    ],
  ])('is refused: %s', (_what, log, code) => {
    expect(formatErrorOf(() => inspect(log)).code).toBe(code);
  });
});

describe('formats', () => {
  const digest = hashOf('sha256', latin1('systemd'));

  it('TLV: a Canonical Event Log', () => {
    const tlv = (type: number, value: Uint8Array) =>
      joinBytes(Uint8Array.of(type), littleEndian(value.byteLength, 4).toReversed(), value);
    const log = joinBytes(
      tlv(0, Uint8Array.of(0)),
      tlv(1, Uint8Array.of(11)),
      tlv(3, tlv(0x0b, digest)),
      tlv(80, latin1('systemd')),
    );
    const shown = inspect(log);
    expect(shown).toMatchObject({ format: 'cel-tlv', eventCount: 1, secureBoot: null, problems: [] });
    expect(shown.events[0]).toMatchObject({ index: 11, type: 'CEL record', offset: 0, covered: true });
    expect(Object.keys(shown.replayed.sha256 ?? {})).toEqual(['11']);
  });

  it('JSON: a Canonical Event Log as systemd writes it', () => {
    const record = {
      pcr: 11,
      digests: [{ hashAlg: 'sha256', digest: Buffer.from(digest).toString('hex') }],
      content_type: 'systemd',
      content: { string: 'systemd' },
    };
    const shown = inspect(latin1(`\u001e${JSON.stringify(record)}\n`));
    expect(shown).toMatchObject({ format: 'cel-json', eventCount: 1, problems: [] });
    expect(shown.events[0]).toMatchObject({ index: 11, covered: true, data: { text: 'systemd' } });
  });

  it('SHA-1 alone: said as one problem beside others', () => {
    const event = (type: number, data: Uint8Array) =>
      joinBytes(
        littleEndian(4, 4),
        littleEndian(type, 4),
        hashOf('sha1', latin1('other')),
        littleEndian(data.byteLength, 4),
        data,
      );
    const shown = inspect(event(TYPE.separator, SEPARATOR));
    expect(shown.format).toBe('sha1-only');
    expect(shown.problems.map(({ code }) => code)).toEqual(['tpm_weak_bank', 'eventlog_unverified']);
    expect(Object.keys(shown.replayed)).toEqual(['sha1']);
  });
});

describe('values of registers', () => {
  const replayed = inspect(LOG).replayed;

  it('that the log replays to leave what is covered by its data covered', () => {
    const shown = inspect(LOG, replayed);
    expect([shown.secureBoot, shown.problems]).toEqual([true, []]);
    expect(shown.events).toEqual(inspect(LOG).events);
  });

  it('that it does not replay to: the events of that register are not covered, and the problem has both', () => {
    const expected = 'ab'.repeat(32);
    const shown = inspect(LOG, { sha256: { ...replayed.sha256, '7': expected } });
    expect(shown.secureBoot).toBeNull();
    expect(shown.problems).toEqual([
      {
        code: 'eventlog_replay',
        bank: 'sha256',
        pcr: 7,
        expected,
        actual: replayed.sha256?.['7'],
        detail: 'the log does not replay to PCR 7',
      },
    ]);
    expect(shown.events.slice(0, 8).map(({ covered }) => covered)).toEqual([...Array(7).fill(false), true]);
  });

  it('that are not there: events of that register are not covered', () => {
    const shown = inspect(LOG, { sha256: { '4': replayed.sha256?.['4'] ?? '' } });
    expect([shown.secureBoot, shown.problems]).toEqual([null, []]);
    expect(shown.events.map(({ covered }) => covered)).toEqual([...Array(7).fill(false), true, false, false]);
  });

  it('of registers without events: the firmware has none that is not at its start, an OS may', () => {
    const other = 'cd'.repeat(32);
    expect(inspect(LOG, { sha256: { '2': other, '10': other, '16': other } }).problems).toMatchObject([
      { code: 'eventlog_replay', pcr: 2, expected: other, actual: '00'.repeat(32) },
    ]);
    expect(inspect(LOG, { sha256: { '2': '00'.repeat(32), '17': 'ff'.repeat(32) } }).problems).toEqual([]);
  });

  it('of SHA-1 alone judge in that bank, and are weak', () => {
    const shown = inspect(LOG, { sha1: replayed.sha1 ?? {} });
    expect(shown.problems.map(({ code }) => code)).toEqual(['tpm_weak_bank']);
    expect(shown.events[0]?.covered).toBe(true);
  });

  it('of a bank that the log does not have cannot be compared, which is said', () => {
    const shown = inspect(LOG, { sha384: { '7': 'ab'.repeat(48) } });
    expect(shown.problems.map(({ code, bank }) => [code, bank])).toEqual([
      ['tpm_weak_bank', undefined],
      ['eventlog_replay', 'sha384'],
    ]);
    expect(shown.events.some(({ covered }) => covered)).toBe(false);
  });

  it('a log that lacks a digest covers no register in that bank', () => {
    const lacking: LogEvent = {
      index: 5,
      type: TYPE.ipl,
      data: latin1('x'),
      digests: [{ algorithm: 4, value: new Uint8Array(20) }],
    };
    const shown = inspect(buildTpmLog([...BOOT, lacking], ['sha1', 'sha256']), replayed);
    expect(shown.problems).toMatchObject([{ code: 'eventlog_replay', bank: 'sha256' }]);
    expect(shown.secureBoot).toBeNull();
    expect(shown.events.some(({ covered }) => covered)).toBe(false);
  });
});

/** Codes that are right for the reason of a recipe. */
const CODES: { readonly [reason: string]: readonly string[] } = {
  'eventlog-parse': ['eventlog_format', 'eventlog_limit'],
  'eventlog-pcr-mismatch': ['eventlog_replay', 'eventlog_order'],
  'eventlog-data-digest-mismatch': ['eventlog_unverified'],
};

describe.skipIf(!haveVectors)('real event logs', () => {
  const logs = haveVectors ? vectors('tpm-eventlog') : [];
  const fileOf = (id: string) => vector(id).files.find((file) => /evlog|ccel-data/.test(file)) ?? '';

  it('there are some', () => {
    expect(logs.length).toBeGreaterThan(10);
  });

  it.each(logs.map((log) => [log.id, log] as const))('%s replays to what was recorded', (id, { expect: { facts } }) => {
    const shown = inspect(readVector(fileOf(id)), facts.replayedPcrs);
    expect(shown.replayed).toEqual(facts.replayedPcrs);
    expect(shown.format).toBe(facts.log.format);
    const isWeak = facts.replayedPcrs.sha256 === undefined && id !== 'evlog-ccel-grub';
    expect(shown.problems.map(({ code }) => code)).toEqual(isWeak ? ['tpm_weak_bank'] : []);
    const isEmpty = (facts.secureBoot?.valueHex ?? '') === '';
    expect(shown.secureBoot).toBe(isEmpty ? null : facts.secureBoot.enabled);
  });

  it('that of a TD replays to what its quote has', () => {
    const { facts } = vector('tdx-v4-with-ccel').expect;
    const rtmrs = { '1': facts.rtmr0, '2': facts.rtmr1, '3': facts.rtmr2, '4': facts.rtmr3, '0': facts.mrTd };
    const shown = inspect(readVector(fileOf('tdx-v4-with-ccel')), { sha384: rtmrs });
    expect(shown.problems).toEqual([]);
    expect(shown.replayed.sha384).toEqual({ '1': facts.rtmr0, '2': facts.rtmr1, '3': facts.rtmr2 });
  });

  const changed = haveVectors
    ? recipes('tpm-eventlog', 'tdx').filter(({ id }) => id >= 'neg-s-251' && id <= 'neg-s-264')
    : [];

  it('fourteen recipes change one', () => {
    expect(changed).toHaveLength(14);
  });

  it.each(changed.map((recipe) => [`${recipe.id}: ${recipe.field}`, recipe] as const))('%s', (_name, recipe) => {
    const { replayedPcrs, rtmr0, rtmr1, rtmr2, rtmr3 } = vector(recipe.base).expect.facts;
    const values = replayedPcrs ?? { sha384: { '1': rtmr0, '2': rtmr1, '3': rtmr2, '4': rtmr3 } };
    const log = applyRecipe(recipe, fileOf(recipe.base));
    const codes = CODES[recipe.expectedReason] ?? [];
    if (recipe.expectedReason === 'eventlog-parse') {
      expect(codes).toContain(formatErrorOf(() => inspect(log, values)).code);
      return;
    }
    const { problems } = inspect(log, values);
    expect(problems.filter(({ code }) => codes.includes(code))).not.toEqual([]);
    if (recipe.base.endsWith('sha1')) expect(problems.map(({ code }) => code)).toContain('tpm_weak_bank');
    if (!recipe.expectedReason.endsWith('pcr-mismatch')) return;
    const pcrs = problems.flatMap(({ code, pcr, expected }) => (code === 'eventlog_replay' ? [[pcr, expected]] : []));
    for (const [pcr, expected] of pcrs)
      expect(Object.values(values).map((of) => (of as Values['sha1'])?.[`${pcr}`])).toContain(expected);
    expect(pcrs.length).toBeGreaterThan(0);
  });
});
