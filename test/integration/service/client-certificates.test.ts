import { createHash, X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningService, startService } from '../../../src/app/service.js';
import { SYSTEM_CLOCK } from '../../../src/app/system.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import type { Clock } from '../../../src/core/ports.js';
import { TlsAuthority, type TlsIdentity } from '../../lab/tls-authority.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { TlsClient, type TlsClientOptions } from '../http/tls-client.js';
import { MovableClock } from './lab-service.js';

const servers = new TlsAuthority('servers');
const clients = new TlsAuthority('clients');
const URI = 'spiffe://example.org/ns/gates/sa/release';
const KEY = 'key-of-the-caller-ci';
const HOUR_MS = 3_600_000;

const ofMesh = clients.issueForClient({ uris: [URI], serial: 10 });
const ofHost = clients.issueForClient({ dnsNames: ['gate.example.org'], serial: 11 });
const ofPinned = clients.issueForClient({ serial: 12 });
const ofNobody = clients.issueForClient({ uris: ['spiffe://example.org/other'], serial: 13 });

const spkiSha256 = ({ cert }: TlsIdentity) =>
  createHash('sha256')
    .update(new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');

const CALLERS = {
  mesh: { mtls: { uri: URI }, roles: ['metrics'] },
  host: { mtls: { dns: 'gate.example.org' }, roles: ['metrics'] },
  pinned: { mtls: { spkiSha256: spkiSha256(ofPinned) }, roles: ['verify'] },
  ci: { apiKeySha256: createHash('sha256').update(KEY).digest('hex'), expires: '2099-01-01', roles: ['metrics'] },
};

let folder: string;
let log: RecordingLog;
let service: RunningService;
let connections: TlsClient[];
let members: Readonly<Record<string, unknown>>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veritee-mtls-'));
  log = new RecordingLog();
  connections = [];
});

afterEach(async () => {
  for (const connection of connections) connection.close();
  await service.close();
  await rm(folder, { recursive: true });
});

const path = (name: string) => join(folder, name);

function read() {
  const tls = { cert: path('cert.pem'), key: path('key.pem'), clientCa: path('ca.pem') };
  const { withCrl = false, ...others } = members;
  const text = JSON.stringify({
    amd: { kds: 'off', chains: path('amd') },
    intel: { pcs: 'off', collateral: path('intel') },
    stores: { url: `sqlite:${path('veritee.db')}` },
    callers: CALLERS,
    ...others,
    listen: { port: 0, tls: { ...tls, ...(withCrl === true ? { clientCrl: path('crl.pem') } : {}) } },
  });
  return loadConfiguration({ text, environment: {} });
}

async function start(configured: Readonly<Record<string, unknown>> = {}, clock: Clock = SYSTEM_CLOCK): Promise<void> {
  members = configured;
  const { cert, key } = servers.issueForLoopback();
  await writeFile(path('cert.pem'), cert);
  await writeFile(path('key.pem'), key);
  await writeFile(path('ca.pem'), clients.pem);
  service = await startService(read(), { log, clock, readConfiguration: async () => read() });
}

async function connect(options: Partial<TlsClientOptions> = {}): Promise<TlsClient> {
  const port = Number(new URL(service.url).port);
  const client = await TlsClient.connect(port, { ca: servers.pem, ...options });
  connections.push(client);
  return client;
}

/** Status of a call that needs the role `metrics`, with a new connection; null if it is not let in. */
const statusOf = async (identity: TlsIdentity, headers: Readonly<Record<string, string>> = {}) =>
  (await connect({ identity })).ask('/metrics', headers);

describe('a client certificate', () => {
  it.each([
    ['uri', ofMesh, 200],
    ['dns', ofHost, 200],
    ['spkiSha256', ofPinned, 403],
  ])('by its %s has the roles of its caller', async (_mark, identity, status) => {
    await start();
    expect(await statusOf(identity)).toBe(status);
    expect(await statusOf(ofNobody)).toBe(401);
  });

  it('of no caller is asked of callers by API key too, and does not stand in their way', async () => {
    await start();
    expect(await statusOf(ofNobody, { 'x-api-key': KEY })).toBe(200);
    const other = new TlsAuthority('others').issueForClient({ uris: [URI] });
    expect(await statusOf(other, { 'x-api-key': KEY })).toBeNull();
  });

  it('of another caller than the key is nobody', async () => {
    await start();
    expect(await statusOf(ofMesh, { 'x-api-key': KEY })).toBe(401);
  });

  it('of a proxy’s headers is not looked at', async () => {
    await start();
    const pem = encodeURIComponent(ofMesh.cert);
    const headers = {
      'X-Forwarded-Client-Cert': `By=spiffe://example.org/proxy;URI=${URI};Cert="${pem}"`,
      'X-SSL-Client-Cert': pem,
      'SSL-Client-Cert': pem,
      'X-Client-Cert': pem,
      'Client-Cert': `:${new X509Certificate(ofMesh.cert).raw.toString('base64')}:`,
    };
    expect(await statusOf(ofNobody, headers)).toBe(401);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('is that of a session that is resumed, by %s', async (version) => {
    await start();
    const first = await connect({ identity: ofMesh, version });
    expect(await first.ask('/metrics')).toBe(200);
    const resumed = await connect({ identity: ofMesh, version, session: first.session });
    expect(resumed.isResumed).toBe(true);
    expect(await resumed.ask('/metrics')).toBe(200);
  });

  it.each([{}, { 'x-api-key': KEY }])(
    'that has ended since its connection began is refused, and the connection ends, with the headers %j',
    async (headers) => {
      const clock = new MovableClock();
      await start({}, clock);
      const notAfter = new Date(Date.now() + HOUR_MS);
      const uris = 'x-api-key' in headers ? [] : [URI];
      const client = await connect({ identity: clients.issueForClient({ uris, notAfter }) });
      expect(await client.ask('/metrics', headers)).toBe(200);
      clock.advance(2 * HOUR_MS);
      expect(await client.ask('/metrics', headers)).toBe(401);
      await client.ended;
      const renewed = await connect({ identity: clients.issueForClient({ uris }) });
      expect(await renewed.ask('/metrics', headers)).toBe(200);
    },
  );

  it('twin: of nobody is refused, and the connection stays', async () => {
    await start();
    const client = await connect({ identity: ofNobody });
    expect([await client.ask('/metrics'), await client.ask('/livez'), client.isOpen]).toEqual([401, 200, true]);
  });
});

describe('a client certificate, with listen.tls.clientCrl,', () => {
  it('that is on a CRL of its CA does not connect', async () => {
    await writeFile(path('crl.pem'), clients.crl([10]));
    await start({ withCrl: true });
    expect(await statusOf(ofMesh)).toBeNull();
    expect(await statusOf(ofHost)).toBe(200);
  });

  it('that comes onto a CRL loses its connection and its session at a reload', async () => {
    await writeFile(path('crl.pem'), clients.crl([]));
    await start({ withCrl: true });
    const client = await connect({ identity: ofMesh });
    expect(await client.ask('/metrics')).toBe(200);
    const { session } = client;
    await writeFile(path('crl.pem'), clients.crl([10]));
    await service.reload();
    await client.ended;
    expect(await (await connect({ identity: ofMesh, session })).ask('/metrics')).toBeNull();
    expect(await statusOf(ofHost)).toBe(200);
  });

  it('twin: keeps its connection at a reload of the same CRL', async () => {
    await writeFile(path('crl.pem'), clients.crl([]));
    await start({ withCrl: true });
    const client = await connect({ identity: ofMesh });
    expect(await client.ask('/metrics')).toBe(200);
    await service.reload();
    expect(await client.ask('/metrics')).toBe(200);
  });

  it('does not connect where the CRL has expired', async () => {
    await writeFile(path('crl.pem'), clients.crl([], new Date(Date.now() - 1000)));
    await start({ withCrl: true });
    expect(await statusOf(ofMesh)).toBeNull();
    expect(log.of(/a CRL of client certificates has expired/)).toHaveLength(1);
  });

  it('is as before where a reload meets a CRL of another CA', async () => {
    await writeFile(path('crl.pem'), clients.crl([10]));
    await start({ withCrl: true });
    await writeFile(path('crl.pem'), servers.crl([]));
    await service.reload();
    expect(log.of(/callers and TLS material not reloaded/)).toEqual([
      { problems: [expect.stringMatching(/^listen\.tls\.clientCrl: .+: has no CRL of CN=clients$/)] },
    ]);
    expect([await statusOf(ofMesh), await statusOf(ofHost)]).toEqual([null, 200]);
  });
});
