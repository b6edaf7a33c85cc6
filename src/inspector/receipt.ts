import { decodeBase64 } from '../formats/base64.js';
import { base64 } from '../model/bytes.js';
import { nullIfMalformed } from '../model/errors.js';
import { isObject, type JsonObject, type JsonValue } from '../model/json.js';
import { boundKeyOf, thumbprintOf } from '../relying-party/bound-key.js';
import { checkReceipt } from '../relying-party/check-receipt.js';
import { type CheckedExpectations, NONCE_NOT_EXPECTED, subjectOf } from '../relying-party/expectations.js';
import type { ReceiptKeySource } from '../relying-party/key-source.js';
import { ReceiptError } from '../relying-party/receipt-error.js';
import { takeApart } from '../relying-party/receipt-form.js';
import { requireSignature } from '../relying-party/receipt-signature.js';
import type { Decision } from './service.js';

/**
 * Verifies a receipt in the browser with the code of the client library, and compares it with the answer that it came with.
 *
 * Deliberately not checked here: that no receipt with this nonce was accepted before, since nothing is accepted here; and the tenant in
 * the subject, which no answer says.
 */

/** What a receipt is compared with. Null: nobody said what it has to be. */
export interface ReceiptExpectation {
  readonly issuer: string | null;
  readonly audience: string | null;
  /** base64url or base64, as in the request. */
  readonly nonce: string | null;
  /** The answer that it came with; null for a receipt by itself. */
  readonly answer: ReceiptAnswer | null;
}

export type ReceiptAnswer = Pick<
  Decision,
  'decision' | 'decisionId' | 'validUntil' | 'evidence' | 'policies' | 'reasons' | 'binding'
>;

/** A claim beside what it has to be. `expected` null: it was not compared. */
export interface ComparedClaim {
  readonly what: string;
  readonly claimed: string;
  readonly expected: string | null;
}

export type ReceiptVerdict =
  | {
      /**
       * `verified`: an allow of which every step of docs/receipts.md holds that can be made here. `incomplete`: the same, but issuer or
       * audience were not compared. `refusal`: signed, and no allow.
       */
      readonly state: 'verified' | 'incomplete' | 'refusal';
      readonly compared: readonly ComparedClaim[];
      /** RFC 7638 SHA-256 thumbprint of the key that signed, base64url. */
      readonly thumbprint: string | null;
    }
  | {
      readonly state: 'failed';
      /** Of the client library; null where the receipt holds by itself and differs from the answer. */
      readonly code: string | null;
      readonly message: string;
      readonly compared: readonly ComparedClaim[];
    }
  /** It could not be verified: neither good nor bad. */
  | { readonly state: 'open'; readonly why: string };

/** The last step that is about the signature: of claims before that nothing is shown. */
const SIGNATURE_STEP = 4;

/** @param keys null: there are none yet @param hasWebCrypto false where the page is not in a secure context */
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
    if (!(error instanceof ReceiptError)) return { state: 'failed', code: null, message: String(error), compared: [] };
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
  const isIncomplete = compared.some(
    ({ what, expected }) => expected === null && (what === ISSUER || what === AUDIENCE),
  );
  return { state: isIncomplete ? 'incomplete' : 'verified', compared, thumbprint };
}

const ISSUER = 'issuer';
const AUDIENCE = 'audience';
const NONE = 'none';

/** What the client library has to demand. Where nobody said what a claim has to be, that is what the receipt says. */
function demandsOf(claims: JsonObject, { issuer, audience, nonce, answer }: ReceiptExpectation): CheckedExpectations {
  const policies = answer?.policies ?? policiesOf(claims);
  const tenant = textOf(claims['sub']).split(':', 1)[0] ?? '';
  const jkt = answer?.binding?.jkt;
  return {
    issuer: issuer ?? textOf(claims['iss']),
    audience: audience ?? textOf(claims['aud']),
    nonce: nonce === null ? NONCE_NOT_EXPECTED : spelt(nonce),
    subject: subjectOf(
      tenant,
      policies.map(({ id }) => id),
    ),
    policies: policies.map(({ id, sha256 }) => ({ id, sha256 })),
    evidenceTypes: answer === null ? null : [answer.evidence.type],
    binding: jkt === undefined ? null : { jkt },
  };
}

async function comparedClaims(
  claims: JsonObject,
  { issuer, audience, nonce, answer }: ReceiptExpectation,
): Promise<readonly ComparedClaim[]> {
  const { evidence, reasons, decision, aud, requested_aud } = claims;
  const claim = (what: string, claimed: string, expected: string | null) => ({ what, claimed, expected });
  const ofAnswer = (read: (decision: ReceiptAnswer) => string) => (answer === null ? null : read(answer));
  const bound = await boundKeyOf(claims);
  return [
    claim(ISSUER, textOf(claims['iss']), issuer),
    // A receipt that is no allow names the audience apart, so that none takes it for its own.
    claim(AUDIENCE, textOf(decision === 'allow' ? aud : (requested_aud ?? aud)), audience),
    claim(
      'decision',
      textOf(decision),
      ofAnswer((answered) => answered.decision),
    ),
    claim(
      'decision id',
      textOf(claims['jti']),
      ofAnswer(({ decisionId }) => decisionId),
    ),
    claim(
      'reasons',
      listed(Array.isArray(reasons) ? reasons.map(textOf) : []),
      ofAnswer((decision) => listed(decision.reasons)),
    ),
    claim(
      'policy digest',
      digestsOf(policiesOf(claims)),
      ofAnswer(({ policies }) => digestsOf(policies)),
    ),
    claim(
      'evidence digest',
      isObject(evidence) ? `${textOf(evidence['type'])} ${textOf(evidence['sha256'])}` : NONE,
      ofAnswer((decision) => `${decision.evidence.type} ${decision.evidence.sha256}`),
    ),
    claim('nonce', textOf(claims['eat_nonce']), nonce === null ? null : spelt(nonce)),
    claim(
      'expiry',
      instantOf(claims['exp']),
      ofAnswer(({ validUntil }) => instantOf(Math.floor(Date.parse(validUntil) / 1000))),
    ),
    claim(
      'bound key',
      bound?.jkt ?? NONE,
      ofAnswer(({ binding }) => binding?.jkt ?? NONE),
    ),
  ];
}

function policiesOf(claims: JsonObject): readonly { readonly id: string; readonly sha256: string }[] {
  const { policies } = claims;
  const objects = Array.isArray(policies) ? policies.filter((policy) => isObject(policy)) : [];
  return objects.map(({ id, sha256 }) => ({ id: textOf(id), sha256: textOf(sha256) }));
}

const digestsOf = (policies: readonly { readonly id: string; readonly sha256: string }[]) =>
  listed(policies.map(({ id, sha256 }) => `${id} ${sha256}`).toSorted());
const listed = (texts: readonly string[]) => (texts.length === 0 ? NONE : texts.join(', '));

function textOf(value: JsonValue | undefined): string {
  if (value === undefined) return NONE;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function instantOf(seconds: JsonValue | undefined): string {
  const instant = typeof seconds === 'number' ? new Date(seconds * 1000) : null;
  return instant === null || Number.isNaN(instant.getTime()) ? textOf(seconds) : instant.toISOString();
}

/** A nonce as receipts write it; as it stands where it is no bytes, since it is then equal to none. */
function spelt(nonce: string): string {
  const bytes = nullIfMalformed(() => decodeBase64(nonce));
  return bytes === null ? nonce : base64(bytes, 'base64url');
}

/** Notes which key was taken. */
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
