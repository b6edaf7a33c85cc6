import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import { createSnpGuest, createVirtualMachine, jwkThumbprint } from '../../lab/index.js';
import {
  base64Url,
  call,
  LabService,
  lenientPolicy,
  NONCE,
  PKI,
  post,
  sha256Hex,
  verdictOf,
  WITHOUT_ENDORSEMENTS,
} from './lab-service.js';

const ANY_PARAVISOR = lenientPolicy('any-paravisor', {
  accepts: ['az-snp-vtpm'],
  minimums: { snp: { Milan: { snp: 24, microcode: 219 } } },
  paravisor: 'any',
  freshness: 'required',
});
const BOUND = lenientPolicy('bound', { binding: 'required', freshness: 'required' });
const LENIENT = lenientPolicy('lenient');

const JWK = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
};
const OTHER_JWK = { kty: 'OKP', crv: 'X25519', x: base64Url(new Uint8Array(32).fill(3)) };

let lab: LabService;
let service: RunningService;

beforeAll(async () => {
  lab = await LabService.create();
  for (const policy of [ANY_PARAVISOR, BOUND, LENIENT]) await lab.writePolicy(policy);
  service = await lab.start();
});

afterAll(() => lab.close());

describe('a VM of Azure', () => {
  it('is allowed under the baseline, with all that vouches for it fetched from KDS', async () => {
    const answer = await lab.verify(service);
    expect(verdictOf(answer)).toEqual(['allow']);
    const { body } = answer;
    expect(body.policies).toMatchObject([{ id: 'azure-cvm-baseline', version: 2, outcome: 'allow', unmatched: [] }]);
    expect(body.endorsements.map(({ kind, revocation }: Record<string, string>) => [kind, revocation])).toEqual(
      expect.arrayContaining([
        ['vcek', 'not_applicable'],
        ['ask', 'good'],
        ['crl', 'not_applicable'],
      ]),
    );
    expect(body.freshness.bound.toSorted()).toEqual(['hcl.userData', 'tpm.extraData']);
    expect([body.historical, body.retryable, body.binding, body.receipt]).toEqual([false, false, null, null]);
    expect(lab.kds.count(/^\/vcek\/v1\/Milan\/crl$/)).toBe(1);
    expect(lab.kds.count(/^\/vcek\/v1\/Milan\/[0-9a-f]{128}\?/)).toBe(1);
  });

  it('is judged a second time without asking KDS again', async () => {
    const asked = lab.kds.count();
    const answer = await lab.verify(service);
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(lab.kds.count()).toBe(asked);
    expect(answer.body.endorsements.map(({ source }: { source: string }) => source)).not.toContain('network');
  });

  it('is answered with a lifetime of at most five minutes', async () => {
    const { body } = await lab.verify(service);
    expect(Date.parse(body.validUntil) - Date.parse(body.decidedAt)).toBe(300_000);
  });

  it('FRS-06 is denied with another nonce in the quote, whatever the runtime claims hold', async () => {
    const other = NONCE.map((byte) => byte ^ 0xff);
    expect(verdictOf(await lab.verify(service, { quote: { extraData: other } }))).toEqual(['deny', 'nonce_mismatch']);
  });

  it('FRS-06 is denied with its nonce in hex, and the remedy has it in base64url', async () => {
    const answer = await lab.verify(service, { members: { nonce: Buffer.from(NONCE).toString('hex') } });
    expect(verdictOf(answer)).toEqual(['deny', 'nonce_mismatch']);
    const { remedy } = answer.body.checks.find(({ id }: { id: string }) => id === 'nonce_mismatch');
    expect(remedy).toContain(` ${Buffer.from(NONCE).toString('base64url')}, which is base64url`);
  });

  it('FRS-06 is denied with its nonce in hex beside a bound key, and the remedy has it in base64url', async () => {
    const nonce = Buffer.from(NONCE).toString('hex');
    const answer = await lab.verify(service, { jwk: JWK, members: { nonce, policy: 'bound' } });
    expect(verdictOf(answer)).toEqual(['deny', 'nonce_mismatch']);
    const found = answer.body.checks.filter(({ id }: { id: string }) => id === 'nonce_mismatch');
    expect(found.map(({ about }: { about: string }) => about)).toEqual([
      '/evidence/hclReport',
      '/evidence/tpmQuote/message',
    ]);
    const said = ` ${Buffer.from(NONCE).toString('base64url')}, which is base64url`;
    for (const { remedy } of found) expect(remedy).toContain(said);
    const other = await lab.verify(service, {
      jwk: JWK,
      members: { nonce, policy: 'bound', binding: { jwk: OTHER_JWK } },
    });
    expect(verdictOf(other)).toEqual(['deny', 'nonce_mismatch']);
    expect(JSON.stringify(other.body.checks)).not.toContain(said);
  });

  it('is denied with a tampered report', async () => {
    const afterSigning = (report: Uint8Array) => report.map((byte, index) => (index === 0x90 ? byte ^ 1 : byte));
    const answer = await lab.verify(service, { report: { afterSigning } });
    expect(verdictOf(answer)).toEqual(['deny', 'snp_signature']);
    expect(answer.body.claims.snp).toBeNull();
  });

  it('is one evidence in native form and in dialect trustee', async () => {
    const evidence = lab.vm.evidence({ nonce: NONCE, endorsements: WITHOUT_ENDORSEMENTS });
    const { hclReport, tpmQuote } = evidence;
    const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
    const pcrs = [...(tpmQuote.pcrs.get('sha256') ?? [])].sort(([a], [b]) => a - b);
    const native = await post(
      service.url,
      '/verify',
      JSON.stringify({
        nonce: base64Url(NONCE),
        evidence: {
          type: 'az-snp-vtpm',
          hclReport: base64Url(hclReport),
          tpmQuote: {
            message: base64Url(tpmQuote.message),
            signature: base64Url(tpmQuote.signature),
            pcrs: { sha256: Object.fromEntries(pcrs.map(([index, value]) => [index, hexOf(value)])) },
          },
        },
      }),
    );
    const trustee = await post(
      service.url,
      '/verify',
      JSON.stringify({
        nonce: base64Url(NONCE),
        evidence: {
          type: 'az-snp-vtpm',
          dialect: 'trustee',
          value: {
            version: 1,
            tpm_quote: {
              message: hexOf(tpmQuote.message),
              signature: hexOf(tpmQuote.signature),
              pcrs: pcrs.map(([, value]) => hexOf(value)),
            },
            hcl_report: base64Url(hclReport),
            vcek: base64Url(lab.vm.platform.vek.der),
          },
        },
      }),
    );
    expect([verdictOf(native), verdictOf(trustee)]).toEqual([['allow'], ['allow']]);
    expect(trustee.body.evidence).toEqual(native.body.evidence);
    const { body } = await lab.verify(service);
    expect(body.evidence.sha256).not.toBe(native.body.evidence.sha256);
  });
});

describe('a bare guest', () => {
  it('is allowed under a policy that accepts its evidence, and denied under one that does not', async () => {
    const guest = createSnpGuest({ pki: PKI, platform: lab.vm.platform });
    const evidence = guest.wireEvidence({ nonce: NONCE, endorsements: WITHOUT_ENDORSEMENTS });
    const body = (policy: string) => JSON.stringify({ evidence, nonce: base64Url(NONCE), policy });
    expect(verdictOf(await post(service.url, '/verify', body('lenient')))).toEqual(['allow']);
    const refused = await post(service.url, '/verify', body('azure-cvm-baseline'));
    expect(verdictOf(refused)).toEqual(['deny', 'policy_evidence_type']);
  });
});

describe('a genuine guest that is no paravisor', () => {
  it('HCL-15 is denied under the baseline, and allowed with a warning where any paravisor will do', async () => {
    const impostor = await createVirtualMachine({
      pki: PKI,
      platform: lab.vm.platform,
      report: { fields: { idKeyDigest: new Uint8Array(48) } },
    });
    const evidence = impostor.wireEvidence({ nonce: NONCE, endorsements: WITHOUT_ENDORSEMENTS });
    const body = (policy: string) => JSON.stringify({ evidence, nonce: base64Url(NONCE), policy });
    const denied = await post(service.url, '/verify', body('azure-cvm-baseline'));
    expect(verdictOf(denied)).toEqual(['deny', 'hcl_paravisor']);
    const allowed = await post(service.url, '/verify', body('any-paravisor'));
    expect(verdictOf(allowed)).toEqual(['allow']);
    const warnings = allowed.body.checks.filter(({ result }: { result: string }) => result === 'warn');
    expect(warnings.map(({ id }: { id: string }) => id)).toEqual(['snp_product_advisory', 'hcl_paravisor_unknown']);
    expect(allowed.body.claims.hcl.paravisor).toEqual({ known: false, by: null });
    // Nothing is known of who it is, and the tier says so in spite of the decision.
    expect(allowed.body.trust.status).toBe('none');
    expect(allowed.body.trust.submods.vtpm.vector['instance-identity']).toBe(0);
    const genuine = await lab.verify(service, { members: { policy: 'any-paravisor' } });
    expect(verdictOf(genuine)).toEqual(['allow']);
    expect(genuine.body.trust.status).toBe('affirming');
    const recognised = { id: 'hcl_paravisor_unknown', result: 'pass' };
    expect(genuine.body.checks).toContainEqual(expect.objectContaining(recognised));
  });
});

describe('a key to bind', () => {
  it('FRS-05 is named in the decision, and its absence too, which policies that ask for one deny', async () => {
    const unbound = await lab.verify(service);
    expect([unbound.body.decision, unbound.body.binding]).toEqual(['allow', null]);
    const refused = await lab.verify(service, { members: { policy: 'bound' } });
    expect(verdictOf(refused)).toEqual(['deny', 'binding_missing']);
    expect(refused.body.binding).toBeNull();
    const bound = await lab.verify(service, { jwk: JWK, members: { policy: 'bound' } });
    expect(verdictOf(bound)).toEqual(['allow']);
    expect(bound.body.binding).toEqual({ jkt: base64Url(jwkThumbprint(JWK)) });
  });

  it.each([
    ['another key', { jwk: JWK, members: { binding: { jwk: OTHER_JWK } } }],
    ['a key, and none is asked for', { jwk: JWK, members: { binding: undefined } }],
    ['no key, and one is asked for', { members: { binding: { jwk: JWK } } }],
  ])('FRS-05 is not that of evidence for %s', async (_title, asked) => {
    const answer = await lab.verify(service, { ...asked, members: { ...asked.members, policy: 'azure-cvm-baseline' } });
    expect(verdictOf(answer)).toEqual(['deny', 'nonce_mismatch']);
  });
});

describe('policies', () => {
  it('DEC-01 that are not there are refused, and nothing is decided', async () => {
    const answer = await lab.verify(service, { members: { policy: 'nobody' } });
    expect([answer.status, answer.body.code]).toEqual([400, 'policy_unknown']);
    const { status, body } = await post(service.url, '/challenges', JSON.stringify({ policy: 'nobody' }));
    expect([status, body.code]).toEqual([400, 'policy_unknown']);
  });

  it('must all allow where a request names several', async () => {
    const both = await lab.verify(service, { members: { policy: ['lenient', 'azure-cvm-baseline'] } });
    expect(verdictOf(both)).toEqual(['allow']);
    const outcomes = (answer: typeof both) => answer.body.policies.map(({ id, outcome }: never) => [id, outcome]);
    expect(outcomes(both)).toEqual([
      ['lenient', 'allow'],
      ['azure-cvm-baseline', 'allow'],
    ]);
    const one = await lab.verify(service, { members: { policy: ['lenient', 'bound'] } });
    expect(verdictOf(one)).toEqual(['deny', 'binding_missing']);
    expect(outcomes(one)).toEqual([
      ['lenient', 'allow'],
      ['bound', 'deny'],
    ]);
    expect(one.body.policies.map(({ sha256 }: { sha256: string }) => sha256)).toEqual([
      sha256Hex(LENIENT),
      sha256Hex(BOUND),
    ]);
  });
});

describe('a line that the operator refuses', () => {
  it('SNP-22 is denied, however genuine the report', async () => {
    const refusing = await lab.start({ amd: { refuseProducts: ['Milan'] } }, {}, 'refusing');
    const answer = await lab.verify(refusing);
    expect(verdictOf(answer)).toEqual(['deny', 'snp_product_refused']);
    const others = await lab.start({ amd: { refuseProducts: ['Genoa', 'Turin'] } }, {}, 'not-refusing');
    expect(verdictOf(await lab.verify(others))).toEqual(['allow']);
  });
});

describe('the question', () => {
  it('?enforce says the decision by the status, too', async () => {
    const denied = { quote: { extraData: new Uint8Array(32).fill(9) } };
    expect((await lab.verify(service, { query: '?enforce=true' })).status).toBe(200);
    expect((await lab.verify(service, { query: '?enforce=true', ...denied })).status).toBe(403);
    expect((await lab.verify(service, denied)).status).toBe(200);
  });

  it('?checks=all lists every check that was not reached', async () => {
    const broken = {
      report: { afterSigning: (report: Uint8Array) => report.map((byte, i) => (i === 0x90 ? byte ^ 1 : byte)) },
    };
    const short = await lab.verify(service, broken);
    const all = await lab.verify(service, { ...broken, query: '?checks=all' });
    const skipped = (answer: typeof all) =>
      answer.body.checks.filter(({ result }: { result: string }) => result === 'skipped').length;
    expect(skipped(all)).toBeGreaterThan(skipped(short));
    expect(skipped(short)).toBeGreaterThan(0);
  });

  it('/inspect shows the fields and says that nothing is verified', async () => {
    const { status, body } = await post(service.url, '/inspect', JSON.stringify(lab.vm.wireEvidence({ nonce: NONCE })));
    expect(status).toBe(200);
    expect([body.verified, body.type]).toEqual([false, 'az-snp-vtpm']);
    const { measurement } = lab.vm.platform.reportFields();
    expect(JSON.stringify(body)).toContain(Buffer.from(measurement).toString('hex'));
  });

  it('of an unknown type of evidence is refused', async () => {
    const { status, body } = await post(
      service.url,
      '/verify',
      JSON.stringify({ evidence: { type: 'simulated', quote: 'AA' } }),
    );
    expect([status, body.code]).toEqual([400, 'type_unsupported']);
  });

  it('is counted by outcome', async () => {
    const { body } = await call(service.url, '/metrics');
    expect(body).toMatch(/veritee_decisions_total\{outcome="allow",reason="none",evidence_type="az-snp-vtpm"\} \d/);
    expect(body).toMatch(
      /veritee_decisions_total\{outcome="deny",reason="snp_signature",evidence_type="az-snp-vtpm"\} \d/,
    );
  });
});

describe('KDS out of reach', () => {
  it('leaves the decision open and worth another try, and is found again without a restart', async () => {
    await writeFile(join(lab.chainFolder, 'milan.pem'), PKI.chainPem('Milan'));
    await writeFile(join(lab.chainFolder, 'milan.crl'), PKI.issueCrl({ product: 'Milan' }));
    const cut = await lab.start({}, {}, 'cut');
    await lab.kds.connect('refused');
    const open = await lab.verify(cut, { query: '?enforce=true' });
    expect([open.status, open.body.decision, open.body.reasons]).toEqual([503, 'indeterminate', ['vcek_unavailable']]);
    expect(open.body.retryable).toBe(true);
    expect(open.body.claims.snp).toBeNull();
    expect((await call(cut.url, '/readyz')).status).toBe(200);
    await lab.kds.connect('up');
    const found = await lab.verify(cut, { query: '?enforce=true' });
    expect([found.status, found.body.decision, found.body.reasons]).toEqual([200, 'allow', []]);
  });
});
