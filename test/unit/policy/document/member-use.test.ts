import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.js';
import { parsePolicy } from '../../../../src/policy/document/policy-document.js';
import { PolicyError } from '../../../../src/policy/document/policy-problem.js';
import { PCR_7, policyText } from '../fixture.js';

const HEX_48 = 'ab'.repeat(48);
const TERMS = { reason: 'planned', approver: 'ops', expires: '2027-01-01' };

/** Pointers of the members that nothing consults. */
function unused(members: JsonObject): readonly string[] {
  try {
    parsePolicy(policyText(members));
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    expect(new Set(error.policyProblems.map(({ code }) => code))).toEqual(new Set(['policy_member_unused']));
    return error.policyProblems.map(({ pointer }) => pointer);
  }
  return [];
}

const SNP = { accepts: ['snp', 'az-snp-vtpm'], minimums: 'any' };
const BARE_SNP = { ...SNP, accepts: ['snp'] };
const TDX = { accepts: ['tdx', 'az-tdx-vtpm'], minimums: 'any' };
const BOTH = { accepts: ['snp', 'tdx', 'az-snp-vtpm', 'az-tdx-vtpm'], minimums: 'any' };
const MAA = { accepts: ['maa-token'], minimums: 'any', routes: { hardware: 'off' } };
const ITA = { ...MAA, accepts: ['ita-token'] };
const TPM = { ...MAA, accepts: ['tpm'] };

/** A member, a policy that has something to consult it for, and one that has nothing. */
const CASES: readonly (readonly [pointer: string, members: JsonObject, used: JsonObject, not: JsonObject])[] = [
  ['/paravisor', { paravisor: 'any' }, BARE_SNP, MAA],
  ['/revocation', { revocation: 'best-effort' }, SNP, TDX],
  ['/secureBoot', { secureBoot: 'required' }, MAA, ITA],
  ['/allowDebug', { allowDebug: true }, TDX, MAA],
  ['/require/snp/committedEqualsCurrent', { require: { snp: { committedEqualsCurrent: true } } }, BOTH, TDX],
  ['/require/snp/platformInfo', { require: { snp: { platformInfo: { smtEnabled: false } } } }, SNP, TDX],
  ['/require/snp/mitigations', { require: { snp: { mitigations: [0] } } }, SNP, MAA],
  ['/require/snp/minGuestSvn', { require: { snp: { minGuestSvn: 0 } } }, SNP, TDX],
  ['/require/snp/machines', { require: { snp: { machines: { cspId: ['Azure'] } } } }, SNP, TDX],
  ['/require/tdx/septVeDisable', { require: { tdx: { septVeDisable: true } } }, BOTH, SNP],
  ['/require/tdx/allowPerfmon', { require: { tdx: { allowPerfmon: false } } }, TDX, MAA],
  ['/require/tdx/xfamMask', { require: { tdx: { xfamMask: '00'.repeat(8) } } }, TDX, SNP],
  ['/require/tdx/mrServiceTd', { require: { tdx: { mrServiceTd: [HEX_48] } } }, TDX, SNP],
  ['/require/tdx/machines', { require: { tdx: { machines: { ppid: ['00'.repeat(16)] } } } }, TDX, SNP],
  ['/require/tpm/trackResets', { require: { tpm: { trackResets: true } } }, SNP, BARE_SNP],
  ['/require/tpm/quotedPcrs', { require: { tpm: { quotedPcrs: [0] } } }, TDX, BARE_SNP],
  ['/require/tpm/runtimePcrs', { require: { tpm: { runtimePcrs: [10] } } }, TPM, MAA],
  ['/require/maa/complianceStatus', { require: { maa: { complianceStatus: ['x'] } } }, MAA, SNP],
  ['/require/maa/attestationType', { require: { maa: { attestationType: ['azurevm'] } } }, MAA, ITA],
  ['/require/maa/issuers', { require: { maa: { issuers: ['x'] } } }, { ...SNP, routes: { maa: 'optional' } }, TDX],
  [
    '/require/maa/tcbStatus',
    { require: { maa: { tcbStatus: ['UpToDate'] } } },
    { ...TDX, routes: { maa: 'optional' } },
    { ...SNP, routes: { maa: 'required' } },
  ],
  [
    '/require/ita/tcbStatus',
    { require: { ita: { tcbStatus: ['UpToDate'] } } },
    { ...TDX, routes: { ita: 'optional' } },
    { ...SNP, routes: { ita: 'required' } },
  ],
  [
    '/require/ita/policyIds',
    { require: { ita: { policyIds: [`${'0'.repeat(8)}-0000-4000-8000-000000000000`] } } },
    ITA,
    MAA,
  ],
  [
    '/require/ita/issuers',
    { require: { ita: { issuers: ['x'] } } },
    { ...MAA, routes: { hardware: 'off', ita: 'required' } },
    { ...SNP, routes: { ita: 'required' } },
  ],
  ['/require/ita/issuers', { require: { ita: { issuers: ['x'] } } }, { ...TDX, routes: { ita: 'optional' } }, TDX],
  ['/referenceValues/0/snp', { referenceValues: [{ snp: { vmpl: [0] } }] }, BOTH, TDX],
  ['/referenceValues/0/tdx', { referenceValues: [{ tdx: { mrtd: [HEX_48] } }] }, TDX, SNP],
  [
    '/referenceValues/0/hcl',
    { referenceValues: [{ hcl: { vmUniqueId: ['00000000-0000-0000-0000-000000000000'] } }] },
    BARE_SNP,
    MAA,
  ],
  ['/referenceValues/0/tpm', { referenceValues: [{ tpm: { pcrs: { sha256: { '7': [PCR_7] } } } }] }, SNP, BARE_SNP],
];

describe('a member that nothing consults', () => {
  it.each(CASES)('DEC-13 keeps a policy from loading: %s', (pointer, members, used, not) => {
    expect(unused({ ...not, ...members })).toEqual([pointer]);
    expect(unused({ ...used, ...members })).toEqual([]);
  });

  it('DEC-13 keeps a policy from loading: allowMigratable, with the service TDs that it needs', () => {
    const members = { require: { tdx: { allowMigratable: true, mrServiceTd: [HEX_48] } } };
    expect(unused({ ...SNP, ...members })).toEqual(['/require/tdx/allowMigratable', '/require/tdx/mrServiceTd']);
    expect(unused({ ...TDX, ...members })).toEqual([]);
  });

  it('DEC-13 is shown with its code and pointer', () => {
    expect(() => parsePolicy(policyText({ ...TDX, require: { snp: { minGuestSvn: 1 } } }))).toThrow(
      '/require/snp/minGuestSvn: is about SEV-SNP evidence, which this policy never sees (policy_member_unused)',
    );
    expect(() => parsePolicy(policyText({ extra: 1 }))).toThrow(
      /\/extra: unknown key; there are apiVersion, .+ \(policy_schema\)$/,
    );
    expect(() => parsePolicy('a: [')).toThrow(/^line 1: .+ \(policy_schema\)$/);
  });

  it('DEC-13 twin: a default that is written asks for nothing', () => {
    const defaults = {
      paravisor: 'known',
      freshness: 'required',
      nonce: 'any',
      revocation: 'required',
      binding: 'optional',
      secureBoot: 'any',
      allowDebug: false,
      referenceValues: [],
      rules: [],
      waivers: [],
      require: {
        snp: { committedEqualsCurrent: false },
        tdx: { septVeDisable: false, allowMigratable: false, allowPerfmon: true },
        tpm: { trackResets: false },
      },
    };
    for (const members of [SNP, TDX, MAA, ITA, TPM]) expect(unused({ ...members, ...defaults })).toEqual([]);
  });

  it('DEC-13 twin: minimums of a TEE that is not accepted do no harm', () => {
    const minimums = {
      snp: { Milan: { snp: 24 } },
      tdx: { acceptedStatuses: ['UpToDate'], minEvaluationDataNumber: 19 },
    };
    for (const { accepts } of [SNP, TDX]) expect(unused({ accepts, minimums })).toEqual([]);
  });

  it('DEC-13 names every one', () => {
    const require = { snp: { minGuestSvn: 1, mitigations: [0] }, tpm: { trackResets: true } };
    expect(unused({ ...TDX, accepts: ['tdx'], require, revocation: 'best-effort' })).toEqual([
      '/revocation',
      '/require/snp/mitigations',
      '/require/snp/minGuestSvn',
      '/require/tpm/trackResets',
    ]);
  });
});

describe('a policy that can never allow', () => {
  it('DEC-13 does not load: tokens with the hardware route required', () => {
    expect(unused({ accepts: ['maa-token'], minimums: 'any' })).toEqual(['/routes/hardware']);
    expect(unused({ accepts: ['maa-token', 'ita-token'], minimums: 'any', routes: { maa: 'required' } })).toEqual([
      '/routes/hardware',
    ]);
    expect(unused(MAA)).toEqual([]);
  });

  it('DEC-13 does not load: tpm with any route', () => {
    expect(unused({ accepts: ['tpm'], minimums: 'any' })).toEqual(['/routes/hardware']);
    for (const route of ['maa', 'ita']) {
      for (const wanted of ['required', 'optional']) {
        expect(unused({ ...TPM, routes: { hardware: 'off', [route]: wanted } })).toEqual([`/routes/${route}`]);
      }
    }
    expect(unused(TPM)).toEqual([]);
  });

  it.each(['maa', 'ita'])(
    'DEC-13 does not load: no status in both minimums and accepted statuses of the token for %s',
    (route) => {
      const members = (tcbStatus: readonly string[], accepts: readonly string[] = ['tdx']) => ({
        accepts,
        minimums: { snp: 'any', tdx: { acceptedStatuses: ['UpToDate', 'OutOfDate'] } },
        routes: { [route]: 'required' },
        require: { [route]: { tcbStatus } },
      });
      expect(unused(members(['SWHardeningNeeded', 'TDRelaunchAdvised']))).toEqual([`/require/${route}/tcbStatus`]);
      expect(unused(members(['SWHardeningNeeded', 'OutOfDate']))).toEqual([]);
      // SEV-SNP evidence can still pass.
      expect(unused(members(['SWHardeningNeeded'], ['tdx', 'snp']))).toEqual([]);
      expect(unused({ ...members(['SWHardeningNeeded']), minimums: 'any' })).toEqual([]);
    },
  );

  it.each(['maa', 'ita'])('DEC-13 twin: a waiver of either side makes the statuses meet for %s', (route) => {
    const members = (check: string, value: string, accepted: string) => ({
      accepts: ['tdx'],
      minimums: { tdx: { acceptedStatuses: ['UpToDate'] } },
      routes: { [route]: 'required' },
      require: { [route]: { tcbStatus: [accepted] } },
      waivers: [{ ...TERMS, check, value }],
    });
    expect(unused(members('tdx_tcb_status', 'SWHardeningNeeded', 'SWHardeningNeeded'))).toEqual([]);
    expect(unused(members(`${route}_tcb_status`, 'UpToDate', 'SWHardeningNeeded'))).toEqual([]);
    expect(unused(members('tdx_tcb_status', 'OutOfDate', 'SWHardeningNeeded'))).toEqual([
      `/require/${route}/tcbStatus`,
    ]);
    expect(unused(members(`${route}_tcb_status`, 'OutOfDate', 'SWHardeningNeeded'))).toEqual([
      `/require/${route}/tcbStatus`,
    ]);
  });

  describe('for the attestation types that it demands', () => {
    const demanding = (
      accepts: readonly string[],
      attestationType: readonly string[],
      maa = 'required',
    ): JsonObject => ({
      accepts,
      minimums: 'any',
      routes: { maa, ...(accepts.some((type) => type.endsWith('-token')) ? { hardware: 'off' } : {}) },
      require: { maa: { attestationType } },
    });

    it.each<[accepts: readonly string[], demanded: readonly string[], possible: string]>([
      [['az-snp-vtpm'], ['tdxvm'], 'azurevm, sevsnpvm'],
      [['snp', 'az-snp-vtpm'], ['tdxvm'], 'azurevm, sevsnpvm'],
      [['az-tdx-vtpm'], ['sevsnpvm'], 'azurevm, tdxvm'],
      [['tdx'], ['sevsnpvm'], 'azurevm, tdxvm'],
      [['ita-token'], ['sevsnpvm'], 'azurevm, tdxvm'],
    ])('DEC-13 does not load: %j with tokens of type %j alone', (accepts, demanded, possible) => {
      // Without a token `claim_missing` denies, on an optional route too.
      for (const route of ['required', 'optional']) {
        expect(() => parsePolicy(policyText(demanding(accepts, demanded, route)))).toThrow(
          `/require/maa/attestationType: has no type that a token about the evidence in accepts can have (${possible}), so none would pass (policy_member_unused)`,
        );
      }
    });

    it.each<[accepts: readonly string[], demanded: readonly string[]]>([
      [['az-snp-vtpm'], ['azurevm']],
      [['az-snp-vtpm'], ['tdxvm', 'sevsnpvm']],
      [['az-tdx-vtpm'], ['azurevm']],
      [['az-tdx-vtpm', 'az-snp-vtpm'], ['tdxvm']],
      [['az-tdx-vtpm', 'az-snp-vtpm'], ['sevsnpvm']],
      // Its data can be the runtime claims of a paravisor.
      [['snp'], ['azurevm']],
      [['tdx'], ['azurevm']],
      [['maa-token'], ['tdxvm']],
      [['maa-token'], ['sevsnpvm']],
      [['ita-token'], ['azurevm']],
    ])('DEC-13 twin: loads %j with tokens of type %j', (accepts, demanded) => {
      expect(unused(demanding(accepts, demanded))).toEqual([]);
    });

    it('DEC-13 names the member once where the route is off', () => {
      expect(unused(demanding(['az-snp-vtpm'], ['tdxvm'], 'off'))).toEqual(['/require/maa/attestationType']);
    });
  });

  it('DEC-13 does not load: reference values that no evidence can match', () => {
    const [snp, tdx] = [{ vmpl: [0] }, { mrtd: [HEX_48] }];
    expect(unused({ ...BOTH, referenceValues: [{ snp, tdx }] })).toEqual(['/referenceValues']);
    expect(unused({ ...BOTH, referenceValues: [{ snp, tdx }, { tdx }] })).toEqual([]);
    expect(unused({ ...BOTH, referenceValues: [{ snp }, { tdx }] })).toEqual([]);
  });

  it('DEC-13 does not load: reference values of a product without minimum', () => {
    const genoa = { appliesTo: { product: 'Genoa' }, snp: { vmpl: [0] } };
    const under = (minimums: JsonObject) => unused({ ...BARE_SNP, minimums, referenceValues: [genoa] });
    expect(under({ snp: { Milan: { snp: 24 } } })).toEqual(['/referenceValues']);
    expect(under({ snp: { 'Bergamo-Siena': { snp: 23 } } })).toEqual([]);
    expect(under({ snp: 'any' })).toEqual([]);
  });

  it('DEC-13 does not load: a product of AMD for sections that have none', () => {
    const set = { appliesTo: { product: 'Milan' }, tdx: { mrtd: [HEX_48] } };
    expect(unused({ ...TDX, referenceValues: [set] })).toEqual(['/referenceValues/0/appliesTo/product']);
  });
});

describe('a waiver of a finding that cannot be', () => {
  const FLOORS = { snp: { Milan: { snp: 24, microcode: 219 } }, tdx: { acceptedStatuses: ['UpToDate'] } };
  const low = (floor: JsonObject, part = 'Milan'): JsonObject => ({ check: 'snp_tcb_low', value: { part, floor } });

  it.each<[string, JsonObject, JsonObject, JsonObject]>([
    [
      'a part without minimum',
      low({ snp: 20 }, 'Genoa'),
      { ...SNP, minimums: { ...FLOORS, snp: { Genoa: { snp: 23 } } } },
      { ...SNP, minimums: FLOORS },
    ],
    [
      'a floor at the minimum',
      low({ snp: 23 }),
      { ...SNP, minimums: FLOORS },
      { ...SNP, minimums: { snp: { Milan: { snp: 23 } } } },
    ],
    [
      'a component without minimum',
      low({ bootloader: 3 }),
      { ...SNP, minimums: { snp: { Milan: { bootloader: 4 } } } },
      { ...SNP, minimums: FLOORS },
    ],
    ['any firmware', low({ snp: 20 }), { ...SNP, minimums: FLOORS }, SNP],
    ['a TCB of SEV-SNP with TDs alone', low({ snp: 20 }), { ...BOTH, minimums: FLOORS }, { ...TDX, minimums: FLOORS }],
    [
      'a status that is accepted',
      { check: 'tdx_tcb_status', value: 'OutOfDate' },
      { ...TDX, minimums: FLOORS },
      { ...TDX, minimums: { tdx: { acceptedStatuses: ['UpToDate', 'OutOfDate'] } } },
    ],
    ['a status of TDs without any', { check: 'tdx_tcb_status', value: 'OutOfDate' }, TDX, SNP],
    [
      'a status of tokens that is accepted',
      { check: 'maa_tcb_status', value: 'OutOfDate' },
      MAA,
      { ...MAA, require: { maa: { tcbStatus: ['OutOfDate'] } } },
    ],
    ['a status of tokens without TDs', { check: 'maa_tcb_status', value: 'OutOfDate' }, TDX, SNP],
    [
      'a status of tokens of Trust Authority that is accepted',
      { check: 'ita_tcb_status', value: 'OutOfDate' },
      ITA,
      { ...ITA, require: { ita: { tcbStatus: ['OutOfDate'] } } },
    ],
    ['a status of tokens of Trust Authority without TDs', { check: 'ita_tcb_status', value: 'OutOfDate' }, TDX, SNP],
    [
      'a bit that is not asked for',
      { check: 'snp_platform_smt_enabled' },
      { ...SNP, require: { snp: { platformInfo: { smtEnabled: false } } } },
      SNP,
    ],
    ['an unknown bit of TDs', { check: 'snp_platform_unknown' }, SNP, TDX],
    ['a product of AMD with TDs alone', { check: 'snp_product_advisory' }, BOTH, TDX],
    ['a product of AMD with tokens about TDs', { check: 'snp_product_advisory' }, MAA, ITA],
    ['a missing CRL of AMD with TDs alone', { check: 'crl_unavailable' }, SNP, TDX],
    ['an unconfirmed CRL with TDs alone', { check: 'crl_unconfirmed' }, SNP, TDX],
    ['unconfirmed collateral without TDs', { check: 'collateral_unconfirmed' }, TDX, SNP],
    ['a missing floor where there is one', { check: 'snp_tcb_floor_missing' }, SNP, { ...SNP, minimums: FLOORS }],
    ['a stale nonce of tokens', { check: 'nonce_stale' }, BARE_SNP, MAA],
    ['a stale nonce where none is asked for', { check: 'nonce_stale' }, SNP, { ...SNP, freshness: 'none' }],
    [
      'an unknown paravisor where it has to be known',
      { check: 'hcl_paravisor_unknown' },
      { ...SNP, paravisor: 'any' },
      SNP,
    ],
  ])('DEC-13 does not load: %s', (_what, waiver, used, not) => {
    const waivers = [{ ...TERMS, ...waiver }];
    expect(unused({ ...not, waivers })).toEqual(['/waivers/0']);
    expect(unused({ ...used, waivers })).toEqual([]);
  });

  it('DEC-13 does not load: UpToDate, which is no finding', () => {
    const waivers = [{ ...TERMS, check: 'tdx_tcb_status', value: 'UpToDate' }];
    expect(unused({ ...TDX, waivers })).toEqual(['/waivers/0']);
    expect(unused({ ...MAA, waivers: [{ ...waivers[0], check: 'maa_tcb_status' }] })).toEqual(['/waivers/0']);
  });
});
