import { checkedEvents } from '../boot/checked-event.js';
import { parseEventLog } from '../boot/format/event-log.js';
import { BANK_LENGTH, type EventBank, type EventLog, type MeasuredEvent } from '../boot/format/measured-event.js';
import { type RegisterLayout, RTMR_LAYOUT } from '../boot/register-layout.js';
import { initialValue, isClosedBySystem, replay } from '../boot/replay.js';
import { hex } from '../core/bytes.js';
import { nullIfMalformed } from '../core/errors.js';
import { isObject, type JsonValue, memberOf } from '../core/json.js';
import { decodeBase64 } from '../formats/base64.js';
import { parseStrictJson } from '../formats/strict-json.js';
import { shownText, typeName } from '../inspect/event-names.js';
import { banksOf, layoutOf, preferred } from '../inspect/log-reading.js';
import { type FoundBytes, isBootLog, isJudged, isLogOfTd, LOG_BYTES } from './structures.js';

/** An event that extended a register. Its type and text are unverified; `isCovered` says whether the digest covers its data. */
export interface RegisterEvent {
  readonly offset: number;
  readonly type: string;
  readonly text: string | null;
  readonly digest: string;
  readonly isCovered: boolean;
}

/**
 * - `explained`: the log replays to the value. - `closed`: likewise, and systemd extended it once more by its separator.
 * - `differs`: the log does not replay to it. - `unlogged`: software extends it without the log.
 * - `untouched`: it has no measurement. - `unquoted`: there is no value to compare with.
 */
export type RegisterState = 'explained' | 'closed' | 'differs' | 'unlogged' | 'untouched' | 'unquoted';

export interface Register {
  /** `PCR 7`, `RTMR 0`. */
  readonly name: string;
  readonly state: RegisterState;
  /** The value in hex; null if it is unknown. */
  readonly held: string | null;
  /** The value after replay; null if no event extends it. */
  readonly replayed: string | null;
  readonly events: readonly RegisterEvent[];
}

export interface BootRegisters {
  readonly bank: EventBank;
  /** Whether a signature covers the values: otherwise they are claims of the sender. */
  readonly isVerified: boolean;
  readonly registers: readonly Register[];
  /** Why the log cannot be replayed from some event on; null if it can be replayed to its end. */
  readonly fault: string | null;
}

/** Values of registers, by bank, then by their number in claims. */
type Held = ReadonlyMap<EventBank, ReadonlyMap<number, string>>;

/**
 * The registers of a boot with their events; null without a readable event log.
 *
 * @param found the bytes of the evidence
 * @param claims verified claims of an answer; null if nothing was verified
 * @param body the /verify body; null if there is none
 */
export function registersOf(found: readonly FoundBytes[], claims: unknown, body: JsonValue): BootRegisters | null {
  const logs = logsOfBoot(found);
  const read = logs.flatMap((log) => nullIfMalformed(() => parseEventLog(log.bytes, LOG_BYTES)) ?? []);
  const [first] = read;
  if (first === undefined) return null;
  const layout = logs.some(({ pointer }) => isLogOfTd(pointer)) ? RTMR_LAYOUT : layoutOf(first);
  const verified = heldByClaims(claims as JsonValue, layout);
  const isVerified = verified.size > 0;
  const held = isVerified ? verified : heldByEvidence(found, body, layout);
  const bank = bankOf(read, held);
  return bank === null
    ? null
    : { ...replayed({ events: read.flatMap(({ events }) => events), layout, bank }, held), bank, isVerified };
}

/** The log of the boot, and the Canonical Event Log after it. Other logs are ignored. */
function logsOfBoot(found: readonly FoundBytes[]): readonly FoundBytes[] {
  const logs = found.filter(({ kind }) => kind === 'event-log');
  const first = logs.find(isBootLog);
  if (first === undefined) return [];
  const next = first.pointer.endsWith('/0')
    ? logs.find(({ pointer }) => pointer === first.pointer.replace(/0$/, '1'))
    : undefined;
  return next === undefined ? [first] : [first, next];
}

interface Boot {
  readonly events: readonly MeasuredEvent[];
  readonly layout: RegisterLayout;
  readonly bank: EventBank;
}

function replayed(boot: Boot, held: Held): Pick<BootRegisters, 'registers' | 'fault'> {
  const { events, layout, bank } = boot;
  const { values, fault } = replay(events, bank, layout);
  const ofRegisters = eventsByRegister(boot);
  const numbers = held.get(bank);
  const shown = layout.indices.filter((index) => ofRegisters.has(index) || numbers?.has(layout.number(index)) === true);
  return {
    registers: shown.map((index) => {
      const [own, value] = [ofRegisters.get(index) ?? [], numbers?.get(layout.number(index)) ?? null];
      const replayedTo = own.length === 0 ? null : (values.get(index) ?? null);
      return {
        name: layout.name(index),
        state: fault === null ? stateOf(boot, index, value, replayedTo) : 'unquoted',
        held: value,
        replayed: replayedTo === null ? null : hex(replayedTo),
        events: own,
      };
    }),
    fault: fault?.detail ?? null,
  };
}

function stateOf(
  { layout, bank }: Boot,
  index: number,
  held: string | null,
  replayedTo: Uint8Array | null,
): RegisterState {
  if (held === null) return 'unquoted';
  const initial = initialValue(index, BANK_LENGTH[bank], layout);
  if (held === hex(replayedTo ?? initial)) return replayedTo === null ? 'untouched' : 'explained';
  if (isClosedBySystem(replayedTo ?? initial, held, { index, bank, layout })) return 'closed';
  return replayedTo === null && layout.ofSystem.has(index) ? 'unlogged' : 'differs';
}

function eventsByRegister({ events, bank }: Boot): ReadonlyMap<number, readonly RegisterEvent[]> {
  const judged = [...checkedEvents(events, bank)];
  return new Map(
    judged.map(([index, own]) => [
      index,
      own.map(({ event, digest, isCovered }) => ({
        offset: event.offset,
        type: typeName(event.type),
        text: shownText(event.data),
        digest: hex(digest),
        isCovered,
      })),
    ]),
  );
}

/** The preferred bank that the log and the values have; without values, that of the log. */
function bankOf(logs: readonly EventLog[], held: Held): EventBank | null {
  const inAll = logs.map(banksOf).reduce((common, banks) => common.filter((bank) => banks.includes(bank)));
  return preferred(inAll.filter((bank) => held.has(bank))) ?? preferred(inAll);
}

/** Values of a verified quote or report. */
function heldByClaims(claims: JsonValue | undefined, layout: RegisterLayout): Held {
  if (layout !== RTMR_LAYOUT) return heldInBanks(memberOf(memberOf(claims, 'tpm'), 'pcrs'));
  const rtmr = memberOf(memberOf(claims, 'tdx'), 'rtmr');
  return Array.isArray(rtmr) ? ofRtmrs(rtmr.map(String)) : new Map();
}

/** Values of an unverified quote, or of the members beside it. */
function heldByEvidence(found: readonly FoundBytes[], body: JsonValue, layout: RegisterLayout): Held {
  if (layout !== RTMR_LAYOUT) {
    const evidence = memberOf(body, 'evidence');
    // For a single event log, evidence in native form, or the one dialect with a log of a vTPM.
    const native = memberOf(evidence, 'pcrs') ?? memberOf(memberOf(evidence, 'tpmQuote'), 'pcrs');
    return native === undefined ? heldByGuest(memberOf(evidence, 'value')) : heldInBanks(native);
  }
  const fields = found
    .filter(isJudged)
    .flatMap(({ structures }) => structures.flatMap((structure) => structure.fields));
  const values = [0, 1, 2, 3].map((number) => fields.find(({ name }) => name === `RTMR${number}`)?.value);
  return values.every((value) => typeof value === 'string') ? ofRtmrs(values.map(String)) : new Map();
}

/** Dialect `azure-guest`, whose value may be JSON in base64: SHA-256 values by index. */
function heldByGuest(value: JsonValue | undefined): Held {
  const info = typeof value === 'string' ? nullIfMalformed(() => parseStrictJson(decodeBase64(value))) : value;
  const pcrs = memberOf(memberOf(info ?? undefined, 'TpmInfo'), 'PCRs');
  if (!Array.isArray(pcrs)) return new Map();
  const values = pcrs.flatMap((pcr) => {
    const [index, digest] = [memberOf(pcr, 'Index'), memberOf(pcr, 'Digest')];
    if (typeof index !== 'number' || typeof digest !== 'string') return [];
    const bytes = nullIfMalformed(() => decodeBase64(digest));
    return bytes === null ? [] : [[index, hex(bytes)] as const];
  });
  return values.length === 0 ? new Map() : new Map([['sha256', new Map(values)]]);
}

function ofRtmrs(values: readonly string[]): Held {
  return new Map([['sha384', new Map(values.map((value, number) => [number, value.toLowerCase()]))]]);
}

function heldInBanks(banks: JsonValue | undefined): Held {
  return new Map(
    (Object.keys(BANK_LENGTH) as EventBank[]).flatMap((bank) => {
      const values = memberOf(banks, bank);
      if (!isObject(values)) return [];
      const byNumber = Object.entries(values).map(
        ([number, value]) => [Number(number), String(value).toLowerCase()] as const,
      );
      return byNumber.length === 0 ? [] : [[bank, new Map(byNumber)] as const];
    }),
  );
}
