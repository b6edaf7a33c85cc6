import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPolicySuites } from '../../../../src/app/commands/policy-suites.js';
import { AMD_LINES } from '../../../../src/core/amd-lines.js';

const POLICY = 'apiVersion: veritee/v1\nid: p\nversion: 1\naccepts: [tpm]\nminimums: any\nroutes: { hardware: off }\n';
const TEST =
  'policy: p\ncases: [{ name: a, type: tpm, claims: { tpm: { clock: { safe: true } } }, expect: { outcome: allow } }]\n';

const NOBODY = 65_534;

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'veritee-suites-'));
  await chmod(root, 0o755);
  for (const folder of ['open', 'closed', 'tested', 'untestable']) {
    await mkdir(join(root, folder));
    await chmod(join(root, folder), 0o755);
    for (const [name, text] of Object.entries({ 'p.yaml': POLICY, 'p.test.yaml': TEST })) {
      await writeFile(join(root, folder, name), text);
      await chmod(join(root, folder, name), 0o644);
    }
  }
  await chmod(join(root, 'closed'), 0o311);
  await chmod(join(root, 'tested/p.yaml'), 0o200);
  await chmod(join(root, 'untestable/p.test.yaml'), 0o200);
});

afterAll(() => rm(root, { recursive: true, force: true }));

/** As a user whom permissions bind: they do not bind root. */
async function boundByPermissions<T>(run: () => Promise<T>): Promise<T> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(NOBODY);
  try {
    return await run();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

const MAY_NOT = 'the user of this process may not read it';

describe('policies and tests that may not be read', () => {
  it.each([
    ['a folder', 'closed', 'closed'],
    ['a policy in a folder whose tests cannot be looked for', 'closed/p.yaml', 'closed'],
    ['a policy', 'tested', 'tested/p.yaml'],
    ['a test', 'untestable', 'untestable/p.test.yaml'],
  ])('are named: %s', async (_title, place, named) => {
    const reading = boundByPermissions(() => readPolicySuites([join(root, place), join(root, 'open')], AMD_LINES));
    await expect(reading).rejects.toMatchObject({ lines: [`${join(root, named)}: ${MAY_NOT}`] });
  });

  it('twin: one that may be read has its policy and its cases', async () => {
    const suites = await boundByPermissions(() => readPolicySuites([join(root, 'open')], AMD_LINES));
    expect(suites).toMatchObject([{ policy: { id: 'p' }, cases: [{ name: 'a' }] }]);
  });
});

describe('an error that is no fault of a file', () => {
  it('is passed on as it is, so that the command ends as for any fault', async () => {
    await expect(readPolicySuites([join(root, 'open'), 'a\u0000b'], AMD_LINES)).rejects.toBeInstanceOf(TypeError);
  });
});
