import { describe, expect, it } from 'vitest';
import type { TdxClaims } from '../../../../src/core/claims.js';
import type { JsonObject, JsonValue } from '../../../../src/core/json.js';
import { crossCheck } from '../../../../src/judge/cross-check/cross-check.js';
import { RTMRS, tdAttributes, tdxClaims, tdxTcb } from '../../policy/fixture.js';
import {
  AZUREVM_TDX,
  altered,
  azHcl,
  azTdxClaims,
  compared,
  hardware,
  ITA_FLAT,
  ITA_NESTED,
  ita,
  maa,
  OTHER_JWK,
  RUNTIME,
  TDXVM,
} from './fixture.js';

const [R0, R1, R2, R3] = RTMRS;
const X48 = '5a'.repeat(48);

interface Alteration {
  readonly claim: string;
  readonly member: string;
  /** The different claims of the token. */
  readonly other: JsonValue;
  /** Hardware of which that would be true. */
  readonly td: Partial<TdxClaims>;
}

const ALTERATIONS: readonly Alteration[] = [
  { claim: 'tdx.mrtd', member: 'tdx_mrtd', other: X48, td: { mrtd: X48 } },
  { claim: 'tdx.rtmr[0]', member: 'tdx_rtmr0', other: X48, td: { rtmr: [X48, R1, R2, R3] } },
  { claim: 'tdx.rtmr[1]', member: 'tdx_rtmr1', other: X48, td: { rtmr: [R0, X48, R2, R3] } },
  { claim: 'tdx.rtmr[2]', member: 'tdx_rtmr2', other: X48, td: { rtmr: [R0, R1, X48, R3] } },
  { claim: 'tdx.rtmr[3]', member: 'tdx_rtmr3', other: X48, td: { rtmr: [R0, R1, R2, X48] } },
  { claim: 'tdx.mrConfigId', member: 'tdx_mrconfigid', other: X48, td: { mrConfigId: X48 } },
  { claim: 'tdx.mrOwner', member: 'tdx_mrowner', other: X48, td: { mrOwner: X48 } },
  { claim: 'tdx.mrOwnerConfig', member: 'tdx_mrownerconfig', other: X48, td: { mrOwnerConfig: X48 } },
  { claim: 'tdx.mrSeam', member: 'tdx_mrseam', other: X48, td: { mrSeam: X48 } },
  { claim: 'tdx.mrSignerSeam', member: 'tdx_mrsignerseam', other: X48, td: { mrSignerSeam: X48 } },
  {
    claim: 'tdx.reportData',
    member: 'tdx_report_data',
    other: '5a'.repeat(64),
    td: { reportData: '5a'.repeat(64) },
  },
  {
    claim: 'tdx.teeTcbSvn',
    member: 'tdx_tee_tcb_svn',
    other: '0e010400000000000000000000000000',
    td: { teeTcbSvn: '0e010400000000000000000000000000' },
  },
  { claim: 'tdx.xfam', member: 'tdx_xfam', other: 'e718060000000000', td: { xfam: 'e718060000000000' } },
  flagOf('debug', 'tdx_td_attributes_debug', true),
  flagOf('septVeDisable', 'tdx_td_attributes_septve_disable', false),
  flagOf('pks', 'tdx_td_attributes_protection_keys', true),
  flagOf('keyLocker', 'tdx_td_attributes_key_locker', true),
  flagOf('perfmon', 'tdx_td_attributes_perfmon', true),
  {
    claim: 'tdx.tcb.status',
    member: 'attester_tcb_status',
    other: 'OutOfDate',
    td: { tcb: tdxTcb({ status: 'OutOfDate' }) },
  },
];

function flagOf(bit: 'debug' | 'septVeDisable' | 'pks' | 'keyLocker' | 'perfmon', member: string, other: boolean) {
  return {
    claim: `tdx.tdAttributes.${bit}`,
    member,
    other,
    td: { tdAttributes: tdAttributes({ [bit]: other }) },
  };
}

function bare(td: Partial<TdxClaims> = {}) {
  return hardware({ tdx: tdxClaims(td) }, 'tdx');
}

function az(td: Partial<TdxClaims> = {}) {
  return hardware(azTdxClaims({ tdx: tdxClaims(td) }), 'az-tdx-vtpm');
}

const CLAIMS = ALTERATIONS.map(({ claim }) => claim);

describe('hardware and a token of azure attestation about a bare TD', () => {
  it('agree where the token says what the hardware says', () => {
    const found = compared(bare(), maa(TDXVM));
    expect(found).toMatchObject({ routes: ['hardware', 'maa'], agree: true, differences: [] });
    expect([...found.equal].sort()).toEqual(['tee', ...CLAIMS].sort());
    // Azure Attestation has no name for it.
    expect(found.notComparable).toEqual(['tdx.tdAttributes.migratable']);
  });

  it.each(ALTERATIONS)('TOK-18 disagree on $claim alone, and both values are shown', ({ claim, member, other, td }) => {
    const first = bare();
    const values = { hardware: first.statements.get(claim)?.value, maa: other };
    const { agree, differences } = compared(first, maa(altered(TDXVM, [member], other)));
    expect([agree, differences]).toEqual([false, [{ claim, values }]]);
    expect(compared(bare(td), maa(TDXVM)).differences.map((found) => found.claim)).toEqual([claim]);
    expect(compared(bare(td), maa(altered(TDXVM, [member], other))).agree).toBe(true);
  });

  it.each(ALTERATIONS)('TOK-14 take $claim of another type or form for a difference', ({ claim, member }) => {
    for (const wrong of ['', 'zz', 'false', 0, 1, null, [], {}, 'a0'.repeat(47)]) {
      const { agree, differences } = compared(bare(), maa(altered(TDXVM, [member], wrong)));
      expect([agree, differences]).toMatchObject([false, [{ claim, values: { maa: wrong } }]]);
    }
  });

  it('compare the status of the TCB to the letter', () => {
    const { differences } = compared(bare(), maa({ ...TDXVM, attester_tcb_status: 'uptodate' }));
    expect(differences.map(({ claim }) => claim)).toEqual(['tdx.tcb.status']);
  });

  it('are not about the service TD, FMSPC, statuses of the parts, or the bits without a name', () => {
    const more = {
      quoteVersion: 5,
      mrServiceTd: X48,
      fmspc: '00'.repeat(6),
      tdAttributes: tdAttributes({ icssd: true, lass: true, tpa: true }),
      tcb: tdxTcb({ moduleStatus: null, evaluationDataNumber: 1, advisories: ['INTEL-SA-00001'] }),
    } as const;
    expect(compared(bare(more), maa(TDXVM))).toEqual(compared(bare(), maa(TDXVM)));
  });
});

describe('hardware and a token of trust authority about a bare TD', () => {
  it.each([
    ['flat', ITA_FLAT],
    ['nested', ITA_NESTED],
  ])('agree in every claim, %s', (_, payload) => {
    const found = compared(bare(), ita(payload));
    expect(found).toMatchObject({ routes: ['hardware', 'ita'], agree: true, differences: [], notComparable: [] });
    expect(found.equal).toHaveLength(ALTERATIONS.length + 2);
  });

  it.each(ALTERATIONS)('TOK-18 disagree on $claim alone', ({ claim, member, other, td }) => {
    const flat = compared(bare(), ita(altered(ITA_FLAT, [member], other)));
    const nested = compared(bare(), ita(altered(ITA_NESTED, ['tdx', member], other)));
    for (const { agree, differences } of [flat, nested, compared(bare(td), ita(ITA_FLAT))]) {
      expect([agree, differences.map((found) => found.claim)]).toEqual([false, [claim]]);
    }
  });

  it('TOK-18 disagree on migration alone, and where the token contradicts itself on it', () => {
    const claim = 'tdx.tdAttributes.migratable';
    expect(compared(bare(), ita({ ...ITA_FLAT, tdx_is_migratable: true })).differences).toEqual([
      { claim, values: { hardware: false, ita: true } },
    ]);
    const twice = { ...ITA_FLAT, tdx_td_attributes_migratable: true };
    expect(compared(bare(), ita(twice)).differences).toEqual([
      { claim, values: { hardware: false, ita: expect.arrayContaining([true, false]) } },
    ]);
    const migratable = bare({ tdAttributes: tdAttributes({ migratable: true }) });
    expect(compared(migratable, ita(ITA_FLAT)).differences.map((found) => found.claim)).toEqual([claim]);
    expect(compared(migratable, ita({ ...twice, tdx_is_migratable: true })).agree).toBe(true);
  });
});

describe('hardware and tokens about a TD behind a paravisor', () => {
  const INSIDE = ['x-ms-isolation-tee'];
  const USER_DATA = [...INSIDE, 'x-ms-runtime', 'user-data'];
  const ITA_AZURE: JsonObject = { ...ITA_FLAT, attester_runtime_data: RUNTIME };

  it('agree in every claim, with those of the paravisor', () => {
    for (const view of [maa(AZUREVM_TDX), ita(ITA_AZURE)]) {
      const found = compared(az(), view);
      expect([found.agree, found.differences]).toEqual([true, []]);
      expect(found.equal).toEqual(expect.arrayContaining([...CLAIMS, 'hcl.akThumbprint', 'hcl.userData']));
      expect(found.equal).toContain('hcl.vmConfiguration.secureBoot');
    }
  });

  it.each(ALTERATIONS)('TOK-18 disagree on $claim alone', ({ claim, member, other }) => {
    const guest = compared(az(), maa(altered(AZUREVM_TDX, [...INSIDE, member], other)));
    const own = compared(az(), ita(altered(ITA_AZURE, [member], other)));
    for (const { agree, differences } of [guest, own]) {
      expect([agree, differences.map((found) => found.claim)]).toEqual([false, [claim]]);
    }
  });

  it('TOK-18 disagree on Secure Boot', () => {
    const off = hardware(
      azTdxClaims({ hcl: azHcl({ vmConfiguration: { ...azHcl().vmConfiguration, secureBoot: false } }) }),
      'az-tdx-vtpm',
    );
    expect(compared(off, maa(AZUREVM_TDX)).differences).toEqual([
      { claim: 'hcl.vmConfiguration.secureBoot', values: { hardware: false, maa: true } },
    ]);
  });

  it('do not compare report data of another moment, unless the token was made of this very quote', () => {
    const later = altered(
      altered(AZUREVM_TDX, USER_DATA, 'AB'.repeat(64)),
      [...INSIDE, 'tdx_report_data'],
      '5a'.repeat(64),
    );
    const found = compared(az(), maa(later));
    expect([found.agree, found.notComparable]).toEqual([
      true,
      ['tdx.reportData', 'tdx.tdAttributes.migratable', 'hcl.userData'],
    ]);
    const same = compared(az(), maa(later), true);
    expect(same.differences.map(({ claim }) => claim)).toEqual(['tdx.reportData', 'hcl.userData']);
  });

  it('TOK-16 never agree with another key, without one, or about SEV-SNP', () => {
    const keys = [...INSIDE, 'x-ms-runtime', 'keys'];
    const foreign = maa(altered(AZUREVM_TDX, keys, [{ kid: 'HCLAkPub', ...OTHER_JWK }]));
    const none = maa(altered(AZUREVM_TDX, keys, []));
    for (const view of [foreign, none, ita(ITA_FLAT)]) {
      expect(compared(az(), view).differences.map(({ claim }) => claim)).toContain('hcl.akThumbprint');
    }
    expect(compared(hardware(), maa(AZUREVM_TDX)).differences).toEqual([
      { claim: 'tee', values: { hardware: 'snp', maa: 'tdx' } },
    ]);
  });

  it('agree as three routes only if all do', () => {
    const against = (payload: JsonObject) =>
      crossCheck(az(), [
        { view: maa(AZUREVM_TDX), sameReport: false },
        { view: ita(payload), sameReport: false },
      ]);
    expect(against(ITA_AZURE)).toMatchObject({ routes: ['hardware', 'maa', 'ita'], agree: true, differences: [] });
    expect(against(altered(ITA_AZURE, ['tdx_mrtd'], X48)).differences).toEqual([
      { claim: 'tdx.mrtd', values: { hardware: tdxClaims().mrtd, maa: tdxClaims().mrtd, ita: X48 } },
    ]);
  });
});
