import type { Decision } from '../core/decision.js';
import {
  type DecisionRecorder,
  type JudgedRequest,
  type KeptInputs,
  StoreUnavailableError,
} from '../core/decision-log.js';
import type { Log } from '../core/ports.js';
import type { Caller, VerifyRequest } from '../core/request.js';
import { NO_TRACER, type Tracer } from '../core/traces.js';
import { LateError, withinTime } from './challenges.js';
import type { VerifyEvidenceUseCase } from './verify-evidence.js';
import { withhold } from './withheld-decision.js';
import type { WorldAnswer } from './witness.js';

/** How long an answer waits for its record. */
export const RECORD_TIMEOUT_MS = 1000;

/** Keeps all that a decision rests on. */
export interface InputKeeper {
  /** Does work, and lists what the world answered meanwhile. */
  watch<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly answers: readonly WorldAnswer[] }>;
  keep(judged: JudgedRequest, answers: readonly WorldAnswer[]): KeptInputs;
}

export interface RecordDecisionsParts {
  readonly verifyEvidence: VerifyEvidenceUseCase;
  readonly recorder: DecisionRecorder;
  /** Null: of evidence and endorsements only digests are kept. */
  readonly keeper: InputKeeper | null;
  readonly log: Log;
  /** How long the record may take. */
  readonly timeoutMs?: number;
  /** Left out: nothing is traced. */
  readonly tracer?: Tracer;
}

/** Decides, and stores what was decided. An allow that is not stored does not leave. */
export class RecordDecisions implements VerifyEvidenceUseCase {
  readonly #parts: RecordDecisionsParts;

  constructor(parts: RecordDecisionsParts) {
    this.#parts = parts;
  }

  /** @throws {FormatError | RefusedError} as `VerifyEvidence.execute` */
  async execute(request: VerifyRequest, caller: Caller): Promise<Decision> {
    const { recorder, log, timeoutMs = RECORD_TIMEOUT_MS, tracer = NO_TRACER } = this.#parts;
    const { decision, inputs } = await this.#decide(request, caller);
    // Within a promise, so that a record that cannot even be made is one that is not stored.
    const storing = tracer.span('store decision', async () =>
      recorder.record({ decision, request, caller, ...wantedBy(request), ...inputs?.() }),
    );
    try {
      await withinTime(storing, timeoutMs);
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
        void this.#withdrawOnceStored(storing, decision.decisionId).catch(unrecorded);
      } else unrecorded();
      return withheld;
    }
  }

  async #decide(request: VerifyRequest, caller: Caller) {
    const { verifyEvidence, keeper } = this.#parts;
    const decide = () => verifyEvidence.execute(request, caller);
    if (keeper === null) return { decision: await decide(), inputs: null };
    const { value: decision, answers } = await keeper.watch(decide);
    return { decision, inputs: () => ({ inputs: keeper.keep({ decision, request, caller }, answers) }) };
  }

  /** A record that comes back later says what nobody was told. */
  async #withdrawOnceStored(storing: Promise<void>, decisionId: string): Promise<void> {
    await storing;
    await this.#parts.recorder.withdraw(decisionId, 'late');
  }
}

/** What is to be released by the decision, for its record. */
function wantedBy({ release }: VerifyRequest) {
  return release === undefined ? {} : { release: { keyId: release.keyId, dryRun: release.dryRun } };
}
