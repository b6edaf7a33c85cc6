import { describe, expect, it } from 'vitest';
import type { TdAttributesClaim, TdxClaims } from '../../../src/core/claims.js';
import type { JsonObject } from '../../../src/core/json.js';
import { appraisedTd, azTdxClaims, check, failed, only, results, tdAttributes, tdxClaims } from './fixture.js';

function judge(tdx: JsonObject | null, overrides: Partial<TdxClaims>) {
  const members = tdx === null ? {} : { require: { tdx } };
  return appraisedTd(members, { claims: { tdx: tdxClaims(overrides) } });
}

function withAttributes(tdx: JsonObject | null, attributes: Partial<TdAttributesClaim>) {
  return judge(tdx, { tdAttributes: tdAttributes(attributes) });
}

/** The policy's own check: the verifier has one of the same name. */
function own(appraisal: ReturnType<typeof judge>, id: 'tdx_attributes' | 'tdx_xfam' | 'tdx_service_td') {
  return only({ checks: appraisal.own }, id);
}

const SOME_TD = '77'.repeat(48);

describe('attributes of a TD', () => {
  it.each([null, {}])('TDX-15 refuse a TD that can be migrated, under %j', (asked) => {
    const appraisal = withAttributes(asked, { migratable: true });
    expect([appraisal.outcome, failed(appraisal)]).toEqual(['deny', ['tdx_attributes']]);
    expect(own(appraisal, 'tdx_attributes')).toMatchObject({
      about: '/evidence/quote',
      actual: { migratable: true },
      detail: 'the TD can be migrated',
    });
    expect(withAttributes(asked, { migratable: false }).outcome).toBe('allow');
  });

  it('TDX-15 take a TD that can be migrated where the policy says so', () => {
    expect(withAttributes({ allowMigratable: true, mrServiceTd: [SOME_TD] }, { migratable: true }).outcome).toBe(
      'allow',
    );
    expect(failed(withAttributes({ allowMigratable: false }, { migratable: true }))).toEqual(['tdx_attributes']);
  });

  it('TDX-15 report performance monitoring, and refuse it only where a policy does', () => {
    for (const asked of [null, {}, { allowPerfmon: true }]) {
      const appraisal = withAttributes(asked, { perfmon: true });
      expect([appraisal.outcome, own(appraisal, 'tdx_attributes').actual]).toMatchObject(['allow', { perfmon: true }]);
    }
    const refused = withAttributes({ allowPerfmon: false }, { perfmon: true });
    expect(failed(refused)).toEqual(['tdx_attributes']);
    expect(own(refused, 'tdx_attributes').detail).toBe('performance monitoring is on');
    expect(withAttributes({ allowPerfmon: false }, {}).outcome).toBe('allow');
  });

  it('TDX-15 demand SEPT_VE_DISABLE only where a policy does: it can be clear in a TD of Azure', () => {
    for (const asked of [null, {}, { septVeDisable: false }]) {
      expect(withAttributes(asked, { septVeDisable: false }).outcome).toBe('allow');
    }
    const refused = withAttributes({ septVeDisable: true }, { septVeDisable: false });
    expect(failed(refused)).toEqual(['tdx_attributes']);
    expect(own(refused, 'tdx_attributes').detail).toBe('SEPT_VE_DISABLE is clear');
    expect(withAttributes({ septVeDisable: true }, { septVeDisable: true }).outcome).toBe('allow');
  });

  it.each(['pks', 'keyLocker', 'icssd', 'lass', 'tpa'] as const)(
    'TDX-15 have no opinion on %s, and show it',
    (name) => {
      const strict = { septVeDisable: true, allowMigratable: false, allowPerfmon: false };
      const appraisal = withAttributes(strict, { [name]: true });
      expect([appraisal.outcome, own(appraisal, 'tdx_attributes').actual]).toMatchObject(['allow', { [name]: true }]);
    },
  );

  it('TDX-15 name all that is wrong', () => {
    const asked = { septVeDisable: true, allowPerfmon: false };
    const appraisal = withAttributes(asked, { septVeDisable: false, perfmon: true, migratable: true });
    expect(own(appraisal, 'tdx_attributes').detail).toBe(
      'the TD can be migrated; performance monitoring is on; SEPT_VE_DISABLE is clear',
    );
  });

  it('TDX-15 do not hide what the verifier found under the same name', () => {
    const asked = { allowMigratable: true, mrServiceTd: [SOME_TD], allowPerfmon: true };
    for (const id of ['tdx_attributes', 'tdx_xfam', 'tdx_seam_attributes', 'tdx_debug'] as const) {
      const appraisal = appraisedTd({ require: { tdx: asked } }, { findings: [check(id, 'fail')] });
      expect([appraisal.outcome, failed(appraisal)]).toEqual(['deny', [id]]);
    }
  });
});

describe('a service TD', () => {
  const MIGTD = '38'.repeat(48);
  const OTHER = `${'00'.repeat(47)}01`;
  const NONE = '00'.repeat(48);
  const serviceTd = () => ({
    initHash: NONE,
    initAttributes: '00'.repeat(8),
    currentHash: NONE,
    currentAttributes: '00'.repeat(8),
    initTcbSvn: '00'.repeat(16),
    initCpuSvn: '00'.repeat(16),
    initModel: '00'.repeat(12),
  });

  it.each([null, {}])('TDX-16 is refused by default, under %j', (asked) => {
    for (const mrServiceTd of [MIGTD, OTHER]) {
      const appraisal = judge(asked, { mrServiceTd });
      expect([appraisal.outcome, failed(appraisal)]).toEqual(['deny', ['tdx_service_td']]);
      expect(own(appraisal, 'tdx_service_td')).toMatchObject({
        about: '/evidence/quote',
        expected: [],
        actual: mrServiceTd,
        detail: 'a service TD is bound that the policy does not list',
      });
    }
  });

  it('TDX-16 passes where the policy lists it, in either case, and no other does', () => {
    const asked = { mrServiceTd: ['77'.repeat(48), MIGTD.toUpperCase()] };
    const listed = judge(asked, { mrServiceTd: MIGTD });
    expect([listed.outcome, own(listed, 'tdx_service_td').detail]).toEqual([
      'allow',
      'the policy lists the service TD',
    ]);
    expect(failed(judge(asked, { mrServiceTd: OTHER }))).toEqual(['tdx_service_td']);
  });

  it('TDX-16 that is listed does not make the TD one that may be migrated', () => {
    const bound = { mrServiceTd: MIGTD, tdAttributes: tdAttributes({ migratable: true }) };
    expect(failed(judge({ mrServiceTd: [MIGTD] }, bound))).toEqual(['tdx_attributes']);
    expect(judge({ mrServiceTd: [MIGTD], allowMigratable: true }, bound).outcome).toBe('allow');
  });

  const stating = (hashes: { initHash?: string; currentHash?: string }) => ({
    mrServiceTd: NONE,
    serviceTd: { ...serviceTd(), ...hashes },
  });

  it.each(['initHash', 'currentHash'] as const)(
    'TDX-40, TDX-16 of an extended TD 1.5 body is refused unless the policy lists its %s: tdx_service_td',
    (name) => {
      for (const asked of [null, {}, { mrServiceTd: [SOME_TD] }]) {
        const appraisal = judge(asked, stating({ [name]: MIGTD }));
        expect([appraisal.outcome, failed(appraisal)]).toEqual(['deny', ['tdx_service_td']]);
        expect(own(appraisal, 'tdx_service_td')).toMatchObject({
          expected: asked?.mrServiceTd ?? [],
          actual: [MIGTD],
          faults: [MIGTD],
        });
      }
      expect(judge({ mrServiceTd: [MIGTD] }, stating({ [name]: MIGTD })).outcome).toBe('allow');
    },
  );

  it('TDX-40, TDX-16 has every hash listed that is not zero: MRSERVICETD, the first and the present one', () => {
    const all = { ...stating({ initHash: OTHER, currentHash: SOME_TD }), mrServiceTd: MIGTD };
    for (const mrServiceTd of [
      [MIGTD, OTHER],
      [MIGTD, SOME_TD],
      [OTHER, SOME_TD],
    ]) {
      expect(failed(judge({ mrServiceTd }, all))).toEqual(['tdx_service_td']);
    }
    expect(judge({ mrServiceTd: [MIGTD, OTHER, SOME_TD] }, all).outcome).toBe('allow');
    const migratable = { ...all, tdAttributes: tdAttributes({ migratable: true }) };
    const asked = { allowMigratable: true, mrServiceTd: [MIGTD, SOME_TD] };
    expect(failed(judge(asked, migratable))).toEqual(['tdx_service_td']);
    expect(failed(judge({ mrServiceTd: [MIGTD, OTHER, SOME_TD] }, migratable))).toEqual(['tdx_attributes']);
  });

  it('TDX-40 twin: is none where every hash of an extended TD 1.5 body is zero', () => {
    for (const asked of [null, { mrServiceTd: [MIGTD] }]) {
      const appraisal = judge(asked, stating({}));
      expect([appraisal.outcome, own(appraisal, 'tdx_service_td').detail]).toEqual(['allow', 'no service TD is bound']);
    }
  });

  it('TDX-16 that only the TDREPORT names is not said to be unbound, whatever the policy lists', () => {
    for (const asked of [null, { mrServiceTd: [MIGTD] }]) {
      const members = asked === null ? {} : { require: { tdx: asked } };
      const appraisal = appraisedTd(members, { findings: [check('tdx_service_td', 'fail')] });
      expect([appraisal.outcome, failed(appraisal)]).toEqual(['deny', ['tdx_service_td']]);
      expect(appraisal.own.filter(({ id }) => id === 'tdx_service_td')).toEqual([]);
    }
  });

  it('is for the policy to judge where the verifier has not refused it', () => {
    const claims = { tdx: tdxClaims({ mrServiceTd: MIGTD }) };
    const appraisal = appraisedTd({}, { claims, findings: [check('tdx_service_td')] });
    expect([appraisal.outcome, own(appraisal, 'tdx_service_td').actual]).toEqual(['deny', MIGTD]);
  });

  it('TDX-16 is not there where the register is zero or absent, whatever the policy lists', () => {
    for (const asked of [null, { mrServiceTd: [MIGTD] }]) {
      for (const overrides of [{}, { mrServiceTd: '00'.repeat(48) }]) {
        const appraisal = judge(asked, overrides);
        expect(own(appraisal, 'tdx_service_td')).toMatchObject({ result: 'pass', detail: 'no service TD is bound' });
        expect(appraisal.outcome).toBe('allow');
      }
    }
  });
});

describe('a mask for XFAM', () => {
  it.each([
    ['e702060000000000', 'equal'],
    ['ffffffffffffffff', 'with all bits'],
    ['E71A060000000000', 'with more, in upper case'],
  ])('TDX-17 passes %s: %s', (xfamMask) => {
    const appraisal = judge({ xfamMask }, { xfam: 'e702060000000000' });
    expect(own(appraisal, 'tdx_xfam')).toMatchObject({
      result: 'pass',
      about: '/evidence/quote',
      expected: xfamMask.toLowerCase(),
      actual: 'e702060000000000',
    });
    expect(appraisal.outcome).toBe('allow');
  });

  it.each([
    ['e602060000000000', 'the lowest bit'],
    ['e702020000000000', 'a bit of the third byte'],
    ['0000000000000000', 'all'],
    ['00000000000602e7', 'the same bits, the bytes in the other order'],
  ])('TDX-17 denies a TD under %s: %s', (xfamMask) => {
    const appraisal = judge({ xfamMask }, { xfam: 'e702060000000000' });
    expect([appraisal.outcome, failed(appraisal)]).toEqual(['deny', ['tdx_xfam']]);
  });

  it('TDX-17 looks at the highest bit too', () => {
    const xfam = '0300000000000080';
    expect(failed(judge({ xfamMask: 'ffffffffffffff7f' }, { xfam }))).toEqual(['tdx_xfam']);
    expect(judge({ xfamMask: '0300000000000080' }, { xfam }).outcome).toBe('allow');
  });

  it('TDX-17 is not there by default: the value is only reported', () => {
    const appraisal = judge(null, { xfam: 'ffffffffffffffff' });
    expect(appraisal.outcome).toBe('allow');
    expect(appraisal.own.map(({ id }) => id)).not.toContain('tdx_xfam');
  });
});

describe('what the TD must also show', () => {
  const ALL: JsonObject = { require: { tdx: { septVeDisable: true, xfamMask: 'e702060000000000' } } };

  it('is judged behind a paravisor too, at the place of the quote', () => {
    const judgeAz = (septVeDisable: boolean) =>
      appraisedTd(ALL, {
        type: 'az-tdx-vtpm',
        claims: azTdxClaims({ tdx: tdxClaims({ tdAttributes: tdAttributes({ septVeDisable }) }) }),
      });
    expect(failed(judgeAz(false))).toEqual(['tdx_attributes']);
    expect(own(judgeAz(false), 'tdx_attributes').about).toBe('/evidence/tdQuote');
    expect(judgeAz(true).outcome).toBe('allow');
  });

  it('is skipped where the quote was not verified', () => {
    const given = { claims: {}, findings: [check('tdx_signature', 'fail')] };
    const appraisal = appraisedTd(ALL, given);
    expect(failed(appraisal)).toEqual(['tdx_signature']);
    for (const id of ['tdx_attributes', 'tdx_service_td', 'tdx_xfam'] as const) {
      expect(own(appraisal, id).result).toBe('skipped');
    }
    expect(results({ checks: appraisedTd({}, given).own }, 'tdx_xfam')).toEqual([]);
  });
});

describe('machines', () => {
  const PPID = '5b'.repeat(16);
  const listing = (...ppid: readonly string[]) => ({ machines: { ppid } });

  it('SNP-30 twin: allow a listed PPID, and any where none is listed', () => {
    expect(judge(listing('00'.repeat(16), PPID.toUpperCase()), { ppid: PPID }).outcome).toBe('allow');
    expect(judge({}, { ppid: PPID }).outcome).toBe('allow');
  });

  it('SNP-30 deny another PPID', () => {
    const appraisal = judge(listing('00'.repeat(16)), { ppid: PPID });
    expect([appraisal.outcome, failed(appraisal)]).toEqual(['deny', ['tdx_platform_id']]);
    expect(only(appraisal, 'tdx_platform_id')).toMatchObject({
      about: '/evidence/quote',
      expected: ['00'.repeat(16)],
      actual: PPID,
    });
  });

  it('SNP-30 are skipped where the quote was not verified', () => {
    const given = { claims: {}, findings: [check('tdx_signature', 'fail')] };
    const appraisal = appraisedTd({ require: { tdx: listing(PPID) } }, given);
    expect([failed(appraisal), results(appraisal, 'tdx_platform_id')]).toEqual([['tdx_signature'], ['skipped']]);
  });
});
