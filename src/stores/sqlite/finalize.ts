import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** A garbage collection, as `--expose-gc` provides it. */
type Collect = () => void;

let collect: Collect | null = null;

/**
 * Finalizes the statements of a closed connection. The engine has no other way. Until its statements are collected as garbage, a
 * closed connection keeps its files, its locks and cached errors of a read-only disk. Every later connection of this process shares
 * that state. The statements are finalized in the next turn of the event loop.
 */
export function finalizeStatements(): void {
  collect ??= exposed();
  collect();
}

function exposed(): Collect {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collect;
}
