import { describe, expect, it } from 'vitest';
import { hex } from '../../../src/core/bytes.js';
import type { Evidence } from '../../../src/core/evidence.js';
import { describeEvidence } from '../../../src/inspect/describe-evidence.js';
import { parseHclReport } from '../../../src/tee/azure/format/hcl-report.js';
import {
  AZURE_ID_KEY_DIGEST,
  AZURE_MRTD,
  createAzureAkPki,
  createTdxGuest,
  createTrustedLaunchMachine,
  createVirtualMachine,
  labCcelEvents,
  SnpGuest,
} from '../../lab/index.js';
import { PLATFORM, TDX_VM } from '../tee/azure/tdx-fixture.js';
import { AT, NONCE, PKI } from '../tee/fixture.js';

const vm = await createVirtualMachine({ pki: PKI });
const guest = new SnpGuest(vm.platform);

const tdGuest = createTdxGuest({ platform: PLATFORM });
const AK = createAzureAkPki({ at: AT }).certificate({ key: TDX_VM.vtpm.publicJwk });

const EVENT_LOG_BYTES = 2 ** 20;

const described = (evidence: Evidence) => describeEvidence(evidence, EVENT_LOG_BYTES);
const structures = (evidence: Evidence) => described(evidence).map(({ name, about }) => `${name} ${about}`);

function expectRefused(evidence: Evidence, code: string, pointer: string): void {
  expect(() => described(evidence)).toThrow(expect.objectContaining({ name: 'FormatError', code, pointer }));
}

/** The value at a pointer into evidence in its native form. */
function bytesOf(evidence: Evidence, about: string): Uint8Array {
  const members = about === '/akCertificate' ? ['ak', 'certificate', 'der'] : about.split('/').slice(1);
  const found = members.reduce<unknown>((value, member) => Object(value)[member], evidence);
  return found instanceof Uint8Array ? found : new Uint8Array();
}

describe('description of evidence', () => {
  it('has the report of a bare guest, and its runtime data where there are any', () => {
    expect(structures(guest.evidence())).toEqual(['ATTESTATION_REPORT /report']);
    expect(structures(guest.evidence({ runtimeData: 'nonce' }))).toEqual([
      'ATTESTATION_REPORT /report',
      'runtime data /runtimeData',
    ]);
  });

  it('has every structure of an Azure confidential VM', () => {
    expect(structures(vm.evidence())).toEqual([
      'HCL report /hclReport',
      'runtime data /hclReport',
      'ATTESTATION_REPORT /hclReport',
      'TPMS_ATTEST /tpmQuote/message',
      'PCR values /tpmQuote/pcrs',
      'configuration /hclReport',
    ]);
  });

  it('has what came of a paravisor’s report that the guest took apart, and the keys of its vTPM', () => {
    const { hardwareReport, runtimeClaims } = parseHclReport(vm.hclReport());
    const hclReport = { hardwareReport, runtimeClaims };
    const members = { akPublic: vm.vtpm.akPublic(), certifiedKey: vm.vtpm.certify(vm.vtpm.publicJwk) };
    const ofVtpm = ['TPMS_ATTEST /tpmQuote/message', 'PCR values /tpmQuote/pcrs'];
    const ofKeys = [
      'TPM2B_PUBLIC /akPublic',
      'TPMS_ATTEST /certifiedKey/info',
      'TPM2B_PUBLIC /certifiedKey/publicArea',
    ];
    expect(structures({ ...vm.evidence(), hclReport, ...members })).toEqual([
      'runtime data /hclReport',
      'ATTESTATION_REPORT /hclReport',
      ...ofVtpm,
      ...ofKeys,
      'configuration /hclReport',
    ]);
    const td = TDX_VM.evidence({ collateral: null });
    const ofTd = { hardwareReport: null, runtimeClaims: TDX_VM.runtimeClaims() };
    expect(structures({ ...td, hclReport: ofTd, ...members })).toEqual([
      'runtime data /hclReport',
      'TD quote /tdQuote',
      'report of the quoting enclave /tdQuote',
      ...Array(3).fill('certificate of the quote /tdQuote'),
      ...ofVtpm,
      ...ofKeys,
      'configuration /tdQuote',
    ]);
    const publicArea = new Uint8Array(3);
    expectRefused({ ...vm.evidence(), akPublic: publicArea }, 'tpm_format', '/akPublic');
    const broken = { ...members.certifiedKey, publicArea };
    expectRefused({ ...vm.evidence(), certifiedKey: broken }, 'tpm_format', '/certifiedKey/publicArea');
  });

  it('has every structure of a vTPM by itself', async () => {
    const machine = await createTrustedLaunchMachine();
    expect(structures(machine.evidence({ nonce: NONCE }))).toEqual([
      'TPMS_ATTEST /tpmQuote/message',
      'PCR values /tpmQuote/pcrs',
      'AK certificate /akCertificate',
      ...Array(3).fill('certificate above the AK /akChain'),
    ]);
    const evidence = machine.evidence();
    const message = evidence.tpmQuote.message.subarray(1);
    expectRefused(
      { ...evidence, tpmQuote: { ...evidence.tpmQuote, message: message.subarray(0, 3) } },
      'tpm_format',
      '/tpmQuote',
    );
  });

  it('has every structure of an Azure confidential VM on TDX', () => {
    expect(structures(TDX_VM.evidence({ ak: AK }))).toEqual([
      'HCL report /hclReport',
      'runtime data /hclReport',
      'TDREPORT /hclReport',
      'TD quote /tdQuote',
      'report of the quoting enclave /tdQuote',
      ...Array(3).fill('certificate of the quote /tdQuote'),
      'TPMS_ATTEST /tpmQuote/message',
      'PCR values /tpmQuote/pcrs',
      'TCB info /collateral/tcb_info',
      'QE identity /collateral/qe_identity',
      'revocation list /collateral/pck_crl',
      'revocation list /collateral/root_ca_crl',
      'AK certificate /akCertificate',
      ...Array(3).fill('certificate above the AK /akChain'),
      'configuration /tdQuote',
    ]);
  });

  it.each<[string, Evidence]>([
    ['an Azure confidential VM', vm.evidence()],
    ['one on TDX', TDX_VM.evidence({ ak: AK })],
    ['a bare guest', guest.evidence({ runtimeData: 'nonce' })],
    ['a bare TD', createTdxGuest({ platform: PLATFORM, ccel: labCcelEvents() }).evidence()],
  ])('says where each structure of %s starts in what it is about', (_whose, evidence) => {
    const shown = described(evidence)
      .filter(({ start }) => start !== null)
      .flatMap(({ about, start, fields }) => fields.map((field) => ({ ...field, about, start: start ?? 0 })))
      // That of SNP is shown in big endian, and user-data is text.
      .filter(({ name }) => name !== 'SIGNATURE' && name !== 'user-data')
      .filter(({ offset, value }) => offset !== null && typeof value === 'string' && /^[0-9a-f]{8,}$/.test(value));
    expect(shown.length).toBeGreaterThan(0);
    for (const { about, start, offset, length, value } of shown) {
      const from = start + (offset ?? 0);
      expect(hex(bytesOf(evidence, about).subarray(from, from + (length ?? 0)))).toBe(value);
    }
  });

  it('says nothing of that where the guest took the report apart', () => {
    const { hardwareReport, runtimeClaims } = parseHclReport(vm.hclReport());
    const parts = described({ ...vm.evidence(), hclReport: { hardwareReport, runtimeClaims } });
    expect(parts.find(({ name }) => name === 'ATTESTATION_REPORT')?.start).toBeNull();
  });

  it('has quote, runtime data and collateral of a bare TD', () => {
    const evidence = tdGuest.evidence({ runtimeData: 'nonce' });
    expect(structures(evidence).filter((name) => !/certificate|revocation list/.test(name))).toEqual([
      'TD quote /quote',
      'report of the quoting enclave /quote',
      'runtime data /runtimeData',
      'TCB info /collateral/tcb_info',
      'QE identity /collateral/qe_identity',
    ]);
    expect(structures({ ...evidence, runtimeData: null, collateral: null })).not.toContain('runtime data /runtimeData');
  });

  it('has the log of a bare TD, up to the longest that is read', () => {
    const evidence = createTdxGuest({ platform: PLATFORM, ccel: labCcelEvents() }).evidence();
    expect(structures(evidence).slice(-2)).toEqual(['event log header /ccel', 'event log /ccel']);
    expect(structures({ ...evidence, ccel: null }).filter((name) => name.includes('event log'))).toEqual([]);
    const length = evidence.ccel?.byteLength ?? 0;
    expect(describeEvidence(evidence, length)).toEqual(described(evidence));
    expect(() => describeEvidence(evidence, length - 1)).toThrow(
      expect.objectContaining({ name: 'FormatError', code: 'eventlog_limit', pointer: '/ccel' }),
    );
    expectRefused({ ...evidence, ccel: Uint8Array.of(1) }, 'eventlog_format', '/ccel');
  });

  it('says what an operator would add to have a paravisor known', () => {
    const added = (evidence: Evidence) =>
      described(evidence)
        .filter(({ name }) => name === 'configuration')
        .flatMap(({ fields }) => fields.map(({ name, value }) => [name, value]));
    expect(added(vm.evidence())).toEqual([['azure.paravisors.idKeyDigests', [AZURE_ID_KEY_DIGEST]]]);
    expect(added(TDX_VM.evidence())).toEqual([['azure.paravisors.mrtds', [AZURE_MRTD]]]);
    const runtimeData = TDX_VM.runtimeClaims();
    const mrtd = 'd1'.repeat(48);
    expect(added(tdGuest.evidence({ runtimeData }))).toEqual([['azure.paravisors.mrtds', [mrtd]]]);
    expect(added(tdGuest.evidence({ runtimeData: 'nonce' }))).toEqual([]);
    expect(added(guest.evidence({ runtimeData }))).toEqual([['azure.paravisors.idKeyDigests', [AZURE_ID_KEY_DIGEST]]]);
  });

  it.each([4, 5] as const)('shows the fields of a quote of version %i, at their places', (version) => {
    const evidence = tdGuest.evidence({ nonce: NONCE, quote: { version } });
    const [quote] = described(evidence);
    const fields = new Map(quote?.fields.map((field) => [field.name, field]));
    expect(fields.get('version')?.value).toBe(version);
    expect(fields.get('MRTD')).toMatchObject({ offset: version === 4 ? 184 : 190, length: 48, value: 'd1'.repeat(48) });
    expect(fields.get('TDATTRIBUTES')?.meaning).toBe('SEPT_VE_DISABLE');
    expect(fields.has('MRSERVICETD')).toBe(version === 5);
    for (const { offset, length, value } of fields.values()) {
      if (typeof value !== 'string' || offset === null || length === null || value.startsWith('0x')) continue;
      expect(value).toBe(Buffer.from(evidence.quote.subarray(offset, offset + length)).toString('hex'));
    }
  });

  it('shows platform, windows and levels', () => {
    const all = described(tdGuest.evidence());
    const valuesOf = (structure: string, field: string) =>
      all.filter(({ name }) => name === structure).flatMap(({ fields }) => fields.filter(({ name }) => name === field));
    expect(valuesOf('certificate of the quote', 'FMSPC')).toMatchObject([{ value: '00806f050000' }]);
    expect(valuesOf('TCB info', 'fmspc')).toMatchObject([{ value: '00806f050000' }]);
    expect(valuesOf('TCB info', 'tcbEvaluationDataNumber')).toMatchObject([{ value: 19 }]);
    expect(valuesOf('QE identity', 'newest level')).toMatchObject([{ value: { tcbStatus: 'UpToDate' } }]);
    expect(valuesOf('revocation list', 'issuer').map(({ value }) => value)).toEqual([
      'Intel SGX PCK Platform CA',
      'Intel SGX Root CA',
    ]);
  });

  it('refuses what is malformed, and says which structure it is', () => {
    const bare = guest.evidence();
    expectRefused({ ...bare, report: bare.report.subarray(1) }, 'snp_format', '/report');
    const azure = vm.evidence();
    expectRefused({ ...azure, hclReport: azure.hclReport.subarray(1) }, 'hcl_format', '/hclReport');
    const tpmQuote = { ...azure.tpmQuote, message: new Uint8Array(3) };
    expectRefused({ ...azure, tpmQuote }, 'tpm_format', '/tpmQuote');
    const td = TDX_VM.evidence({ ak: AK });
    expectRefused({ ...td, tdQuote: td.tdQuote.subarray(1) }, 'tdx_format', '/tdQuote');
    expectRefused({ ...td, tdQuote: TDX_VM.tdReport() }, 'tdx_not_a_quote', '/tdQuote');
    expectRefused({ ...td, hclReport: azure.hclReport }, 'hcl_format', '/hclReport');
    const { collateral } = td;
    if (collateral === null) throw new Error('no collateral');
    expectRefused({ ...td, collateral: { ...collateral, tcbInfo: '[]' } }, 'schema', '/collateral/tcb_info');
    const rootCaCrl = new Uint8Array();
    expectRefused({ ...td, collateral: { ...collateral, rootCaCrl } }, 'cert_format', '/collateral/root_ca_crl');
    expectRefused({ ...td, ak: { ...AK, chain: 'x' } }, 'cert_format', '/akChain');
    expectRefused({ ...td, ak: { ...AK, certificate: { der: rootCaCrl } } }, 'cert_format', '/akCertificate');
    expectRefused({ ...tdGuest.evidence(), quote: new Uint8Array(9) }, 'tdx_format', '/quote');
  });

  it('refuses the paravisor report of another TEE', () => {
    const evidence = vm.evidence({
      hcl: { reportType: 4, hardwareReport: Uint8Array.of(0x81, ...new Uint8Array(1023)) },
    });
    expectRefused(evidence, 'hcl_format', '/hclReport');
  });
});
