import { hasParavisor, teeOf } from '../../core/evidence-traits.js';
import { evaluate } from '../cel/evaluate.js';
import { type Claim, claimsIn } from '../cel/expression.js';
import { consultedClaims, foresee, type Known } from '../cel/foresee.js';
import { RuleScope } from '../cel/rule-scope.js';
import { knownOf, type RuledPolicy } from './known-claims.js';
import { type PolicyProblem, schemaProblem, unusedMember } from './policy-problem.js';
import { scopeOf } from './policy-scope.js';
import type { AkvRule, CelRule } from './rule.js';

const RTMRS = 'tdx.rtmr';

/** Reports rules that apply to no accepted evidence, that require nothing, or with which the policy never allows. */
export function ruleProblems(policy: RuledPolicy): readonly PolicyProblem[] {
  return policy.rules.flatMap((rule, index) => {
    const pointer = `/rules/${index}/${rule.language}`;
    return rule.language === 'cel' ? celProblems(rule, policy, pointer) : akvProblems(rule, policy, pointer);
  });
}

function celProblems({ expression }: CelRule, policy: RuledPolicy, pointer: string): readonly PolicyProblem[] {
  if (claimsIn(expression).length === 0) {
    const holds = evaluate(expression, new RuleScope(new Map())) === true;
    return [
      holds
        ? { code: 'rule_always', pointer, message: 'names no claim, and is met by every evidence' }
        : { code: 'rule_never', pointer, message: 'names no claim, and is met by no evidence' },
    ];
  }
  const foreseen = policy.accepts.map((type) => foresee(expression, knownOf(type, policy)));
  if (foreseen.every((value) => value === 'undefined'))
    return [unusedMember(pointer, whatIsMissing(expression, policy))];
  return paravisorRegisters(expression, policy, pointer);
}

/** Names the claims that each accepted type lacks. If another type has them, the rule must select by type. */
function whatIsMissing(expression: CelRule['expression'], policy: RuledPolicy): string {
  const missing = policy.accepts.map((type) => [type, missingClaims(expression, knownOf(type, policy))] as const);
  const [[, first = []] = []] = missing;
  if (missing.every(([, claims]) => claims.join() === first.join())) {
    return `needs claims that nothing which the policy accepts has: ${first.join(', ')}`;
  }
  const each = missing.map(([type, claims]) => `${type} has no ${claims.join(', ')}`).join('; ');
  return `is met by no evidence, since && and || look at all sides: ${each}; choose by evidence.type == '${missing[0]?.[0]}' ? … : …`;
}

function missingClaims(expression: CelRule['expression'], known: Known): readonly string[] {
  const missing = consultedClaims(expression, known).filter((claim) => !known.canHave(claim));
  return [...new Set(missing.map(({ text }) => text))];
}

/** Reports RTMRs of an Azure TD, which do not measure the guest. */
function paravisorRegisters(
  expression: CelRule['expression'],
  policy: RuledPolicy,
  pointer: string,
): readonly PolicyProblem[] {
  const azureTd = policy.accepts.find((type) => teeOf(type) === 'tdx' && hasParavisor(type));
  if (azureTd === undefined) return [];
  const consulted = consultedClaims(expression, knownOf(azureTd, policy));
  const isRtmr = ({ path }: Claim) => path.join('.') === RTMRS;
  return consulted.some(isRtmr)
    ? [schemaProblem(pointer, `${RTMRS} describes the paravisor in ${azureTd} evidence`)]
    : [];
}

function akvProblems(_rule: AkvRule, policy: RuledPolicy, pointer: string): readonly PolicyProblem[] {
  return scopeOf(policy).maa || scopeOf(policy).ita
    ? []
    : [unusedMember(pointer, 'is judged on a token, and this policy never sees one')];
}
