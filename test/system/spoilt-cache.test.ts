import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LabService, lenientPolicy } from '../integration/service/lab-service.js';
import { TlsAuthority } from '../lab/index.js';
import { Client } from './client.js';
import { labProcess } from './lab-process.js';
import { ServiceProcess } from './service-process.js';

/** Files whose loss is no damage: the newest lists that counted are another matter, and are never forgotten. */
const CACHED = /^(?!crl-highest-)/;

let lab: LabService;
let command: readonly string[];
let service: ServiceProcess;

beforeAll(async () => {
  const tls = new TlsAuthority();
  lab = await LabService.create(tls);
  await lab.writePolicy(lenientPolicy('reports'));
  command = await labProcess(lab, { log: { level: 'warn' } }, { ca: tls.pem });
});

afterAll(async () => {
  await service.close();
  await lab.close();
});

const folder = () => join(lab.root, 'data/endorsements');
const files = async () =>
  (await readdir(folder())).filter((name) => CACHED.test(name)).map((name) => join(folder(), name));
const contents = async () =>
  new Map(await Promise.all((await files()).map(async (file) => [file, await readFile(file, 'hex')] as const)));

/** A start, one request, and the end. */
async function judgeOnce() {
  service = await ServiceProcess.start(command, { cwd: lab.root });
  const client = new Client(service.url, 1);
  const { body } = await client.ask({ body: JSON.stringify({ ...JSON.parse(lab.verifyBody()), policy: 'reports' }) });
  client.close();
  const ignored = service.logged('cached endorsement does not match and is ignored').length;
  service.signal('SIGTERM');
  await service.end();
  return { decision: body.decision, reasons: body.reasons, ignored };
}

const RIGHT = { decision: 'allow', reasons: [] };

describe('a service whose cached endorsements were spoilt while it was down', () => {
  it('finds all of them good where nobody spoilt them, and asks nobody', async () => {
    expect(await judgeOnce()).toEqual({ ...RIGHT, ignored: 0 });
    const asked = lab.kds.count();
    expect(await judgeOnce()).toEqual({ ...RIGHT, ignored: 0 });
    expect(lab.kds.count()).toBe(asked);
  });

  it.each<[string, (file: string) => Promise<void>]>([
    ['cut off', (file) => truncate(file, 100)],
    ['empty', (file) => truncate(file, 0)],
    ['of other bytes', (file) => writeFile(file, Buffer.alloc(2_000, 0x5a))],
  ])('ignores files that are %s, and has good ones in their place', async (_what, spoil) => {
    const before = await contents();
    expect(before.size).toBeGreaterThanOrEqual(3);
    await Promise.all([...before.keys()].map(spoil));
    const { ignored, ...verdict } = await judgeOnce();
    expect(verdict).toEqual(RIGHT);
    expect(ignored).toBeGreaterThan(0);
    expect([...(await contents()).keys()].toSorted()).toEqual([...before.keys()].toSorted());
    expect(await judgeOnce()).toEqual({ ...RIGHT, ignored: 0 });
  });
});
