import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/core/ports.js';
import { parsePemCertificates } from '../../../src/formats/pem.js';
import { parseCertificate } from '../../../src/formats/x509-certificate.js';
import { readCrl, verifyCrl } from '../../../src/tee/snp/amd/crls.js';
import { AMD_ROOT_PINS } from '../../../src/tee/snp/amd/roots.js';
import { wireEvidence } from '../../lab/wire-evidence.js';
import { azSnpEvidenceOf, nonceOf } from '../../real-evidence.js';
import { haveVectors, readVector, vector } from '../../vectors.js';
import { base64Url, LabService, post, verdictOf } from '../service/lab-service.js';

/** A clock that stands at an instant. */
const standing = (at: Date): Clock => ({ now: () => at, monotonicMs: () => 0 });

/** The list of Milan that AMD made in May 2025 ends then. */
const END = new Date('2026-05-12T00:00:00Z');
const AFTER_END = new Date(END.getTime() + 1000);

let lab: LabService;

beforeEach(async () => {
  lab = await LabService.create();
});

afterEach(async () => {
  await lab.close();
});

/** Puts AMD's own files into the operator's folder. */
async function fill(...files: readonly (readonly [name: string, file: string])[]): Promise<void> {
  await mkdir(lab.chainFolder, { recursive: true });
  for (const [name, file] of files) await writeFile(join(lab.chainFolder, name), readVector(file));
}

const CHAIN = ['vcek_cert_chain.pem', 'roots/amd-milan-vcek.pem'] as const;
const LIST = ['milan.crl', 'amd-crl/milan-6.crl'] as const;

/** Asks a service of this instant, which reaches nobody, under the policy that is built in. */
async function judge(id: string, at: Date, members: object = {}, crls: readonly Uint8Array[] = []) {
  const entry = vector(id);
  const { endorsements, ...evidence } = azSnpEvidenceOf(entry);
  const service = await lab.start(
    { amd: { kds: 'off' }, policies: { directory: lab.policyFolder }, historical: 'at' in members },
    { amdRootPins: AMD_ROOT_PINS, clock: standing(at) },
    `data-${at.getTime()}`,
  );
  const body = {
    evidence: wireEvidence({ ...evidence, endorsements: { ...endorsements, crls } }),
    nonce: base64Url(nonceOf(entry)),
    policy: 'azure-cvm-baseline',
    ...members,
  };
  return post(service.url, '/verify', JSON.stringify(body));
}

const instantOf = (id: string) => new Date(vector(id).verifyAt ?? '');
const warnings = ({ body }: Awaited<ReturnType<typeof judge>>): readonly string[] =>
  body.checks.filter((check: { result: string }) => check.result === 'warn').map((check: { id: string }) => check.id);

describe.skipIf(!haveVectors).each(['az-snp-milan-hcl1-a', 'az-snp-milan-hcl1-b'])('%s under the baseline', (id) => {
  it("is allowed with AMD's list in the operator's folder", async () => {
    await fill(CHAIN, LIST);
    const answer = await judge(id, instantOf(id));
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(answer.body.historical).toBe(false);
    expect(warnings(answer)).not.toContain('crl_unconfirmed');
    expect(answer.body.endorsements).toContainEqual(
      expect.objectContaining({ kind: 'crl', source: 'store', notAfter: END.toISOString() }),
    );
  });

  it('CRT-10 is indeterminate without it', async () => {
    await fill(CHAIN);
    expect(verdictOf(await judge(id, instantOf(id)))).toEqual(['indeterminate', 'crl_unavailable']);
  });

  it('SNP-27 is allowed at the end of the list, and indeterminate after it', async () => {
    await fill(CHAIN, LIST);
    expect(verdictOf(await judge(id, END))).toEqual(['allow']);
    expect(verdictOf(await judge(id, AFTER_END))).toEqual(['indeterminate', 'crl_stale']);
  });

  it('CRT-10 is allowed with a warning where the request brings the list', async () => {
    await fill(CHAIN);
    const answer = await judge(id, instantOf(id), {}, [readVector(LIST[1])]);
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(warnings(answer)).toContain('crl_unconfirmed');
  });

  it('is allowed later for its past instant, by the list that was valid then', async () => {
    await fill(CHAIN, LIST);
    const answer = await judge(id, AFTER_END, { at: instantOf(id).toISOString() });
    expect([...verdictOf(answer), answer.body.historical]).toEqual(['allow', true]);
  });

  it("SNP-27 is denied with AMD's list of another line", async () => {
    await fill(CHAIN, LIST);
    const answer = await judge(id, instantOf(id), {}, [readVector('amd-crl/genoa-4.crl')]);
    expect(verdictOf(answer)).toEqual(['deny', 'crl_invalid']);
  });
});

describe.skipIf(!haveVectors)("AMD's lists", () => {
  it.each([
    ['milan-6', 'Milan', []],
    // The ASK of Genoa was issued again as 020002.
    ['genoa-4', 'Genoa', ['020001']],
  ] as const)('%s is signed by the root of %s', (name, product, revoked) => {
    const pem = Buffer.from(readVector(`roots/amd-${product.toLowerCase()}-vcek.pem`)).toString();
    const [, ark = new Uint8Array()] = parsePemCertificates(pem, 'cert_chain');
    const { list } = verifyCrl(readCrl(readVector(`amd-crl/${name}.crl`)), parseCertificate(ark), product);
    expect(list.entries.map(({ serial }) => Buffer.from(serial).toString('hex').padStart(6, '0'))).toEqual(revoked);
  });
});
