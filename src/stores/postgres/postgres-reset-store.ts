import { messageOf } from '../../core/errors.js';
import { FaultLog } from '../../core/fault-log.js';
import type { Log } from '../../core/ports.js';
import type { ResetCounts, ResetMemory } from '../../core/vtpm-resets.js';
import { forgottenAhead, RESET_CAPACITY, RESET_MEMORY_MESSAGES, RESETS_FORGOTTEN } from '../reset-counts.js';
import type { SqlValue } from './session.js';
import type { Sessions } from './sessions.js';

export interface PostgresResetOptions {
  readonly server: { readonly challenges: Pick<Sessions, 'use'> };
  readonly tenant: string;
  readonly log: Log;
  /** Longest duration of a statement, including the wait for a connection. */
  readonly timeoutMs: number;
  /** Most vTPMs that a tenant may have. */
  readonly capacity?: number | undefined;
}

/** The driver returns numbers of eight bytes as text. */
interface CountsRow {
  readonly reset_count: string;
  readonly restart_count: string;
}

const HIGHEST = 'SELECT reset_count, restart_count FROM reset_counts WHERE tenant = $1 AND ak_thumbprint = $2';

/** If two replicas note one vTPM at the same moment, the higher counts stay. A reset clears the restarts. */
const RAISE = `
  INSERT INTO reset_counts AS kept (tenant, ak_thumbprint, reset_count, restart_count, risen_at)
  VALUES ($1, $2, $3, $4, clock_timestamp())
  ON CONFLICT (tenant, ak_thumbprint) DO UPDATE SET
    reset_count = GREATEST(kept.reset_count, excluded.reset_count),
    restart_count = CASE
      WHEN excluded.reset_count > kept.reset_count THEN excluded.restart_count
      WHEN excluded.reset_count = kept.reset_count THEN GREATEST(kept.restart_count, excluded.restart_count)
      ELSE kept.restart_count END,
    risen_at = CASE
      WHEN (excluded.reset_count, excluded.restart_count) > (kept.reset_count, kept.restart_count) THEN excluded.risen_at
      ELSE kept.risen_at END
  RETURNING reset_count, restart_count, (xmax = 0) AS is_new`;

const FORGET = `
  WITH surplus AS MATERIALIZED (SELECT count(*) - $2 AS number FROM reset_counts WHERE tenant = $1)
  DELETE FROM reset_counts WHERE tenant = $1 AND ak_thumbprint IN (
    SELECT ak_thumbprint FROM reset_counts CROSS JOIN surplus WHERE tenant = $1 AND number > 0
    ORDER BY risen_at LIMIT (SELECT GREATEST(number, 0) + $3 FROM surplus)
  )`;

/**
 * Stores reset counts of the vTPMs of one tenant, which replicas share. This store cannot detect that an entry is missing or
 * out of date: for that, each replica has counts of its own.
 */
export class PostgresResetMemory implements ResetMemory {
  readonly #options: PostgresResetOptions;
  readonly #capacity: number;
  readonly #faults: FaultLog;
  /** New vTPMs until the next check of the capacity. */
  #untilLook = 0;

  constructor(options: PostgresResetOptions) {
    this.#options = options;
    this.#capacity = options.capacity ?? RESET_CAPACITY;
    this.#faults = new FaultLog(options.log, RESET_MEMORY_MESSAGES);
  }

  async highest(akThumbprint: string): Promise<ResetCounts | null> {
    const [row] = await this.#ask<CountsRow>(HIGHEST, [this.#options.tenant, akThumbprint]);
    return row === undefined ? null : countsOf(row);
  }

  async advance(akThumbprint: string, counts: ResetCounts): Promise<ResetCounts> {
    const { tenant } = this.#options;
    const values = [tenant, akThumbprint, counts.resetCount, counts.restartCount];
    const [row] = await this.#ask<CountsRow & { readonly is_new: boolean }>(RAISE, values);
    if (row === undefined) throw new Error('the counts were not kept');
    if (row.is_new) await this.#makeRoom();
    return countsOf(row);
  }

  async #makeRoom(): Promise<void> {
    if (this.#untilLook > 0) {
      this.#untilLook -= 1;
      return;
    }
    const { server, tenant, timeoutMs, log } = this.#options;
    const ahead = forgottenAhead(this.#capacity);
    const forgotten = await server.challenges.use({ timeoutMs }, (session) =>
      session.run(FORGET, [tenant, this.#capacity, ahead]),
    );
    this.#untilLook = ahead;
    if (forgotten > 0) log.warn({ store: 'postgres', tenant, forgotten }, RESETS_FORGOTTEN);
  }

  async #ask<R extends object>(text: string, values: readonly SqlValue[]): Promise<readonly R[]> {
    const { server, timeoutMs, tenant } = this.#options;
    try {
      const rows = await server.challenges.use({ timeoutMs }, (session) => session.rows<R>(text, values));
      this.#faults.over(tenant);
      return rows;
    } catch (err) {
      this.#faults.begun(tenant, { store: 'postgres', tenant }, { why: messageOf(err) });
      throw err;
    }
  }
}

function countsOf({ reset_count: resetCount, restart_count: restartCount }: CountsRow): ResetCounts {
  return { resetCount: Number(resetCount), restartCount: Number(restartCount) };
}
