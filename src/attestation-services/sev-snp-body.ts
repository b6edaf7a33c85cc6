import { encodeBase64Url } from '../formats/base64.js';
import type { SnpSubmission } from '../model/verification.js';
import { runtimeDataMember } from './maa-runtime-data.js';

/**
 * Body of `POST /attest/SevSnpVm`: the report is base64url of a JSON text whose members are base64url again.
 *
 * @param nonce comes back as claim `nonce`
 */
export function sevSnpBody({ report, certificates, runtimeData }: SnpSubmission, nonce: string): string {
  const evidence = {
    SnpReport: encodeBase64Url(report),
    VcekCertChain: encodeText(certificates.map(pemOf).join('')),
  };
  return JSON.stringify({ report: encodeText(JSON.stringify(evidence)), ...runtimeDataMember(runtimeData), nonce });
}

const encodeText = (text: string) => encodeBase64Url(Buffer.from(text));

/** RFC 7468 section 3, strict form. */
function pemOf(der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .match(/.{1,64}/g);
  return ['-----BEGIN CERTIFICATE-----', ...(lines ?? []), '-----END CERTIFICATE-----', ''].join('\n');
}
