import { setImmediate } from 'node:timers/promises';

/** How many items of one batch are worked on at once: a batch of many takes no more of the service than a few requests. */
export const AT_ONCE = 4;

/**
 * Runs the items of a batch, and gives what each came to in their order. Nothing is begun before somebody takes what is
 * there.
 *
 * @param run never rejects
 */
export async function* inOrder<T>(count: number, run: (index: number) => Promise<T>): AsyncGenerator<T> {
  const running = new Map<number, Promise<T>>();
  let begun = 0;
  for (let index = 0; index < count; index++) {
    for (; begun < count && running.size < AT_ONCE; begun++) running.set(begun, run(begun));
    const item = running.get(index);
    if (item === undefined) throw new Error(`the item ${index} was not begun`);
    const value = await item;
    running.delete(index);
    yield value;
  }
}

/** The same as they come, each with its index. */
export async function* asTheyCome<T>(
  count: number,
  run: (index: number) => Promise<T>,
): AsyncGenerator<{ readonly index: number; readonly value: T }> {
  const running = new Map<number, Promise<{ readonly index: number; readonly value: T }>>();
  for (let begun = 0; begun < count || running.size > 0; ) {
    for (; begun < count && running.size < AT_ONCE; begun++) {
      const index = begun;
      running.set(
        index,
        run(index).then((value) => ({ index, value })),
      );
    }
    const first = await Promise.race(running.values());
    running.delete(first.index);
    yield first;
  }
}

/** Lets other requests go first: an item that waits for nothing would be followed at once by the next, and the next. */
export class Turns {
  #before: Promise<unknown> = Promise.resolve();

  /** Of all that wait, one goes on in each round of the event loop. */
  next(): Promise<unknown> {
    this.#before = this.#before.then(() => setImmediate());
    return this.#before;
  }
}
