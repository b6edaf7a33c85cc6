import type { RecordPosition } from '../../core/decision-log.js';
import { HASH_TAG } from './locate-server.js';

/**
 * What the decision log is made of in a server, in the order in which every script of it gets the keys. Sorted sets have the
 * score 0, so that the server keeps their members in the order of their bytes. Texts in a member are separated by a blank,
 * which comes before everything that they may contain.
 *
 * - `records`: place, previous hash, digest of the content, hash
 * - `contents`: salt in hex and content, by place
 * - `heads`: place and JWS
 * - `decisions`: place, tenant, outcome, policies and summary as a JSON list, by id
 * - `places`: place and id of each decision
 * - `outcomes`: tenant, outcome, id; `policies`: tenant, policy, outcome, id
 * - `withdrawn`: ids
 * - `kept`: digests of what a decision can be judged again by, by its id; `objects`: the bytes, by digest; `uses`: how many
 *   decisions name them; `digests`: all of them, in their order
 * - `releases`: id of the decision, place and kind of each record of a release; `releasePlaces`: the same, the place first
 * - `fences`: by chain, what an append has to name once the outcome of one was unknown
 * - `form`: the number of this form
 * - `prunedAt`: when content was last dropped, in milliseconds since 1970
 */
export const LOG_PARTS = [
  'records',
  'contents',
  'heads',
  'decisions',
  'places',
  'outcomes',
  'policies',
  'withdrawn',
  'kept',
  'objects',
  'uses',
  'digests',
  'fences',
  'form',
  'releases',
  'releasePlaces',
  'prunedAt',
] as const;

export const LOG_KEYS = LOG_PARTS.map((part) => `${HASH_TAG}:log:${part}`);

/** As many digits as the largest place can have: places are in the order of their texts. */
const SEQ_DIGITS = 16;

export function seqText(seq: number): string {
  return String(seq).padStart(SEQ_DIGITS, '0');
}

/** `<chain> <seq>`. */
export function placeText({ chain, seq }: RecordPosition): string {
  return `${chain} ${seqText(seq)}`;
}

/** @throws {Error} for what is none */
export function readPlace(text: string): RecordPosition {
  const [, chain, seq] = /^(\S+) (\d{16})$/.exec(text) ?? [];
  if (chain === undefined) throw new Error('the decision log in the store has a record at no place');
  return { chain, seq: Number(seq) };
}
