import { askedBy, asksForParavisor, isGuestConfiguration } from '../appraise/guest-words.js';
import { claimsIn } from '../cel/expression.js';
import { foresee, isAlwaysMet } from '../cel/foresee.js';
import { misfitsIn } from '../cel/misfits.js';
import { misspeltIn } from '../cel/misspelt.js';
import { knownOf, type RuledPolicy } from '../document/known-claims.js';
import type { PolicyProblem } from '../document/policy-problem.js';
import type { CelRule } from '../document/rule.js';

/** Warns of rules that require less than they seem to, or something else. */
export function lintRules(policy: RuledPolicy): readonly PolicyProblem[] {
  return policy.rules.flatMap((rule, index) =>
    rule.language === 'cel' ? lintCel(rule, policy, `/rules/${index}/cel`) : [],
  );
}

function lintCel({ expression }: CelRule, policy: RuledPolicy, pointer: string): readonly PolicyProblem[] {
  const foreseen = policy.accepts.map((type) => [type, foresee(expression, knownOf(type, policy))] as const);
  const denied = foreseen.filter(([, value]) => value === 'undefined' || value === 'false').map(([type]) => type);
  const misfits = [
    ...[...misfitsIn(expression), ...misspeltIn(expression)].map(({ always, message }) => ({
      ...remark(always, pointer, message),
      remedy: always ? LEAVE_OUT : CORRECT,
    })),
    ...ofGuest(expression, policy).map((problem) => ({ ...remark(true, pointer, problem), remedy: RELY_ON_OTHERS })),
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
// The message does not advise to remove the rule, because its other parts may pin something.
const LEAVE_OUT =
  'Correct the text or the number as the message says, or take this comparison out of the rule: it is always true.';
const RELY_ON_OTHERS = 'Do as the message says: what the guest writes proves nothing.';

const WRITTEN_BY_GUEST = 'is JSON that a guest without paravisor writes itself, and in azurevm tokens any guest';
const NAME = 'name the one in x-ms-isolation-tee';

/**
 * Reports configuration claims that the guest can write itself, with a remedy. If the policy requires Secure Boot, its
 * own check covers that claim. As in release policies, the compliance status of a CVM shows a paravisor.
 */
function ofGuest(expression: CelRule['expression'], { rules, secureBoot }: RuledPolicy): readonly string[] {
  const isCompliant = askedBy(rules).some(asksForParavisor);
  const found = claimsIn(expression).flatMap(({ path: [section, , ...path], text }) => {
    const isShown = isCompliant && section === 'maa';
    if (isShown || (section !== 'maa' && section !== 'ita') || !isGuestConfiguration(path)) return [];
    if (path.at(-1) !== 'secure-boot') return [`${text} ${WRITTEN_BY_GUEST}: ${NAME}`];
    return secureBoot === 'required' ? [] : [`${text} ${WRITTEN_BY_GUEST}: require secureBoot, or ${NAME}`];
  });
  return [...new Set(found)];
}

function remark(always: boolean, pointer: string, message: string): PolicyProblem {
  return { code: always ? 'rule_always' : 'rule_never', pointer, message, severity: 'warning' };
}
