import type { TpmEvidence } from '../../../../src/core/evidence.js';
import type { Verification } from '../../../../src/core/verification.js';
import type { AkRoots } from '../../../../src/tee/shared/attestation-key/ak-roots.js';
import { TpmOnlyVerifier } from '../../../../src/tee/tpm/tpm-only-verifier.js';
import { Tpm2QuoteVerifier } from '../../../../src/tee/tpm/tpm-quote-verifier.js';
import { createAzureAkPki, createTrustedLaunchMachine } from '../../../lab/index.js';
import { AT, contextOf, type Judging } from '../fixture.js';

/** A VM of the lab with Trusted Launch, and a verifier that trusts the lab's root as Azure's. */

export const AK_PKI = createAzureAkPki({ at: AT });
export const FOREIGN_AK_PKI = createAzureAkPki({ at: AT, keys: 'foreign-azure-vtpm' });
export const MACHINE = await createTrustedLaunchMachine({ pki: AK_PKI });

export const AZURE_ROOTS: AkRoots = { azure: AK_PKI.pins, configured: new Set(), paravisorsSince: null };

export function tpmOnlyVerifier({ akRoots = AZURE_ROOTS }: Judging = {}): TpmOnlyVerifier {
  return new TpmOnlyVerifier(new Tpm2QuoteVerifier(), akRoots, 2 ** 20);
}

export async function verifyTpm(evidence: TpmEvidence, judging: Judging = {}): Promise<Verification> {
  return tpmOnlyVerifier(judging).open(evidence).verify(contextOf(judging));
}
