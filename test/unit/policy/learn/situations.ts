import {
  azClaims,
  azTdxClaims,
  eventLogClaims,
  hclClaims,
  type Situation,
  snpClaims,
  tdxClaims,
  tokenClaims,
  tpmClaims,
} from '../fixture.js';

const DIGEST_OF_A_TD = 'a5'.repeat(48);

/** Evidence of each type that can be learned from, with and without an event log, and of those that cannot. */
export function situationsOf() {
  const log = eventLogClaims();
  const ofTd = eventLogClaims({ applications: [DIGEST_OF_A_TD], files: [DIGEST_OF_A_TD] });
  const unknown = hclClaims({ paravisor: { known: false, by: null } });
  return {
    azureSnp: { claims: azClaims() },
    snpWithLog: { claims: azClaims({ tpm: tpmClaims({ eventLog: log }) }) },
    unknown: { claims: azClaims({ hcl: unknown }) },
    azureTd: { type: 'az-tdx-vtpm', claims: azTdxClaims() },
    bareSnp: { type: 'snp', claims: { snp: snpClaims({ authorKeyEnabled: true, authorKeyDigest: 'c3'.repeat(48) }) } },
    bareTd: { type: 'tdx', claims: { tdx: tdxClaims() } },
    tdWithLog: { type: 'tdx', claims: { tdx: tdxClaims({ mrtd: 'a9'.repeat(48), eventLog: ofTd }) } },
    vtpm: { type: 'tpm', claims: { tpm: tpmClaims() } },
    token: { type: 'maa-token', claims: { maa: tokenClaims() } },
  } as const satisfies { readonly [name: string]: Situation };
}
