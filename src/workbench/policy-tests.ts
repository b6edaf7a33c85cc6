import type { Check } from '../core/check.js';
import type { Claims } from '../core/claims.js';
import type { Decision } from '../core/decision.js';
import type { EvidenceType } from '../core/evidence.js';
import type { Clock } from '../core/ports.js';
import { appraiseClaims } from '../policy/appraise/appraise-claims.js';
import { Asserted } from '../policy/appraise/asserted.js';
import type { Policy } from '../policy/document/policy-document.js';
import type { Expectation, RequestInput, TestCase } from '../policy/test-cases/case-document.js';
import { type CoveredMember, coverageOf, type DecidedCase } from '../policy/test-cases/coverage.js';
import { type CaseFinding, unmetExpectations } from '../policy/test-cases/expectation.js';

export type { CoveredMember } from '../policy/test-cases/coverage.js';

/** A case with parsed claims. A request is parsed when it is verified. */
export interface SuiteCase extends Omit<TestCase, 'input'> {
  readonly input: RequestInput | { readonly kind: 'claims'; readonly type: EvidenceType; readonly claims: Claims };
}

/** A policy with the cases of its test. */
export interface PolicySuite {
  readonly policy: Policy;
  /** Names of both files, for messages; null if the policy has no test. */
  readonly file: string;
  readonly testFile: string | null;
  readonly cases: readonly SuiteCase[];
}

/** A malformed request, or an unreadable file: one sentence as message. */
export interface NotJudgedRequest {
  readonly problem: string;
}

/** Verifies the request of a case under the policy of its suite. */
export type JudgeRequest = (
  request: RequestInput & Pick<TestCase, 'at'>,
  suite: PolicySuite,
) => Promise<Decision | NotJudgedRequest>;

export interface CaseResult {
  readonly name: string;
  readonly passed: boolean;
  readonly expected: Expectation;
  /** Null if nothing was appraised. */
  readonly actual: CaseFinding | null;
  /** Members that differ from the expectation. */
  readonly unmet: readonly (keyof CaseFinding)[];
  /** Reasons against an allow: failed checks, then unavailable ones. */
  readonly against: readonly Pick<Check, 'id' | 'result' | 'detail'>[];
  /** Why nothing was appraised; else null. */
  readonly problem: string | null;
}

/** The result of the test of one policy. */
export interface SuiteResult extends Pick<PolicySuite, 'file' | 'testFile'> {
  readonly policy: Pick<Policy, 'id' | 'version' | 'sha256'>;
  /** Whether every case matches, and every member is covered. */
  readonly passed: boolean;
  readonly cases: readonly CaseResult[];
  readonly coverage: readonly CoveredMember[];
}

/** Whether a member has a case that passes it, and one that fails it. */
export function isCovered({ passingCase, failingCase }: CoveredMember): boolean {
  return passingCase !== null && failingCase !== null;
}

/**
 * Runs every case of a suite, one after the other. Claims are only compared with rules and reference values; a request
 * is verified as a whole.
 */
export async function runSuite(suite: PolicySuite, judge: JudgeRequest, clock: Clock): Promise<SuiteResult> {
  const cases: CaseResult[] = [];
  const judged: DecidedCase[] = [];
  for (const each of suite.cases) {
    const came = await decideCase(each, suite, judge, clock);
    cases.push(resultOf(each, came));
    if (!('problem' in came)) judged.push({ ...came, name: each.name });
  }
  const { id, version, sha256 } = suite.policy;
  const coverage = coverageOf(suite.policy, judged);
  return {
    policy: { id, version, sha256 },
    file: suite.file,
    testFile: suite.testFile,
    passed: cases.every(({ passed }) => passed) && coverage.every(isCovered),
    cases,
    coverage,
  };
}

type Came = CaseFinding & Omit<DecidedCase, 'name'>;

async function decideCase(
  { input, at }: SuiteCase,
  suite: PolicySuite,
  judge: JudgeRequest,
  clock: Clock,
): Promise<Came | NotJudgedRequest> {
  if (input.kind === 'request') {
    const decision = await judge({ ...input, at }, suite);
    return 'problem' in decision ? decision : cameOf(decision);
  }
  const { type } = input;
  const { claims } = input;
  const asserted = Asserted.of(claims);
  const appraisal = appraiseClaims(suite.policy, { type, asserted, at: at === null ? clock.now() : new Date(at) });
  return { ...appraisal, type, claims };
}

/** A request is verified under one policy, whose matched ids are those of the answer. */
function cameOf({ decision, reasons, policies, evidence, claims, checks }: Decision): Came {
  return {
    outcome: decision,
    unmatched: policies.flatMap(({ unmatched }) => unmatched),
    reasons,
    type: evidence.type,
    claims,
    checks,
  };
}

function resultOf({ name, expect }: SuiteCase, came: Came | NotJudgedRequest): CaseResult {
  const of = { name, expected: expect };
  if ('problem' in came) return { ...of, passed: false, actual: null, unmet: [], against: [], problem: came.problem };
  const unmet = unmetExpectations(expect, came);
  const { outcome, unmatched, reasons, checks } = came;
  const actual = { outcome, unmatched, reasons };
  return { ...of, passed: unmet.length === 0, actual, unmet, against: against(checks), problem: null };
}

/** Each finding once: tokens and certificates can repeat one. Optional checks do not affect the decision. */
function against(checks: readonly Check[]): CaseResult['against'] {
  const found = (['fail', 'unavailable'] as const).flatMap((result) =>
    checks.filter((check) => check.result === result && check.optional !== true),
  );
  const texts = found.map(({ id, result, detail }) => [`${result} ${id} ${detail}`, { id, result, detail }] as const);
  return [...new Map(texts).values()];
}
