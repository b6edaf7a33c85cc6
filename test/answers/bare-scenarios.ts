import type { JsonObject } from '../../src/core/json.js';
import { AGREEING, DIFFERING } from '../integration/real/tdx-oracle-cases.js';
import {
  buildCertificateTable,
  createAmdPki,
  createIntelPki,
  createSnpGuest,
  createTdxGuest,
  encodeSnpTcb,
  labCcelEvents,
  SNP_PROCESSORS,
  type SnpGuest,
  type SnpGuestEvidenceOptions,
  type SnpPlatformOptions,
  type SnpReportFields,
  TD_ATTRIBUTE,
  type TdxGuestEvidenceOptions,
  TdxPlatform,
  withOtherSnpSignature,
} from '../lab/index.js';
import { DAY, JWK, LAB_AT, type Lab, LAB_NONCE as nonce, OTHER_NONCE } from './lab.js';

/** Evidence of the lab: genuine, or wrong in one place. */
export type Scenario = readonly [name: string, evidence: JsonObject];

export function snpScenarios({ guest, amd }: Lab): readonly Scenario[] {
  const { platform } = guest;
  const tcb = encodeSnpTcb({ bootloader: 3, tee: 0, snp: 8, microcode: 115 }, 'Milan');
  const fields: readonly (readonly [string, Partial<SnpReportFields>])[] = [
    ['debug', { policy: 0xb001fn }],
    ['migration agent', { policy: 0x7001fn }],
    ['single socket', { policy: 0x13001fn }],
    ['reserved bit of the policy', { policy: 0x1001fn }],
    ['VMPL 1', { vmpl: 1 }],
    ['VMPL 9', { vmpl: 9 }],
    ['author key', { keyInfo: { authorKeyEn: true, maskChipKey: false, signingKey: 0 } }],
    ['masked chip key', { keyInfo: { authorKeyEn: false, maskChipKey: true, signingKey: 0 } }],
    ['no signing key', { keyInfo: { authorKeyEn: false, maskChipKey: false, signingKey: 7 } }],
    ['a VLEK that is none', { keyInfo: { authorKeyEn: false, maskChipKey: false, signingKey: 1 } }],
    ['another algorithm', { signatureAlgorithm: 2 }],
    ['version 6', { version: 6 }],
    ['host data', { hostData: new Uint8Array(32).fill(9) }],
    ['other measurement', { measurement: new Uint8Array(48).fill(9) }],
    ['other id key', { idKeyDigest: new Uint8Array(48).fill(9) }],
    ['another chip', { chipId: new Uint8Array(64).fill(9) }],
    ['an unknown processor', { cpuid: { family: 0x19, model: 0x7f, stepping: 0 } }],
    ['a processor of another line', { cpuid: SNP_PROCESSORS.Genoa.cpuid }],
    ['older TCB reported', { reportedTcb: tcb }],
    ['older TCB at launch', { launchTcb: tcb }],
    ['older TCB committed', { committedTcb: tcb }],
    ['newer TCB reported than current', { currentTcb: tcb }],
    ['provisional firmware', { committedFirmware: [1, 55, 20] }],
    ['GUEST_SVN 0', { guestSvn: 0 }],
    ...Array.from({ length: 10 }, (_, bit) => [`platform bit ${bit}`, { platformInfo: 1n << BigInt(bit) }] as const),
  ];
  const options: readonly (readonly [string, SnpGuestEvidenceOptions])[] = [
    ['genuine', {}],
    ['a bound key', { jwk: JWK }],
    ['runtime data', { runtimeData: 'nonce' }],
    ['runtime data with a key', { runtimeData: 'nonce', jwk: JWK }],
    ['runtime data without nonce', { runtimeData: { text: '{}' } }],
    ['runtime data that is no JSON', { runtimeData: { text: 'not JSON' } }],
    ['another nonce', { nonce: OTHER_NONCE }],
    ['the other signature', { report: { afterSigning: withOtherSnpSignature } }],
    [
      'a broken signature',
      { report: { afterSigning: (bytes) => bytes.map((byte, at) => (at === 0x2a0 ? byte ^ 1 : byte)) } },
    ],
    ['a certificate table', { endorsements: { vek: null, chain: null, certificateTable: tableOf(guest) } }],
    ['no endorsements', { endorsements: { vek: null, chain: null, crls: [] } }],
    ['no CRL', { endorsements: { crls: [] } }],
    ['an older CRL', { endorsements: { crls: [oldCrl()] } }],
    ['a revoked VCEK', { endorsements: { crls: [amd.issueCrl({ product: 'Milan', revoked: [{ serial: 0 }] })] } }],
    [
      'a revoked ASK',
      { endorsements: { crls: [amd.issueCrl({ product: 'Milan', revoked: [{ serial: 0x010001 }] })] } },
    ],
    ['a CRL of another line', { endorsements: { crls: [amd.issueCrl({ product: 'Genoa' })] } }],
    ['a chain of another line', { endorsements: { chain: amd.chainPem('Genoa') } }],
    ['a chain for VLEKs', { endorsements: { chain: amd.chainPem('Milan', 'vlek') } }],
    ['a chain without end', { endorsements: { chain: amd.intermediate('Milan', 'vcek').pem } }],
    ['a chain of strangers', { endorsements: { chain: createAmdPki({ keys: 'strange' }).chainPem('Milan') } }],
    ['a VCEK in PEM', { endorsements: { vek: { pem: platform.vek.pem } } }],
    ...fields.map(([name, changed]) => [name, { report: { fields: changed } }] as const),
  ];
  return options.map(([name, changed]) => [name, guest.wireEvidence({ nonce, ...changed })]);
}

function oldCrl(): Uint8Array {
  return createAmdPki({ at: new Date(LAB_AT.getTime() - 500 * DAY) }).issueCrl({ product: 'Milan' });
}

function tableOf({ platform }: SnpGuest): Uint8Array {
  return buildCertificateTable([['vcek', platform.vek.der]]);
}

export function snpMachines({ amd }: Lab): readonly Scenario[] {
  const parts = Object.keys(SNP_PROCESSORS) as (keyof typeof SNP_PROCESSORS)[];
  const year = 365 * DAY;
  const options: readonly (readonly [string, Partial<SnpPlatformOptions>])[] = [
    ...parts.map((part) => [part, { part }] as const),
    ...parts.map((part) => [`${part} with a VLEK`, { part, signingKey: 'vlek' as const }] as const),
    ...[2, 4, 5].map((version) => [`version ${version}`, { version }] as const),
    ['Genoa, version 5', { part: 'Genoa', version: 5 }],
    ['old TCB', { tcb: { bootloader: 3, tee: 0, snp: 8, microcode: 115 } }],
    ['wrapped hardware id', { vcek: { wrapHwId: true } }],
    ['a VCEK for another TCB', { vcek: { tcb: { bootloader: 4, tee: 0, snp: 23, microcode: 219 } } }],
    ['a VCEK of another product', { vcek: { productName: 'Genoa-B1' } }],
    ['a VCEK that has ended', { vcek: { overrides: { notAfter: new Date(LAB_AT.getTime() - DAY) } } }],
    ['a VCEK that has not begun', { vcek: { overrides: { notBefore: new Date(LAB_AT.getTime() + DAY) } } }],
    ['a VCEK of the ASVK', { vcek: { issuer: amd.intermediate('Milan', 'vlek') } }],
    ['another provider', { signingKey: 'vlek', vlek: { cspId: 'CN=other.example' } }],
    ['a CRL that has ended', { crl: { overrides: { nextUpdate: new Date(LAB_AT.getTime() - 1000) } } }],
    ['a CRL that has not begun', { crl: { overrides: { thisUpdate: new Date(LAB_AT.getTime() + year) } } }],
  ];
  return options.map(([name, changed]) => {
    return [`on ${name}`, createSnpGuest({ pki: amd, ...changed }).wireEvidence({ nonce })];
  });
}

export function tdScenarios({ td }: Lab): readonly Scenario[] {
  const bits = Object.entries(TD_ATTRIBUTE).map(([name, bit]) => {
    return [`attribute ${name}`, { quote: { fields: { tdAttributes: bit | TD_ATTRIBUTE.septVeDisable } } }] as const;
  });
  const late = new Date(LAB_AT.getTime() + 60 * DAY);
  const early = new Date(LAB_AT.getTime() - 60 * DAY);
  const options: readonly (readonly [string, TdxGuestEvidenceOptions])[] = [
    ['genuine', {}],
    ['a bound key', { jwk: JWK }],
    ['runtime data', { runtimeData: 'nonce' }],
    ['another nonce', { nonce: OTHER_NONCE }],
    ['no collateral', { collateral: null }],
    ['collateral that has ended', { collateral: { at: early } }],
    ['collateral that has not begun', { collateral: { at: late } }],
    ['an older evaluation number', { collateral: { evaluationNumber: 16 } }],
    ['different evaluation numbers', { collateral: { qeIdentity: { evaluationNumber: 17 } } }],
    ['a revoked CA', { collateral: { rootCrl: { revoked: [{ serial: td.platform.pki.pckCa('platform').serial }] } } }],
    ['a revoked PCK', { collateral: { pckCrl: { revoked: [{ serial: td.platform.pck.serial }] } } }],
    ['a CRL of the other CA', { collateral: { pckCrl: { ca: 'processor' } } }],
    ['collateral of strangers', { collateral: { tcbSigning: createIntelPki({ at: LAB_AT }).tcbSigning } }],
    [
      'TCB info that nobody signed',
      { collateral: { tcbInfo: { afterSigning: (text) => text.replace('TDX', 'SGX') } } },
    ],
    ['a QE identity that nobody signed', { collateral: { qeIdentity: { signature: (bytes) => bytes.toReversed() } } }],
    ['a revoked platform', { collateral: { tcbInfo: { status: 'Revoked' } } }],
    ['an unknown status', { collateral: { tcbInfo: { status: 'Splendid' } } }],
    ['a revoked QE', { collateral: { qeIdentity: { status: 'Revoked' } } }],
    ['an early TCB date', { collateral: { tcbInfo: { date: '2023-01-01T00:00:00Z' } } }],
    ['no log', { ccel: null }],
    ['a log of another boot', { ccel: labCcelEvents({ secureBoot: false }) }],
    ['a log that ends early', { ccel: new Uint8Array(40) }],
    ['version 5', { quote: { version: 5 } }],
    ['a TD without measurements', { quote: { fields: { mrTd: new Uint8Array(48) } } }],
    [
      'a configured TD',
      { quote: { fields: { mrConfigId: new Uint8Array(48).fill(1), mrOwner: new Uint8Array(48).fill(2) } } },
    ],
    ['a quote signed by another key', { quote: { signature: (bytes) => bytes.toReversed() } }],
    ['a QE report signed by another key', { quote: { qeReportSignature: (bytes) => bytes.toReversed() } }],
    ['an attestation key of another QE', { quote: { attestationKeyBytes: (bytes) => bytes.toReversed() } }],
    [
      'a debug QE',
      { quote: { qeReport: { attributes: Uint8Array.of(0x17, ...new Uint8Array(7), 0xe7, ...new Uint8Array(7)) } } },
    ],
    ['a QE of another signer', { quote: { qeReport: { mrSigner: new Uint8Array(32) } } }],
    ['an old QE', { quote: { qeReport: { isvSvn: 1 } } }],
    ...bits,
  ];
  return options.map(([name, changed]) => [name, td.wireEvidence({ nonce, ...changed })]);
}

/** Platforms whose statuses, modules and quoting enclaves are of every kind. */
export function tdPlatforms({ intel }: Lab): readonly Scenario[] {
  return [...AGREEING, ...DIFFERING].map(({ title, platform = {}, quote = {}, collateral = {} }) => {
    const td = createTdxGuest({ platform: new TdxPlatform({ pki: intel, ...platform }) });
    return [title, td.wireEvidence({ nonce, quote, collateral })];
  });
}
