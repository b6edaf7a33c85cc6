import { type BootSource, bootOf, bootOfLog, bootOfStructures, compareBoots } from '../inspect/compare-evidence.js';
import { describeEvidence } from '../inspect/describe-evidence.js';
import { inspectEventLog } from '../inspect/inspect-event-log.js';
import { describeRaw, EVENT_LOG, RAW_KINDS, recogniseRaw, remarkOnRaw } from '../inspect/raw-structures.js';
import { within } from '../model/errors.js';
import type { EventLogFile, Evidence } from '../model/evidence.js';
import type { JsonObject } from '../model/json.js';

/** What every inspection says of itself. */
const UNVERIFIED = { verified: false, notice: 'nothing here was verified: anyone could have written every value' };

/** Shows what evidence says, field by field, and says of itself that it verifies nothing. */
export class InspectEvidence {
  readonly #eventLogBytes: number;

  /** @param eventLogBytes the longest event log that is read */
  constructor(eventLogBytes: number) {
    this.#eventLogBytes = eventLogBytes;
  }

  /** @throws {FormatError} where the evidence is malformed */
  execute(evidence: Evidence | EventLogFile): JsonObject {
    if (evidence.type === 'event-log') return this.#eventLog(evidence);
    return inspectionOf({ type: evidence.type }, describeEvidence(evidence, this.#eventLogBytes));
  }

  #eventLog({ type, log, pcrs }: EventLogFile): JsonObject {
    return { ...UNVERIFIED, type, ...within('/log', () => inspectEventLog(log, pcrs, this.#eventLogBytes)) };
  }
}

export type InspectEvidenceUseCase = Pick<InspectEvidence, 'execute'>;

/**
 * Shows what a single structure says that lies in a file by itself, which its bytes have to tell. Verifies nothing.
 *
 * @param eventLogBytes the longest event log that is read
 */
export function rawInspections(eventLogBytes: number) {
  return {
    understood: RAW_KINDS,
    isEventLog: (kind: string) => kind === EVENT_LOG,
    recognise: recogniseRaw,
    remark: remarkOnRaw,
    /**
     * @param pcrs values of registers, which an event log alone is compared with
     * @throws {FormatError} where bytes that look like this kind are malformed
     */
    execute: (bytes: Uint8Array, kind: string, pcrs: EventLogFile['pcrs'] = null) =>
      kind === EVENT_LOG
        ? { ...UNVERIFIED, takenFor: kind, type: 'event-log', ...inspectEventLog(bytes, pcrs, eventLogBytes) }
        : inspectionOf({ takenFor: kind }, describeRaw(bytes, kind, eventLogBytes)),
  };
}

export type RawInspections = Readonly<ReturnType<typeof rawInspections>>;

/**
 * Compares what two files say of a boot. Verifies nothing.
 *
 * @param eventLogBytes the longest event log that is read
 */
export function bootComparisons(eventLogBytes: number) {
  return {
    /** @throws {FormatError} where the evidence is malformed */
    read: (evidence: Evidence | EventLogFile) => bootOf(evidence, eventLogBytes),
    /** @throws {FormatError} where bytes that look like this kind are malformed */
    readRaw: (bytes: Uint8Array, kind: string) =>
      kind === EVENT_LOG ? bootOfLog(bytes, eventLogBytes) : bootOfStructures(describeRaw(bytes, kind, eventLogBytes)),
    /** @throws {FormatError} `type_mismatch` where there is nothing that both have */
    execute: (before: BootSource, after: BootSource): JsonObject => ({ ...UNVERIFIED, ...compareBoots(before, after) }),
  };
}

export type BootComparisons = Readonly<ReturnType<typeof bootComparisons>>;

/** The answer of an inspection: what was looked at, and its structures. */
function inspectionOf(what: JsonObject, structures: ReturnType<typeof describeEvidence>): JsonObject {
  return {
    ...UNVERIFIED,
    ...what,
    structures: structures.map(({ name, about, length, fields }) => ({
      name,
      about,
      length,
      fields: fields.map((field) => ({ ...field })),
    })),
  };
}
