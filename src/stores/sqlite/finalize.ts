import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** A collection of garbage, as `--expose-gc` has it. */
type Collect = () => void;

let collect: Collect | null = null;

/**
 * Finalizes the statements of a connection that was closed. The engine has no other way to: until its statements are collected as
 * garbage, a closed connection keeps its files, its locks, and what it knows of a disk that was read-only then, and every
 * connection of this process is given the same. They are finalized in the next turn of the event loop.
 */
export function finalizeStatements(): void {
  collect ??= exposed();
  collect();
}

function exposed(): Collect {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collect;
}
