import type { Checks } from '../../core/check.js';
import type { EventLogClaims } from '../../core/claims.js';
import type { TokenRoute } from '../../core/evidence.js';
import { traitsOf } from '../../core/evidence-traits.js';
import type { EventLogGaps } from '../../core/verification.js';
import { evaluateReleasePolicy } from '../akv/evaluate-release-policy.js';
import { unmetConditions } from '../akv/unmet-conditions.js';
import type { AppraisalTopic, TopicInput } from '../appraise/appraisal-topic.js';
import { evaluate } from '../cel/evaluate.js';
import { ExplanationBudget, explain } from '../cel/explain.js';
import { RuleBudget } from '../cel/rule-budget.js';
import { RuleScope } from '../cel/rule-scope.js';
import { UNDEFINED } from '../cel/rule-value.js';
import { whyNotTrue } from '../cel/why-not-true.js';
import type { AkvRule, CelRule } from './rule.js';

const TOKEN_ROUTES: readonly TokenRoute[] = ['maa', 'ita'];

/** Rules over claims, each of which must be met. */
export const rules: AppraisalTopic = {
  needs: () => [],
  required: ({ rules: all }) => (all.length === 0 ? [] : ['rule_not_met']),
  appraise: ({ rules: all }, input, checks) => {
    const claims = claimsBySection(input);
    const shared = { claims, budget: new RuleBudget(), forExplanation: new ExplanationBudget() };
    for (const rule of all) {
      if (rule.language === 'cel') appraiseCel(rule, shared, input, checks.ofRule(rule.id));
      else appraiseAkv(rule, input, checks.ofRule(rule.id));
    }
  },
};

/** The state that the rules of one appraisal share. */
interface Shared {
  readonly claims: ReadonlyMap<string, unknown>;
  readonly budget: RuleBudget;
  readonly forExplanation: ExplanationBudget;
}

function appraiseCel({ id, expression }: CelRule, shared: Shared, input: TopicInput, checks: Checks): void {
  const { claims, budget, forExplanation } = shared;
  const scope = new RuleScope(claims, budget);
  const value = evaluate(expression, scope);
  const explained = () => explain(expression, claims, forExplanation);
  if (value === true) {
    checks.pass('rule_not_met', { expected: id, actual: true, detail: `the rule ${id} is met`, explain: explained });
    return;
  }
  const absent = [...scope.absent];
  if (value === UNDEFINED && isLeftOpen(sectionNames(absent), id, input, checks)) return;
  const why = whyNotTrue(expression, value, scope);
  const detail = `the rule ${id} is not met: ${why}`;
  const actual = value === UNDEFINED ? null : false;
  checks.fail('rule_not_met', { expected: id, actual, detail, faults: [why], explain: explained });
  if (value !== UNDEFINED) return;
  if (absent.length > 0) failMissing(id, absent, checks);
  for (const { claim, expected, actual } of scope.mistyped.values()) {
    const what = `${claim} is of type ${actual}, and the rule ${id} compares it as ${expected}`;
    const named = { setting: `rule ${id}`, faults: [claim] };
    checks.fail('claim_type', { expected: { claim, type: expected }, actual, detail: what, ...named });
  }
}

function failMissing(id: string, absent: readonly string[], checks: Checks): void {
  const what =
    absent.length === 1 ? `the claim ${absent[0]}, which is absent` : `claims that are absent: ${absent.join(', ')}`;
  const named = { setting: `rule ${id}`, faults: absent };
  checks.fail('claim_missing', { expected: [...absent], detail: `the rule ${id} needs ${what}`, ...named });
}

function sectionNames(claims: readonly string[]): ReadonlySet<string> {
  return new Set(claims.map((claim) => claim.split(/[.[]/, 1)[0] ?? ''));
}

/**
 * The claims by section, as rules name them. If the configured verifier is unreachable, a token from the caller does
 * not replace its token.
 */
function claimsBySection({ evidenceType: type, verification, results }: TopicInput): ReadonlyMap<string, unknown> {
  const { claims, eventLogGaps } = verification;
  const { tpm, tdx } = claims;
  const isOutOfReach = (section: string) =>
    TOKEN_ROUTES.some((route) => route === section && results.get(route)?.state === 'unavailable');
  return new Map<string, unknown>([
    ['evidence', { type }],
    ...Object.entries(claims).filter(([section]) => !isOutOfReach(section)),
    ...(tpm === undefined ? [] : [['tpm', withLoadOptions(tpm, eventLogGaps)] as const]),
    ...(tdx === undefined ? [] : [['tdx', withLoadOptions(tdx, eventLogGaps)] as const]),
  ]);
}

/**
 * Adds the digests that the log labels as load options to the files, as for reference values. Nothing measures that
 * label. Otherwise the sender of the log could exclude a file from a rule by it.
 */
function withLoadOptions<S extends { readonly eventLog?: EventLogClaims }>(section: S, gaps?: EventLogGaps): S {
  const { eventLog } = section;
  const loadOptions = gaps?.loadOptions ?? [];
  if (eventLog === undefined || eventLog.files === null || loadOptions.length === 0) return section;
  return { ...section, eventLog: { ...eventLog, files: [...eventLog.files, ...loadOptions] } };
}

/**
 * Whether a rule is not evaluated because it needs claims that are missing for the reason of another check: an invalid
 * signature, or an unreachable verifier.
 */
function isLeftOpen(absent: ReadonlySet<string>, id: string, input: TopicInput, checks: Checks): boolean {
  const { evidenceType, verification, results } = input;
  const unverified = traitsOf(evidenceType).always.find(
    (section) => absent.has(section) && verification.claims[section] === undefined,
  );
  if (unverified !== undefined) {
    checks.skip(['rule_not_met'], `needs verified ${unverified} claims, and there are none`);
    return true;
  }
  if (isOutOfReach(absent, id, 'needs', input, checks)) return true;
  for (const route of TOKEN_ROUTES) {
    if (!absent.has(route) || verification.claims[route] !== undefined) continue;
    const state = results.get(route)?.state;
    if (state === 'refused' || state === 'not judged') {
      checks.skip(['rule_not_met'], `no token for the route ${route} can be relied on`);
      return true;
    }
  }
  return false;
}

/** Whether the token of an unreachable verifier could meet a rule. */
function isOutOfReach(
  routes: ReadonlySet<string>,
  id: string,
  needs: string,
  input: TopicInput,
  checks: Checks,
): boolean {
  for (const route of TOKEN_ROUTES) {
    const found = input.results.get(route);
    if (!routes.has(route) || found?.state !== 'unavailable') continue;
    const detail = `the rule ${id} ${needs} a token for the route ${route}: ${found.detail}`;
    checks.unavailable('rule_not_met', { expected: id, detail, retryable: found.retryable });
    return true;
  }
  return false;
}

/** Evaluates a release policy on the claims of a verified token from one of its authorities. */
function appraiseAkv({ id, policy, comparison }: AkvRule, input: TopicInput, checks: Checks): void {
  const { maa, ita } = input.verification.claims;
  const tokens = [maa, ita].flatMap((token) => token ?? []);
  if (tokens.length === 0) {
    if (isLeftOpen(new Set(TOKEN_ROUTES), id, input, checks)) return;
    checks.fail('rule_not_met', { expected: id, detail: `the rule ${id} is judged on a token, and there is none` });
    failMissing(id, ['the claims of a token'], checks);
    return;
  }
  const judged = tokens.map(({ issuer, claims }) => evaluateReleasePolicy(policy, { issuer, claims }, comparison));
  const met = judged.find((each) => each.met);
  if (met === undefined) {
    // Each region has its own issuer, so another token may be from an authority of the rule.
    const could = `is not met by the token of ${issuersOf(tokens)}, and could be met by`;
    if (isOutOfReach(new Set(TOKEN_ROUTES), id, could, input, checks)) return;
    const [first] = judged;
    const explained = first === undefined ? {} : { explain: () => first.explanation };
    const detail = `the rule ${id} is not met by the token of ${issuersOf(tokens)}`;
    const faults = judged.flatMap(({ explanation }) => unmetConditions(explanation));
    checks.fail('rule_not_met', { expected: id, actual: false, ...explained, detail, faults });
    return;
  }
  const compared = { expected: id, actual: true, explain: () => met.explanation };
  const normalised = met.normalisations.map((each) => `; ${each}`).join('');
  checks.pass('rule_not_met', { ...compared, detail: `the rule ${id} is met by the token${normalised}` });
}

function issuersOf(tokens: readonly { readonly issuer: string }[]): string {
  return tokens.map(({ issuer }) => issuer).join(' and ');
}
