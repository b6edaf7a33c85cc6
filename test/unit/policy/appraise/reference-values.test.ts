import { describe, expect, it } from 'vitest';
import type { Claims, SnpClaims } from '../../../../src/core/claims.js';
import type { JsonObject, JsonValue } from '../../../../src/core/json.js';
import {
  AUTHOR_KEY_DIGEST,
  appraised,
  appraisedTd,
  azClaims,
  azTdxClaims,
  check,
  failed,
  HOST_DATA,
  hclClaims,
  ID_KEY_DIGEST,
  MEASUREMENT,
  MR_CONFIG_ID,
  MR_OWNER,
  MR_OWNER_CONFIG,
  MR_SEAM,
  MRTD,
  only,
  PCR_7,
  RTMRS,
  results,
  snpClaims,
  tdxClaims,
  tpmClaims,
  VM_ID,
} from '../fixture.js';

const OTHER_48 = '99'.repeat(48);
const OTHER_32 = '99'.repeat(32);

function judge(sets: readonly JsonObject[], claims: Claims = azClaims()) {
  return appraised({ referenceValues: sets }, { claims });
}

function withSnp(overrides: Partial<SnpClaims>): Claims {
  return azClaims({ snp: snpClaims(overrides) });
}

const EITHER_TEE: JsonObject = { accepts: ['snp', 'tdx', 'az-snp-vtpm', 'az-tdx-vtpm'], minimums: 'any' };

describe('reference values', () => {
  it.each<[string, JsonObject, JsonObject, string]>([
    [
      'SNP-24 measurement',
      { snp: { measurement: [MEASUREMENT] } },
      { snp: { measurement: [OTHER_48] } },
      'snp_measurement',
    ],
    ['SNP-24 hostData', { snp: { hostData: [HOST_DATA] } }, { snp: { hostData: [OTHER_32] } }, 'snp_host_data'],
    [
      'SNP-23 idKeyDigest',
      { snp: { idKeyDigest: [ID_KEY_DIGEST] } },
      { snp: { idKeyDigest: [OTHER_48] } },
      'snp_id_key',
    ],
    ['SNP-24 vmpl', { snp: { vmpl: [0] } }, { snp: { vmpl: [1, 2] } }, 'snp_vmpl'],
    [
      'hcl.vmUniqueId',
      { hcl: { vmUniqueId: [VM_ID] } },
      { hcl: { vmUniqueId: [VM_ID.replace('5', '6')] } },
      'hcl_reference',
    ],
    [
      'a PCR',
      { tpm: { pcrs: { sha256: { '7': [PCR_7] } } } },
      { tpm: { pcrs: { sha256: { '7': [OTHER_32] } } } },
      'tpm_pcr',
    ],
  ])('%s passes a value of the list and denies one that is not in it', (_claim, matching, unlike, code) => {
    expect(judge([matching])).toMatchObject({ outcome: 'allow' });
    expect(judge([matching]).matched).toContain(code);
    const denied = judge([unlike]);
    expect([denied.outcome, failed(denied)]).toEqual(['deny', [code]]);
    expect(denied.unmatched).toEqual([code]);
  });

  it('takes any value of a list', () => {
    expect(judge([{ snp: { measurement: [OTHER_48, MEASUREMENT.toUpperCase()] } }]).outcome).toBe('allow');
  });

  it('wants every member of a set', () => {
    const set = { snp: { measurement: [MEASUREMENT], hostData: [OTHER_32] }, hcl: { vmUniqueId: [VM_ID] } };
    const appraisal = judge([set]);
    expect(failed(appraisal)).toEqual(['snp_host_data']);
    expect(results(appraisal, 'snp_measurement')).toEqual(['pass']);
    expect(results(appraisal, 'hcl_reference')).toEqual(['pass']);
  });

  it('takes sets as alternatives, and says what the one that matches found', () => {
    const appraisal = judge([{ snp: { measurement: [OTHER_48] } }, { snp: { measurement: [MEASUREMENT] } }]);
    expect([appraisal.outcome, results(appraisal, 'snp_measurement')]).toEqual(['allow', ['pass']]);
    expect(only(appraisal, 'reference_not_applicable')).toMatchObject({
      result: 'pass',
      detail: '2 of 2 sets of reference values apply',
    });
  });

  it('does not mix members of different sets into a match', () => {
    const appraisal = judge([
      { snp: { measurement: [MEASUREMENT], hostData: [OTHER_32] } },
      { snp: { measurement: [OTHER_48], hostData: [HOST_DATA] } },
    ]);
    expect(appraisal.outcome).toBe('deny');
  });

  it('says what the closest set found, and how many were tried', () => {
    const appraisal = judge([
      { snp: { measurement: [OTHER_48], hostData: [OTHER_32] } },
      { snp: { measurement: [MEASUREMENT], hostData: [OTHER_32] } },
    ]);
    expect(failed(appraisal)).toEqual(['snp_host_data']);
    expect(only(appraisal, 'snp_host_data')).toMatchObject({
      expected: [OTHER_32],
      actual: HOST_DATA,
      about: '/evidence/hclReport',
      detail: 'snp.hostData is not among the reference values (closest of 2 sets that apply)',
    });
  });

  it('compares a GUID without case, and nothing else', () => {
    for (const id of [VM_ID, VM_ID.toUpperCase()]) {
      const hcl = hclClaims({ vmConfiguration: { vmUniqueId: id } });
      expect(judge([{ hcl: { vmUniqueId: [VM_ID.toUpperCase()] } }], azClaims({ hcl })).outcome).toBe('allow');
    }
  });

  it('SNP-23 counts an author key digest only where the author key is enabled', () => {
    const sets = [{ snp: { authorKeyDigest: [AUTHOR_KEY_DIGEST] } }];
    const authored = (authorKeyEnabled: boolean) => withSnp({ authorKeyDigest: AUTHOR_KEY_DIGEST, authorKeyEnabled });
    expect(judge(sets, authored(true)).outcome).toBe('allow');
    expect(failed(judge(sets, authored(false)))).toEqual(['snp_id_key']);
  });

  it('SNP-23 does not take zeros for a digest of a key that is not enabled', () => {
    expect(failed(judge([{ snp: { authorKeyDigest: ['00'.repeat(48)] } }]))).toEqual(['snp_id_key']);
  });

  it('TPM-04 denies a PCR that the signed selection does not name', () => {
    const appraisal = judge([{ tpm: { pcrs: { sha256: { '7': [PCR_7], '8': [OTHER_32] } } } }]);
    expect(failed(appraisal)).toEqual(['tpm_pcr_not_quoted']);
    expect(only(appraisal, 'tpm_pcr_not_quoted')).toMatchObject({ actual: null, about: '/evidence/tpmQuote' });
    expect(results(appraisal, 'tpm_pcr')).toEqual(['pass']);
  });

  it('does not find in another bank what is not in the SHA-256 bank', () => {
    const tpm = tpmClaims({ pcrs: { sha1: { '7': PCR_7 } } });
    expect(failed(judge([{ tpm: { pcrs: { sha256: { '7': [PCR_7] } } } }], azClaims({ tpm })))).toEqual([
      'tpm_pcr_not_quoted',
    ]);
  });

  it.each<[string, JsonValue | undefined]>([
    ['missing', undefined],
    ['no text', 7],
  ])('DEC-02 does not match a named claim that is %s', (_what, value) => {
    const hcl = hclClaims({ vmConfiguration: value === undefined ? {} : { vmUniqueId: value } });
    expect(failed(judge([{ hcl: { vmUniqueId: [VM_ID] } }], azClaims({ hcl })))).toEqual(['hcl_reference']);
  });

  it('DEC-02 does not match a whole section that is missing', () => {
    const { vmConfiguration: _, ...hcl } = hclClaims();
    expect(failed(judge([{ hcl: { vmUniqueId: [VM_ID] } }], azClaims({ hcl })))).toEqual(['hcl_reference']);
  });

  it('DEC-03 compares bytes, in whatever case the policy has them', () => {
    for (const value of [MEASUREMENT.toUpperCase(), MEASUREMENT.toLowerCase()]) {
      expect(judge([{ snp: { measurement: [value] } }]).outcome).toBe('allow');
    }
  });

  it('DEC-03 takes no text for a number', () => {
    const vmpl = '0' as unknown as number;
    expect(failed(judge([{ snp: { vmpl: [0] } }], withSnp({ vmpl })))).toEqual(['snp_vmpl']);
  });

  it('does not match registers of a TD in evidence that has none', () => {
    const snp = { measurement: [MEASUREMENT] };
    const sets = [{ snp, tdx: { mrtd: [OTHER_48] } }, { tdx: { mrtd: [OTHER_48] } }];
    expect(failed(appraised({ ...EITHER_TEE, referenceValues: sets }))).toEqual(['tdx_measurement']);
  });

  it('applies a set to its product only', () => {
    const sets = [
      { appliesTo: { product: 'Milan' }, snp: { measurement: [MEASUREMENT] } },
      { appliesTo: { product: 'Genoa' }, snp: { measurement: [OTHER_48] } },
    ];
    expect(judge(sets).outcome).toBe('allow');
    expect(failed(judge(sets, withSnp({ product: 'Genoa', part: 'Genoa' })))).toEqual(['snp_measurement']);
    const turin = judge(sets, withSnp({ product: 'Turin', part: 'Turin' }));
    expect(failed(turin)).toEqual(['reference_not_applicable']);
    expect(only(turin, 'reference_not_applicable').detail).toBe('0 of 2 sets of reference values apply');
  });

  it('DEC-12 denies where the sets name only sections that the evidence lacks', () => {
    const ofTds = { ...EITHER_TEE, referenceValues: [{ tdx: { mrtd: [OTHER_48] } }] };
    expect(failed(appraised(ofTds))).toEqual(['reference_not_applicable']);
    const bare = appraised({ referenceValues: [{ tpm: { pcrs: { sha256: { '7': [PCR_7] } } } }] }, { type: 'snp' });
    expect(failed(bare)).toEqual(['reference_not_applicable']);
  });

  it('applies to bare evidence, with its own places', () => {
    const given = (hcl: boolean) => ({
      type: 'snp' as const,
      claims: { snp: snpClaims(), ...(hcl ? { hcl: hclClaims() } : {}) },
    });
    const bySnp = appraised({ referenceValues: [{ snp: { measurement: [MEASUREMENT] } }] }, given(false));
    expect([bySnp.outcome, only(bySnp, 'snp_measurement').about]).toEqual(['allow', '/evidence/report']);
    const sets = { referenceValues: [{ hcl: { vmUniqueId: [VM_ID] } }] };
    expect(failed(appraised(sets, given(false)))).toEqual(['reference_not_applicable']);
    const byHcl = appraised(sets, given(true));
    expect([byHcl.outcome, only(byHcl, 'hcl_reference').about]).toEqual(['allow', '/evidence/runtimeData']);
  });

  it('are skipped where the claims that they name were not verified', () => {
    const claims = { snp: snpClaims(), hcl: hclClaims() };
    const given = { claims, findings: [check('tpm_signature', 'fail')] };
    const pcrs = { tpm: { pcrs: { sha256: { '7': [PCR_7] } } } };
    const appraisal = appraised({ referenceValues: [pcrs] }, given);
    expect(only(appraisal, 'reference_not_applicable')).toMatchObject({ result: 'skipped' });
    expect(failed(appraisal)).toEqual(['tpm_signature']);
    const bySnp = appraised({ referenceValues: [{ snp: { measurement: [OTHER_48] } }] }, given);
    expect(failed(bySnp)).toEqual(['tpm_signature', 'snp_measurement']);
  });

  it('are skipped where it cannot be known to which product they apply', () => {
    const given = { claims: {}, findings: [check('vcek_unavailable', 'unavailable')] };
    const sets = [{ appliesTo: { product: 'Milan' }, hcl: { vmUniqueId: [VM_ID] } }];
    const appraisal = appraised({ referenceValues: sets }, given);
    expect([appraisal.outcome, only(appraisal, 'reference_not_applicable').result]).toEqual([
      'indeterminate',
      'skipped',
    ]);
  });

  it('are skipped in bare evidence whose report could not be judged', () => {
    const given = { type: 'snp' as const, claims: {}, findings: [check('vcek_unavailable', 'unavailable')] };
    const appraisal = appraised({ referenceValues: [{ hcl: { vmUniqueId: [VM_ID] } }] }, given);
    expect([appraisal.outcome, only(appraisal, 'reference_not_applicable').result]).toEqual([
      'indeterminate',
      'skipped',
    ]);
  });

  it('make no check where the policy names none', () => {
    expect(results(judge([]), 'reference_not_applicable')).toEqual([]);
  });
});

describe('reference values of a TD', () => {
  const REGISTERS: readonly (readonly [register: string, value: string])[] = [
    ['mrtd', MRTD],
    ['mrConfigId', MR_CONFIG_ID],
    ['mrOwner', MR_OWNER],
    ['mrOwnerConfig', MR_OWNER_CONFIG],
    ['mrSeam', MR_SEAM],
    ['rtmr0', RTMRS[0]],
    ['rtmr1', RTMRS[1]],
    ['rtmr2', RTMRS[2]],
    ['rtmr3', RTMRS[3]],
  ];
  const ON_AZURE = REGISTERS.filter(([register]) => !register.startsWith('rtmr'));

  const pinned = (registers: JsonObject, claims: Claims = { tdx: tdxClaims() }) =>
    appraisedTd({ accepts: ['tdx'], referenceValues: [{ tdx: registers }] }, { claims });
  const pinnedOnAzure = (set: JsonObject, claims = azTdxClaims()) =>
    appraisedTd({ referenceValues: [set] }, { type: 'az-tdx-vtpm', claims });

  it.each(REGISTERS)('TDX-18 pass %s with a value of the list, and deny one that is not in it', (register, value) => {
    const passing = pinned({ [register]: [OTHER_48, value.toUpperCase()] });
    expect([passing.outcome, passing.matched.includes('tdx_measurement')]).toEqual(['allow', true]);
    expect(only(passing, 'tdx_measurement').detail).toBe(`tdx.${register} is among the reference values`);
    const denied = pinned({ [register]: [OTHER_48] });
    expect([denied.outcome, failed(denied)]).toEqual(['deny', ['tdx_measurement']]);
    expect(only(denied, 'tdx_measurement')).toMatchObject({
      about: '/evidence/quote',
      expected: [OTHER_48],
      actual: value,
      detail: `tdx.${register} is not among the reference values`,
    });
  });

  it.each(REGISTERS)('TDX-18 do not find the value of %s in another register', (register, value) => {
    for (const [other] of REGISTERS.filter(([name]) => name !== register)) {
      expect(failed(pinned({ [other]: [value] }))).toEqual(['tdx_measurement']);
    }
  });

  it('TDX-18 want every register of a set', () => {
    const all = Object.fromEntries(REGISTERS.map(([register, value]) => [register, [value]]));
    expect(pinned(all).outcome).toBe('allow');
    for (const [register] of REGISTERS) {
      const appraisal = pinned({ ...all, [register]: [OTHER_48] });
      expect(failed(appraisal)).toEqual(['tdx_measurement']);
      expect(results(appraisal, 'tdx_measurement').filter((result) => result === 'pass')).toHaveLength(8);
    }
  });

  it.each(ON_AZURE)('TDX-18 compare %s behind a paravisor, at the place of the quote', (register, value) => {
    expect(pinnedOnAzure({ tdx: { [register]: [value] } }).outcome).toBe('allow');
    const denied = pinnedOnAzure({ tdx: { [register]: [OTHER_48] } });
    expect(failed(denied)).toEqual(['tdx_measurement']);
    expect(only(denied, 'tdx_measurement').about).toBe('/evidence/tdQuote');
  });

  it('pin the guest behind a paravisor by PCRs and VM id', () => {
    const set = { tdx: { mrtd: [MRTD] }, hcl: { vmUniqueId: [VM_ID] }, tpm: { pcrs: { sha256: { '7': [PCR_7] } } } };
    expect(pinnedOnAzure(set).outcome).toBe('allow');
    expect(failed(pinnedOnAzure({ ...set, tpm: { pcrs: { sha256: { '7': [OTHER_32] } } } }))).toEqual(['tpm_pcr']);
    expect(failed(pinnedOnAzure({ ...set, hcl: { vmUniqueId: [VM_ID.replace('5', '6')] } }))).toEqual([
      'hcl_reference',
    ]);
  });

  it('DEC-12 deny where the sets name only sections of SEV-SNP, or a product of AMD', () => {
    for (const set of [
      { snp: { vmpl: [0] } },
      { appliesTo: { product: 'Milan' }, snp: { vmpl: [0] }, tdx: { mrtd: [MRTD] } },
    ]) {
      for (const type of ['tdx', 'az-tdx-vtpm'] as const) {
        const members = { ...EITHER_TEE, referenceValues: [set, { snp: { measurement: [MEASUREMENT] } }] };
        expect(failed(appraised(members, { type }))).toEqual(['reference_not_applicable']);
      }
    }
  });

  it('take a set for each TEE, and match nothing with one for both', () => {
    const members = { accepts: ['snp', 'tdx'], minimums: 'any' };
    const [snp, tdx] = [{ snp: { measurement: [MEASUREMENT] } }, { tdx: { mrtd: [MRTD] } }];
    for (const type of ['snp', 'tdx'] as const) {
      expect(appraised({ ...members, referenceValues: [snp, tdx] }, { type }).outcome).toBe('allow');
      const other = type === 'snp' ? tdx : snp;
      const together = appraised({ ...members, referenceValues: [{ ...snp, ...tdx }, other] }, { type });
      expect(failed(together)).toEqual([type === 'tdx' ? 'snp_measurement' : 'tdx_measurement']);
    }
  });

  it('apply to the claims of a paravisor that bare evidence carries', () => {
    const sets = { referenceValues: [{ hcl: { vmUniqueId: [VM_ID] } }] };
    expect(failed(appraisedTd(sets))).toEqual(['reference_not_applicable']);
    const carrying = appraisedTd(sets, { claims: { tdx: tdxClaims(), hcl: hclClaims() } });
    expect([carrying.outcome, only(carrying, 'hcl_reference').about]).toEqual(['allow', '/evidence/runtimeData']);
  });

  it('are skipped where the quote was not verified, or could not be judged', () => {
    const members = { referenceValues: [{ tdx: { mrtd: [OTHER_48] } }] };
    const refused = appraisedTd(members, { claims: {}, findings: [check('tdx_signature', 'fail')] });
    expect([failed(refused), results(refused, 'reference_not_applicable')]).toEqual([['tdx_signature'], ['skipped']]);
    const open = appraisedTd(members, { claims: {}, findings: [check('collateral_unavailable', 'unavailable')] });
    expect([open.outcome, results(open, 'reference_not_applicable')]).toEqual(['indeterminate', ['skipped']]);
  });
});
