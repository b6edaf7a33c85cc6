import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AmdCache } from '../../../../src/endorsements/amd/amd-cache.js';
import { CacheFolder } from '../../../../src/endorsements/files/cache-folder.js';
import { parseCertificate } from '../../../../src/formats/x509-certificate.js';
import { readChain } from '../../../../src/tee/snp/amd/chain.js';
import { readCrl, verifyCrl } from '../../../../src/tee/snp/amd/crls.js';
import { readVek } from '../../../../src/tee/snp/amd/vek.js';
import { AmdPki } from '../../../lab/amd-pki.js';
import { RecordingLog } from '../recording-log.js';

const NOW = new Date('2026-03-01T12:00:00Z');
const ONE_LATER = new Date(NOW.getTime() + 1);
const MILAN = { product: 'Milan', signingKey: 'vcek' } as const;
const TCB = { bootloader: 4, tee: 0, snp: 24, microcode: 219 };
const pki = new AmdPki({ at: NOW });
const ark = parseCertificate(pki.chainDer('Milan')[1]);

let path: string;
let cache: AmdCache;

/** A cache on the folder, as a new process opens it. */
function open(): AmdCache {
  const folder = new CacheFolder(path, new RecordingLog());
  return new AmdCache({ folder, pins: pki.pins(), maximumFiles: 10, maximumInMemory: 10 });
}

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'veritee-cache-'));
  cache = open();
});

afterEach(() => rm(path, { recursive: true }));

const lists = async () => (await readdir(path)).filter((name) => name.endsWith('.crl'));

const listUntil = (nextUpdate: Date, number: number) => {
  const overrides = { thisUpdate: new Date(NOW.getTime() - 60_000), nextUpdate };
  return verifyCrl(readCrl(pki.issueCrl({ product: 'Milan', number, overrides })), ark, 'Milan');
};

describe('the end of a CRL', () => {
  it('removes its file after its last instant, and not before', async () => {
    await cache.keepCrl(MILAN, listUntil(NOW, 1), NOW);
    await cache.endCrl(MILAN, NOW);
    expect(await lists()).toEqual(['crl-milan-vcek.crl']);
    await cache.endCrl(MILAN, ONE_LATER);
    expect(await lists()).toEqual([]);
    expect((await cache.crl(MILAN, ark))?.number).toBe(1n);
  });

  it('leaves the file of one that has come in its place meanwhile', async () => {
    await cache.keepCrl(MILAN, listUntil(NOW, 1), NOW);
    await Promise.all([
      cache.keepCrl(MILAN, listUntil(new Date(NOW.getTime() + 60_000), 2), NOW),
      cache.endCrl(MILAN, ONE_LATER),
    ]);
    expect(await lists()).toEqual(['crl-milan-vcek.crl']);
  });
});

describe('a VCEK of a file', () => {
  const subject = { product: 'Milan', chipId: new Uint8Array(64).fill(7), tcb: TCB } as const;
  const vek = readVek(pki.issueVcek(subject).der, pki.pins());
  const chainOf = (of: AmdPki) => readChain(of.chainPem('Milan'), MILAN, of.pins());

  beforeEach(() => cache.keepVcek(subject, vek));

  it('that was read without a chain is verified once there is one', async () => {
    const opened = open();
    expect((await opened.vcek(subject, []))?.certificate.der).toEqual(vek.certificate.der);
    expect(await opened.vcek(subject, [chainOf(new AmdPki({ at: NOW, keys: 'foreign' }))])).toBeNull();
  });

  it('twin: counts below the chain that signed it, and is then kept in memory', async () => {
    const opened = open();
    const found = await opened.vcek(subject, [chainOf(pki)]);
    expect(found?.certificate.der).toEqual(vek.certificate.der);
    await rm(join(path, (await readdir(path)).find((name) => name.startsWith('vcek-')) ?? ''));
    expect(await opened.vcek(subject, [])).toBe(found);
  });
});
