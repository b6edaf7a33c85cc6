import { describeEvidence } from '../inspect/describe-evidence.js';
import { describeRaw, RAW_KINDS, recogniseRaw, remarkOnRaw } from '../inspect/raw-structures.js';
import type { Evidence } from '../model/evidence.js';
import type { JsonObject } from '../model/json.js';

/** Shows what evidence says, field by field, and says of itself that it verifies nothing. */
export class InspectEvidence {
  readonly #eventLogBytes: number;

  /** @param eventLogBytes the longest event log that is read */
  constructor(eventLogBytes: number) {
    this.#eventLogBytes = eventLogBytes;
  }

  /** @throws {FormatError} where the evidence is malformed */
  execute(evidence: Evidence): JsonObject {
    return inspectionOf({ type: evidence.type }, describeEvidence(evidence, this.#eventLogBytes));
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
    recognise: recogniseRaw,
    remark: remarkOnRaw,
    /** @throws {FormatError} where bytes that look like this kind are malformed */
    execute: (bytes: Uint8Array, kind: string) =>
      inspectionOf({ takenFor: kind }, describeRaw(bytes, kind, eventLogBytes)),
  };
}

export type RawInspections = Readonly<ReturnType<typeof rawInspections>>;

/** The answer of an inspection: what was looked at, and its structures. */
function inspectionOf(what: JsonObject, structures: ReturnType<typeof describeEvidence>): JsonObject {
  return {
    verified: false,
    notice: 'nothing here was verified: anyone could have written every value',
    ...what,
    structures: structures.map(({ name, about, length, fields }) => ({
      name,
      about,
      length,
      fields: fields.map((field) => ({ ...field })),
    })),
  };
}
