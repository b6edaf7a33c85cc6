import { hex, isSameBytes } from '../core/bytes.js';
import { parsePemCertificates } from '../formats/pem.js';
import { parseCertificate, type X509Certificate } from '../formats/x509-certificate.js';
import { parseTdQuote, type TdQuote } from '../tee/tdx/format/td-quote.js';
import { parseTdReport, TD_REPORT_LENGTH } from '../tee/tdx/format/td-report.js';
import { TD_BODY_LENGTH, type TdReportBody } from '../tee/tdx/format/td-report-body.js';
import { parsePckExtension } from '../tee/tdx/intel/pck-extension.js';
import { describeCertificate } from './describe-certificate.js';
import { FieldTable, type StructureDescription } from './field-description.js';

const ZEROS_48 = new Uint8Array(48);

/** Named bits of TDATTRIBUTES (Intel TDX Module ABI Specification, ATTRIBUTES). */
const TD_ATTRIBUTES: readonly (readonly [number, string])[] = [
  [0, 'DEBUG'],
  [4, 'HGS_PLUS_PROF'],
  [5, 'PERF_PROF'],
  [6, 'PMT_PROF'],
  [16, 'ICSSD'],
  [17, 'SERVTD_EXT'],
  [27, 'LASS'],
  [28, 'SEPT_VE_DISABLE'],
  [29, 'MIGRATABLE'],
  [30, 'PKS'],
  [31, 'KL'],
  [62, 'TPA'],
  [63, 'PERFMON'],
];

/**
 * Describes a TD quote: header and body, the report of its quoting enclave, and its certificates.
 * @throws {FormatError} as `parseTdQuote`; `cert_format`, `cert_chain` for its certificates
 */
export function describeTdQuote(bytes: Uint8Array, about: string): readonly StructureDescription[] {
  const quote = parseTdQuote(bytes);
  const offsetOf = (part: Uint8Array) => part.byteOffset - bytes.byteOffset;
  const { qe, signature, attestationKey } = quote;
  const body = offsetOf(quote.body.teeTcbSvn);
  const header = new FieldTable(bytes)
    .add('version', 0, 2, quote.version)
    .add('attestation key type', 2, 2, 2, 'ECDSA P-256')
    .add('TEE type', 4, 4, '0x81', 'TDX')
    .hex('QE vendor id', 12, 16)
    .hex('user data', 28, 20);
  if (quote.version === 5) describeDescriptor(header, quote.body);
  describeBody(header, quote.body, body);
  header
    .hex('signature', offsetOf(signature), 64, 'r and s, by the attestation key over everything above')
    .hex('attestation key', offsetOf(attestationKey), 64, 'X and Y')
    .hex(
      'QE report signature',
      offsetOf(qe.signature),
      64,
      'r and s, by the PCK over the report of the quoting enclave',
    )
    .hex('QE authentication data', offsetOf(qe.authData), qe.authData.byteLength);
  return [
    { name: 'TD quote', about, start: 0, length: bytes.byteLength, fields: header.fields },
    { ...describeEnclave(quote, about), start: offsetOf(quote.qe.report.bytes) },
    ...parsePemCertificates(quote.pckChain, 'cert_chain').map((der) => describePck(parseCertificate(der), about)),
  ];
}

/**
 * Describes a TDREPORT, which no remote party can verify.
 * @throws {FormatError} `tdx_format`
 */
export function describeTdReport(bytes: Uint8Array, about: string): StructureDescription {
  parseTdReport(bytes);
  const { fields } = new FieldTable(bytes)
    .hex('REPORTTYPE', 0, 4, 'TDX')
    .hex('CPUSVN', 16, 16, 'is in no quote: cannot be checked')
    .hex('TEE_TCB_INFO_HASH', 32, 48, 'SHA-384 of TEE_TCB_INFO')
    .hex('TEE_INFO_HASH', 80, 48, 'SHA-384 of TDINFO')
    .bound('REPORTDATA', 128, 64)
    .hex('MAC', 224, 32, 'by the platform, for itself: cannot be checked elsewhere')
    .hex('TEE_TCB_SVN', 264, 16)
    .hex('MRSEAM', 280, 48)
    .hex('MRSIGNERSEAM', 328, 48)
    .hex('SEAMATTRIBUTES', 376, 8)
    .hex('TEE_TCB_SVN_2', 384, 16)
    .hex('TDATTRIBUTES', 512, 8)
    .hex('XFAM', 520, 8)
    .hex('MRTD', 528, 48)
    .hex('MRCONFIGID', 576, 48)
    .hex('MROWNER', 624, 48)
    .hex('MROWNERCONFIG', 672, 48)
    .hex('RTMR0', 720, 48)
    .hex('RTMR1', 768, 48)
    .hex('RTMR2', 816, 48)
    .hex('RTMR3', 864, 48)
    .hex('SERVTD_HASH', 912, 48);
  return { name: 'TDREPORT', about, start: 0, length: TD_REPORT_LENGTH, fields };
}

/** For version 5: the kind of the body, and its bytes. */
function describeDescriptor(table: FieldTable, { td15, extension }: TdReportBody): void {
  const [type, size, meaning] =
    td15 === null
      ? ([2, TD_BODY_LENGTH.td10, 'TD 1.0'] as const)
      : extension === null
        ? ([3, TD_BODY_LENGTH.td15, 'TD 1.5'] as const)
        : ([4, TD_BODY_LENGTH.td15Extended, 'TD 1.5, extended by its service TDs'] as const);
  table.add('body type', 48, 2, type, meaning).add('body size', 50, 4, size);
}

function describeBody(table: FieldTable, body: TdReportBody, start: number): void {
  const rtmrs = body.rtmr.every((value) => isSameBytes(value, ZEROS_48));
  table
    .hex('TEE_TCB_SVN', start, 16, 'security versions of TDX module and platform')
    .hex('MRSEAM', start + 16, 48, 'measurement of the TDX module')
    .hex('MRSIGNERSEAM', start + 64, 48, 'zero for modules from Intel')
    .hex('SEAMATTRIBUTES', start + 112, 8)
    .hex('TDATTRIBUTES', start + 120, 8, attributesOf(body.tdAttributes))
    .hex('XFAM', start + 128, 8, 'processor features that the domain may use')
    .hex('MRTD', start + 136, 48, 'measurement of the domain at build')
    .hex('MRCONFIGID', start + 184, 48)
    .hex('MROWNER', start + 232, 48)
    .hex('MROWNERCONFIG', start + 280, 48);
  for (const index of [0, 1, 2, 3]) {
    table.hex(`RTMR${index}`, start + 328 + 48 * index, 48, rtmrs ? 'nothing was measured into any of them' : null);
  }
  table.bound(
    'REPORTDATA',
    start + 520,
    64,
    'what the guest asked to have signed: a nonce, or the hash of runtime data',
  );
  if (body.td15 === null) return;
  table.hex('TEE_TCB_SVN_2', start + 584, 16, 'the same, after an update of the TDX module under the running domain');
  table.hex('MRSERVICETD', start + 600, 48, 'domains that may serve this one, migrating it for example');
  if (body.extension === null) return;
  table
    .add('VMID', start + 648, 1, body.extension.vmId, 'zero: the domain is not partitioned, or its first layer')
    .hex('TD_ID', start + 649, 32, 'stays when the domain is migrated')
    .hex('DEVINFO', start + 681, 48, 'SHA-384 of the information about assigned devices')
    .hex('INIT_SERVTD_HASH', start + 729, 48, 'service domain bound when this one was built; zero: none')
    .hex('INIT_SERVTD_ATTR', start + 777, 8)
    .hex('INIT_CPU_SVN', start + 785, 16, 'of the platform when a service domain was first bound')
    .hex('INIT_TEE_TCB_SVN', start + 801, 16)
    .hex('INIT_TEE_FMSPC', start + 817, 12, 'model of that platform: not the FMSPC of a PCK certificate')
    .hex('CURR_SERVTD_HASH', start + 829, 48, 'service domain bound now; zero: none')
    .hex('CURR_SERVTD_ATTR', start + 877, 8);
}

function attributesOf(attributes: bigint): string {
  const names = TD_ATTRIBUTES.filter(([bit]) => ((attributes >> BigInt(bit)) & 1n) === 1n).map(([, name]) => name);
  return names.length === 0 ? 'none that is known' : names.join(', ');
}

function describeEnclave({ qe }: TdQuote, about: string): StructureDescription {
  const { report, authData } = qe;
  const { fields } = new FieldTable(report.bytes)
    .hex('CPUSVN', 0, 16)
    .hex('MISCSELECT', 16, 4)
    .hex('ATTRIBUTES', 48, 16, report.debug ? 'a debug enclave' : null)
    .hex('MRENCLAVE', 64, 32)
    .hex('MRSIGNER', 128, 32)
    .add('ISVPRODID', 256, 2, report.isvProdId)
    .add('ISVSVN', 258, 2, report.isvSvn)
    .hex('REPORTDATA', 320, 64, `SHA-256 of attestation key and ${authData.byteLength} bytes of authentication data`);
  return { name: 'report of the quoting enclave', about, start: 0, length: report.bytes.byteLength, fields };
}

/** Certificates of a PCK chain; the first describes the platform. */
function describePck(certificate: X509Certificate, about: string): StructureDescription {
  const described = describeCertificate(certificate, 'certificate of the quote', about, null);
  const pck = parsePckExtension(certificate);
  if (pck === null) return described;
  const { fields } = new FieldTable(certificate.der)
    .part('FMSPC', pck.fmspc, hex(pck.fmspc))
    .part('PCEID', pck.pceId, hex(pck.pceId))
    .part('SGX TCB components', null, pck.sgxTcbComponents)
    .part('PCESVN', null, pck.pceSvn);
  return { ...described, fields: [...described.fields, ...fields] };
}
