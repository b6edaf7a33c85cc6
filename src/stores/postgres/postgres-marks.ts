import { messageOf } from '../../core/errors.js';
import { FaultLog } from '../../core/fault-log.js';
import type { Clock, Log } from '../../core/ports.js';
import type { SharedMarks } from '../../core/shared-marks.js';
import type { PostgresServer } from './connection.js';
import type { Sessions } from './sessions.js';

export interface PostgresMarksOptions {
  readonly server: Pick<PostgresServer, 'losses'> & { readonly challenges: Pick<Sessions, 'use'> };
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: Log;
  /** How long a statement may take, the wait for a connection included. */
  readonly timeoutMs: number;
}

/** A number of any length comes as text. */
interface MarkRow {
  readonly number: string;
  readonly this_update: string;
}

const MESSAGES = {
  begun: 'rollback marks of other replicas cannot be used: those of this one count',
  over: 'rollback marks of other replicas can be used again',
};
const SUBJECT = 'marks';

/** Time after a failure in which the store is not contacted again. */
const PAUSE_MS = 1000;

const HIGHEST = 'SELECT number, this_update FROM rollback_marks WHERE name = $1';

/** Of two replicas that raise a mark at the same moment, the higher one stays. */
const RAISE = `
  INSERT INTO rollback_marks AS kept (name, number, this_update) VALUES ($1, $2::numeric, $3)
  ON CONFLICT (name) DO UPDATE SET
    number = GREATEST(kept.number, excluded.number),
    this_update = CASE
      WHEN excluded.number > kept.number THEN excluded.this_update
      WHEN excluded.number = kept.number THEN GREATEST(kept.this_update, excluded.this_update)
      ELSE kept.this_update END
  RETURNING number, this_update`;

/** Rollback marks in the database. That one is missing, or lower than it was, each replica makes good with its own. */
export class PostgresMarks implements SharedMarks {
  readonly #options: PostgresMarksOptions;
  readonly #faults: FaultLog;
  /** Whoever asks for the same at once waits for one answer. */
  readonly #asking = new Map<string, Promise<string | null>>();
  #failures = 0;
  /** Monotonic time from which on the store is asked again. */
  #againAt = Number.NEGATIVE_INFINITY;

  constructor(options: PostgresMarksOptions) {
    this.#options = options;
    this.#faults = new FaultLog(options.log, MESSAGES);
  }

  /** One more with each failure, once its pause is over, and when a connection was lost: another server may answer then. */
  get changes(): number {
    const { server, clock } = this.#options;
    return server.losses + 2 * this.#failures + (clock.monotonicMs() >= this.#againAt ? 1 : 0);
  }

  raise(name: string, text: string | null): Promise<string | null> {
    const key = `${name} ${text}`;
    const asked = this.#asking.get(key) ?? this.#raise(name, text).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asked);
    return asked;
  }

  async #raise(name: string, text: string | null): Promise<string | null> {
    const { server, clock, timeoutMs } = this.#options;
    if (clock.monotonicMs() < this.#againAt) return null;
    const [number = '', thisUpdate = ''] = text?.trimEnd().split(' ') ?? [];
    try {
      const [row] = await server.challenges.use({ timeoutMs }, (session) =>
        text === null
          ? session.rows<MarkRow>(HIGHEST, [name])
          : session.rows<MarkRow>(RAISE, [name, number, thisUpdate]),
      );
      this.#faults.over(SUBJECT);
      return row === undefined ? null : `${`${row.number} ${row.this_update}`.trimEnd()}\n`;
    } catch (err) {
      this.#failures += 1;
      this.#againAt = clock.monotonicMs() + PAUSE_MS;
      this.#faults.begun(SUBJECT, { store: 'postgres' }, { why: messageOf(err) });
      return null;
    }
  }
}
