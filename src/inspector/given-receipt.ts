import { nullIfMalformed } from '../core/errors.js';
import { type JsonObject, memberOf } from '../core/json.js';
import { decodeBase64 } from '../formats/base64.js';
import { parseStrictJson } from '../formats/strict-json.js';
import type { ExpectedClaim, ReceiptAnswer, ReceiptExpectation } from './receipt-claims.js';
import type { Decision } from './service.js';

/** A receipt, with its expected claims. */
export interface GivenReceipt extends ReceiptExpectation {
  readonly receipt: string;
}

/** Inputs of the user. Empty texts: no input. */
interface FilledIn {
  readonly nonce: string;
  readonly audience: string;
  readonly policy: string;
}

/** The service behind the page. */
export interface PageService {
  /** Origin of the page. */
  readonly origin: string;
  /** `iss` of its receipts, if one is configured. */
  issuer(): Promise<string | null>;
}

/** A single receipt. @param service null if the page has no service */
export async function receiptAlone(
  receipt: string,
  filledIn: FilledIn,
  service: PageService | null,
): Promise<GivenReceipt> {
  const issuer = service === null ? null : await issuerOf(service, receipt);
  return { receipt, issuer, ...saidOf({}, filledIn), answer: null };
}

/** The receipt of an answer; null if it has none. @param body the original body */
export async function receiptOfAnswer(
  answer: (ReceiptAnswer & Pick<Decision, 'receipt'>) | null,
  body: JsonObject,
  filledIn: FilledIn,
  service: PageService,
): Promise<GivenReceipt | null> {
  if (answer === null || answer.receipt === null) return null;
  const issuer = await issuerOf(service, answer.receipt);
  // The answer contains a key as PEM, but no receipt does.
  const isPem = memberOf(memberOf(body, 'binding'), 'pem') !== undefined;
  const compared = isPem ? { ...answer, binding: null } : answer;
  return { receipt: answer.receipt, issuer, ...saidOf(body, filledIn), answer: compared };
}

/** The input of the user, else the value of the body, which its author chose. */
function saidOf(body: JsonObject, filledIn: FilledIn): Pick<GivenReceipt, 'audience' | 'nonce' | 'policy'> {
  const said = (name: keyof FilledIn): ExpectedClaim | null => {
    if (filledIn[name] !== '') return { value: filledIn[name], by: 'caller' };
    const asked = memberOf(body, name);
    const texts = (Array.isArray(asked) ? asked : [asked]).filter((text) => typeof text === 'string');
    return texts.length === 0 ? null : { value: texts.join(', '), by: 'body' };
  };
  return { audience: said('audience'), nonce: said('nonce'), policy: said('policy') };
}

/**
 * The URL of the page, unless the receipt names another issuer. Then the issuer in the service's own
 * configuration; null if it has none, for example if its public name differs from that of the page.
 */
async function issuerOf(service: PageService, receipt: string): Promise<ExpectedClaim | null> {
  const claims = nullIfMalformed(() => parseStrictJson(decodeBase64(receipt.split('.')[1] ?? '')));
  if (memberOf(claims ?? undefined, 'iss') === service.origin) return { value: service.origin, by: 'caller' };
  const configured = await service.issuer().catch(() => null);
  return configured === null ? null : { value: configured, by: 'answer' };
}
