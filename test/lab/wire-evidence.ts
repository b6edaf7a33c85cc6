import type {
  AkCertificateInput,
  CertificateInput,
  EventLogInput,
  Evidence,
  SnpEndorsementInput,
  TdxCollateral,
  TdxEvidence,
  TpmQuoteInput,
} from '../../src/core/evidence.js';
import type { JsonObject } from '../../src/core/json.js';
import { wholeHclReport } from './native.js';

/** Evidence as the member `evidence` of a request, in its native form. */
export function wireEvidence(evidence: Evidence): JsonObject {
  switch (evidence.type) {
    case 'maa-token':
    case 'ita-token':
      return { ...evidence };
    case 'snp':
      return {
        type: 'snp',
        report: base64Url(evidence.report),
        ...wireRuntimeData(evidence.runtimeData),
        endorsements: wireEndorsements(evidence.endorsements),
      };
    case 'tdx':
      return wireTdx(evidence);
    case 'az-snp-vtpm':
      return {
        type: 'az-snp-vtpm',
        hclReport: base64Url(wholeHclReport(evidence)),
        tpmQuote: wireQuote(evidence.tpmQuote),
        endorsements: wireEndorsements(evidence.endorsements),
        ...wireAk(evidence.ak),
        ...wireEventLog(evidence.eventLog),
      };
    case 'tpm':
      return {
        type: 'tpm',
        tpmQuote: wireQuote(evidence.tpmQuote),
        ...wireAk(evidence.ak),
        ...wireEventLog(evidence.eventLog),
      };
    case 'az-tdx-vtpm':
      return {
        type: 'az-tdx-vtpm',
        hclReport: base64Url(wholeHclReport(evidence)),
        tdQuote: base64Url(evidence.tdQuote),
        tpmQuote: wireQuote(evidence.tpmQuote),
        ...(evidence.collateral === null ? {} : { collateral: wireCollateral(evidence.collateral) }),
        ...wireAk(evidence.ak),
        ...wireEventLog(evidence.eventLog),
      };
  }
}

function wireEventLog(logs: EventLogInput | null): JsonObject {
  const [firmware, canonical] = logs ?? [];
  if (firmware === undefined) return {};
  const first = base64Url(firmware);
  return { eventLog: canonical === undefined ? first : [first, base64Url(canonical)] };
}

/** Collateral as a request, a directory and an export have it. */
export function wireCollateral(collateral: TdxCollateral): JsonObject {
  return {
    tcb_info: collateral.tcbInfo,
    qe_identity: collateral.qeIdentity,
    tcb_info_signature: hex(collateral.tcbInfoSignature),
    qe_identity_signature: hex(collateral.qeIdentitySignature),
    tcb_info_issuer_chain: collateral.tcbInfoIssuerChain,
    qe_identity_issuer_chain: collateral.qeIdentityIssuerChain,
    pck_crl_issuer_chain: collateral.pckCrlIssuerChain,
    pck_crl: hex(collateral.pckCrl),
    root_ca_crl: hex(collateral.rootCaCrl),
  };
}

function wireTdx({ quote, runtimeData, collateral, ccel }: TdxEvidence): JsonObject {
  return {
    type: 'tdx',
    quote: base64Url(quote),
    ...wireRuntimeData(runtimeData),
    ...(collateral === null ? {} : { collateral: wireCollateral(collateral) }),
    ...(ccel === null ? {} : { ccel: base64Url(ccel) }),
  };
}

function wireRuntimeData(runtimeData: Uint8Array | null): JsonObject {
  return runtimeData === null ? {} : { runtimeData: base64Url(runtimeData) };
}

function wireQuote({ message, signature, pcrs }: TpmQuoteInput): JsonObject {
  const banks = [...pcrs].map(([bank, values]) => [
    bank,
    Object.fromEntries([...values].map(([index, value]) => [index, hex(value)])),
  ]);
  return { message: base64Url(message), signature: base64Url(signature), pcrs: Object.fromEntries(banks) };
}

function wireEndorsements({ vek, chain, certificateTable, crls }: SnpEndorsementInput): JsonObject {
  return {
    ...(vek === null ? {} : { vek: wireCertificate(vek) }),
    ...(chain === null ? {} : { chain }),
    ...(certificateTable === null ? {} : { certificateTable: base64Url(certificateTable) }),
    ...(crls.length === 0 ? {} : { crls: crls.map(base64Url) }),
  };
}

function wireAk(ak: AkCertificateInput | null): JsonObject {
  if (ak === null) return {};
  return {
    akCertificate: wireCertificate(ak.certificate),
    ...(ak.chain === null ? {} : { akChain: ak.chain }),
  };
}

function wireCertificate(certificate: CertificateInput): string {
  return 'pem' in certificate ? certificate.pem : base64Url(certificate.der);
}

function base64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
