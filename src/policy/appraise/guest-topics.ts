import type { Checks } from '../../core/check.js';
import type { SnpClaims } from '../../core/claims.js';
import type { CheckId } from '../../core/codes.js';
import { hasParavisor, hasVtpm, placeOf } from '../../core/evidence-traits.js';
import { registerNames } from '../../core/register-names.js';
import type { Policy } from '../document/policy-document.js';
import type { AppraisalTopic, Findings, TopicInput } from './appraisal-topic.js';
import { appraiseResets, tracksResets } from './vtpm-resets.js';

/**
 * Whether the paravisor is known. Signature, claims hash and AK only show that some genuine guest vouches for the
 * AK, and whoever owns a server can be that guest.
 */
export const paravisor: AppraisalTopic = {
  needs: (_policy, evidenceType) => (hasParavisor(evidenceType) ? ['hcl'] : []),
  required: (policy, evidenceType) => {
    if (!hasParavisor(evidenceType)) return [];
    return [policy.paravisor === 'known' ? 'hcl_paravisor' : 'hcl_paravisor_unknown'];
  },
  appraise: (policy, { evidenceType, verification, results }, checks) => {
    const { hcl } = verification.claims;
    // Bare evidence without runtime claims speaks of no paravisor.
    if (hcl === undefined) return;
    const { known, by } = hcl.paravisor;
    const report = checks.at(placeOf('hcl', evidenceType));
    const compared = known
      ? { expected: true, actual: true, detail: `the paravisor is known by ${by}` }
      : unknownParavisor(verification);
    const maa = results.get('maa');
    // Azure Attestation can make it known, but it did not answer.
    if (policy.paravisor === 'known' && !known && maa?.state === 'unavailable')
      report.unavailable('hcl_paravisor', { ...compared, retryable: maa.retryable });
    else if (policy.paravisor === 'known')
      report.require(known, 'hcl_paravisor', { ...compared, otherwise: compared.detail });
    else if (known) report.pass('hcl_paravisor_unknown', compared);
    else report.warn('hcl_paravisor_unknown', compared);
  },
};

const NOT_KNOWN = 'nothing shows that this is an Azure paravisor';

/** The identity, and the setting in which an operator can list it. */
function unknownParavisor({ claims: { snp, tdx }, paravisorMinGuestSvn: minGuestSvn }: Findings) {
  if (tdx !== undefined) {
    const setting = 'azure.paravisors.mrtds';
    const detail = `${NOT_KNOWN}: ${setting} does not list MRTD ${tdx.mrtd}`;
    return { expected: { setting }, actual: { mrtd: tdx.mrtd }, detail };
  }
  const setting = 'azure.paravisors.idKeyDigests';
  if (snp === undefined) return { expected: { setting }, detail: NOT_KNOWN };
  const { idKeyDigest, guestSvn } = snp;
  return {
    expected: { setting, ...(minGuestSvn === undefined ? {} : { minGuestSvn }) },
    actual: { idKeyDigest, guestSvn },
    detail: `${NOT_KNOWN}: ${whyNotByIdKey(snp, setting, minGuestSvn)}`,
  };
}

function whyNotByIdKey({ idKeyDigest, guestSvn }: SnpClaims, setting: string, floor: number | undefined): string {
  const digest = `ID_KEY_DIGEST ${idKeyDigest}`;
  if (floor === undefined) return `${setting} does not list ${digest} (GUEST_SVN ${guestSvn})`;
  const version = guestSvn & 0xffff;
  const counted = version === guestSvn ? '' : `, of which the low 16 bits count: ${version}`;
  return `GUEST_SVN ${guestSvn}${counted} is below ${floor}, the floor of ${digest} in ${setting}`;
}

type Origin = TopicInput['nonce']['origin'];

/**
 * Whether there had to be a nonce, whose, and how deep in the evidence it stands. That a nonce stands in it at all,
 * and that a challenge is fresh and used once, are base checks: no policy has a say there.
 */
export const freshness: AppraisalTopic = {
  needs: () => [],
  required: (policy, evidenceType) => {
    const ids: CheckId[] = ['nonce_missing'];
    if (policy.freshness !== 'none' && hasParavisor(evidenceType)) ids.push('nonce_stale');
    if (policy.binding === 'required') ids.push('binding_missing');
    return ids;
  },
  requiredOfBase: (policy) => (policy.freshness === 'none' ? [] : ['nonce_mismatch']),
  appraise: (policy, input, checks) => {
    const { evidenceType, verification, boundKey, keyAsPem } = input;
    appraisePresence(policy, input.nonce.origin, checks.at('/nonce'));
    if (keyAsPem) appraisePemKey(policy, verification.bound, checks.at('/binding/pem'));
    else if (policy.freshness !== 'none' && hasParavisor(evidenceType)) {
      appraiseDepth(policy, verification.bound, checks.at(placeOf('hcl', evidenceType)));
    }
    if (policy.binding === 'required') checks.at('/binding').require(boundKey, 'binding_missing');
  },
};

/** A policy that asks for no nonce allows evidence of any age, and each decision without one says so. */
function appraisePresence({ freshness: wanted, nonce }: Policy, origin: Origin, checks: Checks): void {
  const compared = { expected: nonce === 'challenge' ? 'challenge' : 'any', actual: origin };
  if (nonce === 'challenge' && origin !== 'challenge') {
    const detail = 'the policy requires a challenge of this service as nonce';
    checks.fail('nonce_missing', { ...compared, detail });
  } else if (wanted === 'none' && origin === 'none') {
    const detail = 'no nonce was sent, and the policy requires none: the evidence may be of any age';
    checks.warn('nonce_missing', { ...compared, detail });
  } else {
    checks.require(origin !== 'none', 'nonce_missing', compared);
  }
}

/**
 * Evidence with a key as PEM has no nonce there, so it may be of any age, whatever the quote beside it contains. A challenge that nothing
 * holds is only repeated by the request.
 */
function appraisePemKey({ freshness: wanted, nonce }: Policy, bound: Findings['bound'], checks: Checks): void {
  const isHeld = bound.length > 0;
  const detail = isHeld
    ? 'the hardware report holds the key and no nonce, so the report may be old'
    : 'the evidence holds the key and no nonce, so all of it may be old';
  const compared = { expected: null, actual: [...bound], detail };
  if (wanted === 'strict' || (nonce === 'challenge' && !isHeld)) checks.fail('nonce_stale', compared);
  else checks.warn('nonce_stale', compared);
}

/** The quote is made at the moment, the hardware report at most every two seconds, or as long ago as a guest likes. */
function appraiseDepth(policy: Policy, bound: Findings['bound'], checks: Checks): void {
  if (!bound.includes('tpm.extraData')) {
    checks.skip(['nonce_stale'], 'rests on a nonce in the quote');
    return;
  }
  const deep = bound.includes('hcl.userData');
  const compared = { expected: ['tpm.extraData', 'hcl.userData'], actual: [...bound] };
  if (deep || policy.freshness === 'strict') checks.require(deep, 'nonce_stale', compared);
  else checks.warn('nonce_stale', compared);
}

/**
 * The further requirements for the vTPM quote. Evidence without a vTPM does not pass: it
 * must not be a way around what the policy asks of the vTPM.
 */
export const tpmRequirements: AppraisalTopic = {
  needs: (policy, evidenceType) => {
    const isAsked = quotedPcrsOf(policy).length > 0 || tracksResets(policy);
    return isAsked && hasVtpm(evidenceType) ? ['tpm'] : [];
  },
  required: (policy) => {
    const ids: CheckId[] = [];
    if (quotedPcrsOf(policy).length > 0) ids.push('tpm_pcr_not_quoted');
    if (tracksResets(policy)) ids.push('tpm_reset');
    return ids;
  },
  appraise: (policy, { evidenceType, verification, resets }, checks) => {
    const asked = quotedPcrsOf(policy);
    const quote = hasVtpm(evidenceType) ? checks.at(placeOf('tpm', evidenceType)) : checks;
    if (asked.length > 0) appraiseSelection(asked, verification, quote);
    if (tracksResets(policy)) appraiseResets(verification, resets, quote);
  },
};

function quotedPcrsOf({ require: { tpm } }: Policy): readonly number[] {
  return tpm?.quotedPcrs ?? [];
}

/**
 * The guest chooses which PCRs a quote covers: a PCR that it leaves out may have any value. The signed selection
 * says which, also where the values that were sent are others: that is a base check, and denies.
 */
function appraiseSelection(
  asked: readonly number[],
  { claims: { tpm }, selectedPcrs }: Findings,
  checks: Checks,
): void {
  const quoted = selectedPcrs ?? Object.keys(tpm?.pcrs['sha256'] ?? {}).map(Number);
  const missing = asked.filter((index) => !quoted.includes(index));
  checks.require(missing.length === 0, 'tpm_pcr_not_quoted', {
    expected: asked,
    actual: quoted,
    otherwise:
      tpm === undefined
        ? 'the evidence has no quote of a vTPM, and the policy names PCRs that must be quoted'
        : `the quote does not cover ${registerNames('PCR', missing)}`,
  });
}
