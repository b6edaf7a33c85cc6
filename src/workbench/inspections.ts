import { within } from '../core/errors.js';
import type { EventLogFile, Inspected, StructureFile, StructureKind } from '../core/evidence.js';
import type { JsonObject } from '../core/json.js';
import { type BootSource, bootOfEvidence, bootOfRaw, compareBoots } from '../inspect/compare-evidence.js';
import { describeEvidence } from '../inspect/describe-evidence.js';
import { inspectEventLog } from '../inspect/inspect-event-log.js';
import {
  describeRaw,
  IN_FILE,
  inMember,
  kindOfStructure,
  nameOfKind,
  recogniseRaw,
  remarkOnRaw,
  STRUCTURE_KINDS,
  STRUCTURE_VALUE,
} from '../inspect/raw-structures.js';

/** The note of every inspection about itself. */
const UNVERIFIED = { verified: false, notice: 'nothing here was verified: anyone could have written every value' };

/** Shows what evidence says, field by field, and says of itself that it verifies nothing. */
export class InspectEvidence {
  readonly #eventLogBytes: number;

  /** @param eventLogBytes the longest event log that is read */
  constructor(eventLogBytes: number) {
    this.#eventLogBytes = eventLogBytes;
  }

  /** @throws {FormatError} where the evidence is malformed; for a structure by itself also as `kindOfStructure` */
  execute(evidence: Inspected): JsonObject {
    if (evidence.type === 'event-log') return this.#eventLog(evidence);
    if (evidence.type === 'bytes') return this.#structure(evidence);
    return inspectionOf({ type: evidence.type }, describeEvidence(evidence, this.#eventLogBytes));
  }

  #eventLog({ log, pcrs }: Omit<EventLogFile, 'type'>, about = '/log'): JsonObject {
    const inspection = within(about, () => inspectEventLog(log, pcrs, this.#eventLogBytes));
    return { ...UNVERIFIED, type: 'event-log', ...inspection };
  }

  #structure(structure: StructureFile): JsonObject {
    const { type, value } = structure;
    const kind = kindOfStructure(structure);
    if (kind === 'event-log') return this.#eventLog({ log: value, pcrs: null }, STRUCTURE_VALUE);
    const structures = within(STRUCTURE_VALUE, () => describeRaw(value, kind, inMember(STRUCTURE_VALUE)));
    return inspectionOf({ type, kind }, structures);
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
    understood: STRUCTURE_KINDS,
    nameOf: nameOfKind,
    recognise: recogniseRaw,
    remark: remarkOnRaw,
    /**
     * @param pcrs values of registers, which an event log alone is compared with
     * @throws {FormatError} where bytes that look like this kind are malformed
     */
    execute: (bytes: Uint8Array, kind: StructureKind, pcrs: EventLogFile['pcrs'] = null) => {
      const takenFor = nameOfKind(kind);
      return kind === 'event-log'
        ? { ...UNVERIFIED, takenFor, type: kind, ...inspectEventLog(bytes, pcrs, eventLogBytes) }
        : inspectionOf({ takenFor }, describeRaw(bytes, kind, IN_FILE));
    },
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
    /** @throws {FormatError} where the evidence is malformed; for a structure by itself also as `kindOfStructure` */
    read: (evidence: Inspected) => bootOfEvidence(evidence, eventLogBytes),
    /** @throws {FormatError} where bytes that look like this kind are malformed */
    readRaw: (bytes: Uint8Array, kind: StructureKind) => bootOfRaw(bytes, kind, IN_FILE, eventLogBytes),
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
    structures: structures.map(({ name, about, start, length, fields }) => ({
      name,
      about,
      start,
      length,
      fields: fields.map((field) => ({ ...field })),
    })),
  };
}
