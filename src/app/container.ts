import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { container as globalContainer, instanceCachingFactory } from 'tsyringe';
import type { Configuration } from '../config/configuration.js';
import { policiesOf } from '../config/tenants.js';
import type { DecisionRecorder, LogStore } from '../core/decision-log.js';
import type { EarlyCollateralSource } from '../core/early-collateral.js';
import { RefusedError } from '../core/errors.js';
import type { HeldKey } from '../core/held-key.js';
import { ChangedDecisionError } from '../core/recorded-decision.js';
import { NO_TRACER, type RequestTracer } from '../core/traces.js';
import { jwkThumbprint } from '../crypto/jwk-thumbprint.js';
import { RememberedEndorsements } from '../endorsements/remembered-endorsements.js';
import type { HeldEndorsements } from '../http/routes/endorsement-route.js';
import { ChallengeCodec } from '../judge/challenge-codec.js';
import { CHALLENGE_STORE_TIMEOUT_MS, Challenges } from '../judge/challenges.js';
import type { ClockWatch } from '../judge/clock-watch.js';
import { EarlyCollateralShadow } from '../judge/early-collateral.js';
import { policiesLoaded, type ReadinessUseCase, readinessOf } from '../judge/health.js';
import { ReleaseKey } from '../judge/release-key.js';
import type { ResetTracking } from '../judge/reset-tracking.js';
import { VerificationSlots } from '../judge/verification-slots.js';
import { VerifyEvidence, type VerifyEvidenceOptions, type VerifyEvidenceParts } from '../judge/verify-evidence.js';
import { MeasuredWaits, NO_WAITS } from '../judge/waits.js';
import { withinTime } from '../judge/within-time.js';
import { findRecorded } from '../log/find-recorded.js';
import { readableRecordOf } from '../log/record-of.js';
import { Gates } from '../receipts/gates/gates.js';
import { PublishedReceiptKeys } from '../receipts/published-receipt-keys.js';
import type { ReceiptKeys } from '../receipts/receipt-keys.js';
import { Receipts } from '../receipts/receipts.js';
import { ReplayDecision, type ReplayDecisionUseCase } from '../replay/replay-decision.js';
import { paravisorFloors } from '../tee/azure/known-paravisors.js';
import { AZURE_VTPM_ROOT_PINS } from '../tee/shared/attestation-key/ak-roots.js';
import { AMD_ROOT_PINS, type AmdRootPins } from '../tee/snp/amd/roots.js';
import { INTEL_SGX_ROOT_PINS } from '../tee/tdx/intel/roots.js';
import type { VerifierOptions } from '../tee/verifier-options.js';
import { createVerifiers } from '../tee/verifiers.js';
import type { Metrics } from '../telemetry/metrics.js';
import { EvaluatePolicy } from '../workbench/evaluate-policy.js';
import { InspectEvidence } from '../workbench/inspections.js';
import { PolicyTexts } from '../workbench/policy-texts.js';
import { RecordedDecisions } from '../workbench/recorded-decisions.js';
import { servedLines, servedPins } from './amd-lines.js';
import { lintFacts } from './commands/policy-sources.js';
import { newDecisionId } from './decision-id.js';
import type { OpenStores } from './decision-store.js';
import { type ConfiguredRoots, NO_CONFIGURED_ROOTS } from './reload/configured-roots.js';
import type { ReloadedAccess } from './reload/reloaded-access.js';
import { type TenantPolicies, tenantsOf } from './reload/tenant-policies.js';
import { FactsKeeper } from './replay/facts.js';
import { RecordReverifier } from './replay/record-reverifier.js';
import { itaIssuers, maaIssuers } from './token-issuers.js';

/** Parts that are opened asynchronously, or passed in. The container holds them as values. */
interface Opened extends Pick<VerifyEvidenceParts, 'endorsements' | 'services' | 'log'> {
  readonly configuration: Configuration;
  readonly version: string;
  readonly clockWatch: ClockWatch;
  readonly metrics: Metrics;
  /** Null: no request is traced. */
  readonly requestTracer: RequestTracer | null;
  readonly policies: TenantPolicies;
  readonly access: ReloadedAccess;
  /** Memory of reset counts of vTPMs, by tenant. */
  readonly resets: ReadonlyMap<string, ResetTracking>;
  readonly challengeKey: Uint8Array;
  readonly stores: OpenStores;
  /** Null: decisions are not stored. */
  readonly recorder: DecisionRecorder | null;
  /** Null: no appraisal uses Intel's early collateral. */
  readonly earlySource: EarlyCollateralSource | null;
  readonly heldKeys: ReadonlyMap<string, HeldKey>;
  readonly receiptKeys: ReceiptKeys;
  /** URL of the service; null before its port is open. */
  readonly url: () => string | null;
}

/** Objects that the factories make from the configuration and from other registrations. */
interface Made
  extends Pick<VerifyEvidenceParts, 'verifiers' | 'tenants' | 'nonces' | 'early' | 'clock' | 'waits' | 'tracer'>,
    Pick<VerifyEvidenceParts, 'receipts' | 'keep'> {
  /** Trust anchors of AMD's built-in product lines, of TDX, and of Azure's AK certificates. Only a lab has others. */
  readonly amdRootPins: AmdRootPins;
  readonly intelRootPins: ReadonlySet<string>;
  readonly azureRootPins: ReadonlySet<string>;
  /** From files of the configuration. A reload may change them between two requests. */
  readonly roots: ConfiguredRoots;
  readonly verifierOptions: Required<VerifierOptions>;
  readonly verifyOptions: VerifyEvidenceOptions;
  readonly verifyEvidence: VerifyEvidence;
  readonly remembered: HeldEndorsements & NonNullable<VerifyEvidenceParts['remembered']>;
  readonly decisions: Pick<LogStore, 'list' | 'find' | 'object'> | null;
  /** Timeout of a store that replicas share. */
  readonly storeTimeoutMs: number;
  readonly challenges: Challenges;
  readonly readiness: ReadinessUseCase;
  readonly slots: VerificationSlots;
  /** `iss` of receipts; null while the URL of the service is unknown. */
  readonly issuer: () => string | null;
  readonly publishedKeys: PublishedReceiptKeys;
  readonly gates: Gates;
  readonly releaseKey: ReleaseKey;
  readonly recordedDecisions: RecordedDecisions;
  readonly replays: ReplayDecision;
  readonly replayDecision: ReplayDecisionUseCase;
  readonly policyTexts: PolicyTexts;
  readonly evaluatePolicy: EvaluatePolicy;
  readonly inspectEvidence: InspectEvidence;
}

/** The names of the container, with their types. */
export type Registrations = Opened & Made;

/** Values that replace registrations. A name with the value undefined replaces none. */
export type Replaced = { readonly [Name in keyof Registrations]?: Registrations[Name] | undefined };

const FACTORIES: { readonly [Name in keyof Made]: (app: Registrations) => Made[Name] } = {
  amdRootPins: () => AMD_ROOT_PINS,
  intelRootPins: () => INTEL_SGX_ROOT_PINS,
  azureRootPins: () => AZURE_VTPM_ROOT_PINS,
  roots: () => NO_CONFIGURED_ROOTS,
  verifierOptions: verifierOptionsOf,
  verifiers: (app) => createVerifiers(app.verifierOptions),
  tenants: (app) => tenantsOf(app.configuration, app.policies, app.resets),
  clock: (app) => app.clockWatch,
  tracer: (app) => app.requestTracer ?? NO_TRACER,
  slots: ({ metrics }) => new VerificationSlots({}, (seconds) => metrics.stageDone('wait', seconds)),
  waits: ({ metrics }) => new MeasuredWaits((stage, seconds) => metrics.stageDone(stage, seconds)),
  remembered: () => new RememberedEndorsements(),
  early: ({ earlySource, clock, log }) =>
    earlySource === null ? null : new EarlyCollateralShadow(earlySource, jwkThumbprint, clock, log),
  storeTimeoutMs: () => CHALLENGE_STORE_TIMEOUT_MS,
  challenges: challengesOf,
  nonces: (app) => app.challenges,
  readiness: readinessFrom,
  issuer:
    ({ configuration, url }) =>
    () =>
      configuration.receipts.issuer ?? url(),
  publishedKeys: ({ receiptKeys, configuration }) =>
    new PublishedReceiptKeys(receiptKeys, configuration.receipts.issuer),
  receipts: ({ receiptKeys, issuer, version: build }) =>
    new Receipts(receiptKeys, () => {
      const name = issuer();
      return name === null ? null : { issuer: name, build };
    }),
  gates: gatesOf,
  keep: keeperOf,
  verifyOptions: ({ configuration }) => verifyOptions(configuration, true),
  verifyEvidence: verifyEvidenceOf,
  releaseKey: ({ heldKeys: keys, configuration, verifyEvidence, recorder, waits, log, tracer }) =>
    new ReleaseKey({
      keys,
      verifyEvidence,
      recorder,
      waits,
      deadlineMs: configuration.deadlineSeconds * 1000,
      log,
      tracer,
    }),
  decisions: (app) => app.stores.decisions,
  recordedDecisions: (app) => new RecordedDecisions(recordedIn(app.decisions)),
  replays: replaysOf,
  replayDecision: ({ replays, recordedDecisions }) => ({
    execute: async (id, at, caller, slot) =>
      replays.replay(await slot.elsewhere(() => recordedDecisions.get(id, caller)).catch(notReplayable), { at, slot }),
  }),
  policyTexts: ({ configuration, policies, clock }) =>
    new PolicyTexts({ policies: (tenant) => policies.of(tenant).snapshot(), ...lintFacts(configuration), clock }),
  evaluatePolicy: ({ verifyEvidence, clock, configuration }) =>
    new EvaluatePolicy({ verifyEvidence, clock, lines: servedLines(configuration) }),
  inspectEvidence: ({ configuration }) => new InspectEvidence(configuration.limits.eventLogBytes),
};

/** Replacements outside a service: decisions are neither signed nor recorded, and nothing is measured. */
export const UNRECORDED = {
  receipts: null,
  recorder: null,
  keep: null,
  early: null,
  remembered: { remember: () => {}, find: () => null },
  waits: NO_WAITS,
  tracer: NO_TRACER,
} satisfies Replaced;

/**
 * The registrations of a service, a command or a replay. Each is made once, when it is first read. Starts from an empty
 * child of the global container, so two services in one process share nothing.
 *
 * @param replaced values that replace factories, and opened parts; later ones replace earlier ones
 */
export function createContainer(...replaced: readonly Replaced[]): Registrations {
  const container = globalContainer.createChildContainer();
  const app = new Proxy({} as Registrations, { get: (_, name) => container.resolve(name) });
  for (const [name, make] of Object.entries(FACTORIES)) {
    container.register(name, { useFactory: instanceCachingFactory(() => make(app)) });
  }
  for (const [name, value] of replaced.flatMap((values) => Object.entries(values))) {
    // Uses a factory, since tsyringe treats null as a missing value.
    if (value !== undefined) container.register(name, { useFactory: () => value });
  }
  return app;
}

/** The trust anchors, floors and limits of a configuration. */
function verifierOptionsOf({
  configuration,
  roots,
  amdRootPins,
  intelRootPins,
  azureRootPins,
}: Registrations): Made['verifierOptions'] {
  const { paravisors } = configuration.azure;
  const { akCertificates } = paravisors;
  return {
    amdLines: servedLines(configuration),
    amdPins: servedPins(configuration, amdRootPins),
    refuseProducts: new Set(configuration.amd.refuseProducts),
    intelPins: intelRootPins,
    akRoots: {
      azure: azureRootPins,
      get configured() {
        return roots.ak;
      },
      paravisorsSince: akCertificates === 'off' ? null : new Date(akCertificates),
    },
    paravisorFloors: paravisorFloors(paravisors.idKeyDigests),
    // Microsoft publishes none.
    paravisorMrtds: new Set(paravisors.mrtds),
    maaIssuers: maaIssuers(configuration),
    itaIssuers: itaIssuers(configuration, roots),
    tokenLeewaySeconds: configuration.time.tokenLeewaySeconds,
    eventLogBytes: configuration.limits.eventLogBytes,
  };
}

/** The options of verification. Only the service itself consumes challenges. */
export function verifyOptions(configuration: Configuration, consumesChallenges: boolean): VerifyEvidenceOptions {
  return {
    historical: configuration.historical,
    deadlineMs: configuration.deadlineSeconds * 1000,
    lifetimeMs: configuration.receipts.lifetimeSeconds * 1000,
    consumesChallenges,
  };
}

function verifyEvidenceOf(app: Registrations): VerifyEvidence {
  return new VerifyEvidence(
    {
      verifiers: app.verifiers,
      endorsements: app.endorsements,
      remembered: app.remembered,
      services: app.services,
      tenants: app.tenants,
      nonces: app.nonces,
      early: app.early,
      clock: app.clock,
      waits: app.waits,
      log: app.log,
      receipts: app.receipts,
      recorder: app.recorder,
      keep: app.keep,
      tracer: app.tracer,
      keyThumbprint: jwkThumbprint,
      newId: newDecisionId,
    },
    app.verifyOptions,
  );
}

/** Null: only digests are kept. */
function keeperOf({ configuration, recorder, roots, services, version }: Registrations): Made['keep'] {
  if (recorder === null || configuration.decisions.keepEvidence !== 'full') return null;
  const keeper = new FactsKeeper({ configuration, roots, version, submitted: [...services.keys()] });
  return (judged, facts) => keeper.keep(judged, facts);
}

function challengesOf(app: Registrations): Challenges {
  const { challengeKey, stores, policies, clock, configuration, log, storeTimeoutMs: timeoutMs } = app;
  return new Challenges({
    codec: new ChallengeCodec(challengeKey, randomBytes),
    store: stores.challenges,
    policies: (tenant) => policies.of(tenant).snapshot(),
    clock,
    lifetimeSeconds: configuration.challenges.lifetimeSeconds,
    log,
    timeoutMs,
  });
}

function readinessFrom({ clockWatch, challenges, stores, policies, configuration }: Registrations): ReadinessUseCase {
  return readinessOf([
    clockWatch.check,
    () => challenges.check(),
    ...(stores.clockCheck === null ? [] : [stores.clockCheck]),
    policiesLoaded(() =>
      policies.tenants.every((tenant) => policies.of(tenant).snapshot().has(policiesOf(configuration, tenant).default)),
    ),
  ]);
}

function gatesOf({
  configuration,
  receiptKeys,
  issuer,
  policies,
  stores,
  storeTimeoutMs,
  clock,
}: Registrations): Gates {
  return new Gates({
    gates: configuration.gates,
    keys: receiptKeys,
    issuer,
    policies: (tenant) => policies.of(tenant).snapshot(),
    proofs: { use: (gate, proof) => withinTime(stores.proofs.use(gate, proof), storeTimeoutMs) },
    clock,
  });
}

function replaysOf(app: Registrations): ReplayDecision {
  const { configuration, decisions, amdRootPins, intelRootPins, azureRootPins, version } = app;
  const again = new RecordReverifier({
    // Without stored decisions, the search for the decision fails before this store is read.
    store: decisions ?? { object: async () => null },
    configuration,
    create: (values) => createContainer({ ...UNRECORDED, amdRootPins, intelRootPins, azureRootPins }, values),
    current: app,
  });
  return new ReplayDecision({ again, present: readableRecordOf, version });
}

/** Null if decisions are not stored. `find` rejects a modified record, so it is not shown as the original decision. */
function recordedIn(store: Made['decisions']): Pick<LogStore, 'list' | 'find'> | null {
  if (store === null) return null;
  return { list: (query) => store.list(query), find: (decisionId) => findRecorded(store, decisionId) };
}

/** @throws {RefusedError} `evidence_not_kept` if a stored record was modified; otherwise rethrows the error */
function notReplayable(error: unknown): never {
  if (!(error instanceof ChangedDecisionError)) throw error;
  throw new RefusedError('evidence_not_kept', error.message, { cause: error });
}
