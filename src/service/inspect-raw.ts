import { describeRaw, RAW_KINDS, recogniseRaw, remarkOnRaw } from '../inspect/raw-structures.js';
import type { JsonObject } from '../model/json.js';
import { inspectionOf } from './inspect-evidence.js';
import type { InspectRawUseCase } from './use-cases.js';

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
