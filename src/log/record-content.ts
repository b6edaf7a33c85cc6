import { uuid } from '../core/content-form.js';
import type { ChainEnd, DecisionEntry, RecordPosition, ReleaseEntry } from '../core/decision-log.js';
import { isObject, type JsonObject, type JsonValue, parsedObject } from '../core/json.js';
import { type AttemptedRelease, attemptIn, releaseKindOf } from '../core/key-release-record.js';
import { isDecisionContent, isOfLaterVersion } from '../core/recorded-decision.js';
import { entryOf } from './decision-content.js';

/** The content of a record, as far as anything depends on it. */
export interface RecordedContent {
  /** As it is written; null where a later version writes it otherwise. */
  readonly time: string | null;
  /** A later version of veritee wrote it. Then entry, release and inputs are not known, and the rest is what has its form of today. */
  readonly isLater: boolean;
  /** Of a decision: by what it is found. */
  readonly entry: DecisionEntry | null;
  /** Of a decision whose evidence is kept: digest of what it rests on, hex. */
  readonly inputs: string | null;
  /** Id of the decision that it withdraws. */
  readonly withdraws: string | null;
  /** Of an attempt to release a key, or of its result. */
  readonly release: RecordedRelease | null;
  /** Of a start: the ends of the chains that were there. */
  readonly began: readonly ChainEnd[] | null;
  /** Time of a decision or start, in milliseconds since 1970; null of other records. */
  readonly date: number | null;
  /** Of a `pruned` record: the records whose content was dropped. */
  readonly dropped: readonly DroppedRun[] | null;
  /** Of a `pruned` record: dropped decisions are dated before, in milliseconds since 1970; null if it states no time. */
  readonly droppedBefore: number | null;
  /** Public keys that it names, JWK. */
  readonly keys: readonly JsonObject[];
}

/** Records of a chain from one place to another, both included. */
export interface DroppedRun extends RecordPosition {
  /** 0 in records of earlier versions, which name the last place alone. */
  readonly from: number;
}

/** A record of a release. */
export interface RecordedRelease extends ReleaseEntry {
  /** Null: it is a result. */
  readonly attempt: AttemptedRelease | null;
}

/** @returns null for what no version of ours has written. Kinds that this version does not know are none of that. */
export function readContent(text: string): RecordedContent | null {
  const content = parsedObject(text);
  if (content === null) return null;
  const said = saidBy(content);
  if (isOfLaterVersion(content)) return { ...said, isLater: true };
  const { kind, time, keys = [], inputs = null } = content;
  const entry = kind === 'decision' ? decisionEntry(content) : null;
  const release = releaseIn(content);
  const found: { readonly [kind: string]: unknown } = {
    decision: entry,
    withdrawn: said.withdraws,
    'release-attempt': release,
    'release-result': release,
    started: said.began,
    pruned: said.dropped,
  };
  if (typeof kind !== 'string' || typeof time !== 'string' || found[kind] === null) return null;
  if (!isListOf(keys, isObject) || !(inputs === null || isDigest(inputs))) return null;
  return { ...said, entry, release, inputs };
}

/** The statements of a record about others, as far as this version supports its form. */
function saidBy(content: JsonObject): RecordedContent {
  const { kind, time, chains, keys, decisionId, before } = content;
  return {
    time: typeof time === 'string' ? time : null,
    isLater: false,
    entry: null,
    release: null,
    inputs: null,
    withdraws: kind === 'withdrawn' && typeof decisionId === 'string' ? decisionId : null,
    began: kind === 'started' && isListOf(chains, isEnd) ? chains : null,
    date: dateIn(content),
    dropped:
      kind === 'pruned' && isListOf(chains, isRun) ? chains.map((run) => ({ ...run, from: run.from ?? 0 })) : null,
    droppedBefore: kind === 'pruned' ? dateOf(before) : null,
    keys: isListOf(keys, isObject) ? keys : [],
  };
}

function dateIn({ kind, time, decision }: JsonObject): number | null {
  if (kind === 'started') return dateOf(time);
  return kind === 'decision' && isObject(decision) ? dateOf(decision['decidedAt']) : null;
}

function dateOf(value: JsonValue | undefined): number | null {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}

/** The apparent statement of a text about a decision. Null: none. */
export interface SaidOfDecision {
  readonly decisionId: string | null;
  readonly decidedAt: string | null;
  readonly tenant: string | null;
}

/** Whatever version of veritee wrote it. */
export function saidOfDecision(text: string): SaidOfDecision {
  const content = parsedObject(text) ?? {};
  const { decision = null, tenant = null } = content;
  // A record of a release has the id itself.
  const { decisionId = null, decidedAt = null } = isObject(decision) ? decision : { decisionId: content['decisionId'] };
  const asText = (value: JsonValue) => (typeof value === 'string' ? value : null);
  return { decisionId: asText(decisionId), decidedAt: asText(decidedAt), tenant: asText(tenant) };
}

/** Id of the decision that a text seems to be about, for people: what was changed may still say it. */
export function decisionIdIn(text: string): string | null {
  return saidOfDecision(text).decisionId;
}

function releaseIn(content: JsonObject): RecordedRelease | null {
  const kind = releaseKindOf(content);
  if (kind === null) return null;
  return { decisionId: String(content['decisionId']), kind, attempt: attemptIn(content) };
}

/** Null where it lacks what every decision has, or has what canonical JSON cannot write. */
function decisionEntry(content: JsonObject): DecisionEntry | null {
  try {
    return isDecisionContent(content) ? entryOf(content) : null;
  } catch {
    return null;
  }
}

function isListOf<T>(value: unknown, isOne: (each: unknown) => each is T): value is readonly T[] {
  return Array.isArray(value) && value.every(isOne);
}

/** Whether something is a place that a record can have. */
export function isPosition(value: unknown): value is RecordPosition {
  if (!isObject(value)) return false;
  const { chain, seq } = value;
  return uuid(chain) && Number.isSafeInteger(seq) && Number(seq) >= 0;
}

function isRun(value: unknown): value is RecordPosition & { readonly from?: number } {
  if (!isPosition(value)) return false;
  const { chain, from = 0 } = value as Partial<DroppedRun>;
  return isPosition({ chain, seq: from });
}

export function isDigest(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

function isEnd(value: unknown): value is ChainEnd {
  return isPosition(value) && isDigest((value as Partial<ChainEnd>).hash);
}
