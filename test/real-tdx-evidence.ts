import type { TdxCollateral } from '../src/core/evidence.js';
import type { Vector } from './vectors.js';

/** Reads a file of a vector; a recipe gives another reader. */
export type ReadFile = (file: string) => Uint8Array;

/** The collateral that a file of the vectors holds, as the contract carries it: texts, hex, PEM. */
export function collateralOf(bytes: Uint8Array): TdxCollateral {
  const json: Readonly<Record<string, string>> = JSON.parse(Buffer.from(bytes).toString('utf8'));
  const text = (member: string) => json[member] ?? '';
  const decoded = (member: string) => Uint8Array.from(Buffer.from(text(member), 'hex'));
  return {
    tcbInfo: text('tcb_info'),
    qeIdentity: text('qe_identity'),
    tcbInfoSignature: decoded('tcb_info_signature'),
    qeIdentitySignature: decoded('qe_identity_signature'),
    tcbInfoIssuerChain: text('tcb_info_issuer_chain'),
    qeIdentityIssuerChain: text('qe_identity_issuer_chain'),
    pckCrlIssuerChain: text('pck_crl_issuer_chain'),
    pckCrl: decoded('pck_crl'),
    rootCaCrl: decoded('root_ca_crl'),
  };
}

export function quoteFileOf({ id, files }: Vector): string {
  const file = files.find((name) => name.endsWith('quote.bin'));
  if (file === undefined) throw new Error(`${id} has no quote`);
  return file;
}
