import type { TdxTcbClaim } from '../core/claims.js';
import type { ExpectedFrom, ShadowResult } from '../core/decision.js';
import type { EarlyCollateralSource, RecoveryEvent } from '../core/early-collateral.js';
import type { Clock, Log } from '../core/ports.js';
import { type Appraised, appraiseUnder, shadowResult } from './appraisals.js';
import { EarlyFlips } from './early-flips.js';
import type { Case, JudgedEvidence } from './judge-evidence.js';

const DAY_MS = 24 * 60 * 60_000;

/** Intel makes the collateral of a TCB recovery standard about a year after the event. */
const UNTIL_STANDARD_MS = 365 * DAY_MS;

const NONE: readonly ShadowResult[] = [];

/** A request that was decided. */
interface Decided extends JudgedEvidence, Appraised {
  readonly asked: Case;
}

/**
 * Judges a TD by Intel's early collateral beside the decision: the same quote, tokens, nonce and policies. It takes the
 * decision's parts and gives out results of the answer alone, which no decision can be derived from.
 */
export class EarlyCollateralShadow {
  readonly #source: EarlyCollateralSource;
  readonly #log: Log;
  readonly #flips: EarlyFlips;

  constructor(source: EarlyCollateralSource, clock: Pick<Clock, 'monotonicMs'>, log: Log) {
    this.#source = source;
    this.#log = log;
    this.#flips = new EarlyFlips(clock, log);
  }

  /**
   * One result for each policy of the request, by what is held at this moment; what is not held is fetched for later ones.
   * Empty where nothing is held, for a past verification time, and for evidence without a TD that its own collateral shows
   * to be genuine. Never rejects.
   */
  async judge(decided: Decided): Promise<readonly ShadowResult[]> {
    try {
      return await this.#judge(decided);
    } catch (error) {
      this.#log.error({ err: error }, 'not judged by early TDX collateral');
      return NONE;
    }
  }

  async #judge({ asked, judged, again, appraisals, resets }: Decided): Promise<readonly ShadowResult[]> {
    const { tdx } = judged.verification.claims;
    const platform = again?.needs.find((need) => need.kind === 'intel-tdx');
    if (asked.historical || tdx === undefined || again === null || platform === undefined) return NONE;
    this.#source.ask(platform);
    const early = this.#source.held(platform, asked.at);
    if (early === null) return NONE;
    const tdxOf = { value: early.documents, origin: 'network' } as const;
    const byEarly = await again.by((fetched) => ({ ...fetched, tdx: tdxOf }));
    const tcb = byEarly.verification.claims.tdx?.tcb ?? null;
    const from = expectedFrom(early.recoveries, tdx.tcb, tcb);
    return appraiseUnder(asked.policies, asked, byEarly, resets).map((appraisal, index) => {
      const now = appraisals[index]?.outcome;
      const flips = now === 'allow' && appraisal.outcome === 'deny';
      const result = shadowResult(appraisal, { collateral: 'early', expectedFrom: flips ? from : null });
      if (now === 'allow') this.#flips.note({ fmspc: tdx.fmspc, tenant: asked.tenant }, result);
      return result;
    });
  }
}

/**
 * From about when standard collateral will say what early collateral says now: a year after the first recovery event that
 * the platform is behind, of those that have become early since the standard collateral.
 *
 * @param early null where early collateral does not describe the platform
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
