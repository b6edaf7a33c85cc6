import type { Claims } from '../../core/claims.js';
import { isObject, type JsonObject } from '../../core/json.js';
import { claimsIn } from '../cel/expression.js';
import type { Policy } from '../document/policy-document.js';
import type { Rule } from '../document/rule.js';
import { merged, nested, valueAt } from './nested-objects.js';

/**
 * Returns the claims that the rules of a policy need: the named ones, and all claims of tokens for a release policy.
 */
export function ruleClaims({ rules }: Pick<Policy, 'rules'>, claims: Claims): JsonObject {
  const all = claims as unknown as JsonObject;
  const entries = rules.flatMap(namedClaims).flatMap(({ path }) => {
    const value = valueAt(all, path);
    return value === undefined || value === null ? [] : [[path, value] as const];
  });
  return merged(nested(entries), rules.some(({ language }) => language === 'akv') ? tokenClaims(all) : {});
}

/** A change of claims after which a rule may no longer be met. */
export interface RuleChange {
  /** Path of the claim in the syntax of rules. */
  readonly text: string;
  readonly path: readonly string[];
  /** Null: the claim is absent, and the rule is undefined. */
  readonly value: string | null;
}

/** Returns changes to try in turn: without each claim that the rule names, or with a token of another issuer. */
export function ruleChanges(rule: Rule, claims: JsonObject): readonly RuleChange[] {
  const named = namedClaims(rule).map(({ text, path }) => ({ text, path, value: null }));
  const issuer = { text: 'maa.issuer', path: ['maa', 'issuer'], value: 'https://elsewhere.example' };
  return [...named, ...(rule.language === 'akv' ? [issuer] : [])].filter(
    ({ path }) => (valueAt(claims, path) ?? null) !== null,
  );
}

function namedClaims(rule: Rule) {
  return rule.language === 'cel' ? claimsIn(rule.expression).filter(({ path }) => path[0] !== 'evidence') : [];
}

/** `stated` is this service's reading of a token, and not a claim. */
function tokenClaims(all: JsonObject): JsonObject {
  return Object.fromEntries(
    (['maa', 'ita'] as const).flatMap((name) => {
      const section = all[name];
      if (!isObject(section)) return [];
      const { stated: _, ...rest } = section;
      return [[name, rest]];
    }),
  );
}
