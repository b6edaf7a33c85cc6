import { randomBytes } from 'node:crypto';
import type { Configuration } from '../config/configuration.js';
import { findRecorded } from '../decision-log/find-recorded.js';
import { readableRecordOf } from '../decision-log/record-of.js';
import type { OpenEarlyCollateral } from '../endorsements/intel/open-early-collateral.js';
import type { RememberedEndorsements } from '../endorsements/remembered-endorsements.js';
import { Gates } from '../gates/gates.js';
import type { HttpDependencies, HttpSettings } from '../http/dependencies.js';
import type { Metrics } from '../http/metrics.js';
import { VerificationSlots } from '../http/verification-slots.js';
import type { ChallengeStore } from '../model/challenge.js';
import type { DecisionRecorder, LogStore } from '../model/decision-log.js';
import type { EndorsementSource } from '../model/endorsement.js';
import { RefusedError } from '../model/errors.js';
import { TOKENS } from '../model/injection-tokens.js';
import type { Clock } from '../model/ports.js';
import { ChangedDecisionError } from '../model/recorded-decision.js';
import { NO_TRACER, type RequestTracer } from '../model/traces.js';
import { PublishedReceiptKeys } from '../results/published-receipt-keys.js';
import type { ReceiptKeys } from '../results/receipt-keys.js';
import { Receipts } from '../results/receipts.js';
import { ChallengeCodec, IssueChallenge } from '../service/challenges.js';
import type { ClockWatch } from '../service/clock-watch.js';
import { EarlyCollateralShadow } from '../service/early-collateral.js';
import { EvaluatePolicy } from '../service/evaluate-policy.js';
import type { ReadinessUseCase } from '../service/health.js';
import { HeldEndorsements } from '../service/held-endorsements.js';
import type { InspectEvidenceUseCase } from '../service/inspections.js';
import { NonceRecogniser } from '../service/nonces.js';
import { PolicyTexts } from '../service/policy-texts.js';
import { type InputKeeper, RecordDecisions } from '../service/record-decisions.js';
import { RecordedDecisions } from '../service/recorded-decisions.js';
import { ReleaseKey } from '../service/release-key.js';
import { ReplayDecision } from '../service/replay-decision.js';
import type { ResetTracking } from '../service/reset-tracking.js';
import { SignDecisions } from '../service/sign-decisions.js';
import type { VerifyEvidence, VerifyEvidenceUseCase } from '../service/verify-evidence.js';
import type { WorldParts } from '../service/witness.js';
import { servedLines } from './amd-lines.js';
import type { OpenAttestationServices } from './attestation-services.js';
import type { ReloadedRoots } from './configured-roots.js';
import {
  createAppContainer,
  createVerifyEvidence,
  type Override,
  useIntelRootPins,
  useRootPins,
  verifyOptions,
} from './container.js';
import type { EndorsementWorld } from './endorsements.js';
import type { HeldKeys } from './held-keys.js';
import { JudgeKeptDecisions } from './judge-again.js';
import { DecisionInputsKeeper } from './kept-inputs.js';
import { builtPages } from './pages.js';
import { lintFacts } from './policy-sources.js';
import type { ReloadedAccess } from './reloaded-access.js';
import { type TenantPolicies, tenantsOf } from './tenant-policies.js';
import { TimedStages } from './timed-stages.js';

/** What of a service is open before it can answer. */
export interface ServiceParts {
  readonly configuration: Configuration;
  readonly world: Pick<EndorsementWorld, 'log' | 'amdRootPins' | 'intelRootPins'> & {
    readonly override?: Override;
    readonly storeTimeoutMs?: number;
  };
  readonly clock: Clock;
  readonly clockWatch: ClockWatch;
  readonly readiness: ReadinessUseCase;
  readonly metrics: Metrics;
  /** Null: no request is traced. */
  readonly tracer: RequestTracer | null;
  readonly policies: TenantPolicies;
  readonly access: ReloadedAccess;
  readonly challenges: { readonly key: Uint8Array; readonly store: ChallengeStore };
  /** Null: decisions are not stored. */
  readonly decisions: LogStore | null;
  readonly decisionLog: DecisionRecorder | null;
  /** By tenant. */
  readonly resets: ReadonlyMap<string, ResetTracking>;
  readonly endorsements: { readonly source: EndorsementSource };
  /** What evidence was judged by. */
  readonly remembered: RememberedEndorsements;
  readonly early: OpenEarlyCollateral | null;
  readonly services: OpenAttestationServices;
  readonly roots: ReloadedRoots;
  readonly heldKeys: Pick<HeldKeys, 'keys'>;
  readonly receiptKeys: ReceiptKeys;
  readonly version: string;
  /** Where the service listens; null before the port is open. */
  readonly url: () => string | null;
}

/** The use cases of a service, and how HTTP offers them. */
export function httpDependencies(parts: ServiceParts): HttpDependencies {
  const { configuration, world, clock, clockWatch, metrics, policies, access, challenges } = parts;
  const tracer = parts.tracer ?? NO_TRACER;
  const container = containerOf(parts);
  const codec = new ChallengeCodec(challenges.key, randomBytes);
  const slots = new VerificationSlots({}, (seconds) => metrics.stageDone('wait', seconds));
  const stages = new TimedStages(metrics, slots);
  const judgedBy = stages.world(worldPartsOf(container, codec, parts));
  const keeper = keeperOf(parts);
  // What is judged again is remembered already, or is of the past.
  const judging = { ...judgedBy, endorsements: parts.remembered.watching(judgedBy.endorsements) };
  const verifyEvidence = verifyEvidenceWith(
    container,
    keeper === null ? judging : keeper.witness.watched(judging),
    parts,
  );
  const signed = new SignDecisions({
    verifyEvidence: stages.judging(verifyEvidence),
    receipts: stages.signing(receiptsOf(parts)),
    deadlineMs: configuration.deadlineSeconds * 1000,
    log: world.log,
    tracer,
  });
  const recordedDecisions = new RecordedDecisions(recordedIn(parts.decisions));
  const again = new ReplayDecision({
    again: judgeAgainOf(judgedBy, parts),
    present: readableRecordOf,
    version: parts.version,
  });
  const recorder = parts.decisionLog === null ? null : stages.recording(parts.decisionLog);
  const recordedEvidence = recorded(signed, keeper, recorder, parts);
  return {
    verifyEvidence: recordedEvidence,
    releaseKey: new ReleaseKey({
      keys: stages.releasing(parts.heldKeys.keys),
      verifyEvidence: recordedEvidence,
      recorder,
      deadlineMs: configuration.deadlineSeconds * 1000,
      log: world.log,
      tracer,
    }),
    recordedDecisions,
    replayDecision: {
      execute: async (id, at, caller) =>
        again.replay(await slots.elsewhere(() => recordedDecisions.get(id, caller)).catch(notJudgedAgain), at),
    },
    receiptKeys: new PublishedReceiptKeys(parts.receiptKeys, configuration.receipts.issuer),
    gates: gatesOf(parts),
    policyTexts: new PolicyTexts({
      policies: (tenant) => policies.of(tenant).snapshot(),
      ...lintFacts(configuration),
      clock,
    }),
    evaluatePolicy: new EvaluatePolicy({ verifyEvidence, clock, lines: servedLines(configuration) }),
    issueChallenge: new IssueChallenge({
      codec,
      store: challenges.store,
      policies: (tenant) => policies.of(tenant).snapshot(),
      clock: clockWatch,
      lifetimeSeconds: configuration.challenges.lifetimeSeconds,
      timeoutMs: world.storeTimeoutMs,
    }),
    heldEndorsements: new HeldEndorsements(parts.remembered),
    inspectEvidence: container.resolve<InspectEvidenceUseCase>(TOKENS.inspectEvidence),
    liveness: clockWatch.liveness,
    readiness: parts.readiness,
    callers: () => access.callers,
    slots,
    metrics,
    clock,
    log: world.log,
    tracer: parts.tracer,
    pages: builtPages(configuration, world.log),
    settings: httpSettings(configuration, access),
  };
}

/** Consume, judge, sign, store, answer: in this order. */
function recorded(
  verifyEvidence: VerifyEvidenceUseCase,
  keeper: InputKeeper | null,
  recorder: DecisionRecorder | null,
  { world, tracer }: ServiceParts,
): VerifyEvidenceUseCase {
  if (recorder === null) return verifyEvidence;
  return new RecordDecisions({
    verifyEvidence,
    recorder,
    keeper,
    log: world.log,
    tracer: tracer ?? NO_TRACER,
  });
}

/** Null: only digests are kept. */
function keeperOf({ configuration, roots, services, version }: ServiceParts): DecisionInputsKeeper | null {
  if (configuration.decisions.keepEvidence !== 'full') return null;
  return new DecisionInputsKeeper({ configuration, roots, version, submitted: [...services.services.keys()] });
}

function judgeAgainOf(
  { endorsements, tenants }: WorldParts,
  { configuration, decisions, clock, roots, world }: ServiceParts,
): JudgeKeptDecisions {
  return new JudgeKeptDecisions({
    // Where decisions are not stored, none is found before anything of it is looked for.
    store: decisions ?? { object: async () => null },
    configuration,
    override: (judging) => overrideOf(judging, world),
    current: { endorsements, tenants, clock, roots },
  });
}

function receiptsOf(parts: ServiceParts): Receipts {
  return new Receipts(parts.receiptKeys, () => {
    const issuer = issuerOf(parts);
    return issuer === null ? null : { issuer, build: parts.version };
  });
}

function gatesOf(parts: ServiceParts): Gates {
  const { configuration, receiptKeys, policies, clockWatch } = parts;
  return new Gates({
    gates: configuration.gates,
    keys: receiptKeys,
    issuer: () => issuerOf(parts),
    policies: (tenant) => policies.of(tenant).snapshot(),
    clock: clockWatch,
  });
}

/** `iss` of receipts; null as long as nothing says under which name the service is reached. */
function issuerOf({ configuration, url }: ServiceParts): string | null {
  return configuration.receipts.issuer ?? url();
}

type AppContainer = ReturnType<typeof createAppContainer>;

function containerOf({ configuration, world, endorsements, roots }: ServiceParts): AppContainer {
  const override = overrideOf(configuration, world);
  return createAppContainer(
    configuration,
    (app) => {
      app.register(TOKENS.endorsementSource, { useValue: endorsements.source });
      override(app);
    },
    roots,
  );
}

/** What tests change, and the roots of a lab. */
function overrideOf(configuration: Configuration, world: ServiceParts['world']): Override {
  return (app) => {
    if (world.amdRootPins !== undefined) useRootPins(app, configuration, world.amdRootPins);
    if (world.intelRootPins !== undefined) useIntelRootPins(app, world.intelRootPins);
    world.override?.(app);
  };
}

/** Whom judging asks. */
function worldPartsOf(container: AppContainer, codec: ChallengeCodec, parts: ServiceParts): WorldParts {
  const { configuration, world, clockWatch, policies, challenges, resets, early, services } = parts;
  return {
    endorsements: container.resolve<EndorsementSource>(TOKENS.endorsementSource),
    services: services.services,
    tenants: tenantsOf(configuration, policies, resets),
    nonces: new NonceRecogniser(codec, challenges.store, world.log, world.storeTimeoutMs),
    early: early?.source ?? null,
    clock: clockWatch,
  };
}

function verifyEvidenceWith(
  container: AppContainer,
  { early, ...judgedBy }: WorldParts,
  { configuration, clock, tracer, world: { log } }: ServiceParts,
): VerifyEvidence {
  const shadow = early === null ? null : new EarlyCollateralShadow(early, clock, log);
  const judging = { ...judgedBy, early: shadow, log, tracer: tracer ?? NO_TRACER };
  return createVerifyEvidence(container, judging, verifyOptions(configuration, true));
}

function httpSettings({ limits, deadlineSeconds, listen }: Configuration, { tls }: ReloadedAccess): HttpSettings {
  return {
    bodyBytes: limits.bodyBytes,
    bodyBytesInFlight: limits.bodyBytesInFlight,
    eventLogBytes: limits.eventLogBytes,
    deadlineSeconds,
    trustedProxies: listen.trustedProxies,
    tls,
    hasManagement: listen.management !== null,
  };
}

/** Where decisions are stored: those that somebody changed are not shown as what was decided. */
function recordedIn(store: LogStore | null): Pick<LogStore, 'list' | 'find'> | null {
  if (store === null) return null;
  return { list: (query) => store.list(query), find: (decisionId) => findRecorded(store, decisionId) };
}

/** @throws {RefusedError} `evidence_not_kept` where somebody changed what is stored, else as before */
function notJudgedAgain(error: unknown): never {
  if (!(error instanceof ChangedDecisionError)) throw error;
  throw new RefusedError('evidence_not_kept', error.message, { cause: error });
}
