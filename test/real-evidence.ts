import type { SnpProduct } from '../src/core/claims.js';
import type { EndorsementSet, SnpEndorsementSet } from '../src/core/endorsement.js';
import type {
  AkCertificateInput,
  AzSnpVtpmEvidence,
  AzTdxVtpmEvidence,
  SnpEndorsementInput,
  SnpEvidence,
  TpmEvidence,
  TpmQuoteInput,
} from '../src/core/evidence.js';
import { hashed } from '../src/crypto/digest.js';
import { parsePemCertificates } from '../src/formats/pem.js';
import type { Native } from './lab/native.js';
import { collateralOf } from './real-tdx-evidence.js';
import { readVector, type Vector } from './vectors.js';

/** Evidence of the vectors in the form that verifiers take, and what else it needs. */

export const NO_INPUT: SnpEndorsementInput = { vek: null, chain: null, certificateTable: null, crls: [] };

/** Reads a file of a vector; a recipe gives another reader. */
export type ReadFile = (file: string) => Uint8Array;

const ROOT_FILES: readonly (readonly [SnpProduct, string])[] = [
  ['Milan', 'amd-milan'],
  ['Genoa', 'amd-genoa'],
  ['Turin', 'amd-turin'],
];

/** AMD's real chains, as a source that holds nothing else would give them. */
export function realChains(signingKey: 'vcek' | 'vlek'): EndorsementSet {
  const chains: SnpEndorsementSet['chains'] = new Map(
    ROOT_FILES.map(([product, name]) => {
      const pem = Buffer.from(readVector(`roots/${name}-${signingKey}.pem`)).toString('utf8');
      const [intermediate, root] = parsePemCertificates(pem, 'cert_chain');
      if (intermediate === undefined || root === undefined) throw new Error(`${name} has no chain`);
      return [product, { value: [hashed(intermediate), hashed(root)], origin: 'store' }];
    }),
  );
  return {
    snp: { vek: null, chains, chainProblem: null, crls: new Map(), otherCrls: new Map(), crlProblems: new Map() },
  };
}

function fileOf(vector: Vector, ending: string): string | null {
  return vector.files.find((file) => file.endsWith(ending)) ?? null;
}

function required(vector: Vector, ending: string): string {
  const file = fileOf(vector, ending);
  if (file === null) throw new Error(`${vector.id} has no ${ending}`);
  return file;
}

export function snpEvidenceOf(vector: Vector, read: ReadFile = readVector): SnpEvidence {
  const vek = fileOf(vector, '.vcek.der') ?? required(vector, '.vlek.der');
  return {
    type: 'snp',
    report: read(required(vector, '.report.bin')),
    runtimeData: null,
    endorsements: { ...NO_INPUT, vek: { der: read(vek) } },
  };
}

export function azSnpEvidenceOf(vector: Vector, read: ReadFile = readVector): Native<AzSnpVtpmEvidence> {
  return {
    type: 'az-snp-vtpm',
    hclReport: read(required(vector, '.hcl-report.bin')),
    tpmQuote: quoteOf(vector, read),
    endorsements: { ...NO_INPUT, vek: { der: read(required(vector, '.vcek.der')) } },
    ak: null,
    eventLog: null,
  };
}

/** With the collateral of the vector's facts. No certificate of the key comes with it: that is `realAkOf`. */
export function azTdxEvidenceOf(vector: Vector, read: ReadFile = readVector): Native<AzTdxVtpmEvidence> {
  return {
    type: 'az-tdx-vtpm',
    hclReport: read(required(vector, '.hcl-report.bin')),
    tdQuote: read(required(vector, '.td-quote.bin')),
    tpmQuote: quoteOf(vector, read),
    collateral: collateralOf(read(`collateral/${vector.expect.facts.collateral.from}.json`)),
    ak: null,
    eventLog: null,
  };
}

/** Certificate of the attestation key, its intermediates, and Azure's root. */
export function realAkOf(vector: Vector, read: ReadFile = readVector): AkCertificateInput {
  const text = (file: string) => Buffer.from(read(file)).toString('utf8');
  return {
    certificate: { der: read(required(vector, '.ak-cert.der')) },
    chain: text(required(vector, '.ak-intermediates.pem')) + text('roots/azure-virtual-tpm-root-2023.pem'),
  };
}

/** The vTPM of a real VM by itself: its quote, and the certificate of its key. */
export function tpmEvidenceOf(vector: Vector, read: ReadFile = readVector): TpmEvidence {
  return { type: 'tpm', tpmQuote: quoteOf(vector, read), ak: realAkOf(vector, read), eventLog: null };
}

function quoteOf(vector: Vector, read: ReadFile): TpmQuoteInput {
  const pcrs = read(required(vector, '.pcrs.bin'));
  const count = Math.floor(pcrs.byteLength / 32);
  const values = Array.from(
    { length: count },
    (_, index) => [index, pcrs.subarray(index * 32, index * 32 + 32)] as const,
  );
  return {
    message: read(required(vector, '.quote.msg')),
    signature: read(required(vector, '.quote.sig')),
    pcrs: new Map([['sha256', new Map(values)]]),
  };
}

/** The nonce of a real quote, as the vector's facts tell it. */
export function nonceOf(vector: Vector): Uint8Array {
  return Buffer.from(vector.expect.facts.tpmQuote.extraData, 'hex');
}
