import type { Decision, Outcome } from '../core/decision.js';
import { ConfigurationError, FormatError } from '../core/errors.js';
import type { VerifyRequest } from '../core/request.js';
import { appraiseClaims } from '../policy/appraise/appraise-claims.js';
import { Asserted } from '../policy/appraise/asserted.js';
import type { Policy } from '../policy/document/policy-document.js';
import { changesOf } from '../policy/learn/changes.js';
import { keptCases, type TestBefore } from '../policy/learn/kept-cases.js';
import { shownName } from '../policy/learn/learned-document.js';
import { type LearnableEvidence, type LearnedPolicy, learnedPolicy } from '../policy/learn/learned-policy.js';
import { learnedTest } from '../policy/learn/learned-test.js';
import { type LearningInput, type LearningPlan, planLearning } from '../policy/learn/plan.js';
import { ACCEPTABLE_CODES, learnabilityOf } from '../policy/learn/refusals.js';

export { isLearned } from '../policy/learn/learned-header.js';
export { ACCEPTABLE_CODES } from '../policy/learn/refusals.js';

/** Verifies a request only under these policies. */
export type JudgeUnder = (request: VerifyRequest, policies: readonly Policy[]) => Promise<Decision>;

/** A /verify body, by the name of its file. */
export interface NamedRequest {
  readonly name: string;
  readonly request: VerifyRequest;
}

export interface LearnRequest extends LearningInput {
  readonly evidence: readonly NamedRequest[];
  /** Codes that do not prevent learning. */
  readonly accepted: ReadonlySet<string>;
  /** File of the policy, as its test refers to it. */
  readonly file: string;
  readonly testBefore: TestBefore;
}

/** Why nothing is learned: one sentence for each code and file. */
export interface NothingLearned {
  readonly outcome: Exclude<Outcome, 'allow'>;
  readonly refusals: readonly string[];
}

export interface SomethingLearned {
  readonly outcome: 'allow';
  readonly id: string;
  /** Unchanged if nothing is new. */
  readonly text: string;
  readonly isNew: boolean;
  /** Null if there is nothing to test. */
  readonly test: string | null;
  readonly changes: readonly string[];
  readonly notes: readonly string[];
}

/**
 * Learns reference values from evidence that a policy allows. Evidence is verified under that policy, and
 * again under the learned one. A learned policy that does not allow all its evidence is not returned.
 *
 * The learned policy describes the machines, but does not show that they are trustworthy: the owner of the evidence chose it.
 */
export class LearnPolicy {
  readonly #judge: JudgeUnder;
  readonly #version: string;

  /** @param version version of veritee, which is recorded */
  constructor(judge: JudgeUnder, version: string) {
    this.#judge = judge;
    this.#version = version;
  }

  /**
   * @throws {ConfigurationError} if evidence is malformed, the policy to widen does not fit, or the learned policy
   *   or the previous test does not load
   */
  async execute(asked: LearnRequest): Promise<NothingLearned | SomethingLearned> {
    const plan = planLearning(asked);
    const kept = keptCases(asked.testBefore);
    const evidence: LearnableEvidence[] = [];
    const refused: Refused[] = [];
    for (const each of asked.evidence) {
      const found = await naming(each, () => this.#learnable(each, plan, asked.accepted));
      if ('refusals' in found) refused.push(found);
      else evidence.push(found);
    }
    const [first] = evidence;
    if (refused.length > 0 || first === undefined) return nothingLearned(refused);
    const { at } = first.source;
    const learned = learnedPolicy(plan, evidence, { at, version: this.#version });
    const notAllowed = await this.#notAllowed(asked.evidence, learned);
    if (notAllowed.length > 0) return nothingLearned(notAllowed);
    const test = learnedTest(learned, evidence, asked.file, kept, (policy, type, claims) =>
      appraiseClaims(policy, { type, asserted: Asserted.of(claims), at }),
    );
    return {
      outcome: 'allow',
      id: plan.id,
      text: learned.policy.text,
      isNew: learned.isNew,
      test: test.text,
      changes: changesOf(plan, learned, evidence),
      notes: [...learned.notes, ...(learned.isNew ? test.notes : [])],
    };
  }

  async #learnable(
    { name, request }: NamedRequest,
    plan: LearningPlan,
    accepted: ReadonlySet<string>,
  ): Promise<LearnableEvidence | Refused> {
    const decision = await this.#judge(request, [plan.base]);
    if (decision.decision !== 'allow') return learningRefusal(name, decision, `by ${plan.base.id}`);
    const seen = { type: decision.evidence.type, claims: decision.claims };
    const learnability = learnabilityOf(seen, decision.checks, accepted);
    if (learnability.refused.length > 0) {
      const refusals = learnability.refused.map(
        ({ code, what }) => `${name}: ${code}: the evidence ${what}${optionFor(code)}`,
      );
      return { outcome: 'deny', refusals };
    }
    return {
      source: { name: shownName(name), sha256: decision.evidence.sha256, type: seen.type, at: decision.at },
      seen,
      matched: (await this.#firstMet(request, plan.base))?.set ?? null,
      met: plan.before === null ? null : ((await this.#firstMet(request, plan.before.policy))?.index ?? null),
      accepted: learnability.accepted,
      warnings: learnability.warnings,
    };
  }

  /** The first set of a policy that evidence meets. Verifies under each set separately. */
  async #firstMet(request: VerifyRequest, policy: Policy) {
    const { referenceValues } = policy;
    if (referenceValues.length === 0) return null;
    const alone = referenceValues.map((set, index) => ({ ...policy, id: `set-${index}`, referenceValues: [set] }));
    const { policies } = await this.#judge(request, alone);
    const index = policies.findIndex(({ outcome }) => outcome === 'allow');
    const set = referenceValues[index];
    return set === undefined ? null : { index, set };
  }

  async #notAllowed(evidence: readonly NamedRequest[], { policy }: LearnedPolicy): Promise<readonly Refused[]> {
    const refused: Refused[] = [];
    for (const { name, request } of evidence) {
      const decision = await this.#judge(request, [policy]);
      if (decision.decision !== 'allow') refused.push(learningRefusal(name, decision, 'by what was learned from it'));
    }
    return refused;
  }
}

export type LearnPolicyUseCase = Pick<LearnPolicy, 'execute'>;

type Refused = NothingLearned;

/** The option that accepts the evidence all the same; empty if there is none. */
function optionFor(code: string): string {
  return ACCEPTABLE_CODES.includes(code) ? `; --accept ${code} learns from it nevertheless` : '';
}

/** Adds the name of the file to an error. */
async function naming<T>({ name }: NamedRequest, judge: () => Promise<T>): Promise<T> {
  try {
    return await judge();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new ConfigurationError([`${name}: ${error.code}: ${error.message}`], { cause: error });
  }
}

function learningRefusal(name: string, { decision, reasons, checks }: Decision, by: string): Refused {
  const codes = reasons.map((code) => {
    const found = checks.find(({ id, result }) => id === code && (result === 'fail' || result === 'unavailable'));
    return `${name}: ${code}: the evidence is not allowed ${by} (${decision}): ${found?.detail ?? 'it was not judged'}`;
  });
  return { outcome: decision === 'deny' ? 'deny' : 'indeterminate', refusals: codes };
}

function nothingLearned(refused: readonly Refused[]): NothingLearned {
  const isDenied = refused.some(({ outcome }) => outcome === 'deny');
  return { outcome: isDenied ? 'deny' : 'indeterminate', refusals: refused.flatMap(({ refusals }) => refusals) };
}
