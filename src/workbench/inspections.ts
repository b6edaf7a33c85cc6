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

/** The notice in every inspection. */
const UNVERIFIED = { verified: false, notice: 'nothing here was verified: anyone could have written every value' };

/** Shows evidence field by field, with a notice that nothing is verified. */
export class InspectEvidence {
  readonly #eventLogBytes: number;

  /** @param eventLogBytes the longest accepted event log */
  constructor(eventLogBytes: number) {
    this.#eventLogBytes = eventLogBytes;
  }

  /** @throws {FormatError} if the evidence is malformed; for a single structure also as `kindOfStructure` */
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
 * Shows a single structure in a file, recognised by its bytes. Verifies nothing.
 *
 * @param eventLogBytes the longest accepted event log
 */
export function rawInspections(eventLogBytes: number) {
  return {
    understood: STRUCTURE_KINDS,
    nameOf: nameOfKind,
    recognise: recogniseRaw,
    remark: remarkOnRaw,
    /**
     * @param pcrs register values for the comparison with a single event log
     * @throws {FormatError} if the bytes resemble this kind but are malformed
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
 * Compares two files about boots. Verifies nothing.
 *
 * @param eventLogBytes the longest accepted event log
 */
export function bootComparisons(eventLogBytes: number) {
  return {
    /** @throws {FormatError} if the evidence is malformed; for a single structure also as `kindOfStructure` */
    read: (evidence: Inspected) => bootOfEvidence(evidence, eventLogBytes),
    /** @throws {FormatError} if the bytes resemble this kind but are malformed */
    readRaw: (bytes: Uint8Array, kind: StructureKind) => bootOfRaw(bytes, kind, IN_FILE, eventLogBytes),
    /** @throws {FormatError} `type_mismatch` if they have nothing in common */
    execute: (before: BootSource, after: BootSource): JsonObject => ({ ...UNVERIFIED, ...compareBoots(before, after) }),
  };
}

export type BootComparisons = Readonly<ReturnType<typeof bootComparisons>>;

/** The answer of an inspection: its subject, and the structures. */
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
