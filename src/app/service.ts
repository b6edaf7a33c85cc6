import type { Configuration } from '../config/configuration.js';
import type { Clock, Log } from '../core/ports.js';
import { type RunningServer, startServer } from '../http/server.js';
import { ClockWatch } from '../judge/clock-watch.js';
import { openEndings } from './check/open-endings.js';
import { createContainer, type Registrations, type Replaced } from './container.js';
import { openStores } from './decision-store.js';
import { connectOptions } from './egress.js';
import { httpDependencies } from './http-dependencies.js';
import { openPorts } from './open-management.js';
import { type OutsideOptions, openOutside } from './open-outside.js';
import { type OpenParts, openAllOrNone } from './open-parts.js';
import { openRecords, openTrackings, readChallengeKey } from './open-records.js';
import { openRules } from './open-rules.js';
import { openTelemetry, type TelemetryOptions } from './open-telemetry.js';
import { openReload } from './reload/service-reload.js';
import { openDatabase } from './shared-memories.js';
import { SYSTEM_CLOCK } from './system.js';

/** The dependencies of a service beside its configuration. */
export interface ServiceOptions
  extends Partial<Pick<OutsideOptions, 'amdRootPins' | 'intelRootPins' | 'amdTuning' | 'connect'>>,
    Pick<OutsideOptions, 'vaultPort' | 'readBytes'>,
    Pick<TelemetryOptions, 'tracePace'> {
  readonly log: Log;
  readonly clock?: Clock;
  /**
   * Reads the configuration again. If omitted, the configuration stays, and a reload only reads the files that it
   * names.
   */
  readonly readConfiguration?: () => Promise<Configuration>;
  /** Timeout of a store that replicas share; defaults to the time that a request can wait for it. */
  readonly storeTimeoutMs?: number;
  /** Values that replace registrations of the container, for a lab. */
  readonly replaced?: Replaced;
}

/** A service that listens. */
export interface RunningService {
  readonly url: string;
  /** URL of probes and metrics; null if the main listener serves them. */
  readonly managementUrl: string | null;
  /** Reads policies, endorsement folders, files of keys and roots, callers and TLS material again. Never rejects. */
  reload(): Promise<void>;
  /** Drains the service and closes every part. */
  close(): Promise<void>;
}

/**
 * Opens a service and its port. If that fails, closes every part.
 * @throws {ConfigurationError} if a file that the configuration names is wrong
 */
export async function startService(configuration: Configuration, options: ServiceOptions): Promise<RunningService> {
  return openAllOrNone(options.log, (opened) => openService(configuration, options, opened));
}

/** @param opened takes every part that must be closed, as it is opened */
async function openService(
  configuration: Configuration,
  options: ServiceOptions,
  opened: OpenParts,
): Promise<RunningService> {
  let server: RunningServer | null = null;
  const parts = await openServiceParts(configuration, options, () => server, opened);
  const { policies, clockWatch, endings, decisionLog, ports, sources, metrics, tracing, access } = parts;
  const app = registered(configuration, options, parts, () => server?.url ?? null);
  metrics.watchState('challengeStore', () => app.challenges.isAvailable);
  for (const watched of [policies, clockWatch, endings, decisionLog]) watched?.watch();
  server = opened.add(await startServer(httpDependencies(app), { ...configuration.listen, bound: ports.bound }));
  const listeners = { server, management: ports.management };
  const reloaded = { policies, ...sources, tracing, access, listeners, log: options.log };
  const reload = openReload({ ...reloaded, metrics, decisionLog, endings });
  const readConfiguration = options.readConfiguration ?? (async () => configuration);
  return {
    url: server.url,
    managementUrl: ports.management?.url ?? null,
    reload: () => reload.run(readConfiguration),
    close: () => opened.close(),
  };
}

type ServiceParts = Awaited<ReturnType<typeof openServiceParts>>;

/** Opens everything before the server. Parts close in reverse order. @param server null: it does not listen yet */
async function openServiceParts(
  configuration: Configuration,
  { clock = SYSTEM_CLOCK, connect, ...given }: ServiceOptions,
  server: () => RunningServer | null,
  opened: OpenParts,
) {
  const options = { ...given, clock, connect: connectOptions(configuration, connect) };
  const { log } = options;
  const clockWatch = opened.add(new ClockWatch(clock, log));
  const { metrics, tracing, version } = await openTelemetry(configuration, options, opened);
  const outside = { ...options, observer: tracing.observer };
  const rules = await openRules(configuration, { ...outside, clock: clockWatch, metrics }, opened);
  const { policies, access } = rules;
  const ports = await openPorts(configuration, { clockWatch, metrics, log, access, server }, opened);
  const challengeKey = await readChallengeKey(configuration, log);
  const { server: database, shared } = await openDatabase(configuration, options, opened);
  const sources = await openOutside(configuration, { ...outside, sharedMarks: shared?.marks }, opened);
  metrics.keysOpened(sources.heldKeys.keys.keys());
  const stores = await openStores(configuration, { ...options, key: challengeKey, database }, opened);
  const resets = await openTrackings(configuration, { log, shared: shared?.resets ?? null, metrics }, opened);
  const endings = opened.add(openEndings({ ...rules, ...sources, clock, log, metrics }));
  metrics.watchBuild(version);
  const isClockInDoubt = () => clockWatch.doubt() !== null;
  const { headSigner: signer } = sources.receiptKeys;
  const records = { clock, isClockInDoubt, log, version, signer, metrics, roots: sources.roots };
  const decisionLog = await openRecords(stores, configuration, rules, records, opened);
  const opening = { metrics, tracing, version, clockWatch, policies, access, ports };
  return { ...opening, challengeKey, sources, stores, resets, endings, decisionLog };
}

/** Registers the opened parts. */
function registered(
  configuration: Configuration,
  { log, amdRootPins, intelRootPins, storeTimeoutMs, replaced = {} }: ServiceOptions,
  { tracing, sources, decisionLog: recorder, ...parts }: ServiceParts,
  url: Registrations['url'],
): Registrations {
  const { endorsements, early, services, heldKeys, roots, receiptKeys } = sources;
  return createContainer(
    { configuration, log, amdRootPins, intelRootPins, storeTimeoutMs, url, recorder, roots },
    parts,
    {
      requestTracer: tracing.tracer,
      endorsements: endorsements.source,
      earlySource: early?.source ?? null,
      services: services.services,
      heldKeys: heldKeys.keys,
      receiptKeys: receiptKeys.keys,
    },
    replaced,
  );
}
