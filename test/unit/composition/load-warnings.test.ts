import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
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

async function warnings(keys: object, what = 'does not exist'): Promise<readonly object[]> {
  const log = new RecordingLog();
  await warnOfMissingFolders(loadConfiguration({ text: JSON.stringify(keys), environment: {} }), log);
  return log.of(new RegExp(`^configured folder ${what}, continuing without it$`));
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

it('does not say of a folder that links to itself that it does not exist', async () => {
  const loop = join(root, 'amd');
  await symlink(loop, loop);
  expect(await warnings({ amd: { chains: loop } })).toEqual([]);
  expect(await warnings({ amd: { chains: loop } }, 'cannot be reached')).toEqual([
    { key: 'amd.chains', folder: loop, why: 'cannot be read: its name is a symbolic link that leads in a circle' },
  ]);
});
