/** The policies of one moment. A request takes one set and uses it throughout. */
export class PolicySet<P extends { readonly id: string }> {
  readonly #byId: ReadonlyMap<string, P>;

  constructor(byId: ReadonlyMap<string, P>) {
    this.#byId = new Map(byId);
    Object.freeze(this);
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  get(id: string): P | undefined {
    return this.#byId.get(id);
  }

  /** Their ids, in the order of the list. */
  keys(): Iterable<string> {
    return this.#byId.keys();
  }

  /** Built-in ones first, then in the order of the file names. */
  list(): readonly P[] {
    return [...this.#byId.values()];
  }
}
