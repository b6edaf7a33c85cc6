import { FormatError } from '../model/errors.js';
import type { TdxCollateral } from '../model/evidence.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import { decodeHex } from './base64.js';
import { parseStrictJson } from './strict-json.js';

const MEMBERS = 9;

/**
 * Reads collateral from a file: the nine members of the contract, and no others. What they hold is not read.
 *
 * @throws {FormatError} `schema`, `encoding` and the others of `parseStrictJson`
 */
export function parseCollateralFile(bytes: Uint8Array): TdxCollateral {
  const file = parseStrictJson(bytes);
  if (typeof file !== 'object' || file === null || isList(file)) throw new FormatError('schema', 'is no collateral');
  if (Object.keys(file).length > MEMBERS) throw new FormatError('schema', 'has members that collateral does not have');
  return {
    tcbInfo: text(file, 'tcb_info'),
    qeIdentity: text(file, 'qe_identity'),
    tcbInfoSignature: decodeHex(text(file, 'tcb_info_signature')),
    qeIdentitySignature: decodeHex(text(file, 'qe_identity_signature')),
    tcbInfoIssuerChain: text(file, 'tcb_info_issuer_chain'),
    qeIdentityIssuerChain: text(file, 'qe_identity_issuer_chain'),
    pckCrlIssuerChain: text(file, 'pck_crl_issuer_chain'),
    pckCrl: decodeHex(text(file, 'pck_crl')),
    rootCaCrl: decodeHex(text(file, 'root_ca_crl')),
  };
}

/** Writes collateral so that `parseCollateralFile` reads the same. */
export function encodeCollateralFile(collateral: TdxCollateral): string {
  const members = {
    pck_crl_issuer_chain: collateral.pckCrlIssuerChain,
    root_ca_crl: hexOf(collateral.rootCaCrl),
    pck_crl: hexOf(collateral.pckCrl),
    tcb_info_issuer_chain: collateral.tcbInfoIssuerChain,
    tcb_info: collateral.tcbInfo,
    tcb_info_signature: hexOf(collateral.tcbInfoSignature),
    qe_identity_issuer_chain: collateral.qeIdentityIssuerChain,
    qe_identity: collateral.qeIdentity,
    qe_identity_signature: hexOf(collateral.qeIdentitySignature),
  };
  return `${JSON.stringify(members, null, 2)}\n`;
}

function text(file: JsonObject, name: string): string {
  const value = file[name];
  if (typeof value !== 'string') throw new FormatError('schema', `${name} is no string`);
  return value;
}

const isList = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value);

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
