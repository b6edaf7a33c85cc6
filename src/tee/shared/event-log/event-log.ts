import { bootClaims } from '../../../boot/boot-claims.js';
import { type CheckedEvent, checkedEvents } from '../../../boot/checked-event.js';
import { BANK_LENGTH, type EventBank, type EventLog } from '../../../boot/format/measured-event.js';
import { orderFindings } from '../../../boot/log-order.js';
import type { RegisterLayout } from '../../../boot/register-layout.js';
import { initialValue, isClosedBySystem, replay } from '../../../boot/replay.js';
import { unverifiedEvent } from '../../../boot/secure-boot.js';
import { hex } from '../../../core/bytes.js';
import type { Checks } from '../../../core/check.js';
import type { EventLogClaims } from '../../../core/claims.js';
import type { CheckId } from '../../../core/codes.js';
import { registerNames } from '../../../core/register-names.js';
import type { AbsentClaim, EventLogGaps } from '../../../core/verification.js';

/** Checks that must have an outcome if an event log was sent, in the order in which they run. */
export const EVENT_LOG_CHECKS = [
  'eventlog_order',
  'eventlog_replay',
  'eventlog_unverified',
] as const satisfies readonly CheckId[];

/** The registers in a verified quote. */
export interface QuotedRegisters {
  readonly layout: RegisterLayout;
  readonly bank: EventBank;
  /** Lower-case hex by the index in events. Quoted registers only. */
  readonly values: ReadonlyMap<number, string>;
}

export interface EventLogVerdict {
  /** Null if the log fails verification. */
  readonly claims: EventLogClaims | null;
  readonly gaps: EventLogGaps | null;
}

/** The verdict on an event log that fails verification. */
export const NO_EVENT_LOG: EventLogVerdict = { claims: null, gaps: null };

/** A quoted register, and the value that the log replays to. */
interface Register {
  readonly index: number;
  readonly quoted: string;
  readonly replayed: string;
  readonly hasEvents: boolean;
  /** Whether the quoted value is the replayed value, extended by the separator of systemd. */
  readonly isClosed: boolean;
}

/**
 * Replays an event log, compares the result with quoted registers, and reads the boot claims that the registers cover.
 *
 * A register of the firmware must replay. A register that a running OS extends need not. If it does not replay, it is
 * *not covered*: the check is a warning, and there are no claims from it. A policy decides on registers that were
 * extended although the log has no event for them.
 *
 * Does not rely on the type of an event, which nothing measures, nor on data that its digest does not cover. Not
 * checked: the number and order of events beyond the rules of the specification, the result of ExitBootServices, the
 * boot order.
 *
 * @param logs the log of the firmware, then the log of the OS: the order in which they extend registers
 */
export function verifyEventLog(checks: Checks, logs: readonly EventLog[], quoted: QuotedRegisters): EventLogVerdict {
  const { layout, bank } = quoted;
  const events = logs.flatMap((log) => log.events);
  const judged = checkedEvents(events, bank);
  const ordered = verifyOrder(checks, logs, judged, layout);
  const registers = replayRegisters(checks, logs, quoted);
  const replays = registers !== null && compare(checks, registers, layout);
  const verified = verifyData(checks, judged, layout);
  if (registers === null || !ordered || !replays || !verified) return NO_EVENT_LOG;
  return verdict(registers, judged, quoted);
}

function verifyOrder(
  checks: Checks,
  logs: readonly EventLog[],
  judged: ReadonlyMap<number, readonly CheckedEvent[]>,
  layout: RegisterLayout,
): boolean {
  const headers = logs.flatMap(({ header }) => header ?? []);
  const found = orderFindings([...headers, ...logs.flatMap(({ events }) => events)], judged, layout);
  const [fault] = found.filter(({ weight }) => weight === 'fault');
  const details = found.map(({ detail }) => detail);
  if (fault !== undefined) checks.fail('eventlog_order', { detail: fault.detail, faults: [fault.detail] });
  else if (found.some(({ weight }) => weight === 'warning')) {
    checks.warn('eventlog_order', { detail: details.join('; '), faults: details });
  } else if (details.length === 0) checks.pass('eventlog_order');
  else checks.pass('eventlog_order', { detail: `no event is out of order; ${details.join('; ')}` });
  return fault === undefined;
}

/** Replays the registers. Records a failure and returns null if the log cannot be replayed. */
function replayRegisters(
  checks: Checks,
  logs: readonly EventLog[],
  { layout, bank, values }: QuotedRegisters,
): readonly Register[] | null {
  const { values: replayed, fault } = replay(
    logs.flatMap(({ events }) => events),
    bank,
    layout,
  );
  if (fault !== null) {
    checks.fail('eventlog_replay', { detail: fault.detail });
    return null;
  }
  const initial = (index: number) => initialValue(index, BANK_LENGTH[bank], layout);
  return [...values].map(([index, quoted]) => {
    const value = replayed.get(index) ?? initial(index);
    const isClosed = isClosedBySystem(value, quoted, { index, bank, layout });
    return { index, quoted, replayed: hex(value), hasEvents: replayed.has(index), isClosed };
  });
}

function compare(checks: Checks, registers: readonly Register[], layout: RegisterLayout): boolean {
  const wrong = registers.filter((register) => isWrong(register, layout));
  for (const { index, quoted, replayed, hasEvents } of wrong) {
    const detail = hasEvents
      ? `the log does not replay to ${layout.name(index)} of the quote`
      : `${layout.name(index)} is not zero, and the log has no event for it`;
    checks.fail('eventlog_replay', { expected: quoted, actual: replayed, detail, faults: [layout.name(index)] });
  }
  if (wrong.length > 0) return false;
  const covered = registers.filter(isReplayed);
  const closed = registers.filter(({ isClosed }) => isClosed);
  const remark = closed.length === 0 ? '' : `, with the separator of systemd in ${names(closed, layout)}`;
  const detail = `the log replays to ${names(covered, layout)} of the quote${remark}${notCovered(registers, layout)}`;
  // Without events it passes, because an OS may extend registers without logging. With events that do not replay, the
  // log of that register cannot be used.
  const isWarning = registers.some((register) => !isReplayed(register) && register.hasEvents);
  if (isWarning) checks.warn('eventlog_replay', { detail });
  else checks.pass('eventlog_replay', { detail });
  return true;
}

function isReplayed({ quoted, replayed, isClosed }: Register): boolean {
  return quoted === replayed || isClosed;
}

/**
 * Whether a mismatch is a failure. It is not for registers that an OS extends, nor if a policy may accept a missing
 * event.
 */
function isWrong(register: Register, { ofSystem, excusable }: RegisterLayout): boolean {
  return !isReplayed(register) && !ofSystem.has(register.index) && (register.hasEvents || !excusable);
}

function notCovered(registers: readonly Register[], layout: RegisterLayout): string {
  const rest = registers.filter((register) => !isReplayed(register));
  return rest.length === 0 ? '' : `; not covered by the log: ${names(rest, layout)}`;
}

function names(registers: readonly Register[], { kind, number }: RegisterLayout): string {
  return registerNames(
    kind,
    registers.map(({ index }) => number(index)),
  );
}

/**
 * Requires that the data of each Secure Boot event matches its digest, because the Secure Boot claims come from that
 * data.
 */
function verifyData(
  checks: Checks,
  judged: ReadonlyMap<number, readonly CheckedEvent[]>,
  layout: RegisterLayout,
): boolean {
  const ofSecureBoot = judged.get(layout.secureBoot) ?? [];
  const isUnprotected = ofSecureBoot.some(({ known }) => known?.kind === 'dmaProtectionOff');
  const remark = isUnprotected ? '; the firmware measured that DMA protection is off' : '';
  const detail = `the data of each event of ${layout.name(layout.secureBoot)} is what its digest is of${remark}`;
  const wrong = unverifiedEvent(ofSecureBoot, layout);
  if (wrong === null) {
    checks.pass('eventlog_unverified', { detail });
    return true;
  }
  const { offset } = wrong.event;
  const fault = `the data of the event at offset ${offset} is not what ${layout.name(layout.secureBoot)} was extended by`;
  checks.fail('eventlog_unverified', { detail: fault, faults: [fault] });
  return false;
}

function verdict(
  registers: readonly Register[],
  judged: ReadonlyMap<number, readonly CheckedEvent[]>,
  { layout, bank, values }: QuotedRegisters,
): EventLogVerdict {
  const open = registers.filter((register) => !isReplayed(register));
  const cover = (index: number): AbsentClaim | null => {
    if (!values.has(index)) {
      const register = layout.name(index);
      return { check: 'tpm_pcr_not_quoted', detail: `${register} was not quoted (${bank})`, register };
    }
    const uncovered = open.some((register) => register.index === index);
    return uncovered
      ? { check: 'eventlog_replay', detail: `${layout.name(index)} was extended by what the log does not have` }
      : null;
  };
  const { claims, ...gaps } = bootClaims(judged, layout, cover);
  const numbers = (some: readonly Register[]) => some.map(({ index }) => layout.number(index));
  const unexplained = open.filter(({ index, hasEvents }) => !hasEvents && !layout.ofSystem.has(index));
  return {
    claims: { replayed: numbers(registers.filter(isReplayed)), notCovered: numbers(open), ...claims },
    gaps: { unexplained: numbers(unexplained), ...gaps },
  };
}
