import type { Decision } from '../core/decision.js';
import { FormatError } from '../core/errors.js';
import type { Caller, VerifyRequest } from '../core/request.js';
import type { Policy } from '../policy/document/policy-document.js';
import { type AdmitParts, admit, requireNotInFuture } from './admit.js';
import { appraiseNoting } from './appraisals.js';
import type { WatchedClock } from './clock-watch.js';
import { FetchTime, RequestFetch } from './fetch-time.js';
import { gather } from './gather.js';
import { type Inquiry, LiveInquiry, NO_KEY } from './inquiry.js';
import { type JoinParts, join } from './join.js';
import { decisionOf } from './made-decision.js';
import { type NoncedTerms, type Nonces, useNonce } from './nonces.js';
import { openAll, verifyAll } from './open.js';
import { type RecordParts, recordOrWithhold } from './record.js';
import { withReleaseDemands } from './release-checks.js';
import { type ShadowParts, shadowResults, type VerifiedInTime } from './shadow-policies.js';
import { type SignParts, signOrWithhold } from './sign.js';
import { type SubmitParts, submit } from './submit.js';
import { undecided, undecidedByClock } from './undecided.js';
import type { Slot } from './verification-slots.js';

export interface VerifyEvidenceOptions extends Pick<AdmitParts, 'historical'> {
  readonly deadlineMs: number;
  /** Longest lifetime of an answer, in milliseconds. */
  readonly lifetimeMs: number;
  /** Whether verification consumes challenges. The command line does not. */
  readonly consumesChallenges: boolean;
}

export interface VerifyEvidenceParts
  extends Omit<AdmitParts, 'historical'>,
    SubmitParts,
    JoinParts,
    ShadowParts,
    SignParts,
    RecordParts {
  readonly nonces: Nonces;
  readonly clock: WatchedClock;
}

/** Share of the deadline that is available for fetching. */
const FETCH_SHARE = 0.8;

/**
 * Decides on evidence. This class alone defines the steps and their order:
 *
 *  1. Admit the request: check its policies, audience, verification time and key to bind.
 *  2. Answer indeterminate while the clock is in doubt. Reject a verification time in the future.
 *  3. Consume the nonce if it is a challenge.
 *  4. Open the evidence and the tokens.
 *  5. Fetch the endorsements that they need.
 *  6. Verify the evidence and each token.
 *  7. Submit the evidence to other verifiers, and verify their tokens.
 *  8. Join the results into one verification.
 *  9. Appraise it under each policy. An allow advances the reset counts of the vTPM.
 * 10. Add the conditions of a key release, if one is requested.
 * 11. Appraise under shadow policies, and with early collateral.
 * 12. Make the decision.
 * 13. Sign the receipt. If signing fails, withhold an allow.
 * 14. Record the decision. If recording fails, withhold an allow.
 */
export class VerifyEvidence {
  readonly #parts: VerifyEvidenceParts & AdmitParts;
  readonly #options: VerifyEvidenceOptions;

  constructor(parts: VerifyEvidenceParts, options: VerifyEvidenceOptions) {
    this.#parts = { ...parts, historical: options.historical };
    this.#options = options;
  }

  /**
   * Runs all steps.
   * @param slot is free for others while the request waits
   * @throws {FormatError} if the evidence is malformed, a policy is unknown, or `at` is not enabled
   * @throws {RefusedError} `forbidden` if the caller may not use this policy, audience or verification time
   */
  async execute(request: VerifyRequest, caller: Caller, slot: Slot): Promise<Decision> {
    const parts = { ...this.#parts, waits: this.#parts.waits.within(slot) };
    const inquiry = new LiveInquiry(parts.waits, parts.keep !== null);
    const time = new FetchTime(this.#options.deadlineMs, caller.principal);
    try {
      const decided = await parts.waits.timed('judge', () => this.decideBy(inquiry, request, caller));
      // 13
      const signed = await signOrWithhold(parts, decided, request, caller, time);
      // 14
      return await recordOrWithhold(parts, signed, request, caller, inquiry.facts);
    } finally {
      time.end();
    }
  }

  /**
   * Runs steps 1 to 12 under a trial policy. A trial consumes no challenge and advances no reset count.
   *
   * @throws {FormatError | RefusedError} as `execute`
   */
  async tryPolicy(policy: Policy, request: VerifyRequest, caller: Caller, slot: Slot): Promise<Decision> {
    return this.decideBy(new LiveInquiry(this.#parts.waits.within(slot)), request, caller, policy);
  }

  /**
   * Runs steps 1 to 12.
   *
   * @param inquiry supplies the other inputs of the decision, such as the clock
   * @param tried the trial policy; null for the policies of the request
   * @throws {FormatError | RefusedError} as `execute`
   */
  async decideBy(
    inquiry: Inquiry,
    request: VerifyRequest,
    caller: Caller,
    tried: Policy | null = null,
  ): Promise<Decision> {
    const { clock, nonces, tracer } = this.#parts;
    const { lifetimeMs, consumesChallenges } = this.#options;
    // 1
    const terms = admit(this.#parts, request, caller, clock.now(), tried);
    for (const { id, text } of [...terms.policies, ...terms.shadow]) {
      inquiry.note('policy', id, () => Buffer.from(text, 'utf8'));
    }
    // 2. This step precedes step 3, so that the caller can repeat the request with the same challenge.
    // `at` is compared with this clock, so the doubt also applies to a past verification time.
    const doubt = inquiry.look('clock', NO_KEY, () => clock.doubt());
    if (doubt !== null) return undecidedByClock(terms, doubt, lifetimeMs);
    requireNotInFuture(terms);
    // 3
    const nonce = await tracer.span('check nonce', () => useNonce(nonces, terms, consumesChallenges, inquiry));
    const nonced = { ...terms, nonce };
    // 4 to 8
    const inTime = await this.#verifyInTime(nonced, inquiry);
    const { joined } = inTime;
    // 9. This step is outside the deadline: a timeout cannot discard an allow that has advanced reset counts.
    const appraised = await tracer.span('appraise', () => appraiseNoting(nonced, joined, inquiry));
    // 10
    const appraisals = withReleaseDemands(this.#parts, nonced, joined, appraised.appraisals);
    // 11
    const shadow = await shadowResults(this.#parts, nonced, inTime, appraised, inquiry);
    // 12
    return decisionOf(nonced, joined, appraisals, shadow, lifetimeMs);
  }

  /**
   * Verifies within the deadline. A timeout, or any other exception, gives indeterminate: never an allow.
   * @throws {FormatError} as `#verifyAndJoin`
   */
  async #verifyInTime(terms: NoncedTerms, inquiry: Inquiry): Promise<VerifiedInTime> {
    const { deadlineMs } = this.#options;
    // Fetching stops before the deadline, so that time remains to verify. The answer can then list missing endorsements
    // and failed checks, instead of a timeout alone.
    const fetching = new FetchTime(deadlineMs * FETCH_SHARE);
    let expiry: NodeJS.Timeout | undefined;
    // Not `withinTime`: a verification that ends after the deadline is late, also if the process was busy meanwhile.
    const deadline = new Promise<VerifiedInTime>((resolve) => {
      expiry = setTimeout(() => resolve({ joined: undecided('deadline', true), verified: null }), deadlineMs);
    });
    try {
      return await Promise.race([this.#verifyAndJoin(terms, fetching, inquiry), deadline]);
    } catch (error) {
      if (error instanceof FormatError) throw error;
      const { request, decisionId } = terms;
      this.#parts.log.error({ err: error, evidenceType: request.evidence.type, decisionId }, 'verifier failed');
      return { joined: undecided('internal_error', false), verified: null };
    } finally {
      clearTimeout(expiry);
      fetching.end();
    }
  }

  /** Runs steps 4 to 8. @throws {FormatError} if part of the request is malformed */
  async #verifyAndJoin(terms: NoncedTerms, fetching: FetchTime, inquiry: Inquiry): Promise<VerifiedInTime> {
    const { tracer, verifiers, keyThumbprint } = this.#parts;
    const fetch = new RequestFetch(terms, fetching);
    // 4
    const opened = openAll(terms, verifiers);
    // 5
    const sets = await tracer.span('fetch endorsements', (span) => {
      span.set({ 'veritee.endorsements': opened.needs.flat().map(({ kind }) => kind) });
      return gather(this.#parts, opened.needs, fetch, inquiry);
    });
    // 6
    const own = await verifyAll(opened, sets, terms, tracer);
    // 7
    const results = await submit(this.#parts, terms, own, { fetch, inquiry });
    // 8
    const joined = join(terms.request.evidence.type, own.verification, results, keyThumbprint);
    return { joined, verified: { opened, sets, own, results, joined } };
  }
}

export type VerifyEvidenceUseCase = Pick<VerifyEvidence, 'execute'>;
