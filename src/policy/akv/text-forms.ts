import type { ClaimType, TextForm } from '../cel/claim-type.js';
import { RULE_CLAIMS } from '../cel/claim-types.js';

/** What texts the claim at a path can be, as rules know it; null where it can be any, or nothing is known of it. */
export function textFormOf(path: string): TextForm | null {
  for (const section of ['maa', 'ita']) {
    const type = typeAt([section, 'claims', ...path.split('.')]);
    if (type !== undefined) return 'form' in type ? type.form : null;
  }
  return null;
}

function typeAt([section = '', ...names]: readonly string[]): ClaimType | undefined {
  let type: ClaimType | undefined = RULE_CLAIMS.get(section);
  for (const name of names) type = type?.kind === 'object' ? type.members.get(name) : undefined;
  return type;
}
