import { BANK_LENGTH } from '../boot/format/measured-event.js';
import { FormatError } from '../core/errors.js';
import type {
  EventLogFile,
  Evidence,
  PcrBank,
  SnpEndorsementInput,
  StructureFile,
  TpmQuoteInput,
} from '../core/evidence.js';
import { type MemberForm, type MemberValues, traitsOf } from '../core/evidence-traits.js';
import { readAzureCleanroom, readAzureCleanroomReport } from './dialects/azure-cleanroom.js';
import { readAzureGuest, readEncodedAzureGuest } from './dialects/azure-guest.js';
import { readConfigfsTsmSnp, readConfigfsTsmTdx } from './dialects/configfs-tsm.js';
import { readExtendedReport } from './dialects/extended-report.js';
import { readGoTpmTools } from './dialects/go-tpm-tools.js';
import { readItaRequestV1, readItaRequestV2 } from './dialects/ita-request.js';
import { readMaaSnpRequest, readMaaTdxRequest } from './dialects/maa-request.js';
import {
  readTrusteeTd,
  readTrusteeTdxV0,
  readTrusteeTdxV1,
  readTrusteeTpm,
  readTrusteeV0,
  readTrusteeV1,
} from './dialects/trustee.js';
import {
  NO_SNP_ENDORSEMENTS,
  readAkCertificate,
  readCertificate,
  readCollateral,
  readCrl,
  readEventLog,
  readHex,
  readOptionalBytes,
  readStructure,
  refuseForeignStructure,
} from './encoded-members.js';
import { type EvidenceForm, NATIVE_FORMS, type NativeForm, type Schemas, type WireMembers } from './schema-check.js';

type EvidenceReaders = { readonly [F in EvidenceForm]: (evidence: Schemas[F], pointer: string) => Evidence };

/** Members of evidence in its native form, by name. */
type Members = { readonly [name: string]: unknown };

/** Readers for the members of one form. Their schema was checked; the compiler matches schema and form (`NativeForm`). */
type MemberReaders = {
  readonly [F in keyof MemberValues]: (members: Members, name: string, pointer: string) => MemberValues[F];
};

const PCR_BANKS: readonly PcrBank[] = ['sha1', 'sha256', 'sha384', 'sha512'];

const MEMBER_READERS: MemberReaders = {
  optionalBytes: (members, name, pointer) => readOptionalBytes(wireMember<'optionalBytes'>(members, name), pointer),
  // A token is parsed during verification: its text is signed.
  text: (members, name) => wireMember<'text'>(members, name),
  tpmQuote: (members, name, pointer) => readTpmQuote(wireMember<'tpmQuote'>(members, name), pointer),
  snpEndorsements: (members, name, pointer) =>
    readSnpEndorsements(wireMember<'snpEndorsements'>(members, name), pointer),
  tdxCollateral: (members, name, pointer) => readCollateral(wireMember<'tdxCollateral'>(members, name), pointer),
  eventLog: (members, name, pointer) => readEventLog(wireMember<'eventLog'>(members, name), pointer),
  akCertificate: (members, _name, pointer) => readAkCertificate(members, pointer.slice(0, pointer.lastIndexOf('/'))),
};

function wireMember<F extends keyof WireMembers>(members: Members, name: string): WireMembers[F] {
  return members[name] as WireMembers[F];
}

const READERS: EvidenceReaders = {
  ...(Object.fromEntries(NATIVE_FORMS.map((form) => [form, readNative])) as Pick<EvidenceReaders, NativeForm>),
  TrusteeEvidenceV0: readTrusteeV0,
  TrusteeEvidenceV1: readTrusteeV1,
  TrusteeTdxEvidenceV0: readTrusteeTdxV0,
  TrusteeTdxEvidenceV1: readTrusteeTdxV1,
  TrusteeTdEvidence: readTrusteeTd,
  TrusteeTpmEvidence: readTrusteeTpm,
  GoTpmToolsEvidence: readGoTpmTools,
  MaaSnpRequestEvidence: readMaaSnpRequest,
  MaaTdxRequestEvidence: readMaaTdxRequest,
  AzureGuestEvidence: readAzureGuest,
  AzureGuestEncodedEvidence: readEncodedAzureGuest,
  AzureCleanroomEvidence: readAzureCleanroom,
  AzureCleanroomReportEvidence: readAzureCleanroomReport,
  ExtendedReportEvidence: readExtendedReport,
  ConfigfsTsmSnpEvidence: readConfigfsTsmSnp,
  ConfigfsTsmTdxEvidence: readConfigfsTsmTdx,
  ItaRequestEvidenceV1: readItaRequestV1,
  ItaRequestEvidenceV2: readItaRequestV2,
};

/**
 * Decodes evidence in its native form or a dialect, after the check of its schema.
 *
 * @param pointer JSON pointer of the evidence in the request
 * @throws {FormatError} `encoding`; `type_mismatch` for bytes of another evidence type
 */
export function readEvidence<F extends EvidenceForm>(form: F, evidence: Schemas[F], pointer: string): Evidence {
  return READERS[form](evidence, pointer);
}

function readNative(evidence: Schemas[NativeForm], pointer: string): Evidence {
  const { type } = evidence;
  const members: Members = { ...evidence };
  const read: Record<string, unknown> = { type };
  for (const [name, form] of Object.entries(traitsOf(type).members)) {
    read[name] = readMember(members, name, form, `${pointer}/${name}`);
  }
  // the type's row in the table of traits has the members of the evidence, each with the form for its type
  return read as unknown as Evidence;
}

function readMember(members: Members, name: string, form: MemberForm, pointer: string): unknown {
  if (typeof form === 'string') return MEMBER_READERS[form](members, name, pointer);
  const bytes = readStructure(members[name] as string, pointer);
  refuseForeignStructure(bytes, form.structure, pointer);
  return bytes;
}

function readTpmQuote(quote: Schemas['TpmQuote'], pointer: string): TpmQuoteInput {
  const message = readStructure(quote.message, `${pointer}/message`);
  refuseForeignStructure(message, 'TPM quote', `${pointer}/message`);
  return {
    message,
    signature: readStructure(quote.signature, `${pointer}/signature`),
    pcrs: readPcrs(quote.pcrs, `${pointer}/pcrs`),
  };
}

/** The verification of the quote compares the sizes of the values, and the selection. */
function readPcrs(pcrs: Schemas['PcrValues'], pointer: string): TpmQuoteInput['pcrs'] {
  const banks = new Map<PcrBank, ReadonlyMap<number, Uint8Array>>();
  for (const bank of PCR_BANKS) {
    const values = pcrs[bank];
    if (values !== undefined) banks.set(bank, readPcrBank(values, `${pointer}/${bank}`));
  }
  return banks;
}

function readPcrBank(values: Schemas['PcrBankValues'], pointer: string): ReadonlyMap<number, Uint8Array> {
  const bank = new Map<number, Uint8Array>();
  for (const index of Object.keys(values)) {
    const value = values[index];
    if (value !== undefined) bank.set(Number(index), readHex(value, `${pointer}/${index}`));
  }
  return bank;
}

/**
 * Decodes a single event log, after the check of its schema.
 * @throws {FormatError} `encoding`; `tpm_format` as `readRegisterValues`
 */
export function readEventLogFile({ log, pcrs }: Schemas['EventLogInspectionRequest']): EventLogFile {
  const values = pcrs === undefined ? null : readRegisterValues(pcrs, '/pcrs');
  return { type: 'event-log', log: readStructure(log, '/log'), pcrs: values };
}

/**
 * Decodes a single structure, after the check of its schema.
 * @throws {FormatError} `encoding`
 */
export function readStructureFile({ type, as, value }: Schemas['StructureInspectionRequest']): StructureFile {
  return { type, as: as ?? null, value: readStructure(value, '/value') };
}

/**
 * Decodes values of registers, after the check of their schema.
 * @throws {FormatError} `encoding`; `tpm_format` for a value whose length differs from its bank
 */
export function readRegisterValues(pcrs: Schemas['PcrValues'], pointer: string): TpmQuoteInput['pcrs'] {
  const values = readPcrs(pcrs, pointer);
  for (const [bank, ofBank] of values) {
    for (const [index, { byteLength }] of ofBank) {
      if (byteLength === BANK_LENGTH[bank]) continue;
      const message = `a ${bank} PCR value is ${byteLength} bytes, expected ${BANK_LENGTH[bank]}`;
      throw new FormatError('tpm_format', message, { pointer: `${pointer}/${bank}/${index}` });
    }
  }
  return values;
}

function readSnpEndorsements(
  endorsements: Schemas['SnpEndorsements'] | undefined,
  pointer: string,
): SnpEndorsementInput {
  if (endorsements === undefined) return NO_SNP_ENDORSEMENTS;
  const { vek, chain, certificateTable, crls } = endorsements;
  return {
    vek: vek === undefined ? null : readCertificate(vek, `${pointer}/vek`),
    // the parser checks the chain, PEM of two certificates
    chain: chain ?? null,
    certificateTable: readOptionalBytes(certificateTable, `${pointer}/certificateTable`),
    crls: (crls ?? []).map((crl, index) => readCrl(crl, `${pointer}/crls/${index}`)),
  };
}
