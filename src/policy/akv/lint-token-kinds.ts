import type { PolicyProblem } from '../document/policy-problem.js';
import { ISOLATION } from './maa-claims.js';
import type { ClaimCondition, Condition } from './policy-tree.js';
import { type KindsRequired, kindsOf, kindsRequired, pathInside, type TokenKind, together } from './token-kinds.js';

/** Kinds that exclude each other. A problem is reported at the path of the first. */
const EXCLUSIVE: readonly (readonly [TokenKind, TokenKind])[] = [
  ['direct', 'guest'],
  ['tdxvm', 'sevsnpvm'],
];

/** Reports paths that no token can have, given the other conditions on the same token. */
export function lintTokenKinds(condition: Condition, around: KindsRequired = new Map()): readonly PolicyProblem[] {
  if (condition.kind === 'claim') return misplaced(condition) ?? excluded(condition, around);
  const { kind, conditions } = condition;
  const within = kind === 'allOf' ? together([around, ...conditions.map(kindsRequired)]) : around;
  return conditions.flatMap((each) => lintTokenKinds(each, within));
}

function excluded(condition: ClaimCondition, around: KindsRequired): readonly PolicyProblem[] {
  const kinds = kindsOf(condition);
  for (const [kind, other] of EXCLUSIVE) {
    const by = around.get(other);
    if (by === undefined || !kinds.includes(kind)) continue;
    return [akvPath(condition, kind === 'direct' ? notOfGuests(condition, by) : ofOtherTee(condition, by))];
  }
  return [];
}

function notOfGuests({ claim, value }: ClaimCondition, by: ClaimCondition): string {
  const what = claim === 'x-ms-attestation-type' ? `${claim} ${value}` : claim;
  return `${what} at the top is of tokens of attest/SevSnpVm and attest/TdxVm, and ${by.claim} (${by.pointer}) of guest tokens: write ${ISOLATION}.${claim}`;
}

function ofOtherTee({ claim }: ClaimCondition, by: ClaimCondition): string {
  return `${claim} asks for a TD, and ${by.claim} (${by.pointer}) for SEV-SNP: write them in different branches of anyOf`;
}

/** Reports a condition on a path at which its claim never is; null if the path is possible. */
function misplaced(condition: ClaimCondition): readonly PolicyProblem[] | null {
  const inside = pathInside(condition.claim);
  if (inside === null) return null;
  const { operator, value } = condition;
  if (inside === 'x-ms-attestation-type' && operator === 'equals' && value === 'azurevm') {
    const message = `${condition.claim} is sevsnpvm or tdxvm: azurevm is the type of the token, x-ms-attestation-type`;
    return [akvPath(condition, message)];
  }
  if (inside !== 'secureboot' && !inside.startsWith('x-ms-azurevm-')) return null;
  return [akvPath(condition, `${condition.claim} does not exist, since the claim is at the top: write ${inside}`)];
}

function akvPath({ pointer }: ClaimCondition, message: string): PolicyProblem {
  return { code: 'akv_path', pointer, message };
}
