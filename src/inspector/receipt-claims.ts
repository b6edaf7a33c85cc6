import { base64 } from '../core/bytes.js';
import { nullIfMalformed } from '../core/errors.js';
import { isObject, type JsonObject, type JsonValue } from '../core/json.js';
import { decodeBase64 } from '../formats/base64.js';
import { boundKeyOf } from '../relying-party/bound-key.js';
import type { Decision } from './service.js';

/** The expected claims of a receipt. Null: no expected value. */
export interface ReceiptExpectation {
  readonly issuer: ExpectedClaim | null;
  readonly audience: ExpectedClaim | null;
  /** base64url or base64, as in the request. */
  readonly nonce: ExpectedClaim | null;
  /** Ids, if a policy was requested. */
  readonly policy: ExpectedClaim | null;
  /** The answer with the receipt; null for a single receipt. */
  readonly answer: ReceiptAnswer | null;
}

/** The expected value of a claim, and its origin: `body`, the author of the body; `answer`, the service. */
export interface ExpectedClaim {
  readonly value: string;
  readonly by: 'caller' | 'body' | 'answer';
}

export type ReceiptAnswer = Pick<
  Decision,
  'decision' | 'decisionId' | 'validUntil' | 'evidence' | 'policies' | 'reasons' | 'binding'
>;

/** A claim beside its expected value. `expected` null: it was not compared. */
export interface ComparedClaim {
  readonly what: string;
  readonly claimed: string;
  readonly expected: string | null;
  /** The origin of the expected value. */
  readonly by: ExpectedClaim['by'];
}

const NONE = 'none';

/** The claims of a receipt beside their expected values. */
export async function comparedClaims(
  claims: JsonObject,
  { issuer, audience, nonce, policy, answer }: ReceiptExpectation,
): Promise<readonly ComparedClaim[]> {
  const { evidence, reasons, decision, aud, requested_aud } = claims;
  const claim = (what: string, claimed: string, expected: string | null = null, by: ComparedClaim['by'] = 'answer') => {
    return { what, claimed, expected, by };
  };
  const said = answer === null ? null : textsOf(answer);
  const bound = await boundKeyOf(claims);
  // A receipt without an allow has the audience in another claim, so that no relying party accepts it.
  const named = decision === 'allow' ? aud : (requested_aud ?? aud);
  const digest = isObject(evidence) ? `${claimText(evidence['type'])} ${claimText(evidence['sha256'])}` : NONE;
  return [
    claim('issuer', claimText(claims['iss']), issuer?.value, issuer?.by),
    claim('audience', claimText(named), audience?.value, audience?.by),
    claim('decision', claimText(decision), said?.decision),
    claim('decision id', claimText(claims['jti']), said?.decisionId),
    claim('reasons', joinedTexts(Array.isArray(reasons) ? reasons.map(claimText) : []), said?.reasons),
    claim('policy digest', digestsOf(policiesOf(claims)), said?.policies),
    claim('evidence digest', digest, said?.evidence),
    claim('nonce', claimText(claims['eat_nonce']), nonce === null ? said?.nonce : spelt(nonce.value), nonce?.by),
    claim('policy', joinedTexts(policiesOf(claims).map(({ id }) => id)), policy?.value, policy?.by),
    claim('expiry', shownSeconds(claims['exp']), said?.expiry),
    claim('bound key', bound?.jkt ?? NONE, said?.boundKey),
  ];
}

/** The values of an answer in the form of claims. */
function textsOf({ decision, decisionId, reasons, policies, evidence, validUntil, binding }: ReceiptAnswer) {
  return {
    decision,
    decisionId,
    reasons: joinedTexts(reasons),
    policies: digestsOf(policies),
    evidence: `${evidence.type} ${evidence.sha256}`,
    nonce: NONE,
    expiry: shownSeconds(Math.floor(Date.parse(validUntil) / 1000)),
    boundKey: binding?.jkt ?? NONE,
  };
}

export function policiesOf(claims: JsonObject): readonly { readonly id: string; readonly sha256: string }[] {
  const { policies } = claims;
  const objects = Array.isArray(policies) ? policies.filter((policy) => isObject(policy)) : [];
  return objects.map(({ id, sha256 }) => ({ id: claimText(id), sha256: claimText(sha256) }));
}

const digestsOf = (policies: readonly { readonly id: string; readonly sha256: string }[]) =>
  joinedTexts(policies.map(({ id, sha256 }) => `${id} ${sha256}`).toSorted());
const joinedTexts = (texts: readonly string[]) => (texts.length === 0 ? NONE : texts.join(', '));

/** A claim as text. */
export function claimText(value: JsonValue | undefined): string {
  if (value === undefined) return NONE;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function shownSeconds(seconds: JsonValue | undefined): string {
  const instant = typeof seconds === 'number' ? new Date(seconds * 1000) : null;
  return instant === null || Number.isNaN(instant.getTime()) ? claimText(seconds) : instant.toISOString();
}

/** A nonce in the form of receipts; unchanged if it cannot be decoded, so that it equals none. */
export function spelt(nonce: string): string {
  const bytes = nullIfMalformed(() => decodeBase64(nonce));
  return bytes === null ? nonce : base64(bytes, 'base64url');
}
