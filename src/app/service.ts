import type { Configuration } from '../config/configuration.js';
import type { Clock, Log } from '../core/ports.js';
import type { FetchedMaterial } from '../endorsements/files/open-source.js';
import type { ReadBytes } from '../files/whole-files.js';
import { bindPort } from '../http/bound-port.js';
import { type RunningServer, startServer } from '../http/server.js';
import { ClockWatch } from '../judge/clock-watch.js';
import type { DecisionLog } from '../log/decision-log.js';
import { Outages } from '../outside/outages.js';
import { type FetchedFigures, Metrics } from '../telemetry/metrics.js';
import type { TracePace } from '../telemetry/traces/open-tracing.js';
import { Endings } from './check/endings.js';
import { createContainer, type Replaced } from './container.js';
import { openStores } from './decision-store.js';
import { connectOptions } from './egress.js';
import type { EndorsementWorld, OpenEndorsements } from './endorsements.js';
import { httpDependencies } from './http-dependencies.js';
import { openManagement, readinessWhileServing } from './open-management.js';
import { openOutside } from './open-outside.js';
import { type OpenParts, openAllOrNone } from './open-parts.js';
import { openRecords, openTrackings, readChallengeKey } from './open-records.js';
import { type OpenRules, openRules } from './open-rules.js';
import type { VaultWorld } from './receipt-vaults.js';
import { namedRoots, type ReloadedRoots } from './reload/configured-roots.js';
import { ReloadedReceiptKeys } from './reload/receipt-keys.js';
import type { ReloadedAccess } from './reload/reloaded-access.js';
import { type ReloadedParts, ServiceReload } from './reload/service-reload.js';
import { isPoliciesPart } from './reload/tenant-policies.js';
import { openDatabase } from './shared-memories.js';
import { productVersion, SYSTEM_CLOCK } from './system.js';
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
  /** Values in the place of registrations of the container, for a lab. */
  readonly replaced?: Replaced;
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
  const clock = given.clock ?? SYSTEM_CLOCK;
  const world = { ...given, clock, connect: connectOptions(configuration, given.connect) };
  const { log } = world;
  const clockWatch = opened.add(new ClockWatch(clock, log));
  const { metrics, tracing, version } = await openTelemetry(configuration, world, opened);
  const outside = { ...world, observer: tracing.observer };
  const rules = await openRules(configuration, { ...outside, clock: clockWatch, metrics }, opened);
  const { policies, access } = rules;
  let server: RunningServer | null = null;
  const ports = await openPorts(configuration, { clockWatch, metrics, log, access, server: () => server }, opened);
  const key = await readChallengeKey(configuration, log);
  const { server: database, shared } = await openDatabase(configuration, world, opened);
  const sources = await openOutside(configuration, { ...outside, sharedMarks: shared?.marks }, opened);
  metrics.keysOpened(sources.heldKeys.keys.keys());
  const receiptKeys = await ReloadedReceiptKeys.open(configuration, { ...world, vaults: sources.vaults });
  const stores = await openStores(configuration, { ...world, key, database }, opened);
  const resets = await openTrackings(configuration, { log, shared: shared?.resets ?? null, metrics }, opened);
  const endings = opened.add(openEndings({ ...rules, ...sources, receiptKeys, clock, log, metrics }));
  metrics.watchBuild(version);
  const isClockInDoubt = () => clockWatch.doubt() !== null;
  const { headSigner: signer } = receiptKeys;
  const records = { clock, isClockInDoubt, log, version, signer, metrics, roots: sources.roots };
  const decisionLog = await openRecords(stores, configuration, rules, records, opened);
  const { amdRootPins, intelRootPins, storeTimeoutMs, replaced = {} } = world;
  const app = createContainer(
    {
      ...{ configuration, version, log, clockWatch, metrics, requestTracer: tracing.tracer, policies, access, resets },
      ...{ challengeKey: key, stores, recorder: decisionLog, storeTimeoutMs, amdRootPins, intelRootPins },
      ...{ roots: sources.roots, services: sources.services.services, heldKeys: sources.heldKeys.keys },
      endorsements: sources.endorsements.source,
      earlySource: sources.early?.source ?? null,
      receiptKeys: receiptKeys.keys,
      url: () => server?.url ?? null,
    },
    replaced,
  );
  metrics.watchState('challengeStore', () => app.challenges.isAvailable);
  for (const watched of [policies, clockWatch, endings, decisionLog]) watched?.watch();
  server = opened.add(await startServer(httpDependencies(app), { ...configuration.listen, bound: ports.bound }));
  const listeners = { server, management: ports.management };
  const reloaded = { policies, ...sources, receiptKeys, tracing, access, listeners, log };
  const reload = openReload({ ...reloaded, metrics, decisionLog, endings });
  const readConfiguration = world.readConfiguration ?? (async () => configuration);
  return {
    url: server.url,
    managementUrl: ports.management?.url ?? null,
    reload: () => reload.run(readConfiguration),
    close: () => opened.close(),
  };
}

/** Metrics, traces and the version that they name. */
async function openTelemetry(
  configuration: Configuration,
  world: World & { readonly clock: Clock },
  opened: OpenParts,
) {
  const metrics = opened.add(new Metrics());
  const outages = new Outages(world.clock, world.log);
  metrics.watchOrigins(() => outages.states);
  metrics.watchFetches(() => outages.fetches);
  const version = await productVersion();
  const tracing = opened.add(await openTraces(configuration, { ...world, observer: outages, version }));
  return { metrics, tracing, version };
}

interface PortsWorld {
  readonly clockWatch: ClockWatch;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly access: ReloadedAccess;
  /** Null: it does not listen yet. */
  readonly server: () => RunningServer | null;
}

/** The ports, before the log is touched: a start that fails writes nothing there. Opened first, the management listener closes last. */
async function openPorts({ listen }: Configuration, world: PortsWorld, opened: OpenParts) {
  const { clockWatch, metrics, log, access } = world;
  const readiness = readinessWhileServing(world.server);
  metrics.watchReadiness(readiness);
  const probes = { liveness: clockWatch.liveness, readiness, metrics, log, access };
  const management = await openManagement(listen.management, probes);
  if (management !== null) opened.add(management);
  return { management, bound: opened.add(await bindPort(listen, access.tls)) };
}

interface ReloadWorld extends Omit<ReloadedParts, 'onRead' | 'onReloaded'> {
  readonly roots: ReloadedRoots;
  readonly metrics: Metrics;
  readonly decisionLog: DecisionLog | null;
  readonly endings: Endings;
}

/** What a reload reads again, and who hears of it. */
function openReload({ metrics, decisionLog, endings, ...parts }: ReloadWorld): ServiceReload {
  return new ServiceReload({
    ...parts,
    onRead: (part, isTaken) => {
      // Those count where they are read, which is not on reloads alone.
      if (isPoliciesPart(part)) return;
      if (isTaken) metrics.reloaded(part);
      else metrics.reloadFailed(part);
    },
    onReloaded: (outcome) => {
      void decisionLog?.noteChange('reloaded', { ...outcome, roots: namedRoots(parts.roots) });
      void decisionLog?.noteKeys();
      endings.warn('access', 'akIssuers', 'endorsements', 'receiptKeys');
    },
  });
}

interface EndingWorld extends OpenRules {
  readonly endorsements: OpenEndorsements;
  readonly receiptKeys: ReloadedReceiptKeys;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** The watch over what ends on a date. */
function openEndings(world: EndingWorld): Endings {
  const { policies, access, onReloaded, endorsements, receiptKeys, clock, log, metrics } = world;
  const endings = new Endings({
    callers: () => access.configuration.callers,
    tls: () => access.tls,
    managementTls: () => access.managementTls,
    policies: () => policies.list(),
    akIssuers: endorsements.certificates,
    endorsements: endorsements.endings,
    receiptKeys: () => receiptKeys.endings,
    clock,
    log,
  });
  endings.warn();
  metrics.watchEndings(() => endings.figures);
  onReloaded.push(() => endings.warn('waivers'));
  metrics.watchFetched(async () => fetchedFigures(await endorsements.fetched(), clock.now()));
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
