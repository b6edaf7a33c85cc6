import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { PostgresServer as Connections } from '../../../src/stores/postgres/connection.js';
import { type Migrated, migrate } from '../../../src/stores/postgres/migrate.js';
import { SCHEMA_VERSION } from '../../../src/stores/postgres/schema.js';
import { PATIENT } from './postgres-challenges.js';
import { PostgresLogs, SERVICE } from './postgres-logs.js';
import { isWithoutPostgres, PostgresServer } from './postgres-server.js';

const LONG_MS = 60_000;
const LATE = 'canceling statement due to lock timeout';

let server: PostgresServer;
let logs: PostgresLogs;

/** Connections of the owner of the database. */
const owner = (): Promise<Connections> => logs.connect({ user: server.user }, async () => undefined);

/** Runs a statement in a transaction that stays open. @returns ends it */
async function hold(statement: string): Promise<() => Promise<void>> {
  const { writer } = await owner();
  const [held, end] = [newSignal(), newSignal()];
  const transaction = writer.transaction({ timeoutMs: LONG_MS }, async (session) => {
    await session.rows(statement);
    held.give();
    await end.given;
  });
  await Promise.race([held.given, transaction]);
  return () => {
    end.give();
    return transaction;
  };
}

function newSignal() {
  let give = () => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give };
}

async function migrating(limitMs: number): Promise<Migrated> {
  return migrate((await owner()).writer, { serviceRole: SERVICE, limitMs });
}

const timesLate = () => server.log.filter((line) => line.includes(LATE)).length;

describe.skipIf(isWithoutPostgres('changes of the tables in PostgreSQL'))('changes of the tables in PostgreSQL', () => {
  beforeAll(async () => {
    server = await PostgresServer.start();
    logs = new PostgresLogs(server);
    await server.sql(`CREATE ROLE ${SERVICE} LOGIN`);
  });

  afterEach(() => logs.close());

  afterAll(() => server.close());

  it('STO-03 are made by one of several at once', async () => {
    const done = await Promise.all([migrating(LONG_MS), migrating(LONG_MS), migrating(LONG_MS)]);
    const from = done.map((each) => each.from);
    expect(from.filter((version) => version === null)).toHaveLength(1);
    expect(from.filter((version) => version === SCHEMA_VERSION)).toHaveLength(2);
  });

  it('are refused to another role than the owner, which the error says to take', async () => {
    await server.sql('DROP SCHEMA IF EXISTS veritee CASCADE');
    const { writer } = await logs.connect({ user: SERVICE }, async () => undefined);
    await expect(migrate(writer, { serviceRole: SERVICE, limitMs: LONG_MS })).rejects.toThrow(
      /^permission denied for .*: run this as the owner of the database$/,
    );
    await migrating(LONG_MS);
  });

  it('STO-03 are refused in a schema of another role, which could drop and replace its tables', async () => {
    await migrating(LONG_MS);
    await server.sql('CREATE ROLE squatter; ALTER SCHEMA veritee OWNER TO squatter');
    await expect(migrating(LONG_MS)).rejects.toThrow(
      'the schema veritee belongs to squatter: run this as that role, or drop the schema',
    );
    await server.sql(`ALTER SCHEMA veritee OWNER TO ${server.user}`);
  });

  it('STO-03 leave the role of the service no right but those that it needs', async () => {
    await migrating(LONG_MS);
    await logs.sql(`GRANT CREATE ON SCHEMA veritee TO ${SERVICE}; GRANT UPDATE ON challenge_key TO ${SERVICE}`);
    await migrating(LONG_MS);
    const schema = (right: string) => `has_schema_privilege('${SERVICE}', 'veritee', '${right}')`;
    const update = `has_table_privilege('${SERVICE}', 'challenge_key', 'UPDATE')`;
    expect(await logs.sql(`SELECT ${schema('USAGE')}, ${schema('CREATE')}, ${update}`)).toBe('t|f|f');
  });

  it('AUD-04 are refused for a service that can act as the owner, by itself, as superuser or as a member', async () => {
    await migrating(LONG_MS);
    await server.sql(
      `CREATE ROLE super LOGIN SUPERUSER; CREATE ROLE member LOGIN NOINHERIT; GRANT ${server.user} TO member`,
    );
    const { writer } = await owner();
    for (const serviceRole of [server.user, 'super', 'member']) {
      await expect(migrate(writer, { serviceRole, limitMs: LONG_MS })).rejects.toThrow(
        `the role ${serviceRole} of --service can act as the owner, and so delete decisions: name another`,
      );
    }
  });

  describe.each([
    ['a lock on a table', 'LOCK TABLE schema_version IN SHARE MODE'],
    ['the lock of those who change tables', 'SELECT pg_advisory_xact_lock(33325589321770341)'],
  ])('while another session holds %s', (_, statement) => {
    it('STO-03 give up a wait soon, try again, and are done once that lock is gone', async () => {
      const end = await hold(statement);
      const before = timesLate();
      const changing = migrating(LONG_MS);
      await vi.waitFor(() => expect(timesLate()).toBeGreaterThan(before + 1), PATIENT);
      await end();
      expect(await changing).toEqual({ from: SCHEMA_VERSION, to: SCHEMA_VERSION });
    });

    it('STO-03 are refused once their time is up, and change nothing', async () => {
      const rights = `SELECT has_table_privilege('${SERVICE}', 'challenges', 'SELECT')`;
      await logs.sql(`REVOKE SELECT ON challenges FROM ${SERVICE}`);
      const end = await hold(statement);
      await expect(migrating(0)).rejects.toThrow(
        'another session holds a lock on its tables: end that session, which pg_locks names, or try again later',
      );
      await end();
      expect(await logs.sql(rights)).toBe('f');
      await migrating(LONG_MS);
      expect(await logs.sql(rights)).toBe('t');
    });
  });
});
