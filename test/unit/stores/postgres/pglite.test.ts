import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import { migrate } from '../../../../src/stores/postgres/migrate.js';
import { PostgresLogStore } from '../../../../src/stores/postgres/postgres-log-store.js';
import type { Session, SqlValue } from '../../../../src/stores/postgres/session.js';
import type { UseOptions } from '../../../../src/stores/postgres/sessions.js';
import { behavesAsLogStore } from '../../log/log-store-behaviour.js';

const BYTEA = 17;
const [parsers, serializers] = [
  { [BYTEA]: (value: string) => Buffer.from(value.slice(2), 'hex') },
  { [BYTEA]: (value: string) => value },
];

/** The one connection of PostgreSQL in this process. */
class Connection implements Session {
  readonly #database = new PGlite({ parsers, serializers });
  #last: Promise<unknown> = Promise.resolve();

  async rows<R extends object>(text: string, values: readonly SqlValue[] = []): Promise<readonly R[]> {
    return (await this.#database.query<R>(text, [...values])).rows;
  }

  async run(text: string, values: readonly SqlValue[] = []): Promise<number> {
    if (values.length > 0) return (await this.#database.query(text, [...values])).affectedRows ?? 0;
    return (await this.#database.exec(text)).at(-1)?.affectedRows ?? 0;
  }

  /** One piece of work after the other. */
  use<T>(_: UseOptions, work: (session: Session) => Promise<T>): Promise<T> {
    const done = this.#last.then(() => work(this));
    this.#last = done.catch(() => undefined);
    return done;
  }

  transaction<T>(options: UseOptions, work: (session: Session) => Promise<T>): Promise<T> {
    return this.use(options, async () => {
      await this.run('BEGIN');
      try {
        const result = await work(this);
        await this.run('COMMIT');
        return result;
      } catch (error) {
        await this.run('ROLLBACK');
        throw error;
      }
    });
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#database.close();
  }
}

/** Without a server: what a machine that has none can still test. */
describe('decisions in PostgreSQL within this process', () => {
  const connection = new Connection();

  beforeAll(async () => {
    await connection.run('CREATE ROLE service; SET search_path = veritee');
    await migrate(connection as never, { serviceRole: 'service', limitMs: 0 });
  });

  beforeEach(() =>
    connection.run(
      `TRUNCATE chains, records, heads, decisions, decision_policies, releases, objects, decision_objects, pruning`,
    ),
  );

  afterAll(() => connection.close());

  behavesAsLogStore(
    async () => new PostgresLogStore({ writer: connection, reads: connection, isReachable: true } as never),
  );
});
