import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import type { JsonObject } from '../../../src/core/json.js';
import { boundValue, nonceRuntimeData, type TrustAuthorityTokenOptions } from '../../lab/index.js';
import { lenientPolicy, NONCE, verdictOf } from './lab-service.js';
import { checksOf, resultsOf, TokenLab, verify } from './token-lab.js';

/** Tokens of Intel Trust Authority: alone, beside one of Azure Attestation, and beside hardware that they are not about. */

const POLICY = '1a2b3c4d-0000-4000-8000-0123456789ab';
const OTHER_POLICY = '1a2b3c4d-0000-4000-8000-ba9876543210';
const OTHER_NONCE = new Uint8Array(32).fill(0x77);
const JWK = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
};
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

let lab: TokenLab;
let service: RunningService;

beforeAll(async () => {
  lab = await TokenLab.create();
  const token = { accepts: ['ita-token'], routes: { hardware: 'off', ita: 'required' } };
  await lab.service.writePolicy(lenientPolicy('ita', { ...token, freshness: 'required' }));
  await lab.service.writePolicy(
    lenientPolicy('ita-and-maa', { ...token, routes: { hardware: 'off', ita: 'required', maa: 'required' } }),
  );
  for (const [id, ita] of [
    ['ita-of-own', { policyIds: [POLICY], issuers: [lab.ita.issuer] }],
    ['ita-of-another', { issuers: ['https://portal.trustauthority.intel.com'] }],
  ] as const) {
    await lab.service.writePolicy(lenientPolicy(id, { ...token, require: { ita } }));
  }
  await lab.service.writePolicy(lenientPolicy('ita-required', { routes: { ita: 'required' } }));
  service = await lab.start();
});

afterAll(() => lab.close());

const held: TrustAuthorityTokenOptions = { tdx: { attester_held_data: base64(NONCE) } };
const ask = (options: TrustAuthorityTokenOptions, members: object = {}) =>
  verify(service, { type: 'ita-token', token: lab.ita.issue(options) }, { policy: 'ita', ...members });

type Places = readonly string[];
const runtimeOf = (bytes: Uint8Array): JsonObject => JSON.parse(Buffer.from(bytes).toString());

describe('a token of Trust Authority alone', () => {
  it.each<[string, (jwk: JsonObject | null) => JsonObject, Places]>([
    ['held data', (jwk) => ({ attester_held_data: base64(boundValue(NONCE, jwk)) }), ['ita.heldData']],
    [
      'runtime data',
      (jwk) => ({ attester_runtime_data: runtimeOf(nonceRuntimeData(NONCE, jwk)) }),
      ['ita.runtimeData'],
    ],
    [
      'user-data of a paravisor',
      (jwk) => ({ attester_runtime_data: runtimeOf(lab.service.vm.runtimeClaims({ nonce: NONCE, jwk })) }),
      ['ita.userData'],
    ],
  ])('TOK-19 twin: is allowed with the nonce in %s', async (_, tdx, places) => {
    const plain = await ask({ tdx: tdx(null) });
    expect([...verdictOf(plain), plain.body.freshness.bound]).toEqual(['allow', places]);
    const bound = await ask({ tdx: tdx(JWK) }, { binding: { jwk: JWK } });
    expect([...verdictOf(bound), bound.body.freshness.bound]).toEqual(['allow', places]);
    expect(verdictOf(await ask({ tdx: tdx(null) }, { binding: { jwk: JWK } }))).toEqual(['deny', 'nonce_mismatch']);
  });

  it('TOK-19 takes its own nonce, which binds no key', async () => {
    const verifierNonce = { val: base64(NONCE), iat: '', signature: '' };
    const answer = await ask({ verifierNonce });
    expect([...verdictOf(answer), answer.body.freshness.bound]).toEqual(['allow', ['ita.verifierNonce']]);
    expect(verdictOf(await ask({ verifierNonce }, { binding: { jwk: JWK } }))).toEqual(['deny', 'nonce_mismatch']);
    const other = { val: base64(OTHER_NONCE), iat: '', signature: '' };
    expect(verdictOf(await ask({ verifierNonce: other }))).toEqual(['deny', 'nonce_mismatch']);
  });

  it.each([1, 2] as const)('shows its claims, typed, in version %i', async (version) => {
    const { body } = await ask({ ...held, version });
    expect(body.decision).toBe('allow');
    expect(body.claims.ita).toMatchObject({ issuer: lab.ita.issuer, attestationType: 'TDX', policyHash: null });
    expect(Object.keys(body.trust.submods)).toEqual(['ita']);
    expect(body.maaView).toBeNull();
  });

  it.each<[string, string, TrustAuthorityTokenOptions]>([
    ['an unknown TCB status', 'ita_tcb_status', { tdx: { attester_tcb_status: 'Splendid' } }],
    ['a broken signature', 'token_signature', { afterSigning: (token) => `${token.slice(0, -8)}AAAAAAAA` }],
  ])('TOK-19 is denied for %s, with %s', async (_, code, options) => {
    const { tdx, ...rest } = options;
    const { body } = await ask({ ...rest, tdx: { ...held.tdx, ...tdx } });
    expect([body.decision, body.reasons.includes(code)]).toEqual(['deny', true]);
  });
});

describe('policies of Trust Authority', () => {
  const judged = (policies: TrustAuthorityTokenOptions['policies'], members: object = {}, on = service) =>
    verify(
      on,
      { type: 'ita-token', token: lab.ita.issue({ ...held, ...(policies === undefined ? {} : { policies }) }) },
      {
        policy: 'ita',
        ...members,
      },
    );

  it.each<[string, (own: { readonly issuer: string; readonly keys: string }) => object]>([
    ['ita.issuers', (own) => ({ issuers: [{ ...own, policyIds: [POLICY] }] })],
    [
      'ita.submit',
      (own) => ({
        issuers: [own],
        submit: { api: 'https://api.trustauthority.intel.com', apiKeyFile: '/nowhere', policyIds: [POLICY] },
      }),
    ],
  ])('TOK-21 that %s configures are demanded of a token that the caller brings', async (name, ita) => {
    const own = await lab.start(
      { ita: ita({ issuer: lab.ita.issuer, keys: `${lab.ita.origin}/certs` }) },
      {},
      name.replace('.', '-'),
    );
    for (const policies of [undefined, { matched: [OTHER_POLICY] }]) {
      const answer = await judged(policies, {}, own);
      expect(verdictOf(answer)).toEqual(['deny', 'ita_policy']);
      expect(checksOf(answer, 'ita_policy')).toMatchObject([{ result: 'fail', policy: null, expected: [POLICY] }]);
    }
    expect(verdictOf(await judged({ matched: [POLICY] }, {}, own))).toEqual(['allow']);
    expect(verdictOf(await judged({ matched: [POLICY], unmatched: [OTHER_POLICY] }, {}, own))).toEqual([
      'deny',
      'ita_policy',
    ]);
  });

  it('TOK-21 that a policy names are demanded of it', async () => {
    const policy = 'ita-of-own';
    expect(verdictOf(await judged({ matched: [OTHER_POLICY] }, { policy }))).toEqual(['deny', 'ita_policy']);
    expect(verdictOf(await judged({ matched: [POLICY] }, { policy }))).toEqual(['allow']);
  });

  it('TOK-22 and issuers that a policy names', async () => {
    const policy = 'ita-of-another';
    expect(verdictOf(await judged({ matched: [POLICY] }, { policy }))).toEqual(['deny', 'token_issuer']);
  });
});

describe('an issuer that is a URL', () => {
  it('is that of the portal, as tokens of 2026 have it, whose keys are built in or configured', async () => {
    const issuer = 'https://portal.trustauthority.intel.com';
    const ita = { issuers: [{ issuer, keys: `${lab.ita.origin}/certs` }] };
    const own = await lab.start({ ita }, {}, 'portal');
    const token = lab.ita.issue({ ...held, claims: { iss: issuer } });
    const answer = await verify(own, { type: 'ita-token', token }, { policy: 'ita' });
    expect([...verdictOf(answer), answer.body.claims.ita.issuer]).toEqual(['allow', issuer]);
  });

  it.each(['PS384', 'RS256'])(
    'TOK-25 takes a token of production with %s: one key of one name, listed twice',
    async (algorithm) => {
      const issuer = 'https://portal.trustauthority.intel.com';
      lab.ita.publish(lab.ita.pki.productionKeySet());
      const ita = { issuers: [{ issuer, keys: `${lab.ita.origin}/certs` }] };
      const own = await lab.start({ ita }, {}, `production-${algorithm}`);
      const token = lab.ita.issue({ ...held, signer: 'PS384', algorithm, claims: { iss: issuer } });
      const answer = await verify(own, { type: 'ita-token', token }, { policy: 'ita' });
      lab.ita.publish(null);
      expect(verdictOf(answer)).toEqual(['allow']);
    },
  );
});

/** A TD that both judged: the same report data, and what the lab makes up alike for both. */
describe('tokens of both about one TD', () => {
  const reportData = createHash('sha512').update('one TD').digest();
  const ofIta = (tdx: JsonObject = {}): TrustAuthorityTokenOptions => ({
    tdx: { ...held.tdx, tdx_report_data: reportData.toString('hex'), ...tdx },
  });
  const withMaa = (members: JsonObject = {}, other = reportData) => ({
    policy: 'ita-and-maa',
    attestationResults: [{ type: 'maa-token', token: lab.maa.issueTdxVm({ reportData: other, claims: members }) }],
  });

  it('TOK-18 twin: are allowed where they agree', async () => {
    const answer = await ask(ofIta(), withMaa());
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(answer.body.crossCheck).toMatchObject({ routes: ['ita', 'maa'], agree: true });
    expect(answer.body.crossCheck.equal).toEqual(expect.arrayContaining(['tee', 'tdx.reportData', 'tdx.mrtd']));
    expect(Object.keys(answer.body.trust.submods).sort()).toEqual(['ita', 'maa']);
    expect(resultsOf(answer, 'route_missing')).toEqual(['pass', 'pass']);
  });

  it.each<[string, JsonObject]>([
    ['tdx.mrtd', { tdx_mrtd: 'ab'.repeat(48) }],
    ['tdx.rtmr[0]', { tdx_rtmr0: 'ab'.repeat(48) }],
    ['tdx.mrSeam', { tdx_mrseam: 'ab'.repeat(48) }],
    ['tdx.teeTcbSvn', { tdx_tee_tcb_svn: 'ab'.repeat(16) }],
    ['tdx.xfam', { tdx_xfam: 'ab'.repeat(8) }],
    ['tdx.tdAttributes.septVeDisable', { tdx_td_attributes_septve_disable: false }],
    ['tdx.tcb.status', { attester_tcb_status: 'OutOfDate' }],
  ])('TOK-18 deny where they differ in %s', async (claim, members) => {
    const { body } = await ask(ofIta(), withMaa(members));
    expect([body.decision, body.reasons.includes('disagreement')]).toEqual(['deny', true]);
    const [said] = Object.values(members);
    expect(body.crossCheck.differences).toMatchObject([{ claim, values: { maa: said } }]);
  });

  it('REQ-19 deny where they differ in thousands of claims, of which the first are listed', async () => {
    const runtime = (value: number): JsonObject => ({
      ...runtimeOf(lab.service.vm.runtimeClaims({ nonce: NONCE })),
      'vm-configuration': Object.fromEntries(Array.from({ length: 2_500 }, (_, index) => [`m${index}`, value])),
    });
    const answer = await ask(ofIta({ attester_runtime_data: runtime(0) }), withMaa({ 'x-ms-runtime': runtime(1) }));
    expect(answer.body.decision).toBe('deny');
    expect(answer.body.crossCheck).toMatchObject({ agree: false, differencesOmitted: 2_500 - 64 });
    expect(answer.body.crossCheck.differences).toHaveLength(64);
    expect(checksOf(answer, 'disagreement')).toHaveLength(65);
  });

  it('TOK-16 deny where they are about two TDs', async () => {
    const answer = await ask(ofIta(), withMaa({}, createHash('sha512').update('another').digest()));
    expect(verdictOf(answer)).toEqual(['deny', 'disagreement']);
    expect(checksOf(answer, 'disagreement')).toMatchObject([{ result: 'fail' }]);
  });

  it('deny where the second, which is required, was not sent', async () => {
    expect(verdictOf(await ask(ofIta(), { policy: 'ita-and-maa' }))).toEqual(['deny', 'route_missing']);
  });
});

describe('hardware and a token of Trust Authority', () => {
  it('TOK-16 are denied, since the token is about a TD', async () => {
    const attestationResults = [{ type: 'ita-token', token: lab.ita.issue(held) }];
    for (const policy of ['off', 'ita-required']) {
      const answer = await verify(service, lab.evidence().wire, { policy, attestationResults });
      expect(verdictOf(answer)).toEqual(['deny', 'disagreement']);
    }
  });

  it('are denied where it is required and was not sent', async () => {
    const answer = await verify(service, lab.evidence().wire, { policy: 'ita-required' });
    expect(verdictOf(answer)).toEqual(['deny', 'route_missing']);
  });
});
