import { messageOf } from '../../core/errors.js';
import { appendChains, attach } from './append-chains.js';
import { admitChallengeKey, consumeChallenge, dropExpired, putChallenge } from './challenges.js';
import { dropStrayObjects, object, objects, objectsOf, putObject } from './objects.js';
import { dropProofs, useProof } from './proofs.js';
import {
  append,
  chains,
  claimPruning,
  entries,
  find,
  heads,
  last,
  list,
  prunable,
  prune,
  putHead,
  records,
  releaseEntries,
  stage,
} from './records.js';
import type { SqliteFile } from './sqlite-file.js';
import { strays } from './strays.js';

/** Writing operations: any number of them make one transaction. */
const WRITES = {
  append,
  stage,
  putObject,
  dropStrayObjects,
  putHead,
  appendChains,
  prune,
  claimPruning,
  admitChallengeKey,
  putChallenge,
  consumeChallenge,
  dropExpired,
  useProof,
  dropProofs,
};

/** Reading operations, and operations outside of a transaction. */
const READS = {
  attach,
  last,
  chains,
  records,
  heads,
  entries,
  releaseEntries,
  strays,
  list,
  find,
  object,
  objects,
  objectsOf,
  prunable,
};

type Operations = typeof WRITES & typeof READS;
export type OperationName = keyof Operations;
type Rest<F> = F extends (file: SqliteFile, ...args: infer A) => unknown ? A : never;
export type Arguments<N extends OperationName> = Rest<Operations[N]>;
export type Result<N extends OperationName> = ReturnType<Operations[N]>;

/** A call, as the main thread sends it to the thread that has the file. */
export interface Asked {
  readonly id: number;
  readonly name: OperationName;
  readonly args: readonly unknown[];
}

/** Cancels a call whose caller no longer waits. */
export interface Forgotten {
  readonly forget: number;
}

/** The answer to a call. `error`: why the store is unavailable. */
export type Answered = { readonly id: number } & ({ readonly value: unknown } | { readonly error: string });

type Run = (file: SqliteFile, ...args: readonly unknown[]) => unknown;

/** Answers calls that came together, except the calls that were cancelled by then. */
export function answerTogether(file: SqliteFile, messages: readonly (Asked | Forgotten)[]): readonly Answered[] {
  const forgotten = new Set(messages.flatMap((message) => ('forget' in message ? message.forget : [])));
  const asked = messages.flatMap((message) => ('forget' in message ? [] : message));
  const late = asked.filter(({ id }) => forgotten.has(id));
  const answers = runTogether(
    file,
    asked.filter(({ id }) => !forgotten.has(id)),
  );
  return [...late.map(({ id }) => ({ id, error: 'the caller gave up before the operation started' })), ...answers];
}

/**
 * Runs calls that came together: writes as one transaction, so that they share one sync; then reads.
 * If the transaction fails, each of its calls fails.
 */
export function runTogether(file: SqliteFile, asked: readonly Asked[]): readonly Answered[] {
  const writes = asked.filter(({ name }) => name in WRITES);
  const written = writes.length === 0 ? [] : runWrites(file, writes);
  const reads = asked.filter(({ name }) => !(name in WRITES));
  return [...written, ...reads.flatMap((each) => answer([each], () => [file.read(() => run(file, each))]))];
}

function runWrites(file: SqliteFile, writes: readonly Asked[]): readonly Answered[] {
  return answer(writes, () => file.transaction(() => writes.map((each) => run(file, each))));
}

function answer(asked: readonly Asked[], work: () => readonly unknown[]): readonly Answered[] {
  try {
    const values = work();
    return asked.map(({ id }, index) => ({ id, value: values[index] }));
  } catch (error) {
    const why = messageOf(error);
    return asked.map(({ id }) => ({ id, error: why }));
  }
}

function run(file: SqliteFile, { name, args }: Asked): unknown {
  const operation: unknown = name in WRITES ? WRITES[name as keyof typeof WRITES] : READS[name as keyof typeof READS];
  return (operation as Run)(file, ...args);
}
