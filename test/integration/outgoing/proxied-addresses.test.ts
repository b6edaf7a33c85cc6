import dns from 'node:dns';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ADDRESS_KEYS, type AddressKey, originsOf } from '../../../scripts/outgoing-addresses.js';
import { openAttestationServices } from '../../../src/app/attestation-services.js';
import { connectOptions } from '../../../src/app/egress.js';
import { openEarly, openEndorsements } from '../../../src/app/endorsements.js';
import { openHeldKeys } from '../../../src/app/held-keys.js';
import { openCallers } from '../../../src/app/open-callers.js';
import { OpenParts } from '../../../src/app/open-parts.js';
import { openTraces } from '../../../src/app/open-telemetry.js';
import { databasePassword } from '../../../src/app/postgres-server.js';
import { openReceiptVaults } from '../../../src/app/receipt-vaults.js';
import { openDatabase } from '../../../src/app/shared-memories.js';
import { SYSTEM_CLOCK } from '../../../src/app/system.js';
import { tokenIssuers } from '../../../src/app/token-issuers.js';
import type { Configuration } from '../../../src/config/configuration.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { postgresAddressOf } from '../../../src/config/stores.js';
import type { EndorsementRequest } from '../../../src/core/endorsement.js';
import type { AllowedRelease } from '../../../src/core/held-key.js';
import { vaultKeyId } from '../../../src/core/key-vault-key.js';
import { ClockWatch } from '../../../src/judge/clock-watch.js';
import { Outages } from '../../../src/outside/outages.js';
import { LabManagedIdentity } from '../../lab/managed-identity.js';
import { LabProxy } from '../../lab/proxy.js';
import { makeToken } from '../../lab/token-making.js';
import { FakeLog } from '../../unit/judge/fakes.js';
import { submission, tdSubmission } from '../attestation-services/azure-lab.js';
import { GUEST_KEY, guestToken } from '../key-vault/vault-lab.js';
import { labLookup } from '../lab-lookup.js';

const PATIENCE_MS = 60_000;

let folder = '';
let proxy: LabProxy;
let machine: LabManagedIdentity;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veritee-proxied-'));
  // One for all tests: Azure's library keeps its address and its tokens.
  machine = await LabManagedIdentity.start();
  for (const name of ['secret', 'key']) await writeFile(join(folder, name), 'sesame');
});

afterAll(async () => {
  await machine.close();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  proxy = await LabProxy.start();
  vi.stubEnv('AZURE_POD_IDENTITY_AUTHORITY_HOST', machine.origin);
  // Nothing leaves this machine: whoever asks for a tunnel gets none.
  proxy.conduct = { status: 502 };
});

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await proxy.close();
});

/** The configuration of a row, with the proxy and with files that are there. */
function configurationOf({ configured }: AddressKey): Configuration {
  const file = 'stores' in configured ? '' : `"stores":{"url":"sqlite:${folder}/v.db"},`;
  const text = JSON.stringify(configured)
    .replaceAll('File":"', `File":"${folder}/`)
    .replace('"endpoint":', '"sample":1,"endpoint":')
    .replace(/^\{/, `{${file}"egress":{"proxy":"http://${proxy.host}"},`)
    .replace(/,\}$/, '}');
  return loadConfiguration({ text, environment: {} });
}

function endorsementRequests(configuration: Configuration): readonly EndorsementRequest[] {
  const tcb = { bootloader: 0, tee: 0, snp: 0, microcode: 0 };
  return [
    {
      kind: 'amd-snp',
      signingKey: 'vcek',
      products: ['Milan'],
      chipId: new Uint8Array(64).fill(1),
      chipIdBytes: () => 64,
      reportedTcb: () => tcb,
      supplied: { vek: null, chain: false, crls: false },
      hasPath: () => true,
    },
    { kind: 'intel-tdx', fmspc: '00'.repeat(6), ca: 'platform', supplied: null },
    ...tokenIssuers(configuration).map(({ type, issuer }) => ({
      kind: 'token-keys' as const,
      type,
      issuer,
      kid: 'a',
    })),
  ];
}

/** Asks everybody whom the configuration names for something. None of them answers. */
async function askAll(configuration: Configuration): Promise<void> {
  const observer = new Outages(SYSTEM_CLOCK, new FakeLog());
  const world = { clock: SYSTEM_CLOCK, log: new FakeLog(), observer, connect: connectOptions(configuration) };
  const inTime = () => AbortSignal.timeout(PATIENCE_MS);
  const context = () => ({ at: new Date(), historical: false, signal: inTime() });
  const endorsements = openEndorsements(configuration, world);
  const services = await openAttestationServices(configuration, world, {});
  const vaults = await openReceiptVaults(configuration, world, {});
  const held = await openHeldKeys(configuration, world, {});
  const { directory, keyring } = await openCallers(configuration, {
    ...world,
    clock: new ClockWatch(SYSTEM_CLOCK, world.log),
  });
  const stores = new OpenParts();
  const database = postgresAddressOf(configuration);
  const password = database === null ? null : await databasePassword(configuration, database, world, stores);
  const traces = await openTraces(configuration, { ...world, version: '1', tracePace: { delayMs: 1 } });
  const early = openEarly(configuration, world);
  early?.source.ask({ fmspc: '00'.repeat(6), ca: 'platform' });
  const span = traces.tracer?.request('GET /policies', undefined);
  span?.end();
  for (const request of endorsementRequests(configuration)) await endorsements.source.fetch([request], context());
  await Promise.allSettled([
    ...[...services.services.values()].flatMap((service) =>
      [submission(), tdSubmission()]
        .filter((each) => service.accepts(each))
        .map((each) => service.attest(each, inTime())),
    ),
    ...(vaults === null ? [] : [vaults.read(keyOf(configuration.receipts.key), inTime())]),
    ...[...held.keys.values()].map((key) => key.release(allowedRelease(), inTime())),
    password?.(),
    ...issuersOf(configuration).map((iss) => directory.identify(bearer(iss))),
  ]);
  const opened = [endorsements, services, held, keyring, traces, stores, ...(vaults === null ? [] : [vaults])];
  await Promise.all([...opened, ...(early === null ? [] : [early])].map((each) => each.close()));
}

function keyOf(url: string) {
  const id = vaultKeyId(url);
  if (id === null) throw new Error(`${url} is no key of a vault`);
  return id;
}

function allowedRelease(): AllowedRelease {
  const attestationResults = [{ type: 'maa-token', token: guestToken() }];
  return { request: { nonce: new Uint8Array(32), attestationResults }, decision: {} } as unknown as AllowedRelease;
}

function issuersOf({ callers }: Configuration): readonly string[] {
  return Object.values(callers).flatMap(({ oidc, kubernetes }) => oidc?.issuer ?? kubernetes?.issuer ?? []);
}

function bearer(iss: string) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss, aud: 'veritee', sub: 'repo:org/app', iat: now, exp: now + 60 };
  const token = makeToken({ header: { typ: 'JWT', kid: 'a' }, claims, key: GUEST_KEY, algorithm: 'RS256' });
  return { headers: { authorization: `Bearer ${token}` }, clientCertificate: () => null };
}

/** Asked for the CRL of the root once there is collateral, over the connections of the other address of its row. */
const ASKED_LATER = 'https://certificates.trustedservices.intel.com';

/** As a tunnel to it is asked for. */
function targetOf(origin: string): string {
  const { protocol, hostname, port } = new URL(origin);
  const usual = protocol === 'https:' ? '443' : '80';
  return `${hostname}:${port === '' ? usual : port}`;
}

describe('every address that the configuration names is contacted through the proxy alone:', () => {
  it.each(ADDRESS_KEYS.map((row) => [row.key, row] as const))('%s', async (_key, row) => {
    await askAll(configurationOf(row));
    const all = await originsOf(row.configured);
    const others = await originsOf(row.off);
    const own = [...all].filter((origin) => !others.has(origin) && origin !== ASKED_LATER).map(targetOf);
    expect(own.length).toBeGreaterThan(0);
    expect(proxy.targets).toEqual(expect.arrayContaining(own));
    expect([...all].map(targetOf)).toEqual(expect.arrayContaining([...new Set(proxy.targets)]));
    expect(proxy.plain).toEqual([]);
  });

  it('but not that of a managed identity, which would be the identity of the proxy', async () => {
    const row = ADDRESS_KEYS.find(({ key }) => key === 'keys.<name>.vault');
    if (row === undefined) throw new Error('there is no such row');
    await askAll(configurationOf(row));
    expect(machine.count()).toBeGreaterThan(0);
    expect(proxy.targets.join()).not.toContain(new URL(machine.origin).port);
  });

  it('but not that of a database', async () => {
    const stores: Socket[] = [];
    const server = createServer((socket) => void stores.push(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    vi.spyOn(dns, 'lookup').mockImplementation(labLookup(() => true) as typeof dns.lookup);
    const text = JSON.stringify({
      stores: { url: `postgres://veritee@store.invalid:${port}/veritee` },
      challenges: { key: join(folder, 'key') },
      receipts: { key: join(folder, 'key') },
      egress: { proxy: `http://${proxy.host}` },
    });
    const world = { clock: SYSTEM_CLOCK, log: new FakeLog() };
    const opened = new OpenParts();
    const configuration = loadConfiguration({ text, environment: {} });
    await expect(openDatabase(configuration, world, opened)).rejects.toThrow();
    await opened.close();
    expect(stores.length).toBeGreaterThan(0);
    expect(proxy.targets).toEqual([]);
    for (const socket of stores) socket.destroy();
    server.close();
  });
});
