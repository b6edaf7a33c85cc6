import { createHash } from 'node:crypto';
import type { JsonObject } from '../../src/core/json.js';
import { namedRsaKey } from './lab-keys.js';
import { azureKey } from './runtime-claims-builder.js';
import { readSnpReport } from './snp-report-reader.js';

/** Where the parts of the paravisor's report are that the service looks at. */
const HCL = { hardware: 0x020, hardwareLength: 0x4a0, reportType: 0x4c8, claimsSize: 0x4d0, claims: 0x4d4 } as const;
const HCL_SNP = 2;

export interface SevSnpVmClaimsOptions {
  readonly report: Uint8Array;
  readonly runtimeData?: Uint8Array | null;
  readonly inittimeData?: Uint8Array | null;
  /** ID_KEY_DIGESTs, hex, of paravisors that the service calls compliant. */
  readonly azureIdKeyDigests: ReadonlySet<string>;
}

/** Claims of type `sevsnpvm`: of a token about a report, and of `x-ms-isolation-tee` in a token about an Azure VM. */
export function sevSnpVmClaims(options: SevSnpVmClaimsOptions): JsonObject {
  const { runtimeData = null, inittimeData = null } = options;
  const report = readSnpReport(options.report);
  const isCompliant = options.azureIdKeyDigests.has(report.idKeyDigest);
  return {
    'x-ms-attestation-type': 'sevsnpvm',
    ...(isCompliant ? { 'x-ms-compliance-status': 'azure-compliant-cvm' } : {}),
    ...claimsShown('x-ms-inittime', inittimeData),
    ...claimsShown('x-ms-runtime', runtimeData),
    'x-ms-sevsnpvm-authorkeydigest': report.authorKeyDigest,
    'x-ms-sevsnpvm-bootloader-svn': report.tcb.bootloader,
    'x-ms-sevsnpvm-familyId': report.familyId,
    'x-ms-sevsnpvm-guestsvn': report.guestSvn,
    'x-ms-sevsnpvm-hostdata': report.hostData,
    'x-ms-sevsnpvm-idkeydigest': report.idKeyDigest,
    'x-ms-sevsnpvm-imageId': report.imageId,
    'x-ms-sevsnpvm-is-debuggable': report.debug,
    'x-ms-sevsnpvm-launchmeasurement': report.measurement,
    'x-ms-sevsnpvm-microcode-svn': report.tcb.microcode,
    'x-ms-sevsnpvm-migration-allowed': report.migration,
    'x-ms-sevsnpvm-reportdata': report.reportData,
    'x-ms-sevsnpvm-reportid': report.reportId,
    'x-ms-sevsnpvm-smt-allowed': report.smt,
    'x-ms-sevsnpvm-snpfw-svn': report.tcb.snp,
    'x-ms-sevsnpvm-tee-svn': report.tcb.tee,
    'x-ms-sevsnpvm-vmpl': report.vmpl,
  };
}

export interface AzureVmClaimsOptions {
  /** The paravisor's report as the guest sends it; null as of a VM that has none, with Trusted Launch. */
  readonly hclReport: Uint8Array | null;
  /** Value of `nonce` in the client payload, which the client library encodes in base64. */
  readonly clientPayloadNonce: Uint8Array;
  readonly azureIdKeyDigests: ReadonlySet<string>;
}

/** Claims of type `azurevm`, as the guest attestation of an Ubuntu VM with Secure Boot comes to them. */
export function azureVmClaims({ hclReport, clientPayloadNonce, azureIdKeyDigests }: AzureVmClaimsOptions): JsonObject {
  const tee = hclReport === null ? null : isolationTee(hclReport, azureIdKeyDigests);
  const configuration = objectOf(objectOf(tee?.['x-ms-runtime'])['vm-configuration']);
  return {
    secureboot: configuration['secure-boot'] ?? true,
    'x-ms-attestation-type': 'azurevm',
    ...AZURE_VM_CLAIMS,
    'x-ms-azurevm-vmid': String(configuration['vmUniqueId'] ?? TRUSTED_LAUNCH_VM).toUpperCase(),
    ...(tee === null ? {} : { 'x-ms-isolation-tee': tee }),
    'x-ms-runtime': {
      'client-payload': { nonce: Buffer.from(clientPayloadNonce).toString('base64') },
      keys: [azureKey('TpmEphemeralEncryptionKey', ['encrypt'], ephemeralKey())],
    },
  };
}

const TRUSTED_LAUNCH_VM = '1F0B1A7E-5D7C-4C0F-9D0A-3B5C8C0E2A11';

const AZURE_VM_CLAIMS: JsonObject = {
  'x-ms-azurevm-attestation-protocol-ver': '2.0',
  'x-ms-azurevm-attested-pcrs': [0, 1, 2, 3, 4, 5, 6, 7],
  'x-ms-azurevm-bootdebug-enabled': false,
  'x-ms-azurevm-dbvalidated': true,
  'x-ms-azurevm-dbxvalidated': true,
  'x-ms-azurevm-debuggersdisabled': true,
  'x-ms-azurevm-default-securebootkeysvalidated': true,
  'x-ms-azurevm-elam-enabled': false,
  'x-ms-azurevm-flightsigning-enabled': false,
  'x-ms-azurevm-hvci-policy': 0,
  'x-ms-azurevm-hypervisordebug-enabled': false,
  'x-ms-azurevm-is-windows': false,
  'x-ms-azurevm-kerneldebug-enabled': false,
  'x-ms-azurevm-osbuild': 'NotApplication',
  'x-ms-azurevm-osdistro': 'Ubuntu',
  'x-ms-azurevm-ostype': 'Linux',
  'x-ms-azurevm-osversion-major': 24,
  'x-ms-azurevm-osversion-minor': 4,
  'x-ms-azurevm-signingdisabled': true,
  'x-ms-azurevm-testsigning-enabled': false,
};

function isolationTee(hclReport: Uint8Array, azureIdKeyDigests: ReadonlySet<string>): JsonObject {
  const bytes = Buffer.from(hclReport.buffer, hclReport.byteOffset, hclReport.byteLength);
  const reportType = bytes.readUInt32LE(HCL.reportType);
  if (reportType !== HCL_SNP) throw new Error(`the lab attests no paravisor reports of type ${reportType}`);
  return sevSnpVmClaims({
    report: bytes.subarray(HCL.hardware, HCL.hardware + HCL.hardwareLength),
    runtimeData: bytes.subarray(HCL.claims, HCL.claims + bytes.readUInt32LE(HCL.claimsSize)),
    azureIdKeyDigests,
  });
}

function ephemeralKey(): JsonObject {
  const { kty = '', n = '', e = '' } = namedRsaKey('maa-ephemeral', 2048).privateKey.export({ format: 'jwk' });
  return { kty, n, e };
}

/** Bytes that the caller declared as JSON are shown as JSON. Left out if there are none. */
function claimsShown(name: string, bytes: Uint8Array | null): JsonObject {
  return bytes === null ? {} : { [name]: JSON.parse(Buffer.from(bytes).toString('utf8')) };
}

function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null ? (value as JsonObject) : {};
}

export interface TdxVmClaimsOptions {
  readonly reportData?: Uint8Array;
  readonly runtimeData?: Uint8Array | null;
  /** The content of a quote; by default values of the right types and lengths. */
  readonly td?: JsonObject;
}

/** Claims of type `tdxvm`. */
export function tdxVmClaims({
  reportData = new Uint8Array(),
  runtimeData = null,
  td = {},
}: TdxVmClaimsOptions): JsonObject {
  const zero = '0'.repeat(96);
  return {
    attester_tcb_status: 'UpToDate',
    dbgstat: 'disabled',
    eat_profile: 'https://aka.ms/maa-eat-profile-tdxvm',
    intuse: 'generic',
    tdx_mrconfigid: zero,
    tdx_mrowner: zero,
    tdx_mrownerconfig: zero,
    tdx_mrseam: sha384('seam module'),
    tdx_mrsignerseam: zero,
    tdx_mrtd: sha384('paravisor'),
    tdx_report_data: Buffer.from(reportData).toString('hex').padEnd(128, '0'),
    tdx_rtmr0: sha384('rtmr 0'),
    tdx_rtmr1: zero,
    tdx_rtmr2: zero,
    tdx_rtmr3: zero,
    tdx_seam_attributes: '0000000000000000',
    tdx_seamsvn: 5,
    tdx_td_attributes: '0000001000000000',
    tdx_td_attributes_debug: false,
    tdx_td_attributes_key_locker: false,
    tdx_td_attributes_perfmon: false,
    tdx_td_attributes_protection_keys: false,
    tdx_td_attributes_septve_disable: true,
    tdx_tee_tcb_svn: '05010600000000000000000000000000',
    tdx_xfam: 'e718060000000000',
    'x-ms-attestation-type': 'tdxvm',
    'x-ms-compliance-status': 'azure-compliant-cvm',
    ...claimsShown('x-ms-runtime', runtimeData),
    ...td,
  };
}

/** A measurement of something by its name, hex. */
function sha384(name: string): string {
  return createHash('sha384').update(name).digest('hex');
}
