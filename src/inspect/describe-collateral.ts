import { hex, utf8Length } from '../core/bytes.js';
import { within } from '../core/errors.js';
import type { TdxCollateral } from '../core/evidence.js';
import type { RatedLevel } from '../tee/tdx/intel/collateral-json.js';
import { parseQeIdentity } from '../tee/tdx/intel/qe-identity.js';
import { parseTcbInfo } from '../tee/tdx/intel/tcb-info.js';
import { describeCrl } from './describe-crl.js';
import { type FieldDescription, type StructureDescription, textField } from './field-description.js';

/**
 * Describes Intel's collateral: validity, numbers and levels, without the chains, which are Intel's own.
 * @throws {FormatError} `schema`, `cert_format` and other codes of the parsers, at the member
 */
export function describeCollateral(collateral: TdxCollateral, about: string): readonly StructureDescription[] {
  const member = (name: string, describe: (place: string) => StructureDescription) =>
    within(`${about}/${name}`, () => describe(`${about}/${name}`));
  return [
    member('tcb_info', (place) => describeTcbInfo(collateral.tcbInfo, place)),
    member('qe_identity', (place) => describeQeIdentity(collateral.qeIdentity, place)),
    member('pck_crl', (place) => describeCrl(collateral.pckCrl, place, null)),
    member('root_ca_crl', (place) => describeCrl(collateral.rootCaCrl, place, null)),
  ];
}

function describeTcbInfo(text: string, about: string): StructureDescription {
  const info = parseTcbInfo(text);
  const [newest] = info.levels;
  const fields = [
    ...windowOf(info),
    textField('fmspc', hex(info.fmspc), 'the kind of platform that it is about'),
    textField('pceId', hex(info.pceId)),
    textField('module identities', [...info.tdxModuleIdentities.keys()]),
    textField('levels', info.levels.length),
    ...(newest === undefined ? [] : [levelField(newest)]),
  ];
  return { name: 'TCB info', about, start: null, length: utf8Length(text), fields };
}

function describeQeIdentity(text: string, about: string): StructureDescription {
  const identity = parseQeIdentity(text);
  const [newest] = identity.levels;
  const fields = [
    ...windowOf(identity),
    textField('mrsigner', hex(identity.mrSigner)),
    textField('isvprodid', identity.isvProdId),
    ...(newest === undefined ? [] : [textField('newest isvsvn', newest.isvSvn), levelField(newest)]),
  ];
  return { name: 'QE identity', about, start: null, length: utf8Length(text), fields };
}

function windowOf(signed: {
  readonly issueDate: Date;
  readonly nextUpdate: Date;
  readonly evaluationDataNumber: number;
}): readonly FieldDescription[] {
  return [
    textField('issueDate', signed.issueDate.toISOString()),
    textField('nextUpdate', signed.nextUpdate.toISOString()),
    textField('tcbEvaluationDataNumber', signed.evaluationDataNumber),
  ];
}

function levelField({ tcbStatus, tcbDate }: RatedLevel): FieldDescription {
  return textField('newest level', { tcbStatus, tcbDate });
}
