import { encodeBase64Url } from '../formats/base64.js';
import type { TdxSubmission } from '../model/verification.js';
import { runtimeDataMember } from './maa-runtime-data.js';

/**
 * Body of `POST /attest/TdxVm`. The quote goes as it came: Azure's end with zeros, and the service takes them so.
 *
 * @param nonce comes back as claim `nonce`
 */
export function tdxVmBody({ quote, runtimeData }: TdxSubmission, nonce: string): string {
  return JSON.stringify({ quote: encodeBase64Url(quote), ...runtimeDataMember(runtimeData), nonce });
}
