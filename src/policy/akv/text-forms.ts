import type { ClaimType, TextForm } from '../cel/claim-type.js';
import { RULE_CLAIMS } from '../cel/claim-types.js';

/** The possible strings of the claim at a path, as for CEL rules; null if any is possible, or the claim is unknown. */
export function textFormOf(path: string): TextForm | null {
  const type = ruleTypeOf(path);
  return type !== undefined && 'form' in type ? type.form : null;
}

/** Whether the claim at a path is known to CEL rules. */
export function isRuleClaim(path: string): boolean {
  return ruleTypeOf(path) !== undefined;
}

function ruleTypeOf(path: string): ClaimType | undefined {
  const names = path.split('.');
  return typeAt(['maa', 'claims', ...names]) ?? typeAt(['ita', 'claims', ...names]);
}

function typeAt([section = '', ...names]: readonly string[]): ClaimType | undefined {
  let type: ClaimType | undefined = RULE_CLAIMS.get(section);
  for (const name of names) type = type?.kind === 'object' ? type.members.get(name) : undefined;
  return type;
}
