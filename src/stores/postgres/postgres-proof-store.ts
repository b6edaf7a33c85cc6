import type { ProofStore, ProofUse } from '../../core/gate.js';
import type { Clock } from '../../core/ports.js';
import { DROPPED_AT_ONCE, ExpiredRecords } from '../expired-records.js';
import { KeptCounts } from '../kept-counts.js';
import { PROOF_KEPT_MS, PROOFS_OF_GATE } from '../proof-limits.js';
import type { PostgresServer } from './connection.js';

export interface PostgresProofOptions {
  readonly server: Pick<PostgresServer, 'challenges'>;
  readonly clock: Clock;
  /** Longest duration of a statement, including the wait for a connection. */
  readonly timeoutMs: number;
  /** Proofs of a gate that this process keeps. */
  readonly capacity?: number | undefined;
}

interface ServerRow {
  readonly server: string;
}

interface UseRow extends ServerRow {
  readonly added: number;
}

const DROP_TIMEOUT_MS = 5000;

/** The start time changes with each start, also with a promotion after one. */
const SERVER = `(SELECT system_identifier || ' ' || pg_postmaster_start_time() FROM pg_control_system()) AS server`;

/** Values: proof, time of this process, lifetime in milliseconds. The later of the two clocks counts. */
const USE = `
  WITH used AS (
    INSERT INTO used_proofs (proof, kept_until)
    VALUES ($1, GREATEST(clock_timestamp(), $2::timestamptz) + make_interval(secs => $3::double precision / 1000))
    ON CONFLICT DO NOTHING RETURNING proof
  )
  SELECT (SELECT count(*) FROM used)::int AS added, ${SERVER}`;

/** Values: time of this process, most rows. The earlier of the two clocks counts: a clock that is ahead drops nothing too early. */
const DROP_EXPIRED = `
  DELETE FROM used_proofs WHERE proof IN (
    SELECT proof FROM used_proofs WHERE kept_until < LEAST(clock_timestamp(), $1::timestamptz)
    ORDER BY kept_until LIMIT $2 FOR UPDATE SKIP LOCKED
  )`;

/**
 * Stores used proofs that several processes share. If several use a proof at once, one statement adds it. A restarted, promoted or
 * restored server may lack proofs that were used before. So its proofs count only from the first connection of this process.
 */
export class PostgresProofStore implements ProofStore {
  readonly #options: PostgresProofOptions;
  readonly #counts: KeptCounts;
  readonly #expired: ExpiredRecords;
  #server: string | null = null;
  #knownSince: Date;

  private constructor(options: PostgresProofOptions) {
    const { server, clock, capacity = PROOFS_OF_GATE } = options;
    this.#options = options;
    this.#counts = new KeptCounts(clock, 'proof', capacity);
    this.#expired = new ExpiredRecords(clock, () =>
      server.challenges.use({ timeoutMs: DROP_TIMEOUT_MS }, (session) =>
        session.run(DROP_EXPIRED, [clock.now(), DROPPED_AT_ONCE]),
      ),
    );
    this.#knownSince = clock.now();
  }

  /** @throws {Error} if the database does not answer */
  static async open(options: PostgresProofOptions): Promise<PostgresProofStore> {
    const store = new PostgresProofStore(options);
    const [row] = await options.server.challenges.use({ timeoutMs: DROP_TIMEOUT_MS }, (session) =>
      session.rows<ServerRow>(`SELECT ${SERVER}`),
    );
    store.#meet(row);
    return store;
  }

  async use(gate: string, proof: string): Promise<ProofUse> {
    const { server, clock, timeoutMs } = this.#options;
    this.#counts.add(gate, PROOF_KEPT_MS);
    this.#expired.dropIfDue();
    const [row] = await server.challenges.use({ timeoutMs }, (session) =>
      session.rows<UseRow>(USE, [proof, clock.now(), PROOF_KEPT_MS]),
    );
    this.#meet(row);
    return { isNew: row?.added === 1, knownSince: this.#knownSince };
  }

  #meet(row: ServerRow | undefined): void {
    const server = row?.server ?? null;
    if (server === this.#server) return;
    this.#server = server;
    this.#knownSince = this.#options.clock.now();
  }
}
