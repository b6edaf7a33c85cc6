import { createHash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ManagementPortError } from '../../../src/app/open-management.js';
import type { RunningService } from '../../../src/app/service.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { TlsAuthority } from '../../lab/index.js';
import { TlsClient } from '../http/tls-client.js';
import { call, LabService, MovableClock, post, verdictOf } from './lab-service.js';

const KEY = 'key-of-the-scraper-0123456789abcdef';
const AS_SCRAPER = { 'x-api-key': KEY };
const scraper = {
  apiKeySha256: createHash('sha256').update(KEY).digest('hex'),
  expires: '2099-01-01',
  roles: ['verify', 'metrics'],
};

const PATIENCE = { timeout: 30_000 };

const authority = new TlsAuthority();
let lab: LabService;

beforeAll(async () => {
  lab = await LabService.create();
});

afterEach(() => lab.stop());

afterAll(() => lab.close());

const apart = (management: object = {}, listen: object = {}) => ({
  listen: { port: 0, ...listen, management: { port: 0, ...management } },
  callers: { scraper },
});

function managementUrl({ managementUrl: url }: RunningService): string {
  if (url === null) throw new Error('there is no management listener');
  return url;
}

const statuses = async (url: string) =>
  Promise.all(
    ['/livez', '/readyz', '/metrics'].map(async (path) => (await call(url, path, { headers: AS_SCRAPER })).status),
  );

async function writeTls(name: string) {
  const { cert, key } = authority.issueForLoopback();
  const [certFile, keyFile] = [join(lab.root, `${name}.crt`), join(lab.root, `${name}.key`)];
  await writeFile(certFile, cert);
  await writeFile(keyFile, key);
  return { cert: certFile, key: keyFile };
}

describe('the management listener of a service', () => {
  it('serves probes and metrics at an address of its own, and the service serves neither', async () => {
    const service = await lab.start(apart(), {}, 'apart');
    expect(new URL(managementUrl(service)).port).not.toBe(new URL(service.url).port);
    expect(await statuses(managementUrl(service))).toEqual([200, 200, 200]);
    expect(await statuses(service.url)).toEqual([404, 404, 404]);
    expect((await post(managementUrl(service), '/verify', '{}', AS_SCRAPER)).status).toBe(404);
    expect((await call(managementUrl(service), '/metrics')).status).toBe(401);
    expect(verdictOf(await lab.verify(service, { headers: AS_SCRAPER }))).toEqual(['allow']);
    const { body } = await call(managementUrl(service), '/metrics', { headers: AS_SCRAPER });
    expect(body).toContain('veritee_decisions_total{outcome="allow",reason="none",evidence_type="az-snp-vtpm"} 1\n');
    // Requests there are no requests of the service.
    expect(body).not.toContain('route="/livez"');
  });

  it('is not there unless it is configured', async () => {
    const service = await lab.start({ callers: { scraper } }, {}, 'beside');
    expect(service.managementUrl).toBeNull();
    expect(await statuses(service.url)).toEqual([200, 200, 200]);
  });

  it('has TLS of its own, which a reload reads again', async () => {
    const tls = await writeTls('management');
    const keys = apart({ tls });
    const service = await lab.start(keys, {}, 'tls');
    const port = Number(new URL(managementUrl(service)).port);
    const before = await TlsClient.connect(port, { ca: authority.pem });
    expect(await before.ask('/readyz')).toBe(200);
    await writeTls('management');
    await service.reload();
    const after = await TlsClient.connect(port, { ca: authority.pem });
    expect([await before.ask(), await after.ask()]).toEqual([200, 200]);
    expect(after.serverFingerprint).not.toBe(before.serverFingerprint);
    expect(lab.output).toContain('"changed":["listen.management.tls.cert","listen.management.tls.key"]');
    await writeFile(tls.cert, 'none');
    await service.reload();
    expect(lab.output).toContain(`listen.management.tls.cert: ${tls.cert}: has no block that begins with`);
    const kept = await TlsClient.connect(port, { ca: authority.pem });
    expect(kept.serverFingerprint).toBe(after.serverFingerprint);
    const figures = kept.ask('/metrics', AS_SCRAPER);
    expect(await figures).toBe(200);
    for (const client of [before, after, kept]) client.close();
  });

  it('is named with what of it needs a restart', async () => {
    const { kds, chainFolder, policyFolder, root } = lab;
    const read = (management: object | null) =>
      loadConfiguration({
        text: JSON.stringify({
          amd: { kds: kds.origin, chains: chainFolder },
          policies: { directory: policyFolder },
          stores: { url: `sqlite:${join(root, 'restart', 'veritee.db')}` },
          callers: { scraper },
          listen: { port: 0, management },
        }),
        environment: {},
      });
    const needed: string[] = [];
    for (const management of [
      null,
      { port: 1 },
      { port: 0, metrics: 'open' },
      { port: 0, tls: await writeTls('later') },
    ]) {
      const service = await lab.start(apart(), { readConfiguration: async () => read(management) }, 'restart');
      const before = lab.output.length;
      await service.reload();
      needed.push(...(/"needRestart":\[([^\]]*)\]/.exec(lab.output.slice(before))?.[1]?.split(',') ?? []));
      expect((await call(managementUrl(service), '/livez')).status).toBe(200);
      await lab.stop();
    }
    expect(needed.map((key) => JSON.parse(key)).filter((key) => key.includes('management'))).toEqual([
      'listen.management',
      'listen.management.port',
      'listen.management.metrics',
      'listen.management.tls',
    ]);
  });

  it('shows when its certificate ends', async () => {
    const service = await lab.start(apart({ tls: await writeTls('ending') }), {}, 'ending');
    const port = Number(new URL(managementUrl(service)).port);
    const dispatcher = new Agent({ connect: { ca: authority.pem } });
    const { body } = await request(`https://127.0.0.1:${port}/metrics`, { headers: AS_SCRAPER, dispatcher });
    const figure = /^veritee_certificate_expiry_seconds\{file="listen\.management\.tls\.cert"\} \d+$/m;
    expect(await body.text()).toMatch(figure);
    await dispatcher.destroy();
  });

  it('keeps the service from starting where its port is taken, and nothing stays open', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(lab.start(apart({ port }), {}, 'taken')).rejects.toThrow(ManagementPortError);
    await new Promise((resolve) => other.close(resolve));
  });

  it('says first that the service stops, and stays until the last answer has left', async () => {
    const service = await lab.start(apart(), {}, 'stopping');
    const unbound = async () => {
      const refused = (error: { readonly code?: string }) => error.code === 'ECONNREFUSED';
      return call(service.url, '/openapi.json').then(() => false, refused);
    };
    lab.kds.fail(/^\/vcek\/v1\/\w+\/[0-9a-f]+\?/, 'half_open');
    const asked = lab.kds.requests.length;
    const answer = lab.verify(service, { headers: AS_SCRAPER });
    await expect.poll(() => lab.kds.requests.length, PATIENCE).toBeGreaterThan(asked);
    const closed = service.close();
    const ready = await call(managementUrl(service), '/readyz', { headers: AS_SCRAPER });
    expect([ready.status, ready.body]).toEqual([
      503,
      { ready: false, problems: [{ code: 'stopping', reason: 'the service is stopping' }] },
    ]);
    await expect.poll(unbound, PATIENCE).toBe(true);
    expect((await call(managementUrl(service), '/livez')).status).toBe(200);
    const { body } = await call(managementUrl(service), '/metrics', { headers: AS_SCRAPER });
    expect(body).toContain('veritee_readiness_problem{code="stopping"} 1\n');
    expect(body).toContain('veritee_verifications{state="running"} 1\n');
    expect(verdictOf(await answer)).toEqual(expect.arrayContaining(['indeterminate', 'vcek_unavailable']));
    await closed;
    await lab.kds.heal();
    await expect(call(managementUrl(service), '/livez')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('readiness', () => {
  it('fails where the clock has jumped, and where the store of challenges fails, until it works again', async () => {
    const clock = new MovableClock();
    const service = await lab.start({}, { clock }, 'health');
    const codes = async () =>
      (await call(service.url, '/readyz')).body.problems.map(({ code }: { readonly code: string }) => code);
    expect(await codes()).toEqual([]);
    const file = join(lab.root, 'health', 'veritee.db');
    await rename(file, `${file}.away`);
    expect((await post(service.url, '/challenges', '{}')).status).toBe(503);
    expect(await codes()).toEqual(['nonce_store']);
    clock.setBy(3_600_000);
    expect(await codes()).toEqual(['clock', 'nonce_store']);
    clock.setBy(-3_600_000);
    expect(await codes()).toEqual(['clock', 'nonce_store']);
    clock.advance(60_000);
    await rename(`${file}.away`, file);
    // Nobody asks for a challenge meanwhile.
    await expect.poll(codes, PATIENCE).toEqual([]);
  });

  it('does not fail because a source is out of reach', async () => {
    const service = await lab.start({}, {}, 'upstream');
    lab.kds.fail(/./, { status: 500 });
    expect(verdictOf(await lab.verify(service))).toEqual(expect.arrayContaining(['indeterminate', 'vcek_unavailable']));
    expect((await call(service.url, '/readyz')).body).toEqual({ ready: true, problems: [] });
    const { body } = await call(service.url, '/metrics');
    expect(body).toMatch(/^veritee_origin_reachable\{host="[^"]+"\} 0$/m);
    await lab.kds.heal();
  });
});

it('the metrics show versions, stages, attempts to fetch, what was fetched and what was used', async () => {
  const service = await lab.start({}, {}, 'figures');
  expect(verdictOf(await lab.verify(service))).toEqual(['allow']);
  const { body } = await call(service.url, '/metrics');
  const { version } = JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8'));
  expect(body).toContain(`veritee_build_info{version="${version}",node_version="${process.version}"} 1\n`);
  for (const stage of ['wait', 'challenge', 'endorsements', 'judge', 'sign', 'record']) {
    expect(body).toContain(`veritee_stage_duration_seconds_count{stage="${stage}"} 1\n`);
  }
  const { host } = new URL(lab.kds.origin);
  const fetched = Number(
    new RegExp(`^veritee_fetches_total\\{host="${host}",outcome="answered"\\} (\\d+)$`, 'm').exec(body)?.[1],
  );
  expect(fetched).toBeGreaterThanOrEqual(3);
  const held = (name: string) =>
    Number(
      new RegExp(`^veritee_fetched_endorsement_${name}_seconds\\{kind="crl",source="amd.kds"\\} (-?\\d+)$`, 'm').exec(
        body,
      )?.[1],
    );
  expect(held('age')).toBeLessThan(600);
  expect(held('expiry')).toBeGreaterThan(600);
  expect(body).toContain('veritee_endorsements_used_total{kind="vcek",source="network"} 1\n');
  expect(body).toContain(
    'veritee_policy_decisions_total{tenant="default",policy="azure-cvm-baseline",outcome="allow",reason="none"} 1\n',
  );
  expect(body).toContain('veritee_verifications{state="running"} 0\n');
  await lab.verify(service);
  const again = await call(service.url, '/metrics');
  expect(again.body).toContain('veritee_endorsements_used_total{kind="vcek",source="cache"} 1\n');
});
