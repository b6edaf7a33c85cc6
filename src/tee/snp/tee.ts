import type { SnpReportVerifier } from '../shared/evidence/parts.js';
import type { ParavisorFloors } from '../shared/paravisor/paravisor-claims.js';
import type { TeeOf } from '../shared/tee.js';
import { snpIdentity } from './identity.js';
import { SnpVerifier } from './snp-verifier.js';

export interface Parts {
  readonly snpReports: SnpReportVerifier;
  readonly paravisorFloors: ParavisorFloors;
}

export const SNP = {
  verifier: ({ snpReports, paravisorFloors }: Parts) => new SnpVerifier(snpReports, paravisorFloors),
  identity: snpIdentity,
} satisfies TeeOf<'snp'>;
