import { describe, expect, it } from 'vitest';
import type { EvidenceType, TokenRoute } from '../../../src/core/evidence.js';
import type { TokenVerification, Verification } from '../../../src/core/verification.js';
import { jwkThumbprint } from '../../../src/crypto/jwk-thumbprint.js';
import { type JoinedVerification, join } from '../../../src/judge/join.js';
import type { RouteFault, RouteToken } from '../../../src/judge/route-tokens.js';
import { check, tdxClaims, tdxTcb } from '../policy/fixture.js';
import { AZUREVM, altered, azClaims, azHcl, verified } from './cross-check/fixture.js';
import { brokenToken, END, itaToken, maaToken, ownVerification, tokenClaimsOf, unproven } from './route-fixture.js';

const DIFFERENT = altered(AZUREVM, ['x-ms-isolation-tee', 'x-ms-sevsnpvm-launchmeasurement'], 'a0'.repeat(48));
const DOWN: RouteFault = { state: 'unavailable', detail: 'it is down', retryable: true, retryAfterSeconds: null };

interface Given {
  readonly own?: Verification;
  readonly tokens?: readonly RouteToken[];
  readonly faults?: readonly (readonly [TokenRoute, RouteFault])[];
  readonly type?: EvidenceType;
}

function judged({
  own = ownVerification(),
  tokens = [],
  faults = [],
  type = 'az-snp-vtpm',
}: Given): JoinedVerification {
  return join(type, own, { tokens, faults: new Map(faults) }, jwkThumbprint);
}

const unknownParavisor = () => {
  const hcl = azHcl({ paravisor: { known: false, by: null } });
  return ownVerification({ claims: verified(azClaims({ hcl })) });
};

describe('evidence without tokens', () => {
  it('is what it was', () => {
    const own = ownVerification();
    const found = judged({ own });
    expect(found.verification).toEqual(own);
    expect([found.crossCheck, [...found.results], found.clockSkewSeconds]).toEqual([null, [], null]);
  });
});

describe('evidence and a token', () => {
  it('are compared by the verification that is named, where the evidence is judged by other collateral', () => {
    const own = ownVerification({ claims: verified({ tdx: tdxClaims() }) });
    const tcb = tdxTcb({ status: 'OutOfDate' });
    const other = ownVerification({
      checks: [check('tdx_signature')],
      claims: verified({ tdx: tdxClaims({ tcb }) }),
    });
    const tokens = { tokens: [itaToken()], faults: new Map() };
    const by = (compared?: Verification) => join('tdx', other, tokens, jwkThumbprint, compared);
    const disagreeing = ({ verification }: JoinedVerification) =>
      verification.checks.filter(({ id, result }) => id === 'disagreement' && result === 'fail').length;
    expect([disagreeing(by()), disagreeing(by(own))]).toEqual([1, 0]);
    expect(by(own).verification.checks[0]?.id).toBe('tdx_signature');
    expect(by(own).verification.claims.tdx?.tcb.status).toBe('OutOfDate');
    expect([...by(own).results]).toEqual([['ita', { state: 'verified' }]]);
  });

  it('are one verification', () => {
    const { verification, boundByEvidence, results, crossCheck } = judged({ tokens: [maaToken()] });
    expect(boundByEvidence).toEqual(['tpm.extraData']);
    expect(verification.checks.map(({ id }) => id)).toEqual(['snp_signature', 'token_signature', 'disagreement']);
    expect(verification.required).toEqual(['snp_signature', 'token_signature', 'disagreement']);
    expect(Object.keys(verification.claims)).toEqual(['snp', 'hcl', 'maa']);
    expect(verification.bound).toEqual(['tpm.extraData', 'maa.userData']);
    expect(verification.validUntil).toEqual(END);
    expect([...results]).toEqual([['maa', { state: 'verified' }]]);
    expect(crossCheck?.agree).toBe(true);
  });

  it('DEC-01 do not answer for a required check of each other', () => {
    const forgetful = ownVerification({ required: ['snp_signature', 'token_signature'] });
    const without = judged({ own: forgetful, tokens: [maaToken()] }).verification.checks;
    const detail = 'without an outcome: token_signature';
    expect(without).toContainEqual(expect.objectContaining({ id: 'internal_error', result: 'unavailable', detail }));
    const token = maaToken();
    const hollow = { ...token, verification: { ...token.verification, checks: [] } };
    const own = ownVerification({ checks: [check('snp_signature'), check('token_signature')] });
    expect(judged({ own, tokens: [hollow] }).verification.checks.map(({ id }) => id)).toContain('internal_error');
    expect(judged({ own, tokens: [token] }).verification.checks.map(({ id }) => id)).not.toContain('internal_error');
  });

  it.each([
    [new Date(END.getTime() - 1), new Date(END.getTime() - 1)],
    [new Date(END.getTime() + 1), END],
  ])('end with what ends first', (validUntil, expected) => {
    expect(judged({ own: ownVerification({ validUntil }), tokens: [maaToken()] }).verification.validUntil).toEqual(
      expected,
    );
  });

  it('say nothing of freshness where the token differs, which is a token refused', () => {
    const { verification, results } = judged({ tokens: [maaToken(DIFFERENT)] });
    expect([verification.bound, [...results]]).toEqual([['tpm.extraData'], [['maa', { state: 'refused' }]]]);
    expect(verification.claims.maa).toBeDefined();
  });

  it('have no claims of a token that cannot be relied on, whose checks are base checks', () => {
    const { verification, results } = judged({ tokens: [brokenToken(check('token_key', 'fail'))] });
    expect(verification.claims.maa).toBeUndefined();
    const stated = maaToken(AZUREVM, { checks: [check('token_key', 'fail')], validUntil: null });
    expect(judged({ tokens: [stated] }).verification.claims.maa).toBeUndefined();
    expect(verification.checks.map(({ id, result }) => [id, result])).toContainEqual(['token_key', 'fail']);
    expect([...results]).toEqual([['maa', { state: 'refused' }]]);
  });

  it('REL-03 are of one TEE by a route where each of its tokens is', () => {
    const key = ['x-ms-isolation-tee', 'x-ms-runtime', 'keys'];
    const other = maaToken(altered(AZUREVM, key, []), {}, true);
    const routesOf = (...tokens: readonly RouteToken[]) => [...judged({ tokens }).ofSameTee];
    expect(routesOf(maaToken(), maaToken(AZUREVM, {}, true))).toEqual(['maa']);
    expect([routesOf(maaToken(), other), routesOf(other, maaToken()), routesOf(other)]).toEqual([[], [], []]);
  });

  it('need an outcome of the comparison, so that a token that was not compared is never an allow', () => {
    const broken = brokenToken(check('jwks_unavailable', 'unavailable'));
    expect(judged({ tokens: [broken] }).verification.required).toContain('disagreement');
  });

  it('say whose token each check speaks of, where that is one', () => {
    const { checks } = judged({ tokens: [maaToken(DIFFERENT), itaToken()] }).verification;
    const results = new Map(checks.map(({ id, about, route }) => [`${id} ${about}`, route]));
    expect([...results]).toEqual([
      ['snp_signature /evidence', undefined],
      ['token_signature /evidence', 'ita'],
      ['disagreement /attestationResults/0/token', 'maa'],
      ['disagreement /attestationResults/1/token', 'ita'],
    ]);
    const refused = judged({ faults: [['ita', { state: 'not vouched for', detail: 'its policy says no' }]] });
    expect(refused.verification.checks.at(-1)).toMatchObject({ id: 'disagreement', route: 'ita' });
    const vouched = judged({ own: unproven(check('snp_signature', 'fail')), tokens: [maaToken()] });
    expect(vouched.verification.checks.at(-1)).toMatchObject({ id: 'disagreement', result: 'fail', route: 'maa' });
  });

  it('have the first clock skew that shows', () => {
    expect(judged({ tokens: [maaToken(AZUREVM, { clockSkewSeconds: 3 })] }).clockSkewSeconds).toBe(3);
    const own = { ...ownVerification(), clockSkewSeconds: -2 } as TokenVerification;
    expect(judged({ own, tokens: [maaToken(AZUREVM, { clockSkewSeconds: 3 })] }).clockSkewSeconds).toBe(-2);
    expect(judged({ tokens: [maaToken(AZUREVM, { clockSkewSeconds: 0 })] }).clockSkewSeconds).toBe(0);
  });
});

describe('a paravisor', () => {
  const VOUCHES = { vouchesForParavisor: true };

  it('TOK-17 twin: is known by a token that vouches for it and agrees', () => {
    const { claims } = judged({ own: unknownParavisor(), tokens: [maaToken(AZUREVM, VOUCHES)] }).verification;
    expect(claims.hcl?.paravisor).toEqual({ known: true, by: 'maa' });
  });

  it('TOK-17 is not known by one that does not vouch for it, or does not agree', () => {
    for (const token of [maaToken(), maaToken(DIFFERENT, VOUCHES)]) {
      const { claims } = judged({ own: unknownParavisor(), tokens: [token] }).verification;
      expect(claims.hcl?.paravisor).toEqual({ known: false, by: null });
    }
  });

  it('TOK-17 is known by the last of two tokens, which is the one whose claims count', () => {
    const knownBy = (...tokens: readonly RouteToken[]) =>
      judged({ own: unknownParavisor(), tokens }).verification.claims.hcl?.paravisor;
    expect(knownBy(maaToken(AZUREVM, VOUCHES), maaToken())).toEqual({ known: false, by: null });
    expect(knownBy(maaToken(), maaToken(AZUREVM, VOUCHES))).toEqual({ known: true, by: 'maa' });
  });

  it('TOK-17 twin: known by its key alone, it gets its configuration back from a token that vouches for it', () => {
    const { vmConfiguration = {}, ...hcl } = azHcl({ paravisor: { known: true, by: 'akCertificate' } });
    const claims = verified(azClaims({ hcl }));
    const own = ownVerification({ claims, withheldConfiguration: vmConfiguration });
    const vouched = judged({ own, tokens: [maaToken(AZUREVM, VOUCHES)] }).verification.claims.hcl;
    expect(vouched).toEqual({ ...hcl, paravisor: { known: true, by: 'maa' }, vmConfiguration });
    for (const tokens of [[], [maaToken()], [maaToken(DIFFERENT, VOUCHES)]]) {
      expect(judged({ own, tokens }).verification.claims.hcl).toEqual(hcl);
    }
  });

  it('TOK-18 is compared with what is withheld, too: a token that says otherwise gives nothing back', () => {
    const { vmConfiguration = {}, ...hcl } = azHcl({ paravisor: { known: true, by: 'akCertificate' } });
    const claims = verified(azClaims({ hcl }));
    const own = ownVerification({ claims, withheldConfiguration: vmConfiguration });
    const runtime = ['x-ms-isolation-tee', 'x-ms-runtime', 'vm-configuration', 'tpm-enabled'];
    for (const token of [
      altered(AZUREVM, runtime, false),
      altered(AZUREVM, ['x-ms-isolation-tee', 'x-ms-sevsnpvm-reportdata'], 'a0'.repeat(64)),
    ]) {
      const { verification, crossCheck, results } = judged({ own, tokens: [maaToken(token, VOUCHES)] });
      expect(crossCheck?.agree).toBe(false);
      expect(verification.checks).toContainEqual(expect.objectContaining({ id: 'disagreement', result: 'fail' }));
      expect(verification.claims.hcl).toEqual(hcl);
      expect([...results]).toEqual([['maa', { state: 'refused' }]]);
    }
  });

  it('keeps what it was known by before', () => {
    const { claims } = judged({ tokens: [maaToken(AZUREVM, VOUCHES)] }).verification;
    expect(claims.hcl?.paravisor.by).toBe('idKeyDigest');
  });
});

describe('a token that is the evidence', () => {
  it.each([
    ['maa-token', 'maa'],
    ['ita-token', 'ita'],
  ] as const)('is its own route: %s', (type, route) => {
    const own = ownVerification({ claims: verified({ [route]: tokenClaimsOf({}, 'azurevm') }) });
    expect([...judged({ own, type }).results]).toEqual([[route, { state: 'verified' }]]);
    const refused = unproven(check('token_key', 'fail'));
    expect([...judged({ own: refused, type }).results]).toEqual([[route, { state: 'refused' }]]);
  });
});

describe('a submission without a token', () => {
  it('is out of reach, and no base check', () => {
    const { verification, results, retryAfterSeconds } = judged({ faults: [['maa', DOWN]] });
    expect([verification.checks, verification.required]).toEqual([ownVerification().checks, ['snp_signature']]);
    expect([results.get('maa'), retryAfterSeconds]).toEqual([DOWN, null]);
  });

  it('passes on the longest pause that was asked for', () => {
    const pause = (retryAfterSeconds: number): RouteFault => ({ ...DOWN, retryAfterSeconds });
    expect(
      judged({
        faults: [
          ['maa', pause(7)],
          ['ita', pause(11)],
        ],
      }).retryAfterSeconds,
    ).toBe(11);
    expect(
      judged({
        faults: [
          ['maa', pause(7)],
          ['ita', DOWN],
        ],
      }).retryAfterSeconds,
    ).toBe(7);
  });

  it('TOK-18 that was refused there is a disagreement', () => {
    const { verification, results } = judged({ faults: [['maa', { state: 'not vouched for', detail: 'no' }]] });
    expect(verification.checks.at(-1)).toMatchObject({ id: 'disagreement', result: 'fail', expected: 'hardware' });
    expect(results.get('maa')).toEqual({ state: 'refused' });
  });

  it('that was not made is not judged, and no disagreement', () => {
    const own = unproven(check('snp_signature', 'fail'));
    const { verification, results } = judged({ own, faults: [['maa', { state: 'not asked' }]] });
    expect([verification.checks, results.get('maa')]).toEqual([own.checks, { state: 'not judged' }]);
  });

  it('that was held back keeps its reason, and is no base check', () => {
    const held: RouteFault = { state: 'held back', because: 'the verification time is in the past' };
    const { verification, results } = judged({ faults: [['maa', held]] });
    expect([verification.checks, results.get('maa')]).toEqual([ownVerification().checks, held]);
  });

  it('does not hide a token of the other route', () => {
    const { results } = judged({ tokens: [itaToken()], faults: [['maa', DOWN]] });
    expect([results.get('ita'), results.get('maa')]).toEqual([{ state: 'refused' }, DOWN]);
  });
});
