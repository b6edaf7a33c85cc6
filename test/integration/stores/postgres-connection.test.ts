import dns from 'node:dns';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer, type LookupFunction, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { SYSTEM_CLOCK } from '../../../src/app/system.js';
import { UnfitError } from '../../../src/core/errors.js';
import { PostgresServer as Connections, type OpenPostgresOptions } from '../../../src/stores/postgres/connection.js';
import { requireSchema } from '../../../src/stores/postgres/schema.js';
import type { PostgresSettings } from '../../../src/stores/postgres/settings.js';
import { TlsAuthority } from '../../lab/index.js';
import type { TlsIdentity } from '../../lab/tls-authority.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { freePort } from '../free-port.js';
import { PATIENT } from './postgres-challenges.js';
import { PostgresLogs, SERVICE } from './postgres-logs.js';
import { isWithoutPostgres, PostgresServer } from './postgres-server.js';

const NOTHING = 'nothing';
const LONG = { timeoutMs: 10_000 };

let server: PostgresServer;
let logs: PostgresLogs;
let folder: string;
const open: { close(): Promise<void> }[] = [];

interface Opening extends Partial<Omit<OpenPostgresOptions, 'settings'>> {
  readonly settings?: Partial<PostgresSettings>;
}

async function connect({ settings, ...options }: Opening = {}): Promise<Connections> {
  const { host, port, database } = server;
  const opened = await Connections.open({
    settings: { host, port, database, user: SERVICE, password: null, tls: null, ...settings },
    connections: 4,
    admit: requireSchema,
    clock: SYSTEM_CLOCK,
    log: new RecordingLog(),
    startLimitMs: 0,
    ...options,
  });
  open.push(opened);
  return opened;
}

async function newServer(options: Parameters<typeof PostgresServer.start>[0] = {}): Promise<PostgresServer> {
  const started = await PostgresServer.start(options);
  open.push(started);
  return started;
}

async function oneValue<T>(connections: Connections, text: string): Promise<T | undefined> {
  const [row] = await connections.reads.use(LONG, (session) => session.rows<{ readonly value: T }>(text));
  return row?.value;
}

describe.skipIf(isWithoutPostgres('connections to PostgreSQL'))('connections to PostgreSQL', () => {
  beforeAll(async () => {
    server = await PostgresServer.start();
    logs = new PostgresLogs(server);
    await logs.migrate();
    folder = mkdtempSync(join(tmpdir(), 'veritee-connection-'));
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    for (const each of open.splice(0)) await each.close();
  });

  afterAll(async () => {
    await logs.close();
    await server.close();
    rmSync(folder, { recursive: true });
  });

  it('take nothing from variables, whatever those say', async () => {
    const names = [
      'HOST',
      'HOSTADDR',
      'PORT',
      'USER',
      'DATABASE',
      'PASSWORD',
      'PASSFILE',
      'OPTIONS',
      'APPNAME',
      'SERVICE',
    ];
    const others = [
      'SSLMODE',
      'SSLNEGOTIATION',
      'SSLROOTCERT',
      'REPLICATION',
      'CLIENT_ENCODING',
      'CLIENTENCODING',
      'TZ',
    ];
    const more = ['DATESTYLE', 'GEQO', 'CONNECT_TIMEOUT', 'STATEMENT_TIMEOUT', 'TARGETSESSIONATTRS', 'BINARY', 'SSL'];
    for (const name of [...names, ...others, ...more]) vi.stubEnv(`PG${name}`, NOTHING);
    const connections = await connect();
    const told = 'application_name, search_path, default_transaction_isolation, synchronous_commit';
    const text = `SELECT current_user || ' ' || concat_ws(' ', ${told
      .split(', ')
      .map((name) => `current_setting('${name}')`)
      .join(', ')}) AS value`;
    expect(await oneValue(connections, text)).toBe(`${SERVICE} veritee veritee read committed on`);
  });

  it.each([
    ['default_transaction_isolation', "'serializable'", 'read committed'],
    ['default_transaction_read_only', 'on', 'off'],
    // A notice at COMMIT says that no standby has the transaction.
    ['client_min_messages', 'error', 'warning'],
    ['search_path', 'pg_temp', 'veritee'],
    ['synchronous_commit', 'off', 'on'],
    ['statement_timeout', '0', '5s'],
    ['bytea_output', "'escape'", 'hex'],
    ['DateStyle', "'German'", 'ISO'],
    ['TimeZone', "'Asia/Tokyo'", 'UTC'],
  ])('STO-04 set %s, whatever the role is set to', async (setting, ofRole, expected) => {
    const role = `oddly_${setting}`.toLowerCase();
    await server.sql(`CREATE ROLE ${role} LOGIN IN ROLE ${SERVICE}; ALTER ROLE ${role} SET ${setting} = ${ofRole}`);
    const connections = await connect({ settings: { user: role } });
    expect(await oneValue(connections, `SELECT split_part(current_setting('${setting}'), ',', 1) AS value`)).toBe(
      expected,
    );
  });

  it('share no connection: log, reads and challenges each have their own', async () => {
    const connections = await connect({ connections: 5 });
    const { writer, reads, challenges } = connections;
    const slow = [writer, reads, reads, challenges, challenges].map((sessions) =>
      sessions.use(LONG, (session) => session.rows('SELECT pg_sleep(0.3), pg_backend_pid() AS pid')),
    );
    const pids = (await Promise.all(slow)).map(([row]) => (row as { readonly pid: number }).pid);
    expect(new Set(pids).size).toBe(5);
    expect(await server.sql(`SELECT count(*) FROM pg_stat_activity WHERE usename = '${SERVICE}'`)).toBe('5');
  });

  it('over a socket need neither TLS nor a port of TCP', async () => {
    const connections = await connect({ settings: { host: server.socketFolder } });
    expect(await oneValue(connections, 'SELECT inet_client_addr()::text AS value')).toBeNull();
  });

  describe('where work takes too long', () => {
    it('STO-04 are destroyed, and the next work has another one', async () => {
      const connections = await connect();
      const pid = () => oneValue<number>(connections, 'SELECT pg_backend_pid() AS value');
      const before = await pid();
      const late = connections.reads.use({ timeoutMs: 200 }, (session) => session.rows('SELECT pg_sleep(60)'));
      await expect(late).rejects.toThrow('no answer within 200 ms');
      expect(await pid()).not.toBe(before);
    });

    it('STO-04 are waited for as long as work may take, and no longer', async () => {
      const { challenges } = await connect();
      const holding = challenges.use(LONG, (session) => session.rows('SELECT pg_sleep(1)'));
      const waiting = challenges.use({ timeoutMs: 50 }, (session) => session.rows('SELECT 1'));
      await expect(waiting).rejects.toThrow('no answer within 50 ms');
      await holding;
      expect(await challenges.use(LONG, (session) => session.run('SELECT 1'))).toBe(1);
    });

    it('STO-07 are not used for what nobody waits for any more', async () => {
      const { challenges } = await connect();
      const holding = challenges.use(LONG, (session) => session.rows('SELECT pg_sleep(0.3)'));
      const leaving = new AbortController();
      const work = vi.fn(async () => 1);
      const abandoned = challenges.use({ ...LONG, givenUp: leaving.signal }, work);
      leaving.abort();
      await expect(abandoned).rejects.toThrow('the caller gave up before the operation started');
      await holding;
      expect(work).not.toHaveBeenCalled();
    });
  });

  describe('a transaction', () => {
    it('is whole or not at all', async () => {
      const owner = await logs.connect({ user: server.user }, async () => undefined);
      await owner.writer.use(LONG, (session) => session.run('CREATE TABLE public.t (n int)'));
      const broken = owner.writer.transaction(LONG, async (session) => {
        await session.run('INSERT INTO public.t VALUES (1)');
        throw new Error('broken');
      });
      await expect(broken).rejects.toThrow('broken');
      expect(await server.sql('SELECT count(*) FROM public.t')).toBe('0');
      await owner.writer.transaction(LONG, (session) => session.run('INSERT INTO public.t VALUES (1)'));
      expect(await server.sql('SELECT count(*) FROM public.t')).toBe('1');
    });

    it('STO-04 has failed where the server gave up its wait for a synchronous standby', async () => {
      const own = await newServer();
      // The statement itself waits for nobody yet.
      await own.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
      await own.sql('SELECT pg_reload_conf()');
      const { host, port, database, user } = own;
      const connections = await connect({ settings: { host, port, database, user }, admit: async () => {} });
      const waiting = connections.writer.transaction(LONG, (session) => session.run('CREATE TABLE public.t (n int)'));
      const noticed = expect(waiting).rejects.toThrow('the server said at COMMIT: canceling wait for synchronous');
      const cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
      await vi.waitFor(async () => expect(await own.sql(cancel)).toBe('t'), PATIENT);
      await noticed;
    });
  });

  describe('the way in', () => {
    const authority = new TlsAuthority();
    let guarded: PostgresServer;

    /** Makes the server show another certificate from now on. */
    async function identify({ cert, key }: TlsIdentity): Promise<void> {
      await guarded.writeFile('server.crt', cert);
      await guarded.writeFile('server.key', key);
      await guarded.stop();
      await guarded.run();
    }

    beforeAll(async () => {
      guarded = await PostgresServer.start({
        hba: ['local all all trust', 'hostssl all all 127.0.0.1/32 scram-sha-256'],
      });
      await guarded.configure({ ssl: 'on' });
      await identify(authority.issueForLoopback());
      await guarded.sql("CREATE ROLE service LOGIN PASSWORD 'first'");
    });

    afterAll(() => guarded.close());

    const tls = { ca: async () => authority.pem };
    const entering = (settings: Partial<PostgresSettings>, log = new RecordingLog()) =>
      connect({
        settings: { host: 'localhost', port: guarded.port, password: async () => 'first', ...settings },
        admit: async () => {},
        log,
      });

    it('names the authorities that the server may have its certificate from', async () => {
      const connections = await entering({ tls });
      expect(await oneValue(connections, 'SELECT ssl AS value FROM pg_stat_ssl WHERE pid = pg_backend_pid()')).toBe(
        true,
      );
      await expect(entering({ tls: { ca: async () => new TlsAuthority().pem } })).rejects.toThrow(/certificate/);
      await expect(entering({ tls: { ca: null } })).rejects.toThrow(/certificate/);
    });

    it('names the authorities that stand in the file now', async () => {
      let pem = authority.pem;
      const connections = await entering({ tls: { ca: async () => pem } });
      const other = new TlsAuthority();
      await identify(other.issueForLoopback());
      await expect(connections.reads.use(LONG, (session) => session.rows('SELECT 1'))).rejects.toThrow(/certificate/);
      pem = other.pem;
      await connections.reads.use(LONG, (session) => session.rows('SELECT 1'));
      await identify(authority.issueForLoopback());
    });

    it.each([
      ['another authority', () => new TlsAuthority().issueForLoopback()],
      ['another name', () => authority.issueForClient({ dnsNames: ['other.example'] })],
      [
        'the past',
        () =>
          authority.issueForClient({
            dnsNames: ['localhost'],
            notBefore: new Date('2020-01-01'),
            notAfter: new Date('2020-02-01'),
          }),
      ],
    ])('is closed by a restart with a certificate of %s, which the log names during the outage', async (_, issue) => {
      const log = new RecordingLog();
      const connections = await entering({ tls }, log);
      await oneValue(connections, 'SELECT 1 AS value');
      await identify(issue());
      await vi.waitFor(() => expect(log.of(/^store cannot be used$/)).toHaveLength(1), PATIENT);
      expect(log.of(/^store cannot be used$/)).toMatchObject([{ why: expect.stringContaining('certificate') }]);
      await identify(authority.issueForLoopback());
    });

    it('is closed to a server whose certificate is for another name', async () => {
      await entering({ host: '127.0.0.1', tls });
      await identify(authority.issueForClient({ dnsNames: ['other.example'] }));
      for (const host of ['localhost', '127.0.0.1']) {
        await expect(entering({ host, tls })).rejects.toThrow("does not match certificate's altnames");
      }
      await identify(authority.issueForLoopback());
    });

    it('is closed to a server without TLS', async () => {
      await expect(connect({ settings: { tls: { ca: null } } })).rejects.toThrow('does not support SSL');
    });

    it('gives the password that stands in the file now', async () => {
      const file = join(folder, 'password');
      const { readSecret } = await import('../../../src/outside/secret-file.js');
      await writeFile(file, 'first\n');
      const connections = await entering({ tls, password: () => readSecret(file) });
      await guarded.sql("ALTER ROLE service PASSWORD 'second'");
      await writeFile(file, 'second\n');
      await connections.reads.use(LONG, (session) => session.rows('SELECT 1'));
      await guarded.sql("ALTER ROLE service PASSWORD 'first'");
    });

    it('is closed for good with a wrong password, or without one', async () => {
      await expect(entering({ tls, password: async () => 'wrong' })).rejects.toThrow(UnfitError);
      await expect(entering({ tls, password: null })).rejects.toThrow('neither passwordFile nor credential');
    });
  });

  describe('STO-03 a server', () => {
    it.each(['fsync', 'full_page_writes'])('STO-03 whose %s is off is refused', async (setting) => {
      const own = await newServer({ settings: { [setting]: 'off' } });
      const { port, database, user } = own;
      const refused = connect({ settings: { port, database, user }, admit: async () => {} });
      await expect(refused).rejects.toThrow(UnfitError);
      await expect(refused).rejects.toThrow(
        `127.0.0.1:${port}: ${setting} is off: what it stored may be lost in a crash`,
      );
    });

    it('STO-03 that must not be used is refused at once, and one that may be right soon is tried again', async () => {
      const refusing = vi.fn(async () => {
        throw new UnfitError('of somebody else');
      });
      await expect(connect({ admit: refusing, startLimitMs: 60_000 })).rejects.toThrow('of somebody else');
      expect(refusing).toHaveBeenCalledOnce();
      const starting = vi.fn(async () => {});
      starting.mockRejectedValueOnce(new Error('still starts'));
      await connect({ admit: starting, startLimitMs: 60_000 });
      expect(starting).toHaveBeenCalledTimes(2);
    });

    it('FRS-03 whose database cannot hold every audience is refused', async () => {
      await server.sql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0", 'postgres');
      const refused = connect({ settings: { database: 'latin' }, admit: async () => {} });
      await expect(refused).rejects.toThrow(UnfitError);
      await expect(refused).rejects.toThrow('the encoding of the database is LATIN1, and has to be UTF8');
    });

    it('STO-03 in recovery is refused for each connection, and not for good', async () => {
      const standby = await server.standby();
      open.push(standby);
      const settings = { port: standby.port };
      await expect(connect({ settings })).rejects.toThrow('is in recovery');
      const opening = connect({ settings, startLimitMs: 20_000 });
      await standby.promote();
      await opening;
    });

    it('STO-03 without tables, or with older ones, is refused, and one version ahead is not', async () => {
      const settings = { database: await server.newDatabase() };
      await expect(connect({ settings })).rejects.toThrow('has no schema veritee: run veritee stores migrate');
      const version = (number: string) => logs.sql(`UPDATE schema_version SET version = version ${number}`);
      for (const [change, back, why] of [
        ['- 1', '+ 1', 'its schema has version 0, and this service needs 1: run veritee stores migrate'],
        ['+ 2', '- 2', 'its schema has version 3, and this service knows 1'],
      ] as const) {
        await version(change);
        await expect(connect()).rejects.toThrow(why);
        await version(back);
      }
      await version('+ 1');
      await connect();
      await version('- 1');
    });

    it('whose name has several addresses, none of which answers, is named with the reason for each', async () => {
      const port = await freePort();
      const lookup: LookupFunction = (_name, _options, found) =>
        found(
          null,
          ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 })),
        );
      vi.spyOn(dns, 'lookup').mockImplementation(lookup as typeof dns.lookup);
      const refused = connect({ settings: { host: 'db.example', port } });
      await expect(refused).rejects.toThrow(
        `db.example:${port}: connect ECONNREFUSED 127.0.0.1:${port}; connect ECONNREFUSED 127.0.0.2:${port}`,
      );
    });

    it('STO-03 that is none of PostgreSQL is not waited for without end', async () => {
      const sockets: Socket[] = [];
      const mute = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
      await once(mute, 'listening');
      const address = mute.address();
      if (address === null || typeof address === 'string') throw new Error('no port');
      try {
        await expect(connect({ settings: { port: address.port } })).rejects.toThrow(/timeout/);
      } finally {
        for (const socket of sockets) socket.destroy();
        mute.close();
      }
    });
  });

  it('STO-04 that are lost while nobody uses them are looked for again, and the log says so once', async () => {
    const own = await newServer();
    const { port, database, user } = own;
    const log = new RecordingLog();
    const connections = await connect({ settings: { port, database, user }, admit: async () => {}, log });
    await connections.reads.use(LONG, (session) => session.rows('SELECT 1'));
    await own.stop('immediate');
    await vi.waitFor(() => expect(connections.isReachable).toBe(false), PATIENT);
    await own.run();
    await vi.waitFor(() => expect(connections.isReachable).toBe(true), PATIENT);
    expect(log.entries.map(({ message }) => message)).toEqual(['store out of reach', 'store answers again']);
  });

  it('that a server does not close, since it hangs, keep no process running', async () => {
    const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
    const before = sockets();
    const connections = await connect();
    const pid = await oneValue<number>(connections, 'SELECT pg_backend_pid() AS value');
    process.kill(Number(pid), 'SIGSTOP');
    try {
      await connections.close();
      await vi.waitFor(() => expect(sockets()).toBe(before), PATIENT);
    } finally {
      process.kill(Number(pid), 'SIGCONT');
    }
  });
});
