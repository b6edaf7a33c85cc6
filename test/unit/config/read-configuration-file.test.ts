import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readConfigurationFile } from '../../../src/config/load-configuration.js';
import { ConfigurationError } from '../../../src/core/errors.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'veritee-'));
});
afterEach(() => rm(directory, { recursive: true }));

it('reads the text', async () => {
  await writeFile(join(directory, 'v.yaml'), 'historical: true # ü');
  expect(await readConfigurationFile(join(directory, 'v.yaml'))).toBe('historical: true # ü');
});

it.each([
  ['missing', null, 'there is no such file'],
  ['no UTF-8', Uint8Array.of(0xff, 0xfe), 'is not UTF-8 text'],
])('names the file that is %s', async (_, bytes, problem) => {
  const path = join(directory, 'v.yaml');
  if (bytes !== null) await writeFile(path, bytes);
  const reading = readConfigurationFile(path);
  await expect(reading).rejects.toThrow(ConfigurationError);
  await expect(reading).rejects.toThrow(`configuration file ${path}: ${problem}`);
});

it('says that a directory is none', async () => {
  await expect(readConfigurationFile(directory)).rejects.toThrow(
    `configuration file ${directory}: is a directory, and a file is expected`,
  );
});
