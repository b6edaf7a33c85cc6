import type { FastifyInstance } from 'fastify';
import type { CallerDirectory } from '../core/caller-directory.js';
import type { Log } from '../core/ports.js';
import { NO_TRACER } from '../core/traces.js';
import type { LivenessUseCase, ReadinessUseCase } from '../judge/health.js';
import type { Metrics } from '../telemetry/metrics.js';
import {
  type ConnectionLimits,
  DEFAULT_CONNECTION_LIMITS,
  exchangeTls,
  type TlsIdentity,
  type TlsMaterial,
} from './listener.js';
import { DEFAULT_RATE_LIMITS, type RateLimits } from './load-limits.js';
import { createPlainApplication, guardRoutes } from './plain-application.js';
import { operationRoutes } from './routes/operation-routes.js';
import { urlOf } from './server.js';

/** The dependencies of the management listener. */
export interface ManagementDependencies {
  readonly liveness: LivenessUseCase;
  readonly readiness: ReadinessUseCase;
  readonly metrics: Pick<Metrics, 'contentType' | 'text'>;
  /** The current callers: each request reads them again. */
  readonly callers: () => CallerDirectory;
  readonly log: Log;
  readonly settings: ManagementSettings;
}

export interface ManagementSettings {
  /** Null: plain HTTP. A client is never asked for a certificate. */
  readonly tls: TlsIdentity | null;
  /** Whether every client may read the metrics, or only callers with the role. */
  readonly metrics: 'callers' | 'open';
  readonly connections?: Partial<ConnectionLimits>;
  readonly rates?: Partial<RateLimits>;
}

export interface RunningManagement {
  /** Its address, with the actual port. */
  readonly url: string;
  /**
   * Takes other TLS material for connections from now on.
   * @throws {Error} if it cannot be used, or the listener has no TLS; then nothing has changed
   */
  exchangeTls(tls: TlsIdentity): void;
  /** Answers running requests, and closes every connection. Bounded. */
  close(): Promise<void>;
}

const NOTHING_HERE = 'nothing is at this path; there are /livez, /readyz and /metrics';

/** The clients are a few machines of the operator: schedulers, balancers, Prometheus. */
const CONNECTIONS = 256;

/** No route has a body. */
const BODY_BYTES = 1_024;

/** Metrics are collected at once. */
const ANSWER_SECONDS = 5;

/** Longest time of a running request when the listener closes. */
const DRAIN_MS = 1_000;

/** Creates an application for probes and metrics. Load of the main listener does not affect it. */
export function createManagementApplication(dependencies: ManagementDependencies): FastifyInstance {
  const { callers, log, settings } = dependencies;
  const application = createPlainApplication({
    log,
    bodyBytes: BODY_BYTES,
    deadlineSeconds: ANSWER_SECONDS,
    // No proxy is configured in front of it, so the client is the peer of the connection.
    trustedProxies: [],
    tls: settings.tls === null ? null : withoutClients(settings.tls),
    limits: { ...DEFAULT_CONNECTION_LIMITS, connections: CONNECTIONS, ...settings.connections },
    nothingHere: NOTHING_HERE,
  });
  const guard = { callers, nothingHere: NOTHING_HERE, tracer: NO_TRACER };
  guardRoutes(application, guard, { ...DEFAULT_RATE_LIMITS, ...settings.rates });
  const metricsAccess = settings.metrics === 'open' ? 'public' : 'metrics';
  application.register(async (scope) => {
    for (const route of operationRoutes({ ...dependencies, metricsAccess })) scope.route(route);
  });
  return application;
}

/** Opens the port of the management listener. Prints nothing. */
export async function startManagement(
  dependencies: ManagementDependencies,
  listen: { readonly host: string; readonly port: number },
): Promise<RunningManagement> {
  const application = createManagementApplication(dependencies);
  try {
    await application.listen({ host: listen.host, port: listen.port });
  } catch (error) {
    await application.close();
    throw error;
  }
  return {
    url: urlOf(application, dependencies.settings.tls !== null),
    exchangeTls: (tls) => exchangeTls(application.server, withoutClients(tls)),
    close: () => stop(application),
  };
}

function withoutClients({ cert, key }: TlsIdentity): TlsMaterial {
  return { cert, key, clientCa: null, clientCrl: [] };
}

async function stop(application: FastifyInstance): Promise<void> {
  const end = setTimeout(() => application.server.closeAllConnections(), DRAIN_MS);
  try {
    await application.close();
  } finally {
    clearTimeout(end);
  }
}
