import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RedisChallengeStore } from '../../../src/stores/redis/redis-challenge-store.js';
import { TlsAuthority } from '../../lab/index.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { type Fault, FaultyProxy } from './faulty-proxy.js';
import { ANYTHING, ASKED, inSeconds, isBack, PATIENT, type Replica, Replicas, stateOf } from './shared-challenges.js';
import { freePort, isWithoutValkey, Valkey } from './valkey.js';

const PASSWORD = 'correct horse battery staple';
const [LOST, BACK, UNFIT] = [/^store out of reach$/, /^store answers again$/, /^store cannot be used$/];
/** Limits of a service. A busy machine may need a few attempts to meet them. */
const HURRIED = { commandTimeoutMs: 100, startLimitMs: PATIENT.timeout };
const ACL = /^ACL SETUSER veritee .*$/m;

const replicas = new Replicas();
let folder: string;
let valkey: Valkey;

const start = (replica: Replica = {}) => replicas.start(valkey.port, replica);

const put = (store: RedisChallengeStore, id: string) => store.put(id, ANYTHING, inSeconds(300));

/** How often the server has carried out a command. */
async function calls(command: string): Promise<number> {
  const statistics = String(await valkey.command('info', 'commandstats'));
  return Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(statistics)?.[1] ?? 0);
}

describe.skipIf(isWithoutValkey('the connection to Valkey'))('the connection to a server', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'veritee-redis-'));
    valkey = await Valkey.start();
  });

  afterEach(async () => {
    await replicas.close();
    await valkey.command('flushall');
  });

  afterAll(async () => {
    await valkey.close();
    await rm(folder, { recursive: true });
  });

  describe('that is cut', () => {
    it.each<[Fault, number, string]>([
      ['half the command passes', 0, 'consumed'],
      ['the answer does not pass', 1, 'used'],
      ['half the answer passes', 1, 'used'],
    ])('STO-04 where %s, is made again, and the command is not sent again', async (fault, sent, then) => {
      const proxy = await FaultyProxy.start(valkey.port);
      try {
        const log = new RecordingLog();
        const store = await replicas.start(proxy.port, { log });
        await put(store, 'c');
        const before = await calls('hmget');
        proxy.failNext(fault);
        await expect(store.consume('c', ASKED)).rejects.toThrow('Connection is closed');
        await vi.waitFor(() => put(store, 'next'), PATIENT);
        expect(await calls('hmget')).toBe(before + sent);
        expect(await stateOf(store.consume('c', ASKED))).toBe(then);
        const told = { store: `127.0.0.1:${proxy.port}`, of: 'challenges' };
        expect(log.entries).toEqual([
          {
            level: 'error',
            message: 'store out of reach',
            fields: { ...told, why: 'the server closed the connection' },
          },
          {
            level: 'info',
            message: 'store answers again',
            fields: { ...told, seconds: expect.any(Number), failures: expect.any(Number) },
          },
        ]);
      } finally {
        await proxy.close();
      }
    });

    it('STO-04 fails what is under way and what comes, and queues nothing', async () => {
      const store = await start();
      for (const id of ['c1', 'c2']) await put(store, id);
      valkey.pause();
      const underWay = expect(store.consume('c1', ASKED)).rejects.toThrow('Connection is closed');
      await valkey.kill();
      await underWay;
      await expect(store.consume('c2', ASKED)).rejects.toThrow('out of reach');
      await expect(put(store, 'c3')).rejects.toThrow('out of reach');
      await valkey.run();
      await isBack(store);
      // Only what was asked since then.
      expect(await calls('hmget')).toBe(1);
      expect(await valkey.command('exists', '{veritee}:challenge:c3')).toBe(0);
    });
  });

  describe('that is slow', () => {
    it('FRS-03 is waited for as long as it may take, and no longer', async () => {
      const log = new RecordingLog();
      const store = await start({ log, ...HURRIED });
      await vi.waitFor(() => put(store, 'c'), PATIENT);
      valkey.pause();
      try {
        await expect(store.consume('c', ASKED)).rejects.toThrow('no answer within 100 ms');
        await expect(put(store, 'd')).rejects.toThrow('no answer within 100 ms');
      } finally {
        valkey.resume();
      }
      await isBack(store);
      expect(log.of(LOST)[0]).toMatchObject({ why: 'no answer within 100 ms' });
      expect(log.of(BACK)).not.toEqual([]);
      // It was carried out late: what was not known then is known now.
      await vi.waitFor(async () => expect(await stateOf(store.consume('c', ASKED))).toBe('used'), PATIENT);
    });

    it('FRS-03 is not taken to be, where its answer has come and this process was busy', async () => {
      const store = await start(HURRIED);
      await vi.waitFor(() => put(store, 'c'), PATIENT);
      const consumed = stateOf(store.consume('c', ASKED));
      // Longer than the limit: nothing is read meanwhile.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5 * HURRIED.commandTimeoutMs);
      expect(await consumed).toBe('consumed');
    });

    it('FRS-03 is given up where it says nothing at all, so that nothing waits for it any more', async () => {
      const store = await start(HURRIED);
      valkey.pause();
      try {
        await vi.waitFor(() => expect(put(store, 'd')).rejects.toThrow('the store is out of reach'), PATIENT);
      } finally {
        valkey.resume();
      }
      await isBack(store);
    });
  });

  describe('to a server that does not take what is sent', () => {
    it('FRS-03 says so where it is full; a challenge that is there can be used all the same', async () => {
      const log = new RecordingLog();
      const store = await start({ log });
      await put(store, 'c');
      await valkey.command('config', 'set', 'maxmemory', 1);
      try {
        await expect(put(store, 'd')).rejects.toThrow(/^OOM /);
        await expect(put(store, 'd')).rejects.toThrow(/^OOM /);
        expect(await stateOf(store.consume('c', ASKED))).toBe('consumed');
      } finally {
        await valkey.command('config', 'set', 'maxmemory', 0);
      }
      await put(store, 'd');
      expect(log.entries.map(({ level, message, fields }) => [level, message, fields])).toMatchObject([
        ['error', 'store refuses a command', { of: 'challenges', command: 'put', why: expect.stringMatching(/^OOM /) }],
        ['info', 'store takes the command again', { of: 'challenges', command: 'put' }],
      ]);
    });

    it('FRS-03 finds out that it has become a replica, and that it is none again', async () => {
      const primary = await Valkey.start();
      try {
        const store = await start();
        await put(store, 'c');
        await valkey.command('replicaof', '127.0.0.1', primary.port);
        // It may not have heard of the challenge yet.
        await expect(store.consume('never put', ASKED)).rejects.toThrow('the server is a replica now');
        await expect(put(store, 'd')).rejects.toThrow('out of reach');
        await valkey.command('replicaof', 'no', 'one');
        await isBack(store);
      } finally {
        await valkey.command('replicaof', 'no', 'one');
        await primary.close();
      }
    });

    it('FRS-03 says so where a record is not what it was', async () => {
      const store = await start();
      await valkey.command('set', '{veritee}:challenge:c', 'a text');
      await expect(store.consume('c', ASKED)).rejects.toThrow('WRONGTYPE');
    });
  });

  describe('to a server that may drop what it holds', () => {
    it('STO-03 is refused at the start', async () => {
      await valkey.command('config', 'set', 'maxmemory-policy', 'allkeys-lru');
      try {
        await expect(start()).rejects.toThrow('maxmemory-policy is allkeys-lru, and has to be noeviction');
      } finally {
        await valkey.command('config', 'set', 'maxmemory-policy', 'noeviction');
      }
    });

    it('STO-03 counts as out of reach later, until it is put right', async () => {
      const log = new RecordingLog();
      const store = await start({ log });
      await put(store, 'c');
      await valkey.command('config', 'set', 'maxmemory-policy', 'volatile-ttl');
      await valkey.command('client', 'kill', 'skipme', 'yes');
      await vi.waitFor(() => expect(log.of(UNFIT)).toHaveLength(1), PATIENT);
      await expect(store.consume('c', ASKED)).rejects.toThrow('out of reach');
      expect(log.of(UNFIT)).toMatchObject([{ why: expect.stringContaining('volatile-ttl') }]);
      await valkey.command('config', 'set', 'maxmemory-policy', 'noeviction');
      await isBack(store);
      expect(await stateOf(store.consume('c', ASKED))).toBe('consumed');
      expect(log.of(BACK)).toHaveLength(1);
    });
  });

  describe('that lets only some in', () => {
    const secured = async (test: (port: number) => Promise<void>) => {
      const server = await Valkey.start(`requirepass "${PASSWORD}"`, `user veritee on ">${PASSWORD}" ~* +@all`);
      try {
        await test(server.port);
      } finally {
        await replicas.close();
        await server.close();
      }
    };

    it('opens with the password, by a user of its own or the default one, and in a database of its own', async () => {
      await secured(async (port) => {
        for (const user of [null, 'veritee']) {
          const store = await replicas.start(port, { settings: { user, password: PASSWORD, database: 3 } });
          await isBack(store);
        }
        await expect(replicas.start(port, { settings: { password: PASSWORD, database: 99 } })).rejects.toThrow(
          'DB index is out of range',
        );
      });
    });

    it('opens with the password of a file, which is read for each connection', async () => {
      const passwordFile = join(folder, 'password');
      const proxied = async (port: number) => {
        await writeFile(passwordFile, `${PASSWORD}\n`);
        const proxy = await FaultyProxy.start(port);
        const log = new RecordingLog();
        const store = await replicas.start(proxy.port, { log, settings: { user: 'veritee', passwordFile } });
        await writeFile(passwordFile, 'wrong');
        proxy.failNext('the answer does not pass');
        await expect(put(store, 'c')).rejects.toThrow();
        await vi.waitFor(() => expect(log.of(UNFIT)).toHaveLength(1), PATIENT);
        expect(log.of(UNFIT)).toMatchObject([{ why: expect.stringContaining('refuses the password: WRONGPASS') }]);
        await writeFile(passwordFile, PASSWORD);
        await isBack(store);
        await proxy.close();
      };
      await secured(proxied);
    });

    it.each([
      ['no password', {}, /^127\.0\.0\.1:\d+: NOAUTH /],
      ['another password', { password: 'wrong' }, /^127\.0\.0\.1:\d+: refuses the password: WRONGPASS /],
      ['another user', { user: 'nobody', password: PASSWORD }, /: refuses the password: WRONGPASS /],
      ['a file that is not there', { passwordFile: '/nowhere/password' }, '/nowhere/password: there is no such file'],
    ])('does not open with %s, and does not tell the password', async (_, settings, message) => {
      await secured(async (port) => {
        const refused = replicas.start(port, { startLimitMs: 60_000, settings });
        await expect(refused).rejects.toThrow(message);
        await expect(refused).rejects.not.toThrow(PASSWORD);
      });
    });

    it('does not tell the password either where the server repeats what it does not know', async () => {
      const server = await Valkey.start('rename-command AUTH ""');
      try {
        const refused = replicas.start(server.port, { settings: { password: PASSWORD } });
        await expect(refused).rejects.toThrow("refuses the password: ERR unknown command 'auth'");
        await expect(refused).rejects.not.toThrow(PASSWORD);
      } finally {
        await server.close();
      }
    });

    it('does not open with a password where the server has none: it is not the one that was meant', async () => {
      await expect(start({ settings: { password: PASSWORD } })).rejects.toThrow('refuses the password: ERR AUTH');
    });

    it('needs no more than the commands and keys of the documentation', async () => {
      const page = readFileSync(new URL('../../../docs/stores.md', import.meta.url), 'utf8');
      const [acl = ''] = ACL.exec(page) ?? [];
      const [, , ...rules] = acl.replace('>…', `>${PASSWORD.replaceAll(' ', '_')}`).split(' ');
      await valkey.command('acl', 'setuser', ...rules);
      try {
        const settings = { user: 'veritee', password: PASSWORD.replaceAll(' ', '_') };
        await isBack(await start({ settings, capacity: 1 }));
        await valkey.command('acl', 'setuser', 'veritee', '-info');
        await expect(start({ startLimitMs: 60_000, settings })).rejects.toThrow(
          /NOPERM .* no permissions to run the 'info' command/,
        );
      } finally {
        await valkey.command('acl', 'deluser', 'veritee');
      }
    });
  });

  describe('over TLS', () => {
    it('is made with a server whose certificate is of the authorities of the file, and with no other', async () => {
      const authority = new TlsAuthority();
      const { key, cert } = authority.issueForLoopback();
      const [keyFile, certFile, ca, others] = ['key', 'cert', 'ca', 'others'].map((name) => join(folder, name));
      await writeFile(`${keyFile}`, key);
      await writeFile(`${certFile}`, cert);
      await writeFile(`${ca}`, authority.pem);
      await writeFile(`${others}`, new TlsAuthority('another one').pem);
      const port = await freePort();
      const server = await Valkey.start(
        `tls-port ${port}`,
        `tls-cert-file ${certFile}`,
        `tls-key-file ${keyFile}`,
        'tls-auth-clients no',
      );
      try {
        const settings = { tls: true, nodes: [{ host: 'localhost', port }] };
        await isBack(await replicas.start(port, { settings: { ...settings, ca: `${ca}` } }));
        for (const wrong of [`${others}`, null]) {
          await expect(replicas.start(port, { settings: { ...settings, ca: wrong } })).rejects.toThrow(
            /self-signed certificate|unable to (verify|get)/,
          );
        }
        await expect(replicas.start(port)).rejects.toThrow(/Connection is closed|ECONNRESET/);
        await expect(replicas.start(port, { settings: { ca: '/nowhere/ca', tls: true } })).rejects.toThrow(
          '/nowhere/ca',
        );
      } finally {
        await replicas.close();
        await server.close();
      }
    });
  });

  describe('over TLS, by name', () => {
    it.each([
      ['localhost', 'localhost'],
      ['127.0.0.1', false],
    ])('tells a server at %s that it is asked for as %s', async (host, name) => {
      const authority = new TlsAuthority();
      const seen: unknown[] = [];
      const server = createServer(authority.issueForLoopback());
      server.on('secureConnection', (socket) => {
        seen.push(socket.servername);
        socket.destroy();
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const ca = join(folder, 'by-name');
      await writeFile(ca, authority.pem);
      const settings = { tls: true, ca, nodes: [{ host, port }] };
      await expect(replicas.start(port, { settings })).rejects.toThrow();
      await vi.waitFor(() => expect(seen).toContain(name), PATIENT);
      server.close();
      await once(server, 'close');
    });
  });

  describe('at the start', () => {
    it('is waited for a while, and then it says why there is none', async () => {
      const port = await freePort();
      await expect(replicas.start(port)).rejects.toThrow(`127.0.0.1:${port}: connect ECONNREFUSED`);
      const settings = { nodes: [{ host: 'localhost', port }] };
      await expect(replicas.start(port, { settings })).rejects.toThrow(/^localhost:\d+: .*ECONNREFUSED/);
    });

    it('is made where the server comes up meanwhile', async () => {
      const late = await Valkey.start();
      await late.kill();
      const starting = replicas.start(late.port, { startLimitMs: 60_000 });
      await late.run();
      await isBack(await starting);
      await replicas.close();
      await late.close();
    });

    it('is not made with a server that is loading its data', async () => {
      const loading = await Valkey.start('key-load-delay 20000', 'loading-process-events-interval-bytes 1024');
      try {
        for (let index = 0; index < 1000; index++) await loading.command('set', `k${index}`, 'x'.repeat(200));
        await loading.command('save');
        await loading.kill();
        const said = loading.run().catch(() => undefined);
        await vi.waitFor(async () => {
          await expect(replicas.start(loading.port)).rejects.toThrow(/LOADING /);
        }, PATIENT);
        await loading.kill();
        await said;
      } finally {
        await loading.close();
      }
    });

    it('is not made with a server that refuses scripts, and does not wait for it', async () => {
      const refusing = await Valkey.start('rename-command EVAL ""');
      try {
        await expect(replicas.start(refusing.port, { startLimitMs: 60_000 })).rejects.toThrow(
          "does not let veritee run scripts (EVAL): ERR unknown command 'eval'",
        );
      } finally {
        await refusing.close();
      }
    });

    it('is not made with a node of a Cluster, a Sentinel or a replica in the place of a server', async () => {
      const [node, sentinel, replica] = [
        await Valkey.start('cluster-enabled yes', `cluster-port ${await freePort()}`),
        await Valkey.startSentinel(`sentinel monitor main 127.0.0.1 ${valkey.port} 1`),
        await Valkey.start(`replicaof 127.0.0.1 ${valkey.port}`),
      ];
      try {
        await expect(replicas.start(node.port)).rejects.toThrow('is a node of a Cluster, and the mode is single');
        await expect(replicas.start(sentinel.port)).rejects.toThrow(
          'INFO does not tell its maxmemory-policy, as with a Sentinel or a managed service that hides it',
        );
        await expect(replicas.start(replica.port)).rejects.toThrow('is no primary, but a slave');
      } finally {
        await Promise.all([node.close(), sentinel.close(), replica.close()]);
      }
    });
  });

  it('ends with the store, and says nothing of it', async () => {
    const proxy = await FaultyProxy.start(valkey.port);
    const log = new RecordingLog();
    const store = await replicas.start(proxy.port, { log });
    expect(proxy.connections).toBe(1);
    await store.close();
    await vi.waitFor(() => expect(proxy.connections).toBe(0), PATIENT);
    await expect(store.consume('c', ASKED)).rejects.toThrow('out of reach');
    expect(log.entries).toEqual([]);
    await proxy.close();
  });
});
