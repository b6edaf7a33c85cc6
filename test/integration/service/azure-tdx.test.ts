import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService, ServiceOptions } from '../../../src/app/service.js';
import type { JsonObject } from '../../../src/core/json.js';
import {
  AZURE_MRTD,
  type AzureTdxEvidenceOptions,
  createAzureAkPki,
  createIntelPki,
  createTdxGuest,
  createTdxVirtualMachine,
  labCcelEvents,
  TdxPlatform,
} from '../../lab/index.js';
import { base64Url, LabService, lenientPolicy, NONCE, post, verdictOf } from './lab-service.js';

/** Evidence of TDX over HTTP, judged by the service as it is put together for production but for the roots. */

const INTEL = createIntelPki();
const AK_PKI = createAzureAkPki();
const DAY = 24 * 60 * 60 * 1000;
/** NotBefore of the AK certificates that the lab issues. */
const ISSUED = AK_PKI.at.getTime() - 7 * DAY;
const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10);
const platform = new TdxPlatform({ pki: INTEL });
const guest = createTdxGuest({ platform });
const lab = await LabService.create();
const vm = await createTdxVirtualMachine({ platform, vtpm: lab.vm.vtpm, nonPersistedTpm: true });
const key = vm.vtpm.publicJwk;

const OPEN_MEMBERS = { accepts: ['tdx', 'az-tdx-vtpm', 'az-snp-vtpm'], minimums: 'any', freshness: 'required' };
const OPEN = lenientPolicy('open', OPEN_MEMBERS);
const SERVICE_TD = lenientPolicy('service-td', {
  ...OPEN_MEMBERS,
  require: { tdx: { mrServiceTd: ['38'.repeat(48)] } },
});

let listed: RunningService;
let unlisted: RunningService;
/** With AK certificates counted from the day of the lab's on, and from the day after. */
let dated: RunningService;
let later: RunningService;
let configured: RunningService;

beforeAll(async () => {
  await lab.writePolicy(OPEN);
  await lab.writePolicy(SERVICE_TD);
  const roots = join(lab.root, 'ak-roots.pem');
  await writeFile(roots, AK_PKI.authority('root').pem);
  const world: Partial<ServiceOptions> = { intelRootPins: INTEL.pins };
  const azureRoot: Partial<ServiceOptions> = {
    ...world,
    replaced: { azureRootPins: AK_PKI.pins },
  };
  const certified = (day: string) => ({ ...keys, azure: { paravisors: { akCertificates: day } } });
  const keys = { intel: { pcs: 'off' } };
  const azure = { paravisors: { mrtds: [AZURE_MRTD] } };
  listed = await lab.start({ ...keys, azure }, world, 'listed');
  unlisted = await lab.start(keys, azureRoot, 'unlisted');
  dated = await lab.start(certified(dayOf(ISSUED)), azureRoot, 'dated');
  later = await lab.start(certified(dayOf(ISSUED + DAY)), azureRoot, 'later');
  configured = await lab.start({ ...keys, tpm: { roots: [roots] } }, world, 'configured');
});

afterAll(() => lab.close());

function verify({ url }: RunningService, evidence: JsonObject, members: object = {}) {
  return post(url, '/verify', JSON.stringify({ evidence, nonce: base64Url(NONCE), ...members }));
}

const evidenceOf = (options: AzureTdxEvidenceOptions = {}) => vm.wireEvidence({ nonce: NONCE, ...options });

describe('an Azure VM on TDX', () => {
  it('is allowed under the baseline, with every claim and endorsement', async () => {
    const answer = await verify(listed, evidenceOf());
    expect(verdictOf(answer)).toEqual(['allow']);
    const { claims, endorsements, freshness, evidence } = answer.body;
    expect(evidence.type).toBe('az-tdx-vtpm');
    expect(claims.tdx).toMatchObject({ mrtd: AZURE_MRTD, fmspc: platform.fmspc, tcb: { status: 'UpToDate' } });
    expect(claims.hcl).toMatchObject({ reportType: 'tdx', paravisor: { known: true, by: 'mrtd' } });
    expect(claims.hcl.vmConfiguration).toMatchObject({ tpmPersisted: false, secureBoot: true });
    expect(freshness.bound).toEqual(['tpm.extraData', 'hcl.userData']);
    const kinds = endorsements.map(({ kind }: { kind: string }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(['pck', 'pck-ca', 'sgx-root', 'tcb-info', 'qe-identity', 'crl']));
  });

  it('TDX-22 is 400 without its quote, and with a TDREPORT in its place', async () => {
    const { tdQuote: _, ...without } = evidenceOf();
    const report = vm.tdReport({ nonce: NONCE });
    const inPlace = { ...without, tdQuote: base64Url(report) };
    const area = { ...without, tdQuote: base64Url(Buffer.concat([report, Buffer.alloc(160)])) };
    for (const evidence of [without, inPlace, area]) {
      const { status, body } = await verify(listed, evidence);
      expect([status, body.code, body.pointer]).toEqual([400, 'tdx_not_a_quote', '/evidence/tdQuote']);
    }
  });

  it('TDX-23 is denied where its TDREPORT is of another TD, also without any collateral', async () => {
    for (const collateral of [{}, null]) {
      const tdReport = { fields: { mrConfigId: new Uint8Array(48).fill(1) } };
      const { body } = await verify(listed, evidenceOf({ tdReport, collateral }), { policy: 'open' });
      expect(body.decision).toBe('deny');
      expect(body.reasons[0]).toBe('tdx_report_mismatch');
    }
  });

  it('TDX-16 is allowed with a service TD that the policy lists, where the quote names it', async () => {
    const td = { mrServiceTd: new Uint8Array(48).fill(0x38) };
    const judged = async (policy: string, version: 4 | 5) =>
      verdictOf(await verify(listed, evidenceOf({ td, tdQuote: { version } }), { policy }));
    expect(await judged('service-td', 5)).toEqual(['allow']);
    expect(await judged('open', 5)).toEqual(['deny', 'tdx_service_td']);
    for (const policy of ['service-td', 'open']) expect(await judged(policy, 4)).toEqual(['deny', 'tdx_service_td']);
  });

  it('is indeterminate without collateral, where no source has any', async () => {
    const answer = await verify(listed, evidenceOf({ collateral: null }));
    expect(verdictOf(answer)).toEqual(['indeterminate', 'collateral_unavailable']);
    expect(answer.body.claims).toMatchObject({ tdx: null, hcl: null, tpm: null });
  });

  it('HCL-15 is known by the certificate of its key, and then says nothing of Secure Boot', async () => {
    const ak = AK_PKI.certificate({ key });
    expect(verdictOf(await verify(dated, evidenceOf()))).toEqual(['deny', 'hcl_paravisor']);
    expect(verdictOf(await verify(dated, evidenceOf({ ak })))).toEqual(['deny', 'secure_boot_unknown']);
    const answer = await verify(dated, evidenceOf({ ak }), { policy: 'open' });
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(answer.body.claims.hcl).not.toHaveProperty('vmConfiguration');
    const { endorsements } = answer.body;
    expect(endorsements.filter(({ kind }: { kind: string }) => kind === 'ak')).toMatchObject([
      { source: 'evidence', revocation: 'not_applicable' },
    ]);
  });

  it('HCL-17 is unknown by the certificate of its key by default, and by one from before the configured day', async () => {
    const ak = AK_PKI.certificate({ key });
    for (const service of [unlisted, later]) {
      for (const policy of ['open', 'azure-cvm-baseline']) {
        const answer = await verify(service, evidenceOf({ ak }), { policy });
        expect(verdictOf(answer)).toEqual(['deny', 'hcl_paravisor']);
        expect(answer.body.claims.hcl.vmConfiguration).toMatchObject({ secureBoot: true });
      }
    }
  });

  it('HCL-14 trusts the certificate below a root of the operator for the key, and knows no paravisor by it', async () => {
    const ak = AK_PKI.certificate({ key, shape: '2025' });
    expect(verdictOf(await verify(listed, evidenceOf({ ak })))).toEqual(['deny', 'ak_cert_untrusted']);
    expect(verdictOf(await verify(configured, evidenceOf({ ak })))).toEqual(['deny', 'hcl_paravisor']);
    const snp = lab.vm.wireEvidence({ nonce: NONCE, ak });
    expect(verdictOf(await verify(configured, snp, { policy: 'open' }))).toEqual(['allow']);
  });

  it("HCL-14 trusts what the operator's file held when it was last read without fault", async () => {
    const roots = join(lab.root, 'ak-roots-that-change.pem');
    await writeFile(roots, INTEL.root.pem);
    const keys = { intel: { pcs: 'off' }, tpm: { roots: [roots] } };
    const service = await lab.start(keys, { intelRootPins: INTEL.pins }, 'changing');
    const evidence = lab.vm.wireEvidence({ nonce: NONCE, ak: AK_PKI.certificate({ key, shape: '2025' }) });
    const judged = async (text: string) => {
      await writeFile(roots, text);
      await service.reload();
      return verdictOf(await verify(service, evidence, { policy: 'open' }));
    };
    expect(await judged(INTEL.root.pem)).toEqual(['deny', 'ak_cert_untrusted']);
    expect(await judged(AK_PKI.authority('root').pem)).toEqual(['allow']);
    expect(await judged('')).toEqual(['allow']);
    expect(lab.output).toContain('roots not reloaded: the previous ones stay in force');
    expect(await judged(INTEL.root.pem)).toEqual(['deny', 'ak_cert_untrusted']);
  });
});

describe('dialects of TDX', () => {
  const allowed = async (evidence: JsonObject) => {
    const answer = await verify(listed, evidence, { policy: 'open' });
    return [answer.body.decision, ...(answer.body.reasons ?? [answer.body.code])];
  };

  it('are the same evidence, with what was not in them looked for elsewhere', async () => {
    const bare = guest.wireEvidence({ nonce: NONCE, collateral: null });
    const native = await verify(listed, bare, { policy: 'open' });
    const outblob = bare['quote'] ?? '';
    const values = {
      'configfs-tsm': { provider: 'tdx_guest', outblob },
      maa: { quote: outblob },
      ita: { tdx: { quote: outblob } },
    };
    for (const [dialect, value] of Object.entries(values)) {
      const answer = await verify(listed, { type: 'tdx', dialect, value }, { policy: 'open' });
      expect(verdictOf(answer)).toEqual(['indeterminate', 'collateral_unavailable']);
      expect(answer.body.evidence).toEqual(native.body.evidence);
    }
  });

  it('twin: the native form with collateral is allowed', async () => {
    expect(await allowed(guest.wireEvidence({ nonce: NONCE }))).toEqual(['allow']);
    expect(await allowed(guest.wireEvidence({ nonce: NONCE, runtimeData: 'nonce' }))).toEqual(['allow']);
  });
});

describe('inspection', () => {
  it('prints what an operator would add, and conforms to its schema', async () => {
    const { status, body } = await post(
      listed.url,
      '/inspect',
      JSON.stringify(evidenceOf({ ak: AK_PKI.certificate({ key }) })),
    );
    expect(status).toBe(200);
    expect(body.verified).toBe(false);
    const entry = body.structures.find(({ name }: { name: string }) => name === 'configuration');
    expect(entry.fields).toMatchObject([{ name: 'azure.paravisors.mrtds', value: [AZURE_MRTD] }]);
  });

  it('shows the log of a bare TD', async () => {
    const measured = createTdxGuest({ platform, ccel: labCcelEvents() });
    const { status, body } = await post(listed.url, '/inspect', JSON.stringify(measured.wireEvidence()));
    expect(status).toBe(200);
    const log = body.structures.find(({ name }: { name: string }) => name === 'event log');
    expect(log.fields[4]).toMatchObject({
      name: 'EV_EFI_ACTION',
      value: { index: 2, text: 'Calling EFI Application from Boot Option' },
      meaning: 'RTMR 1',
    });
  });

  it('refuses a malformed log, at its place', async () => {
    const { status, body } = await post(
      listed.url,
      '/inspect',
      JSON.stringify({ ...guest.wireEvidence(), ccel: 'AQ' }),
    );
    expect([status, body.code, body.pointer]).toEqual([400, 'eventlog_format', '/ccel']);
  });
});
