import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AmdCache } from '../../../../src/endorsements/amd/amd-cache.js';
import { AmdCrlSupply } from '../../../../src/endorsements/amd/amd-crl-supply.js';
import { AmdDirectory } from '../../../../src/endorsements/amd/amd-directory.js';
import { DEFAULT_AMD_TUNING } from '../../../../src/endorsements/amd/amd-parts.js';
import { LineSnapshots } from '../../../../src/endorsements/amd/line-snapshots.js';
import { CacheFolder } from '../../../../src/endorsements/files/cache-folder.js';
import { CrlMemory, isDamaged } from '../../../../src/endorsements/files/rollback-marks.js';
import { readChain } from '../../../../src/tee/snp/amd/chain.js';
import { readCrl, verifyCrl } from '../../../../src/tee/snp/amd/crls.js';
import { AmdPki } from '../../../lab/amd-pki.js';
import { ManualClock } from '../manual-clock.js';
import { RecordingLog } from '../recording-log.js';

const NOW = new Date('2026-03-01T12:00:00Z');
const MILAN = { product: 'Milan', signingKey: 'vcek' } as const;
const pki = new AmdPki({ at: NOW });
const pins = pki.pins();
const chain = readChain(pki.chainPem('Milan'), MILAN, pins);
const crlOf = (number: number) => verifyCrl(readCrl(pki.issueCrl({ product: 'Milan', number })), chain.ark, 'Milan');

let path: string;
let parts: ConstructorParameters<typeof LineSnapshots>[0];
let snapshots: LineSnapshots;

const folderOf = (name: string) => join(path, name);

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'veritee-snapshots-'));
  const [log, clock, tuning] = [new RecordingLog(), new ManualClock(NOW), DEFAULT_AMD_TUNING];
  const folder = new CacheFolder(folderOf('cache'), log);
  const directory = new AmdDirectory({ folder: path, pins, log, pollMs: 60_000 });
  const cache = new AmdCache({ folder, pins, maximumFiles: 10, maximumInMemory: 10 });
  const memory = new CrlMemory({ folder, log, shared: undefined, source: null });
  parts = { pins, carried: [], directory, cache, memory, kds: null, clock, log, inBackground: false, tuning };
  snapshots = new LineSnapshots(parts, new AmdCrlSupply(parts));
});

afterEach(() => rm(path, { recursive: true }));

const numbers = async () => (await snapshots.of(MILAN)).crls.map(({ number }) => number);

describe('a snapshot of what is at hand of a product line', () => {
  it('is made once, and then given at once', async () => {
    await parts.cache.keepChain(chain);
    const made = await snapshots.of(MILAN);
    expect(snapshots.of(MILAN)).toBe(made);
    expect(made).toMatchObject({
      chains: [{ chain, origin: 'cache' }],
      ark: chain.ark,
      crls: [],
      marks: { own: null, highest: null },
    });
  });

  it('is made anew when the cache gets a chain or a CRL', async () => {
    expect(await snapshots.of(MILAN)).toMatchObject({ chains: [], ark: null });
    await parts.cache.keepChain(chain);
    expect((await snapshots.of(MILAN)).ark).toBe(chain.ark);
    await parts.cache.keepCrl(MILAN, crlOf(1), NOW);
    expect(await numbers()).toEqual([1n]);
    await parts.cache.keepCrl(MILAN, crlOf(2), NOW);
    expect(await numbers()).toEqual([2n]);
  });

  it('is made anew when a CRL was fetched again, also where it is the same', async () => {
    const later = new Date(NOW.getTime() + 1000);
    await parts.cache.keepCrl(MILAN, crlOf(1), NOW);
    expect((await snapshots.of(MILAN)).crlFetchedAt).toEqual(NOW);
    await parts.cache.keepCrl(MILAN, crlOf(1), later);
    expect((await snapshots.of(MILAN)).crlFetchedAt).toEqual(later);
  });

  it('is made anew when the folder is read again', async () => {
    expect((await snapshots.of(MILAN)).chains).toEqual([]);
    await writeFile(folderOf('chain.pem'), pki.chainPem('Milan'));
    await parts.directory.refresh();
    expect((await snapshots.of(MILAN)).chains).toMatchObject([{ origin: 'store' }]);
    await writeFile(folderOf('list.crl'), pki.issueCrl({ product: 'Milan', number: 7 }));
    await parts.directory.refresh();
    expect(await numbers()).toEqual([7n]);
    await rm(folderOf('list.crl'));
    await parts.directory.refresh();
    expect(await numbers()).toEqual([]);
  });

  it('SNP-28 is made anew when the mark of a CRL is raised', async () => {
    expect((await snapshots.of(MILAN)).marks.highest).toBeNull();
    await parts.memory.advance('milan-vcek', crlOf(3));
    expect((await snapshots.of(MILAN)).marks.highest).toMatchObject({ number: 3n });
    await parts.memory.advance('milan-vcek', crlOf(2));
    expect((await snapshots.of(MILAN)).marks.highest).toMatchObject({ number: 3n });
  });

  it('SNP-28 is not kept while the mark is damaged: it counts as soon as it is mended', async () => {
    await parts.cache.keepChain(chain);
    const mark = join(folderOf('cache'), 'crl-highest-milan-vcek');
    await writeFile(mark, 'damaged');
    expect(isDamaged((await snapshots.of(MILAN)).marks.highest)).toBe(true);
    await writeFile(mark, '5 2026-02-01T00:00:00.000Z\n');
    expect((await snapshots.of(MILAN)).marks.highest).toMatchObject({ number: 5n });
  });

  it('has the CRLs of a root that was fetched for one request, where none is at hand', async () => {
    await writeFile(folderOf('list.crl'), pki.issueCrl({ product: 'Milan', number: 7 }));
    await parts.directory.refresh();
    const snapshot = await snapshots.of(MILAN);
    expect(snapshot).toMatchObject({ ark: null, crls: [] });
    const rooted = await snapshots.under(snapshot, chain.ark);
    expect(rooted.crls.map(({ number }) => number)).toEqual([7n]);
    expect(await snapshots.of(MILAN)).toMatchObject({ ark: null, crls: [] });
  });
});
