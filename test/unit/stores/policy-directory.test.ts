import { once } from 'node:events';
import { appendFileSync, renameSync, symlinkSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, realpath, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConfigurationError } from '../../../src/core/errors.js';
import { DISK_READING } from '../../../src/files/disk-files.js';
import { MAX_POLICY_BYTES } from '../../../src/files/policy-file.js';
import type { PolicyDirectoryOptions } from '../../../src/stores/policy-directory.js';
import { PolicyDirectory } from '../../../src/stores/policy-directory.js';

interface Policy {
  readonly id: string;
  readonly text: string;
}

/** A policy is `id: anything`; what is wrong with it is said as the real parser does. */
function parse(text: string): Policy {
  const [, id] = /^([a-z-]+):/.exec(text) ?? [];
  if (id === undefined) throw new ConfigurationError(['/id: is missing', '/version: is missing']);
  return { id, text };
}

const BASELINE: Policy = { id: 'baseline', text: 'built in' };

let root: string;
let directory: string;
let failures: (readonly string[])[];
let reloads: number[];
const opened: PolicyDirectory<Policy>[] = [];

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'veritee-')));
  directory = join(root, 'policies');
  await mkdir(directory);
  failures = [];
  reloads = [];
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((policies) => policies.close()));
  await rm(root, { recursive: true });
});

async function open(options: Partial<PolicyDirectoryOptions<Policy>> = {}): Promise<PolicyDirectory<Policy>> {
  const policies = await PolicyDirectory.open<Policy>({
    directory,
    directoryPath: ['policies', 'directory'],
    required: true,
    builtIns: [BASELINE],
    needed: [{ id: 'baseline', path: ['policies', 'default'] }],
    parse,
    onReloaded: (inForce) => reloads.push(inForce.length),
    onReloadFailed: (problems) => failures.push(problems),
    ...options,
  });
  opened.push(policies);
  return policies;
}

function ids(policies: PolicyDirectory<Policy>): readonly string[] {
  return policies
    .snapshot()
    .list()
    .map(({ id }) => id);
}

async function file(name: string, text: string): Promise<void> {
  await writeFile(join(directory, name), text);
}

describe('a policy directory', () => {
  it('has the built-in policies and every YAML and JSON file, in order', async () => {
    await file('b.yaml', 'bb:');
    await file('a.yml', 'aa:');
    await file('c.json', 'cc:');
    await file('README.md', 'no policy');
    await file('.hidden.yaml', 'no policy');
    for (const ending of ['yaml', 'yml', 'json']) await file(`a.test.${ending}`, 'no policy');
    await file('d.tests.yaml', 'dd:');
    const policies = await open();
    expect(ids(policies)).toEqual(['baseline', 'aa', 'bb', 'cc', 'dd']);
    expect(policies.snapshot().get('bb')).toEqual({ id: 'bb', text: 'bb:' });
    expect(policies.snapshot().get('constructor')).toBeUndefined();
    expect(policies.snapshot().has('cc')).toBe(true);
    expect(policies.snapshot().has('ee')).toBe(false);
  });

  it('gives the parser the text to the byte, and the name', async () => {
    const seen: string[][] = [];
    await file('a.yaml', '\uFEFFaa: ü\r\n');
    await open({
      parse: (text, name) => {
        seen.push([text, name]);
        return { id: 'aa', text };
      },
    });
    expect(seen).toEqual([['\uFEFFaa: ü\r\n', 'a.yaml']]);
  });

  it('may be missing where nobody named it', async () => {
    await rm(directory, { recursive: true });
    expect(ids(await open({ required: false }))).toEqual(['baseline']);
  });

  it('is found once it appears', async () => {
    await rm(directory, { recursive: true });
    const policies = await open({ required: false });
    await mkdir(directory);
    await file('a.yaml', 'aa:');
    await policies.reload();
    expect(ids(policies)).toEqual(['baseline', 'aa']);
  });

  it('DEC-06 keeps its policies where it vanishes', async () => {
    await file('a.yaml', 'aa:');
    const policies = await open({ required: false });
    await rm(directory, { recursive: true });
    await policies.reload();
    await policies.reload();
    expect(ids(policies)).toEqual(['baseline', 'aa']);
    expect(failures).toEqual(Array(2).fill([`policies.directory: ${directory} does not exist`]));
  });

  it('is read through links that stay inside it, as Kubernetes makes them', async () => {
    await mkdir(join(directory, '..2026'));
    await writeFile(join(directory, '..2026', 'a.yaml'), 'aa:');
    await symlink('..2026', join(directory, '..data'));
    await symlink(join('..data', 'a.yaml'), join(directory, 'a.yaml'));
    expect(ids(await open())).toEqual(['baseline', 'aa']);
  });

  it('may be a link itself', async () => {
    await file('a.yaml', 'aa:');
    await symlink(directory, join(root, 'link'));
    expect(ids(await open({ directory: join(root, 'link') }))).toEqual(['baseline', 'aa']);
  });
});

/** The causes that spoil a directory, and their messages. */
const SPOILS: readonly (readonly [what: string, spoil: () => Promise<void>, problem: () => string])[] = [
  ['syntax', () => file('bad.yaml', '???'), () => 'bad.yaml: /id: is missing'],
  ['two files with one id', () => file('bad.yaml', 'aa: 2'), () => 'bad.yaml: id aa is that of a.yaml'],
  [
    'the id of a built-in policy',
    () => file('bad.yaml', 'baseline:'),
    () => 'bad.yaml: id baseline is that of a built-in policy: give the policy an id of its own',
  ],
  [
    'a file that everybody may write',
    async () => {
      await file('bad.yaml', 'bad:');
      await chmod(join(directory, 'bad.yaml'), 0o646);
    },
    () => 'bad.yaml: is writable by everyone',
  ],
  [
    'a link that leads out',
    async () => {
      await writeFile(join(root, 'outside.yaml'), 'bad:');
      await symlink(join('..', 'outside.yaml'), join(directory, 'bad.yaml'));
    },
    () => 'bad.yaml: points outside the policy directory',
  ],
  [
    'a link into a directory with a longer name',
    async () => {
      await mkdir(`${directory}-other`);
      await writeFile(join(`${directory}-other`, 'a.yaml'), 'bad:');
      await symlink(join(`${directory}-other`, 'a.yaml'), join(directory, 'bad.yaml'));
    },
    () => 'bad.yaml: points outside the policy directory',
  ],
  [
    'a folder on the way that leads out',
    async () => {
      await mkdir(join(root, 'elsewhere'));
      await writeFile(join(root, 'elsewhere', 'a.yaml'), 'bad:');
      await symlink(join(root, 'elsewhere'), join(directory, '..data'));
      await symlink(join('..data', 'a.yaml'), join(directory, 'bad.yaml'));
    },
    () => 'bad.yaml: points outside the policy directory',
  ],
  ['a link to nowhere', () => symlink('nowhere', join(directory, 'bad.yaml')), () => 'bad.yaml: cannot be found'],
  ['a folder', async () => void (await mkdir(join(directory, 'bad.yaml'))), () => 'bad.yaml: is not a file'],
  [
    'too large a file',
    () => file('bad.yaml', `bad:${' '.repeat(MAX_POLICY_BYTES)}`),
    () => `bad.yaml: has more than ${MAX_POLICY_BYTES} bytes`,
  ],
  ['no UTF-8', () => writeFile(join(directory, 'bad.yaml'), Uint8Array.of(0xff)), () => 'bad.yaml: is not UTF-8'],
];

describe.each(SPOILS)('DEC-06 with %s', (_, spoil, problem) => {
  it('DEC-06 does not start', async () => {
    await file('a.yaml', 'aa:');
    await spoil();
    await expect(open()).rejects.toThrow(ConfigurationError);
    await expect(open()).rejects.toMatchObject({ problems: expect.arrayContaining([problem()]) });
  });

  it('DEC-06 keeps the old policies whole at a reload, says why, and takes what is right again', async () => {
    await file('a.yaml', 'aa:');
    const policies = await open();
    const before = policies.snapshot();
    await file('other.yaml', 'other:');
    await spoil();
    await policies.reload();
    expect(policies.snapshot()).toBe(before);
    expect(ids(policies)).toEqual(['baseline', 'aa']);
    expect(failures).toEqual([expect.arrayContaining([problem()])]);
    expect(reloads).toEqual([]);

    await rm(join(directory, 'bad.yaml'), { recursive: true });
    await policies.reload();
    expect(ids(policies)).toEqual(['baseline', 'aa', 'other']);
    expect(reloads).toEqual([3]);
  });
});

describe('DEC-06', () => {
  it('DEC-06 names every problem of every file', async () => {
    await file('a.yaml', '???');
    await file('b.yaml', 'baseline:');
    await expect(open()).rejects.toMatchObject({
      problems: [
        'a.yaml: /id: is missing',
        'a.yaml: /version: is missing',
        'b.yaml: id baseline is that of a built-in policy: give the policy an id of its own',
      ],
    });
  });

  it('DEC-06 does not wait for a socket or pipe', async () => {
    const server = createServer().listen(join(directory, 'bad.yaml'));
    await once(server, 'listening');
    try {
      await expect(open()).rejects.toMatchObject({ problems: ['bad.yaml: cannot be opened'] });
    } finally {
      server.close();
    }
  });

  it('DEC-06 takes the limit in bytes as still right', async () => {
    await file('a.yaml', `aa:${' '.repeat(MAX_POLICY_BYTES - 3)}`);
    expect(ids(await open())).toEqual(['baseline', 'aa']);
  });

  it('DEC-06 does not start without a directory that was named', async () => {
    await rm(directory, { recursive: true });
    await expect(open()).rejects.toThrow(`policies.directory: ${directory} does not exist`);
  });

  it('DEC-06 does not start where the directory is a file', async () => {
    await writeFile(join(root, 'file'), '');
    await expect(open({ directory: join(root, 'file') })).rejects.toThrow(
      `policies.directory: ${join(root, 'file')}: is a file, and a folder is expected`,
    );
  });

  it('DEC-06 takes no set without the default policy', async () => {
    await expect(open({ needed: [{ id: 'mine', path: ['policies', 'default'] }] })).rejects.toThrow(
      'policies.default: there is no policy mine',
    );
    await file('a.yaml', 'mine:');
    const policies = await open({ needed: [{ id: 'mine', path: ['policies', 'default'] }] });
    await unlink(join(directory, 'a.yaml'));
    await policies.reload();
    expect(ids(policies)).toEqual(['baseline', 'mine']);
    expect(failures).toEqual([['policies.default: there is no policy mine']]);
  });

  it('DEC-06 survives a parser that throws something else', async () => {
    await file('a.yaml', 'aa:');
    let isBroken = false;
    const policies = await open({
      parse: (text) => {
        if (isBroken) throw new TypeError('secret of the text');
        return parse(text);
      },
    });
    isBroken = true;
    await policies.reload();
    expect(ids(policies)).toEqual(['baseline', 'aa']);
    expect(failures).toEqual([['a.yaml: cannot be read']]);
  });

  it('DEC-06 takes no set from a directory that changes while it is read', async () => {
    await file('a.yaml', 'aa:');
    let reads = 0;
    const policies = await open();
    const names = async (folder: string) => {
      reads++;
      // The change falls between two looks at the directory.
      appendFileSync(join(directory, 'a.yaml'), '.');
      return DISK_READING.names(folder);
    };
    const busy = open({
      reading: { ...DISK_READING, names },
    });
    await expect(busy).rejects.toThrow(`policies.directory: ${directory}: keeps changing while it is read`);
    expect(reads).toBeGreaterThan(1);
    expect(ids(policies)).toEqual(['baseline', 'aa']);
  });

  it('DEC-06 reads again where a ConfigMap is exchanged meanwhile', async () => {
    for (const [version, text] of [
      ['..1', '1'],
      ['..2', '2'],
    ] as const) {
      await mkdir(join(directory, version));
      await writeFile(join(directory, version, 'a.yaml'), `aa: ${text}`);
      await writeFile(join(directory, version, 'b.yaml'), `bb: ${text}`);
    }
    await symlink('..1', join(directory, '..data'));
    await symlink(join('..data', 'a.yaml'), join(directory, 'a.yaml'));
    await symlink(join('..data', 'b.yaml'), join(directory, 'b.yaml'));
    let isExchanged = false;
    const text = async (folder: string, name: string) => {
      const read = await DISK_READING.text(folder, name);
      if (!isExchanged) {
        symlinkSync('..2', join(directory, '..next'));
        renameSync(join(directory, '..next'), join(directory, '..data'));
        isExchanged = true;
      }
      return read;
    };
    const policies = await open({
      reading: { ...DISK_READING, text },
    });
    expect(['aa', 'bb'].map((id) => policies.snapshot().get(id)?.text)).toEqual(['aa: 2', 'bb: 2']);
  });
});

/** Two files in memory. Each version that is published is exchanged for another one once a reload has read the first file. */
function exchangedFiles() {
  let isExchanged = true;
  const names = async () => ['a.yaml', 'b.yaml'];
  const mark = async () => String(exchanges.version);
  const text = async (_folder: string, name: string) => {
    exchanges.betweenFiles();
    const read = { name, text: `${name.slice(0, 1).repeat(2)}: ${exchanges.version}` };
    if (!isExchanged) exchanges.version++;
    isExchanged = true;
    return read;
  };
  const exchanges = {
    version: 0,
    inForce: 0,
    /** A request that is under way while a reload reads. */
    betweenFiles: () => {},
    publish: () => {
      exchanges.version++;
      isExchanged = false;
    },
    reading: { names, mark, text },
  };
  return exchanges;
}

describe('DEC-05', () => {
  it('DEC-05 shows exactly one set to each read, through 1 000 exchanges', async () => {
    const exchanges = exchangedFiles();
    const policies = await open({ reading: exchanges.reading });
    const first = policies.snapshot();
    const texts = (set = policies.snapshot()) => ['aa', 'bb'].map((id) => set.get(id)?.text);
    exchanges.betweenFiles = () => expect(texts()).toEqual([`aa: ${exchanges.inForce}`, `bb: ${exchanges.inForce}`]);
    while (exchanges.version < 1_000) {
      const before = texts();
      const set = policies.snapshot();
      exchanges.publish();
      await policies.reload();
      exchanges.inForce = exchanges.version;
      expect(texts(set)).toEqual(before);
      expect(texts()).toEqual([`aa: ${exchanges.version}`, `bb: ${exchanges.version}`]);
    }
    expect([failures, reloads.length]).toEqual([[], 500]);
    expect(texts(first)).toEqual(['aa: 0', 'bb: 0']);
  });

  it('DEC-05 gives a set that nobody can change', async () => {
    await file('a.yaml', 'aa:');
    const policies = await open();
    const list = policies.snapshot().list() as Policy[];
    list.pop();
    expect(ids(policies)).toEqual(['baseline', 'aa']);
    expect(Object.isFrozen(policies.snapshot())).toBe(true);
  });

  it('reloads one after the other', async () => {
    const policies = await open();
    await file('a.yaml', 'aa:');
    await Promise.all([policies.reload(), policies.reload(), policies.reload()]);
    expect(reloads).toEqual([2, 2, 2]);
  });
});

describe('watching', () => {
  it('DEC-06 tells of an unchanged problem once, tries again all the same, and takes what is right', async () => {
    await file('a.yaml', 'aa:');
    let reads = 0;
    const policies = await open({
      timing: { settleMs: HOURS, pollMs: 5 },
      parse: (text) => {
        reads++;
        return parse(text);
      },
    });
    expect(policies.isCurrent).toBe(true);
    await file('bad.yaml', '???');
    policies.watch();
    const before = reads;
    await expect.poll(() => reads, { timeout: 10_000 }).toBeGreaterThan(before + 6);
    expect(failures).toEqual([['bad.yaml: /id: is missing', 'bad.yaml: /version: is missing']]);
    expect(policies.isCurrent).toBe(false);
    await policies.reload();
    expect(failures).toHaveLength(2);
    await unlink(join(directory, 'bad.yaml'));
    await expect.poll(() => policies.isCurrent, { timeout: 10_000 }).toBe(true);
    await file('bad.yaml', '???');
    await expect.poll(() => failures.length, { timeout: 10_000 }).toBe(3);
  });

  it.each([
    ['right', 'bb:', [2], 0],
    ['wrong', '???', [], 1],
  ] as const)(
    'tells once of a change that is %s and was read by a reload before the watch settled',
    async (_title, text, told, failed) => {
      let reads = 0;
      const policies = await open({
        timing: { settleMs: 50, pollMs: HOURS },
        parse: (given) => {
          reads++;
          return parse(given);
        },
      });
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      try {
        policies.watch();
        await file('b.yaml', text);
        await policies.reload();
        // The watch settles when the test says so, however late its event comes.
        while (vi.getTimerCount() === 0) await new Promise(setImmediate);
        vi.advanceTimersByTime(50);
      } finally {
        vi.useRealTimers();
      }
      await expect.poll(() => reads, { timeout: 10_000 }).toBe(2);
      // Nothing is left to be told: the reload that is asked for comes after that of the watch.
      expect([reloads, failures.length]).toEqual([told, failed]);
      await policies.reload();
      expect([reloads.length, failures.length]).toEqual([2 * told.length, 2 * failed]);
    },
  );

  it('tells of a change that leaves the same mistake', async () => {
    await file('a.yaml', 'aa:');
    const policies = await open({ timing: { settleMs: 5, pollMs: HOURS } });
    policies.watch();
    for (const [told, text] of ['???', '????'].entries()) {
      await writeFile(join(root, 'next'), text);
      await rename(join(root, 'next'), join(directory, 'a.yaml'));
      await expect.poll(() => failures.length, { timeout: 10_000 }).toBe(told + 1);
    }
  });

  it('is current again where a directory that was away comes back as it was', async () => {
    await file('a.yaml', 'aa:');
    const policies = await open({ timing: { settleMs: HOURS, pollMs: 5 } });
    await rename(directory, join(root, 'away'));
    expect([await policies.reload(), policies.isCurrent]).toEqual([false, false]);
    await rename(join(root, 'away'), directory);
    policies.watch();
    await expect.poll(() => policies.isCurrent, { timeout: 10_000 }).toBe(true);
  });

  it('takes nothing any more where it is closed while it looks', async () => {
    await file('a.yaml', 'aa:');
    const policies = await open({ timing: { settleMs: HOURS, pollMs: 5 } });
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      policies.watch();
      await file('b.yaml', 'bb:');
      vi.advanceTimersByTime(5);
      await policies.close();
    } finally {
      vi.useRealTimers();
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([reloads, ids(policies)]).toEqual([[], ['baseline', 'aa']]);
  });

  /** Resolves at the next reload that worked. */
  function nextReload(): { reloaded: Promise<number>; onReloaded: (inForce: readonly Policy[]) => void } {
    let onReloaded: (inForce: readonly Policy[]) => void = () => undefined;
    const reloaded = new Promise<number>((resolve) => {
      onReloaded = (inForce) => resolve(inForce.length);
    });
    return { reloaded, onReloaded };
  }

  const HOURS = 3_600_000;

  it('reloads when a file changes', async () => {
    await file('a.yaml', 'aa:');
    const { reloaded, onReloaded } = nextReload();
    const policies = await open({ onReloaded, timing: { settleMs: 5, pollMs: HOURS } });
    policies.watch();
    await writeFile(join(root, 'next'), 'cc:');
    await rename(join(root, 'next'), join(directory, 'c.yaml'));
    expect(await reloaded).toBe(3);
    expect(ids(policies)).toEqual(['baseline', 'aa', 'cc']);
  });

  it('polls for what the system cannot watch: a directory that is not there yet', async () => {
    await rm(directory, { recursive: true });
    const { reloaded, onReloaded } = nextReload();
    const policies = await open({ required: false, onReloaded, timing: { settleMs: 5, pollMs: 5 } });
    policies.watch();
    await mkdir(join(root, 'made'));
    await writeFile(join(root, 'made', 'a.yaml'), 'aa:');
    await rename(join(root, 'made'), directory);
    expect(await reloaded).toBe(2);
  });

  it('polling alone does not reload what has not changed, and stops when closed', async () => {
    await file('a.yaml', 'aa:');
    const { reloaded, onReloaded } = nextReload();
    let count = 0;
    const policies = await open({
      timing: { settleMs: HOURS, pollMs: 2 },
      onReloaded: (size) => {
        count++;
        onReloaded(size);
      },
    });
    policies.watch();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(count).toBe(0);
    await file('b.yaml', 'bb:');
    await reloaded;
    await policies.close();
    const whenClosed = count;
    await file('c.yaml', 'cc:');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(count).toBe(whenClosed);
  });
});
