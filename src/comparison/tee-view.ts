import type { TokenRoute } from '../model/token-route.js';
import type { Statements } from './statement.js';

/** The attestation key of a vTPM, as the hardware vouches for it: RFC 7638 thumbprint. */
export const AK = 'hcl.akThumbprint';

/** Which kind of TEE: `snp` or `tdx`. */
export const TEE = 'tee';

export const REPORT_DATA = ['snp.reportData', 'tdx.reportData'] as const;

/** A TEE as one Attestation Result states it. */
export interface TeeView {
  readonly route: 'hardware' | TokenRoute;
  /** The claim that has to be the same in another view for that to be about the same TEE. */
  readonly identity: typeof AK | (typeof REPORT_DATA)[number];
  readonly statements: Statements;
}

/** A token's view. The attestation key is its identity wherever a paravisor speaks in it. */
export function tokenView(route: TokenRoute, statements: Statements, sealedToVtpm: boolean): TeeView {
  const tee = statements.get(TEE)?.value;
  const ofHardware = tee === 'tdx' ? 'tdx.reportData' : 'snp.reportData';
  return { route, identity: sealedToVtpm || statements.has(AK) ? AK : ofHardware, statements };
}
