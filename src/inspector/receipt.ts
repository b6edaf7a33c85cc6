import type { JsonObject } from '../core/json.js';
import { thumbprintOf } from '../relying-party/bound-key.js';
import { checkReceipt } from '../relying-party/check-receipt.js';
import { type CheckedExpectations, NONCE_NOT_EXPECTED, subjectOf } from '../relying-party/expectations.js';
import type { ReceiptKeySource } from '../relying-party/key-source.js';
import { ReceiptError } from '../relying-party/receipt-error.js';
import { takeApart } from '../relying-party/receipt-form.js';
import { requireSignature } from '../relying-party/receipt-signature.js';
import {
  type ComparedClaim,
  claimText,
  comparedClaims,
  policiesOf,
  type ReceiptExpectation,
  spelt,
} from './receipt-claims.js';

/**
 * Verifies a receipt in the browser with the code of the client library, and compares it with the answer that contains it.
 *
 * Deliberately not checked here: reuse of the nonce, since the page accepts nothing; and the tenant in
 * the subject, which no answer states.
 */

export type ReceiptVerdict =
  | {
      /**
       * `verified`: an allow that matches the inputs of the user, and otherwise the answer. `incomplete`: an allow that was not
       * compared completely, or only with values of the body. `refusal`: signed, but no allow.
       */
      readonly state: 'verified' | 'incomplete' | 'refusal';
      readonly compared: readonly ComparedClaim[];
      /** RFC 7638 SHA-256 thumbprint of the signing key, base64url. */
      readonly thumbprint: string | null;
    }
  | {
      readonly state: 'failed';
      /** Code of the client library; null if the receipt is valid but differs from the answer. */
      readonly code: string | null;
      readonly message: string;
      readonly compared: readonly ComparedClaim[];
    }
  /** It could not be verified, so it is neither valid nor invalid. */
  | { readonly state: 'open'; readonly why: string };

/** The last step about the signature: before it, no claims are shown. */
const SIGNATURE_STEP = 4;

/** @param keys null: not available yet @param hasWebCrypto false if the page is not in a secure context */
export async function verifyReceipt(
  receipt: string,
  expected: ReceiptExpectation,
  keys: ReceiptKeySource | null,
  { now, hasWebCrypto }: { readonly now: Date; readonly hasWebCrypto: boolean },
): Promise<ReceiptVerdict> {
  if (!hasWebCrypto) return open('this page has no WebCrypto: it was not loaded over HTTPS or from this machine');
  if (keys === null) return open('there is no key set: give the one of the issuer, which is at /.well-known/jwks.json');
  const source = new NotedKeys(keys);
  try {
    const { header, claims } = takeApart(receipt);
    const decision = expected.answer?.decision ?? claims['decision'];
    if (decision === 'allow') await checkReceipt(receipt, source, demandsOf(claims, expected), now);
    else await requireSignature(receipt, header, source);
    const compared = await comparedClaims(claims, expected);
    return verdictOf(decision === 'allow', compared, await thumbprintOf(source.found));
  } catch (error) {
    // An error of this page proves nothing about the receipt.
    if (!(error instanceof ReceiptError)) return open(`this page has an error: ${String(error)}`);
    const { code, message, step } = error;
    const compared = step > SIGNATURE_STEP ? await comparedClaims(takeApart(receipt).claims, expected) : [];
    return { state: 'failed', code, message, compared };
  }
}

const open = (why: string): ReceiptVerdict => ({ state: 'open', why });

function verdictOf(isAllow: boolean, compared: readonly ComparedClaim[], thumbprint: string | null): ReceiptVerdict {
  const different = compared.filter(({ claimed, expected }) => expected !== null && claimed !== expected);
  if (different.length > 0) {
    const names = different.map(({ what }) => what).join(', ');
    return { state: 'failed', code: null, message: `The receipt is about something else: ${names}.`, compared };
  }
  if (!isAllow) return { state: 'refusal', compared, thumbprint };
  const isIncomplete = compared.some(({ expected, by }) => expected === null || by === 'body');
  return { state: isIncomplete ? 'incomplete' : 'verified', compared, thumbprint };
}

/** The demands for the client library. A claim without an expected value is taken from the receipt. */
function demandsOf(claims: JsonObject, { issuer, audience, nonce, answer }: ReceiptExpectation): CheckedExpectations {
  const policies = answer?.policies ?? policiesOf(claims);
  const tenant = claimText(claims['sub']).split(':', 1)[0] ?? '';
  const jkt = answer?.binding?.jkt;
  return {
    issuer: issuer?.value ?? claimText(claims['iss']),
    audience: audience?.value ?? claimText(claims['aud']),
    nonce: nonce === null ? NONCE_NOT_EXPECTED : spelt(nonce.value),
    subject: subjectOf(
      tenant,
      policies.map(({ id }) => id),
    ),
    policies: policies.map(({ id, sha256 }) => ({ id, sha256 })),
    evidenceTypes: answer === null ? null : [answer.evidence.type],
    binding: jkt === undefined ? null : { jkt },
  };
}

/** Records which key was used. */
class NotedKeys implements ReceiptKeySource {
  readonly #source: ReceiptKeySource;
  found: JsonObject | undefined;

  constructor(source: ReceiptKeySource) {
    this.#source = source;
  }

  async find(kid: string): Promise<readonly JsonObject[]> {
    const keys = await this.#source.find(kid);
    [this.found] = keys;
    return keys;
  }
}
