import { BOOT_LISTS } from '../../core/claims.js';
import { hasParavisor } from '../../core/evidence-traits.js';
import { type Claim, type Expression, expressionParts } from '../cel/expression.js';
import type { Policy } from '../document/policy-document.js';
import type { PolicyProblem } from '../document/policy-problem.js';
import type { ReferenceSet } from '../document/reference-grammar.js';
import { couldMatch } from '../document/reference-use.js';

/** The last PCR of the boot. The guest can reset PCR 16 and 23, and Azure VMs have no launch that uses 17 to 22. */
const LAST_BOOT_PCR = 15;

const ANY_BOOT = 'any boot loader and kernel is accepted, whether signed or not: require secureBoot, or pin the boot';

/**
 * Reports a policy that does not pin the boot of a VM behind a paravisor. The launch measurement there covers only the
 * paravisor, and only the vTPM shows what the VM boots. Sets of reference values are alternatives, so each must pin the
 * boot.
 */
export function lintBoot(policy: Policy): readonly PolicyProblem[] {
  const types = policy.accepts.filter(hasParavisor);
  if (types.length === 0) return [];
  const isPinnedElsewhere = policy.secureBoot === 'required' || policy.rules.some(readsBoot);
  const unpinned = (pointer: string, message: string): readonly PolicyProblem[] =>
    isPinnedElsewhere ? [] : [{ code: 'boot_unpinned', pointer, message }];
  if (policy.referenceValues.length === 0) return unpinned('', ANY_BOOT);
  return policy.referenceValues.flatMap((set, index) => {
    if (pinsBoot(set) || !types.some((type) => couldMatch(set, type, policy))) return [];
    const pointer = `/referenceValues/${index}`;
    const launchOnly = launchOnlyMembers(set, pointer);
    return launchOnly.length > 0 ? launchOnly : unpinned(pointer, `of evidence that matches this set, ${ANY_BOOT}`);
  });
}

function launchOnlyMembers(set: ReferenceSet, pointer: string): readonly PolicyProblem[] {
  const pinned = [
    ...(set.snp?.measurement == null ? [] : ['snp/measurement']),
    ...(set.tdx?.mrtd == null ? [] : ['tdx/mrtd']),
  ];
  return pinned.map((member) => ({
    code: 'launch_only_paravisor',
    pointer: `${pointer}/${member}`,
    message: 'measures the paravisor alone, and not what the VM boots: pin tpm.pcrs or tpm.boot in this set as well',
  }));
}

function pinsBoot({ tpm }: ReferenceSet): boolean {
  if (tpm === null) return false;
  return (
    tpm.sha256Pcrs.some(({ index }) => index <= LAST_BOOT_PCR) || BOOT_LISTS.some((list) => tpm.boot?.[list] != null)
  );
}

/** Whether a rule compares boot claims, or the Secure Boot state of the log. */
function readsBoot(rule: Policy['rules'][number]): boolean {
  return rule.language === 'cel' && comparedClaims(rule.expression).some(isOfBoot);
}

/** Claims whose value an expression uses. The presence of a claim shows nothing about the boot. */
function comparedClaims(expression: Expression): readonly Claim[] {
  if (expression.op === 'claim') return [expression];
  return expression.op === 'present' ? [] : expressionParts(expression).flatMap(comparedClaims);
}

const LOGGED: readonly string[] = [...BOOT_LISTS, 'secureBoot'];

function isOfBoot({ path: [section, member, part = '', index] }: Claim): boolean {
  if (section !== 'tpm') return false;
  return member === 'pcrs' ? Number(index) <= LAST_BOOT_PCR : member === 'eventLog' && LOGGED.includes(part);
}
