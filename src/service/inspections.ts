import { describeEvidence } from '../inspect/describe-evidence.js';
import { describeRaw, RAW_KINDS, recogniseRaw, remarkOnRaw } from '../inspect/raw-structures.js';
import type { Evidence } from '../model/evidence.js';
import type { JsonObject } from '../model/json.js';
import type { InspectEvidenceUseCase, InspectRawUseCase } from './use-cases.js';

/** Shows what evidence says, and says of itself that it verifies nothing. */
export class InspectEvidence implements InspectEvidenceUseCase {
  readonly #eventLogBytes: number;

  /** @param eventLogBytes the longest event log that is read */
  constructor(eventLogBytes: number) {
    this.#eventLogBytes = eventLogBytes;
  }

  execute(evidence: Evidence): JsonObject {
    return inspectionOf({ type: evidence.type }, describeEvidence(evidence, this.#eventLogBytes));
  }
}

/** Shows what a single structure says that lies in a file by itself. */
export class InspectRaw implements InspectRawUseCase {
  readonly understood = RAW_KINDS;
  readonly #eventLogBytes: number;

  /** @param eventLogBytes the longest event log that is read */
  constructor(eventLogBytes: number) {
    this.#eventLogBytes = eventLogBytes;
  }

  recognise(bytes: Uint8Array): readonly string[] {
    return recogniseRaw(bytes);
  }

  remark(bytes: Uint8Array): string | null {
    return remarkOnRaw(bytes);
  }

  execute(bytes: Uint8Array, kind: string): JsonObject {
    return inspectionOf({ takenFor: kind }, describeRaw(bytes, kind, this.#eventLogBytes));
  }
}

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
