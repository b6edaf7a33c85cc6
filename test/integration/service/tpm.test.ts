import { createPublicKey } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService, ServiceOptions } from '../../../src/app/service.js';
import type { JsonObject } from '../../../src/core/json.js';
import {
  AZURE_MRTD,
  basicConstraints,
  buildGoTpmAttestation,
  createAzureAkPki,
  createIntelPki,
  createTdxVirtualMachine,
  createTrustedLaunchMachine,
  type GoTpmFields,
  goTpmFields,
  TdxPlatform,
  type TpmEvidenceOptions,
  VirtualTpm,
  wireEvidence,
} from '../../lab/index.js';
import { base64Url, challenge, lenientPolicy, NONCE, post, verdictOf } from './lab-service.js';
import { maaResult, TokenLab } from './token-lab.js';

/** Evidence of a vTPM alone over HTTP, and the folder in which the chains of attestation keys are completed. */

const AK_PKI = createAzureAkPki();
const FOREIGN = createAzureAkPki({ keys: 'foreign-azure-vtpm' });
const INTEL = createIntelPki();
/** Public key that guests bind. */
const JWK = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
};
const DAY = 24 * 60 * 60 * 1000;
const tokens = await TokenLab.create();
const lab = tokens.service;
const machine = await createTrustedLaunchMachine({ pki: AK_PKI });
const td = await createTdxVirtualMachine({ platform: new TdxPlatform({ pki: INTEL }), vtpm: lab.vm.vtpm });

const OF_TPM = { accepts: ['tpm'], routes: { hardware: 'off' }, freshness: 'required' };
const pcr = (index: number) => Buffer.from(machine.vtpm.pcr('sha256', index)).toString('hex');
const POLICIES = [
  lenientPolicy('open', { accepts: ['tdx', 'az-tdx-vtpm', 'az-snp-vtpm', 'snp'], freshness: 'required' }),
  lenientPolicy('vtpm', OF_TPM),
  lenientPolicy('vtpm-strict', { ...OF_TPM, freshness: 'strict', binding: 'required' }),
  lenientPolicy('vtpm-challenge', { ...OF_TPM, nonce: 'challenge' }),
  lenientPolicy('vtpm-boot', { ...OF_TPM, require: { tpm: { quotedPcrs: [0, 7] } } }),
  lenientPolicy('vtpm-tracking', { ...OF_TPM, freshness: 'none', require: { tpm: { trackResets: true } } }),
  lenientPolicy('vtpm-secure-boot', { ...OF_TPM, secureBoot: 'required' }),
  lenientPolicy('vtpm-reference', { ...OF_TPM, referenceValues: [{ tpm: { pcrs: { sha256: { '7': [pcr(7)] } } } }] }),
  lenientPolicy('vtpm-other', { ...OF_TPM, referenceValues: [{ tpm: { pcrs: { sha256: { '7': [pcr(4)] } } } }] }),
];

let service: RunningService;
let issuers: string;

beforeAll(async () => {
  for (const policy of POLICIES) await lab.writePolicy(policy);
  issuers = join(lab.root, 'tpm');
  const world: Partial<ServiceOptions> = {
    intelRootPins: INTEL.pins,
    replaced: { azureRootPins: AK_PKI.pins },
  };
  const azure = { paravisors: { mrtds: [AZURE_MRTD] } };
  service = await tokens.start(
    { intel: { pcs: 'off' }, azure, tpm: { intermediates: issuers }, historical: true },
    world,
  );
});

afterAll(() => tokens.close());

function verify(evidence: JsonObject, members: object = {}) {
  return post(service.url, '/verify', JSON.stringify({ evidence, nonce: base64Url(NONCE), ...members }));
}

const evidenceOf = (options: TpmEvidenceOptions = {}) => machine.wireEvidence({ nonce: NONCE, ...options });
const judged = async (policy: string, options: TpmEvidenceOptions = {}) =>
  verdictOf(await verify(evidenceOf(options), { policy }));

describe('a vTPM by itself', () => {
  it('is allowed under a policy for it, with its claims and endorsements, and TPM only', async () => {
    const { body } = await verify(evidenceOf(), { policy: 'vtpm' });
    expect(body.decision).toBe('allow');
    expect(body.evidence.type).toBe('tpm');
    const { claims, trust, endorsements, freshness, maaView, crossCheck } = body;
    expect(claims).toEqual({ snp: null, tdx: null, hcl: null, tpm: expect.anything(), maa: null, ita: null });
    expect(claims.tpm.pcrs.sha256['7']).toBe(pcr(7));
    expect(claims.tpm.clock).toEqual({ resetCount: 7, restartCount: 0, safe: true });
    expect(trust).toEqual({
      status: 'none',
      submods: { vtpm: { status: 'none', vector: { 'instance-identity': 0 } } },
    });
    expect(endorsements.map(({ kind }: { kind: string }) => kind)).toEqual(['ak', 'ak-ca', 'ak-ca', 'ak-ca']);
    expect(freshness.bound).toEqual(['tpm.extraData']);
    expect([maaView, crossCheck]).toEqual([null, null]);
    const said = body.checks.filter(({ detail }: { detail: string }) => detail.includes('TPM only'));
    expect(said.map(({ id }: { id: string }) => id)).toEqual(['ak_cert_untrusted', 'policy_evidence_type']);
  });

  it.each(['azure-cvm-baseline', 'open', 'off'])('HCL-14 never satisfies %s, which accepts a TEE', async (policy) => {
    const { body } = await verify(evidenceOf({ certificate: { vm: 'ConfidentialVM' } }), { policy });
    expect([body.decision, body.reasons]).toEqual(['deny', ['policy_evidence_type']]);
    expect(body.trust.submods).not.toHaveProperty('hardware');
    const both = await verify(evidenceOf(), { policy: ['vtpm', policy] });
    expect(verdictOf(both)).toEqual(['deny', 'policy_evidence_type']);
  });

  it('DEC-12 is not what a policy for TEEs gets in place of their evidence', async () => {
    const evidence = lab.vm.wireEvidence({ nonce: NONCE });
    expect(verdictOf(await verify(evidence, { policy: 'vtpm' }))).toEqual(['deny', 'policy_evidence_type']);
  });

  it('is denied for another nonce, and under policies that ask for more', async () => {
    expect(await judged('vtpm', { nonce: new Uint8Array(32) })).toEqual(['deny', 'nonce_mismatch']);
    expect(await judged('vtpm-strict')).toEqual(['deny', 'binding_missing']);
    expect(await judged('vtpm-challenge')).toEqual(['deny', 'nonce_missing']);
    expect(await judged('vtpm-secure-boot')).toEqual(['deny', 'secure_boot_unknown']);
    const none = await post(service.url, '/verify', JSON.stringify({ evidence: evidenceOf(), policy: 'vtpm' }));
    expect(verdictOf(none)).toEqual(['deny', 'nonce_missing']);
  });

  it('is allowed once with a challenge for its type, and with a bound key under strict', async () => {
    const nonce = await challenge(service, { evidenceType: 'tpm' });
    const asked = () => verify(machine.wireEvidence({ nonce }), { nonce: base64Url(nonce), policy: 'vtpm-challenge' });
    expect(verdictOf(await asked())).toEqual(['allow']);
    expect(verdictOf(await asked())).toEqual(['deny', 'nonce_used']);
    const bound = await verify(evidenceOf({ jwk: JWK }), { policy: 'vtpm-strict', binding: { jwk: JWK } });
    expect(verdictOf(bound)).toEqual(['allow']);
    const unbound = await verify(evidenceOf(), { policy: 'vtpm-strict', binding: { jwk: JWK } });
    expect(verdictOf(unbound)).toEqual(['deny', 'nonce_mismatch']);
  });

  it('is one evidence in native form and in the dialects trustee and go-tpm-tools', async () => {
    const native = machine.evidence({ nonce: NONCE, quote: { signing: { form: 'tpmt' } } });
    const { message, signature, pcrs } = native.tpmQuote;
    const { akCertificate = null } = wireEvidence(native);
    const spki = createPublicKey(machine.vtpm.privateKey).export({ format: 'der', type: 'spki' });
    const values = [...(pcrs.get('sha256')?.values() ?? [])].map((value) => Buffer.from(value).toString('hex'));
    const quote = { message: base64Url(message), signature: base64Url(signature), pcrs: values };
    const trustee = { ak_public: base64Url(spki), tpm_quote: quote };
    const held = (['ca24', 'ca2025', 'root'] as const).map((name) => AK_PKI.authority(name).der);
    const fields = goTpmFields(native, machine.vtpm.akPublic().subarray(2), held);
    const goTpmTools = (changed: GoTpmFields = {}) => ({
      type: 'tpm',
      dialect: 'go-tpm-tools',
      value: base64Url(buildGoTpmAttestation({ ...fields, ...changed })),
    });
    const all = [wireEvidence(native), goTpmTools()];
    const answers = await Promise.all(all.map((evidence) => verify(evidence, { policy: 'vtpm' })));
    expect(answers.map(verdictOf)).toEqual([['allow'], ['allow']]);
    // no chain comes with the certificate of a Trustee guest
    const ofTrustee = await verify(
      { type: 'tpm', dialect: 'trustee', value: trustee, akCertificate },
      { policy: 'vtpm' },
    );
    expect(verdictOf(ofTrustee)).toEqual(['deny', 'ak_cert_untrusted']);
    const identities = [...answers, ofTrustee].map(({ body }) => body.evidence.sha256);
    expect(new Set(identities).size).toBe(1);
    const other = (await VirtualTpm.create()).akPublic().subarray(2);
    const foreign = await verify(goTpmTools({ ak_pub: other }), { policy: 'vtpm' });
    expect(verdictOf(foreign)).toEqual(['deny', 'hcl_ak_mismatch']);
    const { status, body } = await verify(goTpmTools({ tdx_attestation: message }), { policy: 'vtpm' });
    expect([status, body.code, body.pointer]).toEqual([400, 'type_mismatch', '/evidence/value']);
    expect(body.detail).toContain('tee_attestation');
  });

  it('TPM-04, HCL-18 has the PCRs that a policy names, in the signed selection', async () => {
    expect(await judged('vtpm-boot')).toEqual(['allow']);
    expect(await judged('vtpm-reference')).toEqual(['allow']);
    expect(await judged('vtpm-other')).toEqual(['deny', 'tpm_pcr']);
    const sixteen = { quote: { selections: [{ bank: 'sha256', indices: [16] } as const] } };
    expect(await judged('vtpm-boot', sixteen)).toEqual(['deny', 'tpm_pcr_not_quoted']);
    expect(await judged('vtpm-reference', sixteen)).toEqual(['deny', 'tpm_pcr_not_quoted']);
    expect(await judged('vtpm', sixteen)).toEqual(['allow']);
  });

  it('HCL-14 is denied with a certificate of another key, and 400 without one', async () => {
    const other = await VirtualTpm.create();
    expect(await judged('vtpm', { certificate: { key: other.publicJwk } })).toEqual(['deny', 'tpm_signature']);
    const { akCertificate: _, akChain: __, ...without } = evidenceOf();
    for (const evidence of [without, { ...without, akChain: AK_PKI.chainPem() }]) {
      const { status, body } = await verify(evidence, { policy: 'vtpm' });
      expect([status, body.code, body.pointer]).toEqual([400, 'schema', '/evidence/akCertificate']);
    }
    const surplus = await verify({ ...evidenceOf(), hclReport: 'AAAA' }, { policy: 'vtpm' });
    expect([surplus.status, surplus.body.code]).toEqual([400, 'unknown_property']);
  });

  it('has a vTPM that contradicts itself, and no hardware, in its trust', async () => {
    const trustOf = async (options: TpmEvidenceOptions) =>
      (await verify(evidenceOf(options), { policy: 'vtpm' })).body.trust;
    const unsigned = await trustOf({ quote: { signing: { key: lab.vm.vtpm.privateKey } } });
    expect(unsigned.status).toBe('contraindicated');
    expect(unsigned.submods.vtpm.vector.hardware).toBe(99);
    const ended = { certificate: { overrides: { notAfter: new Date(Date.now() - DAY) } } };
    for (const untrusted of [ended, { certificate: { chain: null } }]) {
      expect(await trustOf(untrusted)).toEqual({
        status: 'contraindicated',
        submods: { vtpm: { status: 'contraindicated', vector: { 'instance-identity': 97 } } },
      });
    }
  });

  it('TPM-10 is judged for a time in the past by the dates of its certificate, and without memory', async () => {
    const resets = (options: TpmEvidenceOptions, members: object = {}) =>
      verify(evidenceOf(options), { policy: 'vtpm-tracking', ...members });
    const at = (ms: number) => ({ at: new Date(Date.now() - ms).toISOString() });
    const since = new Date(Date.now() - DAY);
    const young = { certificate: { overrides: { notBefore: since } } };
    const before = await resets(young, at(DAY + 60_000));
    expect([verdictOf(before), before.body.historical]).toEqual([['deny', 'cert_validity'], true]);
    const past = await resets({ ...young, quote: { resetCount: 9 } }, at(DAY - 60_000));
    expect([verdictOf(past), past.body.historical]).toEqual([['allow'], true]);
    expect(past.body.checks).toContainEqual(expect.objectContaining({ id: 'tpm_reset', result: 'warn' }));
    const kept = () => readdir(join(lab.root, 'data', 'tpm-resets')).catch(() => []);
    expect(await kept()).toEqual([]);
    expect(verdictOf(await resets({ quote: { resetCount: 7 } }))).toEqual(['allow']);
    expect(await kept()).toHaveLength(1);
    expect(verdictOf(await resets({ quote: { resetCount: 6 } }))).toEqual(['deny', 'tpm_reset']);
    expect(verdictOf(await resets({ quote: { resetCount: 6 } }, at(0)))).toEqual(['allow']);
  });

  it('TOK-18 is denied beside any token, which nothing shows to be about the same machine', async () => {
    const hclReport = lab.vm.hclReport({ nonce: NONCE });
    const token = tokens.maa.issueAzureVm({ hclReport, clientPayloadNonce: NONCE });
    // The vTPM of the very machine that the token is about.
    const same = await createTrustedLaunchMachine({ pki: AK_PKI, vtpm: lab.vm.vtpm });
    const evidence = same.wireEvidence({ nonce: NONCE });
    expect(verdictOf(await verify(evidence, { policy: 'vtpm' }))).toEqual(['allow']);
    const answer = await verify(evidence, { policy: 'vtpm', ...maaResult(token) });
    expect(verdictOf(answer)).toEqual(['deny', 'disagreement']);
    expect(answer.body.crossCheck).toBeNull();
    const ofTrustedLaunch = tokens.maa.issueAzureVm({ hclReport: null, clientPayloadNonce: NONCE });
    const beside = await verify(evidenceOf(), { policy: 'vtpm', ...maaResult(ofTrustedLaunch) });
    expect(beside.body.decision).toBe('deny');
  });

  it('is described, and verified nowhere, by POST /inspect', async () => {
    const { status, body } = await post(service.url, '/inspect', JSON.stringify({ evidence: evidenceOf() }));
    expect([status, body.verified, body.type]).toEqual([200, false, 'tpm']);
    const names = body.structures.map(({ name }: { name: string }) => name);
    expect(names.slice(0, 2)).toEqual(['TPMS_ATTEST', 'PCR values']);
    expect(names.length).toBeGreaterThan(2);
  });
});

describe('the folder of issuers', () => {
  const key = lab.vm.vtpm.publicJwk;
  const bare = { chain: null };
  const all = (['ca24', 'ca2025', 'root'] as const).map((name) => AK_PKI.authority(name));

  async function held(...certificates: readonly { readonly pem: string }[]): Promise<void> {
    await rm(issuers, { recursive: true, force: true });
    await mkdir(issuers);
    await writeFile(join(issuers, 'issuers.pem'), certificates.map(({ pem }) => pem).join('') || 'nothing');
    await service.reload();
  }

  const verdicts = async () => {
    const ak = AK_PKI.certificate({ key, chain: null });
    return Promise.all([
      judged('vtpm', { certificate: bare }),
      verify(lab.vm.wireEvidence({ nonce: NONCE, ak }), { policy: 'open' }).then(verdictOf),
      verify(td.wireEvidence({ nonce: NONCE, ak }), { policy: 'open' }).then(verdictOf),
    ]);
  };
  const each = (...verdict: readonly string[]) => [verdict, verdict, verdict];

  it('HCL-14 completes a chain from the folder of the operator, for every evidence with a vTPM', async () => {
    expect(await verdicts()).toEqual(each('deny', 'ak_cert_untrusted'));
    await held(...all);
    expect(await verdicts()).toEqual(each('allow'));
    const { endorsements } = (await verify(evidenceOf({ certificate: bare }), { policy: 'vtpm' })).body;
    expect(endorsements.map(({ kind, source }: { kind: string; source: string }) => [kind, source])).toEqual([
      ['ak', 'evidence'],
      ['ak-ca', 'store'],
      ['ak-ca', 'store'],
      ['ak-ca', 'store'],
    ]);
    await held(...all.slice(1));
    expect(await verdicts()).toEqual(each('deny', 'ak_cert_untrusted'));
  });

  it('HCL-14 is no way in: a look-alike, one that has ended, and one that is no CA are denied', async () => {
    const [ca2025, root] = [AK_PKI.authority('ca2025'), AK_PKI.authority('root')];
    await held(...(['ca24', 'ca2025', 'root'] as const).map((name) => FOREIGN.authority(name)));
    expect(await verdicts()).toEqual(each('deny', 'ak_cert_untrusted'));
    const ak = FOREIGN.certificate({ key: machine.vtpm.publicJwk, chain: null });
    expect(await judged('vtpm', { ak })).toEqual(['deny', 'ak_cert_untrusted']);
    await held(AK_PKI.issueAuthority('ca24', { notAfter: new Date(Date.now() - DAY) }), ca2025, root);
    expect(await verdicts()).toEqual(each('deny', 'cert_validity'));
    await held(AK_PKI.issueAuthority('ca24', { extensions: [basicConstraints({ ca: false })] }), ca2025, root);
    expect(await verdicts()).toEqual(each('deny', 'ak_cert_untrusted'));
    expect(lab.output).toContain('not the certificate of a CA');
  });

  it('is named in the remedy, with the issuer that is missing', async () => {
    await held();
    const old = evidenceOf({ certificate: { shape: '2025', chain: null } });
    const { body } = await verify(old, { policy: 'vtpm' });
    const { remedy } = body.checks.find(({ id }: { id: string }) => id === 'ak_cert_untrusted');
    expect(remedy).toContain('"Global Virtual TPM CA - 03"');
    expect(remedy).toContain('tpm.intermediates');
  });
});
