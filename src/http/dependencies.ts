import type { CallerDirectory } from '../core/caller-directory.js';
import type { GateUseCase } from '../core/gate.js';
import type { Clock, Log } from '../core/ports.js';
import type { RequestTracer } from '../core/traces.js';
import type { Challenges } from '../judge/challenges.js';
import type { LivenessUseCase, ReadinessUseCase } from '../judge/health.js';
import type { ReceiptKeysUseCase } from '../judge/receipt-keys.js';
import type { ReleaseKeyUseCase } from '../judge/release-key.js';
import type { VerificationSlots } from '../judge/verification-slots.js';
import type { VerifyEvidenceUseCase } from '../judge/verify-evidence.js';
import type { ReplayDecisionUseCase } from '../replay/replay-decision.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { EvaluatePolicyUseCase } from '../workbench/evaluate-policy.js';
import type { InspectEvidenceUseCase } from '../workbench/inspections.js';
import type { PolicyTextsUseCase } from '../workbench/policy-texts.js';
import type { RecordedDecisionsUseCase } from '../workbench/recorded-decisions.js';
import type { ConnectionLimits, TlsMaterial } from './listener.js';
import type { RateLimits } from './load-limits.js';
import type { HeldEndorsements } from './routes/endorsement-route.js';
import type { Pages } from './routes/page-routes.js';

/** Everything that the HTTP layer depends on. It creates none of it. */
export interface HttpDependencies {
  readonly verifyEvidence: VerifyEvidenceUseCase;
  readonly releaseKey: ReleaseKeyUseCase;
  readonly challenges: Pick<Challenges, 'issue'>;
  readonly inspectEvidence: InspectEvidenceUseCase;
  readonly heldEndorsements: HeldEndorsements;
  readonly receiptKeys: ReceiptKeysUseCase;
  readonly gates: GateUseCase;
  readonly recordedDecisions: RecordedDecisionsUseCase;
  readonly replayDecision: ReplayDecisionUseCase;
  readonly policyTexts: PolicyTextsUseCase;
  readonly evaluatePolicy: EvaluatePolicyUseCase;
  readonly liveness: LivenessUseCase;
  readonly readiness: ReadinessUseCase;
  /** The current callers: each request reads them again. */
  readonly callers: () => CallerDirectory;
  /** Verifications take these slots. Requests to other services are made through them. */
  readonly slots: VerificationSlots;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Log;
  /** Null: no request is traced. */
  readonly tracer: RequestTracer | null;
  /** The built pages; if left out, none is served. */
  readonly pages?: Pages | undefined;
  readonly settings: HttpSettings;
}

export interface HttpSettings {
  /** Longest body, bytes. */
  readonly bodyBytes: number;
  /** Bytes of all bodies in unanswered requests; a third of them for one principal if callers are configured. */
  readonly bodyBytesInFlight: number;
  /** Longest event log, bytes. No text in a body is longer than such a log in base64. */
  readonly eventLogBytes: number;
  /** Longest time of a verification, seconds. The use case enforces it; here it bounds the life of a socket. */
  readonly deadlineSeconds: number;
  /** Addresses or ranges whose X-Forwarded-For is trusted. */
  readonly trustedProxies: readonly string[];
  /** Null: plain HTTP. */
  readonly tls: TlsMaterial | null;
  /** Whether probes and metrics have a separate listener, and are not served here. */
  readonly hasManagement?: boolean;
  readonly connections?: Partial<ConnectionLimits>;
  readonly rates?: Partial<RateLimits>;
  /** Mean delay of the event loop, in milliseconds, above which requests are refused; 0: never. */
  readonly eventLoopDelayMs?: number;
}
