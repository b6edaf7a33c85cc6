import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/cli/input.js';
import { bodyOfFile, bodyOfFolder } from '../../../src/cli/raw-evidence.js';
import { RAW_RECOGNISER } from '../../../src/inspect/raw-structures.js';
import { createAmdPki, createSnpGuest, pemOf } from '../../lab/index.js';

const guest = createSnpGuest({ pki: createAmdPki() });
const REPORT = { name: 'some.report', bytes: guest.evidence().report };
const VEK = { name: 'some.der', bytes: guest.platform.vek.der };
const PART = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

let warned: string[];
const recognition = {
  ...RAW_RECOGNISER,
  warn: (message: string) => void warned.push(message),
};

beforeEach(() => {
  warned = [];
});

const file = (name: string, text: string) => ({ name, bytes: Buffer.from(text) });
const read = ({ bytes }: { readonly bytes: Uint8Array }) => JSON.parse(Buffer.from(bytes).toString());

describe('a raw file in the place of a body', () => {
  it('becomes a body: a report, and one with its VCEK', async () => {
    const report = Buffer.from(REPORT.bytes).toString('base64url');
    const alone = await bodyOfFile(REPORT, null, recognition);
    expect([alone.name, read(alone)]).toEqual(['some.report', { evidence: { type: 'snp', report } }]);
    const both = read(await bodyOfFile(REPORT, VEK, recognition));
    expect(both.evidence.endorsements).toEqual({ vek: Buffer.from(VEK.bytes).toString('base64url') });
    expect(warned).toEqual([]);
  });

  it.each([
    ['maa-token', { 'x-ms-attestation-type': 'azurevm' }],
    ['ita-token', { attester_type: 'TDX' }],
  ])('becomes a body: a token, as %s', async (type, claims) => {
    const times = { iss: 'https://issuer.example', iat: 1_767_225_600, nbf: 1_767_225_600, exp: 1_767_229_200 };
    const token = `${PART({ alg: 'RS256', kid: 'a', typ: 'JWT' })}.${PART({ ...times, ...claims })}.AAAA`;
    expect(read(await bodyOfFile(file('a.jwt', `${token}\n`), null, recognition))).toEqual({
      evidence: { type, token },
    });
  });

  it('stays as it is, if it is a body or nothing known', async () => {
    for (const input of [file('a', ' {"evidence": 1}'), file('b', 'hello')]) {
      expect(await bodyOfFile(input, null, recognition)).toBe(input);
    }
  });

  it('becomes a body where report and VCEK are swapped', async () => {
    expect(read(await bodyOfFile(VEK, REPORT, recognition)).evidence.type).toBe('snp');
  });

  it.each([
    [
      'a body with a VCEK',
      file('a', '{}'),
      VEK,
      '--vek: goes with a report as it is; a body names it in endorsements.vek',
    ],
    [
      'a report with another one as VCEK',
      REPORT,
      { ...REPORT, name: 'report.bin' },
      '--vek: report.bin: is no VCEK or VLEK',
    ],
    [
      'a report in hex',
      file('a', Buffer.from(REPORT.bytes).toString('hex')),
      null,
      'a: it is an SNP report written in hex',
    ],
    ['a report with itself as VCEK', REPORT, REPORT, '--vek: some.report: is no VCEK or VLEK'],
    [
      'a VCEK in base64',
      REPORT,
      file('b', Buffer.from(VEK.bytes).toString('base64')),
      '--vek: b: it is a certificate in DER written in base64',
    ],
    [
      'a certificate alone',
      VEK,
      null,
      'some.der: is a certificate in DER, and no evidence without the report or quote that it belongs to; put both into a folder',
    ],
  ])('is refused: %s', async (_title, input, vek, message) => {
    const refused = await bodyOfFile(input, vek, recognition).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(UsageError);
    expect((refused as UsageError).message).toContain(message);
  });
});

describe('a folder in the place of a body', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'veritee-raw-'));
  });

  afterEach(() => rm(folder, { recursive: true }));

  it('becomes a body, and what is left out is told', async () => {
    await writeFile(join(folder, 'a'), REPORT.bytes);
    await writeFile(join(folder, 'b'), pemOf(VEK.bytes));
    await writeFile(join(folder, 'c'), 'hello');
    const body = await bodyOfFolder(folder, recognition);
    expect([body.name, read(body).evidence.type]).toEqual([folder, 'snp']);
    expect(warned).toEqual(['"c" is left out: neither its content nor its name is of evidence']);
  });

  it('is refused with the remedy where it has no evidence', async () => {
    await expect(bodyOfFolder(folder, recognition)).rejects.toThrow(/^evidence_files: none of .*Put the files of one/);
  });
});
