import { hex, sha384 } from '../../crypto/digest.js';
import { isZero } from '../../formats/byte-reader.js';
import {
  DIGEST_ALGORITHM,
  digestUnder,
  EVENT_TYPE,
  type TcgEvent,
  type TcgEventLog,
} from '../../formats/tcg-event-log.js';
import type { Checks } from '../../model/check.js';
import type { TdxClaims } from '../../model/claims.js';
import type { CheckId } from '../../model/codes.js';
import type { Verified } from '../../model/verified.js';

/** Checks that a CCEL must have an outcome for. */
export const CCEL_CHECKS = ['eventlog_order', 'eventlog_replay'] as const satisfies readonly CheckId[];

/** Index of RTMR 0 in a CCEL. 0 is MRTD, which no event extends. */
const FIRST_INDEX = 1;

/**
 * RTMRs that an OS extends while it runs and that firmware may never touch: 2 takes what PCR 8 to 15 take on a TPM, 3 is
 * for applications (UEFI 2.10, 38.4.1). A log without events for one says nothing of it.
 */
const EXTENDED_BY_OS: ReadonlySet<number> = new Set([2, 3]);

const SEPARATOR_LENGTH = 4;
/** SHA-384. */
const RTMR_LENGTH = 48;

interface Register {
  readonly rtmr: number;
  readonly quoted: string;
  value: Uint8Array;
  events: number;
}

/**
 * Compares what the SHA-384 digests of a CCEL replay to with the RTMRs of a quote.
 *
 * That holds for registers that the log has events for, for those that are zero without, and for RTMR 0 and 1, which
 * firmware alone starts. RTMR 2 or 3 that is extended but has no events is *not covered*: the check says so by name.
 * A register with events must replay to its value, so that a log is of no use once an OS has added to what it covers.
 *
 * Not judged, since nothing is taken from a log: event data other than a separator's and whether digests are of it,
 * types other than EV_NO_ACTION and EV_SEPARATOR, the order of Secure Boot's variables, a separator's error value.
 * Several separators in one register are right: RTMRs have what several PCRs have on a TPM.
 *
 * @param rtmrs of the quote that came with the log
 */
export function verifyCcel(checks: Checks, log: TcgEventLog, rtmrs: Verified<TdxClaims>['rtmr']): void {
  verifyOrder(checks, log);
  const registers = rtmrs.map((quoted, rtmr) => ({ rtmr, quoted, value: new Uint8Array(RTMR_LENGTH), events: 0 }));
  if (replay(checks, log, registers)) compare(checks, registers);
}

/** What is no measurement has no digest, and a separator no message. */
function verifyOrder(checks: Checks, { header, events }: TcgEventLog): void {
  const wrong = [header, ...events].find((event) => isMeasuredNoAction(event) || isOddSeparator(event));
  checks.require(wrong === undefined, 'eventlog_order', {
    otherwise:
      wrong?.type === EVENT_TYPE.noAction
        ? `the event at offset ${wrong.offset} extends nothing and has a digest`
        : `the event at offset ${wrong?.offset} does not have the form of a separator`,
  });
}

function isMeasuredNoAction({ type, digests }: TcgEvent): boolean {
  return type === EVENT_TYPE.noAction && !digests.every(({ value }) => isZero(value));
}

/** Zeros, or FF for an error of the firmware. */
function isOddSeparator({ type, data }: TcgEvent): boolean {
  if (type !== EVENT_TYPE.separator) return false;
  return (
    data.byteLength !== SEPARATOR_LENGTH || !data.every((byte) => byte === data[0] && (byte === 0 || byte === 0xff))
  );
}

/** Extends the registers by every event. False where the log cannot be replayed: recorded. */
function replay(checks: Checks, { events }: TcgEventLog, registers: readonly Register[]): boolean {
  // value and digest side by side: hashing one part takes half the time of hashing two, and a log has thousands
  const extended = new Uint8Array(2 * RTMR_LENGTH);
  for (const event of events) {
    if (event.type === EVENT_TYPE.noAction) continue;
    const register = registers[event.index - FIRST_INDEX];
    const digest = digestUnder(event, DIGEST_ALGORITHM.sha384);
    if (register === undefined || digest === null) {
      checks.fail('eventlog_replay', unreplayable(event, register));
      return false;
    }
    extended.set(register.value);
    extended.set(digest, RTMR_LENGTH);
    register.value = sha384(extended);
    register.events++;
  }
  return true;
}

function unreplayable({ offset }: TcgEvent, register: Register | undefined) {
  return register === undefined
    ? { expected: '1 to 4', detail: `the event at offset ${offset} extends no RTMR` }
    : { detail: `the event at offset ${offset} has no SHA-384 digest` };
}

function compare(checks: Checks, registers: readonly Register[]): void {
  const covered = registers.filter((register) => !isUncovered(register));
  const wrong = covered.filter(({ value, quoted }) => hex(value) !== quoted);
  for (const { rtmr, quoted, value, events } of wrong) {
    const without = `RTMR ${rtmr} is not zero, and the log has no event for it`;
    const detail = events === 0 ? without : `the log does not replay to RTMR ${rtmr} of the quote`;
    checks.fail('eventlog_replay', { expected: quoted, actual: hex(value), detail });
  }
  if (wrong.length > 0) return;
  const uncovered = registers.filter(isUncovered);
  const rest = uncovered.length === 0 ? '' : `; not covered by the log: ${namesOf(uncovered)}`;
  checks.pass('eventlog_replay', { detail: `the log replays to ${namesOf(covered)} of the quote${rest}` });
}

function isUncovered({ rtmr, quoted, value, events }: Register): boolean {
  return EXTENDED_BY_OS.has(rtmr) && events === 0 && hex(value) !== quoted;
}

function namesOf(registers: readonly Register[]): string {
  return registers.map(({ rtmr }) => `RTMR ${rtmr}`).join(', ');
}
