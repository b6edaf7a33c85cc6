import { type AddressInfo, createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import type { Configuration } from '../config/configuration.js';
import { ProofsOfGates } from '../gates/used-proofs.js';
import { AddedFigures } from '../http/added-figures.js';
import type { ProcessFigures } from '../http/metrics.js';
import type { ConfiguredFiles, ConfiguredFilesOf } from '../model/configured-files.js';
import type { HeldEndorsement } from '../model/endorsement.js';
import { ConfigurationError } from '../model/errors.js';
import { isSystemError } from '../model/file-problem.js';
import type { HealthProblem, Liveness, Readiness } from '../model/health.js';
import type { Clock, Log } from '../model/ports.js';
import { Outages } from '../outgoing/outages.js';
import { ClockWatch } from '../service/clock-watch.js';
import { STARTING, STOPPING } from '../service/health.js';
import { type OwnPart, Primary } from '../workers/primary.js';
import type { AskedEndorsement } from '../workers/protocol.js';
import type { RunningWorker, WorkerProcess } from '../workers/running-worker.js';
import { readChallengeKey } from './configured-challenge-key.js';
import { openManagement } from './open-management.js';
import { type OpenParts, openAllOrNone } from './open-parts.js';
import { makeEphemeralKey } from './receipt-keys.js';
import { ACCESS_PART, type PreparedAccess, ReloadedAccess, type ReloadedListeners } from './reloaded-access.js';
import { SILENT } from './silent-log.js';

/** What a service of several workers takes from the world. */
export interface WorkersWorld {
  readonly log: Log;
  readonly clock: Clock;
  readonly fork: (worker: number) => WorkerProcess;
  readonly readConfiguration: () => Promise<Configuration>;
  /** How files that the configuration names are read from the disk. */
  readonly files: ConfiguredFiles;
}

/** A service of which several processes answer. */
export interface RunningWorkers {
  readonly url: string;
  /** Where probes and metrics are, if not there. */
  readonly managementUrl: string | null;
  /** Resolves where workers end by themselves too often: the service has to end then. */
  readonly givenUp: Promise<void>;
  /** Reads everything again that needs no restart. Never rejects. */
  reload(): Promise<void>;
  /** Drains and ends everything. */
  close(): Promise<void>;
}

/** How many processes are to answer. */
export function workersOf({ workers }: Configuration): number {
  return workers === 'auto' ? availableParallelism() : workers;
}

/**
 * Starts the workers, and watches them.
 * Where that fails, nothing of it stays open.
 * @throws {ConfigurationError} where a file that the configuration names is wrong
 */
export async function startWorkers(configuration: Configuration, world: WorkersWorld): Promise<RunningWorkers> {
  const { host, port } = configuration.listen;
  const open = (at: number) => openAllOrNone(world.log, (opened) => openWorkers(configuration, at, world, opened));
  if (port !== 0) return open(port);
  for (let attempt = 1; ; attempt++) {
    try {
      return await open(await freePort(host));
    } catch (error) {
      // Somebody else may have taken it meanwhile.
      if (attempt === PORT_ATTEMPTS || !isSystemError(error) || error.code !== 'EADDRINUSE') throw error;
    }
  }
}

const PORT_ATTEMPTS = 5;

/**
 * A port that is free now. One that the system picks for the first worker would be lost where all of them end at once: they would
 * come back at another one.
 */
async function freePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ host, port: 0 }, resolve);
  });
  // That of a server that listens at a host.
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function openWorkers(
  configuration: Configuration,
  port: number,
  { log, clock, fork, readConfiguration, files: disk }: WorkersWorld,
  opened: OpenParts,
): Promise<RunningWorkers> {
  // Until all of them listen, nobody is told of any.
  let watched: Watched = { workers: [], isStopping: false };
  const figures = new AddedFigures(() => watched.workers.length, workersOf(configuration));
  const text = async () => figures.text(await figuresOf(() => watched.workers));
  // Each worker watches the clock, and tells the log.
  const clockWatch = opened.add(new ClockWatch(clock, SILENT));
  clockWatch.watch();
  const proofs = new ProofsOfGates(Object.keys(configuration.gates), clock);
  const openOwn = async (files: ConfiguredFilesOf): Promise<OwnPart> => {
    const from = files(ACCESS_PART);
    const access = opened.add(
      await ReloadedAccess.open(configuration, { clock: clockWatch, log, observer: new Outages(clock, log), from }),
    );
    // Opened before the workers listen, and so closed after them: until the last answer has left, there is somebody to ask.
    const management = await openManagement(configuration.listen.management, {
      liveness: { execute: async () => livenessOf(watched) },
      readiness: { execute: async () => readinessOf(watched) },
      metrics: { contentType: figures.contentType, text },
      log,
      access,
    });
    if (management !== null) opened.add(management);
    managementUrl = management?.url ?? null;
    return new OwnAccess(access, { server: NO_LISTENER, management }, log);
  };
  let managementUrl: string | null = null;
  const primary = opened.add(
    await Primary.start(
      {
        configuration,
        port,
        workers: workersOf(configuration),
        fork,
        log,
        monotonicMs: () => clock.monotonicMs(),
        shared: {
          metrics: text,
          proof: ({ gate, jkt, jti }) => proofs.use(gate, jkt, jti),
          // The channel keeps the order of messages: what was accepted in the turn before is ahead of the answer.
          handedOver: () => turnOfEventLoop(),
          endorsement: (asked) => endorsementOf(watched.workers, asked),
        },
        heldTime: () => clockWatch.held,
        ephemeralKey: makeEphemeralKey(),
        challengeKey: await readChallengeKey(configuration, log),
        files: disk,
        own: openOwn,
        onLost: (worker) => figures.lost(worker),
        onReloaded: (isTaken) => figures.reloaded(isTaken),
      },
      ACCESS_PART,
    ),
  );
  watched = primary;
  const { url, givenUp } = primary;
  return {
    url,
    managementUrl,
    givenUp,
    reload: () => primary.reload(readConfiguration),
    close: () => opened.close(),
  };
}

/** The workers have the listener of the service. */
const NO_LISTENER: ReloadedListeners['server'] = { exchangeTls: () => {}, endConnections: () => {} };

/** Callers of the management listener and its TLS material: what this process takes over of a reload. */
class OwnAccess implements OwnPart {
  readonly #access: ReloadedAccess;
  readonly #listeners: ReloadedListeners;
  readonly #log: Log;
  #prepared: PreparedAccess | null = null;

  constructor(access: ReloadedAccess, listeners: ReloadedListeners, log: Log) {
    this.#access = access;
    this.#log = log;
    this.#listeners = listeners;
  }

  get configuration(): Configuration {
    return this.#access.configuration;
  }

  prepare: OwnPart['prepare'] = async (how) => {
    const { configuration } = { configuration: null, ...how };
    const reading = configuration === null ? null : this.#access.prepareReload(configuration, this.#listeners);
    this.#prepared = (await reading?.catch((error: unknown) => this.#say(error))) ?? null;
    return [{ name: ACCESS_PART, isFit: this.#prepared !== null }];
  };

  commit: OwnPart['commit'] = async ({ parts }) => {
    if (parts.includes(ACCESS_PART)) this.#prepared?.commit();
    else await this.#prepared?.discard();
    this.#prepared = null;
  };

  /** What each worker finds wrong too is in the log already. */
  #say(error: unknown): null {
    if (!(error instanceof ConfigurationError)) {
      this.#log.error({ err: error }, 'callers and TLS material not reloaded: the previous ones stay in force');
    }
    return null;
  }

  discard: OwnPart['discard'] = async () => {
    await this.#prepared?.discard();
    this.#prepared = null;
  };
}

type Watched = Pick<Primary, 'workers' | 'isStopping'>;

async function figuresOf(workers: () => readonly RunningWorker[]): Promise<ReadonlyMap<number, ProcessFigures>> {
  const asked = workers().map(async (worker) => [worker, await worker.figures()] as const);
  const given = (await Promise.allSettled(asked)).flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  // Not those of workers that have ended meanwhile: they are counted already.
  const left = given.filter(([worker]) => workers().includes(worker));
  // Each worker answers with those of its own `Metrics`.
  return new Map(left.map(([{ number }, figures]) => [number, figures as ProcessFigures]));
}

/** What one of the workers has of a digest. One that does not answer has none. */
async function endorsementOf(
  workers: readonly RunningWorker[],
  asked: AskedEndorsement,
): Promise<HeldEndorsement | null> {
  const given = await Promise.allSettled(workers.map((worker) => worker.endorsement(asked)));
  const found = given.flatMap((one) => (one.status === 'fulfilled' && one.value !== null ? [one.value] : []));
  return found[0] ?? null;
}

/** Live where each worker that listens is: the service is restarted as a whole. */
function livenessOf({ workers }: Watched): Liveness {
  const problems = onceEach(workers.flatMap(({ health }) => health.liveness.problems));
  return { live: problems.length === 0, problems };
}

/** Ready where each worker that listens is, so that it does not matter which of them gets a request. */
function readinessOf({ workers, isStopping }: Watched): Readiness {
  if (isStopping) return STOPPING;
  if (workers.length === 0) return STARTING;
  const said = workers.map(({ health }) => health.readiness);
  return { ready: said.every(({ ready }) => ready), problems: onceEach(said.flatMap(({ problems }) => problems)) };
}

function onceEach(problems: readonly HealthProblem[]): readonly HealthProblem[] {
  return [...new Map(problems.map((each) => [each.code, each])).values()];
}
