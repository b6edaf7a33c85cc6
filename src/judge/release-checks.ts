import type { NonceStanding } from '../core/challenge.js';
import type { Checks } from '../core/check.js';
import type { CheckId } from '../core/codes.js';
import { hasParavisor } from '../core/evidence-traits.js';
import type { JsonObject } from '../core/json.js';
import type { ReleaseTerms, VerifyRequest } from '../core/request.js';
import { type PolicyAppraisal, withDemands } from '../policy/appraise/appraise.js';
import type { CheckSet } from '../policy/appraise/outcome.js';
import { lackingForRelease } from '../policy/appraise/release-fitness.js';
import { pinsMachine } from '../policy/release-pins.js';
import { checksAt, waivableChecks } from '../tee/catalogue.js';
import type { KeyThumbprint } from './cross-check/paravisor-statements.js';
import type { JoinedVerification, JoinParts } from './join.js';
import type { NoncedTerms } from './nonces.js';
import { isNameOfOne, wrappingKeys } from './wrapping-keys.js';

/** For bare evidence of a paravisor. */
const PIN_MACHINE =
  'The operator should pin machines or hcl.vmUniqueId in the policy, or accept evidence with a vTPM, which the caller then sends.';

const STORE_UNAVAILABLE = 'the challenge store is unavailable, so whether the challenge is unused is unknown';
const UNVERIFIED = 'a check is unavailable, so what the evidence vouches for is unknown';

const TARGET = '/attestationResults';
const BINDING = '/binding';

/** Checks that a waiver can name. */
const WAIVABLE: ReadonlySet<CheckId> = new Set(
  (['plain', 'floor', 'status'] as const).flatMap((value) => [...waivableChecks(value)]),
);

/** A local key has no token that could name the key. */
const BIND = 'The guest should make evidence for the nonce and the key of this request (binding.jwk).';

/** Conditions of a release, for local keys and for vaults. */
const REQUIRED = {
  local: ['release_key_unbound', 'release_warning'],
  vault: ['release_token_stale', 'release_other_vm', 'release_key_unbound', 'release_warning'],
} as const;

/** The inputs of the release conditions. */
export interface ReleaseSubject {
  readonly keyThumbprint: KeyThumbprint;
  readonly terms: ReleaseTerms;
  readonly asked: Pick<NoncedTerms, 'nonce' | 'historical' | 'binding'> & {
    readonly request: Pick<VerifyRequest, 'evidence'>;
  };
  readonly joined: JoinedVerification;
  /** The outcome of the policy of the key. */
  readonly appraisal: PolicyAppraisal;
}

/**
 * Adds the release conditions to the appraisal of the key's policy, if a key is requested. An allow alone is not
 * enough.
 */
export function withReleaseDemands(
  { keyThumbprint }: JoinParts,
  asked: NoncedTerms,
  joined: JoinedVerification,
  appraisals: readonly PolicyAppraisal[],
): readonly PolicyAppraisal[] {
  const { release: terms } = asked.request;
  if (terms === undefined) return appraisals;
  return appraisals.map((appraisal) =>
    withDemands(appraisal, releaseDemands({ terms, asked, joined, appraisal, keyThumbprint })),
  );
}

/**
 * The conditions of a release, beside an allow of the key's policy. The client of the vault adds none: it only checks
 * the vault's answer.
 */
export function releaseDemands(release: ReleaseSubject): CheckSet {
  const checks = checksAt('');
  const required = REQUIRED[release.terms.kind];
  if (release.terms.kind === 'vault') checkToken(checks, release);
  else checkBound(checks, release);
  checkWarnings(checks, release);
  refuseUnpinnedParavisor(checks.at('/evidence/type'), release);
  return { checks: checks.all, required };
}

/** The properties that a token must have for Key Vault to wrap to a key in it. */
function checkToken(checks: Checks, release: ReleaseSubject): void {
  const token = release.joined.verification.claims.maa?.claims;
  if (token === undefined) {
    const because = 'the token of Azure Attestation fails a check, so nothing that it says is looked at';
    checks.at(TARGET).skip(['release_token_stale', 'release_other_vm'], because);
    checks.at(BINDING).skip(['release_key_unbound'], because);
    return;
  }
  checkAge(checks.at(TARGET), token, release);
  const isOfSameTee = release.joined.ofSameTee.has('maa');
  if (!isOfSameTee && isUnverified(release)) checks.at(TARGET).skip(['release_other_vm'], UNVERIFIED);
  else checks.at(TARGET).require(isOfSameTee, 'release_other_vm');
  if (checkBound(checks, release)) checkWrappingKey(checks.at(BINDING), token, release);
}

/** A token issued before the challenge may be replayed. Compares whole seconds, without leeway. */
function checkAge(checks: Checks, { iat }: JsonObject, { asked: { nonce } }: ReleaseSubject): void {
  if (nonce.origin !== 'challenge' || nonce.state !== 'consumed') {
    const because = 'there is no unused challenge of this service that the token could be newer than';
    checks.skip(['release_token_stale'], isUnknown(nonce) ? STORE_UNAVAILABLE : because);
    return;
  }
  const { issuedAt } = nonce;
  const issued = Math.floor(issuedAt.getTime() / 1000);
  // `iat` of a verified token is an integer.
  checks.require(typeof iat === 'number' && iat >= issued, 'release_token_stale', {
    expected: issuedAt.toISOString(),
    actual: typeof iat === 'number' ? new Date(iat * 1000).toISOString() : null,
  });
}

/**
 * Whether the evidence vouches for the bound key: it holds X, or the attestation key certified it. A token that holds X
 * does not count: anyone with a token of another request could name its key.
 */
function checkBound(checks: Checks, release: ReleaseSubject): boolean {
  const { asked, joined, terms } = release;
  const { binding } = asked;
  if (binding !== null && binding.jkt !== null && joined.boundByEvidence.length > 0) {
    // A vault chooses the key that it wraps to. `checkWrappingKey` checks it next.
    if (terms.kind === 'local') checks.at(BINDING).pass('release_key_unbound', { actual: binding.jkt });
    return true;
  }
  if (isUnverified(release)) {
    checks.at(BINDING).skip(['release_key_unbound'], UNVERIFIED);
    return false;
  }
  const detail = 'the evidence does not vouch for the key of binding.jwk';
  checks.at(BINDING).fail('release_key_unbound', terms.kind === 'local' ? { detail, remedy: BIND } : { detail });
  return false;
}

/** Key Vault documents no choice among several keys, so there must be exactly one. */
function checkWrappingKey(
  checks: Checks,
  token: JsonObject,
  { asked: { binding }, keyThumbprint }: ReleaseSubject,
): void {
  const keys = wrappingKeys(token);
  const [key] = keys;
  if (key === undefined || keys.length > 1) {
    const count = keys.length === 0 ? 'no RSA key' : `${keys.length} RSA keys`;
    const detail = `x-ms-runtime of the token has ${count} for encryption, and Key Vault needs exactly one to wrap to`;
    checks.fail('release_key_unbound', { expected: 1, actual: keys.length, detail });
    return;
  }
  const { kid } = key;
  if (!isNameOfOne(token, kid)) {
    const detail = 'the key of the token has no kid of its own, by which the answer of Key Vault could name it';
    checks.fail('release_key_unbound', { detail });
    return;
  }
  const [expected, actual] = [binding?.jkt ?? null, keyThumbprint(key)];
  checks.require(expected !== null && expected === actual, 'release_key_unbound', { expected, actual });
}

/** Findings that an ordinary decision tolerates and a release does not. */
function checkWarnings(checks: Checks, { asked: { nonce, historical }, appraisal }: ReleaseSubject): void {
  const lacking = lackingForRelease(appraisal.policy);
  const warnings = appraisal.checks.filter(({ result, waived = false }) => result === 'warn' && !waived);
  const faults = [
    ...(historical ? ['the verification time is in the past'] : []),
    ...(isUnknown(nonce) || (nonce.origin === 'challenge' && nonce.state === 'consumed')
      ? []
      : ['the nonce is no unused challenge of this service']),
    ...(lacking.length === 0 ? [] : [`the policy lacks ${lacking.join(', ')}`]),
    ...[...new Set(warnings.map(({ id }) => id))].map(unwaived),
  ];
  if (faults.length === 0 && isUnknown(nonce)) {
    checks.skip(['release_warning'], STORE_UNAVAILABLE);
    return;
  }
  checks.require(faults.length === 0, 'release_warning', {
    ...(faults.length === 0 ? {} : { actual: faults }),
    otherwise: faults.join('; '),
    faults,
  });
}

/** Whether the store did not answer. `nonce_store` makes the decision indeterminate then. */
function isUnknown(nonce: NonceStanding): boolean {
  return nonce.origin === 'challenge' && nonce.state === 'store_unavailable';
}

/** Whether an unavailable check keeps the evidence unverified. Verified evidence contains X, or a check of it has failed. */
function isUnverified({ appraisal, joined }: ReleaseSubject): boolean {
  return appraisal.outcome === 'indeterminate' && joined.boundByEvidence.length === 0;
}

/**
 * Bare evidence of a paravisor contains Microsoft's report, which is equal for every tenant. So pins of such evidence
 * prove nothing, unless they identify the machine or the VM.
 */
function refuseUnpinnedParavisor(
  checks: Checks,
  { terms, asked, joined, appraisal: { policy } }: ReleaseSubject,
): void {
  const { type } = asked.request.evidence;
  const isBare = joined.verification.claims.hcl !== undefined && !hasParavisor(type);
  if (terms.anyMachine || !isBare || pinsMachine(policy, type)) return;
  checks.fail('policy_evidence_type', {
    actual: type,
    detail:
      'the runtime data has HCLAkPub, so the VM has a paravisor, and the policy pins neither machine nor vmUniqueId',
    remedy: PIN_MACHINE,
  });
}

/** The remedy distinguishes the two by this wording. */
function unwaived(id: CheckId): string {
  return WAIVABLE.has(id) ? `the warning ${id} is not waived` : `the warning ${id}, which no policy can waive`;
}
