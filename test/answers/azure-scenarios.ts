import {
  type AzureEvidenceOptions,
  type AzureTdxEvidenceOptions,
  createTrustedLaunchMachine,
  createVirtualMachine,
  TD_ATTRIBUTE,
  type TpmEvidenceOptions,
  VirtualTpm,
} from '../lab/index.js';
import type { Scenario } from './bare-scenarios.js';
import { base64Url } from './body.js';
import { DAY, JWK, LAB_AT, type Lab, LAB_NONCE as nonce, OTHER_NONCE } from './lab.js';

export async function azureScenarios({ amd, vm, akPki }: Lab): Promise<readonly Scenario[]> {
  const ak = (options: object = {}) => akPki.certificate({ key: vm.vtpm.publicJwk, ...options });
  const shared: readonly (readonly [string, AzureEvidenceOptions])[] = [
    ...commonScenarios(await VirtualTpm.create()),
    ['an AK certificate', { ak: ak() }],
    ['an AK certificate of 2025', { ak: ak({ shape: '2025' }) }],
    ['an AK certificate of Trusted Launch', { ak: ak({ vm: 'TrustedVM' }) }],
    ['an AK certificate without chain', { ak: ak({ chain: null }) }],
    ['an AK certificate in PEM', { ak: ak({ pem: true }) }],
    ['an AK certificate that has ended', { ak: ak({ overrides: { notAfter: new Date(LAB_AT.getTime() - DAY) } }) }],
    ['an AK certificate of another key', { ak: ak({ key: (await VirtualTpm.create()).publicJwk }) }],
  ];
  const own: readonly (readonly [string, AzureEvidenceOptions])[] = [
    ['an unknown paravisor', { report: { fields: { idKeyDigest: new Uint8Array(48).fill(9) } } }],
    ['an old paravisor', { report: { fields: { guestSvn: 3 } } }],
    ['VMPL 2', { report: { fields: { vmpl: 2 } } }],
    ['debug', { report: { fields: { policy: 0xb001fn } } }],
    ['report data of others', { report: { fields: { reportData: new Uint8Array(64).fill(1) } } }],
    ['no CRL', { endorsements: { crls: [] } }],
    ['no endorsements', { endorsements: { vek: null, chain: null, crls: [] } }],
  ];
  const genoa = await createVirtualMachine({ pki: amd, part: 'Genoa', vtpm: vm.vtpm });
  return [
    ...[...shared, ...own].map(([name, options]): Scenario => [name, vm.wireEvidence({ nonce, ...options })]),
    ['on Genoa', genoa.wireEvidence({ nonce })],
    ['as configfs-tsm', { type: 'az-snp-vtpm', dialect: 'configfs-tsm', value: { outblob: base64Url(nonce) } }],
  ];
}

export async function azureTdScenarios({ tdVm, akPki }: Lab): Promise<readonly Scenario[]> {
  const own: readonly (readonly [string, AzureTdxEvidenceOptions])[] = [
    ['an AK certificate', { ak: akPki.certificate({ key: tdVm.vtpm.publicJwk }) }],
    ['an unknown paravisor', { td: { mrTd: new Uint8Array(48).fill(9) } }],
    ['another MRTD in the quote', { tdQuote: { fields: { mrTd: new Uint8Array(48).fill(9) } } }],
    ['another TDREPORT', { tdReport: { fields: { rtmrs: Array(4).fill(new Uint8Array(48).fill(1)) as never } } }],
    ['a service TD', { td: { mrServiceTd: new Uint8Array(48).fill(0x38) }, tdQuote: { version: 5 } }],
    ['a service TD in the TDREPORT alone', { td: { mrServiceTd: new Uint8Array(48).fill(0x38) } }],
    ['debug', { td: { tdAttributes: TD_ATTRIBUTE.debug } }],
    ['migratable', { td: { tdAttributes: TD_ATTRIBUTE.migratable } }],
    ['no collateral', { collateral: null }],
    ['a platform that is out of date', { collateral: { tcbInfo: { status: 'OutOfDate' } } }],
  ];
  const all = [...(commonScenarios(await VirtualTpm.create()) as typeof own), ...own];
  return all.map(([name, options]) => [name, tdVm.wireEvidence({ nonce, ...options })]);
}

/** A vTPM by itself: the quotes of a paravisor's, and what can be wrong with the certificate of its key. */
export async function tpmScenarios({ vm, akPki }: Lab): Promise<readonly Scenario[]> {
  const machine = await createTrustedLaunchMachine({ pki: akPki, vtpm: vm.vtpm });
  const ended = { notAfter: new Date(LAB_AT.getTime() - DAY) };
  const own: readonly (readonly [string, TpmEvidenceOptions])[] = [
    ['genuine', {}],
    ['a bound key', { jwk: JWK }],
    ['another nonce', { nonce: OTHER_NONCE }],
    ...commonScenarios(await VirtualTpm.create()).flatMap(([name, { quote }]) =>
      quote === undefined ? [] : [[name, { quote }] as const],
    ),
    ['a certificate of a confidential VM', { certificate: { vm: 'ConfidentialVM' } }],
    ['a certificate of 2025', { certificate: { shape: '2025' } }],
    ['a certificate without chain', { certificate: { chain: null } }],
    ['a certificate in PEM', { certificate: { pem: true } }],
    ['a certificate that has ended', { certificate: { overrides: ended } }],
    ['a certificate of another key', { certificate: { key: (await VirtualTpm.create()).publicJwk } }],
    ['a certificate of an endorsement key', { certificate: { extendedKeyUsages: ['2.23.133.8.1'] } }],
  ];
  const onCurves = await Promise.all(
    (['P-256', 'P-384'] as const).map(async (curve): Promise<Scenario> => {
      const other = await createTrustedLaunchMachine({ pki: akPki, vtpm: await VirtualTpm.create({ curve }) });
      return [`a key on ${curve}`, other.wireEvidence({ nonce })];
    }),
  );
  return [...own.map(([name, options]): Scenario => [name, machine.wireEvidence({ nonce, ...options })]), ...onCurves];
}

/** Faults with any paravisor and any vTPM. */
function commonScenarios(other: VirtualTpm) {
  type Common = Pick<AzureEvidenceOptions, 'nonce' | 'jwk' | 'claims' | 'runtimeClaims' | 'hcl' | 'quote'>;
  const selection = (bank: 'sha1' | 'sha256', ...indices: readonly number[]) => ({ selections: [{ bank, indices }] });
  const options: readonly (readonly [string, Common])[] = [
    ['genuine', {}],
    ['a bound key', { jwk: JWK }],
    ['another nonce', { nonce: OTHER_NONCE }],
    ['the nonce in the quote alone', { claims: { userData: null } }],
    ['user data of others', { claims: { userData: OTHER_NONCE } }],
    ['lower case user data', { claims: { userDataCase: 'lower' } }],
    ['Secure Boot off', { claims: { vmConfiguration: { 'secure-boot': false } } }],
    ['Secure Boot of another type', { claims: { vmConfiguration: { 'secure-boot': 'yes' } } }],
    ['no configuration', { claims: { vmConfiguration: null } }],
    ['more members', { claims: { more: { surplus: [1, 2.5, 'x'] } } }],
    ['no keys', { claims: { keys: [] } }],
    ['another attestation key', { claims: { ak: other.publicJwk } }],
    ['claims that are no JSON', { runtimeClaims: 'not JSON' }],
    ['a member twice', { runtimeClaims: '{"keys":[],"keys":[]}' }],
    ['claims of a number', { runtimeClaims: '1' }],
    ['SHA-384 of the claims', { hcl: { hashType: 2 } }],
    ['another report type', { hcl: { reportType: 3 } }],
    ['no signature of HCL', { hcl: { signature: Buffer.from('HCLB') } }],
    ['a longer size', { hcl: { variableDataSize: 60000 } }],
    ['PCRs 0 to 3', { quote: selection('sha256', 0, 1, 2, 3) }],
    ['PCR 16', { quote: selection('sha256', 16) }],
    ['the bank of SHA-1', { quote: selection('sha1', 0, 1, 2, 3, 4, 5, 6, 7) }],
    ['no PCRs', { quote: { selections: [] } }],
    ['another PCR digest', { quote: { pcrDigest: new Uint8Array(32) } }],
    ['a quote signed by another key', { quote: { signing: { key: other.privateKey } } }],
    ['a TPMT_SIGNATURE', { quote: { signing: { form: 'tpmt' } } }],
    ['RSA-PSS', { quote: { signing: { scheme: 'rsapss' } } }],
    ['RSA-PSS in a TPMT_SIGNATURE', { quote: { signing: { scheme: 'rsapss', form: 'tpmt' } } }],
    [
      'a quote with another magic',
      { quote: { beforeSigning: (bytes) => bytes.map((byte, at) => (at === 0 ? 0 : byte)) } },
    ],
  ];
  return options;
}
