/** Locks by name, and who waits for each. Those of a process that is gone are unlocked. */
export class NamedLocks<Holder> {
  readonly #waiting = new Map<string, Waiting<Holder>[]>();

  /** Resolves once the holder has the lock. Whoever asked first gets it first. */
  lock(name: string, holder: Holder): Promise<void> {
    const waiting = this.#waiting.get(name) ?? [];
    this.#waiting.set(name, waiting);
    return new Promise((begin) => {
      waiting.push({ holder, begin });
      if (waiting.length === 1) begin();
    });
  }

  /** Nothing happens where the holder does not have it. */
  unlock(name: string, holder: Holder): void {
    if (this.#waiting.get(name)?.[0]?.holder === holder) this.#next(name);
  }

  /** Unlocks what a holder has, and drops what it waits for. */
  drop(holder: Holder): void {
    for (const [name, waiting] of this.#waiting) {
      const [first, ...others] = waiting;
      const left = others.filter((one) => one.holder !== holder);
      this.#waiting.set(name, first === undefined ? left : [first, ...left]);
      this.unlock(name, holder);
    }
  }

  #next(name: string): void {
    const waiting = this.#waiting.get(name)?.slice(1) ?? [];
    if (waiting.length === 0) this.#waiting.delete(name);
    else this.#waiting.set(name, waiting);
    waiting[0]?.begin();
  }
}

/** The first of those with one name has the lock. */
interface Waiting<Holder> {
  readonly holder: Holder;
  readonly begin: () => void;
}
