import type { Log } from '../core/ports.js';

interface OpenPart {
  close(): Promise<void> | void;
}

/**
 * Opens something that is made of parts. Where that fails, nothing of it stays open.
 *
 * @param open adds everything that has to be closed, as it is opened
 * @throws {unknown} what `open` throws; a part that cannot be closed then is in the log
 */
export async function openAllOrNone<T>(log: Log, open: (opened: OpenParts) => Promise<T>): Promise<T> {
  const opened = new OpenParts();
  try {
    return await open(opened);
  } catch (error) {
    await opened.close().catch((failure: unknown) => log.error({ err: failure }, 'closing failed'));
    throw error;
  }
}

/** Parts that were opened one after the other. They are closed the other way round. */
export class OpenParts {
  readonly #parts: OpenPart[] = [];
  #closed: Promise<void> | null = null;

  /** Takes on to close a part. */
  add<P extends OpenPart>(part: P): P {
    this.#parts.push(part);
    return part;
  }

  /**
   * Closes every part, whatever becomes of the others. The same promise however often it is called.
   * Rejects with what the first one rejected with that could not be closed.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const failures: unknown[] = [];
    for (const part of this.#parts.toReversed()) {
      try {
        await part.close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
