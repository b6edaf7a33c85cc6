import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import type { JsonObject } from '../../../src/core/json.js';
import { productsOf } from '../../configured-lines.js';
import {
  boundValue,
  createSnpGuest,
  createVirtualMachine,
  nonceRuntimeData,
  reportDataOver,
  type SnpGuest,
  type TokenMaking,
  wireEvidence,
} from '../../lab/index.js';
import { haveVectors, readVector, vector } from '../../vectors.js';
import { call as callLab } from '../lab/call.js';
import { base64Url, lenientPolicy, MovableClock, NONCE, PKI, post, verdictOf } from './lab-service.js';
import { checksOf, isolation, maaResult, objectOf, resultsOf, TokenLab, verify } from './token-lab.js';

/** A token of Azure Attestation as all that the caller has, under the built-in policy for it. */

const BASELINE = 'azure-maa-baseline';
const OTHER_NONCE = new Uint8Array(32).fill(0x77);
const JWK = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
};

let lab: TokenLab;
let service: RunningService;
let guest: SnpGuest;

beforeAll(async () => {
  lab = await TokenLab.create();
  const ofTokens = { accepts: ['maa-token'], routes: { hardware: 'off', maa: 'required' } };
  await lab.service.writePolicy(lenientPolicy('tokens', ofTokens));
  const advised = [{ check: 'snp_product_advisory', reason: 'r', approver: 'a', expires: '2100-01-01' }];
  await lab.service.writePolicy(lenientPolicy('tokens-advised', { ...ofTokens, waivers: advised }));
  await lab.service.writePolicy(
    lenientPolicy('tokens-of-own', { ...ofTokens, require: { maa: { issuers: [lab.maa.issuer] } } }),
  );
  service = await lab.start();
  guest = createSnpGuest({ pki: PKI, platform: lab.service.vm.platform });
});

afterEach(() => lab.maa.heal());
afterAll(() => lab.close());

const ask = (token: string, members: object = {}, on = service) =>
  verify(on, { type: 'maa-token', token }, { policy: BASELINE, ...members });

/** Of the guest attestation of a VM whose paravisor knows this nonce, and whose client another. */
const azureVm = (nonce: Uint8Array, clientNonce: Uint8Array, making: TokenMaking = {}) =>
  lab.maa.issueAzureVm({ hclReport: lab.service.vm.hclReport({ nonce }), clientPayloadNonce: clientNonce, ...making });

/** Of a report over these bytes. */
function ofRuntimeData(runtimeData: Uint8Array, making: TokenMaking & { readonly nonce?: string } = {}): string {
  const report = lab.service.vm.platform.report({ fields: { reportData: reportDataOver(runtimeData) } });
  return lab.maa.issueSevSnpVm({ report, runtimeData, ...making });
}

describe('a token of Azure Attestation alone', () => {
  it('is allowed under azure-maa-baseline, with its claims typed', async () => {
    const answer = await ask(azureVm(NONCE, NONCE));
    expect(verdictOf(answer)).toEqual(['allow']);
    const { body } = answer;
    expect(body.claims).toMatchObject({ snp: null, hcl: null, tpm: null, ita: null });
    expect(body.claims.maa).toMatchObject({ issuer: lab.maa.issuer, attestationType: 'azurevm' });
    expect(Object.keys(body.trust.submods)).toEqual(['maa']);
    expect([body.crossCheck, body.maaView, body.evidence.type]).toEqual([null, null, 'maa-token']);
    expect(body.policies).toMatchObject([{ id: BASELINE, outcome: 'allow', unmatched: [] }]);
    expect(resultsOf(answer, 'token_compliance')).toEqual(['pass']);
    expect(resultsOf(answer, 'route_missing')).toEqual(['pass']);
    expect(body.endorsements).toMatchObject([{ kind: 'token-key', source: 'network' }]);
  });

  it('is denied where nobody calls it compliant, or in other letters', async () => {
    const without = isolation(({ 'x-ms-compliance-status': _, ...rest }) => rest);
    expect(verdictOf(await ask(azureVm(NONCE, NONCE, { claims: without })))).toEqual(['deny', 'token_compliance']);
    const other = isolation((tee) => ({ ...tee, 'x-ms-compliance-status': 'Azure-Compliant-CVM' }));
    expect(verdictOf(await ask(azureVm(NONCE, NONCE, { claims: other })))[0]).toBe('deny');
  });

  it('is no evidence for a policy that wants hardware, nor hardware for one that wants a token', async () => {
    const token = azureVm(NONCE, NONCE);
    expect(verdictOf(await ask(token, { policy: 'maa-required' }))).toEqual(['deny', 'policy_evidence_type']);
    const { wire } = lab.evidence();
    expect(verdictOf(await verify(service, wire, { policy: BASELINE }))).toEqual(['deny', 'policy_evidence_type']);
  });

  it('is not shown twice: the caller could choose which one is judged', async () => {
    const token = azureVm(NONCE, NONCE);
    const { status, body } = await ask(token, { attestationResults: [{ type: 'maa-token', token }] });
    expect([status, body.code, body.pointer]).toEqual([400, 'schema', '/attestationResults/0/type']);
  });

  it('is no news without a nonce', async () => {
    const body = JSON.stringify({ evidence: { type: 'maa-token', token: azureVm(NONCE, NONCE) }, policy: BASELINE });
    expect(verdictOf(await post(service.url, '/verify', body))).toEqual(['deny', 'nonce_missing']);
  });
});

describe('a token about an SEV-SNP VM, which names no product line', () => {
  const refusing = (name: string, amd: object = { refuseProducts: ['Milan'] }) =>
    lab.start({ amd }, { amdRootPins: PKI.pins() }, name);

  it('TOK-30 is denied alone where the operator refuses some lines, and warns where none', async () => {
    const own = await refusing('refusing-tokens');
    const denied = await ask(azureVm(NONCE, NONCE), {}, own);
    expect(verdictOf(denied)).toEqual(['deny', 'snp_product_refused']);
    expect(checksOf(denied, 'snp_product_refused')).toMatchObject([
      { about: '/evidence/token', actual: null, remedy: expect.stringContaining('should send the hardware evidence') },
    ]);
    expect(denied.body.trust.submods.maa).toMatchObject({ status: 'contraindicated' });
    const warned = await ask(azureVm(NONCE, NONCE));
    expect([...verdictOf(warned), ...resultsOf(warned, 'snp_product_advisory')]).toEqual(['allow', 'warn']);
    const waived = await ask(azureVm(NONCE, NONCE), { policy: 'tokens-advised' });
    expect([...verdictOf(waived), checksOf(waived, 'snp_product_advisory')[0]?.['waived']]).toEqual(['allow', true]);
  });

  it('TOK-30 is denied alone where the operator refuses a product line of the configuration', async () => {
    const amd = { refuseProducts: ['Venice'], products: productsOf(PKI, 'Venice') };
    const own = await refusing('refusing-configured', amd);
    expect(verdictOf(await ask(azureVm(NONCE, NONCE), {}, own))).toEqual(['deny', 'snp_product_refused']);
  });

  it('TOK-30 twin: is allowed beside hardware evidence of Genoa, whose product counts for both', async () => {
    const own = await refusing('refusing-beside');
    const vm = await createVirtualMachine({ pki: PKI, part: 'Genoa' });
    lab.service.kds.serveLine(PKI, vm.platform.product);
    const evidence = vm.evidence({ nonce: NONCE });
    const token = lab.maa.issueAzureVm({ hclReport: evidence.hclReport, clientPayloadNonce: NONCE });
    const answer = await verify(own, wireEvidence(evidence), { policy: 'maa-required', ...maaResult(token) });
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(checksOf(answer, 'snp_product_refused')).toMatchObject([{ result: 'pass', actual: 'Genoa' }]);
    expect(checksOf(answer, 'snp_product_advisory')).toEqual([]);
  });
});

type Places = readonly string[];
const FRESH: readonly (readonly [what: string, token: (jwk: JsonObject | null) => string, places: Places])[] = [
  [
    'user-data of the claims beside the hardware',
    (jwk) => ofRuntimeData(lab.service.vm.runtimeClaims({ nonce: NONCE, jwk })),
    ['maa.userData'],
  ],
  [
    'user-data of the claims inside x-ms-isolation-tee',
    (jwk) =>
      lab.maa.issueAzureVm({
        hclReport: lab.service.vm.hclReport({ nonce: NONCE, jwk }),
        clientPayloadNonce: OTHER_NONCE,
      }),
    ['maa.userData'],
  ],
  [
    'the report data',
    (jwk) => lab.maa.issueSevSnpVm({ report: guest.evidence({ nonce: NONCE, jwk }).report }),
    ['maa.reportData'],
  ],
  ['a nonce in runtime data', (jwk) => ofRuntimeData(nonceRuntimeData(NONCE, jwk)), ['maa.runtimeNonce']],
  [
    'the client payload that is sealed to the vTPM',
    (jwk) => azureVm(OTHER_NONCE, boundValue(NONCE, jwk)),
    ['maa.clientPayloadNonce'],
  ],
];

describe('the nonce in a token', () => {
  it.each(FRESH)('TOK-16 twin: counts in %s, with a key and without', async (_, token, places) => {
    const plain = await ask(token(null));
    expect([...verdictOf(plain), plain.body.freshness.bound]).toEqual(['allow', places]);
    const bound = await ask(token(JWK), { binding: { jwk: JWK } });
    expect([...verdictOf(bound), bound.body.freshness.bound]).toEqual(['allow', places]);
    expect(bound.body.binding.jkt).toMatch(/^[\w-]{43}$/);
  });

  it.each(FRESH)('TOK-16 in %s does not bind a key that was not there', async (_, token) => {
    expect(verdictOf(await ask(token(null), { binding: { jwk: JWK } }))).toEqual(['deny', 'nonce_mismatch']);
  });

  it.each<[string, (nonce: string) => string]>([
    ['a report of another nonce', (nonce) => ofRuntimeData(nonceRuntimeData(OTHER_NONCE), { nonce })],
    [
      'a bare report',
      (nonce) => lab.maa.issueSevSnpVm({ report: guest.evidence({ nonce: OTHER_NONCE }).report, nonce }),
    ],
    ['a guest', (nonce) => azureVm(OTHER_NONCE, OTHER_NONCE, { claims: { nonce } })],
    [
      'a guest whose isolation claims echo it',
      (nonce) => azureVm(OTHER_NONCE, OTHER_NONCE, { claims: isolation((tee) => ({ ...tee, nonce })) }),
    ],
  ])('TOK-16 does not count as the plain claim nonce of %s', async (_, token) => {
    const answer = await ask(token(base64Url(NONCE)));
    expect(verdictOf(answer)).toEqual(['deny', 'nonce_mismatch']);
    expect(answer.body.freshness.bound).toEqual([]);
  });

  it("TOK-16 denies an old report that anybody submits with the caller's nonce and key", async () => {
    const runtimeData = nonceRuntimeData(OTHER_NONCE);
    const { platform } = lab.service.vm;
    const report = platform.report({ fields: { reportData: reportDataOver(runtimeData) } });
    const chain = [platform.vek.pem, PKI.chainPem('Milan', 'vcek')].join('');
    const evidence = { SnpReport: base64Url(report), VcekCertChain: base64Url(Buffer.from(chain)) };
    const { body } = await callLab(lab.maa, '/attest/SevSnpVm?api-version=2025-06-01', {
      body: {
        report: base64Url(Buffer.from(JSON.stringify(evidence))),
        runtimeData: { data: base64Url(runtimeData), dataType: 'JSON' },
        nonce: base64Url(NONCE),
      },
    });
    const token = String(body['token']);
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    expect(claims.nonce).toBe(base64Url(NONCE));
    expect(verdictOf(await ask(token, { binding: { jwk: JWK } }))).toEqual(['deny', 'nonce_mismatch']);
    expect(verdictOf(await ask(token))).toEqual(['deny', 'nonce_mismatch']);
  });

  it('TOK-09 has to be bound, since a token has no audience: an echo of it binds nothing', async () => {
    const nonce = base64Url(NONCE);
    const unbound = lab.maa.issueSevSnpVm({ report: lab.service.vm.platform.report(), nonce });
    expect(verdictOf(await ask(unbound))).toEqual(['deny', 'nonce_mismatch']);
    expect(verdictOf(await ask(azureVm(OTHER_NONCE, OTHER_NONCE, { claims: { nonce } })))).toEqual([
      'deny',
      'nonce_mismatch',
    ]);
  });

  it('TOK-16 denies the token of another VM that knows another nonce', async () => {
    expect(verdictOf(await ask(azureVm(OTHER_NONCE, OTHER_NONCE)))).toEqual(['deny', 'nonce_mismatch']);
  });
});

describe('a token that is no token to rely on', () => {
  it.each<[string, string, TokenMaking]>([
    ['TOK-08', 'token_issuer', { claims: ({ iss, ...rest }) => ({ ...rest, iss: `${iss}/` }) }],
    ['TOK-09', 'token_audience', { claims: { aud: 'https://somebody.example' } }],
    ['TOK-17', 'token_issuer_policy', { claims: { 'x-ms-policy-hash': 'A'.repeat(43) } }],
  ])('%s denies with %s', async (_, code, making) => {
    const answer = await ask(azureVm(NONCE, NONCE, making));
    expect(answer.body.decision).toBe('deny');
    expect(answer.body.reasons).toContain(code);
  });

  it('TOK-02 refuses with token_header, with the place of the token', async () => {
    const { status, body } = await ask(azureVm(NONCE, NONCE, { header: { jku: 'https://keys.example/certs' } }));
    expect([status, body.code, body.pointer]).toEqual([400, 'token_header', '/evidence/token']);
  });

  it('TOK-17 says of an issuer whose owner may issue any claim that it is one', async () => {
    const { hclReport } = lab.evidence().evidence;
    const answer = await ask(lab.open.issueAzureVm({ hclReport, clientPayloadNonce: NONCE }));
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(resultsOf(answer, 'token_issuer_policy')).toEqual(['warn']);
    expect(answer.body.trust.status).toBe('warning');
  });

  it('TOK-20 refuses one that is longer than tokens are, and a body that is longer than bodies are', async () => {
    const long = `${azureVm(NONCE, NONCE)}${'A'.repeat(65_536)}`;
    const { status, body } = await ask(long);
    expect([status, body.code]).toEqual([400, 'token_format']);
    const small = await lab.start({ limits: { bodyBytes: 65_536 } }, {}, 'small');
    const refused = await ask(long, {}, small);
    expect([refused.status, refused.body.code]).toEqual([413, 'body_too_large']);
  });
});

describe('whose tokens a policy takes', () => {
  it('TOK-22 denies a token of another instance than the one that the policy names', async () => {
    const { hclReport } = lab.evidence().evidence;
    const stranger = lab.open.issueAzureVm({ hclReport, clientPayloadNonce: NONCE });
    const answer = await ask(stranger, { policy: 'tokens-of-own' });
    expect(verdictOf(answer)).toEqual(['deny', 'token_issuer']);
    expect(checksOf(answer, 'token_issuer')).toMatchObject([
      { result: 'pass', policy: null },
      { result: 'fail', policy: 'tokens-of-own', expected: [lab.maa.issuer], actual: lab.open.issuer },
    ]);
    expect(verdictOf(await ask(stranger, { policy: 'tokens' }))).toEqual(['allow']);
    expect(verdictOf(await ask(azureVm(NONCE, NONCE), { policy: 'tokens-of-own' }))).toEqual(['allow']);
  });
});

describe('keys of the issuer', () => {
  const HOUR_SECONDS = 3600;

  it('TOK-24 are fetched before use after 23 idle hours, so that a withdrawn one is refused', async () => {
    const clock = new MovableClock();
    const own = await lab.start({}, { clock }, 'withdrawn');
    expect(verdictOf(await ask(azureVm(NONCE, NONCE), {}, own))).toEqual(['allow']);
    const later = ({ iat, nbf, exp, ...rest }: JsonObject): JsonObject => {
      const [from, until] = [Number(iat) + 23 * HOUR_SECONDS, Number(exp) + 23 * HOUR_SECONDS];
      return { ...rest, iat: from, nbf: from + Number(nbf) - Number(iat), exp: until };
    };
    const byOldKey = azureVm(NONCE, NONCE, { claims: later });
    lab.maa.rotate();
    clock.advance(23 * HOUR_SECONDS * 1000);
    expect(verdictOf(await ask(byOldKey, {}, own))).toEqual(['deny', 'token_key']);
    expect(verdictOf(await ask(azureVm(NONCE, NONCE, { claims: later }), {}, own))).toEqual(['allow']);
  });

  it('TOK-11, TOK-13 takes up a new key after the cooldown, in which none is fetched, and from then on not the one that was removed', async () => {
    const clock = new MovableClock();
    const own = await lab.start({}, { clock }, 'rotation');
    const old = azureVm(NONCE, NONCE);
    expect(verdictOf(await ask(old, {}, own))).toEqual(['allow']);
    lab.maa.rotate();
    const next = azureVm(NONCE, NONCE);
    const before = lab.maa.count(/^\/certs$/);
    for (let count = 0; count < 3; count++) expect(verdictOf(await ask(next, {}, own))).toEqual(['deny', 'token_key']);
    expect(verdictOf(await ask(old, {}, own))).toEqual(['allow']);
    expect(lab.maa.count(/^\/certs$/)).toBe(before);
    clock.advance(31_000);
    expect(verdictOf(await ask(next, {}, own))).toEqual(['allow']);
    expect(verdictOf(await ask(old, {}, own))).toEqual(['deny', 'token_key']);
  });

  it('out of reach leave the decision open, with Retry-After, until they are back', async () => {
    const clock = new MovableClock();
    const own = await lab.start({}, { clock }, 'keys-down');
    lab.maa.fail(/^\/certs$/, { status: 503 });
    const answer = await ask(azureVm(NONCE, NONCE), {}, own);
    expect(verdictOf(answer)).toEqual(['indeterminate', 'jwks_unavailable']);
    expect([answer.body.retryable, answer.headers['retry-after']]).toEqual([true, '5']);
    expect(resultsOf(answer, 'token_compliance')).not.toContain('pass');
    await lab.maa.heal();
    clock.advance(31_000);
    expect(verdictOf(await ask(azureVm(NONCE, NONCE), {}, own))).toEqual(['allow']);
  });
});

describe.skipIf(!haveVectors)('the real token of 2022', () => {
  const REAL = 'maa-azurevm-snp-weu-2022';
  const file = (name: string) => readVector(`maa-jwt/${REAL}.${name}`);
  const POLICY = {
    apiVersion: 'veritee/v1',
    id: 'maa-of-2022',
    version: 1,
    accepts: ['maa-token'],
    minimums: 'any',
    routes: { hardware: 'off', maa: 'required' },
    freshness: 'none',
    require: { maa: { complianceStatus: ['azure-compliant-cvm'] } },
  };

  it('is allowed at its instant with its production key, its claims typed', async () => {
    const { expect: expected, verifyAt } = vector(REAL);
    const keys = join(lab.service.root, 'weu.jwks.json');
    await writeFile(keys, file('jwks.json'));
    await lab.service.writePolicy(JSON.stringify(POLICY));
    const maa = { shared: false, issuers: [{ issuer: expected.facts.iss, keys }] };
    const own = await lab.start({ maa, historical: true }, {}, 'of-2022');
    const token = Buffer.from(file('jwt')).toString('utf8').trim();
    const judge = (at: string) =>
      post(own.url, '/verify', JSON.stringify({ evidence: { type: 'maa-token', token }, policy: 'maa-of-2022', at }));
    const answer = await judge(String(verifyAt));
    expect(verdictOf(answer)).toEqual(['allow']);
    const { claims, historical } = answer.body;
    expect(historical).toBe(true);
    expect(claims.maa.claims).toEqual(expected.facts.payload);
    expect(claims.maa).toMatchObject({ issuer: expected.facts.iss, attestationType: 'azurevm' });
    const tee = objectOf(claims.maa.claims['x-ms-isolation-tee']);
    expect(typeof tee['x-ms-sevsnpvm-snpfw-svn']).toBe('number');
    expect(tee['x-ms-sevsnpvm-is-debuggable']).toBe(false);
    const after = new Date((Number(expected.facts.exp) + 61) * 1000).toISOString();
    const late = await judge(after);
    expect(verdictOf(late)).toEqual(['deny', 'token_time']);
    expect(late.body.claims.maa).toBeNull();
    expect(checksOf(late, 'token_time')).toMatchObject([{ result: 'fail' }]);
  });
});
