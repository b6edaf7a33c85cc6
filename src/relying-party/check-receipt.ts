import { type BoundKey, boundKeyOf } from './bound-key.js';
import { isSameText } from './constant-time.js';
import { type CheckedExpectations, type ExpectedPolicy, NONCE_NOT_EXPECTED } from './expectations.js';
import { isObject, type JsonObject, type JsonValue, member } from './json-text.js';
import type { ReceiptKeySource } from './key-source.js';
import { ReceiptError, type ReceiptErrorCode } from './receipt-error.js';
import { takeApart } from './receipt-form.js';
import { requireSignature } from './receipt-signature.js';

/** Trust tiers (AR4SI). */
export type ReceiptStatus = 'none' | 'affirming' | 'warning' | 'contraindicated';

/** A receipt that passed every step of docs/receipts.md, so that it states an allow. It is deep-frozen. */
export interface VerifiedReceipt {
  readonly decision: 'allow';
  /** `jti`, the id of the receipt and of its record at the service; null if there is none. */
  readonly decisionId: string | null;
  readonly issuer: string;
  readonly audience: string;
  readonly subject: string;
  /** `eat_nonce`, base64url. Null if the receipt has none, which is only accepted if none was expected. */
  readonly nonce: string | null;
  /** ISO 8601, in UTC. */
  readonly issuedAt: string;
  /** ISO 8601, in UTC. From then on the receipt is invalid. */
  readonly expiresAt: string;
  readonly evidence: {
    readonly type: string;
    /** Hex; null if the receipt does not state it. */
    readonly sha256: string | null;
  };
  readonly policies: readonly { readonly id: string; readonly sha256: string }[];
  /** Status of each appraised part (`hardware`, `vtpm`, `maa`, `ita`). */
  readonly status: Readonly<Record<string, ReceiptStatus>>;
  /** The key that the request bound; null if it bound none. The caller must check that the sender has it. */
  readonly boundKey: BoundKey | null;
  /** All claims, as signed. */
  readonly claims: JsonObject;
}

/** `eat_profile` of receipts: EAT Attestation Results (draft-ietf-rats-ear). */
export const RECEIPT_PROFILE = 'tag:github.com,2023:veraison/ear';
const NOT_ALLOWED_AUDIENCE = 'urn:veritee:not-allowed';
const [LONGEST_SECONDS, SKEW_SECONDS] = [300, 60];
/** The range of a Date (ECMA-262, section 21.4.1.1). */
const LAST_SECOND = 8_640_000_000_000;

/**
 * Checks the steps of docs/receipts.md ("How to check one") in their order, and rejects the receipt at the first failure.
 * Step 7 only compares the nonce here: the caller, which remembers nonces, checks that it was not accepted
 * before.
 *
 * @throws {ReceiptError} with `code` and `step` of the failed step
 */
export async function checkReceipt(
  receipt: string,
  keys: ReceiptKeySource,
  expected: CheckedExpectations,
  now: Date,
): Promise<VerifiedReceipt> {
  const { header, claims } = takeApart(receipt);
  await requireSignature(receipt, header, keys);
  requireAddressee(claims, expected);
  const times = requireTimes(claims, now);
  demand(claims['eat_profile'] === RECEIPT_PROFILE, 'receipt_profile', 'The receipt is of another profile than EAR.');
  const policies = requirePolicies(claims, expected);
  const evidence = requireEvidenceType(claims, expected.evidenceTypes);
  const status = requireAllow(claims);
  const boundKey = await requireBinding(claims, expected.binding);
  return Object.freeze({
    decision: 'allow',
    decisionId: textOrNull(claims['jti']),
    issuer: expected.issuer,
    audience: expected.audience,
    subject: expected.subject,
    nonce: textOrNull(claims['eat_nonce']),
    ...times,
    evidence,
    policies,
    status,
    boundKey,
    claims,
  });
}

/**
 * For a caller that had the evidence verified: the answer must be newer than the request, up to the skew of step 8. Otherwise a server
 * that impersonates the service, without its key, could repeat an earlier challenge and answer.
 *
 * @throws {ReceiptError} `receipt_time`
 */
export function requireIssuedSince({ issuedAt }: Pick<VerifiedReceipt, 'issuedAt'>, asked: Date): void {
  const isSince = Date.parse(issuedAt) >= asked.getTime() - SKEW_SECONDS * 1000;
  demand(isSince, 'receipt_time', `The receipt was issued at ${issuedAt}, before it was asked for.`);
}

/** Steps 5 to 7. */
function requireAddressee(claims: JsonObject, { issuer, audience, nonce }: CheckedExpectations): void {
  const { iss, aud } = claims;
  demand(
    iss === issuer,
    'receipt_issuer',
    `The receipt is of the issuer ${shortJson(iss)}, not of ${shortJson(issuer)}.`,
  );
  demand(
    aud !== NOT_ALLOWED_AUDIENCE,
    'receipt_audience',
    `The receipt is no allow: it says ${shortJson(claims['decision'])}.`,
  );
  demand(aud === audience, 'receipt_audience', `The receipt is for ${shortJson(aud)}, not for ${shortJson(audience)}.`);
  if (nonce === NONCE_NOT_EXPECTED) return;
  const claimed = claims['eat_nonce'];
  demand(
    typeof nonce === 'string' && typeof claimed === 'string' && isSameText(claimed, nonce),
    'receipt_nonce',
    'The receipt does not have the nonce that was given out for this request.',
  );
}

/** Step 8. */
function requireTimes({ iat, nbf, exp }: JsonObject, now: Date): Pick<VerifiedReceipt, 'issuedAt' | 'expiresAt'> {
  const seconds = now.getTime() / 1000;
  if (!isSecond(iat) || !isSecond(nbf) || !isSecond(exp)) {
    throw new ReceiptError('receipt_time', 'The receipt lacks iat, nbf or exp, or has one that is no whole number.');
  }
  demand(exp > seconds, 'receipt_time', `The receipt ended at ${instant(exp)}.`);
  demand(nbf <= seconds + SKEW_SECONDS, 'receipt_time', `The receipt does not hold before ${instant(nbf)}.`);
  demand(exp - iat <= LONGEST_SECONDS, 'receipt_time', `The receipt holds for more than ${LONGEST_SECONDS} seconds.`);
  return { issuedAt: instant(iat), expiresAt: instant(exp) };
}

/** Step 10. */
function requirePolicies({ sub, policies }: JsonObject, expected: CheckedExpectations): VerifiedReceipt['policies'] {
  demand(
    sub === expected.subject,
    'receipt_policy',
    `The subject of the receipt is ${shortJson(sub)}, not ${shortJson(expected.subject)}.`,
  );
  const listed = Array.isArray(policies) ? policies.map(policyOf) : [];
  const ids = new Set(expected.policies.map(({ id }) => id));
  const isExact =
    ids.size > 0 &&
    ids.size === expected.policies.length &&
    listed.length === expected.policies.length &&
    expected.policies.every((policy) => listed.filter((each) => isMet(policy, each)).length === 1);
  demand(
    isExact,
    'receipt_policy',
    `The policies of the receipt are ${shownPolicies(listed)}, not exactly ${shownPolicies(expected.policies)}.`,
  );
  return Object.freeze(listed.filter((policy) => policy !== null));
}

/** Null if it is not a policy of a receipt. */
function policyOf(policy: JsonValue): { readonly id: string; readonly sha256: string } | null {
  const [id, sha256] = [member(policy, 'id'), member(policy, 'sha256')];
  return typeof id === 'string' && typeof sha256 === 'string' ? Object.freeze({ id, sha256 }) : null;
}

function isMet({ id, sha256 }: ExpectedPolicy, policy: ReturnType<typeof policyOf>): boolean {
  return policy !== null && policy.id === id && (sha256 === undefined || policy.sha256 === sha256);
}

/** Step 11. */
function requireEvidenceType(
  { evidence }: JsonObject,
  accepted: CheckedExpectations['evidenceTypes'],
): VerifiedReceipt['evidence'] {
  const type = member(evidence, 'type');
  if (typeof type !== 'string' || (accepted !== null && !accepted.includes(type))) {
    throw new ReceiptError('receipt_evidence_type', `The receipt is about evidence of the type ${shortJson(type)}.`);
  }
  return Object.freeze({ type, sha256: textOrNull(member(evidence, 'sha256')) });
}

/** Step 12. */
function requireAllow({ decision, submods }: JsonObject): VerifiedReceipt['status'] {
  demand(decision === 'allow', 'receipt_decision', `The decision is ${shortJson(decision)}, not allow.`);
  if (!isObject(submods)) throw new ReceiptError('receipt_decision', 'The receipt does not say what was appraised.');
  const parts = Object.entries(submods).map(([name, part]) => {
    const status = member(part, 'ear.status');
    if (isStatus(status)) return [name, status] as const;
    throw new ReceiptError('receipt_decision', `The receipt gives ${shortJson(name)} no status that is known.`);
  });
  return Object.freeze(Object.fromEntries(parts));
}

/** Step 13. */
async function requireBinding(
  claims: JsonObject,
  binding: CheckedExpectations['binding'],
): Promise<VerifiedReceipt['boundKey']> {
  const key = await boundKeyOf(claims);
  if (binding === null) return key;
  if (key === null) throw new ReceiptError('receipt_binding', 'The receipt names no bound key.');
  const isWanted = binding === 'required' || key.jkt === binding.jkt;
  demand(isWanted, 'receipt_binding', 'The receipt names another bound key than the expected one.');
  return key;
}

function demand(holds: boolean, code: ReceiptErrorCode, message: string): asserts holds {
  if (!holds) throw new ReceiptError(code, message);
}

function isSecond(value: JsonValue | undefined): value is number {
  return Number.isInteger(value) && Math.abs(value as number) <= LAST_SECOND;
}

function isStatus(value: JsonValue | undefined): value is ReceiptStatus {
  return value === 'none' || value === 'affirming' || value === 'warning' || value === 'contraindicated';
}

function instant(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

function textOrNull(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

const SHOWN_LENGTH = 120;

/** A quoted text as JSON, so that its content cannot end a line of a log. */
function shortJson(value: JsonValue | undefined, longest = SHOWN_LENGTH): string {
  if (typeof value !== 'string') return 'nothing that is text';
  return JSON.stringify(value.length > longest ? `${value.slice(0, longest)}…` : value);
}

/** Characters for 8 policies, each with an id of 64 and its digest. */
const SHOWN_POLICIES_LENGTH = 1_200;

/** Each as `ID@sha256:HEX`, or as `ID` if its text is not compared. */
function shownPolicies(policies: readonly (ExpectedPolicy | null)[]): string {
  const texts = policies.map((policy) => {
    if (policy === null) return 'no policy';
    return policy.sha256 === undefined ? policy.id : `${policy.id}@sha256:${policy.sha256}`;
  });
  return shortJson(texts.join(', '), SHOWN_POLICIES_LENGTH);
}
