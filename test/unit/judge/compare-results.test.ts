import { describe, expect, it } from 'vitest';
import type { EvidenceType } from '../../../src/core/evidence.js';
import type { JsonObject } from '../../../src/core/json.js';
import type { Verification } from '../../../src/core/verification.js';
import { jwkThumbprint } from '../../../src/crypto/jwk-thumbprint.js';
import { compareResults, type ResultComparison } from '../../../src/judge/compare-results.js';
import type { RouteToken } from '../../../src/judge/route-tokens.js';
import { check, snpClaims, tdxClaims, tpmClaims } from '../policy/fixture.js';
import {
  AZUREVM,
  altered,
  azClaims,
  azHcl,
  azTdxClaims,
  ITA_NESTED,
  OTHER_JWK,
  RUNTIME,
  SEVSNPVM,
  TDXVM,
  verified,
} from './cross-check/fixture.js';
import {
  brokenToken,
  itaToken,
  maaToken,
  ownVerification,
  tokenClaimsOf,
  tokenVerification,
  unproven,
} from './route-fixture.js';

const compare = (
  tokens: readonly RouteToken[],
  own: Verification = ownVerification(),
  type: EvidenceType = 'az-snp-vtpm',
): ResultComparison => compareResults(type, own, tokens, jwkThumbprint);
const results = ({ checks }: ResultComparison) => checks.all.map(({ id, result }) => [id, result]);
const AGREEMENT = [['disagreement', 'pass']];
const DISAGREEMENT = [['disagreement', 'fail']];
const TD = ownVerification({ claims: verified({ tdx: tdxClaims() }) });
const AZ_TD = ownVerification({ claims: verified(azTdxClaims()) });
const MEASUREMENT = ['x-ms-isolation-tee', 'x-ms-sevsnpvm-launchmeasurement'];
const SNP_FOR_TD = { expected: 'tdx', actual: 'snp' };
const TD_FOR_SNP = { expected: 'snp', actual: 'tdx' };

describe('a token beside hardware', () => {
  it('agrees where it says the same', () => {
    const token = maaToken();
    const found = compare([token]);
    expect([results(found), found.agreeing]).toEqual([AGREEMENT, [token]]);
    expect(found.crossCheck).toMatchObject({ routes: ['hardware', 'maa'], agree: true });
  });

  it('TOK-18 disagrees in each claim that differs, and both sides are shown', () => {
    const payload = altered(altered(AZUREVM, MEASUREMENT, 'a0'.repeat(48)), ['secureboot'], false);
    const found = compare([maaToken(payload)]);
    expect(found.checks.all).toMatchObject([
      { result: 'fail', about: '/attestationResults/0/token', expected: 'a1'.repeat(48), actual: 'a0'.repeat(48) },
      { result: 'fail', expected: true, actual: [true, false] },
    ]);
    expect(found.agreeing).toEqual([]);
    expect(found.crossCheck?.differences.map(({ claim }) => claim)).toEqual([
      'snp.measurement',
      'hcl.vmConfiguration.secureBoot',
    ]);
  });

  it('TOK-18 disagrees with a vTPM by itself, whatever it says: that states no TEE to compare it with', () => {
    const claims = verified({ tpm: tpmClaims() });
    for (const token of [maaToken(), maaToken(SEVSNPVM), itaToken()]) {
      const found = compare([token], ownVerification({ checks: [check('tpm_signature')], claims }), 'tpm');
      expect([results(found), found.agreeing, found.crossCheck]).toEqual([DISAGREEMENT, [], null]);
      expect(found.checks.all[0]?.detail).toBe(
        `nothing shows that the token of ${token.route} is about the same machine: tpm evidence states no TEE`,
      );
    }
  });

  it('REQ-19 disagrees in thousands of claims with a check for each of the first, and one for the rest', () => {
    const runtime = (value: number): JsonObject => ({
      ...RUNTIME,
      'vm-configuration': Object.fromEntries(Array.from({ length: 2_500 }, (_, index) => [`member-${index}`, value])),
    });
    const payload = altered(ITA_NESTED, ['tdx', 'attester_runtime_data'], runtime(0));
    const own = ownVerification({ claims: verified({ ita: tokenClaimsOf(payload, 'TDX') }) });
    const token = maaToken({ ...TDXVM, 'x-ms-runtime': runtime(1) });
    const found = compare([token], own, 'ita-token');
    expect(found.checks.all).toHaveLength(65);
    expect(found.checks.all.at(-1)).toMatchObject({
      result: 'fail',
      actual: 2_436,
      detail: 'ita and maa state different values of 2436 more claims',
    });
    expect(found.crossCheck).toMatchObject({ agree: false, differencesOmitted: 2_436 });
  });

  it('TOK-16 of another VM is told by its attestation key, whatever else is the same', () => {
    const payload = altered(AZUREVM, ['x-ms-isolation-tee', 'x-ms-runtime', 'keys', '0', 'n'], OTHER_JWK.n);
    const found = compare([maaToken(payload)]);
    expect(found.checks.all).toMatchObject([
      {
        result: 'fail',
        detail: 'the token of maa is about another TEE: hcl.akThumbprint',
        expected: azHcl().akThumbprint,
      },
    ]);
    expect([found.agreeing, found.crossCheck?.agree]).toEqual([[], false]);
  });

  it.each([
    ['without x-ms-runtime', undefined],
    ['with runtime data of the guest alone', { keys: [{ kid: 'TpmEphemeralEncryptionKey' }] }],
  ])(
    'TOK-16 denies where it does not name the attestation key, and does not call it of another TEE: %s',
    (_, runtime) => {
      const { 'x-ms-runtime': __, ...direct } = SEVSNPVM;
      const payload = runtime === undefined ? direct : { ...direct, 'x-ms-runtime': runtime };
      const found = compare([maaToken(payload)]);
      expect(found.checks.all).toMatchObject([
        {
          id: 'disagreement',
          result: 'fail',
          detail:
            'the token of maa does not name the attestation key (hcl.akThumbprint), as it shows no runtime claims with ' +
            'HCLAkPub among their keys; ask for it with the runtime data as JSON',
          expected: azHcl().akThumbprint,
          actual: null,
        },
      ]);
      expect([found.agreeing, found.crossCheck?.agree]).toEqual([[], false]);
    },
  );

  it.each([
    ['tee', ['x-ms-isolation-tee']],
    ['tee', ['x-ms-isolation-tee', 'x-ms-attestation-type']],
  ])('TOK-16 denies where it states no %s, and does not call it of another TEE: without %j', (claim, path) => {
    expect(compare([maaToken(altered(AZUREVM, path, undefined))]).checks.all).toMatchObject([
      {
        result: 'fail',
        detail: `the token of maa does not say which TEE it is about: it does not state ${claim}`,
        actual: null,
      },
    ]);
  });

  it.each<[what: string, token: RouteToken, own: Verification, type: EvidenceType, kinds: object]>([
    ['an SEV-SNP VM beside a TD', maaToken(AZUREVM), TD, 'tdx', SNP_FOR_TD],
    ['an SEV-SNP VM beside a TD with vTPM', maaToken(AZUREVM), AZ_TD, 'az-tdx-vtpm', SNP_FOR_TD],
    ['a TD beside an SEV-SNP VM', maaToken(TDXVM), ownVerification(), 'az-snp-vtpm', TD_FOR_SNP],
    ['a TD of Trust Authority beside an SEV-SNP VM', itaToken(), ownVerification(), 'az-snp-vtpm', TD_FOR_SNP],
  ])('TOK-16 is about another TEE where that is of another kind: %s', (_, token, own, type, kinds) => {
    const detail = `the token of ${token.route} is about another kind of TEE`;
    expect(compare([token], own, type).checks.all).toMatchObject([
      { id: 'disagreement', result: 'fail', detail, ...kinds },
    ]);
  });

  it('TOK-16 denies where it names the attestation key twice, and does not call it of another TEE', () => {
    const { keys } = RUNTIME;
    const twice = Array.isArray(keys) ? [...keys, ...keys] : [];
    const found = compare([maaToken(altered(AZUREVM, ['x-ms-isolation-tee', 'x-ms-runtime', 'keys'], twice))]);
    expect(found.checks.all).toMatchObject([
      {
        id: 'disagreement',
        result: 'fail',
        detail:
          'nothing shows that the token of maa is about the same TEE: maa states hcl.akThumbprint more than once, or not in the form that it has',
        expected: azHcl().akThumbprint,
        actual: twice,
      },
    ]);
    expect(found.agreeing).toEqual([]);
  });

  it('TOK-16 denies where the token that is the evidence states its report data in no form of such', () => {
    const broken = altered(TDXVM, ['tdx_report_data'], 'e0');
    const own = ownVerification({ claims: verified({ maa: tokenClaimsOf(broken, 'tdxvm') }) });
    expect(compare([itaToken()], own, 'maa-token').checks.all).toMatchObject([
      {
        result: 'fail',
        detail:
          'nothing shows that the token of ita is about the same TEE: maa states tdx.reportData more than once, or not in the form that it has',
      },
    ]);
  });

  it('TOK-16 of another bare guest is told by all of its report data', () => {
    const bare = ownVerification({ claims: verified({ snp: snpClaims() }) });
    const { 'x-ms-runtime': _, ...payload } = SEVSNPVM;
    expect(results(compare([maaToken(payload)], bare, 'snp'))).toEqual(AGREEMENT);
    const other = altered(payload, ['x-ms-sevsnpvm-reportdata'], `${'33'.repeat(63)}34`);
    expect(results(compare([maaToken(other)], bare, 'snp'))).toEqual(DISAGREEMENT);
    const { 'x-ms-sevsnpvm-reportdata': __, ...silent } = payload;
    expect(compare([maaToken(silent)], bare, 'snp').checks.all).toMatchObject([
      {
        result: 'fail',
        detail: 'the token of maa does not say which TEE it is about: it does not state snp.reportData',
      },
    ]);
  });

  it('is compared to the moment where it was made of the very report', () => {
    const later = altered(AZUREVM, ['x-ms-isolation-tee', 'x-ms-runtime', 'vm-configuration', 'current-time'], 1);
    expect(results(compare([maaToken(later)]))).toEqual(AGREEMENT);
    expect(results(compare([maaToken(later, {}, true)]))).toEqual(DISAGREEMENT);
  });

  it('that cannot be relied on is not looked at', () => {
    expect(compare([brokenToken(check('token_signature', 'fail'))])).toMatchObject({ crossCheck: null, agreeing: [] });
    expect(results(compare([brokenToken(check('token_signature', 'fail'))]))).toEqual([]);
    expect(results(compare([maaToken(AZUREVM, { validUntil: null })]))).toEqual([]);
  });

  it('is held against it by itself', () => {
    const found = compare([maaToken(), itaToken()]);
    expect(results(found)).toEqual([...AGREEMENT, ...DISAGREEMENT]);
    expect([found.agreeing.map(({ route }) => route), found.crossCheck?.routes]).toEqual([
      ['maa'],
      ['hardware', 'maa', 'ita'],
    ]);
  });

  it('TOK-18 vouches in vain for evidence that is refused here', () => {
    const found = compare([maaToken()], unproven(check('snp_signature', 'fail')));
    expect(found.checks.all).toMatchObject([{ id: 'disagreement', result: 'fail', actual: 'maa' }]);
    expect([found.crossCheck, found.agreeing]).toEqual([null, []]);
  });

  it('cannot be compared with evidence that could not be judged', () => {
    const found = compare([maaToken()], unproven(check('vcek_unavailable', 'unavailable')));
    expect([results(found), found.crossCheck, found.agreeing]).toEqual([[['disagreement', 'skipped']], null, []]);
  });

  it('disagrees with hardware whose runtime claims were not proven', () => {
    const own = ownVerification({ claims: verified({ snp: azClaims().snp ?? snpClaims() }) });
    expect(compare([maaToken()], own).checks.all).toMatchObject([
      {
        id: 'disagreement',
        result: 'fail',
        detail: 'nothing shows that the token of maa is about the same TEE: hardware does not state hcl.akThumbprint',
      },
    ]);
  });
});

describe('tokens beside a token', () => {
  const td = (payload: typeof TDXVM) => ownVerification({ claims: verified({ maa: tokenClaimsOf(payload, 'tdxvm') }) });

  it('agree and disagree as beside hardware', () => {
    const found = compare([itaToken()], td(TDXVM), 'maa-token');
    expect([results(found), found.crossCheck?.routes]).toEqual([AGREEMENT, ['maa', 'ita']]);
    const other = altered(ITA_NESTED, ['tdx', 'tdx_mrtd'], 'ff'.repeat(48));
    expect(results(compare([itaToken(other)], td(TDXVM), 'maa-token'))).toEqual(DISAGREEMENT);
  });

  it('leave open which of the two is wrong, where one is the evidence', () => {
    const other = itaToken(altered(ITA_NESTED, ['tdx', 'tdx_mrtd'], 'ff'.repeat(48)));
    const [disagreement] = compare([other], td(TDXVM), 'maa-token').checks.all;
    expect(disagreement).toMatchObject({ id: 'disagreement', result: 'fail' });
    expect(disagreement).not.toHaveProperty('route');
  });

  it('disagree with each other also where the first is silent', () => {
    const silent = altered(TDXVM, ['tdx_mrtd'], undefined);
    const maa = {
      ...maaToken(TDXVM),
      verification: tokenVerification({ maa: tokenClaimsOf(TDXVM, 'tdxvm') }),
    };
    const ita = itaToken(altered(ITA_NESTED, ['tdx', 'tdx_mrtd'], 'ff'.repeat(48)));
    const found = compare([maa, ita], td(silent), 'maa-token');
    expect(found.crossCheck?.agree).toBe(false);
    expect(results(found)).toEqual([...AGREEMENT, ...AGREEMENT, ...DISAGREEMENT]);
    expect(results(compare([maa, itaToken()], td(silent), 'maa-token'))).toEqual([...AGREEMENT, ...AGREEMENT]);
  });
});
