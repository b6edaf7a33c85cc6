import { SNP_TCB_COMPONENTS, type SnpPart } from '../model/claims.js';
import { hasParavisor } from '../model/evidence-traits.js';
import { claimsIn } from './cel/expression.js';
import type { Policy } from './policy-document.js';
import type { TcbFloor } from './policy-grammar.js';
import type { PolicyProblem } from './policy-problem.js';
import { scopeOf } from './policy-scope.js';
import { PUBLISHED_FLOORS } from './published-floors.js';
import type { ReferenceSet } from './reference-grammar.js';

/** What a policy leaves open about firmware, and about what a VM boots behind a paravisor. */
export function lintHardware(policy: Policy): readonly PolicyProblem[] {
  return [...lintFloors(policy), ...lintBoot(policy)];
}

function lintFloors(policy: Policy): readonly PolicyProblem[] {
  const { snp } = policy.minimums;
  if (!scopeOf(policy).snp || snp === null) return [];
  if (snp === 'any') {
    return [
      { code: 'snp_floor_low', pointer: '/minimums/snp', message: 'any accepts firmware with every published flaw' },
    ];
  }
  return Object.entries(snp).flatMap(([part, floor]) => lintFloor(part as SnpPart, floor ?? {}));
}

function lintFloor(part: SnpPart, floor: TcbFloor): readonly PolicyProblem[] {
  return SNP_TCB_COMPONENTS.flatMap((component): readonly PolicyProblem[] => {
    const published = PUBLISHED_FLOORS[part][component];
    const own = floor[component];
    if (published === undefined || (own !== undefined && own >= published)) return [];
    const is = own === undefined ? 'is not compared' : `is ${own}`;
    const message = `${component} of ${part} ${is}: below ${published}, microcode signatures are not checked soundly (AMD-SB-3019)`;
    return [{ code: 'snp_floor_low', pointer: `/minimums/snp/${part}`, message }];
  });
}

/** Behind a paravisor the launch measurement is the paravisor's: what the VM boots shows in its vTPM alone. */
function lintBoot(policy: Policy): readonly PolicyProblem[] {
  if (!policy.accepts.some(hasParavisor)) return [];
  const launchOnly = policy.referenceValues.flatMap((set, index) =>
    launchOnlyMembers(set, `/referenceValues/${index}`),
  );
  if (launchOnly.length > 0) return launchOnly;
  if (policy.secureBoot === 'required' || policy.referenceValues.some(pinsBoot) || rulesReadBoot(policy)) return [];
  const message = 'any boot loader and kernel is accepted, whether signed or not: require secureBoot, or pin the boot';
  return [{ code: 'boot_unpinned', pointer: '', message }];
}

function launchOnlyMembers(set: ReferenceSet, pointer: string): readonly PolicyProblem[] {
  if (pinsBoot(set)) return [];
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
  return tpm !== null && (tpm.boot !== null || tpm.sha256Pcrs.length > 0);
}

function rulesReadBoot({ rules }: Policy): boolean {
  return rules.some(
    (rule) =>
      rule.language === 'cel' &&
      claimsIn(rule.expression).some(({ path: [section, member] }) => {
        return section === 'tpm' && (member === 'pcrs' || member === 'eventLog');
      }),
  );
}
