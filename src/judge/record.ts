import type { Decision } from '../core/decision.js';
import {
  type DecidedRequest,
  type DecisionRecorder,
  type KeptInputs,
  StoreUnavailableError,
} from '../core/decision-log.js';
import type { Log } from '../core/ports.js';
import type { Caller, VerifyRequest } from '../core/request.js';
import type { Tracer } from '../core/traces.js';
import type { Fact } from './inquiry.js';
import type { Waits } from './waits.js';
import { withhold } from './withheld-decision.js';
import { LateError, withinTime } from './within-time.js';

/** Timeout of the record of a decision. */
export const RECORD_TIMEOUT_MS = 1000;

export interface RecordParts {
  /** Null: decisions are not stored. */
  readonly recorder: DecisionRecorder | null;
  readonly waits: Waits;
  readonly log: Log;
  readonly tracer: Tracer;
  /**
   * Makes the inputs with which a decision can be repeated. Null: only digests of evidence and endorsements are kept.
   */
  readonly keep: ((judged: DecidedRequest, facts: readonly Fact[]) => KeptInputs) | null;
  /** Timeout of the record, in milliseconds. */
  readonly recordTimeoutMs?: number;
}

/**
 * Records the decision and returns it. Withholds an allow that is not stored.
 * @param facts answers that the decision depends on
 */
export async function recordOrWithhold(
  parts: RecordParts,
  decision: Decision,
  request: VerifyRequest,
  caller: Caller,
  facts: readonly Fact[],
): Promise<Decision> {
  const { recorder, keep, waits, log, tracer, recordTimeoutMs = RECORD_TIMEOUT_MS } = parts;
  if (recorder === null) return decision;
  const recorded = () => {
    const judged = { decision, request, caller, ...askedRelease(request) };
    return keep === null ? judged : { ...judged, inputs: keep(judged, facts) };
  };
  // The async function turns an exception while making the record into a failed record.
  const storing = tracer.span('store decision', () =>
    waits.elsewhere('record', async () => recorder.record(recorded())),
  );
  try {
    await withinTime(storing, recordTimeoutMs);
    return decision;
  } catch (error) {
    // The log reports an unreachable store once, not with each request.
    if (!(error instanceof StoreUnavailableError)) {
      log.error({ err: error, decisionId: decision.decisionId }, 'a decision was not stored');
    }
    const withheld = withhold(decision, 'audit_unavailable');
    const unrecorded = () => recorder.leavesUnrecorded(withheld.decision);
    if (error instanceof LateError) {
      recorder.answeredUnrecorded(decision.decisionId);
      // A record that is stored late differs from the answer that was sent.
      void storing.then(() => recorder.withdraw(decision.decisionId, 'late')).catch(unrecorded);
    } else unrecorded();
    return withheld;
  }
}

/** The requested key release, for the record. */
function askedRelease({ release }: VerifyRequest): Pick<DecidedRequest, 'release'> {
  return release === undefined ? {} : { release: { keyId: release.keyId, dryRun: release.dryRun } };
}
