import { jsonPointer } from '../../core/json.js';
import type { Comparison } from '../akv/compare-values.js';
import type { ReleasePolicy } from '../akv/policy-tree.js';
import { readReleasePolicy } from '../akv/release-policy.js';
import type { Expression } from '../cel/expression.js';
import { parseRule } from '../cel/parse-rule.js';
import { RuleFault } from '../cel/rule-fault.js';
import type { RuleMembers } from './policy-grammar.js';
import { type PolicyProblem, schemaProblem } from './policy-problem.js';

/** A rule over claims (CEL). */
export interface CelRule {
  readonly id: string;
  readonly language: 'cel';
  readonly text: string;
  readonly expression: Expression;
}

/** A release policy of Azure Key Vault or Managed HSM, evaluated on the token of one of its authorities. */
export interface AkvRule {
  readonly id: string;
  readonly language: 'akv';
  readonly policy: ReleasePolicy;
  readonly comparison: Comparison;
}

export type Rule = CelRule | AkvRule;

export interface ReadRules {
  readonly rules: readonly Rule[];
  readonly problems: readonly PolicyProblem[];
}

/** More than any policy needs. */
const MOST_RULES = 64;

/**
 * Reads the texts of rules. The result does not contain rules with problems.
 *
 * @param mostBytes maximum size of all CEL rules together, so that no text blocks the service
 */
export function readRules(members: readonly RuleMembers[], mostBytes: number): ReadRules {
  if (members.length > MOST_RULES) {
    return { rules: [], problems: [schemaProblem('/rules', `has more than ${MOST_RULES} rules`)] };
  }
  const bytes = members.reduce((sum, rule) => sum + (rule.language === 'cel' ? Buffer.byteLength(rule.text) : 0), 0);
  if (bytes > mostBytes) {
    const message = `the rules have ${bytes} bytes together, and may have ${mostBytes}`;
    return { rules: [], problems: [{ code: 'rule_limit', pointer: '/rules', message }] };
  }
  const problems: PolicyProblem[] = repeatedIds(members);
  const rules: Rule[] = [];
  for (const [index, rule] of members.entries()) {
    const read = rule.language === 'cel' ? readCel(rule, index) : readAkv(rule, index);
    if (Array.isArray(read)) problems.push(...read);
    else rules.push(read as Rule);
  }
  return { rules, problems };
}

function repeatedIds(members: readonly RuleMembers[]): PolicyProblem[] {
  const seen = new Set<string>();
  return members.flatMap(({ id }, index) => {
    if (seen.has(id)) return [schemaProblem(jsonPointer(['rules', index, 'id']), 'repeats the id of another rule')];
    seen.add(id);
    return [];
  });
}

function readCel({ id, text }: RuleMembers & { language: 'cel' }, index: number): CelRule | readonly PolicyProblem[] {
  try {
    return { id, language: 'cel', text, expression: parseRule(text) };
  } catch (error) {
    if (!(error instanceof RuleFault)) throw error;
    return [{ code: error.code, pointer: jsonPointer(['rules', index, 'cel']), message: error.message }];
  }
}

function readAkv(
  { id, policy: raw, comparison }: RuleMembers & { language: 'akv' },
  index: number,
): AkvRule | readonly PolicyProblem[] {
  const { policy, problems } = readReleasePolicy(raw, jsonPointer(['rules', index, 'akv']));
  return policy === null ? problems : { id, language: 'akv', policy, comparison };
}
