import type { TeeOf } from '../tee-of.js';
import { AzSnpVtpmVerifier } from './az-snp-vtpm-verifier.js';
import { AzTdxVtpmVerifier } from './az-tdx-vtpm-verifier.js';
import { azSnpIdentity, azTdxIdentity } from './identity.js';

export const AZ_SNP_VTPM = {
  verifier: ({ snpReports, tpmQuotes, paravisorFloors, akRoots, eventLogBytes }) =>
    new AzSnpVtpmVerifier(snpReports, tpmQuotes, paravisorFloors, akRoots, eventLogBytes),
  identity: azSnpIdentity,
} satisfies TeeOf<'az-snp-vtpm'>;

export const AZ_TDX_VTPM = {
  verifier: ({ tdQuotes, tpmQuotes, paravisorMrtds, akRoots, eventLogBytes }) =>
    new AzTdxVtpmVerifier(tdQuotes, tpmQuotes, paravisorMrtds, akRoots, eventLogBytes),
  identity: azTdxIdentity,
} satisfies TeeOf<'az-tdx-vtpm'>;
