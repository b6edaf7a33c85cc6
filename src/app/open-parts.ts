import type { Log } from '../core/ports.js';

interface OpenPart {
  close(): Promise<void> | void;
}

/**
 * Opens an object that consists of parts. If that fails, closes every part.
 *
 * @param open adds each part that must be closed, as it is opened
 * @throws {unknown} the error of `open`; the log has the error of a part that cannot be closed
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

/** Parts that were opened one after the other. They are closed in reverse order. */
export class OpenParts {
  readonly #parts: OpenPart[] = [];
  #closed: Promise<void> | null = null;

  /** Adds a part to close. */
  add<P extends OpenPart>(part: P): P {
    this.#parts.push(part);
    return part;
  }

  /**
   * Closes every part, even if closing another fails. Every call returns the same promise. Rejects with the first error
   * of a part that could not be closed.
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
