import { describe, expect, it } from 'vitest';
import type { EventLogClaims } from '../../../../src/core/claims.js';
import type { TokenRoute } from '../../../../src/core/evidence.js';
import type { ResultState } from '../../../../src/policy/appraise/appraisal-topic.js';
import {
  appraised,
  appraisedTd,
  azClaims,
  check,
  eventLogClaims,
  FILE,
  failed,
  only,
  results,
  type Situation,
  snpClaims,
  tdxClaims,
  tokenClaims,
  tpmClaims,
} from '../fixture.js';
import { releasePolicy } from '../rule-flips.js';

const rule = (cel: string, id = 'one') => ({ rules: [{ id, cel }] });
const ISSUER = 'https://sharedweu.weu.attest.azure.net';
const STATUS = 'x-ms-compliance-status';

describe('rules of a policy', () => {
  it('are listed by their ids, beside the check', () => {
    const rules = [
      { id: 'privileged', cel: 'snp.vmpl == 0' },
      { id: 'milan', cel: "snp.product == 'Milan'" },
    ];
    const appraisal = appraised({ rules });
    expect(appraisal.outcome).toBe('allow');
    expect(appraisal.matched).toEqual(expect.arrayContaining(['rule_not_met', 'privileged', 'milan']));
    expect(results(appraisal, 'rule_not_met')).toEqual(['pass', 'pass']);
  });

  it('deny with one that is false, and say which part', () => {
    const rules = [
      { id: 'privileged', cel: 'snp.vmpl == 0' },
      { id: 'genoa', cel: "snp.product == 'Genoa'" },
    ];
    const appraisal = appraised({ rules });
    expect(appraisal.outcome).toBe('deny');
    expect(failed(appraisal)).toEqual(['rule_not_met']);
    expect(appraisal.unmatched).toEqual(expect.arrayContaining(['rule_not_met', 'genoa']));
    expect(appraisal.matched).toContain('privileged');
    const [, second] = appraisal.checks.filter(({ id }) => id === 'rule_not_met');
    expect(second).toMatchObject({
      expected: 'genoa',
      actual: false,
      detail: 'the rule genoa is not met: snp.product == "Genoa" is false, because snp.product is "Milan"',
    });
    expect(second?.explain?.().value).toBe(false);
  });

  it('DEC-15 deny where a claim is absent, and list it', () => {
    const appraisal = appraised(rule('!has(snp.cspId)'));
    expect(appraisal.outcome).toBe('deny');
    expect(failed(appraisal)).toEqual(['rule_not_met', 'claim_missing']);
    expect(only(appraisal, 'claim_missing')).toMatchObject({
      expected: ['snp.cspId'],
      detail: 'the rule one needs the claim snp.cspId, which is absent',
    });
  });

  const DEAR = `snp.platformInfo.unknownBits.all(x, ${Array(110).fill('x<99').join('&&')})`;
  const dearClaims = () => {
    const unknownBits = Array.from({ length: 64 }, () => 200);
    return azClaims({ snp: snpClaims({ platformInfo: { ...snpClaims().platformInfo, unknownBits } }) });
  };

  it('may cost so much together, and have values in their explanations where they have values', () => {
    const rules = ['first', 'second', 'third'].map((id) => ({ id, cel: DEAR }));
    const appraisal = appraised({ rules }, { claims: dearClaims() });
    const checks = appraisal.checks.filter(({ id }) => id === 'rule_not_met');
    expect(checks.map(({ actual }) => actual)).toEqual([false, false, null]);
    expect(checks[2]?.detail).toContain('the rules of the policy take more steps than they may');
    expect(checks.slice(0, 2).map(({ explain }) => explain?.().state)).toEqual(['value', 'value']);
  });

  it('are evaluated whatever is said of those before', () => {
    const rules = [
      { id: 'first', cel: DEAR },
      { id: 'second', cel: DEAR },
      { id: 'third', cel: 'snp.vmpl == 0' },
    ];
    const appraisal = appraised({ rules }, { claims: dearClaims() });
    expect(results(appraisal, 'rule_not_met')).toEqual(['fail', 'fail', 'pass']);
    const [first] = appraisal.checks.filter(({ id }) => id === 'rule_not_met');
    expect(first).toMatchObject({ actual: false, detail: expect.stringContaining('is false, because') });
  });

  it('DEC-03 deny where a claim is of another type', () => {
    const claims = { snp: snpClaims(), maa: { ...tokenClaims(), claims: { level: '3' } } };
    const appraisal = appraised(
      { accepts: ['snp'], routes: { maa: 'optional' }, ...rule("maa.claims['level'] == 3") },
      { type: 'snp', claims, results: new Map([['maa', { state: 'verified' }]]) },
    );
    expect(failed(appraisal)).toEqual(['rule_not_met', 'claim_type']);
    expect(only(appraisal, 'claim_type')).toMatchObject({
      expected: { claim: 'maa.claims["level"]', type: 'int' },
      actual: 'string',
    });
  });

  it('are not judged where nothing verifies the claims that they need', () => {
    const appraisal = appraised(rule('snp.vmpl == 0'), {
      type: 'snp',
      claims: {},
      findings: [check('snp_signature', 'fail')],
    });
    expect(results(appraisal, 'rule_not_met')).toEqual(['skipped']);
    expect(appraisal.outcome).toBe('deny');
  });

  it.each([
    ['unavailable', { state: 'unavailable', detail: 'no answer in time', retryable: true }, ['unavailable']],
    ['refused', { state: 'refused' }, ['skipped']],
    ['not judged', { state: 'not judged' }, ['skipped']],
    ['absent', { state: 'absent' }, ['fail']],
  ] as const)('about a token that is %s', (_what, state, expected) => {
    const members = { accepts: ['snp'], routes: { maa: 'optional' } };
    const given: Situation = { type: 'snp', results: new Map([['maa', state]]) };
    const rules = [rule('maa.attestationType == "azurevm"'), { rules: [{ id: 'one', akv: releasePolicy('x') }] }];
    for (const each of rules)
      expect(results(appraised({ ...members, ...each }, given), 'rule_not_met')).toEqual(expected);
  });

  it.each([
    ['tpm', 'az-snp-vtpm', (eventLog: EventLogClaims) => azClaims({ tpm: tpmClaims({ eventLog }) })],
    ['tdx', 'tdx', (eventLog: EventLogClaims) => ({ tdx: tdxClaims({ eventLog }) })],
  ] as const)('TPM-17 see a file that the log of %s calls load options', (section, type, claimsWith) => {
    const evil = '66'.repeat(32);
    const members = { accepts: [type], ...rule(`${section}.eventLog.files.all(f, f in ['${FILE}'])`) };
    const judged = (loadOptions: readonly string[], files: readonly string[] | null = [FILE]) =>
      appraised(
        { ...members, ...(type === 'tdx' ? { minimums: { tdx: 'any' } } : {}) },
        {
          type,
          claims: claimsWith(eventLogClaims({ files })),
          eventLogGaps: { unexplained: [], absent: {}, loadOptions },
        },
      );
    expect(results(judged([]), 'rule_not_met')).toEqual(['pass']);
    expect(results(judged([evil]), 'rule_not_met')).toEqual(['fail']);
    expect(results(judged([FILE]), 'rule_not_met')).toEqual(['pass']);
    expect(failed(judged([FILE], null))).toEqual(['rule_not_met', 'claim_missing']);
  });

  it('leave the decision open where the token that they need is out of reach', () => {
    const appraisal = appraised(
      { accepts: ['snp'], routes: { maa: 'optional' }, ...rule('maa.attestationType == "azurevm"') },
      { type: 'snp', results: new Map([['maa', { state: 'unavailable', detail: 'no answer', retryable: true }]]) },
    );
    expect(appraisal.outcome).toBe('indeterminate');
  });

  it('do not wait for a token of another route, or for what the token that is there lacks', () => {
    const members = { accepts: ['tdx'], routes: { maa: 'optional', ita: 'optional' } };
    const outage: ResultState = { state: 'unavailable', detail: 'no answer', retryable: false };
    const states = (maa: ResultState, ita: ResultState) =>
      new Map<TokenRoute, ResultState>([
        ['maa', maa],
        ['ita', ita],
      ]);
    const needsMaa = { ...members, ...rule('maa.attestationType == "tdxvm"') };
    const absent = appraisedTd(needsMaa, { type: 'tdx', results: states({ state: 'absent' }, outage) });
    expect(failed(absent)).toEqual(['rule_not_met', 'claim_missing']);
    const claims = { tdx: tdxClaims(), maa: { ...tokenClaims(), claims: {} } };
    const needsClaim = { ...members, ...rule('maa.claims["x-ms-ver"] == "1.0"') };
    const given = { type: 'tdx' as const, claims, results: states({ state: 'verified' }, outage) };
    expect(failed(appraisedTd(needsClaim, given))).toEqual(['rule_not_met', 'claim_missing']);
  });

  it('TOK-31 do not see a token that the caller chose in the place of an own endpoint that is out of reach', () => {
    const needs = { accepts: ['snp'], routes: { maa: 'optional' }, ...rule('maa.attestationType == "azurevm"') };
    const claims = { snp: snpClaims(), maa: tokenClaims() };
    const judged = (state: ResultState) =>
      appraised(needs, { type: 'snp', claims, results: new Map([['maa', state]]) });
    const away = judged({ state: 'unavailable', detail: 'no answer', retryable: true });
    expect([away.outcome, results(away, 'rule_not_met')]).toEqual(['indeterminate', ['unavailable']]);
    expect(judged({ state: 'verified' }).outcome).toBe('allow');
  });

  it('are not worth asking again where the outage is not', () => {
    const members = { accepts: ['snp'], routes: { maa: 'optional' }, ...rule('maa.attestationType == "azurevm"') };
    const judged = (retryable: boolean) =>
      appraised(members, {
        type: 'snp',
        results: new Map([['maa', { state: 'unavailable', detail: 'no answer', retryable }]]),
      });
    expect(only(judged(false), 'rule_not_met').retryable).toBe(false);
    expect(only(judged(true), 'rule_not_met').retryable).toBe(true);
  });
});

describe('a release policy as a rule', () => {
  const MEMBERS = { accepts: ['snp'], routes: { maa: 'optional' } };
  const withToken = (claims: Record<string, string>, issuer = ISSUER): Situation => ({
    type: 'snp',
    claims: { snp: snpClaims(), maa: { ...tokenClaims(), issuer, claims } },
    results: new Map([['maa', { state: 'verified' }]]),
  });
  const akv = (policy: object, comparison?: string) => ({
    ...MEMBERS,
    rules: [{ id: 'release', akv: policy as never, ...(comparison === undefined ? {} : { comparison }) }],
  });

  it('is judged on the claims of the verified token', () => {
    const policy = releasePolicy('azure-compliant-cvm');
    expect(appraised(akv(policy), withToken({ [STATUS]: 'azure-compliant-cvm' })).outcome).toBe('allow');
    const denied = appraised(akv(policy), withToken({ [STATUS]: 'other' }));
    expect(failed(denied)).toEqual(['rule_not_met']);
    expect(only(denied, 'rule_not_met').explain?.().parts[0]?.value).toBe(false);
    expect(only(denied, 'rule_not_met').faults).toEqual([
      'x-ms-compliance-status equals "azure-compliant-cvm", but it is "other"',
    ]);
  });

  it('is not met by a token of another issuer, whatever it says', () => {
    const other = withToken({ [STATUS]: 'azure-compliant-cvm' }, 'https://other.weu.attest.azure.net');
    const appraisal = appraised(akv(releasePolicy('azure-compliant-cvm')), other);
    expect(failed(appraisal)).toEqual(['rule_not_met']);
    expect(only(appraisal, 'rule_not_met').detail).toContain('https://other.weu.attest.azure.net');
    expect(only(appraisal, 'rule_not_met').faults?.[0]).toContain('no authority is the issuer');
  });

  it('is not met without a token, whatever the hardware shows', () => {
    const appraisal = appraised(akv(releasePolicy('azure-compliant-cvm')), { type: 'snp' });
    expect(failed(appraisal)).toEqual(['rule_not_met', 'claim_missing']);
  });

  it('is open where another verifier is out of reach, whose token could meet it', () => {
    const members = {
      ...akv(releasePolicy('azure-compliant-cvm')),
      accepts: ['tdx'],
      routes: { maa: 'optional', ita: 'optional' },
    };
    const ita = { ...tokenClaims(), issuer: 'https://portal.trustauthority.intel.com', claims: {} };
    const beside = (maa: ResultState): Situation => ({
      type: 'tdx',
      claims: { tdx: tdxClaims(), ita },
      results: new Map<TokenRoute, ResultState>([
        ['ita', { state: 'verified' }],
        ['maa', maa],
      ]),
    });
    const open = appraisedTd(members, beside({ state: 'unavailable', detail: 'no answer in time', retryable: true }));
    expect(open.outcome).toBe('indeterminate');
    expect(only(open, 'rule_not_met')).toMatchObject({
      result: 'unavailable',
      detail:
        'the rule release is not met by the token of https://portal.trustauthority.intel.com, and could be met by a token for the route maa: no answer in time',
    });
    const absent = appraisedTd(members, beside({ state: 'absent' }));
    expect([absent.outcome, failed(absent)]).toEqual(['deny', ['rule_not_met']]);
  });

  it('TOK-31 is met by a token of an issuer that it names also while the own endpoint is out of reach, and by no other', () => {
    const policy = releasePolicy('azure-compliant-cvm');
    const away = { state: 'unavailable', detail: 'no answer in time', retryable: true } as const;
    const brought = (issuer: string) =>
      appraised(akv(policy), {
        ...withToken({ [STATUS]: 'azure-compliant-cvm' }, issuer),
        results: new Map([['maa', away]]),
      });
    expect(brought(ISSUER).outcome).toBe('allow');
    const open = brought('https://other.weu.attest.azure.net');
    expect([open.outcome, results(open, 'rule_not_met')]).toEqual(['indeterminate', ['unavailable']]);
  });

  it('is met by either of two tokens', () => {
    const members = {
      ...akv(releasePolicy('azure-compliant-cvm')),
      accepts: ['tdx'],
      routes: { maa: 'optional', ita: 'optional' },
    };
    const token = (status: string) => ({ ...tokenClaims(), issuer: ISSUER, claims: { [STATUS]: status } });
    const results = new Map<TokenRoute, ResultState>([
      ['maa', { state: 'verified' }],
      ['ita', { state: 'verified' }],
    ]);
    const both = (maa: string, ita: string): Situation => ({
      type: 'tdx',
      claims: { tdx: tdxClaims(), maa: token(maa), ita: token(ita) },
      results,
    });
    expect(appraisedTd(members, both('azure-compliant-cvm', 'other')).outcome).toBe('allow');
    expect(appraisedTd(members, both('other', 'azure-compliant-cvm')).outcome).toBe('allow');
    expect(failed(appraisedTd(members, both('other', 'other')))).toEqual(['rule_not_met']);
  });

  it('says which normalisation mattered', () => {
    const policy = releasePolicy('azure-compliant-cvm', `${ISSUER}/`);
    const given = withToken({ [STATUS]: 'azure-compliant-cvm' });
    expect(appraised(akv(policy), given).outcome).toBe('deny');
    const met = appraised(akv(policy, 'compatible'), given);
    expect(met.outcome).toBe('allow');
    expect(only(met, 'rule_not_met').detail).toContain('the authority ends in a slash, the issuer does not');
  });
});
