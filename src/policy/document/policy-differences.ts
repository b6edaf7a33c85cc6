import { type JsonDifference, jsonDifferences } from '../../core/json-differences.js';
import type { Policy } from './policy-document.js';
import type { Rule } from './rule.js';

/** Properties of the text, which are not members of the policy. */
const NOT_COMPARED: ReadonlySet<string> = new Set(['text', 'sha256']);

/** Members that differ between two policies, with every default filled in. */
export function policyDifferences(before: Policy, after: Policy): readonly JsonDifference[] {
  return jsonDifferences(membersOf(before), membersOf(after), NOT_COMPARED);
}

/** The members in the form of a policy text. */
function membersOf(policy: Policy) {
  return JSON.parse(JSON.stringify({ ...policy, rules: policy.rules.map(ruleText) }));
}

function ruleText(rule: Rule) {
  const { id } = rule;
  return rule.language === 'cel' ? { id, cel: rule.text } : { id, akv: rule.policy, comparison: rule.comparison };
}
