import { FormatError } from '../../core/errors.js';
import { beginsAsRecord, isCanonicalJson, parseCanonicalEventLog } from './canonical-event-log.js';
import type { EventLog } from './measured-event.js';
import { isCryptoAgile, parseFirmwareEventLog } from './tcg-event-log.js';

/**
 * Reads an event log of any format, which its first bytes select. A log with only SHA-1 digests may begin like a Canonical
 * Event Log in TLV: such bytes are read as a SHA-1 log only if they are no Canonical Event Log.
 *
 * @throws {FormatError} `eventlog_limit`, `eventlog_format`
 */
export function parseEventLog(bytes: Uint8Array, maximumBytes: number): EventLog {
  if (isCanonicalJson(bytes)) return parseCanonicalEventLog(bytes, maximumBytes);
  if (isCryptoAgile(bytes)) return parseFirmwareEventLog(bytes, maximumBytes);
  try {
    return parseCanonicalEventLog(bytes, maximumBytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return readFirmwareLog(bytes, maximumBytes, error);
  }
}

/** @param canonical why the bytes are no Canonical Event Log: thrown if they begin like one and are no other log either */
function readFirmwareLog(bytes: Uint8Array, maximumBytes: number, canonical: FormatError): EventLog {
  try {
    return parseFirmwareEventLog(bytes, maximumBytes);
  } catch (error) {
    throw beginsAsRecord(bytes) ? canonical : error;
  }
}
