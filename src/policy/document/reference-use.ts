import { AMD_LINES, lineOfPart } from '../../core/amd-lines.js';
import type { SnpPart, SnpProduct } from '../../core/claims.js';
import type { EvidenceType } from '../../core/evidence.js';
import { hasTdEventLog, teeOf, traitsOf } from '../../core/evidence-traits.js';
import type { PolicyMembers } from './policy-grammar.js';
import { type PolicyProblem, unusedMember } from './policy-problem.js';
import { REFERENCE_SECTIONS, type ReferenceSection, type ReferenceSet } from './reference-grammar.js';

/** Reports reference values that no accepted evidence can be compared with or can match. */
export function unusedReferences(policy: PolicyMembers): readonly PolicyProblem[] {
  const { accepts, referenceValues: sets } = policy;
  const problems = sets.flatMap((set, index) => unusedInSet(set, accepts, `/referenceValues/${index}`));
  if (problems.length > 0 || sets.length === 0) return problems;
  const canMatch = accepts.some((type) => sets.some((set) => couldMatch(set, type, policy)));
  return canMatch
    ? []
    : [unusedMember('/referenceValues', 'no evidence can match any of these sets, so none would pass')];
}

function unusedInSet(set: ReferenceSet, accepts: readonly EvidenceType[], pointer: string): readonly PolicyProblem[] {
  const absent = referenceSections(set).filter(
    (section) => !accepts.some((type) => traitsOf(type).possible.includes(section)),
  );
  if (absent.length > 0) {
    return absent.map((section) =>
      unusedMember(`${pointer}/${section}`, `no evidence that the policy accepts has claims of ${section}`),
    );
  }
  if (set.tdx?.boot != null && !accepts.some((type) => hasTdEventLog(type))) {
    return [unusedMember(`${pointer}/tdx/boot`, 'no evidence that the policy accepts has the event log of a TD')];
  }
  if (accepts.some((type) => applies(set, type))) return [];
  return [unusedMember(`${pointer}/appliesTo/product`, 'no evidence with these sections has a product')];
}

function referenceSections(set: ReferenceSet): readonly ReferenceSection[] {
  return REFERENCE_SECTIONS.filter((section) => set[section] !== null);
}

function applies(set: ReferenceSet, type: EvidenceType): boolean {
  if (set.appliesTo.product !== null && teeOf(type) !== 'snp') return false;
  return referenceSections(set).some((section) => traitsOf(type).possible.includes(section));
}

/** Whether some evidence of a type could match a set that applies to it, and pass the minimums as well. */
export function couldMatch(
  set: ReferenceSet,
  type: EvidenceType,
  { minimums: { snp } }: Pick<PolicyMembers, 'minimums'>,
): boolean {
  if (!applies(set, type) || !referenceSections(set).every((section) => traitsOf(type).possible.includes(section)))
    return false;
  const { product } = set.appliesTo;
  if (product === null || snp === 'any') return true;
  return Object.keys(snp ?? {}).some((part) => canBeOf(part, product));
}

/** Whether a part can belong to a line. Returns true for configured ones, because only the configuration knows. */
function canBeOf(part: SnpPart, product: SnpProduct): boolean {
  const line = lineOfPart(part, AMD_LINES);
  return line === null ? !AMD_LINES.has(product) : line.product === product;
}
