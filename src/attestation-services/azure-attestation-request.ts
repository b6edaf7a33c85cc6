import { encodeBase64Url } from '../formats/base64.js';
import { readRuntimeObject } from '../formats/runtime-claims.js';
import type { JsonObject } from '../model/json.js';
import type { SnpSubmission, Submission, TdxSubmission } from '../model/verification.js';

/** An attest call of Azure Attestation. */
export interface AttestRequest {
  readonly operation: 'SevSnpVm' | 'TdxVm';
  readonly body: string;
}

/** @param nonce comes back as claim `nonce` */
export function attestRequest(submission: Submission, nonce: string): AttestRequest {
  return submission.tee === 'snp'
    ? { operation: 'SevSnpVm', body: sevSnpBody(submission, nonce) }
    : { operation: 'TdxVm', body: tdxVmBody(submission, nonce) };
}

/** Body of `POST /attest/SevSnpVm`: the report is base64url of a JSON text whose members are base64url again. */
export function sevSnpBody({ report, certificates, runtimeData }: SnpSubmission, nonce: string): string {
  const evidence = {
    SnpReport: encodeBase64Url(report),
    VcekCertChain: encodeText(certificates.map(pemOf).join('')),
  };
  return JSON.stringify({ report: encodeText(JSON.stringify(evidence)), ...runtimeDataMember(runtimeData), nonce });
}

/** Body of `POST /attest/TdxVm`. The quote goes as it came: Azure's end with zeros, and the service takes them so. */
export function tdxVmBody({ quote, runtimeData }: TdxSubmission, nonce: string): string {
  return JSON.stringify({ quote: encodeBase64Url(quote), ...runtimeDataMember(runtimeData), nonce });
}

/**
 * Member `runtimeData` of a call of Azure Attestation; no member where there is none. A JSON object is sent as such, so
 * that the token shows it as `x-ms-runtime`; what two readers could read differently is sent as bytes.
 */
function runtimeDataMember(runtimeData: Uint8Array | null): JsonObject {
  if (runtimeData === null) return {};
  const dataType = readRuntimeObject(runtimeData).ok ? 'JSON' : 'Binary';
  return { runtimeData: { data: encodeBase64Url(runtimeData), dataType } };
}

/** RFC 7468 section 3, strict form. */
function pemOf(der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .match(/.{1,64}/g);
  return ['-----BEGIN CERTIFICATE-----', ...(lines ?? []), '-----END CERTIFICATE-----', ''].join('\n');
}

const encodeText = (text: string) => encodeBase64Url(Buffer.from(text));
