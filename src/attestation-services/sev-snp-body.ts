import { encodeBase64Url } from '../formats/base64.js';
import { parseStrictJson } from '../formats/strict-json.js';
import { FormatError } from '../model/errors.js';
import type { Submission } from '../model/verification.js';

/**
 * Body of `POST /attest/SevSnpVm`: the report is base64url of a JSON text whose members are base64url again.
 * Runtime data that is a JSON object is sent as such, so that the token shows it as `x-ms-runtime`.
 *
 * @param nonce comes back as claim `nonce`
 */
export function sevSnpBody({ report, certificates, runtimeData }: Submission, nonce: string): string {
  const evidence = {
    SnpReport: encodeBase64Url(report),
    VcekCertChain: encodeText(certificates.map(pemOf).join('')),
  };
  return JSON.stringify({
    report: encodeText(JSON.stringify(evidence)),
    ...(runtimeData === null
      ? {}
      : {
          runtimeData: { data: encodeBase64Url(runtimeData), dataType: isJsonObject(runtimeData) ? 'JSON' : 'Binary' },
        }),
    nonce,
  });
}

const encodeText = (text: string) => encodeBase64Url(Buffer.from(text));

/** RFC 7468 section 3, strict form. */
function pemOf(der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .match(/.{1,64}/g);
  return ['-----BEGIN CERTIFICATE-----', ...(lines ?? []), '-----END CERTIFICATE-----', ''].join('\n');
}

function isJsonObject(bytes: Uint8Array): boolean {
  try {
    const value = parseStrictJson(bytes);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch (error) {
    // What two readers could read differently is sent as bytes.
    if (error instanceof FormatError) return false;
    throw error;
  }
}
