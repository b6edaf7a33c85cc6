import type { ChainEnd, DecisionEntry, LogRecord, SignedHead, StoredEntry } from '../../core/decision-log.js';
import { readPlace } from './log-keys.js';
import type { ScriptAnswer } from './script-answer.js';

/** What scripts answer with of the decision log. */

/** Of a salt in hex, which is followed by the content. */
const SALT_DIGITS = 64;

const RECORD = /^(\S+ \S+) (\S+) (\S+) (\S+)$/;

/**
 * A record as a script answers with it.
 * @param salted salt and content; null once they are dropped
 * @throws {Error} for what is none
 */
export function readRecord(member: string, salted: string | null): LogRecord {
  const [, place = '', previous = '', contentSha256 = '', hash = ''] = RECORD.exec(member) ?? [];
  return {
    ...readPlace(place),
    previous,
    contentSha256,
    hash,
    salt: salted === null ? null : new Uint8Array(Buffer.from(salted.slice(0, SALT_DIGITS), 'hex')),
    content: salted === null ? null : salted.slice(SALT_DIGITS),
  };
}

/** What a decision is found by, as the scripts check that it has this form. */
export function readEntry(decisionId: string, text: string): DecisionEntry {
  const [, tenant, outcome, policies, summary] = JSON.parse(text) as readonly [
    string,
    string,
    StoredEntry['outcome'],
    readonly string[],
    string,
  ];
  return { decisionId, tenant, outcome, policies, summary };
}

export function endOf(member: string | null): ChainEnd {
  const { chain, seq, hash } = readRecord(String(member), null);
  return { chain, seq, hash };
}

export function lastOf([member = null]: ScriptAnswer): ChainEnd | null {
  return member === null ? null : endOf(member);
}

export function headOf(member: string | null): SignedHead {
  const [, place = '', jws = ''] = /^(\S+ \S+) (.*)$/s.exec(String(member)) ?? [];
  return { ...readPlace(place), jws };
}

/** An answer that lists so many texts of each item. */
export function inGroups(answer: ScriptAnswer, size: number): readonly ScriptAnswer[] {
  return Array.from({ length: Math.ceil(answer.length / size) }, (_, at) => answer.slice(at * size, (at + 1) * size));
}
