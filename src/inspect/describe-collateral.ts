import { countCrlEntries, parseCrlFrame } from '../formats/x509-crl.js';
import { within } from '../model/errors.js';
import type { TdxCollateral } from '../model/evidence.js';
import type { RatedLevel } from '../vendors/intel/collateral-json.js';
import { parseQeIdentity } from '../vendors/intel/qe-identity.js';
import { parseTcbInfo } from '../vendors/intel/tcb-info.js';
import type { FieldDescription, StructureDescription } from './field-description.js';

/**
 * What Intel's collateral says: windows, numbers and levels. The chains are left out: they are Intel's own.
 * @throws {FormatError} `schema`, `cert_format` and the others of the parsers, at the member
 */
export function describeCollateral(collateral: TdxCollateral, about: string): readonly StructureDescription[] {
  const member = (name: string, describe: (place: string) => StructureDescription) =>
    within(`${about}/${name}`, () => describe(`${about}/${name}`));
  return [
    member('tcb_info', (place) => describeTcbInfo(collateral.tcbInfo, place)),
    member('qe_identity', (place) => describeQeIdentity(collateral.qeIdentity, place)),
    member('pck_crl', (place) => describeCrl(collateral.pckCrl, place)),
    member('root_ca_crl', (place) => describeCrl(collateral.rootCaCrl, place)),
  ];
}

function describeTcbInfo(text: string, about: string): StructureDescription {
  const info = parseTcbInfo(text);
  const [newest] = info.levels;
  const fields = [
    ...windowOf(info),
    field('fmspc', hex(info.fmspc), 'the kind of platform that it is about'),
    field('pceId', hex(info.pceId)),
    field('module identities', [...info.tdxModuleIdentities.keys()]),
    field('levels', info.levels.length),
    ...(newest === undefined ? [] : [levelField(newest)]),
  ];
  return { name: 'TCB info', about, length: Buffer.byteLength(text), fields };
}

function describeQeIdentity(text: string, about: string): StructureDescription {
  const identity = parseQeIdentity(text);
  const [newest] = identity.levels;
  const fields = [
    ...windowOf(identity),
    field('mrsigner', hex(identity.mrSigner)),
    field('isvprodid', identity.isvProdId),
    ...(newest === undefined ? [] : [field('newest isvsvn', newest.isvSvn), levelField(newest)]),
  ];
  return { name: 'QE identity', about, length: Buffer.byteLength(text), fields };
}

/**
 * A CRL by what people ask of one.
 * @throws {FormatError} `cert_format`
 */
export function describeCrl(der: Uint8Array, about: string): StructureDescription {
  const list = parseCrlFrame(der);
  const { issuer, thisUpdate, nextUpdate, crlNumber } = list;
  const fields = [
    field('issuer', issuer.commonName, 'common name'),
    field('this update', thisUpdate?.toISOString() ?? null),
    field('next update', nextUpdate?.toISOString() ?? null),
    field('number', crlNumber?.toString() ?? null),
    field('revoked certificates', countCrlEntries(list)),
  ];
  return { name: 'CRL', about, length: der.byteLength, fields };
}

function windowOf(signed: {
  readonly issueDate: Date;
  readonly nextUpdate: Date;
  readonly evaluationDataNumber: number;
}): readonly FieldDescription[] {
  return [
    field('issueDate', signed.issueDate.toISOString()),
    field('nextUpdate', signed.nextUpdate.toISOString()),
    field('tcbEvaluationDataNumber', signed.evaluationDataNumber),
  ];
}

function levelField({ tcbStatus, tcbDate }: RatedLevel): FieldDescription {
  return field('newest level', { tcbStatus, tcbDate });
}

function field(name: string, value: FieldDescription['value'], meaning: string | null = null): FieldDescription {
  return { name, offset: null, length: null, value, meaning };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
