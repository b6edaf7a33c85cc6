import { bootClaims, type RegisterCover } from '../boot/boot-claims.js';
import { type CheckedEvent, checkedEvents } from '../boot/checked-event.js';
import { parseEfiVariable } from '../boot/format/efi-variable.js';
import { parseEventLog } from '../boot/format/event-log.js';
import {
  BANK_LENGTH,
  DIGEST_ALGORITHM,
  EVENT_TYPE,
  type EventBank,
  type EventLog,
  type MeasuredEvent,
} from '../boot/format/measured-event.js';
import { loaderLabel } from '../boot/loader-text.js';
import { orderFindings } from '../boot/log-order.js';
import { type RegisterLayout, RTMR_LAYOUT } from '../boot/register-layout.js';
import { initialValue, isClosedBySystem, type Replay, replay } from '../boot/replay.js';
import { hex } from '../core/bytes.js';
import type { JsonObject, JsonValue } from '../core/json.js';
import { SHOWN_EVENTS } from './describe-event-log.js';
import { digestsByName, shownText, typeName } from './event-names.js';
import { banksOf, layoutOf, preferred } from './log-reading.js';

/** Register values for the comparison with a log: bank, then index, then value. */
export type RegisterValues = ReadonlyMap<EventBank, ReadonlyMap<number, Uint8Array>>;

/** Number of bytes that are shown in hex. */
const SHOWN_BYTES = 64;

/** Types whose digest covers all the data, or the measured part of a variable (TCG PC Client PFP, Event Types). */
const HASHED_TYPES: ReadonlySet<number> = new Set([
  EVENT_TYPE.separator,
  EVENT_TYPE.crtmVersion,
  EVENT_TYPE.variableDriverConfig,
  EVENT_TYPE.variableBoot,
  EVENT_TYPE.variableBoot2,
  EVENT_TYPE.gptEvent,
  EVENT_TYPE.efiAction,
  EVENT_TYPE.variableAuthority,
]);

/** A log, and its replay in each of its banks. */
interface Replayed {
  readonly log: EventLog;
  readonly layout: RegisterLayout;
  /** The bank for the events. */
  readonly bank: EventBank;
  readonly replays: ReadonlyMap<EventBank, Replay>;
  readonly pcrs: RegisterValues | null;
}

/**
 * Describes an event log: its events, its replay in each bank, and its faults. The given
 * register values are not verified.
 *
 * `covered` is true if the digest of an event covers its data and, with values, its register replays to its value.
 *
 * @param given register values; an empty map counts as null
 * @param maximumBytes the longest accepted log
 * @throws {FormatError} `eventlog_format`, `eventlog_limit`
 */
export function inspectEventLog(bytes: Uint8Array, given: RegisterValues | null, maximumBytes: number): JsonObject {
  const pcrs = withoutEmptyBanks(given);
  const log = parseEventLog(bytes, maximumBytes);
  const layout = layoutOf(log);
  const banks = banksOf(log);
  const replays = new Map(banks.map((bank) => [bank, replay(log.events, bank, layout)]));
  const bank = checkedBank(banks, pcrs);
  const replayed = { log, layout, bank, replays, pcrs };
  const judged = checkedEvents(log.events, bank);
  const boot = bootClaims(judged, layout, coverOf(replayed));
  const { secureBoot, ...lists } = boot.claims;
  return {
    format: log.format,
    events: log.events.slice(0, SHOWN_EVENTS).map((event) => shownEvent(event, replayed)),
    eventCount: log.events.length,
    replayed: Object.fromEntries([...replays].map(([name, { values }]) => [name, byIndex(values)])),
    secureBoot,
    boot: lists,
    problems: problemsOf(replayed, judged),
  };
}

function withoutEmptyBanks(given: RegisterValues | null): RegisterValues | null {
  const banks = [...(given ?? [])].filter(([, values]) => values.size > 0);
  return banks.length === 0 ? null : new Map(banks);
}

/** The preferred bank of the log: with values, of the common ones. */
function checkedBank(banks: readonly EventBank[], pcrs: RegisterValues | null): EventBank {
  const compared = banks.filter((bank) => pcrs?.has(bank) === true);
  return preferred(compared.length > 0 ? compared : banks) ?? 'sha256';
}

function byIndex(values: Replay['values']): JsonObject {
  return Object.fromEntries([...values].sort(([a], [b]) => a - b).map(([index, value]) => [String(index), hex(value)]));
}

function shownEvent(event: MeasuredEvent, replayed: Replayed): JsonObject {
  const { index, type, offset, digests } = event;
  return {
    index,
    type: typeName(type),
    offset,
    digests: digestsByName(digests),
    covered: isCovered(event, replayed),
    data: shownData(event),
  };
}

function shownData({ data, type }: MeasuredEvent): JsonObject {
  const variable = type === null || !VARIABLE_TYPES.has(type) ? null : parseEfiVariable(data);
  return {
    length: data.byteLength,
    text: shownText(data),
    hex: hex(data.subarray(0, SHOWN_BYTES)),
    ...(variable === null ? {} : { variable: { name: variable.name, guid: variable.guid } }),
  };
}

const VARIABLE_TYPES: ReadonlySet<number> = new Set([
  EVENT_TYPE.variableDriverConfig,
  EVENT_TYPE.variableBoot,
  EVENT_TYPE.variableBoot2,
  EVENT_TYPE.variableAuthority,
]);

function isCovered(event: MeasuredEvent, replayed: Replayed): boolean {
  const judged = checkedIn(event, replayed.bank);
  if (judged?.isCovered !== true) return false;
  return replayed.pcrs === null || coverOf(replayed)(event.index) === null;
}

function checkedIn(event: MeasuredEvent, bank: EventBank): CheckedEvent | null {
  const [[judged] = []] = [...checkedEvents([event], bank).values()];
  return judged ?? null;
}

/** Without values, only the data decides. A log that cannot be replayed to its end proves nothing about any register. */
function coverOf({ layout, bank, replays, pcrs }: Replayed): RegisterCover {
  const fault = replays.get(bank)?.fault ?? null;
  if (fault !== null) return () => ({ check: 'eventlog_replay', detail: fault.detail });
  if (pcrs === null) return () => null;
  const given = pcrs.get(bank);
  const values = replays.get(bank)?.values;
  return (index) => {
    const value = given?.get(index);
    if (value === undefined)
      return { check: 'tpm_pcr_not_quoted', detail: `no value of ${layout.name(index)} was given` };
    const replayed = values?.get(index) ?? initialValue(index, BANK_LENGTH[bank], layout);
    if (hex(replayed) === hex(value) || isClosedBySystem(replayed, hex(value), { index, bank, layout })) return null;
    return { check: 'eventlog_replay', detail: `the log does not replay to ${layout.name(index)}` };
  };
}

function problemsOf(replayed: Replayed, judged: ReadonlyMap<number, readonly CheckedEvent[]>): readonly JsonValue[] {
  const { log, layout, replays } = replayed;
  const all = log.header === null ? log.events : [log.header, ...log.events];
  return [
    ...weakBank(replayed),
    ...orderFindings(all, judged, layout)
      .filter(({ weight }) => weight !== 'note')
      .map(({ offset, index, detail }) => ({
        code: 'eventlog_order',
        ...(offset === null ? {} : { offset }),
        ...(index === null ? {} : { pcr: index }),
        detail,
      })),
    ...[...replays].flatMap(([name, { fault }]) =>
      fault === null ? [] : [{ code: 'eventlog_replay', bank: name, offset: fault.event.offset, detail: fault.detail }],
    ),
    ...differences(replayed),
    ...[...judged.values()]
      .flat()
      .filter(isAltered)
      .map(({ event: { offset, index } }) => ({
        code: 'eventlog_unverified',
        offset,
        pcr: index,
        detail: `the data of the event at offset ${offset} is not what ${layout.name(index)} was extended by`,
      })),
  ];
}

/** For a TPM only SHA-256 counts: in the log, and among the values. */
function weakBank({ log, layout, pcrs }: Replayed): readonly JsonObject[] {
  if (layout === RTMR_LAYOUT || log.events.length === 0) return [];
  if (!log.algorithms.has(DIGEST_ALGORITHM.sha256)) {
    return [{ code: 'tpm_weak_bank', detail: 'the log has no SHA-256 digests, so it is not accepted as evidence' }];
  }
  if (pcrs === null || pcrs.has('sha256')) return [];
  return [{ code: 'tpm_weak_bank', detail: 'no SHA-256 values were given, and no others are accepted as evidence' }];
}

/** Registers with a value that the log does not replay to, in every bank. */
function differences({ layout, replays, pcrs }: Replayed): readonly JsonObject[] {
  return [...(pcrs ?? [])].flatMap(([bank, given]) => {
    const found = replays.get(bank);
    if (found === undefined) {
      return [{ code: 'eventlog_replay', bank, detail: `the log has no ${bank} digests to compare values with` }];
    }
    if (found.fault !== null) return [];
    return [...given].flatMap(([index, value]) => differenceOf(bank, index, value, found.values.get(index), layout));
  });
}

function differenceOf(
  bank: EventBank,
  index: number,
  value: Uint8Array,
  replayed: Uint8Array | undefined,
  layout: RegisterLayout,
): readonly JsonObject[] {
  // For a TD, this is MRTD, which no event extends.
  if (index === 0 && layout === RTMR_LAYOUT) return [];
  if (!layout.indices.includes(index)) {
    const detail = `a TD has no register of index ${index}: 1 to 4 are RTMR 0 to 3`;
    return [{ code: 'eventlog_replay', bank, pcr: index, detail }];
  }
  const found = replayed ?? initialValue(index, BANK_LENGTH[bank], layout);
  const actual = hex(found);
  // An OS may extend these registers without the log.
  if (actual === hex(value) || (replayed === undefined && layout.ofSystem.has(index))) return [];
  if (isClosedBySystem(found, hex(value), { index, bank, layout })) return [];
  const detail = `the log does not replay to ${layout.name(index)}`;
  return [{ code: 'eventlog_replay', bank, pcr: index, expected: hex(value), actual, detail }];
}

/** Whether data differs from the measured data, for a type whose digest should cover it. */
function isAltered(judged: CheckedEvent): boolean {
  const { type, data } = judged.event;
  const isHashed = (type !== null && HASHED_TYPES.has(type)) || loaderLabel(data) !== null;
  return isHashed && !judged.isCovered;
}
