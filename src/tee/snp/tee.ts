import type { TeeOf } from '../tee-of.js';
import { snpIdentity } from './identity.js';
import { SnpVerifier } from './snp-verifier.js';

export const SNP = {
  verifier: ({ snpReports, paravisorFloors }) => new SnpVerifier(snpReports, paravisorFloors),
  identity: snpIdentity,
} satisfies TeeOf<'snp'>;
