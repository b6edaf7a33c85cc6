import { describe, expect, it } from 'vitest';
import type { TokenRoute } from '../../../../src/core/evidence.js';
import { TDX_STATUSES } from '../../../../src/core/tdx-status.js';
import type { ResultState } from '../../../../src/policy/appraise/appraisal-topic.js';
import {
  appraised,
  appraisedTd,
  azClaims,
  azTdxClaims,
  check,
  failed,
  only,
  results,
  type Situation,
  tokenClaims,
} from '../fixture.js';

const ROUTES = ['maa', 'ita'] as const satisfies readonly TokenRoute[];
const withResult = (route: TokenRoute, state: ResultState): Pick<Situation, 'results'> => ({
  results: new Map([[route, state]]),
});
const ISSUER = 'https://sharedweu.weu.attest.azure.net';
const OUT_OF_REACH: ResultState = { state: 'unavailable', detail: 'it is down', retryable: true };

describe.each(ROUTES)('a token by %s', (route) => {
  const required = { routes: { [route]: 'required' } };
  const optional = { routes: { [route]: 'optional' } };

  it.each([required, optional])('passes where one was verified: %o', (members) => {
    const appraisal = appraised(members, withResult(route, { state: 'verified' }));
    expect([appraisal.outcome, only(appraisal, 'route_missing').result]).toEqual(['allow', 'pass']);
    expect(only(appraisal, 'route_missing')).toMatchObject({ expected: route, about: '/attestationResults' });
  });

  it('denies where it is required, was not sent, and nothing fetches one', () => {
    const appraisal = appraisedTd(required);
    expect(failed(appraisal)).toEqual(['route_missing']);
    expect(only(appraisal, 'route_missing')).toMatchObject({
      expected: route,
      actual: null,
      about: '/attestationResults',
      detail: `no token was sent for the route ${route}, and nothing is configured to fetch one for this evidence`,
    });
  });

  describe('that was held back', () => {
    const held = withResult(route, { state: 'held back', because: 'the verification time is in the past' });
    const detail = `no token was sent for the route ${route}, and none was requested, because the verification time is in the past`;

    it('denies where it is required, and says why none was asked for', () => {
      const appraisal = appraisedTd(required, held);
      expect(failed(appraisal)).toEqual(['route_missing']);
      expect(only(appraisal, 'route_missing')).toMatchObject({ expected: route, actual: 'not asked', detail });
    });

    it('changes nothing where it is optional, and says why none was asked for', () => {
      const appraisal = appraisedTd(optional, held);
      expect(appraisal.outcome).toBe('allow');
      expect(only(appraisal, 'route_unavailable')).toMatchObject({ result: 'not_configured', detail });
    });

    it('denies what a policy demands of it', () => {
      const appraisal = appraisedTd({ ...optional, require: { [route]: { issuers: [ISSUER] } } }, held);
      expect([failed(appraisal), results(appraisal, 'token_issuer')]).toEqual([['claim_missing'], ['skipped']]);
    });
  });

  it('that is optional and that nobody fetches is said to be so, and the hardware is allowed', () => {
    const appraisal = appraised(optional);
    expect([appraisal.outcome, results(appraisal, 'route_missing')]).toEqual(['allow', []]);
    expect(results(appraisal, 'route_unavailable')).toEqual(['not_configured']);
    expect([...appraisal.matched, ...appraisal.unmatched]).not.toContain('route_unavailable');
  });

  it.each([true, false])('out of reach leaves a required route open, worth asking again: %s', (retryable) => {
    const appraisal = appraised(required, withResult(route, { ...OUT_OF_REACH, retryable }));
    expect([appraisal.outcome, failed(appraisal)]).toEqual(['indeterminate', []]);
    expect(only(appraisal, 'route_unavailable')).toMatchObject({
      result: 'unavailable',
      retryable,
      detail: 'it is down',
    });
    expect(only(appraisal, 'route_unavailable').optional).toBeUndefined();
  });

  it('out of reach is marked on an optional route, and changes nothing', () => {
    const appraisal = appraised(optional, withResult(route, OUT_OF_REACH));
    expect(appraisal.outcome).toBe('allow');
    expect(only(appraisal, 'route_unavailable')).toMatchObject({ result: 'unavailable', optional: true });
    expect(appraisal.unmatched).toEqual(['route_unavailable']);
  });

  it('out of reach on an optional route makes nothing better either', () => {
    const findings = [check('tpm_signature', 'fail')];
    expect(appraised(optional, { ...withResult(route, OUT_OF_REACH), findings }).outcome).toBe('deny');
    const open = [check('vcek_unavailable', 'unavailable', { retryable: true })];
    expect(appraised(optional, { ...withResult(route, OUT_OF_REACH), findings: open }).outcome).toBe('indeterminate');
  });

  it.each(['refused', 'not judged'] as const)('that is %s is a matter of the check that says why', (state) => {
    for (const members of [required, optional]) {
      const findings = [check('disagreement', 'fail')];
      const appraisal = appraised(members, { ...withResult(route, { state }), findings });
      expect([failed(appraisal), results(appraisal, 'route_missing')]).toEqual([['disagreement'], ['skipped']]);
    }
  });

  it.each(['refused', 'not judged'] as const)('that is %s without a check that says why is never an allow', (state) => {
    for (const members of [required, optional]) {
      const appraisal = appraised(members, withResult(route, { state }));
      expect([appraisal.outcome, results(appraisal, 'internal_error')]).toEqual(['indeterminate', ['unavailable']]);
    }
  });

  it.each<ResultState>([
    { state: 'verified' },
    { state: 'refused' },
    { state: 'not judged' },
    { state: 'held back', because: 'the verification time is in the past' },
    { state: 'absent' },
    OUT_OF_REACH,
  ])('is no matter of a policy whose route is off: %o', (state) => {
    const appraisal = appraised({}, withResult(route, state));
    expect(appraisal.outcome).toBe('allow');
    expect([...results(appraisal, 'route_missing'), ...results(appraisal, 'route_unavailable')]).toEqual([]);
  });
});

describe('a token that nothing can fetch', () => {
  const missing = (type: 'maa-token' | 'ita-token', route: TokenRoute) => {
    const routing = { hardware: 'off', [route]: 'required' };
    const own = type === 'maa-token' ? 'maa' : 'ita';
    return appraised(
      { accepts: [type], minimums: 'any', routes: routing },
      { type, claims: { [own]: tokenClaims({}, own === 'ita' ? 'TDX' : 'azurevm') }, bound: [`${own}.userData`] },
    );
  };

  it.each<['maa-token' | 'ita-token', TokenRoute]>([
    ['ita-token', 'maa'],
    ['maa-token', 'ita'],
  ])('is said to be none where the evidence is an %s, and %s is required', (type, route) => {
    expect(only(missing(type, route), 'route_missing')).toMatchObject({
      result: 'fail',
      expected: route,
      actual: 'never fetched',
      detail: `no token was sent for the route ${route}, and none can be fetched where the evidence itself is a token`,
    });
  });

  it.each<ResultState>([{ state: 'absent' }, { state: 'held back', because: 'the verification time is in the past' }])(
    'is said to be none where Trust Authority is to judge SEV-SNP evidence: %o',
    (state) => {
      const detail =
        'no token was sent for the route ita, and Intel Trust Authority issues none about SEV-SNP evidence';
      const denied = appraised({ routes: { ita: 'required' } }, withResult('ita', state));
      expect(failed(denied)).toEqual(['route_missing']);
      expect(only(denied, 'route_missing')).toMatchObject({ expected: 'ita', actual: 'never issued', detail });
      const allowed = appraised({ routes: { ita: 'optional' } }, withResult('ita', state));
      expect([allowed.outcome, only(allowed, 'route_unavailable').detail]).toEqual(['allow', detail]);
    },
  );
});

describe('Attestation Results', () => {
  it('deny where one is required and the other optional', () => {
    const members = { routes: { maa: 'optional', ita: 'required' } };
    expect(appraised(members).outcome).toBe('deny');
    expect(appraised(members, withResult('maa', { state: 'verified' })).outcome).toBe('deny');
    expect(appraised(members, withResult('ita', { state: 'verified' })).outcome).toBe('allow');
  });
});

describe('what a policy demands of the tokens of two verifiers', () => {
  it('says of each check whose token it speaks of: both stand at one place', () => {
    const require = { maa: { issuers: [ISSUER] }, ita: { issuers: ['https://another.example'] } };
    const { checks } = appraisedTd(
      { require, routes: { maa: 'optional', ita: 'optional' } },
      { claims: azTdxClaims({ maa: tokenClaims(), ita: tokenClaims({}, 'TDX') }) },
    );
    const found = checks.filter(({ id }) => id === 'token_issuer');
    expect(found.map(({ result, about, route }) => [result, about, route])).toEqual([
      ['pass', '/attestationResults', 'maa'],
      ['fail', '/attestationResults', 'ita'],
    ]);
  });
});

describe('what Azure Attestation must have said', () => {
  const MEMBERS = {
    routes: { maa: 'optional' },
    require: { maa: { complianceStatus: ['azure-compliant-cvm'], attestationType: ['azurevm', 'sevsnpvm'] } },
  };
  const said = (maa: ReturnType<typeof tokenClaims>): Situation => ({
    claims: azClaims({ maa }),
    ...withResult('maa', { state: 'verified' }),
  });

  it('passes where it did', () => {
    for (const type of ['azurevm', 'sevsnpvm']) {
      const appraisal = appraised(MEMBERS, said(tokenClaims({}, type)));
      expect(appraisal.outcome).toBe('allow');
      expect([results(appraisal, 'token_compliance'), results(appraisal, 'token_claim_type')]).toEqual([
        ['pass'],
        ['pass'],
      ]);
    }
  });

  it.each([null, 'azure-compliant-uvm', 'Azure-Compliant-CVM', ''])('denies the compliance status %o', (status) => {
    const appraisal = appraised(MEMBERS, said(tokenClaims({ complianceStatus: status })));
    expect(failed(appraisal)).toEqual(['token_compliance']);
    expect(only(appraisal, 'token_compliance')).toMatchObject({ expected: ['azure-compliant-cvm'], actual: status });
  });

  it('denies another attestation type', () => {
    expect(failed(appraised(MEMBERS, said(tokenClaims({}, 'tdxvm'))))).toEqual(['token_claim_type']);
  });

  it('asks for what the policy names alone', () => {
    const status = { ...MEMBERS, require: { maa: { complianceStatus: ['azure-compliant-cvm'] } } };
    expect(appraised(status, said(tokenClaims({}, 'tdxvm'))).outcome).toBe('allow');
    const type = { ...MEMBERS, require: { maa: { attestationType: ['sevsnpvm'] } } };
    expect(appraised(type, said(tokenClaims({ complianceStatus: null }, 'sevsnpvm'))).outcome).toBe('allow');
  });

  it('DEC-02 denies where there are no claims of it', () => {
    const appraisal = appraised(MEMBERS);
    expect(failed(appraisal)).toEqual(['claim_missing']);
    expect(results(appraisal, 'token_compliance')).toEqual(['skipped']);
  });

  it.each([true, false])('stays open where it is out of reach, on an optional route too: %s', (retryable) => {
    const appraisal = appraised(MEMBERS, withResult('maa', { ...OUT_OF_REACH, retryable }));
    expect([appraisal.outcome, failed(appraisal)]).toEqual(['indeterminate', []]);
    expect(only(appraisal, 'token_compliance')).toMatchObject({ result: 'unavailable', retryable });
    expect(only(appraisal, 'token_claim_type')).toMatchObject({ result: 'unavailable', retryable });
  });

  it.each(['refused', 'not judged'] as const)('is skipped where the token is %s', (state) => {
    const appraisal = appraised(MEMBERS, { ...withResult('maa', { state }), findings: [check('token_key', 'fail')] });
    expect([failed(appraisal), results(appraisal, 'token_compliance')]).toEqual([['token_key'], ['skipped']]);
  });

  it('says of which place it speaks', () => {
    const beside = appraised(MEMBERS, said(tokenClaims({ complianceStatus: null })));
    expect(only(beside, 'token_compliance').about).toBe('/attestationResults');
    const alone = appraised(
      { ...MEMBERS, accepts: ['maa-token'], minimums: 'any', routes: { hardware: 'off', maa: 'required' } },
      {
        type: 'maa-token',
        claims: { maa: tokenClaims({ complianceStatus: null }) },
        ...withResult('maa', { state: 'verified' }),
        bound: ['maa.userData'],
      },
    );
    expect(failed(alone)).toEqual(['token_compliance']);
    expect(only(alone, 'token_compliance').about).toBe('/evidence/token');
  });
});

describe('whose word a policy takes', () => {
  const OWN = 'https://own.weu.attest.azure.net';

  it.each(ROUTES)('TOK-22 denies a token of %s by an issuer that it does not list, whoever supplied it', (route) => {
    const demanding = (...issuers: readonly string[]) =>
      appraisedTd(
        { require: { [route]: { issuers } }, routes: { [route]: 'optional' } },
        { claims: azTdxClaims({ [route]: tokenClaims() }), ...withResult(route, { state: 'verified' }) },
      );
    const appraisal = demanding(OWN);
    expect(failed(appraisal)).toEqual(['token_issuer']);
    expect(only(appraisal, 'token_issuer')).toMatchObject({
      expected: [OWN],
      actual: ISSUER,
      detail: expect.stringMatching(new RegExp(`not listed in require\\.${route}\\.issuers$`)),
    });
    expect(demanding(OWN, ISSUER).outcome).toBe('allow');
    expect(failed(demanding(`${ISSUER}/`))).toEqual(['token_issuer']);
    expect(failed(demanding(ISSUER.toUpperCase()))).toEqual(['token_issuer']);
  });

  it.each(ROUTES)('TOK-22 denies where no token of %s came that it could be', (route) => {
    const members = { require: { [route]: { issuers: [ISSUER] } }, routes: { [route]: 'optional' } };
    const appraisal = appraisedTd(members);
    expect([failed(appraisal), results(appraisal, 'token_issuer')]).toEqual([['claim_missing'], ['skipped']]);
    expect(only(appraisal, 'claim_missing').expected).toBe(route);
  });

  it.each(ROUTES)('stays open where %s is out of reach', (route) => {
    const members = { require: { [route]: { issuers: [ISSUER] } }, routes: { [route]: 'optional' } };
    const appraisal = appraisedTd(members, withResult(route, OUT_OF_REACH));
    expect([appraisal.outcome, results(appraisal, 'token_issuer')]).toEqual(['indeterminate', ['unavailable']]);
  });
});

describe('policies of Trust Authority that a policy demands', () => {
  const [A, B] = ['1a2b3c4d-0000-4000-8000-0123456789ab', '1a2b3c4d-0000-4000-8000-ba9876543210'];
  const matched = (...matchedPolicyIds: readonly string[]): Situation => ({
    claims: azTdxClaims({ ita: tokenClaims({ matchedPolicyIds }, 'TDX') }),
    ...withResult('ita', { state: 'verified' }),
  });
  const demanding = (...policyIds: readonly string[]) => ({
    require: { ita: { policyIds } },
    routes: { ita: 'optional' },
  });

  it('TOK-21 twin: have all matched, beside others', () => {
    expect(appraisedTd(demanding(A.toUpperCase(), B), matched(B, 'c', A)).outcome).toBe('allow');
  });

  it.each([[[]], [[A]], [[B]], [['c']]])('TOK-21 deny a token that matched %j', (ids) => {
    const appraisal = appraisedTd(demanding(A, B), matched(...ids));
    expect(failed(appraisal)).toEqual(['ita_policy']);
    expect(only(appraisal, 'ita_policy')).toMatchObject({
      expected: [A, B],
      actual: ids,
      detail: 'Intel Trust Authority does not say that every policy in require.ita.policyIds matches',
    });
  });

  it('TOK-21 deny without a token', () => {
    const appraisal = appraisedTd(demanding(A));
    expect([failed(appraisal), results(appraisal, 'ita_policy')]).toEqual([['claim_missing'], ['skipped']]);
  });
});

describe.each(['maa', 'ita'] as const)('the TCB status that a token for the route %s states', (route) => {
  const id = `${route}_tcb_status` as const;
  const said = (tcbStatus: string | null): Situation => ({
    claims: azTdxClaims({ [route]: tokenClaims({ tcbStatus }) }),
    ...withResult(route, { state: 'verified' }),
  });
  const accepting = (...tcbStatus: readonly string[]) => ({
    require: { [route]: { tcbStatus } },
    routes: { [route]: 'optional' },
  });

  it('passes in silence where it is the best, and nothing is demanded', () => {
    const appraisal = appraisedTd({}, said('UpToDate'));
    expect([appraisal.outcome, results(appraisal, id)]).toEqual(['allow', []]);
  });

  it.each(TDX_STATUSES.filter((status) => status !== 'UpToDate'))('TOK-23 is a warning as %s', (status) => {
    const appraisal = appraisedTd({}, said(status));
    expect(appraisal.outcome).toBe('allow');
    expect(only(appraisal, id)).toMatchObject({ result: 'warn', expected: 'UpToDate', actual: status });
  });

  it.each(TDX_STATUSES)('TOK-23 denies every status but %s where that alone is accepted', (accepted) => {
    for (const status of TDX_STATUSES) {
      const appraisal = appraisedTd(accepting(accepted), said(status));
      expect(failed(appraisal)).toEqual(status === accepted ? [] : [id]);
      expect(only(appraisal, id)).toMatchObject({
        expected: [accepted],
        actual: status,
        detail: expect.stringContaining(`calls the platform ${status}, which require.${route}.tcbStatus`),
      });
    }
  });

  it.each(['Revoked', 'Splendid'])('leaves %s to the verifier, which denies it under every policy', (status) => {
    const findings = [check(id, 'fail')];
    for (const members of [{}, accepting('UpToDate')]) {
      const appraisal = appraisedTd(members, { ...said(status), findings });
      expect([appraisal.outcome, failed(appraisal)]).toEqual(['deny', [id]]);
    }
  });

  it('TOK-23 denies a TD without a token, and stays open where it is out of reach', () => {
    const absent = appraisedTd(accepting('UpToDate'));
    expect([failed(absent), results(absent, id)]).toEqual([['claim_missing'], ['skipped']]);
    const away = appraisedTd(accepting('UpToDate'), withResult(route, OUT_OF_REACH));
    expect([away.outcome, results(away, id)]).toEqual(['indeterminate', ['unavailable']]);
  });

  it('TOK-31 is not that of a token that the caller chose where the own endpoint is out of reach', () => {
    const away = appraisedTd(accepting('UpToDate'), { ...said('UpToDate'), ...withResult(route, OUT_OF_REACH) });
    expect([away.outcome, results(away, id)]).toEqual(['indeterminate', ['unavailable']]);
  });

  it('is not asked of an SEV-SNP VM, of which no token states one', () => {
    const members = { ...accepting('UpToDate'), accepts: ['az-snp-vtpm', 'az-tdx-vtpm'], minimums: 'any' };
    const appraisal = appraised(members, {
      claims: azClaims({ [route]: tokenClaims() }),
      ...withResult(route, { state: 'verified' }),
    });
    expect([appraisal.outcome, results(appraisal, id)]).toEqual(['allow', []]);
    expect(appraised(members).outcome).toBe('allow');
  });
});
