import { SYSTEM_CLOCK } from '../../../src/app/system.js';
import { PostgresServer as Connections } from '../../../src/stores/postgres/connection.js';
import { migrate } from '../../../src/stores/postgres/migrate.js';
import { type LogTimeouts, PostgresLogStore } from '../../../src/stores/postgres/postgres-log-store.js';
import { requireSchema } from '../../../src/stores/postgres/schema.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import type { PostgresServer } from './postgres-server.js';

/** The role of the service, which owns nothing. */
export const SERVICE = 'service';

const MINUTE_MS = 60_000;

export interface LogReplica extends LogTimeouts {
  readonly log?: RecordingLog;
  /** Another port, such as that of a proxy. */
  readonly port?: number;
  readonly user?: string;
  readonly connections?: number;
}

/** Decision logs of replicas of the service. Unless a test is about time, a busy machine has much of it. */
export class PostgresLogs {
  readonly server: PostgresServer;
  readonly #open: Connections[] = [];

  constructor(server: PostgresServer) {
    this.server = server;
  }

  /** Makes the tables, as the owner of the database. */
  async migrate(): Promise<void> {
    await this.server.sql(`CREATE ROLE ${SERVICE} LOGIN`);
    const { user } = this.server;
    const owner = await this.connect({ user }, async () => undefined);
    await migrate(owner.writer, { serviceRole: SERVICE, limitMs: MINUTE_MS });
  }

  /** Makes all tables of the log empty. */
  async empty(): Promise<void> {
    const tables = ['chains', 'records', 'heads', 'decisions', 'decision_policies', 'releases', 'objects'];
    await this.sql(`TRUNCATE ${[...tables, 'decision_objects', 'pruning'].join(', ')}`);
  }

  /** Runs statements on the tables, as their owner. */
  sql(text: string): Promise<string> {
    return this.server.sql(`SET search_path = veritee; ${text}`);
  }

  async start({ appendMs = 10_000, ...replica }: LogReplica = {}): Promise<PostgresLogStore> {
    return new PostgresLogStore(await this.connect(replica), { appendMs });
  }

  async connect(
    { log = new RecordingLog(), port = this.server.port, user = SERVICE, connections = 8 }: LogReplica = {},
    admit: typeof requireSchema = requireSchema,
  ): Promise<Connections> {
    const { host, database } = this.server;
    const opened = await Connections.open({
      settings: { host, port, database, user, password: null, tls: null },
      connections,
      admit,
      clock: SYSTEM_CLOCK,
      log,
    });
    this.#open.push(opened);
    return opened;
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((each) => each.close()));
  }
}
