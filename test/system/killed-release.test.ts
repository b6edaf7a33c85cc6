import { createPublicKey } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.js';
import { VaultLab } from '../integration/key-vault/vault-lab.js';
import {
  call,
  challenge,
  type LabService,
  lenientPolicy,
  post,
  sha256Hex,
  WITHOUT_ENDORSEMENTS,
} from '../integration/service/lab-service.js';
import { PostgresReplicas } from '../integration/service/postgres-replicas.js';
import { TokenLab } from '../integration/service/token-lab.js';
import { isWithoutPostgres } from '../integration/stores/postgres-server.js';
import { boundValue } from '../lab/bound-value.js';
import { wireEvidence } from '../lab/index.js';
import { unwrapReleasedKey } from '../lab/key-release.js';
import { namedRsaKey } from '../lab/lab-keys.js';
import { labProcess } from './lab-process.js';
import { ServiceProcess } from './service-process.js';

/** A service that is killed between the answer of a vault and its record, as a process beside the vault. */

const API_KEY = 'sesame-gate';
const HEADERS = { authorization: `Bearer ${API_KEY}` };

const WAIVERS = ['snp_product_advisory', 'snp_tcb_floor_missing'].map((check) => ({
  check,
  reason: 'a lab',
  approver: 'the lab',
  expires: '2999-01-01',
}));

/** The key that the guest of the lab has its tokens made with. */
const ephemeral = namedRsaKey('maa-ephemeral', 2048).privateKey;
const { kty = '', n = '', e = '' } = createPublicKey(ephemeral).export({ format: 'jwk' });
const JWK: JsonObject = { kty, n, e };

/** How long an answer may take into the buffers of a process that does not run. */
const ARRIVAL_MS = 500;

let tokens: TokenLab;
let lab: LabService;
let vaults: VaultLab;
let material: Uint8Array;
let keys: { readonly [key: string]: unknown };
const running: ServiceProcess[] = [];

beforeAll(async () => {
  tokens = await TokenLab.create();
  lab = tokens.service;
  vaults = await VaultLab.start({}, tokens.tls);
  await lab.writePolicy(
    lenientPolicy('keys', { freshness: 'strict', nonce: 'challenge', binding: 'required', waivers: WAIVERS }),
  );
  const compliant = { claim: 'x-ms-isolation-tee.x-ms-compliance-status', equals: 'azure-compliant-cvm' };
  const policy = { anyOf: [{ authority: tokens.maa.issuer, allOf: [compliant] }] };
  material = vaults.vault.addExportable('disk', policy).material;
  keys = await configuredKeys();
});

afterEach(() => Promise.all(running.splice(0).map((service) => service.close())));

afterAll(async () => {
  await tokens.close();
  await vaults.close();
});

async function configuredKeys(): Promise<{ readonly [key: string]: unknown }> {
  const roots = join(lab.root, 'vault-root.pem');
  await writeFile(roots, vaults.vault.answers.rootPem());
  const db = {
    vault: `https://${vaults.vault.host}`,
    name: 'disk',
    enc: 'RSA_AES_KEY_WRAP_384',
    policy: 'keys',
    anyMachine: true,
    roots,
    credential: await vaults.identity(),
  };
  const gate = { apiKeySha256: sha256Hex(API_KEY), expires: '2999-01-01', keys: ['db'] };
  const callers = { gate: { ...gate, roles: ['release', 'verify', 'audit:read'] } };
  return { ...tokens.configuration(), keys: { db }, callers };
}

/** @param stores keys of the configuration about its stores */
async function started(stores: object): Promise<ServiceProcess> {
  const { authorityPem: ca, port: vaultPort } = vaults.vault;
  // Unless a test is about time, a busy machine has much of it.
  const command = await labProcess(lab, { ...keys, ...stores }, { ca, vaultPort, storeTimeoutMs: 10_000 });
  const service = await ServiceProcess.start(command, { cwd: lab.root });
  running.push(service);
  return service;
}

/** Evidence and token of one moment, as a guest makes both. */
async function release(service: ServiceProcess) {
  const nonce = await challenge(service, {}, HEADERS);
  const evidence = lab.vm.evidence({ nonce, jwk: JWK, endorsements: WITHOUT_ENDORSEMENTS });
  const token = tokens.maa.issueAzureVm({
    hclReport: evidence.hclReport,
    clientPayloadNonce: boundValue(nonce, JWK),
  });
  const body = {
    evidence: wireEvidence(evidence),
    nonce: Buffer.from(nonce).toString('base64url'),
    binding: { jwk: JWK },
    attestationResults: [{ type: 'maa-token', token }],
  };
  return post(service.url, '/keys/db/release', JSON.stringify(body), HEADERS);
}

/** @param stores gives the keys of the configuration about stores */
function behavesWhenKilled(stores: () => object): void {
  it('REL-05 shows the attempt as unknown, and releases the key anew by a new challenge', async () => {
    const first = await started(stores());
    const genuine = vaults.vault.releaseText;
    let answered = false;
    vaults.vault.releaseText = (value) => {
      // It does not run when the answer comes, so that it can record nothing of it.
      first.signal('SIGSTOP');
      answered = true;
      return genuine(value);
    };
    const asked = release(first).catch(() => 'no answer');
    while (!answered) await sleep(10);
    await sleep(ARRIVAL_MS);
    first.signal('SIGKILL');
    expect([await asked, (await first.end()).signal]).toEqual(['no answer', 'SIGKILL']);

    vaults.vault.releaseText = genuine;
    const second = await started(stores());
    const shown = async () => {
      const { body } = await call(second.url, '/decisions', { headers: HEADERS });
      const ids: readonly string[] = body.decisions.map(({ decisionId }: { decisionId: string }) => decisionId);
      const answers = ids.map((id) => call(second.url, `/decisions/${id}`, { headers: HEADERS }));
      return (await Promise.all(answers)).map((answer) => [answer.body.decision, answer.body.release]);
    };
    const unknown = { keyId: 'db', dryRun: false, state: 'unknown', endedAt: null, keyVersion: null, code: null };
    expect(await shown()).toMatchObject([['allow', unknown]]);

    const { body } = await release(second);
    expect(body.decision).toBe('allow');
    expect(Buffer.from(unwrapReleasedKey(body.release.value, ephemeral))).toEqual(Buffer.from(material));
    expect(await shown()).toMatchObject([
      ['allow', { state: 'released' }],
      ['allow', unknown],
    ]);
  });
}

describe('a service with SQLite that is killed once the vault has answered', () => behavesWhenKilled(() => ({})));

describe.skipIf(isWithoutPostgres('a service with PostgreSQL that is killed once the vault has answered'))(
  'a service with PostgreSQL that is killed once the vault has answered',
  () => {
    let replicas: PostgresReplicas;

    beforeAll(async () => {
      replicas = await PostgresReplicas.create(lab);
    });

    afterAll(() => replicas.closeServer());

    behavesWhenKilled(() => replicas.shared);
  },
);
