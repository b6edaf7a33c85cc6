import type { TcgEventLog } from '../../boot/format/tcg-event-log.js';
import { RTMR_LAYOUT } from '../../boot/register-layout.js';
import type { Checks } from '../../core/check.js';
import type { TdxClaims } from '../../core/claims.js';
import type { Verified } from '../../core/verified.js';
import { EVENT_LOG_CHECKS, type EventLogVerdict, verifyEventLog } from '../shared/event-log/event-log.js';

/** Checks that must have an outcome if a CCEL was sent. */
export const CCEL_CHECKS = EVENT_LOG_CHECKS;

/** Index of RTMR 0 in a CCEL. Index 0 is MRTD, which no event extends. */
const FIRST_INDEX = 1;

/**
 * Replays the SHA-384 digests of a CCEL, compares the result with the RTMRs of a quote, and reads the boot claims.
 *
 * RTMR 0 and 1 must replay, since only firmware extends them. An OS may extend RTMR 2 and 3 without logging it.
 *
 * @param rtmrs RTMRs of the quote that came with the log
 */
export function verifyCcel(checks: Checks, log: TcgEventLog, rtmrs: Verified<TdxClaims>['rtmr']): EventLogVerdict {
  const values = new Map(rtmrs.map((quoted, rtmr) => [rtmr + FIRST_INDEX, quoted]));
  return verifyEventLog(checks, [log], { layout: RTMR_LAYOUT, bank: 'sha384', values });
}
