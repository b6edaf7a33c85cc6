import type { Metrics, Stage } from '../http/metrics.js';
import type { DecisionRecorder } from '../model/decision-log.js';
import type { ReceiptIssuer } from '../model/receipt.js';
import type { VerifyEvidenceUseCase } from '../service/verify-evidence.js';
import type { WorldParts } from '../service/witness.js';

/** Measures how long the stages of requests take, around what they ask. The stages themselves know nothing of it. */
export class TimedStages {
  readonly #metrics: Pick<Metrics, 'stageDone'>;

  constructor(metrics: Pick<Metrics, 'stageDone'>) {
    this.#metrics = metrics;
  }

  /** The challenge that is used up, and endorsements. */
  world(parts: WorldParts): WorldParts {
    const { nonces, endorsements } = parts;
    return {
      ...parts,
      nonces: { standing: (...asked) => this.#timed('challenge', () => nonces.standing(...asked)) },
      endorsements: { fetch: (...asked) => this.#timed('endorsements', () => endorsements.fetch(...asked)) },
    };
  }

  judging(verifyEvidence: VerifyEvidenceUseCase): VerifyEvidenceUseCase {
    return { execute: (...asked) => this.#timed('judge', () => verifyEvidence.execute(...asked)) };
  }

  signing(receipts: ReceiptIssuer): ReceiptIssuer {
    return { issue: (...asked) => this.#timed('sign', () => receipts.issue(...asked)) };
  }

  /** Records of releases are not measured: they are seldom, and each has an answer of a vault between them. */
  recording(recorder: DecisionRecorder): DecisionRecorder {
    return {
      record: (judged) => this.#timed('record', () => recorder.record(judged)),
      releaseAttempt: (attempt) => recorder.releaseAttempt(attempt),
      releaseResult: (result) => recorder.releaseResult(result),
      withdraw: (decisionId, because) => recorder.withdraw(decisionId, because),
      leavesUnrecorded: (outcome) => recorder.leavesUnrecorded(outcome),
    };
  }

  /** Also what fails took its time. */
  async #timed<T>(stage: Stage, work: () => Promise<T>): Promise<T> {
    const begun = performance.now();
    try {
      return await work();
    } finally {
      this.#metrics.stageDone(stage, (performance.now() - begun) / 1000);
    }
  }
}
