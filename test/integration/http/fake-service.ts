import { createHash } from 'node:crypto';
import { Writable } from 'node:stream';
import { afterEach } from 'vitest';
import { builtPages } from '../../../src/app/pages.js';
import { ApiKeyCallers } from '../../../src/callers/api-keys.js';
import { ConfiguredCallers } from '../../../src/callers/configured-callers.js';
import { LocalCaller } from '../../../src/callers/local-caller.js';
import type { CallerDirectory } from '../../../src/core/caller-directory.js';
import type { ClockDoubt, CredentialClock } from '../../../src/core/clock-doubt.js';
import type { Decision } from '../../../src/core/decision.js';
import type { RecordedDecision } from '../../../src/core/decision-log.js';
import { RefusedError } from '../../../src/core/errors.js';
import type { Evidence } from '../../../src/core/evidence.js';
import { type GatePass, GateRefusal, type GateRequest, type GateUseCase } from '../../../src/core/gate.js';
import type { HealthProblem, Readiness } from '../../../src/core/health.js';
import type { JsonObject } from '../../../src/core/json.js';
import type { Clock } from '../../../src/core/ports.js';
import type { Caller, ChallengeRequest, Role, VerifyRequest } from '../../../src/core/request.js';
import type { RequestTracer } from '../../../src/core/traces.js';
import type { HttpDependencies, HttpSettings } from '../../../src/http/dependencies.js';
import type { HeldEndorsements } from '../../../src/http/routes/endorsement-route.js';
import type { Pages } from '../../../src/http/routes/page-routes.js';
import { type ListenOptions, type RunningServer, startServer } from '../../../src/http/server.js';
import type { Challenges } from '../../../src/judge/challenges.js';
import type { LivenessUseCase, ReadinessUseCase } from '../../../src/judge/health.js';
import type { ReceiptKeysUseCase } from '../../../src/judge/receipt-keys.js';
import type { ReleaseKeyUseCase } from '../../../src/judge/release-key.js';
import { type SlotLimits, VerificationSlots } from '../../../src/judge/verification-slots.js';
import type { VerifyEvidenceUseCase } from '../../../src/judge/verify-evidence.js';
import type { Replay, ReplayDecisionUseCase, ReplayTime } from '../../../src/replay/replay-decision.js';
import { createLog } from '../../../src/telemetry/log.js';
import { Metrics } from '../../../src/telemetry/metrics.js';
import type { EvaluatePolicyUseCase } from '../../../src/workbench/evaluate-policy.js';
import type { InspectEvidenceUseCase } from '../../../src/workbench/inspections.js';
import type { PolicyTextsUseCase } from '../../../src/workbench/policy-texts.js';
import type {
  DecisionFilter,
  DecisionPage,
  RecordedDecisionsUseCase,
} from '../../../src/workbench/recorded-decisions.js';
import { FakeLog } from '../../unit/judge/fakes.js';

export const NOW = new Date('2026-01-15T12:00:00Z');

export const ALLOW: Decision = {
  decision: 'allow',
  decisionId: '019bc1f0-5a3c-7b52-9d9f-3a0e8d0f5c11',
  decidedAt: NOW,
  at: NOW,
  validUntil: new Date('2026-01-15T12:05:00Z'),
  historical: false,
  retryable: false,
  repeatable: true,
  evidence: { type: 'snp', sha256: 'ab'.repeat(32) },
  trust: { status: 'affirming', submods: { hardware: { status: 'affirming', vector: { hardware: 2 } } } },
  policies: [],
  checks: [
    check('snp_signature', 'pass'),
    check('snp_debug', 'skipped', 'not reached'),
    check('snp_vmpl', 'skipped', 'not reached'),
  ],
  reasons: [],
  claims: {},
  retryAfterSeconds: null,
  maaView: null,
  crossCheck: null,
  obtainedTokens: [],
  endorsements: [],
  freshness: { nonce: null, bound: [], clockSkewSeconds: null },
  binding: null,
  shadow: [],
  receipt: null,
};

export const DENY: Decision = {
  ...ALLOW,
  decision: 'deny',
  checks: [check('snp_signature', 'fail')],
  reasons: ['snp_signature'],
};

export const INDETERMINATE: Decision = {
  ...ALLOW,
  decision: 'indeterminate',
  retryable: true,
  checks: [check('vcek_unavailable', 'unavailable')],
  reasons: ['vcek_unavailable'],
};

function check(id: Decision['checks'][number]['id'], result: Decision['checks'][number]['result'], group?: string) {
  const base = { id, result, about: '/evidence/report', expected: null, actual: null, detail: 'fake', policy: null };
  return group === undefined ? base : { ...base, group };
}

/** Answers what it is told, and remembers what it was asked. */
export class FakeVerifyEvidence implements VerifyEvidenceUseCase {
  readonly asked: { readonly request: VerifyRequest; readonly caller: Caller }[] = [];
  answer: () => Promise<Decision> = async () => ALLOW;

  execute(request: VerifyRequest, caller: Caller): Promise<Decision> {
    this.asked.push({ request, caller });
    return this.answer();
  }
}

export class FakeChallenges implements Pick<Challenges, 'issue'> {
  readonly asked: { readonly request: ChallengeRequest; readonly caller: Caller }[] = [];
  answer: () => Promise<{ nonce: Uint8Array; expiresAt: Date }> = async () => ({
    nonce: new Uint8Array(32).fill(7),
    expiresAt: new Date('2026-01-15T12:05:00Z'),
  });

  issue(request: ChallengeRequest, caller: Caller): Promise<{ nonce: Uint8Array; expiresAt: Date }> {
    this.asked.push({ request, caller });
    return this.answer();
  }
}

class FakeInspectEvidence implements InspectEvidenceUseCase {
  execute(evidence: Evidence): JsonObject {
    return { verified: false, notice: 'nothing here was verified', type: evidence.type, structures: [] };
  }
}

export class FakeReadiness implements ReadinessUseCase {
  problems: HealthProblem[] = [];

  async execute(): Promise<Readiness> {
    return { ready: this.problems.length === 0, problems: this.problems };
  }
}

export class FakeLiveness implements LivenessUseCase {
  problems: HealthProblem[] = [];

  async execute(): Promise<{ live: boolean; problems: readonly HealthProblem[] }> {
    return { live: this.problems.length === 0, problems: this.problems };
  }
}

export class FakeClock implements Clock, CredentialClock {
  at = NOW;
  doubted: ClockDoubt | null = null;

  now(): Date {
    return this.at;
  }

  monotonicMs(): number {
    return this.at.getTime();
  }

  highest(): Date {
    return this.at;
  }

  doubt(): ClockDoubt | null {
    return this.doubted;
  }
}

/** A gate that one receipt opens. */
export const [KNOWN_GATE, KNOWN_RECEIPT] = ['web', 'a.known.receipt'];

/** Lets through who has the receipt, and remembers what it was asked. */
export class FakeGates implements GateUseCase {
  readonly asked: GateRequest[] = [];
  fault: Error | null = null;

  has(gate: string): boolean {
    return gate === KNOWN_GATE;
  }

  async open(request: GateRequest): Promise<GatePass> {
    this.asked.push(request);
    if (this.fault !== null) throw this.fault;
    if (!this.has(request.gate)) throw new GateRefusal('gate_unknown', 'there is no such gate');
    if (request.receipt !== KNOWN_RECEIPT) throw new GateRefusal('receipt_signature', 'another receipt');
    return { decisionId: KNOWN_DECISION, expiresAt: '2026-01-15T12:05:00.000Z' };
  }
}

export class FakeReceiptKeys implements ReceiptKeysUseCase {
  issuer: string | null = 'https://veritee.example';

  keySet(): JsonObject {
    return { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'AA', kid: 'k', alg: 'EdDSA', use: 'sig' }] };
  }

  discovery(): JsonObject | null {
    if (this.issuer === null) return null;
    return {
      issuer: this.issuer,
      jwks_uri: `${this.issuer}/.well-known/jwks.json`,
      id_token_signing_alg_values_supported: ['EdDSA'],
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
    };
  }
}

/** Keeps what a log writes. */
export class LogLines extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }

  get records(): readonly Record<string, unknown>[] {
    return this.text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  }
}

/** Id of the one decision that there is. */
export const KNOWN_DECISION = '019bc1f0-5a3c-7b52-9d9f-3a0e8d0f5c11';

const SUMMARY = {
  decisionId: KNOWN_DECISION,
  decidedAt: NOW.toISOString(),
  decision: 'allow',
  reasons: [],
  evidence: { type: 'snp', sha256: 'ab'.repeat(32) },
  policies: [],
  audience: null,
  principal: 'local',
  tenant: 'default',
  historical: false,
};

/** Has one decision, and remembers what it was asked for. */
export class FakeRecordedDecisions implements RecordedDecisionsUseCase {
  readonly filters: DecisionFilter[] = [];

  async list(filter: DecisionFilter): Promise<DecisionPage> {
    this.filters.push(filter);
    const found = { decisionId: KNOWN_DECISION, summary: JSON.stringify(SUMMARY), withdrawn: false };
    return { decisions: [found], next: null };
  }

  async get(decisionId: string): Promise<RecordedDecision> {
    if (decisionId !== KNOWN_DECISION) throw new RefusedError('not_found', 'there is no decision of this id');
    const digest = 'cd'.repeat(32);
    const { decidedAt: at } = SUMMARY;
    const decision = { ...SUMMARY, at, validUntil: at, retryable: false, checks: [], quietChecks: [], claims: {} };
    const request = { audience: null };
    const content = { time: at, version: '0.1.0', principal: 'local', tenant: 'default', request };
    const record = {
      chain: '6f1c1f0e-0b0e-4a53-9d1b-5b1f0c6f2f11',
      seq: 1,
      previous: digest,
      contentSha256: digest,
      hash: digest,
      salt: new Uint8Array(32),
      content: JSON.stringify({ ...content, decision }),
    };
    return { record, tenant: 'default', withdrawn: false, releaseRecords: [] };
  }
}

/** Finds each decision to be what it was. */
export class FakeReplayDecision implements ReplayDecisionUseCase {
  isKept = true;

  async execute(decisionId: string, at: ReplayTime): Promise<Replay> {
    if (!this.isKept) {
      throw new RefusedError(
        'evidence_not_kept',
        'the evidence of this decision was not kept: decisions.keepEvidence was hash when it was made',
      );
    }
    if (decisionId !== KNOWN_DECISION) throw new RefusedError('not_found', 'there is no decision of this id');
    return {
      at,
      decisionId,
      withdrawn: false,
      equal: true,
      decision: { recorded: 'allow', replayed: 'allow' },
      reasons: { recorded: [], replayed: [] },
      version: { recorded: '0.1.0', running: '0.1.0' },
      checks: [],
      differences: [],
      differencesOmitted: 0,
      replayed: {},
    };
  }
}

export interface FakeService extends Omit<RunningServer, 'readiness'> {
  readonly verifyEvidence: FakeVerifyEvidence;
  readonly challenges: FakeChallenges;
  readonly receiptKeys: FakeReceiptKeys;
  readonly gates: FakeGates;
  readonly recordedDecisions: FakeRecordedDecisions;
  readonly replayDecision: FakeReplayDecision;
  readonly liveness: FakeLiveness;
  readonly readiness: FakeReadiness;
  readonly releaseKey: ReleaseKeyUseCase;
  readonly evaluatePolicy: EvaluatePolicyUseCase;
  readonly slots: VerificationSlots;
  readonly clock: FakeClock;
  readonly metrics: Metrics;
  readonly lines: LogLines;
  readonly port: number;
}

export interface FakeServiceOptions {
  readonly callers?: (clock: CredentialClock) => CallerDirectory;
  readonly settings?: Partial<HttpSettings>;
  readonly slots?: Partial<SlotLimits>;
  readonly listen?: Partial<ListenOptions>;
  readonly level?: string;
  readonly tracer?: RequestTracer;
  /** Left out: those that were built for the tests. */
  readonly pages?: Pages;
}

/** The id of the one policy that there is. */
export const KNOWN_POLICY = 'known';

/** Has one policy, and lints and tries nothing. */
const FAKE_POLICIES: PolicyTextsUseCase = {
  list: () => [],
  get: (id) => {
    if (id !== KNOWN_POLICY) throw new RefusedError('not_found', 'there is no policy of this id');
    return { id, version: 1, description: null, sha256: 'ab'.repeat(32), text: '{}' };
  },
  lint: () => [],
};

const FAKE_EVALUATION: EvaluatePolicyUseCase = {
  execute: async () => ({ outcome: 'deny', matched: [], unmatched: [], because: { checks: [] } }),
};

/** The digest of the one endorsement that is held. */
export const KNOWN_ENDORSEMENT = 'ab'.repeat(32);

const FAKE_ENDORSEMENTS: HeldEndorsements = {
  find: (_tenant, sha256) =>
    sha256 === KNOWN_ENDORSEMENT ? { kind: 'crl', sha256, value: Uint8Array.of(0x30, 0xfb, 0xff) } : null,
};

const FAKE_RELEASES: ReleaseKeyUseCase = {
  wanted: () => ({ kind: 'local', policy: 'payments', anyMachine: false }),
  execute: async () => ({ decision: ALLOW, release: { value: 'eyJ.eyJ', keyVersion: null }, state: 'released' }),
};

/** The dependencies of the HTTP layer, all of them fake but log and metrics. */
export function fakeDependencies(options: FakeServiceOptions = {}) {
  const clock = new FakeClock();
  const lines = new LogLines();
  const callers = options.callers?.(clock) ?? new LocalCaller({ historical: false, insecure: false });
  return {
    verifyEvidence: new FakeVerifyEvidence(),
    releaseKey: FAKE_RELEASES,
    challenges: new FakeChallenges(),
    inspectEvidence: new FakeInspectEvidence(),
    heldEndorsements: FAKE_ENDORSEMENTS,
    receiptKeys: new FakeReceiptKeys(),
    gates: new FakeGates(),
    recordedDecisions: new FakeRecordedDecisions(),
    replayDecision: new FakeReplayDecision(),
    policyTexts: FAKE_POLICIES,
    evaluatePolicy: FAKE_EVALUATION,
    liveness: new FakeLiveness(),
    readiness: new FakeReadiness(),
    callers: () => callers,
    slots: new VerificationSlots(options.slots),
    metrics: new Metrics(),
    clock,
    lines,
    log: createLog(options.level ?? 'info', lines),
    tracer: options.tracer ?? null,
    pages: options.pages ?? builtPages({ inspector: true }, createLog('warn', lines)),
    settings: {
      bodyBytes: 2_097_152,
      bodyBytesInFlight: 100_663_296,
      eventLogBytes: 1_048_576,
      deadlineSeconds: 5,
      trustedProxies: [],
      tls: null,
      // A machine that is busy with other tests is no reason to refuse here.
      eventLoopDelayMs: 0,
      ...options.settings,
    },
  } satisfies HttpDependencies & { lines: LogLines };
}

/** Listens on a free port. Stops without notice, so that tests need not wait. */
export async function startFakeService(options: FakeServiceOptions = {}): Promise<FakeService> {
  const dependencies = fakeDependencies(options);
  const server = await startServer(dependencies, {
    host: '127.0.0.1',
    port: 0,
    stop: { noticeMs: 0, drainMs: 5_000 },
    ...options.listen,
  });
  const close = () => {
    const closing = server.close();
    void closing.then(() => dependencies.metrics.close());
    return closing;
  };
  const { readiness } = dependencies;
  return { ...dependencies, ...server, readiness, close, port: Number(new URL(server.url).port) };
}

/** Starts services, and closes those of a test after it. For a file of tests. */
export function fakeServices(): (options?: FakeServiceOptions) => Promise<FakeService> {
  const open: FakeService[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((service) => service.close()));
  });
  return async (options) => {
    const service = await startFakeService(options);
    open.push(service);
    return service;
  };
}

/** A directory with one caller, `ci`, whose key is given. */
export function oneCaller(
  key: string,
  roles: readonly Role[],
  { expires = NEVER, ...changes }: Partial<Caller> & { readonly expires?: Date } = {},
) {
  const none = new Set<string>();
  const caller = {
    principal: 'ci',
    tenant: 'default',
    roles: new Set(roles),
    policies: null,
    audiences: null,
    keys: none,
  };
  const apiKeySha256 = createHash('sha256').update(key).digest('hex');
  const callers = [{ caller: { ...caller, ...changes }, keys: [{ apiKeySha256, expires }] }];
  return (clock: CredentialClock): CallerDirectory =>
    new ConfiguredCallers({
      apiKeys: new ApiKeyCallers(callers, clock, new FakeLog()),
      tokens: null,
      certificates: null,
    });
}

const NEVER = new Date('9999-12-31');

/** A /verify body that passes schema and encodings. */
export const VERIFY_BODY = JSON.stringify({
  evidence: { type: 'snp', report: Buffer.alloc(1184, 1).toString('base64url') },
  nonce: 'q83vASNFZ4mrze8BI0VniQ',
});
