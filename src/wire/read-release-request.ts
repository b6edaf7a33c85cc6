import { FormatError } from '../core/errors.js';
import type { CertifiedKeyInput, Evidence } from '../core/evidence.js';
import { tokenRouteOf } from '../core/evidence-traits.js';
import type { ReleaseTerms, VerifyRequest } from '../core/request.js';
import type { StrictJsonLimits } from '../formats/strict-json.js';
import { readBytes } from './encoded-members.js';
import { parseBody } from './read-body.js';
import { readBodyWithEvidence } from './read-requests.js';
import type { Schemas } from './schema-check.js';

const CERTIFY = '/binding/certify';

/** A requested key: the members of its configuration that decide about the release. */
export interface WantedKey extends ReleaseTerms {
  /** Id of its policy. */
  readonly policy: string;
}

/**
 * Reads the body of a key release.
 *
 * @throws {FormatError} as `readVerifyRequest`; `schema` if the token for the vault is missing, or the evidence has no
 *   structure that could certify a key
 */
export function readReleaseRequest(
  bytes: Uint8Array,
  { policy, ...release }: WantedKey,
  limits?: StrictJsonLimits,
): VerifyRequest & { readonly release: ReleaseTerms } {
  const { body, asked } = readBodyWithEvidence('ReleaseRequest', parseBody(bytes, limits));
  if (release.kind === 'vault') requireTarget(asked);
  const { certify } = body.binding;
  const evidence = certify === undefined ? asked.evidence : withCertification(asked.evidence, certify);
  return { ...asked, evidence, policies: [policy], audience: null, release, body: bytes };
}

/** Requires a token of Azure Attestation. The vault verifies it, and takes the wrapping key from it. */
function requireTarget({ attestationResults }: Pick<VerifyRequest, 'attestationResults'>): void {
  if (attestationResults.some(({ type }) => tokenRouteOf(type) === 'maa')) return;
  const message = 'a key of a vault needs a maa-token, which is what the vault gets: send the one of the guest';
  throw new FormatError('schema', message, { pointer: '/attestationResults' });
}

function withCertification(evidence: Evidence, certify: Schemas['KeyCertification']): Evidence {
  if (!('tpmQuote' in evidence)) {
    throw new FormatError('schema', `${evidence.type} evidence has no vTPM that could have certified a key`, {
      pointer: CERTIFY,
    });
  }
  if (evidence.certifiedKey !== undefined) {
    throw new FormatError('schema', 'the evidence has a certified key already', { pointer: CERTIFY });
  }
  return { ...evidence, certifiedKey: readCertification(certify) };
}

function readCertification(certify: Schemas['KeyCertification']): CertifiedKeyInput {
  return {
    info: readBytes(certify.info, `${CERTIFY}/info`),
    signature: readBytes(certify.signature, `${CERTIFY}/signature`),
    publicArea: readBytes(certify.public, `${CERTIFY}/public`),
    about: CERTIFY,
  };
}
