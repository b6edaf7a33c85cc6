import { mkdir, mkdtemp, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AmdDirectory } from '../../../src/endorsements/amd/amd-directory.js';
import { crlFileName } from '../../../src/endorsements/amd/bundle-files.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { CHIP, NOW, PATIENT, PINS, pki, TCB, VCEK } from './amd-lab.js';

const MILAN = { product: 'Milan', signingKey: 'vcek' } as const;

let root: string;
let folder: string;
let log: RecordingLog;
let directory: AmdDirectory;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'veritee-directory-'));
  folder = join(root, 'amd');
  log = new RecordingLog();
  directory = new AmdDirectory({ folder, pins: PINS, log, pollMs: 3_600_000 });
});

afterEach(async () => {
  directory.close();
  await rm(root, { recursive: true, force: true });
});

async function put(name: string, content: string | Uint8Array): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), content);
}

const holdsMilan = () => directory.chain(MILAN) !== null;

describe('AmdDirectory', () => {
  it('takes a folder that is not there for an empty one, and finds it when it comes', async () => {
    await directory.start();
    expect(holdsMilan()).toBe(false);
    expect(log.entries.filter(({ level }) => level !== 'info')).toEqual([]);
    await put('chain.pem', pki.chainPem('Milan'));
    await directory.refresh();
    expect(holdsMilan()).toBe(true);
  });

  it('says when its CRLs end, but for one that a newer one of its series replaces', async () => {
    const days = (count: number) => new Date(NOW.getTime() + count * 24 * 60 * 60 * 1000);
    const putList = async (series: 'vcek' | 'vlek' | null, ends: number) => {
      const der = pki.issueCrl({ product: 'Milan', number: ends, overrides: { nextUpdate: days(ends) } });
      const name = series === null ? `unnamed-${ends}.crl` : crlFileName('Milan', series, der);
      await put(name, der);
      return { key: 'amd.chains', file: name, subject: 'CRL of ARK-Milan', expires: days(ends).toISOString() };
    };
    await putList('vcek', 10);
    const newest = await putList('vcek', 300);
    const others = [await putList('vlek', 20), await putList(null, 5), await putList(null, 30)];
    await directory.start();
    const ended = (one: { expires: string }, other: { expires: string }) => (one.expires < other.expires ? -1 : 1);
    expect([...directory.endings].sort(ended)).toEqual([newest, ...others].sort(ended));
  });

  it('reads again when a file comes, changes or goes', async () => {
    await put('chain.pem', pki.chainPem('Genoa'));
    await directory.start();
    expect(holdsMilan()).toBe(false);
    await put('chain.pem', pki.chainPem('Milan'));
    await directory.refresh();
    expect(holdsMilan()).toBe(true);
    await put('vcek.der', VCEK);
    await directory.refresh();
    expect(directory.veks(MILAN)).toHaveLength(1);
    await rm(join(folder, 'chain.pem'));
    await directory.refresh();
    expect(holdsMilan()).toBe(false);
    await rm(folder, { recursive: true });
    await directory.refresh();
    expect(directory.veks(MILAN)).toHaveLength(0);
  });

  it('does not read again what has not changed, unless it is told to', async () => {
    await put('chain.pem', pki.chainPem('Milan'));
    await directory.start();
    await directory.refresh();
    expect(log.of(/folder read/)).toHaveLength(1);
    await directory.reload();
    expect(log.of(/folder read/)).toHaveLength(2);
  });

  it('reads again when the link changes that a file is', async () => {
    await mkdir(folder, { recursive: true });
    await writeFile(join(root, 'genoa'), pki.chainPem('Genoa'));
    await writeFile(join(root, 'milan'), pki.chainPem('Milan'));
    await symlink(join(root, 'genoa'), join(folder, 'chain.pem'));
    await directory.start();
    await symlink(join(root, 'milan'), join(root, 'next'));
    await rename(join(root, 'next'), join(folder, 'chain.pem'));
    await directory.refresh();
    expect(holdsMilan()).toBe(true);
  });

  it('says by name which files it does not take, and takes the others', async () => {
    await put('chain.pem', pki.chainPem('Milan'));
    await put('cut.pem', pki.chainPem('Milan').slice(0, 900));
    await put('empty.der', '');
    await put('large.crl', new Uint8Array(1024 * 1024 + 1));
    await put('other.der', new Uint8Array(64).fill(0x30));
    await mkdir(join(folder, 'sub.der'));
    await symlink(join(root, 'nowhere'), join(folder, 'dangling.pem'));
    await directory.start();
    expect(holdsMilan()).toBe(true);
    expect(log.of(/not taken/)).toContainEqual({ file: 'dangling.pem', why: 'there is no such file' });
    const names = log.of(/not taken/).map((fields) => ('file' in fields ? fields.file : null));
    expect(names.toSorted()).toEqual(['cut.pem', 'dangling.pem', 'empty.der', 'large.crl', 'other.der', 'sub.der']);
  });

  it('reads no more of a folder than any needs', async () => {
    const names = Array.from({ length: 65 }, (_, index) => `${10 + index}.der`);
    for (const name of names) await put(name, '');
    for (const name of names) await truncate(join(folder, name), 1024 * 1024);
    await directory.start();
    const why = new Map(log.of(/not taken/).map((fields) => Object.values(fields) as [string, string]));
    expect(why.get('73.der')).toMatch(/not a certificate/);
    expect(why.get('74.der')).toBe('too much in this folder');
  });

  it('does not look at files of other names', async () => {
    await put('README.md', 'what this folder is for');
    await put('.hidden.pem', 'nothing');
    await put('vcek.der.0b1e.tmp', 'half');
    await put('CHAIN.PEM', pki.chainPem('Milan'));
    await directory.start();
    expect(holdsMilan()).toBe(true);
    expect(log.of(/not taken/)).toEqual([]);
  });

  it('verifies keys where it holds their chain', async () => {
    const impostor = { ...pki.intermediate('Milan', 'vcek'), key: pki.intermediate('Genoa', 'vcek').key };
    await put('forged.der', pki.issueVcek({ product: 'Milan', chipId: CHIP, tcb: TCB, issuer: impostor }).der);
    await put('genuine.der', VCEK);
    await put('chain.pem', pki.chainPem('Milan'));
    await directory.start();
    expect(directory.veks(MILAN)).toHaveLength(1);
    expect(log.of(/not taken/)).toEqual([
      { file: 'forged.der', why: 'signature does not verify (certificate 1 of the chain, VCEK)' },
    ]);
  });

  it('keeps what it had where the folder cannot be read, and says so once', async () => {
    await put('chain.pem', pki.chainPem('Milan'));
    await directory.start();
    await rm(folder, { recursive: true });
    await writeFile(folder, 'a file where the folder was');
    await directory.refresh();
    await directory.refresh();
    expect(holdsMilan()).toBe(true);
    expect(log.of(/cannot be read/)).toEqual([
      { key: 'amd.chains', folder, why: 'is a file, and a folder is expected' },
    ]);
  });

  it('looks at the folder by itself until it is closed', async () => {
    directory.close();
    directory = new AmdDirectory({ folder, pins: PINS, log, pollMs: 5 });
    await directory.start();
    await put('chain.pem', pki.chainPem('Milan'));
    await expect.poll(holdsMilan, PATIENT).toBe(true);
  });
});
