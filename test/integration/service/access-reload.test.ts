import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectPlainly } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningService, startService } from '../../../src/app/service.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { pemOf } from '../../lab/pki.js';
import { TlsAuthority } from '../../lab/tls-authority.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { derOf } from '../../unit/small-pki.js';
import { jwkOf, keySetOf, TOKEN_KEYS } from '../../unit/token-jwk.js';
import { call } from '../http/exchange.js';
import { TlsClient, type TlsClientOptions } from '../http/tls-client.js';

const authority = new TlsAuthority();
const [oldCa, newCa] = [new TlsAuthority('old'), new TlsAuthority('new')];
const oldClient = { ca: authority.pem, identity: oldCa.issueForLoopback() };
const newClient = { ca: authority.pem, identity: newCa.issueForLoopback() };

const KEPT = 'key-of-a-caller-that-stays';
const GONE = 'key-of-a-caller-that-goes';
const NEW = 'key-of-a-caller-that-comes';

const caller = (key: string, members: object = {}) => ({
  apiKeySha256: createHash('sha256').update(key).digest('hex'),
  expires: '2099-01-01',
  roles: ['verify', 'metrics'],
  ...members,
});

let folder: string;
let log: RecordingLog;
let service: RunningService;
/** The present content of the file. */
let members: Readonly<Record<string, unknown>>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veritee-reload-'));
  log = new RecordingLog();
});

afterEach(async () => {
  await service.close();
  await rm(folder, { recursive: true });
});

const path = (name: string) => join(folder, name);
const port = () => Number(new URL(service.url).port);

function read() {
  const text = JSON.stringify({
    amd: { kds: 'off', chains: path('amd') },
    intel: { pcs: 'off', collateral: path('intel') },
    stores: { url: `sqlite:${path('veritee.db')}` },
    ...members,
    listen: { port: 0, ...(members['listen'] as object) },
  });
  return loadConfiguration({ text, environment: {} });
}

async function start(configured: Readonly<Record<string, unknown>>): Promise<void> {
  members = configured;
  service = await startService(read(), { log, readConfiguration: async () => read() });
}

/** Reads again, with these members in the file, and gives the last record of the log. */
async function reload(changed: Readonly<Record<string, unknown>> = members) {
  members = changed;
  await service.reload();
  return log.entries.at(-1);
}

async function writeTls(clientCa: string | null = null, identity = authority.issueForLoopback()) {
  await writeFile(path('cert.pem'), identity.cert);
  await writeFile(path('key.pem'), identity.key);
  if (clientCa !== null) await writeFile(path('ca.pem'), clientCa);
}

const withTls = (clientCa: boolean) => ({
  listen: { tls: { cert: path('cert.pem'), key: path('key.pem'), ...(clientCa ? { clientCa: path('ca.pem') } : {}) } },
});

/** Status of a call that needs a role. */
const statusFor = async (key: string | null) =>
  (await call(service.url, '/metrics', key === null ? {} : { headers: { 'x-api-key': key } })).status;

const connect = (options: TlsClientOptions) => TlsClient.connect(port(), options);

describe('callers on a reload', () => {
  it('are those of the file from then on', async () => {
    await start({ callers: { kept: caller(KEPT), gone: caller(GONE) } });
    expect([await statusFor(KEPT), await statusFor(GONE), await statusFor(NEW)]).toEqual([200, 200, 401]);
    const said = await reload({ callers: { kept: caller(KEPT), new: caller(NEW) } });
    expect([await statusFor(KEPT), await statusFor(GONE), await statusFor(NEW)]).toEqual([200, 401, 200]);
    expect(said).toMatchObject({
      level: 'info',
      message: 'reloaded',
      fields: { changed: ['callers.gone', 'callers.new'], keptAsBefore: [], needRestart: [] },
    });
  });

  it('that are none may become some, which ends open connections, and stay so', async () => {
    await start({});
    expect(await statusFor(null)).toBe(200);
    const socket = connectPlainly(port(), '127.0.0.1');
    socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'data');
    const ended = once(socket, 'close');
    await reload({ callers: { new: caller(NEW) } });
    await ended;
    await reload({});
    expect([await statusFor(null), await statusFor(NEW)]).toEqual([401, 200]);
  });

  it.each([
    ['127.0.0.1', false],
    ['0.0.0.0', false],
    ['0.0.0.0', true],
  ])('never become none on %s, insecure: %s', async (host, insecure) => {
    await start({ listen: { host, insecure }, callers: { kept: caller(KEPT) } });
    // The file would do for a new start: the port that is open may be another.
    const said = await reload({ listen: { host: insecure ? host : '127.0.0.1', insecure } });
    expect(log.of(/callers and TLS material not reloaded/)).toEqual([
      { problems: ['callers: none is left; to serve without callers, restart the service'] },
    ]);
    expect(said).toMatchObject({ level: 'warn', fields: { keptAsBefore: ['callers and listen.tls'] } });
    const url = `http://127.0.0.1:${port()}`;
    const status = async (headers: Record<string, string>) => (await call(url, '/metrics', { headers })).status;
    expect([await status({}), await status({ 'x-api-key': KEPT })]).toEqual([401, 200]);
  });

  it.each<[string, object]>([
    ['one is gone', { kept: caller(KEPT) }],
    ['one has fewer roles', { kept: caller(KEPT), gone: caller(GONE, { roles: ['verify'] }) }],
    ['one ends sooner', { kept: caller(KEPT), gone: caller(GONE, { expires: '2098-01-01' }) }],
  ])('end open connections where %s', async (_title, callers) => {
    const client = await connectAsGone();
    await reload({ ...members, callers });
    await client.ended;
  });

  it.each<[string, object]>([
    ['one has come', { kept: caller(KEPT), gone: caller(GONE), new: caller(NEW) }],
    ['nothing has changed', { kept: caller(KEPT), gone: caller(GONE) }],
  ])('twin: keep open connections where %s', async (_title, callers) => {
    const client = await connectAsGone();
    await reload({ ...members, callers });
    expect(await client.ask('/metrics', { 'x-api-key': GONE })).toBe(200);
    client.close();
  });

  async function connectAsGone(): Promise<TlsClient> {
    await writeTls();
    await start({ ...withTls(false), callers: { kept: caller(KEPT), gone: caller(GONE) } });
    const client = await connect({ ca: authority.pem });
    expect(await client.ask('/metrics', { 'x-api-key': GONE })).toBe(200);
    return client;
  }
});

describe('TLS material on a reload', () => {
  it('is that of the files from then on, and open connections stay', async () => {
    await writeTls();
    await start(withTls(false));
    const before = await connect({ ca: authority.pem });
    expect(await before.ask()).toBe(200);
    await writeTls();
    const said = await reload();
    const after = await connect({ ca: authority.pem });
    expect([await before.ask(), await after.ask()]).toEqual([200, 200]);
    expect(after.serverFingerprint).not.toBe(before.serverFingerprint);
    expect(said?.fields).toMatchObject({ changed: ['listen.tls.cert', 'listen.tls.key'] });
    for (const client of [before, after]) client.close();
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'a client CA that is gone: connections and sessions end, %s',
    async (version) => {
      await writeTls(oldCa.pem + newCa.pem);
      await start(withTls(true));
      const first = await connect({ ...oldClient, version });
      expect(await first.ask()).toBe(200);
      const { session } = first;
      expect(session).not.toBeNull();
      const resumed = await connect({ ...oldClient, version, session });
      expect([await resumed.ask(), resumed.isResumed]).toEqual([200, true]);
      await writeFile(path('ca.pem'), newCa.pem);
      const said = await reload();
      expect(said?.fields).toMatchObject({ changed: ['listen.tls.clientCa'], keptAsBefore: [] });
      await Promise.all([first.ended, resumed.ended]);
      // A session that was resumed would not be asked for its certificate.
      const again = await connect({ ...oldClient, version, session });
      expect(await again.ask()).toBeNull();
      const other = await connect({ ...newClient, version });
      expect(await other.ask()).toBe(200);
      other.close();
    },
  );

  it('twin: a client CA that has come lets its clients in, and ends no connection', async () => {
    await writeTls(oldCa.pem);
    await start(withTls(true));
    const before = await connect(oldClient);
    expect([await before.ask(), await (await connect(newClient)).ask()]).toEqual([200, null]);
    await writeFile(path('ca.pem'), `both authorities\n${oldCa.pem}\n${newCa.pem}`);
    await reload();
    const after = await connect(newClient);
    expect([await before.ask(), await after.ask()]).toEqual([200, 200]);
    for (const client of [before, after]) client.close();
  });

  it.each<[string, () => Promise<void>, RegExp]>([
    [
      'the key is that of another certificate',
      async () => writeFile(path('key.pem'), authority.issueForLoopback().key),
      /^listen\.tls\.key: .+: is not the private key of the first certificate of .+$/,
    ],
    ['a file is gone', async () => rm(path('cert.pem')), /^listen\.tls\.cert: .+: there is no such file$/],
    [
      'the second authority is none',
      async () => writeFile(path('ca.pem'), `${oldCa.pem}-----BEGIN CERTIFICATE-----\n`),
      /^listen\.tls\.clientCa: .+: not PEM certificates$/,
    ],
  ])('all or nothing: where %s, the old callers stay too', async (_title, spoil, problem) => {
    await writeTls(oldCa.pem);
    await start({ ...withTls(true), callers: { kept: caller(KEPT) } });
    const before = await connect(oldClient);
    expect(await before.ask('/metrics', { 'x-api-key': KEPT })).toBe(200);
    await spoil();
    await reload({ ...members, callers: { new: caller(NEW) } });
    expect(log.of(/not reloaded: the previous ones stay in force/)).toEqual([
      { problems: [expect.stringMatching(problem)] },
    ]);
    const after = await connect(oldClient);
    expect([
      await before.ask('/metrics', { 'x-api-key': KEPT }),
      await after.ask('/metrics', { 'x-api-key': NEW }),
    ]).toEqual([200, 401]);
    for (const client of [before, after]) client.close();
  });

  it('are not of a tenant that is not served yet, which needs a restart', async () => {
    await start({ callers: { kept: caller(KEPT) } });
    const tenants = { red: { policies: { directory: folder } } };
    await reload({ tenants, callers: { new: caller(NEW, { tenant: 'red' }) } });
    expect(log.of(/callers and TLS material not reloaded/).at(-1)).toEqual({
      problems: ['callers.new.tenant: the tenant red is not served yet: a new tenant needs a restart'],
    });
    expect([await statusFor(KEPT), await statusFor(NEW)]).toEqual([200, 401]);
  });

  it('all or nothing: a wrong key of the configuration keeps everything, and is named', async () => {
    await start({ callers: { kept: caller(KEPT) } });
    await reload({ callers: { new: caller(NEW) }, limits: { bodyByte: 1 } });
    const [{ problems } = { problems: [] }] = log.of(/not reloaded/) as { problems: string[] }[];
    expect(problems.join()).toContain('limits.bodyByte');
    const mesh = { mtls: { uri: 'spiffe://idp.example' }, roles: ['verify'] };
    const said = await reload({ callers: { new: caller(NEW), mesh } });
    expect(log.of(/callers and TLS material not reloaded/).at(-1)).toEqual({
      problems: ['callers.mesh.mtls: needs listen.tls.clientCa, the CAs that issue client certificates'],
    });
    expect(said).toMatchObject({ level: 'warn', fields: { keptAsBefore: ['callers and listen.tls'] } });
    expect([await statusFor(KEPT), await statusFor(NEW)]).toEqual([200, 401]);
  });
});

it('a certificate that ends within 30 days is a warning at start and at each reload, and in the metrics', async () => {
  const ending = pemOf(derOf('root', { notAfter: new Date(Date.now() + 10.5 * 24 * 60 * 60 * 1000) }));
  await writeTls(oldCa.pem + ending);
  await start({ ...withTls(true), callers: { kept: caller(KEPT) } });
  const message = /^a certificate of the listener expires soon$/;
  const fields = { file: 'listen.tls.clientCa', subject: 'CN=Root', expires: expect.any(String), daysLeft: 10 };
  expect(log.of(message)).toEqual([fields]);
  await reload();
  expect(log.of(message)).toEqual([fields, fields]);
});

describe('files of keys and endorsement folders on a reload', () => {
  const issuer = 'https://mine.weu.attest.azure.net';
  const keys = () => ({
    maa: { shared: false, issuers: [{ issuer, policyHash: 'any', keys: path('keys.json') }] },
  });
  const said = async () => (await reload())?.fields;

  it('are named where they are kept as before, as a warning', async () => {
    await writeFile(path('keys.json'), keySetOf(jwkOf(TOKEN_KEYS.a, 'a')));
    await start(keys());
    const all = [
      'policies',
      'roots',
      'receipt keys',
      'callers and listen.tls',
      'amd.chains',
      'intel.collateral',
      'tpm.intermediates',
    ];
    expect(await said()).toMatchObject({ reread: [...all, `maa.issuers: keys of ${issuer}`], keptAsBefore: [] });
    await writeFile(path('keys.json'), '{"keys":');
    await writeFile(path('amd'), 'a file in the place of the folder');
    expect(await reload()).toMatchObject({
      level: 'warn',
      message: 'reloaded in part: the parts that were wrong stay as they were',
      fields: { keptAsBefore: ['amd.chains', `maa.issuers: keys of ${issuer}`] },
    });
    const figures = String((await call(service.url, '/metrics')).body);
    expect(figures).toContain('veritee_reload_failed_total{part="roots"} 0\n');
    expect(figures).toContain('veritee_reload_failed_total{part="amd.chains"} 1\n');
    expect(figures).toContain(`veritee_reload_failed_total{part="maa.issuers: keys of ${issuer}"} 1\n`);
    await rm(path('keys.json'));
    await rm(path('amd'));
    expect(await said()).toMatchObject({ keptAsBefore: [] });
  });
});

describe('what a reload does not take over', () => {
  it('is named, and stays as it is', async () => {
    await writeTls(oldCa.pem);
    await start({ ...withTls(false), callers: { kept: caller(KEPT) } });
    const changed = {
      callers: { kept: caller(KEPT) },
      limits: { bodyBytes: 1024 },
      historical: true,
      ...withTls(true),
    };
    const needRestart = ['listen.tls.clientCa', 'historical', 'limits.bodyBytes', 'limits.eventLogBytes'];
    for (let round = 0; round < 2; round++) {
      const said = await reload(changed);
      expect(said).toMatchObject({ level: 'warn', message: 'reloaded: some changed keys need a restart' });
      expect(said?.fields).toMatchObject({ changed: [], needRestart });
    }
    // Nobody is asked for a certificate yet.
    const client = await connect({ ca: authority.pem });
    expect(await client.ask()).toBe(200);
    client.close();
  });

  it('is TLS where there was none, and what of the files is wrong', async () => {
    const roots = path('roots.pem');
    await writeFile(roots, oldCa.pem);
    await start({ callers: { kept: caller(KEPT) }, tpm: { roots: [roots] } });
    await writeTls();
    const withNewTls = { ...members, ...withTls(false) };
    expect(await reload(withNewTls)).toMatchObject({
      level: 'warn',
      message: 'reloaded: some changed keys need a restart',
      fields: { changed: [], keptAsBefore: [], needRestart: ['listen.tls.cert', 'listen.tls.key'] },
    });
    await writeFile(roots, 'no roots');
    expect(await reload(withNewTls)).toMatchObject({
      level: 'warn',
      message: 'reloaded in part: the parts that were wrong stay as they were',
      fields: { keptAsBefore: ['roots'] },
    });
    expect(await statusFor(KEPT)).toBe(200);
  });
});

describe('the first line of the log', () => {
  it('names version, configuration and policies', async () => {
    await start({});
    expect(log.entries[0]).toMatchObject({
      message: 'starting',
      fields: {
        version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
        configuration: expect.stringMatching(/^[0-9a-f]{64}$/),
        policies: expect.arrayContaining([
          { id: 'azure-cvm-baseline', version: expect.any(Number), sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
        ]),
      },
    });
  });
});
