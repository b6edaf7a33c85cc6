import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CacheFolder } from '../../../../src/endorsements/files/cache-folder.js';
import { CollateralCache } from '../../../../src/endorsements/intel/collateral-cache.js';
import { CollateralReader } from '../../../../src/vendors/intel/collateral.js';
import { readIntelCollateral } from '../../../../src/vendors/intel/collateral-parts.js';
import { createIntelPki } from '../../../lab/intel-pki.js';
import { TdxPlatform } from '../../../lab/tdx-platform.js';
import { RecordingLog } from '../recording-log.js';

const NOW = new Date('2026-03-01T12:00:00Z');
const BEFORE = new Date(NOW.getTime() - 1);
const pki = createIntelPki({ at: NOW });
const reader = new CollateralReader(pki.pins);
const collateral = readIntelCollateral(reader, new TdxPlatform({ pki }).collateral({ at: NOW }));

let path: string;

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'veritee-collateral-cache-'));
});

afterEach(() => rm(path, { recursive: true }));

const open = () => new CollateralCache({ folder: new CacheFolder(path, new RecordingLog()), reader });

describe('collateral that another process has kept', () => {
  it.each([
    ['later', BEFORE, NOW],
    ['earlier', NOW, BEFORE],
  ])('counts as it was fetched last: %s than here', async (_which, here, there) => {
    const cache = open();
    await cache.keep({ collateral, source: 'pcs', fetchedAt: here });
    await open().keep({ collateral, source: 'pcs', fetchedAt: there });
    await cache.read();
    expect(cache.held(collateral).map(({ fetchedAt }) => fetchedAt)).toEqual([NOW]);
  });
});
