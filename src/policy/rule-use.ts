import type { EvidenceType } from '../model/evidence.js';
import {
  hasParavisor,
  hasTdEventLog,
  hasVtpm,
  isHardwareType,
  isTokenType,
  teeOf,
  tokenRouteOf,
} from '../model/evidence-traits.js';
import { evaluate, RuleScope } from './cel/evaluate.js';
import { type Claim, claimsIn } from './cel/expression.js';
import { consultedClaims, foresee, isAlwaysMet, type Known } from './cel/foresee.js';
import { misfitsIn } from './cel/misfits.js';
import { misspeltIn } from './cel/misspelt.js';
import type { PolicyMembers } from './policy-grammar.js';
import { type PolicyProblem, schemaProblem, unusedMember } from './policy-problem.js';
import { scopeOf } from './policy-scope.js';
import type { AkvRule, CelRule, Rule } from './rule.js';

const RTMRS = 'tdx.rtmr';
const TD_EVENT_LOG = 'tdx.eventLog';

type RuledPolicy = Pick<PolicyMembers, 'accepts' | 'routes'> & { readonly rules: readonly Rule[] };

/** Rules that no accepted evidence can ever be judged by, that ask for nothing, or that keep the policy from allowing. */
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

/** Each accepted type lacks some of the claims. Where another has them, people have to choose by type. */
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

/** In an Azure TD, RTMRs measure the paravisor, not the guest: see the reference values. */
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

/** What a rule says less, or other, than it seems to. Such a policy loads. */
export function ruleRemarks(policy: RuledPolicy): readonly PolicyProblem[] {
  return policy.rules.flatMap((rule, index) =>
    rule.language === 'cel' ? celRemarks(rule, policy, `/rules/${index}/cel`) : [],
  );
}

function celRemarks({ expression }: CelRule, policy: RuledPolicy, pointer: string): readonly PolicyProblem[] {
  const foreseen = policy.accepts.map((type) => [type, foresee(expression, knownOf(type, policy))] as const);
  const denied = foreseen.filter(([, value]) => value === 'undefined' || value === 'false').map(([type]) => type);
  const misfits = [
    ...misfitsIn(expression).map(({ always, message }) =>
      always ? remark(true, pointer, message) : { ...remark(false, pointer, message), remedy: CORRECT },
    ),
    ...misspeltIn(expression).map((message) => ({ ...remark(false, pointer, message), remedy: CORRECT })),
    ...ofGuest(expression).map((claim) => remark(true, pointer, `${claim} ${WRITTEN_BY_GUEST}`)),
  ];
  if (policy.accepts.every((type) => isAlwaysMet(expression, knownOf(type, policy)))) {
    return [remark(true, pointer, 'is met by every evidence that the policy accepts'), ...misfits];
  }
  if (denied.length === 0) return misfits;
  const never = remark(false, pointer, `is met by no evidence of type ${denied.join(', ')}`);
  return [denied.length < policy.accepts.length ? { ...never, remedy: CHOOSE } : never, ...misfits];
}

const CHOOSE =
  'Choose by evidence.type in the rule, or do not accept these types: with it the policy never allows them.';
const CORRECT = 'Correct the name, the text or the number as the message says: a comparison with it is never true.';

const WRITTEN_BY_GUEST =
  'is JSON that a guest without paravisor writes itself, and in azurevm tokens any guest: require secureBoot, or name the one in x-ms-isolation-tee';

/** Claims that look like the configuration of the VM, and can be the guest's own words. */
function ofGuest(expression: CelRule['expression']): readonly string[] {
  const found = claimsIn(expression).filter(({ path }) => {
    const [above, holder] = path.slice(0, path.indexOf('vm-configuration')).slice(-2);
    return holder === 'attester_runtime_data' || (holder === 'x-ms-runtime' && above === 'claims');
  });
  return [...new Set(found.map(({ text }) => text))];
}

function remark(always: boolean, pointer: string, message: string): PolicyProblem {
  return { code: always ? 'rule_always' : 'rule_never', pointer, message, severity: 'warning' };
}

/** What is known of evidence of one type under a policy. Static: whatever is configured, and whatever comes. */
function knownOf(type: EvidenceType, policy: RuledPolicy): Known {
  const sections = new Set(possibleSections(type, policy));
  return {
    canHave: ({ path: [section = '', member] }) =>
      `${section}.${member}` === TD_EVENT_LOG ? hasTdEventLog(type) : sections.has(section),
    valueOf: ({ path: [section] }) => (section === 'evidence' ? type : undefined),
  };
}

/** Sections of claims that evidence of a type can have. Bare evidence can carry the runtime claims of a paravisor. */
function possibleSections(type: EvidenceType, { routes }: RuledPolicy): readonly string[] {
  const ofToken = isTokenType(type);
  const ofTds = teeOf(type) === 'tdx' || ofToken;
  return [
    'evidence',
    ...(teeOf(type) === null ? [] : [String(teeOf(type))]),
    ...(isHardwareType(type) ? ['hcl'] : []),
    ...(hasVtpm(type) ? ['tpm'] : []),
    ...(tokenRouteOf(type) === 'maa' || routes.maa !== 'off' ? ['maa'] : []),
    // Trust Authority judges TDs alone.
    ...(tokenRouteOf(type) === 'ita' || (routes.ita !== 'off' && ofTds) ? ['ita'] : []),
  ];
}
