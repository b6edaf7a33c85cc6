import type { Decision } from '../core/decision.js';
import {
  type DecisionRecorder,
  type JudgedRequest,
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

/** How long an answer waits for its record. */
export const RECORD_TIMEOUT_MS = 1000;

export interface RecordParts {
  /** Null: decisions are not stored. */
  readonly recorder: DecisionRecorder | null;
  readonly waits: Waits;
  readonly log: Log;
  readonly tracer: Tracer;
  /** Makes what a decision is verified and appraised again by. Null: of evidence and endorsements only digests are kept. */
  readonly keep: ((judged: JudgedRequest, facts: readonly Fact[]) => KeptInputs) | null;
  /** How long the record may take. */
  readonly recordTimeoutMs?: number;
}

/**
 * The decision, once it is stored. An allow that is not stored does not leave.
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
  // Within a promise, so that a record that cannot even be made is one that is not stored.
  const storing = tracer.span('store decision', () =>
    waits.elsewhere('record', async () => recorder.record(recorded())),
  );
  try {
    await withinTime(storing, recordTimeoutMs);
    return decision;
  } catch (error) {
    // Of a store that is out of reach the log tells once, and not with each request.
    if (!(error instanceof StoreUnavailableError)) {
      log.error({ err: error, decisionId: decision.decisionId }, 'a decision was not stored');
    }
    const withheld = withhold(decision, 'audit_unavailable');
    const unrecorded = () => recorder.leavesUnrecorded(withheld.decision);
    if (error instanceof LateError) {
      recorder.answeredUnrecorded(decision.decisionId);
      // A record that comes back later says what nobody was told.
      void storing.then(() => recorder.withdraw(decision.decisionId, 'late')).catch(unrecorded);
    } else unrecorded();
    return withheld;
  }
}

/** The key that is to be released by a decision, for its record. */
function askedRelease({ release }: VerifyRequest): Pick<JudgedRequest, 'release'> {
  return release === undefined ? {} : { release: { keyId: release.keyId, dryRun: release.dryRun } };
}
