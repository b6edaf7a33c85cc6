import type { AzTdxVtpmEvidence } from '../../../../src/core/evidence.js';
import type { Verification } from '../../../../src/core/verification.js';
import { AzTdxVtpmVerifier } from '../../../../src/tee/azure/az-tdx-vtpm-verifier.js';
import { DcapTdQuoteVerifier } from '../../../../src/tee/tdx/td-quote-verifier.js';
import { Tpm2QuoteVerifier } from '../../../../src/tee/tpm/tpm-quote-verifier.js';
import { AZURE_MRTD, createIntelPki, createTdxVirtualMachine, TdxPlatform } from '../../../lab/index.js';
import { AT, contextOf, type Judging, NO_AK_ROOTS } from '../fixture.js';

/** An Azure VM on TDX of the lab, and a verifier that trusts the lab's Intel. */

export const INTEL = createIntelPki({ at: AT });
export const PLATFORM = new TdxPlatform({ pki: INTEL });
export const TDX_VM = await createTdxVirtualMachine({ platform: PLATFORM });

const QUOTES = new DcapTdQuoteVerifier({ pins: INTEL.pins });

export interface TdxJudging extends Judging {
  /** MRTDs that count; the lab's paravisor if left out. */
  readonly mrtds?: readonly string[];
}

export function azureTdxVerifier({ mrtds = [AZURE_MRTD], akRoots = NO_AK_ROOTS }: TdxJudging = {}): AzTdxVtpmVerifier {
  return new AzTdxVtpmVerifier(QUOTES, new Tpm2QuoteVerifier(), new Set(mrtds), akRoots, 2 ** 20);
}

/** Verifies evidence, with the collateral that it brings. */
export async function verifyAzureTdx(evidence: AzTdxVtpmEvidence, judging: TdxJudging = {}): Promise<Verification> {
  const { collateral } = evidence;
  const endorsements =
    collateral === null ? { snp: null } : { snp: null, tdx: { value: collateral, origin: 'evidence' as const } };
  return azureTdxVerifier(judging)
    .open(evidence)
    .verify(contextOf({ endorsements, ...judging }));
}
