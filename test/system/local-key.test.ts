import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compactDecrypt } from 'jose';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.js';
import { createAmdPki, createVirtualMachine, type VirtualMachine } from '../lab/index.js';
import { isLacking } from '../requirements.js';
import { ServiceProcess } from './service-process.js';

/** Traces of a local key after its release: in the memory of the process, in its log, and in its files. */

const API_KEY = 'sesame-gate';
const HEADERS = { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' };
const RELEASES = 20;

const WAIVERS = ['snp_product_advisory', 'snp_tcb_floor_missing', 'crl_unconfirmed'].map((check) => ({
  check,
  reason: 'a lab',
  approver: 'the lab',
  expires: '2999-01-01',
}));

const POLICY = {
  apiVersion: 'veritee/v1',
  id: 'keys',
  version: 1,
  accepts: ['az-snp-vtpm'],
  minimums: 'any',
  freshness: 'strict',
  nonce: 'challenge',
  binding: 'required',
  referenceValues: [{ hcl: { vmUniqueId: ['7df7b373-b947-4aaa-96e5-c358f2a03d20'] } }],
  waivers: WAIVERS,
};

const guest = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const JWK = guest.publicKey.export({ format: 'jwk' }) as JsonObject;

/** Searched for as bytes, and as the texts that somebody might have made of them. */
function formsOf(secret: Buffer): readonly Buffer[] {
  return [
    secret,
    ...(['hex', 'base64', 'base64url'] as const).map((encoding) => Buffer.from(secret.toString(encoding))),
  ];
}

/** How often the memory of a process holds any of these. Needs what a debugger needs. */
function timesInMemory(pid: number, forms: readonly Buffer[]): number {
  const regions = readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, from, to, mode, what = ''] = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)$/.exec(line) ?? [];
      const isRead = mode?.startsWith('rw') === true && !what.startsWith('[v');
      return isRead ? [[Number.parseInt(from ?? '', 16), Number.parseInt(to ?? '', 16)] as const] : [];
    });
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    return regions.reduce((sum, [from, to]) => sum + timesIn(readRegion(memory, from, to), forms), 0);
  } finally {
    closeSync(memory);
  }
}

function readRegion(memory: number, from: number, to: number): Buffer {
  const bytes = Buffer.alloc(to - from);
  try {
    readSync(memory, bytes, 0, bytes.byteLength, from);
  } catch {
    // A region that went meanwhile, or that has nothing behind it.
  }
  return bytes;
}

function timesIn(bytes: Buffer, forms: readonly Buffer[]): number {
  return forms.reduce((sum, form) => {
    let times = 0;
    for (let at = bytes.indexOf(form); at >= 0; at = bytes.indexOf(form, at + 1)) times += 1;
    return sum + times;
  }, 0);
}

const ROOT = { what: 'the memory of other processes', command: ['test', '-r', '/proc/1/mem'] } as const;

describe.skipIf(isLacking('what is left of a local key', [ROOT]))('a local key that was released', () => {
  const secret = randomBytes(48);
  let folder = '';
  let vm: VirtualMachine;
  let service: ServiceProcess;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'veritee-local-key-'));
    const pki = createAmdPki();
    vm = await createVirtualMachine({ pki });
    const pins = [...pki.pins(['Milan'])].map(([product, digests]) => [product, [...digests]]);
    const configuration = {
      listen: { port: 0 },
      amd: { kds: 'off', chains: folder },
      policies: { directory: join(folder, 'policies') },
      stores: { url: `sqlite:${join(folder, 'data', 'veritee.db')}` },
      decisions: { keepEvidence: 'full', copy: join(folder, 'copy.jsonl') },
      keys: { disk: { local: join(folder, 'disk.key'), policy: 'keys' } },
      callers: {
        gate: {
          apiKeySha256: createHash('sha256').update(API_KEY).digest('hex'),
          expires: '2999-01-01',
          roles: ['verify', 'release', 'audit:read'],
          keys: ['disk'],
        },
      },
      log: { level: 'trace' },
    };
    await mkdir(join(folder, 'policies'));
    await Promise.all([
      writeFile(join(folder, 'policies', 'keys.json'), JSON.stringify(POLICY)),
      writeFile(join(folder, 'disk.key'), secret),
      writeFile(join(folder, 'pins.json'), JSON.stringify({ amd: pins, intel: [] })),
      // This is not about time, and the disk of a busy machine has much of it.
      writeFile(join(folder, 'servers.json'), JSON.stringify({ storeTimeoutMs: 10_000 })),
      writeFile(join(folder, 'veritee.json'), JSON.stringify(configuration)),
    ]);
    const entry = join(inject('installation'), 'dist/lab-main.js');
    const files = ['veritee.json', 'pins.json', 'servers.json'].map((name) => join(folder, name));
    const command = [process.execPath, entry, ...files];
    service = await ServiceProcess.start(command, { cwd: folder });
  });

  afterAll(async () => {
    await service.close();
    await rm(folder, { recursive: true, force: true });
  });

  // biome-ignore lint/suspicious/noExplicitAny: answers are compared with expectations
  async function post(path: string, body: object): Promise<any> {
    const answer = await fetch(new URL(path, service.url), {
      method: 'POST',
      headers: HEADERS,
      body: JSON.stringify(body),
    });
    return answer.json();
  }

  async function release(): Promise<string> {
    const { nonce } = await post('/challenges', {});
    const evidence = vm.wireEvidence({ nonce: Buffer.from(nonce, 'base64url'), jwk: JWK });
    const answer = await post('/keys/disk/release', { evidence, nonce, binding: { jwk: JWK } });
    expect([answer.decision, answer.reasons]).toEqual(['allow', []]);
    return answer.release.value;
  }

  it('is opened by the guest, and nothing of it is left in memory, log and files', async () => {
    // That the search finds what is there.
    const forms = formsOf(secret);
    expect(timesInMemory(process.pid, forms)).toBeGreaterThan(0);
    for (let round = 0; round < RELEASES; round++) {
      const { plaintext } = await compactDecrypt(await release(), guest.privateKey);
      expect(Buffer.from(plaintext).equals(secret)).toBe(true);
    }
    expect(timesInMemory(service.pid, forms)).toBe(0);
    expect(timesIn(Buffer.from(service.output), forms)).toBe(0);
    const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter(
      (entry) => entry.isFile() && entry.name !== 'disk.key',
    );
    expect(files.length).toBeGreaterThan(3);
    for (const { parentPath, name } of files) {
      expect(timesIn(await readFile(join(parentPath, name)), forms), name).toBe(0);
    }
  });
});
