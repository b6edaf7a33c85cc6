import { execFileSync } from 'node:child_process';
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
import { isWithoutValkey, Valkey } from '../stores/valkey.js';
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
      volumes: [configuration, own],
      ...rest
    } = one;
    const {
      volumes: [sameConfiguration, others],
      ...same
    } = other;
    expect([configuration, rest]).toEqual([sameConfiguration, same]);
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

  it('lets the store be reached by replicas alone', () => {
    expect(COMPOSE.networks.store.internal).toBe(true);
    const inside = Object.entries<{ networks: object }>(COMPOSE.services).filter(([, { networks }]) =>
      JSON.stringify(networks).includes('store'),
    );
    expect(inside.map(([name]) => name)).toEqual([...REPLICAS, 'valkey']);
    expect(COMPOSE.services.valkey.ports).toBeUndefined();
  });

  it('has secrets that are made once, each for whom it is', () => {
    expect(() => makeSecrets()).toThrow('nothing was made');
    expect(statSync(join(root, 'secrets')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(root, 'secrets')).toSorted()).toEqual([
      'api-key',
      'caller.env',
      'challenges-key',
      'receipts-key',
      'store-password',
      'store-users',
    ]);
    const [acl = ''] = /^ACL SETUSER (veritee .*)$/m.exec(readProjectFile('docs/stores.md'))?.slice(1) ?? [];
    const password = readFileSync(made('store-password'), 'utf8').trim();
    expect(readFileSync(made('store-users'), 'utf8')).toBe(
      `user default off ~* &* +@all\nuser ${acl.replace('>…', `>${password}`)}\n`,
    );
  });

  it('mounts a configuration with which the service starts', async () => {
    const file = join(root, 'veritee.yaml');
    writeFileSync(file, onThisMachine(readProjectFile('deploy/compose/veritee.yaml')));
    const checked = await checkConfiguration({ file, environment: environment(), clock: SYSTEM_CLOCK });
    expect(checked.filter(({ severity }) => severity === 'error')).toEqual([]);
    const without = await checkConfiguration({ file, environment: {}, clock: SYSTEM_CLOCK });
    expect(without.filter(({ severity }) => severity === 'error')).not.toEqual([]);
  });

  describe.skipIf(isWithoutValkey('the store of deploy/compose.yaml'))('its store', () => {
    const running: RunningService[] = [];
    let valkey: Valkey;

    beforeAll(async () => {
      const lines = onThisMachine(readProjectFile('deploy/compose/valkey.conf')).split('\n');
      // Its folder is that of the test.
      valkey = await Valkey.start(...lines.filter((line) => !line.startsWith('dir ')));
    });

    afterAll(async () => {
      await Promise.all(running.map((service) => service.close()));
      await valkey.close();
    });

    it('lets the replicas in with what they have, and keeps what they decide and issue', async () => {
      const text = onThisMachine(readProjectFile('deploy/compose/veritee.yaml')).replace(
        '@valkey',
        `@127.0.0.1:${valkey.port}`,
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
      await valkey.kill();
      await valkey.run();
      await expect
        .poll(async () => (await call(url, `/decisions/${decisionId}`, { headers })).status, { timeout: 10_000 })
        .toBe(200);
    });
  });
});
