import { hex } from '../core/bytes.js';
import { within } from '../core/errors.js';
import type {
  AkCertificateInput,
  AzSnpVtpmEvidence,
  AzTdxVtpmEvidence,
  AzureGuestMembers,
  EventLogInput,
  Evidence,
  EvidenceOf,
  EvidenceType,
  HclParts,
  SnpEvidence,
  TdxCollateral,
  TdxEvidence,
  TokenEvidence,
  TpmEvidence,
} from '../core/evidence.js';
import { traitsOf } from '../core/evidence-traits.js';
import { readHclParts } from '../tee/azure/format/hcl-report.js';
import { namesAttestationKey, readRuntimeObject } from '../tee/shared/format/runtime-claims.js';
import { parseSnpReport } from '../tee/snp/format/snp-report.js';
import { parseTdQuote } from '../tee/tdx/format/td-quote.js';
import { TD_REPORT_LENGTH } from '../tee/tdx/format/td-report.js';
import {
  describeCertifiedKey,
  describeHclReport,
  describePublicArea,
  describeRuntimeData,
  describeTpmQuote,
} from './describe-azure-evidence.js';
import { describeAkCertificate } from './describe-certificate.js';
import { describeCollateral } from './describe-collateral.js';
import { describeCcel, describeVtpmLogs } from './describe-event-log.js';
import { describeSnpReport } from './describe-snp-report.js';
import { describeTdQuote, describeTdReport } from './describe-td-quote.js';
import { describeToken } from './describe-token.js';
import { type StructureDescription, startIn, textField } from './field-description.js';

type Structures = readonly StructureDescription[];

/**
 * Describes evidence, structure by structure and field by field. Verifies nothing.
 * Pointers are into the evidence in its native form.
 *
 * @param eventLogBytes the longest accepted event log
 * @throws {FormatError} if a structure is malformed
 */
export function describeEvidence(evidence: Evidence, eventLogBytes: number): Structures {
  const describe = DESCRIPTIONS[evidence.type] as Description<EvidenceType> | undefined;
  return describe === undefined ? describeMembers(evidence) : describe(evidence, eventLogBytes);
}

type Description<T extends EvidenceType> = (evidence: EvidenceOf<T>, eventLogBytes: number) => Structures;

const DESCRIPTIONS: { readonly [T in EvidenceType]?: Description<T> } = {
  snp: describeSnp,
  tdx: describeTdx,
  'az-snp-vtpm': describeAzureSnp,
  'az-tdx-vtpm': describeAzureTdx,
  tpm: describeTpm,
  'maa-token': describeTokenEvidence,
  'ita-token': describeTokenEvidence,
};

/** Evidence without named fields: its structures, with their lengths. */
function describeMembers(evidence: Evidence): Structures {
  return Object.entries(traitsOf(evidence.type).members).flatMap(([member, form]) => {
    const bytes = Object.entries(evidence).find(([name]) => name === member)?.[1];
    if (typeof form === 'string' || !(bytes instanceof Uint8Array)) return [];
    return [{ name: form.structure, about: `/${member}`, start: 0, length: bytes.byteLength, fields: [] }];
  });
}

function describeTokenEvidence({ token }: TokenEvidence): Structures {
  return within('/token', () => describeToken(token, '/token'));
}

function describeSnp({ report, runtimeData }: SnpEvidence): Structures {
  return [
    within('/report', () => describeSnpReport(report, '/report')),
    ...runtimeDataOf(runtimeData, () =>
      paravisorEntry('azure.paravisors.idKeyDigests', parseSnpReport(report).idKeyDigest, '/report'),
    ),
  ];
}

function describeTdx({ quote, runtimeData, collateral, ccel }: TdxEvidence, eventLogBytes: number): Structures {
  return [
    ...within('/quote', () => describeTdQuote(quote, '/quote')),
    ...runtimeDataOf(runtimeData, () =>
      paravisorEntry('azure.paravisors.mrtds', parseTdQuote(quote).body.mrTd, '/quote'),
    ),
    ...collateralOf(collateral),
    ...(ccel === null ? [] : within('/ccel', () => describeCcel(ccel, '/ccel', eventLogBytes))),
  ];
}

function describeAzureSnp(evidence: AzSnpVtpmEvidence, limit: number): Structures {
  return within('/hclReport', () => {
    const { hardwareReport } = readHclParts('snp', evidence.hclReport);
    const report = hardwareReport ?? new Uint8Array();
    const { idKeyDigest } = parseSnpReport(report);
    return [
      ...describeHcl(evidence.hclReport),
      { ...describeSnpReport(report, '/hclReport'), start: startOf(evidence.hclReport, report) },
      ...describeVtpm(evidence, limit),
      paravisorEntry('azure.paravisors.idKeyDigests', idKeyDigest, '/hclReport'),
    ];
  });
}

function describeAzureTdx(evidence: AzTdxVtpmEvidence, limit: number): Structures {
  return within('/hclReport', () => {
    const { tdQuote, collateral } = evidence;
    const { hardwareReport } = readHclParts('tdx', evidence.hclReport);
    return [
      ...describeHcl(evidence.hclReport),
      ...(hardwareReport === null
        ? []
        : [
            {
              ...describeTdReport(hardwareReport.subarray(0, TD_REPORT_LENGTH), '/hclReport'),
              start: startOf(evidence.hclReport, hardwareReport),
            },
          ]),
      ...within('/tdQuote', () => describeTdQuote(tdQuote, '/tdQuote')),
      ...describeVtpm(evidence, limit, collateral),
      paravisorEntry('azure.paravisors.mrtds', parseTdQuote(tdQuote).body.mrTd, '/tdQuote'),
    ];
  });
}

/** The paravisor's report, or only the runtime claims if the guest split it. */
function describeHcl(report: Uint8Array | HclParts): Structures {
  if (report instanceof Uint8Array) return describeHclReport(report, '/hclReport');
  return [describeRuntimeData(report.runtimeClaims, '/hclReport')];
}

/** Null if the guest split the paravisor's report. */
function startOf(report: Uint8Array | HclParts, hardwareReport: Uint8Array): number | null {
  return report instanceof Uint8Array ? startIn(report, hardwareReport) : null;
}

type VtpmMembers = AzureGuestMembers & Pick<AzSnpVtpmEvidence, 'tpmQuote' | 'ak' | 'eventLog'>;

function describeVtpm(evidence: VtpmMembers, limit: number, collateral: TdxCollateral | null = null): Structures {
  const { tpmQuote, ak, akPublic, certifiedKey, eventLog } = evidence;
  return [
    ...within('/tpmQuote', () => describeTpmQuote(tpmQuote, '/tpmQuote')),
    ...collateralOf(collateral),
    ...certificatesOf(ak),
    ...(akPublic === undefined ? [] : [within('/akPublic', () => describePublicArea(akPublic, '/akPublic'))]),
    ...(certifiedKey === undefined ? [] : describeCertifiedKey(certifiedKey, '/certifiedKey')),
    ...eventLogOf(eventLog, limit),
  ];
}

function describeTpm(evidence: TpmEvidence, limit: number): Structures {
  return describeVtpm(evidence, limit);
}

/** Runtime data, and for a paravisor the configuration entry that would accept it. */
function runtimeDataOf(runtimeData: Uint8Array | null, entry: () => StructureDescription): Structures {
  if (runtimeData === null) return [];
  const object = readRuntimeObject(runtimeData);
  const isParavisor = object.ok && namesAttestationKey(object.value);
  return [describeRuntimeData(runtimeData, '/runtimeData', object), ...(isParavisor ? [entry()] : [])];
}

function collateralOf(collateral: TdxCollateral | null): Structures {
  return collateral === null ? [] : describeCollateral(collateral, '/collateral');
}

function certificatesOf(ak: AkCertificateInput | null): Structures {
  return ak === null ? [] : describeAkCertificate(ak, { leaf: '/akCertificate', chain: '/akChain' });
}

function eventLogOf(log: EventLogInput | null, maximumBytes: number): Structures {
  return log === null ? [] : describeVtpmLogs(log, '/eventLog', maximumBytes);
}

/** The configuration entry that would accept this paravisor. It is not a recommendation. */
function paravisorEntry(setting: string, value: Uint8Array, about: string): StructureDescription {
  const meaning = 'what to add to make this paravisor known, once verified evidence shows it and you know whose it is';
  const fields = [textField(setting, [hex(value)], meaning)];
  return { name: 'configuration', about, start: null, length: value.byteLength, fields };
}
