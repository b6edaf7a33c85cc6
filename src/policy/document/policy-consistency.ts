import { hasParavisor, isHardwareType, kindOf, teeOf } from '../../core/evidence-traits.js';
import type { PolicyMembers } from './policy-grammar.js';
import { type PolicyProblem, schemaProblem } from './policy-problem.js';

/** Members of a policy that contradict each other. */
export function crossMemberProblems(policy: PolicyMembers): readonly PolicyProblem[] {
  return [
    ...acceptsProblems(policy),
    ...minimumsProblems(policy),
    ...registerProblems(policy),
    ...migrationProblems(policy),
  ];
}

function acceptsProblems({ accepts, routes }: PolicyMembers): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const kinds = new Set(accepts.map(kindOf));
  if (kinds.size > 1)
    problems.push(schemaProblem('/accepts', 'must have only hardware types, only tokens, or only tpm'));
  if (routes.hardware === 'off' && kinds.has('hardware')) {
    problems.push(schemaProblem('/routes/hardware', 'cannot be off for a hardware type'));
  }
  return problems;
}

/** Reports missing minimums. Ignores minimums of a TEE that the policy does not accept, which are never compared. */
function minimumsProblems({ accepts, minimums }: PolicyMembers): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const tees = new Set(accepts.map(teeOf));
  if (tees.has('snp') && minimums.snp === null) problems.push(schemaProblem('/minimums/snp', 'is missing'));
  if (tees.has('tdx') && minimums.tdx === null) problems.push(schemaProblem('/minimums/tdx', 'is missing'));
  const comparesNothing = [minimums.snp, minimums.tdx].every((entry) => entry === null || entry === 'any');
  if (!accepts.some(isHardwareType) && !comparesNothing) {
    problems.push(schemaProblem('/minimums', 'must be any where no hardware report is accepted'));
  }
  return problems;
}

/** Reports pinned RTMRs of an Azure TD. They do not measure the guest (Azure's are zero), so they do not pin its image. */
function registerProblems({ accepts, referenceValues }: PolicyMembers): readonly PolicyProblem[] {
  const azureTd = accepts.find((type) => teeOf(type) === 'tdx' && hasParavisor(type));
  if (azureTd === undefined) return [];
  return referenceValues.flatMap(({ tdx }, index) =>
    (['rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'] as const)
      .filter((register) => tdx !== null && tdx[register] !== null)
      .map((register) =>
        schemaProblem(`/referenceValues/${index}/tdx/${register}`, `describes the paravisor in ${azureTd} evidence`),
      ),
  );
}

/** Rejects `allowMigratable` without a list of service TDs, because a migration TD decides which code the TD runs. */
function migrationProblems({ require: { tdx } }: PolicyMembers): readonly PolicyProblem[] {
  if (tdx?.allowMigratable !== true || tdx.mrServiceTd !== null) return [];
  return [
    schemaProblem('/require/tdx/mrServiceTd', 'is missing: allowMigratable needs the service TDs that may migrate'),
  ];
}
