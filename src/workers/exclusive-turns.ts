/** Who has a turn, and who waits for it, by the name of what is done. Turns of a process that is gone are given on. */
export class ExclusiveTurns<Holder> {
  readonly #turns = new Map<string, Turn<Holder>[]>();

  /** Resolves once it is this one's turn. */
  take(name: string, holder: Holder): Promise<void> {
    const turns = this.#turns.get(name) ?? [];
    this.#turns.set(name, turns);
    return new Promise((begin) => {
      turns.push({ holder, begin });
      if (turns.length === 1) begin();
    });
  }

  /** Gives on a turn that this one has. */
  give(name: string, holder: Holder): void {
    if (this.#turns.get(name)?.[0]?.holder === holder) this.#next(name);
  }

  /** Gives on, and gives up, everything of a holder. */
  drop(holder: Holder): void {
    for (const [name, turns] of this.#turns) {
      const [first, ...waiting] = turns;
      const others = waiting.filter((turn) => turn.holder !== holder);
      this.#turns.set(name, first === undefined ? others : [first, ...others]);
      this.give(name, holder);
    }
  }

  #next(name: string): void {
    const turns = this.#turns.get(name)?.slice(1) ?? [];
    if (turns.length === 0) this.#turns.delete(name);
    else this.#turns.set(name, turns);
    turns[0]?.begin();
  }
}

interface Turn<Holder> {
  readonly holder: Holder;
  readonly begin: () => void;
}
