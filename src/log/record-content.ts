import { uuid } from '../core/content-form.js';
import type { ChainEnd, DecisionEntry, RecordPosition, ReleaseEntry } from '../core/decision-log.js';
import { isObject, type JsonObject, type JsonValue, parsedObject } from '../core/json.js';
import { type AttemptedRelease, attemptIn, releaseKindOf } from '../core/key-release-record.js';
import { isDecisionContent, isOfLaterVersion } from '../core/recorded-decision.js';
import { entryOf } from './decision-content.js';

/** The content of a record, as far as verification uses it. */
export interface RecordedContent {
  /** The time as written; null if a later version writes it in another form. */
  readonly time: string | null;
  /** Whether a later version of veritee wrote it. Then entry, release and inputs are unknown, and other members are read if possible. */
  readonly isLater: boolean;
  /** Index fields of a decision; null for other records. */
  readonly entry: DecisionEntry | null;
  /** For a decision whose evidence is kept: digest of its inputs, hex. */
  readonly inputs: string | null;
  /** Id of the decision that it withdraws. */
  readonly withdraws: string | null;
  /** For an attempt to release a key, or its result. */
  readonly release: RecordedRelease | null;
  /** For a start: the ends of the existing chains. */
  readonly began: readonly ChainEnd[] | null;
  /** Time of a decision or start, in milliseconds since 1970; null for other records. */
  readonly date: number | null;
  /** For a `pruned` record: the records whose content was dropped. */
  readonly dropped: readonly DroppedRun[] | null;
  /** For a `pruned` record: limit of the dropped dates, in milliseconds since 1970; null if it states no time. */
  readonly droppedBefore: number | null;
  /** Public keys that the record names, JWK. */
  readonly keys: readonly JsonObject[];
}

/** A range of records in a chain, both ends included. */
export interface DroppedRun extends RecordPosition {
  /** 0 in records of earlier versions, which name only the last position. */
  readonly from: number;
}

/** A record of a release. */
export interface RecordedRelease extends ReleaseEntry {
  /** Null for a result. */
  readonly attempt: AttemptedRelease | null;
}

/** @returns null if no version of veritee writes such content. Kinds of later versions are accepted. */
export function readContent(text: string): RecordedContent | null {
  const content = parsedObject(text);
  if (content === null) return null;
  const said = statedBy(content);
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
function statedBy(content: JsonObject): RecordedContent {
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

/** The apparent statement of a text about a decision. Null members: not stated. */
export interface ApparentDecision {
  readonly decisionId: string | null;
  readonly decidedAt: string | null;
  readonly tenant: string | null;
}

/** Reads it from records of all versions of veritee. */
export function apparentDecision(text: string): ApparentDecision {
  const content = parsedObject(text) ?? {};
  const { decision = null, tenant = null } = content;
  // A release record has the decision id at its top level.
  const { decisionId = null, decidedAt = null } = isObject(decision) ? decision : { decisionId: content['decisionId'] };
  const asText = (value: JsonValue) => (typeof value === 'string' ? value : null);
  return { decisionId: asText(decisionId), decidedAt: asText(decidedAt), tenant: asText(tenant) };
}

/** The apparent decision id in a text, for messages: even changed content may still name it. */
export function decisionIdIn(text: string): string | null {
  return apparentDecision(text).decisionId;
}

function releaseIn(content: JsonObject): RecordedRelease | null {
  const kind = releaseKindOf(content);
  if (kind === null) return null;
  return { decisionId: String(content['decisionId']), kind, attempt: attemptIn(content) };
}

/** Returns null if a required member is missing, or a value is not valid canonical JSON. */
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

/** Whether a value is a valid record position. */
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
