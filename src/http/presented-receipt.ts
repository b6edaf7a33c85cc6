import { GateRefusal, type GateRequest } from '../core/gate.js';

/** The receipt as presented. Nothing of it is verified. */
export type PresentedReceipt = Pick<GateRequest, 'receipt' | 'scheme' | 'proof'>;

/** Schemes of Authorization for a receipt. A gate ignores other schemes. */
const SCHEME = /^(bearer|dpop)(?: |$)/i;

/** `token68` (RFC 9110, section 11.2). */
const CREDENTIALS = /^(?:bearer|dpop) +([A-Za-z0-9._~+/-]+=*)$/i;

/**
 * Reads the single receipt of a request, from `X-Veritee-Receipt` or from `Authorization` as Bearer or DPoP, and the single proof
 * from `DPoP`.
 *
 * @param rawHeaders names and values in turn, unchanged: Node joins or drops repeated headers
 * @throws {GateRefusal} `receipt_missing`, `receipt_repeated`, `receipt_form`, `dpop_repeated`
 */
export function presentedReceipt(rawHeaders: readonly string[]): PresentedReceipt {
  const own = valuesOf(rawHeaders, 'x-veritee-receipt');
  const authorizations = valuesOf(rawHeaders, 'authorization');
  const inAuthorization = authorizations.filter((value) => SCHEME.test(value));
  const [proof = null, ...moreProofs] = valuesOf(rawHeaders, 'dpop');
  if (own.length + inAuthorization.length > 1 || authorizations.length > 1) {
    throw new GateRefusal('receipt_repeated', 'there is more than one receipt');
  }
  if (moreProofs.length > 0) throw new GateRefusal('dpop_repeated', 'there is more than one proof');
  const [receipt] = own;
  if (receipt !== undefined) return { receipt, scheme: 'header', proof };
  const [authorization] = inAuthorization;
  if (authorization === undefined) throw new GateRefusal('receipt_missing', 'there is no receipt');
  const [, credentials] = CREDENTIALS.exec(authorization) ?? [];
  if (credentials === undefined) throw new GateRefusal('receipt_form', 'the credentials are no receipt');
  return { receipt: credentials, scheme: /^dpop/i.test(authorization) ? 'dpop' : 'bearer', proof };
}

function valuesOf(rawHeaders: readonly string[], name: string): readonly string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}
