import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isWithoutPostgres, PostgresServer } from './postgres-server.js';

describe.skipIf(isWithoutPostgres('servers of PostgreSQL'))('a server of these tests', () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await PostgresServer.start();
  });

  afterAll(() => server.close());

  it('keeps committed rows over an immediate stop', async () => {
    await server.sql('CREATE TABLE kept (at int); INSERT INTO kept VALUES (1)');
    await server.restart('immediate');
    expect(await server.sql('SELECT at FROM kept')).toBe('1');
  });

  it('is followed by a standby that can be promoted', async () => {
    const standby = await server.standby();
    try {
      expect(await standby.sql('SELECT pg_is_in_recovery()')).toBe('t');
      await standby.promote();
      expect(await standby.sql('SELECT pg_is_in_recovery()')).toBe('f');
    } finally {
      await standby.close();
    }
  });

  it('restores a dump into another database', async () => {
    const from = await server.newDatabase();
    await server.sql('CREATE TABLE dumped AS SELECT 7 AS n', from);
    const to = await server.newDatabase();
    await server.restore(await server.dump(from), to);
    expect(await server.sql('SELECT n FROM dumped', to)).toBe('7');
  });

  it('gets back the files of before', async () => {
    await server.sql('CREATE TABLE later (at int)');
    await server.stop();
    const putBack = await server.copyOfFiles();
    await server.run();
    await server.sql('DROP TABLE later');
    await server.stop();
    await putBack();
    await server.run();
    expect(await server.sql('SELECT count(*) FROM later')).toBe('0');
  });
});
