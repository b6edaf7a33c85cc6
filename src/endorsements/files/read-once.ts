/**
 * Values that are read once, on first use, and may be replaced afterwards. Null is a value too: there is
 * none. Concurrent callers share one read.
 */
export class ReadOnce<T> {
  readonly #values = new Map<string, T | null>();
  readonly #reading = new Map<string, Promise<T | null>>();
  #changes = 0;
  readonly #isKept: (value: T | null) => boolean;

  /** @param isKept whether a value is kept: otherwise the next call reads it again */
  constructor(isKept: (value: T | null) => boolean = () => true) {
    this.#isKept = isKept;
  }

  async get(key: string, read: () => Promise<T | null>): Promise<T | null> {
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    const reading = this.#reading.get(key) ?? this.#begin(key, read);
    const value = await reading;
    // It may have been replaced meanwhile.
    return this.known(key) ?? value;
  }

  /** The value that was read or set; null before that. */
  known(key: string): T | null {
    return this.#values.get(key) ?? null;
  }

  /** Number of replaced values. */
  get changes(): number {
    return this.#changes;
  }

  set(key: string, value: T): void {
    this.#changes += 1;
    this.#values.set(key, value);
  }

  async #begin(key: string, read: () => Promise<T | null>): Promise<T | null> {
    const reading = read();
    this.#reading.set(key, reading);
    try {
      const value = await reading;
      if (!this.#values.has(key) && this.#isKept(value)) this.#values.set(key, value);
      return value;
    } finally {
      this.#reading.delete(key);
    }
  }
}
