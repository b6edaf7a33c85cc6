import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AmdCache } from '../../../src/endorsements/amd-cache.js';
import { readCrl, verifyCrl } from '../../../src/endorsements/amd-material.js';
import { CacheFolder } from '../../../src/endorsements/cache-folder.js';
import { parseCertificate } from '../../../src/formats/x509-certificate.js';
import { AmdPki } from '../../lab/amd-pki.js';
import { RecordingLog } from './recording-log.js';

const NOW = new Date('2026-03-01T12:00:00Z');
const ONE_LATER = new Date(NOW.getTime() + 1);
const MILAN = { product: 'Milan', signingKey: 'vcek' } as const;
const pki = new AmdPki({ at: NOW });
const ark = parseCertificate(pki.chainDer('Milan')[1]);

let path: string;
let cache: AmdCache;

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'veritee-cache-'));
  const log = new RecordingLog();
  const folder = new CacheFolder(path, log);
  cache = new AmdCache({ folder, pins: pki.pins(), log, maximumFiles: 10, maximumInMemory: 10 });
});

afterEach(() => rm(path, { recursive: true }));

const lists = async () => (await readdir(path)).filter((name) => name.endsWith('.crl'));

const listUntil = (nextUpdate: Date, number: number) => {
  const overrides = { thisUpdate: new Date(NOW.getTime() - 60_000), nextUpdate };
  return verifyCrl(readCrl(pki.issueCrl({ product: 'Milan', number, overrides })), ark, 'Milan');
};

describe('the end of a revocation list', () => {
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
