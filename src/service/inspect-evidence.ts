import { describeEvidence } from '../inspect/describe-evidence.js';
import type { Evidence } from '../model/evidence.js';
import type { JsonObject } from '../model/json.js';
import type { InspectEvidenceUseCase } from './use-cases.js';

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

/** The answer of an inspection: what was looked at, and its structures. */
export function inspectionOf(what: JsonObject, structures: ReturnType<typeof describeEvidence>): JsonObject {
  return {
    verified: false,
    notice: 'nothing here was verified: anybody can write every value',
    ...what,
    structures: structures.map(({ name, about, length, fields }) => ({
      name,
      about,
      length,
      fields: fields.map((field) => ({ ...field })),
    })),
  };
}
