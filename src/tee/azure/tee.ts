import type { AkRoots } from '../shared/attestation-key/ak-roots.js';
import type { SnpReportVerifier, TdQuoteVerifier, TpmQuoteVerifier } from '../shared/evidence/parts.js';
import type { ParavisorFloors } from '../shared/paravisor/paravisor-claims.js';
import type { TeeOf } from '../shared/tee.js';
import { AzSnpVtpmVerifier } from './az-snp-vtpm-verifier.js';
import { AzTdxVtpmVerifier } from './az-tdx-vtpm-verifier.js';
import { azSnpIdentity, azTdxIdentity } from './identity.js';

interface GuestParts {
  readonly tpmQuotes: TpmQuoteVerifier;
  readonly akRoots: AkRoots;
  readonly eventLogBytes: number;
}

export interface SnpParts extends GuestParts {
  readonly snpReports: SnpReportVerifier;
  readonly paravisorFloors: ParavisorFloors;
}

export interface TdxParts extends GuestParts {
  readonly tdQuotes: TdQuoteVerifier;
  readonly paravisorMrtds: ReadonlySet<string>;
}

export const AZ_SNP_VTPM = {
  verifier: ({ snpReports, tpmQuotes, paravisorFloors, akRoots, eventLogBytes }: SnpParts) =>
    new AzSnpVtpmVerifier(snpReports, tpmQuotes, paravisorFloors, akRoots, eventLogBytes),
  identity: azSnpIdentity,
} satisfies TeeOf<'az-snp-vtpm'>;

export const AZ_TDX_VTPM = {
  verifier: ({ tdQuotes, tpmQuotes, paravisorMrtds, akRoots, eventLogBytes }: TdxParts) =>
    new AzTdxVtpmVerifier(tdQuotes, tpmQuotes, paravisorMrtds, akRoots, eventLogBytes),
  identity: azTdxIdentity,
} satisfies TeeOf<'az-tdx-vtpm'>;
