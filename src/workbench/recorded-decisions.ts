import {
  type DecisionQuery,
  type FoundDecision,
  type LogStore,
  type RecordedDecision,
  StoreUnavailableError,
} from '../core/decision-log.js';
import { RefusedError } from '../core/errors.js';
import type { Caller } from '../core/request.js';

/** The search filter of a caller for decisions of the log. */
export type DecisionFilter = Pick<DecisionQuery, 'policy' | 'decision' | 'since' | 'cursor'>;

/** A page of a list. */
export interface DecisionPage {
  readonly decisions: readonly FoundDecision[];
  /** The cursor of the next page; null for the last one. */
  readonly next: string | null;
}

/** Decisions in one answer. */
const PAGE_LENGTH = 50;

/** Shows stored decisions to callers of their tenant. */
export class RecordedDecisions {
  readonly #store: Pick<LogStore, 'list' | 'find'> | null;

  /** @param store null: decisions are not stored */
  constructor(store: Pick<LogStore, 'list' | 'find'> | null) {
    this.#store = store;
  }

  /** Lists decisions, the newest first. @throws {RefusedError} `not_found`, `overloaded` */
  async list(filter: DecisionFilter, { tenant }: Pick<Caller, 'tenant'>): Promise<DecisionPage> {
    const found = await this.#read((store) => store.list({ ...filter, tenant, limit: PAGE_LENGTH + 1 }));
    const decisions = found.slice(0, PAGE_LENGTH);
    const more = found.length > decisions.length;
    return { decisions, next: more ? (decisions.at(-1)?.decisionId ?? null) : null };
  }

  /**
   * @throws {RefusedError} `not_found`, also for a decision of another tenant; `overloaded`
   * @throws {ChangedDecisionError} if the store detects a change
   */
  async get(decisionId: string, { tenant }: Pick<Caller, 'tenant'>): Promise<RecordedDecision> {
    const found = await this.#read((store) => store.find(decisionId));
    if (found !== null && found.tenant === tenant) return found;
    throw noSuchDecision();
  }

  async #read<T>(work: (store: Pick<LogStore, 'list' | 'find'>) => Promise<T>): Promise<T> {
    if (this.#store === null) {
      throw new RefusedError('not_found', 'decisions are not stored: decisions.log is off in the configuration');
    }
    try {
      return await work(this.#store);
    } catch (cause) {
      if (!(cause instanceof StoreUnavailableError)) throw cause;
      throw new RefusedError('overloaded', 'the decision store fails', { retryAfterSeconds: 1, cause });
    }
  }
}

export function noSuchDecision(): RefusedError {
  return new RefusedError(
    'not_found',
    'there is no decision of this id, or its record is older than decisions are kept',
  );
}

export type RecordedDecisionsUseCase = Pick<RecordedDecisions, 'list' | 'get'>;
