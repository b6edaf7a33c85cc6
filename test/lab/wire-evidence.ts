import type { Evidence, SnpEndorsementInput, TpmQuoteInput } from '../../src/model/evidence.js';
import type { JsonObject } from '../../src/model/json.js';

/** Evidence as the member `evidence` of a request, in its native form. */
export function wireEvidence(evidence: Evidence): JsonObject {
  if (evidence.type === 'maa-token' || evidence.type === 'ita-token') return { ...evidence };
  const endorsements = wireEndorsements(evidence.endorsements);
  if (evidence.type === 'snp') {
    const { runtimeData } = evidence;
    return {
      type: 'snp',
      report: base64Url(evidence.report),
      ...(runtimeData === null ? {} : { runtimeData: base64Url(runtimeData) }),
      endorsements,
    };
  }
  return {
    type: 'az-snp-vtpm',
    hclReport: base64Url(evidence.hclReport),
    tpmQuote: wireQuote(evidence.tpmQuote),
    endorsements,
  };
}

function wireQuote({ message, signature, pcrs }: TpmQuoteInput): JsonObject {
  const banks = [...pcrs].map(([bank, values]) => [
    bank,
    Object.fromEntries([...values].map(([index, value]) => [index, Buffer.from(value).toString('hex')])),
  ]);
  return { message: base64Url(message), signature: base64Url(signature), pcrs: Object.fromEntries(banks) };
}

function wireEndorsements({ vek, chain, certificateTable, crls }: SnpEndorsementInput): JsonObject {
  return {
    ...(vek === null ? {} : { vek: 'pem' in vek ? vek.pem : base64Url(vek.der) }),
    ...(chain === null ? {} : { chain }),
    ...(certificateTable === null ? {} : { certificateTable: base64Url(certificateTable) }),
    ...(crls.length === 0 ? {} : { crls: crls.map(base64Url) }),
  };
}

function base64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
