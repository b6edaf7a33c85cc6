import { randomBytes } from 'node:crypto';
import { type Configuration, challengeKeyPath } from '../config/configuration.js';
import { configurationDigest } from '../config/effective-configuration.js';
import { policiesOf } from '../config/tenants.js';
import type { Clock, Log } from '../core/ports.js';
import type { FetchedMaterial } from '../endorsements/files/open-source.js';
import { RememberedEndorsements } from '../endorsements/remembered-endorsements.js';
import type { ReadBytes } from '../files/whole-files.js';
import { bindPort } from '../http/bound-port.js';
import { type RunningServer, startServer } from '../http/server.js';
import { ChallengeCodec } from '../judge/challenge-codec.js';
import { Challenges } from '../judge/challenges.js';
import { ClockWatch } from '../judge/clock-watch.js';
import { policiesLoaded, readinessOf } from '../judge/health.js';
import type { DecisionLog } from '../log/decision-log.js';
import { type OriginObserver, Outages } from '../outside/outages.js';
import { readOrCreateChallengeKey } from '../stores/challenge-key.js';
import { type FetchedFigures, Metrics } from '../telemetry/metrics.js';
import type { TracePace } from '../telemetry/traces/open-tracing.js';
import { openAttestationServices } from './attestation-services.js';
import { type EndingSources, Endings } from './check/endings.js';
import { warnOfConfiguration, warnOfGates, warnOfPolicies } from './check/load-warnings.js';
import type { Override } from './container.js';
import { type DecisionLogWorld, type OpenStores, openDecisionLog, openStores } from './decision-store.js';
import { connectOptions } from './egress.js';
import { type EndorsementWorld, openEarly, openEndorsements } from './endorsements.js';
import { openHeldKeys } from './held-keys.js';
import { httpDependencies } from './http-dependencies.js';
import type { CallerWorld } from './open-callers.js';
import { openManagement, readinessWhileServing } from './open-management.js';
import { type OpenParts, openAllOrNone } from './open-parts.js';
import { openReceiptVaults, type VaultWorld } from './receipt-vaults.js';
import { namedRoots, ReloadedRoots } from './reload/configured-roots.js';
import { ReloadedReceiptKeys } from './reload/receipt-keys.js';
import { ReloadedAccess } from './reload/reloaded-access.js';
import { ServiceReload } from './reload/service-reload.js';
import { isPoliciesPart, TenantPolicies } from './reload/tenant-policies.js';
import { openDatabase } from './shared-memories.js';
import { productVersion, SYSTEM_CLOCK } from './system.js';
import { openResets, trackingsOf } from './tenant-resets.js';
import { openTraces } from './traces.js';

/** The dependencies of a service beside its configuration. */
export interface World
  extends Partial<Pick<EndorsementWorld, 'amdRootPins' | 'intelRootPins' | 'amdTuning' | 'connect'>>,
    Pick<VaultWorld, 'vaultPort'> {
  readonly log: Log;
  readonly clock?: Clock;
  /** Reads the configuration again; left out, it stays as it is, and only the files that it names are read again. */
  readonly readConfiguration?: () => Promise<Configuration>;
  /** How long a store that replicas share may take to answer; left out, as long as a request can wait for it. */
  readonly storeTimeoutMs?: number;
  /** How spans are sent to the collector, for tests. */
  readonly tracePace?: Partial<TracePace>;
  /** How files that the configuration names are read; left out, from the disk. */
  readonly readBytes?: ReadBytes;
  /** Changes registrations of the container, for tests. */
  readonly override?: Override;
}

/** A service that answers. */
export interface RunningService {
  readonly url: string;
  /** Where probes and metrics are, if not there. */
  readonly managementUrl: string | null;
  /** Reads policies, endorsement folders, files of keys and roots, callers and TLS material again. Never rejects. */
  reload(): Promise<void>;
  /** Drains and ends everything. */
  close(): Promise<void>;
}

/**
 * Puts the service together and opens its port.
 * Where that fails, nothing of it stays open.
 * @throws {ConfigurationError} where a file that the configuration names is wrong
 */
export async function startService(configuration: Configuration, world: World): Promise<RunningService> {
  return openAllOrNone(world.log, (opened) => openService(configuration, world, opened));
}

/** @param opened takes everything that has to be closed, as it is opened */
async function openService(configuration: Configuration, given: World, opened: OpenParts): Promise<RunningService> {
  const world = { ...given, connect: connectOptions(configuration, given.connect) };
  const { log } = world;
  const clock = world.clock ?? SYSTEM_CLOCK;
  const clockWatch = opened.add(new ClockWatch(clock, log));
  const metrics = opened.add(new Metrics());
  const outages = new Outages(clock, log);
  metrics.watchOrigins(() => outages.states);
  metrics.watchFetches(() => outages.fetches);
  const version = await productVersion();
  const tracing = opened.add(await openTraces(configuration, { ...world, observer: outages, version }));
  const outside = { ...world, clock, observer: tracing.observer };
  const { policies, access, onReloaded, onRefused } = await openRules(
    configuration,
    { ...outside, clock: clockWatch, metrics },
    opened,
  );
  let server: RunningServer | null = null;
  const whileServing = readinessWhileServing(() => server);
  metrics.watchReadiness(whileServing);
  // Before the log is touched: a start that fails writes nothing there. Opened first, the management listener closes last.
  const probes = { liveness: clockWatch.liveness, readiness: whileServing, metrics, log, access };
  const management = await openManagement(configuration.listen.management, probes);
  if (management !== null) opened.add(management);
  const bound = opened.add(await bindPort(configuration.listen, access.tls));
  const key = await readChallengeKey(configuration, log);
  const { server: database, shared } = await openDatabase(configuration, { ...world, clock }, opened);
  const sources = await openOutside(configuration, { ...outside, sharedMarks: shared?.marks }, opened);
  metrics.keysOpened(sources.heldKeys.keys.keys());
  const { certificates: akIssuers, endings: endorsements } = sources.endorsements;
  const receiptKeys = await ReloadedReceiptKeys.open(configuration, { ...world, vaults: sources.vaults, clock });
  const stores = await openStores(configuration, { ...world, key, clock, database }, opened);
  const memories = openResets(configuration, { log, shared: shared?.resets ?? null }, opened);
  await Promise.all([...memories.values()].map(({ files }) => files.start()));
  const resets = trackingsOf(memories);
  metrics.watchResetMemory(() => [...resets.values()].reduce((sum, { failures }) => sum + failures, 0));
  const ending = { policies, access, akIssuers, endorsements, receiptKeys: () => receiptKeys.endings, clock, log };
  const endings = opened.add(openEndings(ending, metrics));
  onReloaded.push(() => endings.warn('waivers'));
  metrics.watchFetched(async () => fetchedFigures(await sources.endorsements.fetched(), clock.now()));
  metrics.watchBuild(version);
  const rules = { policies, onReloaded, onRefused };
  const signer = receiptKeys.headSigner;
  const isClockInDoubt = () => clockWatch.doubt() !== null;
  const records = { clock, isClockInDoubt, log, version, signer, metrics, roots: sources.roots };
  const decisionLog = await openRecords(stores, configuration, rules, records, opened);
  const challenges = new Challenges({
    codec: new ChallengeCodec(key, randomBytes),
    store: stores.challenges,
    policies: (tenant) => policies.of(tenant).snapshot(),
    clock: clockWatch,
    lifetimeSeconds: configuration.challenges.lifetimeSeconds,
    log,
    timeoutMs: world.storeTimeoutMs,
  });
  metrics.watchState('challengeStore', () => challenges.isAvailable);
  const remembered = new RememberedEndorsements();
  const readiness = readinessOf([
    clockWatch.check,
    () => challenges.check(),
    ...(stores.clockCheck === null ? [] : [stores.clockCheck]),
    policiesLoaded(() =>
      policies.tenants.every((tenant) => policies.of(tenant).snapshot().has(policiesOf(configuration, tenant).default)),
    ),
  ]);
  const dependencies = httpDependencies({
    configuration,
    world,
    clock,
    clockWatch,
    readiness,
    metrics,
    tracer: tracing.tracer,
    policies,
    access,
    challenges,
    proofs: stores.proofs,
    decisions: stores.decisions,
    decisionLog,
    resets,
    ...sources,
    remembered,
    receiptKeys: receiptKeys.keys,
    version,
    url: () => server?.url ?? null,
  });
  policies.watch();
  clockWatch.watch();
  endings.watch();
  decisionLog?.watch();
  server = opened.add(await startServer(dependencies, { ...configuration.listen, bound }));
  const readConfiguration = world.readConfiguration ?? (async () => configuration);
  const reload = new ServiceReload({
    policies,
    ...sources,
    receiptKeys,
    tracing,
    access,
    listeners: { server, management },
    log,
    onRead: (part, isTaken) => {
      // Those count where they are read, which is not on reloads alone.
      if (isPoliciesPart(part)) return;
      if (isTaken) metrics.reloaded(part);
      else metrics.reloadFailed(part);
    },
    onReloaded: (outcome) => {
      void decisionLog?.noteChange('reloaded', { ...outcome, roots: namedRoots(sources.roots) });
      void decisionLog?.noteKeys();
      endings.warn('access', 'akIssuers', 'endorsements', 'receiptKeys');
    },
  });
  return {
    url: server.url,
    managementUrl: management?.url ?? null,
    reload: () => reload.run(readConfiguration),
    close: () => opened.close(),
  };
}

/** Without the key of an earlier start its challenges are not recognised, and pass for nonces of the caller's own. */
function readChallengeKey(configuration: Configuration, log: Log): Promise<Uint8Array> {
  const file = challengeKeyPath(configuration);
  const message =
    "there was no challenge key, so one was created: a challenge issued with another key counts as the caller's own nonce";
  return readOrCreateChallengeKey(file, () => log.warn({ file }, message));
}

/** Policies and callers, and what is to be done whenever policies are reloaded. */
async function openRules(
  configuration: Configuration,
  { metrics, ...outside }: CallerWorld & { readonly metrics: Metrics },
  opened: OpenParts,
) {
  const { log } = outside;
  // Filled once everything is there that a reload speaks of: nothing is reloaded before.
  const onReloaded: (() => void)[] = [
    // Those of another tenant may still be as they were.
    () => {
      if (policies.isCurrent) metrics.reloaded('policies');
    },
  ];
  const onRefused: ((problems: readonly string[]) => void)[] = [() => metrics.policyReloadFailed()];
  const policies = opened.add(
    await TenantPolicies.open(configuration, {
      log,
      reloaded: () => {
        for (const hear of onReloaded) hear();
      },
      failed: (problems) => {
        for (const hear of onRefused) hear(problems);
      },
    }),
  );
  await sayWhatStarts(configuration, policies, log);
  const access = opened.add(await ReloadedAccess.open(configuration, outside));
  metrics.watchState('policies', () => policies.isCurrent);
  await warnOfConfiguration(configuration, log);
  const warn = () => {
    warnOfPolicies(policies.list(), configuration, log);
    warnOfGates(policies.list(), configuration, log);
  };
  warn();
  onReloaded.push(warn);
  return { policies, access, onReloaded, onRefused };
}

/** The decision log, which hears of reloads. Null: decisions are not stored. */
async function openRecords(
  { decisions }: OpenStores,
  configuration: Configuration,
  {
    policies,
    onReloaded,
    onRefused,
  }: Pick<Awaited<ReturnType<typeof openRules>>, 'policies' | 'onReloaded' | 'onRefused'>,
  { metrics, ...world }: Omit<DecisionLogWorld, 'policies' | 'onDropped'> & { readonly metrics: Metrics },
  opened: OpenParts,
): Promise<DecisionLog | null> {
  if (decisions === null) return null;
  const inForce = () => policies.names();
  const onDropped = () => metrics.recordDropped();
  const records = { ...world, policies: inForce(), onDropped };
  const decisionLog = await openDecisionLog(decisions, configuration, records, opened);
  metrics.watchState('decisionStore', () => decisionLog.isAvailable);
  onReloaded.push(() => void decisionLog.noteChange('policies', { policies: inForce() }));
  onRefused.push((problems) => void decisionLog.noteChange('policies_refused', { problems }));
  return decisionLog;
}

interface Ending extends Pick<EndingSources, 'akIssuers' | 'endorsements' | 'receiptKeys' | 'clock' | 'log'> {
  readonly policies: TenantPolicies;
  readonly access: ReloadedAccess;
}

/** The watch over what ends on a date. */
function openEndings({ policies, access, ...sources }: Ending, metrics: Metrics): Endings {
  const endings = new Endings({
    callers: () => access.configuration.callers,
    tls: () => access.tls,
    managementTls: () => access.managementTls,
    policies: () => policies.list(),
    ...sources,
  });
  endings.warn();
  metrics.watchEndings(() => endings.figures);
  return endings;
}

/** How old fetched endorsements are at an instant, and how long they last. */
function fetchedFigures(fetched: readonly FetchedMaterial[], at: Date): readonly FetchedFigures[] {
  const seconds = (milliseconds: number) => Math.round(milliseconds / 1000);
  return fetched.map(({ kind, source, fetchedAt, expires }) => ({
    kind,
    source,
    ageSeconds: seconds(at.getTime() - fetchedAt.getTime()),
    expirySeconds: seconds(expires.getTime() - at.getTime()),
  }));
}

/** The sources of endorsements, the other verifiers, signers and vaults, and the roots that the configuration names. */
async function openOutside(
  configuration: Configuration,
  outside: World & Pick<EndorsementWorld, 'clock' | 'sharedMarks'> & { readonly observer: OriginObserver },
  opened: OpenParts,
) {
  const endorsements = opened.add(openEndorsements(configuration, outside));
  await endorsements.ready;
  const early = openEarly(configuration, outside);
  if (early !== null) opened.add(early);
  const services = opened.add(await openAttestationServices(configuration, outside));
  const vaults = await openReceiptVaults(configuration, outside);
  if (vaults !== null) opened.add(vaults);
  const heldKeys = opened.add(await openHeldKeys(configuration, outside));
  const roots = await ReloadedRoots.open(configuration, outside);
  return { endorsements, early, services, vaults, heldKeys, roots };
}

/** The first line of the log: version, configuration and policies. */
async function sayWhatStarts(configuration: Configuration, policies: TenantPolicies, log: Log): Promise<void> {
  const fields = {
    version: await productVersion(),
    configuration: configurationDigest(configuration),
    policies: policies.names(),
  };
  log.info(fields, 'starting');
}
