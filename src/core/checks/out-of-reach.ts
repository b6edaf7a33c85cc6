import { ofCertificates } from './certificates.js';
import type { CheckRows, Finding } from './row.js';
import { COLLATERAL, faultsOf, inBrackets, policyOf, value } from './words.js';

const TOKEN_CRLS =
  "The operator should let the service reach the issuer's keys and the CRLs that their certificates name, or put a current CRL beside the roots in the file of ita.issuers[].roots.";

export const OUT_OF_REACH_CHECKS = {
  vcek_unavailable: {
    holds: 'the key certificate and its chain are available',
    fails: 'the key certificate or its chain is not available',
    underlies: 'hardware',
    when: 'the VCEK or VLEK, the ASK, ASVK or ARK is in neither request, folder, cache nor AMD KDS; what a source has cannot be read or does not verify',
    remedy:
      'The caller should send the key certificate and its chain in endorsements, or the operator should let the service reach amd.kds or put them into the folder amd.chains.',
  },
  crl_stale: {
    holds: 'the CRL is valid at the verification time',
    fails: 'the CRL is past its next update',
    underlies: 'hardware',
    relaxedBy: 'revocation',
    remedy: ofCertificates(
      (finding) =>
        `The operator should let the service fetch AMD's current CRL${ofLine(finding)} from amd.kds, or put it into the folder amd.chains.`,
      () => TOKEN_CRLS,
    ),
    examples: [
      { result: 'unavailable', faults: ['Milan'] },
      { result: 'unavailable', about: '/evidence/token' },
    ],
  },
  crl_unavailable: {
    holds: 'a CRL is available',
    fails: 'no CRL is available',
    underlies: 'hardware',
    relaxedBy: 'revocation',
    waiver: 'plain',
    remedy: ofCertificates(
      (finding) =>
        `The operator should let the service fetch AMD's CRL${ofLine(finding)} from amd.kds, or put the CRL into the folder amd.chains, or the caller should send the CRL in endorsements.crls.`,
      ({ result }) =>
        result === 'warn'
          ? "The operator should check whether AMD has revoked the issuer of the report in the certificate of the token's key, because the service has no CRL for it."
          : TOKEN_CRLS,
    ),
    examples: [
      { result: 'unavailable', faults: ['Milan'] },
      { result: 'unavailable', about: '/evidence/token' },
    ],
  },
  crl_rollback: {
    holds: 'the CRL is not older than one that was relied on before',
    fails: 'the CRL is older than one that was relied on before, or the two cannot be compared',
    underlies: 'hardware',
    remedy:
      'The operator should provide the newest CRL of AMD, or restore or remove the rollback mark that the log names if it is damaged.',
  },
  collateral_unavailable: {
    holds: 'collateral is available',
    fails: 'no collateral that can be relied on is available for this platform',
    underlies: 'hardware',
    when: 'no source has TCB info, QE identity and CRLs for the platform; what a source has does not verify; the request supplied collateral that is older than 48 hours, and no source could be asked to confirm it',
    remedy: (finding) =>
      `The caller should send the collateral of the platform${inBrackets(finding)}, or the operator should let the service reach intel.pcs or put it into the folder intel.collateral.`,
    examples: [
      { result: 'unavailable', faults: ['FMSPC 00806f050000'] },
      { result: 'unavailable', faults: ['tcb_info was issued more than 48 hours ago'] },
    ],
  },
  collateral_stale: {
    holds: 'no part of the collateral is past its next update, or older than the policy allows',
    fails: 'a part of the collateral is past its next update, or older than the policy allows',
    underlies: 'hardware',
    when: "a part is past its next update at the verification time, or does not say when that is (Intel's CRLs included); TCB info, QE identity or PCK CRL was issued longer ago than minimums.tdx.maxCollateralAgeDays",
    members: ['minimums.tdx.maxCollateralAgeDays'],
    remedy: (finding) =>
      `The caller should send the collateral that Intel publishes now, ${COLLATERAL}${oldParts(finding)}.`,
    examples: [
      { result: 'unavailable', faults: ['tcb_info ended at 2026-02-13T12:00:00.000Z'] },
      { result: 'unavailable', faults: ['TCB info'], expected: '2025-12-16T12:00:00.000Z', policy: 'payments' },
    ],
  },
  collateral_rollback: {
    holds: 'the collateral is not older than what was fetched or imported before',
    fails: 'the collateral is older than what was fetched or imported before, or the two cannot be compared',
    underlies: 'hardware',
    when: 'evaluation data number, CRL number or date is lower than that of collateral for the same platform that was fetched or imported before',
    remedy: `The caller should send the newest collateral, ${COLLATERAL}, and the operator should restore or remove the rollback mark that the log names if it is damaged.`,
  },
  jwks_unavailable: {
    holds: 'the key set of the issuer is available',
    fails: 'the key set of the issuer is not available',
    remedy: ({ setting = 'maa.issuers[].keys or ita.issuers[].keys' }) =>
      `The operator should let the service reach the keys of the issuer, or name a file with them in ${setting}.`,
    examples: [{ result: 'unavailable', setting: 'maa.issuers[].keys' }],
  },
  jwks_invalid: {
    holds: 'the key set of the issuer can be used',
    fails: 'the key set of the issuer cannot be used',
    when: 'the key set, or the file that the configuration names, cannot be read or has no key that can be used; the certificates of the key cannot be read',
    remedy: ({ setting = 'maa.issuers[].keys or ita.issuers[].keys' }) =>
      `The operator should check the key set of the issuer, or the file that ${setting} names, because it has no key that can be used.`,
    examples: [{ result: 'unavailable', setting: 'maa.issuers[].keys' }],
  },
  jwks_stale: {
    holds: 'the cached key set is recent enough',
    fails: 'the cached key set is too old',
    remedy:
      "The operator should let the service reach the issuer's keys again, because the cached ones are too old to be relied on.",
  },
  route_unavailable: {
    holds: 'a token could be fetched for the route',
    fails: 'no token could be fetched for the route',
    when: 'maa.submit or ita.submit is configured and the other verifier did not answer usefully, or the token that it issued cannot be relied on',
    members: ['routes.maa', 'routes.ita'],
    remedy: ({ setting = 'maa.submit or ita.submit' }) =>
      `The caller should try again later or send a token in attestationResults, and the operator should see in the log why none could be fetched by ${setting}.`,
    examples: [{ result: 'unavailable', setting: 'maa.submit' }],
  },
  nonce_store: {
    holds: 'the challenge store says whether the challenge is unused',
    fails: 'the challenge store does not say whether the challenge is unused',
    trust: { guest: { 'instance-identity': 0 } },
    remedy:
      'The caller should get another challenge, and the operator should see in the log why the challenge store fails.',
  },
  release_unavailable: {
    holds: 'what has the key answers',
    fails: 'what has the key does not answer',
    when: 'the vault is out of reach, throttles or does not answer in time; the file of a local key cannot be read',
    remedy:
      'The caller should try again with a new challenge, and the operator should see in the log why the vault, or the file of the key, does not answer.',
  },
  receipt_unavailable: {
    holds: 'the receipt was signed',
    fails: 'the receipt could not be signed',
    when: 'the request names an audience, and the key of receipts.key cannot be used now: its vault is out of reach, or refuses',
    remedy:
      'The caller should try again, with a new challenge where it used one, and the operator should see in the log why the receipt could not be signed.',
  },
  audit_unavailable: {
    holds: 'the decision was stored',
    fails: 'the decision could not be stored',
    when: 'the store of decisions is out of reach, full, read-only or slow: the answer says what was decided, and an allow is withheld',
    remedy: 'The operator should see in the log why the decision could not be stored.',
  },
} satisfies CheckRows;

/** The product line whose CRL it is, as the end of a phrase. */
function ofLine(finding: Finding): string {
  const line = faultsOf(finding, '');
  return line === '' ? '' : ` of ${line}`;
}

function oldParts(finding: Finding): string {
  const parts = faultsOf(finding, '');
  if (parts === '') return '';
  return finding.policy === null
    ? `, because ${parts}`
    : `, because minimums.tdx.maxCollateralAgeDays of ${policyOf(finding)} demands that ${parts} be issued after ${value(finding.expected, 'a later day')}`;
}
