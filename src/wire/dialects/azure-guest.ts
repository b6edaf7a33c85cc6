import { FormatError } from '../../core/errors.js';
import type {
  AkCertificateInput,
  AzSnpVtpmEvidence,
  AzTdxVtpmEvidence,
  AzureGuestMembers,
  CertifiedKeyInput,
  EventLogInput,
  TpmEvidence,
  TpmQuoteInput,
} from '../../core/evidence.js';
import { AZURE_ISOLATION_TYPES } from '../../tee/azure/format/guest-evidence.js';
import { readBytes, readStructure, refuseForeignStructure } from '../encoded-members.js';
import type { Schemas } from '../schema-check.js';
import { MISSING_MEMBER } from '../schema-message.js';
import { readDocument, readMaaSnpReport } from './maa-request.js';

type AzureEvidence = AzSnpVtpmEvidence | AzTdxVtpmEvidence | TpmEvidence;
type Info = Schemas['AzureGuestInfo'];
type TpmInfo = Schemas['AzureGuestTpmInfo'];

type IsolationType = Schemas['AzureGuestIsolationInfo']['Type'];

/** Reads the evidence of one kind of machine. */
type ReadMachine = (info: Info, vtpm: Vtpm, place: Place) => AzureEvidence;

const MACHINES: { readonly [type in IsolationType]: ReadMachine } = {
  SevSnp: readSnp,
  Tdx: readTdx,
  TrustedLaunch: readTpm,
};

/** Turns a path in attestationInfo into a JSON pointer. Base64 has no pointers into it: errors point to the whole text. */
type Place = (path: string) => string;

/**
 * Dialect `azure-guest`: attestationInfo, which guest attestation clients of Azure's post to attest/AzureGuest (Azure guest
 * attestation client).
 *
 * Ignored: the operating system, which the guest states itself; `ClientPayload`, which no verified key signed; and
 * `PcrSet`, since the signed selection names the quoted PCRs.
 *
 * @throws {FormatError} `encoding`; `type_mismatch` for another type of machine, `schema` if report, claims
 *   or certificate are missing, `tdx_not_a_quote` for a TD without quote
 */
export function readAzureGuest(evidence: Schemas['AzureGuestEvidence'], pointer: string): AzureEvidence {
  return readInfo(evidence.type, evidence.value, (path) => `${pointer}/value${path}`);
}

/**
 * Dialect `azure-guest` in base64.
 *
 * @throws {FormatError} as `readAzureGuest`, and the codes of `parseStrictJson` and of the schema
 */
export function readEncodedAzureGuest(evidence: Schemas['AzureGuestEncodedEvidence'], pointer: string): AzureEvidence {
  const place = `${pointer}/value`;
  return readInfo(evidence.type, readDocument('AzureGuestInfo', evidence.value, place), () => place);
}

function readInfo(type: Schemas['AzureGuestType'], info: Info, place: Place): AzureEvidence {
  const { Type } = info.IsolationInfo;
  const evidenceType = AZURE_ISOLATION_TYPES[Type];
  if (evidenceType !== type) {
    const message = `this is of a machine whose evidence is of type ${evidenceType}, expected ${type}`;
    throw new FormatError('type_mismatch', message, { pointer: place('/IsolationInfo/Type') });
  }
  return MACHINES[Type](info, { ...readVtpm(info.TpmInfo, place), eventLog: readEventLog(info, place) }, place);
}

/** @param code the code of the error if the proof is missing */
function proofOf(
  { IsolationInfo: { Evidence } }: Info,
  place: Place,
  code: 'schema' | 'tdx_not_a_quote',
): Schemas['AzureGuestProof'] {
  if (Evidence !== undefined) return Evidence;
  throw new FormatError(code, MISSING_MEMBER, { pointer: place('/IsolationInfo/Evidence') });
}

type Vtpm = Pick<AzSnpVtpmEvidence, 'tpmQuote' | 'ak' | 'eventLog'> & AzureGuestMembers;

function readSnp(info: Info, vtpm: Vtpm, place: Place): AzSnpVtpmEvidence {
  const { Proof, RunTimeData } = proofOf(info, place, 'schema');
  const at = place('/IsolationInfo/Evidence/Proof');
  const document = typeof Proof === 'string' ? readDocument('MaaSnpReport', Proof, at) : Proof;
  const { report, endorsements } = readMaaSnpReport(document, at);
  const hclReport = { hardwareReport: report, runtimeClaims: readClaims(RunTimeData, place) };
  return { type: 'az-snp-vtpm', hclReport, endorsements, ...vtpm };
}

function readTdx(info: Info, vtpm: Vtpm, place: Place): AzTdxVtpmEvidence {
  const { Proof, RunTimeData } = proofOf(info, place, 'tdx_not_a_quote');
  const at = place('/IsolationInfo/Evidence/Proof');
  if (typeof Proof !== 'string') throw new FormatError('type_mismatch', 'this is no TD quote', { pointer: at });
  const tdQuote = readStructure(Proof, at);
  refuseForeignStructure(tdQuote, 'TD quote', at);
  const hclReport = { hardwareReport: null, runtimeClaims: readClaims(RunTimeData, place) };
  return { type: 'az-tdx-vtpm', hclReport, tdQuote, collateral: null, ...vtpm };
}

/** A machine of Trusted Launch has no hardware report: only the certificate vouches for its vTPM. */
function readTpm({ IsolationInfo }: Info, { ak, ...vtpm }: Vtpm, place: Place): TpmEvidence {
  if (IsolationInfo.Evidence !== undefined) {
    const message = 'a machine of Trusted Launch has no hardware report';
    throw new FormatError('type_mismatch', message, { pointer: place('/IsolationInfo/Evidence') });
  }
  if (ak === null) throw new FormatError('schema', MISSING_MEMBER, { pointer: place('/TpmInfo/AikCert') });
  return { type: 'tpm', ak, ...vtpm };
}

function readClaims(text: string, place: Place): Uint8Array {
  return readStructure(text, place('/IsolationInfo/Evidence/RunTimeData'));
}

function readVtpm(info: TpmInfo, place: Place): Omit<Vtpm, 'eventLog'> {
  const at: Place = (path) => place(`/TpmInfo${path}`);
  const { AikPub } = info;
  return {
    tpmQuote: readQuote(info, at),
    ak: readAk(info, at),
    ...(AikPub === undefined ? {} : { akPublic: readStructure(AikPub, at('/AikPub')) }),
    ...readCertifiedKey(info, at),
  };
}

function readQuote({ PcrQuote, PcrSignature, PCRs }: TpmInfo, at: Place): TpmQuoteInput {
  const message = readStructure(PcrQuote, at('/PcrQuote'));
  refuseForeignStructure(message, 'TPM quote', at('/PcrQuote'));
  const values = new Map<number, Uint8Array>();
  for (const [position, { Index, Digest }] of PCRs.entries()) {
    if (values.has(Index)) {
      throw new FormatError('schema', 'the value of a PCR appears twice', { pointer: at(`/PCRs/${position}/Index`) });
    }
    values.set(Index, readBytes(Digest, at(`/PCRs/${position}/Digest`)));
  }
  return { message, signature: readStructure(PcrSignature, at('/PcrSignature')), pcrs: new Map([['sha256', values]]) };
}

/** The log of the firmware; null if the client found none. */
function readEventLog({ TcgLogs = '' }: Info, place: Place): EventLogInput | null {
  return TcgLogs === '' ? null : [readStructure(TcgLogs, place('/TcgLogs'))];
}

/** The client sends no chain. */
function readAk({ AikCert = '' }: TpmInfo, at: Place): AkCertificateInput | null {
  if (AikCert === '') return null;
  return { certificate: { der: readStructure(AikCert, at('/AikCert')) }, chain: null };
}

function readCertifiedKey(info: TpmInfo, at: Place): { readonly certifiedKey?: CertifiedKeyInput } {
  const { EncKeyPub, EncKeyCertifyInfo, EncKeyCertifyInfoSignature } = info;
  if (EncKeyPub === undefined || EncKeyCertifyInfo === undefined || EncKeyCertifyInfoSignature === undefined) return {};
  return {
    certifiedKey: {
      info: readStructure(EncKeyCertifyInfo, at('/EncKeyCertifyInfo')),
      signature: readStructure(EncKeyCertifyInfoSignature, at('/EncKeyCertifyInfoSignature')),
      publicArea: readStructure(EncKeyPub, at('/EncKeyPub')),
    },
  };
}
