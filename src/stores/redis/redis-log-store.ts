import { randomUUID } from 'node:crypto';
import {
  type ChainEnd,
  type DecisionQuery,
  type FoundDecision,
  type KeptLink,
  type KeptObject,
  type LogRecord,
  type LogStore,
  type NewRecord,
  type PrunedDecision,
  type RecordedDecision,
  type RecordPosition,
  type SignedHead,
  type StoredEntry,
  type StoredRelease,
  StoreUnavailableError,
} from '../../core/decision-log.js';
import { messageOf } from '../../core/errors.js';
import { leastIdAt } from '../decision-ids.js';
import type { Durability } from './durability.js';
import { admitLog } from './log-admission.js';
import { endOf, headOf, inGroups, lastOf, readEntry, readRecord } from './log-answers.js';
import { behind, behindChain, between, rangesOf } from './log-bounds.js';
import { LOG_KEYS, placeText, readPlace } from './log-keys.js';
import { appendArguments } from './log-plan.js';
import {
  CHAINS,
  DIGESTS,
  ENTRIES,
  FIND,
  HEADS,
  LAST,
  LIST,
  OBJECT,
  OBJECTS_OF,
  PRUNABLE,
  RECORDS,
  RELEASE_ENTRIES,
  STRAYS,
  TENANTS,
} from './log-reading-scripts.js';
import { APPEND, CLAIM_PRUNING, FENCE, PRUNE, PUT_HEAD } from './log-scripts.js';
import { RedisConnection, type RedisConnectionOptions, type RedisScript } from './redis-connection.js';
import type { CommandArgument } from './redis-session.js';
import { type ScriptAnswer, scriptAnswer, unexpectedAnswer } from './script-answer.js';

interface RedisLogStoreOptions extends Omit<RedisConnectionOptions, 'admit' | 'of'> {
  /** Replicas that have to have each record in their append-only files. */
  readonly replicas: number;
}

/** How long a command may take, a sync of the disk and confirmations of replicas included. */
const COMMAND_TIMEOUT_MS = 1000;

/** What of that the sync and the confirmations may take: the answer has to come back, too. */
const CONFIRMED_PART = 0.75;

/** Items of one answer: the server does nothing else meanwhile. */
const AT_ONCE = 500;

const STRAYING = [
  'decisions',
  'places',
  'outcomes',
  'policies',
  'heads',
  'kept',
  'digests',
  'objects',
  'releases',
  'releasePlaces',
] as const;

/** Parts that are read by a cursor of the server, and not in the order of their members. */
const SCANNED: readonly string[] = ['decisions', 'kept'];

/** Bytes of kept objects that make up one answer: once it has as many, nothing more is added. */
const BYTES_AT_ONCE = 4 * 1024 * 1024;

const NOT_TAKEN: ReadonlyMap<unknown, string> = new Map([
  ['fork', 'the store does not have the record that this one follows'],
  ['fenced', 'the store was asked what it has meanwhile'],
  ['taken', 'the id of the decision is taken'],
]);

/**
 * The decision log that several processes share, in Redis or Valkey. Each change is a script, which the server runs as one,
 * and counts once it is synced to its append-only file, and to those of as many replicas as were asked for.
 */
export class RedisLogStore implements LogStore {
  readonly #connection: RedisConnection;
  readonly #durability: Durability;
  /** By chain, what its appends name: see `last`. */
  readonly #fences = new Map<string, string>();
  /** Chains of which an append failed: it may be carried out, or be so later. */
  readonly #inDoubt = new Set<string>();

  private constructor(connection: RedisConnection, durability: Durability) {
    this.#connection = connection;
    this.#durability = durability;
  }

  /**
   * @throws {UnfitError} where the server must not be used
   * @throws {Error} where it does not answer
   */
  static async open(options: RedisLogStoreOptions): Promise<RedisLogStore> {
    const { replicas, commandTimeoutMs = COMMAND_TIMEOUT_MS } = options;
    const durability = { replicas, withinMs: Math.floor(commandTimeoutMs * CONFIRMED_PART) };
    const connection = await RedisConnection.open({
      ...options,
      of: 'decisions',
      commandTimeoutMs,
      admit: (server, info) => admitLog(server, info, durability),
    });
    return new RedisLogStore(connection, durability);
  }

  get isReachable(): boolean {
    return this.#connection.isReachable;
  }

  async append(records: readonly NewRecord[]): Promise<void> {
    if (records.length === 0) return;
    try {
      const [state] = await this.#write(APPEND, appendArguments(records, this.#fences), scriptAnswer);
      if (state !== 'stored') throw new StoreUnavailableError(NOT_TAKEN.get(state) ?? unexpectedAnswer(state).message);
    } catch (error) {
      for (const { chain } of records) this.#inDoubt.add(chain);
      throw error;
    }
  }

  /**
   * Where an append to the chain failed, the answer is final: an append of before that reaches the server later, over a
   * connection that was given up, is refused there.
   */
  async last(chain: string): Promise<ChainEnd | null> {
    if (!this.#inDoubt.has(chain)) return this.#read(LAST, [chain], lastOf);
    const fence = randomUUID();
    const last = await this.#write(FENCE, [chain, fence], (answer) => lastOf(scriptAnswer(answer)));
    this.#fences.set(chain, fence);
    this.#inDoubt.delete(chain);
    return last;
  }

  async chains(): Promise<readonly ChainEnd[]> {
    const found: ChainEnd[] = [];
    for (let from = '-'; ; from = behindChain(found.at(-1)?.chain)) {
      const page = await this.#read(CHAINS, [from, AT_ONCE], (answer) => answer.map(endOf));
      found.push(...page);
      if (page.length < AT_ONCE) return found;
    }
  }

  async putHead({ chain, seq, jws }: SignedHead): Promise<void> {
    await this.#write(PUT_HEAD, [placeText({ chain, seq }), jws], scriptAnswer);
  }

  records(after: RecordPosition | null, limit: number): Promise<readonly LogRecord[]> {
    return this.#read(RECORDS, [after === null ? '-' : behind(after), limit], (answer) =>
      inGroups(answer, 2).map(([member, salted = null]) => readRecord(String(member), salted)),
    );
  }

  heads(chain: string, from: number, to: number): Promise<readonly SignedHead[]> {
    return this.#read(HEADS, between(chain, from, to), (answer) => answer.map(headOf));
  }

  entries(chain: string, from: number, to: number): Promise<readonly StoredEntry[]> {
    return this.#read(ENTRIES, between(chain, from, to), (answer) =>
      inGroups(answer, 5).map(([place, id, entry, withdrawn, policies]) => ({
        ...readEntry(String(id), String(entry)),
        policies: String(policies).split(' ').filter(Boolean),
        seq: readPlace(String(place)).seq,
        withdrawn: withdrawn === '1',
      })),
    );
  }

  releaseEntries(chain: string, from: number, to: number): Promise<readonly StoredRelease[]> {
    return this.#read(RELEASE_ENTRIES, between(chain, from, to), (answer) =>
      inGroups(answer, 3).map(([place, id, kind]) => ({
        seq: readPlace(String(place)).seq,
        decisionId: String(id),
        kind: kind as StoredRelease['kind'],
      })),
    );
  }

  async strays(): Promise<number> {
    let strays = 0;
    for (const part of STRAYING) {
      for (let from: string | null = SCANNED.includes(part) ? '0' : '-'; from !== null; ) {
        const [next = null, count = null]: ScriptAnswer = await this.#read(STRAYS, [part, from, AT_ONCE], asItIs);
        strays += Number(count);
        from = next;
      }
    }
    return strays;
  }

  async list(query: DecisionQuery): Promise<readonly FoundDecision[]> {
    const tenants = query.tenant === null ? await this.#read(TENANTS, [], asItIs) : [query.tenant];
    const ranges = tenants.flatMap((tenant) => rangesOf(query, String(tenant)));
    const index = query.policy === null ? 'outcomes' : 'policies';
    return this.#read(LIST, [index, query.limit, ...ranges], (answer) =>
      inGroups(answer, 3).flatMap(([id, entry, withdrawn]) => {
        // What the index names and nothing else knows is for whoever verifies the log.
        if (entry == null) return [];
        const { decisionId, summary } = readEntry(String(id), entry);
        return [{ decisionId, summary, withdrawn: withdrawn === '1' }];
      }),
    );
  }

  find(decisionId: string): Promise<RecordedDecision | null> {
    return this.#read(FIND, [decisionId], ([entry, withdrawn, record, salted = null, ...releases]) => {
      if (entry == null || record == null) return null;
      const { tenant } = readEntry(decisionId, entry);
      const releaseRecords = inGroups(releases, 2).map(([part, content = null]) => readRecord(String(part), content));
      return { record: readRecord(record, salted), tenant, withdrawn: withdrawn === '1', releaseRecords };
    });
  }

  object(sha256: string): Promise<Uint8Array | null> {
    return reachable(async () => {
      const bytes = await this.#connection.runForBytes(OBJECT, LOG_KEYS, [sha256]);
      return bytes instanceof Uint8Array ? Uint8Array.from(bytes) : null;
    });
  }

  async objects(after: string | null, limit: number): Promise<readonly KeptObject[]> {
    const found: KeptObject[] = [];
    let length = 0;
    for (let from = after; ; ) {
      const bound = from === null ? '-' : `(${from}`;
      const digests = await this.#read(DIGESTS, [bound, Math.min(limit, AT_ONCE)], (answer) => answer.map(String));
      for (const sha256 of digests) {
        if (found.length >= limit || length >= BYTES_AT_ONCE) return found;
        from = sha256;
        // One that is not there is missed by the decisions that rest on it.
        const bytes = await this.object(sha256);
        if (bytes === null) continue;
        found.push({ sha256, bytes });
        length += bytes.byteLength;
      }
      if (found.length > 0 || digests.length === 0) return found;
    }
  }

  objectsOf(chain: string, from: number, to: number): Promise<readonly KeptLink[]> {
    return this.#read(OBJECTS_OF, between(chain, from, to), (answer) =>
      inGroups(answer, 3).flatMap(([place, named, there]) => {
        const { seq } = readPlace(String(place));
        return String(named)
          .split(' ')
          .map((sha256, index) => ({ seq, sha256, isKept: there?.[index] === '1' }));
      }),
    );
  }

  async prunable(before: Date, after: string | null, limit: number): Promise<readonly string[]> {
    const bound = leastIdAt(before);
    const found: string[] = [];
    for (let from = '-'; ; ) {
      const page = await this.#read(PRUNABLE, [from, bound, AT_ONCE], (answer) =>
        inGroups(answer, 2).map(([chain, place]) => ({ chain, through: place == null ? null : readPlace(place) })),
      );
      for (const { through } of page) {
        const entries = through === null ? [] : await this.entries(through.chain, 0, through.seq);
        found.push(...entries.map(({ decisionId }) => decisionId).filter((id) => id < bound && id > (after ?? '')));
      }
      if (page.length < AT_ONCE) return found.sort().slice(0, limit);
      from = behindChain(page.at(-1)?.chain);
    }
  }

  prune(decisions: readonly PrunedDecision[]): Promise<number> {
    const args = decisions.flatMap(({ decisionId, chain, seq, through }) => [
      decisionId,
      chain,
      placeText({ chain, seq }),
      placeText({ chain, seq: through }),
    ]);
    return this.#write(PRUNE, args, Number);
  }

  claimPruning(now: Date, everyMs: number): Promise<boolean> {
    return this.#write(CLAIM_PRUNING, [now.getTime(), everyMs], (answer) => Number(answer) === 1);
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  #write<T>(script: RedisScript, args: readonly CommandArgument[], read: (answer: unknown) => T): Promise<T> {
    return reachable(async () => read(await this.#connection.runDurably(script, LOG_KEYS, args, this.#durability)));
  }

  #read<T>(script: RedisScript, args: readonly CommandArgument[], read: (answer: ScriptAnswer) => T): Promise<T> {
    return reachable(async () => read(scriptAnswer(await this.#connection.run(script, LOG_KEYS, args))));
  }
}

async function reachable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new StoreUnavailableError(messageOf(cause), { cause });
  }
}

const asItIs = (answer: ScriptAnswer): ScriptAnswer => answer;
