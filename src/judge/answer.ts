import type { Decision, ShadowResult } from '../core/decision.js';
import type { DecisionRecorder, JudgedRequest, KeptInputs } from '../core/decision-log.js';
import { NO_ENDORSEMENTS } from '../core/endorsement.js';
import { FormatError } from '../core/errors.js';
import type { Log } from '../core/ports.js';
import type { ReceiptIssuer } from '../core/receipt.js';
import type { Caller, VerifyRequest } from '../core/request.js';
import type { Tracer } from '../core/traces.js';
import { type PolicyAppraisal, withDemands } from '../policy/appraise/appraise.js';
import type { Policy } from '../policy/document/policy-document.js';
import { type AdmitParts, admit, requireNotInFuture } from './admit.js';
import { type Appraised, appraiseNoting } from './appraisals.js';
import type { WatchedClock } from './clock-watch.js';
import type { KeyThumbprint } from './cross-check/paravisor-statements.js';
import type { EarlyCollateralShadow, JudgedEvidence } from './early-collateral.js';
import { FetchTime, RequestFetch } from './fetch-time.js';
import { gather } from './gather.js';
import { type Fact, type Inquiry, LiveInquiry, NO_KEY } from './inquiry.js';
import { type Judged, join } from './join.js';
import { decisionOf } from './made-decision.js';
import { type NoncedTerms, type Nonces, useNonce } from './nonces.js';
import { notJudged, undecided } from './not-judged.js';
import { openAll, verifyAll } from './open.js';
import { askedRelease, recordOrWithhold } from './record.js';
import { releaseDemands } from './release-checks.js';
import { judgeBeside } from './shadow-policies.js';
import { signOrWithhold } from './sign.js';
import { type SubmitParts, submit } from './submit.js';
import type { Waits } from './waits.js';

export interface VerifyEvidenceOptions extends Pick<AdmitParts, 'historical'> {
  readonly deadlineMs: number;
  /** Longest time that an answer may be relied on. */
  readonly lifetimeMs: number;
  /** Whether challenges are used up: not on the command line. */
  readonly consumesChallenges: boolean;
}

export interface VerifyEvidenceParts extends Omit<AdmitParts, 'historical'>, SubmitParts {
  readonly nonces: Nonces;
  readonly keyThumbprint: KeyThumbprint;
  /** Null: nothing is judged by Intel's early collateral. */
  readonly early: Pick<EarlyCollateralShadow, 'judge'> | null;
  readonly clock: WatchedClock;
  readonly waits: Waits;
  readonly log: Log;
  /** Null: no receipts are signed. */
  readonly receipts: ReceiptIssuer | null;
  /** Null: decisions are not stored. */
  readonly recorder: DecisionRecorder | null;
  readonly recordTimeoutMs?: number;
  /** Makes what a decision is judged again by. Null: of evidence and endorsements only digests are kept. */
  readonly keep: ((judged: JudgedRequest, facts: readonly Fact[]) => KeptInputs) | null;
  readonly tracer: Tracer;
}

/** Share of the deadline that fetching may take. */
const FETCH_SHARE = 0.8;

/** Evidence and tokens that were judged. */
interface Found {
  readonly judged: Judged;
  /** Null where judging did not come to an end. */
  readonly evidence: JudgedEvidence | null;
}

/** Answers a request: this file has the order of the steps, and no other has. */
export class VerifyEvidence {
  readonly #parts: VerifyEvidenceParts & AdmitParts;
  readonly #options: VerifyEvidenceOptions;

  constructor(parts: VerifyEvidenceParts, options: VerifyEvidenceOptions) {
    this.#parts = { ...parts, historical: options.historical };
    this.#options = options;
  }

  /**
   * Judges evidence, signs a receipt and records the decision.
   * @throws {FormatError} where the evidence is malformed, a policy unknown, or `at` not enabled
   * @throws {RefusedError} `forbidden` where the caller may not use this policy, audience or verification time
   */
  async execute(request: VerifyRequest, caller: Caller): Promise<Decision> {
    const { waits, keep } = this.#parts;
    const inquiry = new LiveInquiry(waits, keep !== null);
    const time = new FetchTime(this.#options.deadlineMs, caller.principal);
    try {
      const decided = await waits.timed('judge', () => this.judgeBy(inquiry, request, caller));
      const signed = await signOrWithhold(this.#parts, decided, request, caller, time);
      return await recordOrWithhold(this.#parts, signed, () => {
        const judged = { decision: signed, request, caller, ...askedRelease(request) };
        return keep === null ? judged : { ...judged, inputs: keep(judged, inquiry.facts) };
      });
    } finally {
      time.end();
    }
  }

  /**
   * Judges evidence under a policy that is only tried: no challenge is used up, and nothing is noted, signed or recorded.
   *
   * @throws {FormatError | RefusedError} as `execute`
   */
  async tryPolicy(policy: Policy, request: VerifyRequest, caller: Caller): Promise<Decision> {
    return this.judgeBy(new LiveInquiry(this.#parts.waits), request, caller, policy);
  }

  /**
   * Judges evidence, and neither signs nor records the decision.
   *
   * @param inquiry answers what a decision depends on beside the request
   * @param tried the policy that is only tried; null for those of the request
   * @throws {FormatError | RefusedError} as `execute`
   */
  async judgeBy(
    inquiry: Inquiry,
    request: VerifyRequest,
    caller: Caller,
    tried: Policy | null = null,
  ): Promise<Decision> {
    const { clock, nonces } = this.#parts;
    const { lifetimeMs, consumesChallenges } = this.#options;
    const terms = admit(this.#parts, request, caller, clock.now(), tried);
    for (const { id, text } of [...terms.policies, ...terms.shadow]) {
      inquiry.note('policy', id, () => Buffer.from(text, 'utf8'));
    }
    // Before a challenge is used up, so that the same request can come again. A past time is past by this clock too.
    const doubt = inquiry.look('clock', NO_KEY, () => clock.doubt());
    if (doubt !== null) return notJudged(terms, doubt, lifetimeMs);
    requireNotInFuture(terms);
    const nonce = await this.#parts.tracer.span('check nonce', () =>
      useNonce(nonces, terms, consumesChallenges, inquiry),
    );
    const nonced = { ...terms, nonce };
    const found = await this.#judgeWithin(nonced, inquiry);
    // After the deadline, so that reset counts are noted for an allow that leaves, and for no other.
    const appraised = await this.#parts.tracer.span('appraise', () => appraiseNoting(nonced, found.judged, inquiry));
    const appraisals = this.#withDemands(nonced, found.judged, appraised.appraisals);
    const shadow = await this.#judgeBeside(nonced, found, appraised, inquiry);
    return decisionOf(nonced, found.judged, appraisals, shadow, lifetimeMs);
  }

  /** An exception is never an allow: what a verifier throws, and what it does not finish, is indeterminate. */
  async #judgeWithin(terms: NoncedTerms, inquiry: Inquiry): Promise<Found> {
    const { deadlineMs } = this.#options;
    // Fetching stops early enough to judge the rest: an answer that names what was missing and what failed is worth more
    // than one that only says that time ran out.
    const fetching = new FetchTime(deadlineMs * FETCH_SHARE);
    let expiry: NodeJS.Timeout | undefined;
    const deadline = new Promise<Found>((resolve) => {
      expiry = setTimeout(() => resolve({ judged: undecided('deadline', true), evidence: null }), deadlineMs);
    });
    try {
      return await Promise.race([this.#judgeAll(terms, fetching, inquiry), deadline]);
    } catch (error) {
      if (error instanceof FormatError) throw error;
      const { request, decisionId } = terms;
      this.#parts.log.error({ err: error, evidenceType: request.evidence.type, decisionId }, 'verifier failed');
      return { judged: undecided('internal_error', false), evidence: null };
    } finally {
      clearTimeout(expiry);
      fetching.end();
    }
  }

  /** @throws {FormatError} where something of the request is malformed */
  async #judgeAll(terms: NoncedTerms, fetching: FetchTime, inquiry: Inquiry): Promise<Found> {
    const { tracer, verifiers, keyThumbprint } = this.#parts;
    const fetch = new RequestFetch(terms, fetching);
    const opened = openAll(terms, verifiers);
    const sets = await tracer.span('fetch endorsements', (span) => {
      span.set({ 'veritee.endorsements': opened.needs.flat().map(({ kind }) => kind) });
      return gather(this.#parts, opened.needs, fetch, inquiry);
    });
    const own = await verifyAll(opened, sets, terms, tracer);
    const results = await submit(this.#parts, terms, own, { fetch, inquiry });
    const judged = join(terms.request.evidence.type, own.verification, results, keyThumbprint);
    const endorsements = sets[0] ?? NO_ENDORSEMENTS;
    return { judged, evidence: { opened, endorsements, own, results, judged } };
  }

  /** Where a key is wanted, an allow of its policy alone is not enough. */
  #withDemands(asked: NoncedTerms, judged: Judged, appraisals: readonly PolicyAppraisal[]): readonly PolicyAppraisal[] {
    const { release: terms } = asked.request;
    if (terms === undefined) return appraisals;
    const { keyThumbprint } = this.#parts;
    return appraisals.map((appraisal) =>
      withDemands(appraisal, releaseDemands({ terms, asked, judged, appraisal, keyThumbprint })),
    );
  }

  /** Results beside the decision, which nothing of them can change. */
  async #judgeBeside(
    terms: NoncedTerms,
    { judged, evidence }: Found,
    appraised: Appraised,
    inquiry: Inquiry,
  ): Promise<readonly ShadowResult[]> {
    const { early, log } = this.#parts;
    const ofPolicies = await judgeBeside(terms, judged, inquiry, log);
    if (early === null || evidence === null || terms.trial) return ofPolicies;
    return [...ofPolicies, ...(await early.judge(terms, { ...evidence, ...appraised }, inquiry))];
  }
}

export type VerifyEvidenceUseCase = Pick<VerifyEvidence, 'execute'>;
