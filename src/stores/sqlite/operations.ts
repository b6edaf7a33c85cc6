import type { ChallengePeriod, ChallengeScope, ConsumedScope } from '../../core/challenge.js';
import type {
  DecisionQuery,
  ImportedRecord,
  KeptObject,
  NewRecord,
  PrunedDecision,
  RecordPosition,
  SignedHead,
} from '../../core/decision-log.js';
import { messageOf } from '../../core/errors.js';
import { appendChains, attach } from './append-chains.js';
import { admitChallengeKey, type ChallengeUser, consumeChallenge, dropExpired, putChallenge } from './challenges.js';
import { dropStrayObjects, object, objects, objectsOf, putObject } from './objects.js';
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
  append: (file: SqliteFile, added: readonly NewRecord[]) => append(file, added),
  stage: (file: SqliteFile, staged: readonly ImportedRecord[]) => stage(file, staged),
  putObject: (file: SqliteFile, put: KeptObject) => putObject(file, put),
  dropStrayObjects: (file: SqliteFile) => dropStrayObjects(file),
  putHead: (file: SqliteFile, head: SignedHead) => putHead(file, head),
  appendChains: (file: SqliteFile) => appendChains(file),
  prune: (file: SqliteFile, decisions: readonly PrunedDecision[]) => prune(file, decisions),
  claimPruning: (file: SqliteFile, now: Date, everyMs: number) => claimPruning(file, now, everyMs),
  admitChallengeKey: (file: SqliteFile, fingerprint: number, nowMs: number) =>
    admitChallengeKey(file, fingerprint, nowMs),
  putChallenge: (file: SqliteFile, user: ChallengeUser, id: string, scope: ChallengeScope, period: ChallengePeriod) =>
    putChallenge(file, user, id, scope, period),
  consumeChallenge: (file: SqliteFile, user: ChallengeUser, id: string, asked: ConsumedScope) =>
    consumeChallenge(file, user, id, asked),
  dropExpired: (file: SqliteFile, nowMs: number) => dropExpired(file, nowMs),
};

/** Reading operations, and those outside of a transaction. */
const READS = {
  attach: (file: SqliteFile, path: string) => attach(file, path),
  last: (file: SqliteFile, chain: string) => last(file, chain),
  chains: (file: SqliteFile) => chains(file),
  records: (file: SqliteFile, after: RecordPosition | null, limit: number) => records(file, after, limit),
  heads: (file: SqliteFile, chain: string, from: number, to: number) => heads(file, chain, from, to),
  entries: (file: SqliteFile, chain: string, from: number, to: number) => entries(file, chain, from, to),
  releaseEntries: (file: SqliteFile, chain: string, from: number, to: number) => releaseEntries(file, chain, from, to),
  strays: (file: SqliteFile) => strays(file),
  list: (file: SqliteFile, query: DecisionQuery) => list(file, query),
  find: (file: SqliteFile, decisionId: string) => find(file, decisionId),
  object: (file: SqliteFile, sha256: string) => object(file, sha256),
  objects: (file: SqliteFile, after: string | null, limit: number) => objects(file, after, limit),
  objectsOf: (file: SqliteFile, chain: string, from: number, to: number) => objectsOf(file, chain, from, to),
  prunable: (file: SqliteFile, before: Date, after: string | null, limit: number) =>
    prunable(file, before, after, limit),
};

type Operations = typeof WRITES & typeof READS;
export type OperationName = keyof Operations;
type Rest<F> = F extends (file: SqliteFile, ...args: infer A) => unknown ? A : never;
export type Arguments<N extends OperationName> = Rest<Operations[N]>;
export type Result<N extends OperationName> = ReturnType<Operations[N]>;

/** A call, as it goes to the thread that has the file. */
export interface Asked {
  readonly id: number;
  readonly name: OperationName;
  readonly args: readonly unknown[];
}

/** Cancels a call that nobody waits for. */
export interface Forgotten {
  readonly forget: number;
}

/** Its answer. `error`: why the store is out of reach. */
export type Answered = { readonly id: number } & ({ readonly value: unknown } | { readonly error: string });

type Run = (file: SqliteFile, ...args: readonly unknown[]) => unknown;

/** Answers calls that came together, without those that were forgotten by then. */
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
 * Runs calls that came together: those that write as one transaction, so that they share one sync; then those that read.
 * Where the transaction fails, each of its calls has failed.
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
