import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type EndorsementSet, NO_ENDORSEMENTS } from '../../../src/core/endorsement.js';
import type { AkCertificateInput, AzTdxVtpmEvidence, TpmEvidence } from '../../../src/core/evidence.js';
import { openAkIssuers } from '../../../src/endorsements/attestation-keys/open-ak-issuers.js';
import { missingIssuers, readAkPath } from '../../../src/tee/shared/attestation-key/ak-path.js';
import { AZURE_VTPM_ROOT_PINS } from '../../../src/tee/shared/attestation-key/ak-roots.js';
import { BASELINE, judge, verifiersOf } from '../../judge.js';
import { createAzureAkPki, flipBit } from '../../lab/index.js';
import { azTdxEvidenceOf, nonceOf, realAkOf, tpmEvidenceOf } from '../../real-evidence.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { haveVectors, readVector, vector } from '../../vectors.js';

/** The vTPM of a real Azure VM, with the certificate that Azure issued for its key. */

const CURRENT = 'az-tdx-v4-akchain-2026';
const INTERMEDIATES = `az-tdx-vtpm/${CURRENT}.ak-intermediates.pem`;
const ROOT = 'roots/azure-virtual-tpm-root-2023.pem';
const OF_TPM = `{ apiVersion: veritee/v1, id: vtpm, version: 1, accepts: [tpm], minimums: any, routes: { hardware: off } }`;
const OF_TDS = `{ apiVersion: veritee/v1, id: tds, version: 1, accepts: [az-tdx-vtpm], minimums: { tdx: any }, paravisor: any }`;

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

/** The certificates above a leaf in a folder with these files. */
async function heldAbove(ak: AkCertificateInput, files: Readonly<Record<string, Uint8Array | string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'veritee-real-issuers-'));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  const issuers = openAkIssuers({ folder, log: new RecordingLog() });
  const akRoots = { azure: AZURE_VTPM_ROOT_PINS, configured: new Set<string>(), paravisorsSince: null };
  const [request] = missingIssuers(readAkPath(ak), akRoots);
  const found = request === undefined ? [] : await issuers.source.find(request);
  await issuers.close();
  return found;
}

describe.skipIf(!haveVectors)('the vTPM of a real Azure VM', () => {
  const entry = haveVectors ? vector(CURRENT) : undefined;
  if (entry === undefined) return;
  const at = new Date(entry.verifyAt ?? '');
  const nonce = nonceOf(entry);
  const verifiers = verifiersOf();
  const genuine = tpmEvidenceOf(entry);
  const { ak } = genuine;
  const judged = (
    evidence: TpmEvidence | AzTdxVtpmEvidence,
    endorsements: EndorsementSet = NO_ENDORSEMENTS,
    policy: string | typeof BASELINE = OF_TPM,
  ) => judge(evidence, { nonce }, { verifiers, endorsements, at, policies: [policy] });

  it('is allowed by itself under a policy for vTPMs, and never under one for TEEs', async () => {
    const decision = await judged(genuine);
    expect([decision.decision, decision.reasons]).toEqual(['allow', []]);
    expect(Object.keys(decision.claims)).toEqual(['tpm']);
    expect(decision.claims.tpm?.pcrs['sha256']).toEqual(entry.expect.facts.pcrsSha256);
    expect(Object.keys(decision.trust.submods)).toEqual(['vtpm']);
    for (const policy of [BASELINE, OF_TDS]) {
      expect((await judged(genuine, NO_ENDORSEMENTS, policy)).reasons).toEqual(['policy_evidence_type']);
    }
  });

  it('HCL-14 is denied without its chain, which the folder of the operator completes', async () => {
    const chains: readonly (readonly [string | null, Readonly<Record<string, Uint8Array | string>>])[] = [
      [null, { 'all.pem': Buffer.concat([readVector(INTERMEDIATES), readVector(ROOT)]) }],
      [null, { 'above.pem': readVector(INTERMEDIATES), 'root.pem': readVector(ROOT) }],
      [Buffer.from(readVector(INTERMEDIATES)).toString('utf8'), { 'root.pem': readVector(ROOT) }],
    ];
    const collateral = azTdxEvidenceOf(entry).collateral;
    const tdx = collateral === null ? null : { value: collateral, origin: 'evidence' as const };
    for (const [chain, files] of chains) {
      const withheld = { ...ak, chain };
      const td = { ...azTdxEvidenceOf(entry), ak: withheld };
      expect((await judged({ ...genuine, ak: withheld })).reasons).toEqual(['ak_cert_untrusted']);
      expect((await judged(td, { snp: null, tdx }, OF_TDS)).reasons).toEqual(['ak_cert_untrusted']);
      const akIssuers = await heldAbove(withheld, files);
      const decision = await judged({ ...genuine, ak: withheld }, { snp: null, akIssuers });
      expect([decision.decision, decision.reasons]).toEqual(['allow', []]);
      expect(decision.endorsements.filter(({ source }) => source === 'store').length).toBeGreaterThan(0);
      expect((await judged(td, { snp: null, tdx, akIssuers }, OF_TDS)).decision).toBe('allow');
    }
  });

  it('HCL-14 is denied with authorities in the folder that only have the names of Azure', async () => {
    const lab = createAzureAkPki({ at });
    const names = ['ca24', 'ca2025', 'root'] as const;
    const withheld = { ...ak, chain: null };
    const files = { 'look-alikes.pem': names.map((name) => lab.authority(name).pem).join('') };
    const akIssuers = await heldAbove(withheld, files);
    const decision = await judged({ ...genuine, ak: withheld }, { snp: null, akIssuers });
    expect(decision.reasons).toEqual(['ak_cert_untrusted']);
  });

  it('is denied with any bit changed in message, signature and PCR values', { timeout: 120_000 }, async () => {
    const { tpmQuote } = genuine;
    const values = tpmQuote.pcrs.get('sha256') ?? new Map<number, Uint8Array>();
    const mutants = [
      ...everyBit(tpmQuote.message).map((message) => ({ ...tpmQuote, message })),
      ...everyByte(tpmQuote.signature).map((signature) => ({ ...tpmQuote, signature })),
      ...[...values].flatMap(([index, value]) =>
        everyByte(value).map((changed) => ({
          ...tpmQuote,
          pcrs: new Map([['sha256', new Map([...values, [index, changed]])] as const]),
        })),
      ),
    ];
    const held: number[] = [];
    for (const [index, changed] of mutants.entries()) {
      const outcome = await judged({ ...genuine, tpmQuote: changed }).then(
        ({ decision }) => decision,
        (error: Error) => error.name,
      );
      if (outcome !== 'deny' && outcome !== 'FormatError') held.push(index);
    }
    expect(held).toEqual([]);
  });

  it('HCL-14 is denied with the certificate of a key that did not sign', async () => {
    const other = haveVectors ? vector('az-tdx-v4-nonpersisted') : entry;
    const { tpmQuote } = azTdxEvidenceOf(other);
    const decision = await judge(
      { type: 'tpm', tpmQuote, ak: realAkOf(entry), eventLog: null },
      { nonce: nonceOf(other) },
      { verifiers, at, policies: [OF_TPM] },
    );
    expect(decision.reasons).toEqual(['tpm_signature']);
  });
});

function everyBit(bytes: Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: 8 * bytes.byteLength }, (_, bit) => flipBit(bytes, bit >> 3, bit & 7));
}

/** One bit of each byte, another one each time. */
function everyByte(bytes: Uint8Array): readonly Uint8Array[] {
  return Array.from(bytes, (_, index) => flipBit(bytes, index, index & 7));
}
