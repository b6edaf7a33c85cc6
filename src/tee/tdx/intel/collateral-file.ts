import { hex } from '../../../core/bytes.js';
import { FormatError } from '../../../core/errors.js';
import type { TdxCollateral } from '../../../core/evidence.js';
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.js';
import { decodeHex } from '../../../formats/base64.js';
import { parseStrictJson } from '../../../formats/strict-json.js';

const NAMES: ReadonlySet<string> = new Set([
  'tcb_info',
  'qe_identity',
  'tcb_info_signature',
  'qe_identity_signature',
  'tcb_info_issuer_chain',
  'qe_identity_issuer_chain',
  'pck_crl_issuer_chain',
  'pck_crl',
  'root_ca_crl',
  'pck_certificate_chain',
]);

/**
 * Reads collateral from a file: the members of the contract, and no others. Does not parse their contents.
 *
 * Ignores `pck_certificate_chain`, which other software writes: there is no quote to compare the certificates with.
 * Null, which clients write for a missing member, counts as absent.
 *
 * @throws {FormatError} `schema`, `encoding` and the others of `parseStrictJson`
 */
export function parseCollateralFile(bytes: Uint8Array): TdxCollateral {
  return readCollateralMembers(parseStrictJson(bytes));
}

/** Reads collateral from parsed JSON. @throws {FormatError} `schema`, `encoding` */
export function readCollateralMembers(file: JsonValue | undefined): TdxCollateral {
  if (!isObject(file)) throw new FormatError('schema', 'is not collateral');
  if (Object.keys(file).some((name) => !NAMES.has(name))) {
    throw new FormatError('schema', 'has members that are not those of collateral');
  }
  if ((file['pck_certificate_chain'] ?? null) !== null) text(file, 'pck_certificate_chain');
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
  return `${JSON.stringify(collateralMembers(collateral), null, 2)}\n`;
}

/** Encodes collateral as JSON; the inverse of `readCollateralMembers`. */
export function collateralMembers(collateral: TdxCollateral): JsonObject {
  return {
    pck_crl_issuer_chain: collateral.pckCrlIssuerChain,
    root_ca_crl: hex(collateral.rootCaCrl),
    pck_crl: hex(collateral.pckCrl),
    tcb_info_issuer_chain: collateral.tcbInfoIssuerChain,
    tcb_info: collateral.tcbInfo,
    tcb_info_signature: hex(collateral.tcbInfoSignature),
    qe_identity_issuer_chain: collateral.qeIdentityIssuerChain,
    qe_identity: collateral.qeIdentity,
    qe_identity_signature: hex(collateral.qeIdentitySignature),
  };
}

function text(file: JsonObject, name: string): string {
  const value = file[name];
  if (typeof value !== 'string') throw new FormatError('schema', `${name} is not a string`);
  return value;
}
