import { base64 } from '../core/bytes.js';
import { nullIfMalformed } from '../core/errors.js';
import { isObject, type JsonObject, type JsonValue } from '../core/json.js';
import { decodeBase64 } from '../formats/base64.js';
import { boundKeyOf } from '../relying-party/bound-key.js';
import type { Decision } from './service.js';

/** The expected claims of a receipt. Null: nobody specified the value. */
export interface ReceiptExpectation {
  readonly issuer: Said | null;
  readonly audience: Said | null;
  /** base64url or base64, as in the request. */
  readonly nonce: Said | null;
  /** Ids, where a policy was asked for. */
  readonly policy: Said | null;
  /** The answer that it came with; null for a receipt by itself. */
  readonly answer: ReceiptAnswer | null;
}

/** The expected value of a claim, and its origin: `body`, the maker of the body; `answer`, the service. */
export interface Said {
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
  readonly by: Said['by'];
}

const NONE = 'none';

/** The claims of a receipt beside their expected values. */
export async function comparedClaims(
  claims: JsonObject,
  { issuer, audience, nonce, policy, answer }: ReceiptExpectation,
): Promise<readonly ComparedClaim[]> {
  const { evidence, reasons, decision, aud, requested_aud } = claims;
  const claim = (what: string, claimed: string, expected: string | null, by: ComparedClaim['by'] = 'answer') => {
    return { what, claimed, expected, by };
  };
  const ofAnswer = (read: (decision: ReceiptAnswer) => string) => (answer === null ? null : read(answer));
  const bound = await boundKeyOf(claims);
  return [
    claim('issuer', claimText(claims['iss']), issuer?.value ?? null, issuer?.by),
    // A receipt that is no allow names the audience apart, so that none takes it for its own.
    claim(
      'audience',
      claimText(decision === 'allow' ? aud : (requested_aud ?? aud)),
      audience?.value ?? null,
      audience?.by,
    ),
    claim(
      'decision',
      claimText(decision),
      ofAnswer((answered) => answered.decision),
    ),
    claim(
      'decision id',
      claimText(claims['jti']),
      ofAnswer(({ decisionId }) => decisionId),
    ),
    claim(
      'reasons',
      joinedTexts(Array.isArray(reasons) ? reasons.map(claimText) : []),
      ofAnswer((decision) => joinedTexts(decision.reasons)),
    ),
    claim(
      'policy digest',
      digestsOf(policiesOf(claims)),
      ofAnswer(({ policies }) => digestsOf(policies)),
    ),
    claim(
      'evidence digest',
      isObject(evidence) ? `${claimText(evidence['type'])} ${claimText(evidence['sha256'])}` : NONE,
      ofAnswer((decision) => `${decision.evidence.type} ${decision.evidence.sha256}`),
    ),
    claim(
      'nonce',
      claimText(claims['eat_nonce']),
      nonce === null ? ofAnswer(() => NONE) : spelt(nonce.value),
      nonce?.by,
    ),
    claim('policy', joinedTexts(policiesOf(claims).map(({ id }) => id)), policy?.value ?? null, policy?.by),
    claim(
      'expiry',
      shownSeconds(claims['exp']),
      ofAnswer(({ validUntil }) => shownSeconds(Math.floor(Date.parse(validUntil) / 1000))),
    ),
    claim(
      'bound key',
      bound?.jkt ?? NONE,
      ofAnswer(({ binding }) => binding?.jkt ?? NONE),
    ),
  ];
}

export function policiesOf(claims: JsonObject): readonly { readonly id: string; readonly sha256: string }[] {
  const { policies } = claims;
  const objects = Array.isArray(policies) ? policies.filter((policy) => isObject(policy)) : [];
  return objects.map(({ id, sha256 }) => ({ id: claimText(id), sha256: claimText(sha256) }));
}

const digestsOf = (policies: readonly { readonly id: string; readonly sha256: string }[]) =>
  joinedTexts(policies.map(({ id, sha256 }) => `${id} ${sha256}`).toSorted());
const joinedTexts = (texts: readonly string[]) => (texts.length === 0 ? NONE : texts.join(', '));

/** A claim for people. */
export function claimText(value: JsonValue | undefined): string {
  if (value === undefined) return NONE;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function shownSeconds(seconds: JsonValue | undefined): string {
  const instant = typeof seconds === 'number' ? new Date(seconds * 1000) : null;
  return instant === null || Number.isNaN(instant.getTime()) ? claimText(seconds) : instant.toISOString();
}

/** A nonce as receipts write it; as it stands where it is no bytes, since it is then equal to none. */
export function spelt(nonce: string): string {
  const bytes = nullIfMalformed(() => decodeBase64(nonce));
  return bytes === null ? nonce : base64(bytes, 'base64url');
}
