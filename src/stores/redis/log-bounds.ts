import { OUTCOMES } from '../../core/decision.js';
import type { DecisionQuery, RecordPosition } from '../../core/decision-log.js';
import { leastIdAt } from '../decision-ids.js';
import { placeText } from './log-keys.js';

/** Bounds of ranges in the sorted sets of the decision log, as `BYLEX` takes them. */

/** The lower bound of what comes after a record. */
export function behind({ chain, seq }: RecordPosition): string {
  return seq < 0 ? `[${chain} ` : `[${placeText({ chain, seq })}!`;
}

export function behindChain(chain: string | null | undefined): string {
  return `[${chain}!`;
}

/** Bounds of what belongs to records of a chain, both ends included. */
export function between(chain: string, from: number, to: number): readonly [string, string] {
  return [`[${placeText({ chain, seq: from })} `, `(${placeText({ chain, seq: to })}!`];
}

/** Bounds by each value of what comes first in an index: so that none is longer than the answer. */
export function rangesOf({ policy, decision, since, cursor }: DecisionQuery, tenant: string): readonly string[] {
  const [from, before] = [since === null ? '' : leastIdAt(since), cursor ?? '~'];
  return (decision === null ? OUTCOMES : [decision]).flatMap((outcome) => {
    const prefix = policy === null ? `${tenant} ${outcome} ` : `${tenant} ${policy} ${outcome} `;
    return [`[${prefix}${from}`, `(${prefix}${before}`];
  });
}
