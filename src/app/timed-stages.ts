import type { DecisionRecorder } from '../core/decision-log.js';
import type { HeldKey } from '../core/held-key.js';
import type { ReceiptIssuer } from '../core/receipt.js';
import type { AttestationService } from '../core/verification.js';
import type { Metrics, Stage } from '../http/metrics.js';
import type { VerificationSlots } from '../http/verification-slots.js';
import type { Tenant } from '../judge/tenants.js';
import type { VerifyEvidenceUseCase } from '../judge/verify-evidence.js';
import type { WorldParts } from '../judge/witness.js';

/**
 * Around what requests ask of others: measures how long it takes, and lets other verifications begin meanwhile. What asks and what is
 * asked know nothing of it.
 */
export class TimedStages {
  readonly #metrics: Pick<Metrics, 'stageDone'>;
  readonly #slots: Pick<VerificationSlots, 'elsewhere'>;

  constructor(metrics: Pick<Metrics, 'stageDone'>, slots: Pick<VerificationSlots, 'elsewhere'>) {
    this.#metrics = metrics;
    this.#slots = slots;
  }

  /** The challenge that is used up, endorsements, verifiers that evidence is sent to, and what is remembered of vTPMs. */
  world(parts: WorldParts): WorldParts {
    const { nonces, endorsements, services, tenants } = parts;
    return {
      ...parts,
      tenants: (name) => this.#tenant(tenants(name)),
      nonces: { standing: (...asked) => this.#elsewhere('challenge', () => nonces.standing(...asked)) },
      endorsements: { fetch: (...asked) => this.#elsewhere('endorsements', () => endorsements.fetch(...asked)) },
      services: new Map([...services].map(([route, service]) => [route, this.#service(service)])),
    };
  }

  /** How long they take is not measured: it is the vault's or the keys' own. */
  releasing(keys: ReadonlyMap<string, HeldKey>): ReadonlyMap<string, HeldKey> {
    return new Map([...keys].map(([id, key]) => [id, this.#key(key)]));
  }

  judging(verifyEvidence: VerifyEvidenceUseCase): VerifyEvidenceUseCase {
    return { execute: (...asked) => this.#timed('judge', () => verifyEvidence.execute(...asked)) };
  }

  signing(receipts: ReceiptIssuer): ReceiptIssuer {
    return { issue: (...asked) => this.#elsewhere('sign', () => receipts.issue(...asked)) };
  }

  /** Records of releases are not measured: they are seldom, and each has an answer of a vault between them. */
  recording(recorder: DecisionRecorder): DecisionRecorder {
    return {
      record: (judged) => this.#elsewhere('record', () => recorder.record(judged)),
      releaseAttempt: (attempt) => this.#slots.elsewhere(() => recorder.releaseAttempt(attempt)),
      releaseResult: (result) => this.#slots.elsewhere(() => recorder.releaseResult(result)),
      withdraw: (decisionId, because) => recorder.withdraw(decisionId, because),
      answeredUnrecorded: (decisionId) => recorder.answeredUnrecorded(decisionId),
      leavesUnrecorded: (outcome) => recorder.leavesUnrecorded(outcome),
    };
  }

  #tenant({ resets, ...others }: Tenant): Tenant {
    return {
      ...others,
      resets: {
        remembered: (vtpm) => this.#slots.elsewhere(() => resets.remembered(vtpm)),
        advance: (vtpm) => this.#slots.elsewhere(() => resets.advance(vtpm)),
      },
    };
  }

  #service(service: AttestationService): AttestationService {
    return {
      route: service.route,
      issues: (issuer) => service.issues(issuer),
      accepts: (submission) => service.accepts(submission),
      attest: (...asked) => this.#slots.elsewhere(() => service.attest(...asked)),
    };
  }

  #key(key: HeldKey): HeldKey {
    const { kind, policy, tenant, anyMachine } = key;
    return {
      kind,
      policy,
      tenant,
      anyMachine,
      requireFit: (boundKey) => key.requireFit(boundKey),
      describe: (allowed) => key.describe(allowed),
      release: (...asked) => this.#slots.elsewhere(() => key.release(...asked)),
    };
  }

  #elsewhere<T>(stage: Stage, work: () => Promise<T>): Promise<T> {
    return this.#timed(stage, () => this.#slots.elsewhere(work));
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
