import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { checkConfiguration } from '../../../src/app/check/check-configuration.js';
import { type RunningService, startService } from '../../../src/app/service.js';
import { SYSTEM_CLOCK } from '../../../src/app/system.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { PROJECT, readProjectFile } from '../../architecture/project-files.js';
import { createAmdPki, createVirtualMachine } from '../../lab/index.js';
import { isLacking } from '../../requirements.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { PostgresLogs, SERVICE } from '../stores/postgres-logs.js';
import { isWithoutPostgres, PostgresServer } from '../stores/postgres-server.js';
import { call, post } from './lab-service.js';

const COMPOSE = parse(readProjectFile('deploy/compose.yaml'), { merge: true });
const REPLICAS = ['veritee-1', 'veritee-2'];

/** A folder with what somebody has of deploy/ after the first step of it. */
let root: string;
let before: string;

const made = (name: string) => join(root, 'secrets', name);

/** A text in which files of the containers are those of this machine. */
function onThisMachine(text: string): string {
  return text.replaceAll(/\/run\/secrets\/([a-z-]+)/g, (_, name) => join(root, COMPOSE.secrets[name].file));
}

function environment(): Record<string, string> {
  const lines = readFileSync(made('caller.env'), 'utf8').trim().split('\n');
  return Object.fromEntries(lines.map((line) => line.split('=', 2)));
}

function makeSecrets(): string {
  return execFileSync('sh', [join(root, 'compose/make-secrets.sh')], { stdio: 'pipe', encoding: 'utf8' });
}

const WITHOUT_OPENSSL = isLacking('deploy/compose.yaml', [{ what: 'openssl', command: ['openssl', 'version'] }]);

describe.skipIf(WITHOUT_OPENSSL)('deploy/compose.yaml', () => {
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'veritee-compose-'));
    cpSync(join(PROJECT, 'deploy/compose'), join(root, 'compose'), { recursive: true });
    makeSecrets();
    before = process.cwd();
    process.chdir(root);
  });

  afterAll(() => {
    process.chdir(before);
    rmSync(root, { recursive: true, force: true });
  });

  it('names files that are there, and mounts none that could be written', () => {
    for (const { volumes = [] } of Object.values<{ volumes?: readonly Record<string, unknown>[] }>(COMPOSE.services)) {
      for (const { type, source, target, read_only } of volumes) {
        if (type === 'volume') expect(COMPOSE.volumes).toHaveProperty(String(source));
        else
          expect([existsSync(join(PROJECT, 'deploy', String(source))), read_only, target]).toEqual([
            true,
            true,
            target,
          ]);
      }
    }
    for (const { file } of Object.values<{ file: string }>(COMPOSE.secrets))
      expect(existsSync(join(root, file))).toBe(true);
  });

  it('has replicas that differ in the volume of what they write alone', () => {
    const [one, other] = REPLICAS.map((name) => COMPOSE.services[name]);
    const {
      volumes: [configuration, socket, own],
      ...rest
    } = one;
    const {
      volumes: [sameConfiguration, sameSocket, others],
      ...same
    } = other;
    expect([configuration, socket, rest]).toEqual([sameConfiguration, sameSocket, same]);
    expect([own.target, own.source]).not.toEqual([others.target, others.source]);
    expect(one.secrets).toEqual(['challenges-key', 'receipts-key', 'store-password']);
    expect(one.environment).toBeUndefined();
  });

  it('has a balancer that knows all replicas, and that they trust', () => {
    const configuration = parse(readProjectFile('deploy/compose/veritee.yaml'));
    const servers = [...readProjectFile('deploy/compose/haproxy.cfg').matchAll(/^ {4}server (\S+) (\S+)$/gm)];
    expect(servers.map(([, name, address]) => [name, address])).toEqual(
      REPLICAS.map((name) => [name, `${name}:${configuration.listen.port}`]),
    );
    expect(configuration.listen.trustedProxies).toEqual([COMPOSE.services.balancer.networks.front.ipv4_address]);
  });

  it('has a store on no network, whose socket replicas and the maker of the tables share alone', () => {
    const { postgres, tables } = COMPOSE.services;
    expect([postgres.network_mode, tables.network_mode, postgres.ports]).toEqual(['none', 'none', undefined]);
    expect(postgres.command).toContain('listen_addresses=');
    const sharing = Object.entries<{ volumes: readonly { source: string }[] }>(COMPOSE.services).filter(
      ([, { volumes }]) => volumes.some(({ source }) => source === 'socket'),
    );
    expect(sharing.map(([name]) => name)).toEqual([...REPLICAS, 'tables', 'postgres']);
  });

  it('has a store that is healthy once it is the first process, and no server that the image starts for itself', () => {
    const [form, command] = COMPOSE.services.postgres.healthcheck.test;
    expect([form, command]).toEqual(['CMD-SHELL', expect.stringContaining('/data/postmaster.pid')]);
    const script = command.replace('/var/lib/postgresql/data', root).replace(/pg_isready.*$/, 'true');
    const isHealthy = (processId: number) => {
      writeFileSync(join(root, 'postmaster.pid'), `${processId}\n/var/lib/postgresql/data\n`);
      return spawnSync('sh', ['-c', script]).status === 0;
    };
    expect([48, 11, 1].map(isHealthy)).toEqual([false, false, true]);
  });

  it('gives the password of the owner to nobody who serves', () => {
    for (const name of REPLICAS) expect(COMPOSE.services[name].secrets).not.toContain('store-owner-password');
    expect(COMPOSE.services.tables.secrets).toEqual(['store-owner-password']);
  });

  it('has secrets that are made once, each for whom it is', () => {
    expect(() => makeSecrets()).toThrow('nothing was made');
    expect(statSync(join(root, 'secrets')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(root, 'secrets')).toSorted()).toEqual([
      'api-key',
      'caller.env',
      'challenges-key',
      'receipts-key',
      'store-owner-password',
      'store-password',
    ]);
    const passwords = ['store-password', 'store-owner-password'].map((name) => readFileSync(made(name), 'utf8').trim());
    for (const password of passwords) expect(password).toMatch(/^[0-9a-f]{48}$/);
    expect(new Set(passwords).size).toBe(2);
  });

  it('mounts a configuration with which the service starts', async () => {
    const file = join(root, 'veritee.yaml');
    writeFileSync(file, onThisMachine(readProjectFile('deploy/compose/veritee.yaml')));
    const checked = await checkConfiguration({ file, environment: environment(), clock: SYSTEM_CLOCK });
    expect(checked.filter(({ severity }) => severity === 'error')).toEqual([]);
    const without = await checkConfiguration({ file, environment: {}, clock: SYSTEM_CLOCK });
    expect(without.filter(({ severity }) => severity === 'error')).not.toEqual([]);
  });

  describe.skipIf(isWithoutPostgres('the store of deploy/compose.yaml'))('its store', () => {
    const running: RunningService[] = [];
    let logs: PostgresLogs;

    beforeAll(async () => {
      // Over the socket, a password is asked for, but not of the owner of the tests.
      const hba = ['local all veritee trust', 'host all veritee 127.0.0.1/32 trust', 'local all all scram-sha-256'];
      logs = new PostgresLogs(await PostgresServer.start({ hba }));
      await logs.migrate();
      await logs.server.sql(`ALTER ROLE ${SERVICE} PASSWORD '${readFileSync(made('store-password'), 'utf8').trim()}'`);
    });

    afterAll(async () => {
      await Promise.all(running.map((service) => service.close()));
      await logs.close();
      await logs.server.close();
    });

    it('lets the replicas in with what they have, and keeps what they decide and issue', async () => {
      const { socketFolder, port, database } = logs.server;
      const text = onThisMachine(readProjectFile('deploy/compose/veritee.yaml')).replace(
        'veritee_service@%2Fvar%2Frun%2Fpostgresql/attestation',
        `${SERVICE}@${encodeURIComponent(socketFolder)}:${port}/${database}`,
      );
      const offline = { amd: { kds: 'off' }, intel: { pcs: 'off' }, maa: { shared: false } };
      const configured = { ...parse(text), listen: { host: '127.0.0.1', port: 0 }, ...offline };
      const configuration = loadConfiguration({ text: JSON.stringify(configured), environment: environment() });
      for (const _ of REPLICAS) {
        running.push(await startService(configuration, { log: new RecordingLog(), storeTimeoutMs: 10_000 }));
      }
      const headers = { authorization: `Bearer ${readFileSync(made('api-key'), 'utf8').trim()}` };
      for (const { url } of running) {
        expect((await post(url, '/challenges', '{}', headers)).status).toBe(200);
        expect((await call(url, '/decisions', { headers })).body).toEqual({ decisions: [], next: null });
        expect((await call(url, '/decisions')).status).toBe(401);
      }
      const metrics = await call(running[0]?.url ?? '', '/metrics', { headers });
      expect(metrics.body).toContain('veritee_decision_store_available 1');
    });

    it('still has what was decided after it was killed and started again', async () => {
      const [{ url } = { url: '' }] = running;
      const headers = { authorization: `Bearer ${readFileSync(made('api-key'), 'utf8').trim()}` };
      const vm = await createVirtualMachine({ pki: createAmdPki({ at: new Date() }) });
      const nonce = randomBytes(32);
      const asked = JSON.stringify({ evidence: vm.wireEvidence({ nonce }), nonce: nonce.toString('base64url') });
      const { decisionId } = (await post(url, '/verify', asked, headers)).body;
      await logs.server.restart('immediate');
      await expect
        .poll(async () => (await call(url, `/decisions/${decisionId}`, { headers })).status, { timeout: 10_000 })
        .toBe(200);
    });
  });
});
