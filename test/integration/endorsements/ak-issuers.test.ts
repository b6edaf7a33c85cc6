import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OpenAkIssuers, openAkIssuers } from '../../../src/endorsements/attestation-keys/open-ak-issuers.js';
import { basicConstraints, createAzureAkPki, type LabAuthority, pemOf, VirtualTpm } from '../../lab/index.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';

/** The operator's folder of issuers of attestation keys. */

const PKI = createAzureAkPki();
const FOREIGN = createAzureAkPki({ keys: 'foreign-azure-vtpm' });
const [ca24, ca2025, root] = (['ca24', 'ca2025', 'root'] as const).map((name) => PKI.authority(name)) as [
  LabAuthority,
  LabAuthority,
  LabAuthority,
];
const sha256 = ({ der }: { readonly der: Uint8Array }) => createHash('sha256').update(der).digest('hex');

let parent: string;
let folder: string;
let log: RecordingLog;
let open: OpenAkIssuers;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'veritee-issuers-'));
  folder = join(parent, 'tpm');
  log = new RecordingLog();
});

afterEach(async () => {
  await open.close();
  await rm(parent, { recursive: true, force: true });
});

async function put(name: string, content: string | Uint8Array): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), content);
}

function start(): void {
  open = openAkIssuers({ folder, log, pollMs: 3_600_000 });
}

/** Digests of what is found above a certificate of CA - 24. */
async function found(issuer: Uint8Array = ca24.name): Promise<readonly string[]> {
  const all = await open.source.find({ kind: 'ak-issuers', issuer });
  expect(new Set(all.map(({ origin }) => origin))).toEqual(new Set(all.length === 0 ? [] : ['store']));
  return all.map(({ value }) => value.sha256);
}

describe('the folder of issuers of attestation keys', () => {
  it('gives out the issuer that is sought, and those above it, the nearest first', async () => {
    await put('a.pem', root.pem + ca2025.pem);
    await put('b.cer', ca24.der);
    await put('c.crt', PKI.authority('globalCa03').pem);
    start();
    expect(await found()).toEqual([ca24, ca2025, root].map(sha256));
    expect(await found(ca2025.name)).toEqual([ca2025, root].map(sha256));
    expect(await found(root.name)).toEqual([root].map(sha256));
    expect(await found(Uint8Array.of(0x30, 0))).toEqual([]);
    expect(open.certificates().map(({ name, bytes }) => [name, Buffer.from(bytes)])).toEqual([
      ['a.pem', Buffer.from(root.der)],
      ['a.pem', Buffer.from(ca2025.der)],
      ['b.cer', Buffer.from(ca24.der)],
      ['c.crt', Buffer.from(PKI.authority('globalCa03').der)],
    ]);
  });

  it('gives out every certificate of a name, each once', async () => {
    const other = FOREIGN.authority('ca24');
    await put('a.pem', ca24.pem + ca24.pem);
    await put('b.der', ca24.der);
    await put('c.pem', other.pem);
    start();
    expect([...(await found())].sort()).toEqual([ca24, other].map(sha256).sort());
  });

  it('gives out no more than paths need, whatever is in it', async () => {
    const many = Array.from({ length: 70 }, (_, index) =>
      PKI.issueAuthority('globalCa03', { serial: BigInt(index + 1) }),
    );
    await put('many.pem', many.map(({ pem }) => pem).join(''));
    start();
    expect(await found(PKI.authority('globalCa03').name)).toHaveLength(64);
  });

  it('takes no file that is not of a CA, and says which', async () => {
    const leaf = PKI.issueLeaf({ key: (await VirtualTpm.create()).publicJwk });
    const noCa = PKI.issueAuthority('ca24', { extensions: [basicConstraints({ ca: false })] });
    await put('leaf.pem', pemOf(leaf));
    await put('no-ca.der', noCa.der);
    await put('bytes.der', Uint8Array.of(1, 2, 3));
    await put('broken.pem', '-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n');
    await put('commented.pem', `subject=CN = CA\n${ca2025.pem}`);
    await put('key.pem', '-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n');
    await put('right.pem', ca24.pem);
    await put('README', 'Issuers of attestation keys');
    await put('.hidden.pem', ca2025.pem);
    start();
    expect(await found()).toEqual([sha256(ca24)]);
    const refused = log.of(/^file of the folder of AK certificate issuers not taken$/);
    expect(refused).toMatchObject([
      { file: 'README' },
      { file: 'broken.pem' },
      { file: 'bytes.der' },
      { file: 'commented.pem', why: 'PEM has something other than certificates' },
      { file: 'key.pem', why: 'PEM has a private key, which must not be sent: expected certificates alone' },
      { file: 'leaf.pem', why: 'not the certificate of a CA' },
      { file: 'no-ca.der', why: 'not the certificate of a CA' },
    ]);
  });

  it('is empty where it is not there, and is read again when it is told to', async () => {
    start();
    expect(await found()).toEqual([]);
    expect(log.entries.filter(({ level }) => level !== 'info')).toEqual([]);
    await put('a.pem', ca24.pem);
    expect(await open.reload()).toEqual([{ name: 'tpm.intermediates', isTaken: true }]);
    expect(await found()).toEqual([sha256(ca24)]);
    await rename(folder, join(parent, 'elsewhere'));
    expect(await open.source.find({ kind: 'ak-issuers', issuer: ca24.name })).toHaveLength(1);
    expect(await open.reload()).toEqual([{ name: 'tpm.intermediates', isTaken: true }]);
    expect(await found()).toEqual([]);
    expect(log.of(/is gone: nothing of it is used any more$/)).toMatchObject([{ key: 'tpm.intermediates', folder }]);
    await rename(join(parent, 'elsewhere'), folder);
    expect(await open.reload()).toEqual([{ name: 'tpm.intermediates', isTaken: true }]);
    await rm(folder, { recursive: true });
    await writeFile(folder, 'a file');
    expect(await open.reload()).toEqual([{ name: 'tpm.intermediates', isTaken: false }]);
    expect(await found()).toEqual([sha256(ca24)]);
  });
});
