import type { TdxTcbClaim } from '../core/claims.js';
import type { ExpectedFrom, ShadowResult } from '../core/decision.js';
import type { EarlyCollateralSource, RecoveryEvent } from '../core/early-collateral.js';
import { type EndorsementSet, NO_ENDORSEMENTS } from '../core/endorsement.js';
import type { TdxCollateral } from '../core/evidence.js';
import type { Clock, Log } from '../core/ports.js';
import { type Appraised, appraiseUnder, shadowResult } from './appraisals.js';
import type { KeyThumbprint } from './cross-check/paravisor-statements.js';
import { EarlyFlips } from './early-flips.js';
import type { Inquiry } from './inquiry.js';
import { type JoinedVerification, join } from './join.js';
import type { NoncedTerms } from './nonces.js';
import { type OpenedRequest, type OwnResults, verifyEvidence } from './open.js';
import type { RouteResults } from './route-tokens.js';

const DAY_MS = 24 * 60 * 60_000;

/** The collateral of a TCB recovery becomes standard about a year after the event. */
const UNTIL_STANDARD_MS = 365 * DAY_MS;

const NONE: readonly ShadowResult[] = [];

/** A request whose evidence and tokens were verified before the deadline. */
export interface VerifiedRequest {
  readonly opened: OpenedRequest;
  /** The endorsements of its evidence, then those of each token. */
  readonly sets: readonly EndorsementSet[];
  readonly own: OwnResults;
  readonly results: RouteResults;
  readonly joined: JoinedVerification;
}

/**
 * Appraises a TD with Intel's early collateral, beside the decision: the same quote, tokens, nonce and policies. It
 * uses the parts of the decision. Its results go into the answer only, and cannot change a decision.
 */
export class EarlyCollateralShadow {
  readonly #source: EarlyCollateralSource;
  readonly #log: Log;
  readonly #flips: EarlyFlips;
  readonly #keyThumbprint: KeyThumbprint;

  constructor(
    source: EarlyCollateralSource,
    keyThumbprint: KeyThumbprint,
    clock: Pick<Clock, 'monotonicMs'>,
    log: Log,
  ) {
    this.#source = source;
    this.#keyThumbprint = keyThumbprint;
    this.#log = log;
    this.#flips = new EarlyFlips(clock, log);
  }

  /**
   * Returns one result for each policy of the request, from the collateral in memory now. Fetches missing collateral
   * for later requests. Returns nothing if no collateral is in memory, or the verification time is past. The same holds
   * unless the evidence has a TD that its own collateral shows to be genuine. Never rejects.
   */
  async judge(
    terms: NoncedTerms,
    decided: VerifiedRequest & Appraised,
    inquiry: Inquiry,
  ): Promise<readonly ShadowResult[]> {
    try {
      return await this.#judge(terms, decided, inquiry);
    } catch (error) {
      this.#log.error({ err: error }, 'not judged by early TDX collateral');
      return NONE;
    }
  }

  async #judge(
    terms: NoncedTerms,
    decided: VerifiedRequest & Appraised,
    inquiry: Inquiry,
  ): Promise<readonly ShadowResult[]> {
    const { tdx } = decided.joined.verification.claims;
    const platform = decided.opened.evidence.needs.find((need) => need.kind === 'intel-tdx');
    if (terms.historical || tdx === undefined || platform === undefined) return NONE;
    this.#source.ask(platform);
    const key = () => `${platform.fmspc} ${platform.ca}`;
    const early = inquiry.look('early', key, () => this.#source.held(platform, terms.at));
    if (early === null) return NONE;
    const byEarly = await this.#judgedBy(early.documents, terms, decided);
    const tcb = byEarly.verification.claims.tdx?.tcb ?? null;
    const from = expectedFrom(early.recoveries, tdx.tcb, tcb);
    return appraiseUnder(terms.policies, terms, byEarly, decided.resets).map((appraisal, index) => {
      const now = decided.appraisals[index]?.outcome;
      const flips = now === 'allow' && appraisal.outcome === 'deny';
      const result = shadowResult(appraisal, { collateral: 'early', expectedFrom: flips ? from : null });
      if (now === 'allow') this.#flips.note({ fmspc: tdx.fmspc, tenant: terms.caller.tenant }, result);
      return result;
    });
  }

  /** Tokens are not compared again: the comparison with the evidence under its own endorsements stays. */
  async #judgedBy(
    documents: TdxCollateral,
    { request, at, binding }: NoncedTerms,
    { opened, sets, own, results }: VerifiedRequest,
  ): Promise<JoinedVerification> {
    const instead = { ...NO_ENDORSEMENTS, ...sets[0], tdx: { value: documents, origin: 'network' } } as const;
    const byEarly = await verifyEvidence(opened.evidence, { at, binding, endorsements: instead });
    return join(request.evidence.type, byEarly, results, this.#keyThumbprint, own.verification);
  }
}

/**
 * The approximate time from which standard collateral gives the result that early collateral gives now. It is a year
 * after the first recovery event that the platform lacks, among the events that are not yet in the standard collateral.
 *
 * @param early null if early collateral does not describe the platform
 */
export function expectedFrom(
  recoveries: readonly RecoveryEvent[],
  standard: TdxTcbClaim,
  early: TdxTcbClaim | null,
): ExpectedFrom | null {
  const reached = Math.min(standard.evaluationDataNumber, standard.qeEvaluationDataNumber);
  const last = early === null ? Infinity : Math.max(early.evaluationDataNumber, early.qeEvaluationDataNumber);
  const ahead = recoveries.filter(({ evaluationDataNumber: number }) => number > reached && number <= last);
  const level = early === null || early.date === null ? -Infinity : Date.parse(early.date);
  const missed = ahead.filter(({ tcbDate }) => tcbDate.getTime() > level);
  const candidates = [missed, ahead, recoveries.filter(({ evaluationDataNumber }) => evaluationDataNumber === last)];
  const [first, ...others] = candidates.find((events) => events.length > 0) ?? [];
  if (first === undefined) return null;
  const earliest = Math.min(first.date.getTime(), ...others.map(({ date }) => date.getTime()));
  return { date: new Date(earliest + UNTIL_STANDARD_MS).toISOString().slice(0, 10), estimated: true };
}
