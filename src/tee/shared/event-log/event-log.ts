import { bootClaims } from '../../../boot/boot-claims.js';
import { BANK_LENGTH, type EventBank, type EventLog } from '../../../boot/format/measured-event.js';
import { type JudgedEvent, judgedEvents } from '../../../boot/judged-event.js';
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

/** Checks that an event log must have an outcome for, in the order in which they run. */
export const EVENT_LOG_CHECKS = [
  'eventlog_order',
  'eventlog_replay',
  'eventlog_unverified',
] as const satisfies readonly CheckId[];

/** The registers that a quote vouches for. */
export interface QuotedRegisters {
  readonly layout: RegisterLayout;
  readonly bank: EventBank;
  /** Lower-case hex, by the index that events have; only what was quoted. */
  readonly values: ReadonlyMap<number, string>;
}

export interface EventLogVerdict {
  /** Null where the log does not hold. */
  readonly claims: EventLogClaims | null;
  readonly gaps: EventLogGaps | null;
}

/** The verdict on an event log that fails verification. */
export const NO_EVENT_LOG: EventLogVerdict = { claims: null, gaps: null };

/** A quoted register, and what the log comes to for it. */
interface Register {
  readonly index: number;
  readonly quoted: string;
  readonly replayed: string;
  readonly hasEvents: boolean;
  /** Whether the quoted value is the replayed one, extended by the separator of systemd. */
  readonly isClosed: boolean;
}

/**
 * Compares what an event log replays to with quoted registers, and reads from it what the registers then vouch for.
 *
 * A register of the firmware must replay. One that an OS extends while it runs need not: where it does not, it is *not
 * covered*, which the check says as a warning, and nothing is claimed of it. Registers that are not in their initial
 * state although the log has no event for them are for a policy to judge.
 *
 * Nothing measures the type of an event or data whose digest is of something else: neither is relied on. Not judged:
 * the number and order of events that no rule of the specification has, what ExitBootServices returned, the boot order.
 *
 * @param logs in the order in which they extend registers: the firmware's, then that of the system
 */
export function verifyEventLog(checks: Checks, logs: readonly EventLog[], quoted: QuotedRegisters): EventLogVerdict {
  const { layout, bank } = quoted;
  const events = logs.flatMap((log) => log.events);
  const judged = judgedEvents(events, bank);
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
  judged: ReadonlyMap<number, readonly JudgedEvent[]>,
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

/** Null where the log cannot be replayed: recorded. */
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
  // An OS may extend registers without a log; an addition to a log makes the rest of that log useless.
  const isWarning = registers.some((register) => !isReplayed(register) && register.hasEvents);
  if (isWarning) checks.warn('eventlog_replay', { detail });
  else checks.pass('eventlog_replay', { detail });
  return true;
}

function isReplayed({ quoted, replayed, isClosed }: Register): boolean {
  return quoted === replayed || isClosed;
}

/** A register that an OS does not extend. Whether it may have been extended without an event can be for a policy to say. */
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

/** Facts about Secure Boot are taken from data: a log in which that data is not what was measured was changed. */
function verifyData(
  checks: Checks,
  judged: ReadonlyMap<number, readonly JudgedEvent[]>,
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
  judged: ReadonlyMap<number, readonly JudgedEvent[]>,
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
