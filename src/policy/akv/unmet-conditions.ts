import type { ExplainedPart } from '../../core/explanation.js';

/** The innermost unmet conditions of an evaluation, each with the value of its claim or the fault. */
export function unmetConditions(part: ExplainedPart): readonly string[] {
  const isUnmet = part.state === 'undefined' || (part.state === 'value' && part.value === false);
  if (!isUnmet) return [];
  const claim = claimOf(part);
  const below = claim === null ? part.parts.flatMap(unmetConditions) : [];
  return below.length > 0 ? below : [sentenceOf(part, claim)];
}

/** The claim of a condition, which is its only part; null for any other part. */
function claimOf({ parts }: ExplainedPart): ExplainedPart | null {
  const [only, ...more] = parts;
  if (only === undefined || more.length > 0) return null;
  return only.parts.length === 0 && only.state !== 'not reached' ? only : null;
}

function sentenceOf({ text, note }: ExplainedPart, claim: ExplainedPart | null): string {
  const actual = claim?.state === 'value' ? `, but it is ${JSON.stringify(claim.value)}` : '';
  return `${text}${actual}${note === null ? '' : `: ${note}`}`;
}
