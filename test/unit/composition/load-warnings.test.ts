import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { warnOfMissingFolders } from '../../../src/composition/load-warnings.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { RecordingLog } from '../endorsements/recording-log.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'veritee-'));
});
afterEach(() => rm(root, { recursive: true }));

async function warnings(keys: object): Promise<readonly object[]> {
  const log = new RecordingLog();
  await warnOfMissingFolders(loadConfiguration({ text: JSON.stringify(keys), environment: {} }), log);
  return log.of(/^folder of the configuration is taken for an empty one$/);
}

it('warns of folders that the configuration names and that are not there', async () => {
  const [amd, intel] = [join(root, 'amd'), join(root, 'intel')];
  expect(await warnings({ amd: { chains: amd }, intel: { collateral: intel } })).toEqual([
    { key: 'amd.chains', folder: amd, why: 'there is no such folder' },
    { key: 'intel.collateral', folder: intel, why: 'there is no such folder' },
  ]);
});

it('twin: says nothing of folders that are there, or that nobody named', async () => {
  await mkdir(join(root, 'amd'));
  expect(await warnings({ amd: { chains: join(root, 'amd') } })).toEqual([]);
});
