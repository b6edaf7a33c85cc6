import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.js';
import { ruleChanges, ruleClaims } from '../../../../src/policy/learn/rule-claims.js';
import { azClaims, azTdxClaims, eventLogClaims, policy, tokenClaims, tpmClaims } from '../fixture.js';
import { releasePolicy } from '../rule-flips.js';

const MEMBERS = {
  accepts: ['az-snp-vtpm', 'az-tdx-vtpm'],
  minimums: 'any',
  routes: { maa: 'optional', ita: 'optional' },
};
const RELEASE = { id: 'release', akv: releasePolicy('azure-compliant-cvm') };
const withRules = (...rules: readonly JsonObject[]) => policy({ ...MEMBERS, rules: [...rules] });
const cel = (text: string) => ({ id: 'one', cel: text });
const MAA = { ...tokenClaims(), claims: { level: 3 } };
const ITA = tokenClaims({}, 'TDX');
/** As a case of a test has it. */
const given = ({ stated: _, ...rest }: typeof MAA | typeof ITA) => rest;

describe('claims that the rules of a policy need', () => {
  it('are those that a rule names, and nothing beside them', () => {
    const { snp, tpm } = azClaims();
    const rule = cel("snp.vmpl == 0 && tpm.clock.safe && (evidence.type == 'az-snp-vtpm' || tpm.clock.safe)");
    expect(ruleClaims(withRules(rule), azClaims({ maa: MAA }))).toEqual({
      snp: { vmpl: snp?.vmpl },
      tpm: { clock: { safe: tpm?.clock.safe } },
    });
  });

  it('are without what is absent, or null', () => {
    const claims = azClaims({ tpm: tpmClaims({ eventLog: eventLogClaims({ pk: null }) }) });
    const rule = cel('has(snp.cspId) || has(tpm.eventLog.pk) || has(tpm.eventLog.kek)');
    expect(ruleClaims(withRules(rule), claims)).toEqual({ tpm: { eventLog: { kek: eventLogClaims().kek } } });
  });

  it('are without what every object of JavaScript has', () => {
    const rule = cel("evidence.type == 'az-snp-vtpm' ? true : maa.claims['toString'] == 'x'");
    expect(ruleClaims(withRules(rule), azClaims({ maa: MAA }))).toEqual({});
  });

  it('are whole tokens for a release policy, without what this service makes of them', () => {
    expect(ruleClaims(withRules(RELEASE), azClaims({ maa: MAA }))).toEqual({ maa: given(MAA) });
    expect(ruleClaims(withRules(RELEASE), azTdxClaims({ maa: MAA, ita: ITA }))).toEqual({
      maa: given(MAA),
      ita: given(ITA),
    });
    expect(ruleClaims(withRules(RELEASE), azClaims())).toEqual({});
  });

  it('are both where there are rules of both languages', () => {
    const found = ruleClaims(
      withRules(cel("snp.vmpl == 0 && maa.claims['level'] == 3"), RELEASE),
      azClaims({ maa: MAA }),
    );
    expect(found).toEqual({ snp: { vmpl: 0 }, maa: given(MAA) });
  });
});

describe('changes with which a rule may not be met', () => {
  const changesOf = (rule: JsonObject, claims: JsonObject) =>
    withRules(rule).rules.flatMap((read) => ruleChanges(read, claims));

  it('leave out each claim that the rule names and that is there', () => {
    const rule = cel("snp.vmpl == 0 && evidence.type == 'az-snp-vtpm' && tpm.pcrs.sha256['7'] != snp.measurement");
    expect(changesOf(rule, { snp: { vmpl: 0, measurement: null }, tpm: { pcrs: { sha256: { '7': 'aa' } } } })).toEqual([
      { text: 'snp.vmpl', path: ['snp', 'vmpl'], value: null },
      { text: 'tpm.pcrs.sha256["7"]', path: ['tpm', 'pcrs', 'sha256', '7'], value: null },
    ]);
  });

  it('are, for a release policy, a token of another issuer', () => {
    const change = { text: 'maa.issuer', path: ['maa', 'issuer'], value: 'https://elsewhere.example' };
    expect(changesOf(RELEASE, { maa: given(MAA) as never })).toEqual([change]);
  });

  it('are none for a release policy without such a token', () => {
    expect(changesOf(RELEASE, { ita: given(ITA) as never })).toEqual([]);
  });
});
