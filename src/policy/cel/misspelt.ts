import { nearCompliance } from '../../core/maa-words.js';
import { meantName, quotedName } from '../../core/names-in-messages.js';
import { RULE_CLAIMS } from './claim-types.js';
import { type Binary, type Claim, claimsIn, type Expression, withAllParts } from './expression.js';
import { distinctMisfits, type Misfit } from './misfits.js';
import { memberPath } from './read-claim.js';

/**
 * Returns unknown names and values in a rule that resemble known ones: claims of open objects, such as tokens, and
 * compliance statuses. The rule loads, because an MAA instance can issue claims and values of its own.
 */
export function misspeltIn(expression: Expression): readonly Misfit[] {
  const names = claimsIn(expression)
    .flatMap(misspeltName)
    .map((message) => ({ always: false, message }));
  const statuses = withAllParts(expression).flatMap((part) => (part.op === 'binary' ? statusesOf(part) : []));
  return distinctMisfits([...names, ...statuses]);
}

function misspeltName({ path: [section = '', ...names] }: Claim): readonly string[] {
  let type = RULE_CLAIMS.get(section);
  let path = section;
  for (const name of names) {
    if (type === undefined) return [];
    const below = type.members.get(name);
    if (below === undefined) {
      const meant = meantName(name, [...type.members.keys()]);
      return meant === null
        ? []
        : [`${path} has no claim ${quotedName(name)} that is known; did you mean ${memberPath(path, meant)}?`];
    }
    path = memberPath(path, name);
    type = below.kind === 'object' ? below : undefined;
  }
  return [];
}

function statusesOf({ operator, left, right }: Binary): readonly Misfit[] {
  const always = operator === '!=';
  return [...misspeltStatuses(left, right), ...misspeltStatuses(right, left)].map((message) => ({ always, message }));
}

function misspeltStatuses(claim: Expression, other: Expression): readonly string[] {
  if (claim.op !== 'claim' || claim.path.at(-1) !== 'x-ms-compliance-status') return [];
  const literals = other.op === 'list' ? other.items : [other];
  return literals.flatMap((literal) => {
    const meant = literal.op === 'literal' ? nearCompliance(String(literal.value)) : null;
    return meant === null ? [] : [`${claim.text} has no word ${literal.text} that is known; did you mean ${meant}?`];
  });
}
