import { type EndorsementSet, NO_ENDORSEMENTS } from '../core/endorsement.js';
import { FormatError } from '../core/errors.js';
import type { Evidence, EvidenceType } from '../core/evidence.js';
import type {
  EvidenceVerifier,
  ExpectedBinding,
  OpenedEvidence as Opened,
  Verification as VerifiedEvidence,
} from '../core/verification.js';
import { withHexNoncesNamed } from '../tee/shared/binding/nonce-in-hex.js';
import type { VerifierOptions } from '../tee/verifier-options.js';
import { createVerifiers } from '../tee/verifiers.js';
import { requireDate } from './require-date.js';

/**
 * `veritee/verifier`: verifies evidence of confidential VMs. It uses no network, disk, clock, environment or log, so the
 * same arguments always give the same result.
 */

export { AMD_LINES, type AmdLine, type AmdLines } from '../core/amd-lines.js';
export type { Check } from '../core/check.js';
export type { Claims } from '../core/claims.js';
export type { CheckId, MalformedCode } from '../core/codes.js';
export {
  type EndorsementRequest,
  type EndorsementSet,
  type HashedDer,
  NO_ENDORSEMENTS,
  type SnpEndorsementSet,
  type Sourced,
  type SourcedCollateral,
  type TokenKeySet,
  type Unavailable,
  type UsedEndorsement,
} from '../core/endorsement.js';
export { FormatError } from '../core/errors.js';
export type {
  AkCertificateInput,
  AzSnpVtpmEvidence,
  AzTdxVtpmEvidence,
  Evidence,
  EvidenceType,
  ItaTokenEvidence,
  MaaTokenEvidence,
  SnpEndorsementInput,
  SnpEvidence,
  TdxCollateral,
  TdxEvidence,
  TpmEvidence,
  TpmQuoteInput,
} from '../core/evidence.js';
export type { ExpectedBinding } from '../core/verification.js';
export type { Verified } from '../core/verified.js';
export { hashed } from '../crypto/digest.js';
export { parseKeySet } from '../formats/json-web-key-set.js';
export { paravisorFloors } from '../tee/azure/known-paravisors.js';
export { type ItaIssuer, publicItaIssuers } from '../tee/ita/key-trust.js';
export { type MaaIssuer, sharedMaaIssuers } from '../tee/maa/issuer-policy.js';
export { type AkRoots, AZURE_VTPM_ROOT_PINS } from '../tee/shared/attestation-key/ak-roots.js';
export { expectedBinding } from '../tee/shared/binding/expected-binding.js';
export { AMD_ROOT_PINS, type AmdRootPins, CARRIED_CERTIFICATES } from '../tee/snp/amd/roots.js';
export { parseCollateralFile } from '../tee/tdx/intel/collateral-file.js';
export { INTEL_SGX_ROOT_PINS } from '../tee/tdx/intel/roots.js';
export type { VerifierOptions } from '../tee/verifier-options.js';

/** The inputs of a verification besides the evidence. */
export interface VerifyContext {
  /** The verification time, at which certificates, CRLs, collateral and tokens must be valid. */
  readonly at: Date;
  /**
   * Endorsements from your own sources. Default: only those in the evidence, with a warning that no other source confirms them
   * (`crl_unconfirmed`, `collateral_unconfirmed`).
   */
  readonly endorsements?: EndorsementSet;
  /** The nonce, and the key if one is bound, from `expectedBinding`. Default: null, no nonce is required. */
  readonly binding?: ExpectedBinding | null;
}

/** Parsed evidence, and its type. */
export interface OpenedEvidence extends Opened {
  readonly evidenceType: EvidenceType;
}

/** The result of verifying evidence, with its type: policies appraise it only as that type. */
export interface Verification extends VerifiedEvidence {
  readonly evidenceType: EvidenceType;
  readonly at: Date;
  readonly binding: ExpectedBinding | null;
}

type Verifiers = ReadonlyMap<string, EvidenceVerifier>;

const ofVendors = createVerifiers();
const made = new WeakMap<VerifierOptions, Verifiers>();

/**
 * Parses evidence into its structures. It only verifies the certificate chain that selects a source: the PCK
 * chain of a TD quote. `needs` is empty if that chain fails.
 *
 * @param evidence decoded: each member has the bytes or text that docs/formats.md describes, without base64
 * @param options trust anchors, floors and limits; default to those of AMD, Intel and Azure. Verifiers cache by content,
 *   one set of verifiers for each object, so pass the same object again. To change an
 *   option, pass a new object: later changes of a member may have no effect
 * @returns the required endorsements, as search keys from unverified bytes, and the input of `verify`
 * @throws {FormatError} if the evidence is malformed: `code` (docs/codes.md), `pointer` to the member; `type_unsupported`
 *   for an unknown type
 * @see AMD 56860 (ATTESTATION_REPORT), Intel DCAP TD quote 4 and 5, TPM 2.0 part 2 (TPMS_ATTEST), RFC 7515 (tokens)
 */
export function open(evidence: Evidence, options?: VerifierOptions): OpenedEvidence {
  const verifier = verifiersOf(options).get(evidence.type);
  if (verifier !== undefined) return { ...verifier.open(evidence), evidenceType: verifier.evidenceType };
  throw new FormatError('type_unsupported', 'no verifier for this type of evidence', { pointer: '/evidence/type' });
}

/**
 * Verifies each signature, certificate chain and binding of evidence, in the order of the steps in the READMEs of `tee`.
 *
 * @param opened the result of `open`; it can be verified again in another context
 * @returns every check with its result, and claims only from verified bytes. A failed check is no error. The
 *   result allows nothing by itself: `veritee/policy` decides
 * @throws {TypeError} if `at` is not a valid date: with an invalid one, no certificate would ever expire
 * @throws {FormatError} if a chain or CRL that is parsed late is malformed
 */
export async function verify(
  opened: OpenedEvidence,
  { at, endorsements = NO_ENDORSEMENTS, binding = null }: VerifyContext,
): Promise<Verification> {
  requireDate(at);
  const verification = await opened.verify({ at, endorsements: withCollateralOf(opened, endorsements), binding });
  const checks = withHexNoncesNamed(verification.checks, binding);
  return { ...verification, checks, evidenceType: opened.evidenceType, at, binding };
}

/** If no source supplies TDX collateral, that of the evidence is used. */
function withCollateralOf({ needs }: Opened, endorsements: EndorsementSet): EndorsementSet {
  const collateral = needs.flatMap((need) => (need.kind === 'intel-tdx' ? (need.supplied ?? []) : []))[0];
  if (collateral === undefined || endorsements.tdx !== undefined) return endorsements;
  const unconfirmed = { why: 'no collateral of a source was supplied', issuedSince: null };
  return { ...endorsements, tdx: { value: collateral, origin: 'evidence', unconfirmed } };
}

function verifiersOf(options: VerifierOptions | undefined): Verifiers {
  if (options === undefined) return ofVendors;
  const known = made.get(options) ?? createVerifiers(options);
  made.set(options, known);
  return known;
}
