import { parseCanonicalEventLog } from '../../../boot/format/canonical-event-log.js';
import { DIGEST_ALGORITHM, type EventLog, MAXIMUM_EVENTS } from '../../../boot/format/measured-event.js';
import { parseFirmwareEventLog } from '../../../boot/format/tcg-event-log.js';
import { PCR_LAYOUT } from '../../../boot/register-layout.js';
import type { Checks } from '../../../core/check.js';
import type { TpmClaims } from '../../../core/claims.js';
import type { CheckId } from '../../../core/codes.js';
import { FormatError, within } from '../../../core/errors.js';
import type { EventLogInput } from '../../../core/evidence.js';
import type { Verified } from '../../../core/verified.js';
import { markVerified } from '../evidence/mark-verified.js';
import { EVENT_LOG_CHECKS, type EventLogVerdict, NO_EVENT_LOG, verifyEventLog } from './event-log.js';

/** JSON pointer of a vTPM's event log in a request. */
export const EVENT_LOG = '/evidence/eventLog';

/** Event logs, in the order in which they extend PCRs. */
export type VtpmEventLog = readonly EventLog[];

/** @throws {FormatError} `eventlog_format`, `eventlog_limit` */
export function readVtpmEventLog(input: EventLogInput, maximumBytes: number): VtpmEventLog {
  const [firmware, canonical] = input;
  const places = canonical === undefined ? [EVENT_LOG] : [`${EVENT_LOG}/0`, `${EVENT_LOG}/1`];
  const [first = EVENT_LOG, second = EVENT_LOG] = places;
  const log = within(first, () => parseFirmwareEventLog(firmware, maximumBytes));
  if (canonical === undefined) return [log];
  const records = within(second, () => parseCanonicalEventLog(canonical, maximumBytes));
  const count = log.events.length + records.events.length;
  if (count <= MAXIMUM_EVENTS) return [log, records];
  const message = `the event logs have ${count} events, the limit is ${MAXIMUM_EVENTS}`;
  throw new FormatError('eventlog_limit', message, { pointer: EVENT_LOG });
}

/** Checks that must have an outcome if the event log of a vTPM was sent, in the order in which they run. */
export const VTPM_EVENT_LOG_CHECKS = ['tpm_weak_bank', ...EVENT_LOG_CHECKS] as const satisfies readonly CheckId[];

/**
 * Compares the event log of a vTPM with the PCRs of its quote, and reads the boot claims.
 *
 * @param tpm claims of the quote; null if the quote could not be relied on
 */
export function verifyVtpmEventLog(
  checks: Checks,
  logs: VtpmEventLog,
  tpm: Verified<TpmClaims> | null,
): EventLogVerdict {
  const values = quotedValues(tpm);
  if (values.size === 0) {
    checks.skip(VTPM_EVENT_LOG_CHECKS, 'the quote has no PCR value that could be relied on');
    return NO_EVENT_LOG;
  }
  if (!verifyBank(checks, logs)) {
    checks.skip(EVENT_LOG_CHECKS, 'the event log has no SHA-256 digests');
    return NO_EVENT_LOG;
  }
  return verifyEventLog(checks, logs, { layout: PCR_LAYOUT, bank: 'sha256', values });
}

/** Adds the claims of the event log to the claims of a quote. */
export function withEventLog(
  tpm: Verified<TpmClaims> | null,
  { claims: eventLog }: EventLogVerdict,
): Verified<TpmClaims> | null {
  return tpm === null || eventLog === null ? tpm : markVerified({ ...tpm, eventLog });
}

function quotedValues(tpm: Verified<TpmClaims> | null): ReadonlyMap<number, string> {
  return new Map(Object.entries(tpm?.pcrs['sha256'] ?? {}).map(([index, value]) => [Number(index), value]));
}

/** Requires SHA-256 digests: SHA-1 is too weak, and digests of another bank do not match the quoted PCRs. */
function verifyBank(checks: Checks, logs: VtpmEventLog): boolean {
  const holds = logs.every(({ algorithms, events }) => events.length === 0 || algorithms.has(DIGEST_ALGORITHM.sha256));
  return checks.require(holds, 'tpm_weak_bank', {
    expected: 'sha256',
    actual: [...new Set(logs.flatMap(({ algorithms }) => [...algorithms.keys()].map(bankName)))],
    detail: 'the event log has SHA-256 digests',
    otherwise: 'the event log has no SHA-256 digests',
  });
}

function bankName(algorithm: number): string {
  const known = Object.entries(DIGEST_ALGORITHM).find(([, number]) => number === algorithm);
  return known?.[0] ?? `0x${algorithm.toString(16)}`;
}
