import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import type { JsonObject, JsonValue } from '../../../src/core/json.js';
import {
  createVirtualMachine,
  type TokenMaking,
  type VirtualMachine,
  VirtualTpm,
  wireEvidence,
} from '../../lab/index.js';
import { lenientPolicy, NONCE, PKI, verdictOf, WITHOUT_ENDORSEMENTS } from './lab-service.js';
import {
  checksOf,
  isolation,
  maaResult,
  type Opinion,
  objectOf,
  RESULTS,
  resultsOf,
  runtime,
  TokenLab,
  verify,
} from './token-lab.js';

/** A token that the guest brings beside its evidence. */

let lab: TokenLab;
let service: RunningService;
let opinion: Opinion;

beforeAll(async () => {
  lab = await TokenLab.create();
  await lab.service.writePolicy(
    lenientPolicy('compliant', {
      accepts: ['az-snp-vtpm'],
      routes: { maa: 'required' },
      require: { maa: { complianceStatus: ['azure-compliant-cvm'], attestationType: ['azurevm'] } },
    }),
  );
  await lab.service.writePolicy(
    lenientPolicy('maa-of-own', { routes: { maa: 'required' }, require: { maa: { issuers: [lab.maa.issuer] } } }),
  );
  service = await lab.start();
  opinion = lab.evidence();
});

afterAll(() => lab.close());

const ask = (token: string, policy = 'off', evidence: JsonObject = opinion.wire) =>
  verify(service, evidence, { policy, ...maaResult(token) });

describe('hardware and the token that its guest brings', () => {
  it.each(['off', 'maa-required', 'maa-optional', 'compliant', 'azure-cvm-baseline'])(
    'TOK-18 twin: are allowed where they agree, under %s',
    async (policy) => {
      const answer = await ask(lab.guestToken(opinion), policy);
      expect(verdictOf(answer)).toEqual(['allow']);
      const { body } = answer;
      expect(body.crossCheck).toMatchObject({ routes: ['hardware', 'maa'], agree: true, differences: [] });
      expect(body.crossCheck.equal).toEqual(expect.arrayContaining(['tee', 'hcl.akThumbprint', 'snp.measurement']));
      expect(resultsOf(answer, 'disagreement')).toEqual(['pass']);
      expect(resultsOf(answer, 'route_missing')).toEqual(
        policy.startsWith('maa') || policy === 'compliant' ? ['pass'] : [],
      );
    },
  );

  it('shows what the token says, typed, and what it is worth', async () => {
    const { body } = await ask(lab.guestToken(opinion), 'maa-required');
    const { maa, snp } = body.claims;
    expect(maa).toMatchObject({ issuer: lab.maa.issuer, attestationType: 'azurevm', policyHash: lab.maa.policyHash });
    expect(maa.claims.secureboot).toBe(true);
    expect(maa.claims['x-ms-isolation-tee']).toMatchObject({
      'x-ms-compliance-status': 'azure-compliant-cvm',
      'x-ms-sevsnpvm-is-debuggable': false,
      'x-ms-sevsnpvm-snpfw-svn': snp.tcb.reported.snp,
      'x-ms-sevsnpvm-launchmeasurement': snp.measurement,
    });
    expect(body.trust.submods.maa).toEqual({
      status: 'affirming',
      vector: { configuration: 3, hardware: 2, 'runtime-opaque': 2 },
    });
    expect(Object.keys(body.trust.submods).sort()).toEqual(['hardware', 'maa', 'vtpm']);
    expect(body.maaView['x-ms-attestation-type']).toBe('azurevm');
    expect(body.maaView['x-ms-isolation-tee']).toMatchObject({
      'x-ms-attestation-type': 'sevsnpvm',
      'x-ms-sevsnpvm-launchmeasurement': snp.measurement,
    });
    expect(body.maaView.absent).toContain('x-ms-isolation-tee.x-ms-compliance-status');
    expect(body.endorsements.map(({ kind }: { kind: string }) => kind)).toContain('token-key');
    expect(body.freshness.bound).toEqual(
      expect.arrayContaining(['tpm.extraData', 'hcl.userData', 'maa.userData', 'maa.clientPayloadNonce']),
    );
  });

  it('has no other route without a token', async () => {
    const { body } = await verify(service, opinion.wire, { policy: 'off' });
    expect([body.decision, body.crossCheck, body.claims.maa]).toEqual(['allow', null, null]);
  });

  it('denies a required token that was not sent, and that nothing fetches', async () => {
    const answer = await verify(service, opinion.wire, { policy: 'maa-required' });
    expect(verdictOf(answer)).toEqual(['deny', 'route_missing']);
    expect(verdictOf(await verify(service, opinion.wire, { policy: 'maa-optional' }))).toEqual(['allow']);
  });
});

type Change = (tee: JsonObject) => JsonObject;
const tee =
  (member: string, value: JsonValue): Change =>
  (genuine) => ({ ...genuine, [member]: value });
const vmConfiguration = (member: string, value: JsonValue): Change =>
  runtime((claims) => ({
    ...claims,
    'vm-configuration': { ...objectOf(claims['vm-configuration']), [member]: value },
  }));

/** A claim, what the token says of it, and how the token is made to. */
const ALTERED: readonly (readonly [claim: string, said: JsonValue, change: Change])[] = [
  ['snp.measurement', 'a0'.repeat(48), tee('x-ms-sevsnpvm-launchmeasurement', 'a0'.repeat(48))],
  ['snp.reportData', '34'.repeat(64), tee('x-ms-sevsnpvm-reportdata', '34'.repeat(64))],
  ['snp.hostData', 'fa'.repeat(32), tee('x-ms-sevsnpvm-hostdata', 'fa'.repeat(32))],
  ['snp.idKeyDigest', 'b3'.repeat(48), tee('x-ms-sevsnpvm-idkeydigest', 'b3'.repeat(48))],
  ['snp.authorKeyDigest', 'c4'.repeat(48), tee('x-ms-sevsnpvm-authorkeydigest', 'c4'.repeat(48))],
  ['snp.reportId', '12'.repeat(32), tee('x-ms-sevsnpvm-reportid', '12'.repeat(32))],
  ['snp.familyId', '77'.repeat(16), tee('x-ms-sevsnpvm-familyId', '77'.repeat(16))],
  ['snp.imageId', '78'.repeat(16), tee('x-ms-sevsnpvm-imageId', '78'.repeat(16))],
  ['snp.vmpl', 3, tee('x-ms-sevsnpvm-vmpl', 3)],
  ['snp.guestSvn', 4711, tee('x-ms-sevsnpvm-guestsvn', 4711)],
  ['snp.policy.debug', true, tee('x-ms-sevsnpvm-is-debuggable', true)],
  ['snp.policy.smt', false, tee('x-ms-sevsnpvm-smt-allowed', false)],
  ['snp.policy.migrateMa', true, tee('x-ms-sevsnpvm-migration-allowed', true)],
  ['snp.tcb.reported.bootloader', 250, tee('x-ms-sevsnpvm-bootloader-svn', 250)],
  ['snp.tcb.reported.tee', 250, tee('x-ms-sevsnpvm-tee-svn', 250)],
  ['snp.tcb.reported.snp', 250, tee('x-ms-sevsnpvm-snpfw-svn', 250)],
  ['snp.tcb.reported.microcode', 250, tee('x-ms-sevsnpvm-microcode-svn', 250)],
  ['hcl.vmConfiguration.tpmEnabled', false, vmConfiguration('tpm-enabled', false)],
  ['hcl.vmConfiguration.consoleEnabled', 'yes', vmConfiguration('console-enabled', 'yes')],
];

describe('a token that says something else than the hardware', () => {
  it.each(ALTERED)('TOK-18 denies where %s is altered, and shows both sides', async (claim, said, change) => {
    const answer = await ask(lab.guestToken(opinion, { claims: isolation(change) }));
    const { body } = answer;
    expect(body.decision).toBe('deny');
    expect(body.reasons).toContain('disagreement');
    expect(body.crossCheck.agree).toBe(false);
    expect(body.crossCheck.differences.map((difference: { claim: string }) => difference.claim)).toEqual([claim]);
    const [{ values }] = body.crossCheck.differences;
    expect(values.maa).toEqual(said);
    expect(values.hardware).not.toBeNull();
    expect(values.hardware).not.toEqual(said);
    expect(checksOf(answer, 'disagreement')).toMatchObject([
      { result: 'fail', about: `${RESULTS}/0/token`, expected: values.hardware, actual: said },
    ]);
  });

  it('TOK-18 denies another secure boot state, in the boot log as in the configuration', async () => {
    const ofLog = await ask(lab.guestToken(opinion, { claims: { secureboot: false } }));
    const both: TokenMaking = {
      claims: (claims) => ({
        ...objectOf(applied(isolation(vmConfiguration('secure-boot', false)), claims)),
        secureboot: false,
      }),
    };
    for (const answer of [ofLog, await ask(lab.guestToken(opinion, both))]) {
      expect(answer.body.decision).toBe('deny');
      const claims = answer.body.crossCheck.differences.map(({ claim }: { claim: string }) => claim);
      expect(claims).toEqual(['hcl.vmConfiguration.secureBoot']);
    }
  });

  it('TOK-18 compares the id of the VM without case, and denies another', async () => {
    const id = String(opinionVmId()).toLowerCase();
    const lower = await ask(lab.guestToken(opinion, { claims: { 'x-ms-azurevm-vmid': id } }));
    expect(verdictOf(lower)).toEqual(['allow']);
    const other = await ask(
      lab.guestToken(opinion, { claims: { 'x-ms-azurevm-vmid': id.replace(/^./, id.startsWith('0') ? '1' : '0') } }),
    );
    expect(verdictOf(other)).toEqual(['deny', 'disagreement']);
    expect(other.body.crossCheck.differences).toMatchObject([{ claim: 'hcl.vmConfiguration.vmUniqueId' }]);
  });

  it('is excused the moment: the guest had it made of a report with other user data', async () => {
    const later = lab.service.vm.hclReport({ nonce: Buffer.alloc(32, 9) });
    const answer = await ask(lab.maa.issueAzureVm({ hclReport: later, clientPayloadNonce: NONCE }));
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(answer.body.crossCheck.notComparable).toEqual(expect.arrayContaining(['hcl.userData', 'snp.reportData']));
  });
});

const applied = (change: ReturnType<typeof isolation>, claims: JsonObject): JsonValue =>
  typeof change === 'function' ? change(claims) : { ...claims, ...change };

function opinionVmId(): unknown {
  const token = lab.guestToken(opinion);
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())['x-ms-azurevm-vmid'];
}

describe('a token that is not about this TEE, or no token to rely on', () => {
  let other: VirtualMachine;

  beforeAll(async () => {
    other = await createVirtualMachine({
      pki: PKI,
      platform: lab.service.vm.platform,
      vtpm: await VirtualTpm.create(),
    });
  });

  it.each(['off', 'maa-required', 'maa-optional'])(
    'TOK-16 denies a genuine token of another VM under %s, with the same nonce',
    async (policy) => {
      const hclReport = other.hclReport({ nonce: NONCE });
      const answer = await ask(lab.maa.issueAzureVm({ hclReport, clientPayloadNonce: NONCE }), policy);
      expect(verdictOf(answer)).toEqual(['deny', 'disagreement']);
      expect(answer.body.crossCheck.agree).toBe(false);
      expect(answer.body.crossCheck.differences[0].claim).toBe('hcl.akThumbprint');
      expect(answer.body.freshness.bound.toSorted()).toEqual(['hcl.userData', 'tpm.extraData']);
    },
  );

  it('TOK-16 twin: its own VM is allowed with it', async () => {
    const evidence = other.evidence({ nonce: NONCE, endorsements: WITHOUT_ENDORSEMENTS });
    const token = lab.maa.issueAzureVm({ hclReport: evidence.hclReport, clientPayloadNonce: NONCE });
    expect(verdictOf(await ask(token, 'maa-required', wireEvidence(evidence)))).toEqual(['allow']);
  });

  it.each<[string, TokenMaking, string]>([
    ['another algorithm', { algorithm: 'none' }, 'token_alg'],
    ['another issuer', { claims: { iss: 'https://shared.example' } }, 'token_issuer'],
    ['an unknown key', { header: { kid: 'nobody', typ: 'JWT' } }, 'token_key'],
    ['a broken signature', { afterSigning: (token) => `${token.slice(0, -8)}AAAAAAAA` }, 'token_signature'],
    [
      'an expiry that has passed',
      {
        claims: ({ iat, ...rest }) => ({
          ...rest,
          iat: Number(iat) - 9000,
          nbf: Number(iat) - 9000,
          exp: Number(iat) - 120,
        }),
      },
      'token_time',
    ],
    ['a policy that is not pinned', { claims: { 'x-ms-policy-hash': 'A'.repeat(43) } }, 'token_issuer_policy'],
  ])('TOK-17 denies one with %s, also where its route is off', async (_, making, code) => {
    for (const policy of ['off', 'maa-optional', 'maa-required']) {
      expect(verdictOf(await ask(lab.guestToken(opinion, making), policy))).toEqual(['deny', code]);
    }
  });

  it('TOK-22 denies one of another instance than the policy names, beside the evidence', async () => {
    const stranger = lab.guestToken(opinion, {}, lab.open);
    expect(verdictOf(await ask(stranger, 'maa-of-own'))).toEqual(['deny', 'token_issuer']);
    expect(verdictOf(await ask(lab.guestToken(opinion), 'maa-of-own'))).toEqual(['allow']);
  });

  it('refuses one that is malformed, before anything is judged', async () => {
    const { status, body } = await ask('e30.e30', 'off');
    expect([status, body.code, body.pointer]).toEqual([400, 'token_format', `${RESULTS}/0/token`]);
  });

  it('TOK-18 denies where the token vouches for evidence that is refused here', async () => {
    const report = Uint8Array.from(opinion.evidence.hclReport);
    report.set([(report[0x20 + 0x90] ?? 0) ^ 1], 0x20 + 0x90);
    const forged = wireEvidence({ ...opinion.evidence, hclReport: report });
    const answer = await ask(lab.guestToken(opinion), 'off', forged);
    expect(answer.body.decision).toBe('deny');
    expect(answer.body.reasons).toEqual(expect.arrayContaining(['snp_signature', 'disagreement']));
    expect(checksOf(answer, 'disagreement')).toMatchObject([{ result: 'fail', actual: 'maa' }]);
    expect(answer.body.claims.maa).not.toBeNull();
  });

  it('leaves it open where the keys of the issuer are out of reach, and judges the rest', async () => {
    const fresh = await lab.start({}, {}, 'no-keys');
    await lab.maa.connect('refused');
    const answer = await verify(fresh, opinion.wire, { policy: 'off', ...maaResult(lab.guestToken(opinion)) });
    await lab.maa.connect('up');
    expect(verdictOf(answer)).toEqual(['indeterminate', 'jwks_unavailable']);
    expect(answer.headers['retry-after']).toBe('5');
    expect(answer.body.claims.snp).not.toBeNull();
  });
});

describe('a paravisor whose id key nobody knows', () => {
  const ID_KEY_DIGEST = new Uint8Array(48).fill(0x5e);
  let vm: VirtualMachine;
  let evidence: ReturnType<VirtualMachine['evidence']>;

  beforeAll(async () => {
    vm = await createVirtualMachine({
      pki: PKI,
      platform: lab.service.vm.platform,
      vtpm: lab.service.vm.vtpm,
      report: { fields: { idKeyDigest: ID_KEY_DIGEST } },
    });
    evidence = vm.evidence({ nonce: NONCE, endorsements: WITHOUT_ENDORSEMENTS });
  });

  /** Called compliant: the instance knows this paravisor. */
  const compliant = isolation((claims) => ({ ...claims, 'x-ms-compliance-status': 'azure-compliant-cvm' }));
  const token = (making: TokenMaking = { claims: compliant }, maa = lab.maa) =>
    maa.issueAzureVm({ hclReport: evidence.hclReport, clientPayloadNonce: NONCE, ...making });
  const judged = (text: string | null, on = service) =>
    verify(on, wireEvidence(evidence), { policy: 'off', ...(text === null ? {} : maaResult(text)) });

  it('TOK-17 twin: is known by a token of an issuer whose policy is pinned', async () => {
    const answer = await judged(token());
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(answer.body.claims.hcl.paravisor).toEqual({ known: true, by: 'maa' });
  });

  it('TOK-17 is not known without a token, nor by one that calls it nothing', async () => {
    for (const text of [null, token({})]) {
      const answer = await judged(text);
      expect(verdictOf(answer)).toEqual(['deny', 'hcl_paravisor']);
      expect(answer.body.claims.hcl.paravisor).toEqual({ known: false, by: null });
    }
  });

  it('TOK-17 is not known by a token of an issuer whose owner may issue any claim', async () => {
    const answer = await judged(token({ claims: compliant }, lab.open));
    expect(verdictOf(answer)).toEqual(['deny', 'hcl_paravisor']);
    expect(resultsOf(answer, 'token_issuer_policy')).toEqual(['warn']);
  });

  it('TOK-17 is not known by a token about another TEE', async () => {
    const elsewhere = lab.guestToken(lab.evidence(), { claims: compliant });
    const answer = await judged(elsewhere);
    expect(answer.body.reasons).toEqual(expect.arrayContaining(['disagreement', 'hcl_paravisor']));
    expect(answer.body.claims.hcl.paravisor.known).toBe(false);
  });
});
