/**
 * Values that are read once, when first asked for, and may be replaced afterwards. Null is a value too: that there is
 * none. Callers that ask while it is being read wait for the same reading.
 */
export class ReadOnce<T> {
  readonly #values = new Map<string, T | null>();
  readonly #reading = new Map<string, Promise<T | null>>();
  #changes = 0;
  readonly #isKept: (value: T | null) => boolean;

  /** @param isKept whether a value that was read is to stay: one that is not is read again when asked for again */
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

  /** How often a value was replaced. */
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
