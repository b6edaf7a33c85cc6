import {
  lstat,
  mkdir,
  mkdtemp,
  open,
  readlink,
  realpath,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  MAX_POLICY_BYTES,
  PolicyFileError,
  type PolicyFileSystem,
  readNamedPolicyFile,
  readPolicyFile,
} from '../../../src/files/policy-file.js';

let root: string;
let directory: string;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'veritee-')));
  directory = join(root, 'policies');
  await mkdir(join(directory, 'folder'), { recursive: true });
  await mkdir(join(root, 'outside'));
  await writeFile(join(directory, 'folder', 'a.yaml'), 'inside');
  await writeFile(join(root, 'outside', 'a.yaml'), 'outside');
  await symlink(join('folder', 'a.yaml'), join(directory, 'a.yaml'));
});
afterEach(() => rm(root, { recursive: true }));

/** The folder on the way to the file becomes a link that leads out. */
async function leadOut(): Promise<void> {
  await rename(join(directory, 'folder'), join(root, 'aside'));
  await symlink(join(root, 'outside'), join(directory, 'folder'));
}

/** And is a folder again. */
async function leadBack(): Promise<void> {
  await unlink(join(directory, 'folder'));
  await rename(join(root, 'aside'), join(directory, 'folder'));
}

type Step = keyof PolicyFileSystem;

/** The file system, where others change something before and after the steps that are named. */
function changing(before: Partial<Record<Step, () => Promise<void>>>, after: typeof before = {}): PolicyFileSystem {
  const around =
    <A extends readonly unknown[], R>(name: Step, step: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      await before[name]?.();
      const result = await step(...args);
      await after[name]?.();
      return result;
    };
  return {
    realpath: around('realpath', (path: string) => realpath(path)),
    open: around('open', (path: string, flags: number) => open(path, flags)),
    lstat: around('lstat', (path: string) => lstat(path)),
    readlink: around('readlink', (path: string) => readlink(path)),
  };
}

const read = (system?: PolicyFileSystem) => readPolicyFile(directory, 'a.yaml', system);

async function expectRefused(system: PolicyFileSystem, message: string): Promise<void> {
  const reading = read(system);
  await expect(reading).rejects.toThrow(PolicyFileError);
  await expect(reading).rejects.toThrow(message);
}

describe('a folder that becomes a link between look and open', () => {
  it('DEC-06 is refused where it stays one', async () => {
    await expectRefused(changing({ open: leadOut }), 'points outside the policy directory');
  });

  it('DEC-06 is refused where it is a folder again at once: the open file is another', async () => {
    await expectRefused(changing({ open: leadOut }, { open: leadBack }), 'changed while it was read');
  });

  it.runIf(process.platform === 'linux')(
    'DEC-06 is refused where it is a link at each look at the file, and a folder at each look at the path',
    async () => {
      const system = changing({ open: leadOut, lstat: leadOut }, { open: leadBack, lstat: leadBack });
      await expectRefused(system, 'changed while it was read');
    },
  );

  it('DEC-06 is refused where the file is gone when it is looked at again', async () => {
    const remove = () => unlink(join(directory, 'folder', 'a.yaml'));
    await expectRefused(changing({ lstat: remove }), 'changed while it was read');
  });

  it.each([
    ['device', 'dev'],
    ['number', 'ino'],
  ] as const)(
    'DEC-06 is refused where the file of its path has another %s, and the rest alike',
    async (_what, member) => {
      const system: PolicyFileSystem = {
        ...changing({}),
        lstat: async (path) => {
          const { dev, ino } = await lstat(path);
          return { dev, ino, [member]: (member === 'dev' ? dev : ino) + 1 };
        },
      };
      await expectRefused(system, 'changed while it was read');
    },
  );

  it('DEC-06 twin: is read where it stays a folder, through a link inside of the directory too', async () => {
    expect(await read()).toBe('inside');
    expect(await read(changing({}))).toBe('inside');
    expect(await readPolicyFile(directory, 'folder/a.yaml')).toBe('inside');
  });
});

it('DEC-06 is refused where it is exchanged after it was opened: what is read is what was looked at', async () => {
  const exchange = async () => {
    await writeFile(join(root, 'other'), 'other');
    await rename(join(root, 'other'), join(directory, 'folder', 'a.yaml'));
  };
  await expectRefused(changing({}, { open: exchange }), 'changed while it was read');
});

describe('a policy file that the caller names', () => {
  it.each<[string, Uint8Array, string]>([
    ['bytes that are no UTF-8', Buffer.from('id: é', 'latin1'), 'is not UTF-8'],
    ['too much', new Uint8Array(MAX_POLICY_BYTES + 1), `has more than ${MAX_POLICY_BYTES} bytes`],
  ])('is refused for %s', async (_title, bytes, message) => {
    await writeFile(join(root, 'own.yaml'), bytes);
    const reading = readNamedPolicyFile(join(root, 'own.yaml'));
    await expect(reading).rejects.toThrow(PolicyFileError);
    await expect(reading).rejects.toThrow(message);
  });

  it('twin: is read byte for byte, with its byte order mark, through a link too', async () => {
    const bytes = Buffer.from('\ufeffid: é\r\n', 'utf8');
    await writeFile(join(root, 'own.yaml'), bytes);
    await symlink('own.yaml', join(root, 'link.yaml'));
    expect(Buffer.from(await readNamedPolicyFile(join(root, 'link.yaml')), 'utf8')).toEqual(bytes);
  });
});
