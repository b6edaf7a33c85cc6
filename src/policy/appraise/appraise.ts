import type { Check } from '../../core/check.js';
import type { CheckId } from '../../core/codes.js';
import type { Outcome } from '../../core/decision.js';
import type { EvidenceType } from '../../core/evidence.js';
import {
  isHardwareType,
  isTpmType,
  type Tee,
  type TeeOfPolicies,
  teeOf,
  traitsOf,
} from '../../core/evidence-traits.js';
import { CHECKS, checksAt } from '../../tee/catalogue.js';
import type { Policy } from '../document/policy-document.js';
import { rules } from '../document/rules.js';
import type { AppraisalInput, AppraisalTopic } from './appraisal-topic.js';
import { attestationResults } from './attestation-results.js';
import { baseWarnings, relaxed } from './base-checks.js';
import { eventLogCover } from './event-log-cover.js';
import { freshness } from './freshness.js';
import { type CheckSet, outcomeOf } from './outcome.js';
import { paravisor } from './paravisor.js';
import { referenceValues } from './reference-values.js';
import { secureBoot } from './secure-boot.js';
import { snpMinimums } from './snp-minimums.js';
import { snpRequirements } from './snp-requirements.js';
import { tdxMinimums } from './tdx-minimums.js';
import { tdxRequirements } from './tdx-requirements.js';
import { tpmRequirements } from './tpm-requirements.js';
import { waived } from './waivers.js';

/** The appraisal of a verification. Only this file constructs one; `decide` rejects a copy. */
class VerifiedAppraisal {
  /** Makes the type nominal. */
  declare protected readonly ofVerification: true;
  readonly policy!: Policy;
  readonly outcome!: Outcome;
  /** Ids of the policy's own checks and rules that passed. */
  readonly matched!: readonly string[];
  readonly unmatched!: readonly string[];
  /** Base checks under this policy: the same number in the same order for every policy. */
  readonly base!: readonly Check[];
  /** The policy's own checks. */
  readonly own!: readonly Check[];
  /** All checks, base checks first. */
  readonly checks!: readonly Check[];

  constructor(members: { readonly [member in keyof VerifiedAppraisal]: VerifiedAppraisal[member] }) {
    Object.assign(this, members);
  }
}

/** The result of one policy for verified evidence. */
export type PolicyAppraisal = VerifiedAppraisal;

/** Whether `appraise` made a value. Needed because callers of the library may not use types. */
export function isPolicyAppraisal(value: unknown): value is PolicyAppraisal {
  return value instanceof VerifiedAppraisal;
}

/** The topics of each TEE for which policies have minimums and requirements. */
const TEE_TOPICS: { readonly [tee in TeeOfPolicies]: readonly AppraisalTopic[] } = {
  snp: hardwareTopics([snpMinimums], [snpRequirements]),
  tdx: hardwareTopics([tdxMinimums], [tdxRequirements]),
};

/**
 * The only own topic of other TEEs, and of a vTPM alone. It requires verified claims, so evidence without any is never
 * allowed.
 */
const ownClaims: AppraisalTopic = {
  needs: (_policy, evidenceType) => [ownSection(evidenceType)],
  required: () => ['claim_missing'],
  appraise: (_policy, { evidenceType }, checks) =>
    checks.pass('claim_missing', { detail: `there are verified claims of ${ownSection(evidenceType)}` }),
};

function ownSection(evidenceType: EvidenceType): Tee | 'tpm' {
  return teeOf(evidenceType) ?? 'tpm';
}

/** The topics of every other TEE. */
const COMMON_TOPICS = hardwareTopics([ownClaims], []);

/**
 * The topics of a token alone. The other verifier appraises TCB and paravisor, so such a policy cannot have minimums.
 */
const TOKEN_TOPICS: readonly AppraisalTopic[] = [secureBoot, freshness, attestationResults, referenceValues, rules];

/** The topics of a vTPM alone, which has no TEE and no paravisor. */
const TPM_TOPICS: readonly AppraisalTopic[] = [
  ownClaims,
  secureBoot,
  freshness,
  tpmRequirements,
  eventLogCover,
  attestationResults,
  referenceValues,
  rules,
];

/**
 * Appraises verified claims and base checks by a policy. Relies on the verifier for the claims to come from verified
 * bytes only.
 */
export function appraise(policy: Policy, input: AppraisalInput): PolicyAppraisal {
  const unseen = [...input.verification.checks, ...baseWarnings(input)];
  if (!isAccepted(policy, input)) {
    return conclude(policy, { checks: unseen, required: [] }, { checks: refusedType(policy, input), required: [] });
  }
  const plan = planOf(policy, input.evidenceType);
  const { required, requiredOfBase } = plan;
  const base = unseen.map((check) => waived(relaxed(check, policy), policy, input));
  const own = ownChecks(policy, input, plan).map((check) => waived(check, policy, input));
  const ofVerifiers = { checks: base, required: [...input.verification.required, ...requiredOfBase] };
  return conclude(policy, ofVerifiers, { checks: own, required });
}

/**
 * Whether a policy accepts the evidence. Evidence without hardware evidence does not meet a policy that requires it.
 */
function isAccepted({ accepts, routes }: Policy, { evidenceType }: AppraisalInput): boolean {
  return accepts.includes(evidenceType) && (routes.hardware === 'off' || isHardwareType(evidenceType));
}

function refusedType({ id, accepts }: Policy, { evidenceType }: AppraisalInput): readonly Check[] {
  const checks = checksAt('/evidence/type', { policy: id });
  const why = accepts.includes(evidenceType)
    ? 'the policy requires a hardware report, and this evidence holds none'
    : `${CHECKS.policy_evidence_type.fails}${limitOf(evidenceType)}`;
  checks.fail('policy_evidence_type', { expected: accepts, actual: evidenceType, detail: why });
  return checks.all;
}

/** The facts that evidence of a type can never show, as the end of a sentence. */
function limitOf(evidenceType: EvidenceType): string {
  return isTpmType(evidenceType) ? '; TPM only: nothing here vouches for hardware' : '';
}

function ownChecks(policy: Policy, input: AppraisalInput, { steps }: Plan): readonly Check[] {
  const { evidenceType, verification } = input;
  const ofType = checksAt('/evidence/type', { policy: policy.id });
  const detail = `${CHECKS.policy_evidence_type.holds}${limitOf(evidenceType)}`;
  ofType.pass('policy_evidence_type', { expected: policy.accepts, actual: evidenceType, detail });
  const checks = ofType.at('/evidence');
  for (const { topic, needs, required } of steps) {
    const absent = needs.find((section) => verification.claims[section] === undefined);
    if (absent === undefined) topic.appraise(policy, input, checks);
    else checks.skip(required, `needs verified ${absent} claims, and there are none`);
  }
  return checks.all;
}

/** One topic under one policy, for one type of evidence. */
interface Step {
  readonly topic: AppraisalTopic;
  readonly needs: ReturnType<AppraisalTopic['needs']>;
  readonly required: readonly CheckId[];
}

/** The steps and required checks of a policy for one type of evidence. */
interface Plan {
  readonly steps: readonly Step[];
  /** Checks of the policy that must have an outcome before it can allow. */
  readonly required: readonly CheckId[];
  /** Base checks that must have an outcome in addition to those that the verifier requires. */
  readonly requiredOfBase: readonly CheckId[];
}

/** Plans by policy. Cached, because policies are immutable. */
const plans = new WeakMap<Policy, Map<EvidenceType, Plan>>();

function planOf(policy: Policy, evidenceType: EvidenceType): Plan {
  const ofPolicy = plans.get(policy) ?? new Map<EvidenceType, Plan>();
  plans.set(policy, ofPolicy);
  const plan = ofPolicy.get(evidenceType) ?? makePlan(policy, evidenceType);
  ofPolicy.set(evidenceType, plan);
  return plan;
}

function makePlan(policy: Policy, evidenceType: EvidenceType): Plan {
  const topics = topicsOf(evidenceType);
  const steps = topics.map((topic) => ({
    topic,
    needs: topic.needs(policy, evidenceType),
    required: topic.required(policy, evidenceType),
  }));
  return {
    steps,
    required: ['policy_evidence_type', ...steps.flatMap((step) => step.required)],
    requiredOfBase: topics.flatMap((topic) => topic.requiredOfBase?.(policy) ?? []),
  };
}

function topicsOf(evidenceType: EvidenceType): readonly AppraisalTopic[] {
  const { kind, tee } = traitsOf(evidenceType);
  switch (kind) {
    case 'token':
      return TOKEN_TOPICS;
    case 'tpm':
      return TPM_TOPICS;
    case 'hardware':
      return topicsOfTee(tee);
  }
}

function topicsOfTee(tee: Tee | null): readonly AppraisalTopic[] {
  const topics: { readonly [other in Tee]?: readonly AppraisalTopic[] } = TEE_TOPICS;
  return (tee === null ? undefined : topics[tee]) ?? COMMON_TOPICS;
}

/** The topics of hardware evidence, bare or behind a paravisor: the common ones, and those of the TEE. */
function hardwareTopics(
  ownMinimums: readonly AppraisalTopic[],
  ownRequirements: readonly AppraisalTopic[],
): readonly AppraisalTopic[] {
  return [
    ...ownMinimums,
    paravisor,
    secureBoot,
    freshness,
    ...ownRequirements,
    tpmRequirements,
    eventLogCover,
    attestationResults,
    referenceValues,
    rules,
  ];
}

/**
 * Adds checks that the request requires in addition to the policy. They are added for every outcome of the policy, and
 * each required one must hold for an allow.
 */
export function withDemands(appraisal: PolicyAppraisal, demands: CheckSet): PolicyAppraisal {
  const { outcome, own, checks: before, matched, unmatched } = appraisal;
  const checks = [...before, ...demands.checks];
  const failed = new Set<string>(demands.checks.filter(({ result }) => result === 'fail').map(({ id }) => id));
  const isRefused = outcome === 'deny' || failed.size > 0;
  const unlessAllowed = { outcome: isRefused ? 'deny' : outcome, fault: null } as const;
  const demanded = outcome === 'allow' ? outcomeOf({ checks, required: [] }, demands) : unlessAllowed;
  const faults = faultChecks(demanded.fault);
  return new VerifiedAppraisal({
    ...appraisal,
    outcome: demanded.outcome,
    own: [...own, ...demands.checks, ...faults],
    checks: [...checks, ...faults],
    matched: matched.filter((id) => !failed.has(id)),
    unmatched: [...unmatched, ...matched.filter((id) => failed.has(id))],
  });
}

function conclude(policy: Policy, ofVerifiers: CheckSet, ofPolicy: CheckSet): PolicyAppraisal {
  const { outcome, fault } = outcomeOf(ofVerifiers, ofPolicy);
  const base = ofVerifiers.checks;
  const own = [...ofPolicy.checks, ...faultChecks(fault, { policy: policy.id })];
  return new VerifiedAppraisal({ policy, outcome, ...matchesOf(own), base, own, checks: [...base, ...own] });
}

/** A check for a fault of the list of checks itself; empty if there is none. */
function faultChecks(fault: string | null, of?: { readonly policy: string }): readonly Check[] {
  const checks = checksAt('', of);
  if (fault !== null) checks.unavailable('internal_error', { detail: fault, retryable: false });
  return checks.all;
}

/**
 * Lists the ids of matched and unmatched checks. A check that was made more than once matches if it passed every time.
 * A rule is also listed by its own id. A check that the policy does not require is in neither list.
 */
export function matchesOf(own: readonly Check[]): {
  readonly matched: readonly string[];
  readonly unmatched: readonly string[];
} {
  const matched = new Set<string>();
  const unmatched = new Set<string>();
  for (const { id, result, rule } of own) {
    const ids = rule === undefined ? [id] : [id, rule];
    if (result === 'pass' || result === 'warn') for (const each of ids) matched.add(each);
    else if (result !== 'not_configured') for (const each of ids) unmatched.add(each);
  }
  for (const id of unmatched) matched.delete(id);
  return { matched: [...matched], unmatched: [...unmatched] };
}

/**
 * Merges the checks of all policies. An unchanged base check is listed once. If a policy changes it, the changed check
 * is listed too. The policies' own checks follow, policy by policy.
 */
export function mergeChecks(appraisals: readonly Pick<PolicyAppraisal, 'base' | 'own'>[]): readonly Check[] {
  const [first, ...others] = appraisals;
  if (first === undefined) return [];
  if (others.length === 0) return [...first.base, ...first.own];
  const base = first.base.flatMap((_, index) =>
    mergeBaseCheck(appraisals.flatMap((appraisal) => appraisal.base[index] ?? [])),
  );
  return [...base, ...appraisals.flatMap((appraisal) => appraisal.own)];
}

function mergeBaseCheck(views: readonly Check[]): readonly Check[] {
  const unchanged = views.find((check) => check.policy === null);
  const changed = views.filter((check) => check.policy !== null);
  return unchanged === undefined ? changed : [unchanged, ...changed];
}
