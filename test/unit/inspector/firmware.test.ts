import { describe, expect, it } from 'vitest';
import type { Claims, SnpClaims, TdxClaims } from '../../../src/core/claims.js';
import type { EvidenceType } from '../../../src/core/evidence.js';
import { EVIDENCE_TYPES } from '../../../src/core/evidence-traits.js';
import type { JsonObject } from '../../../src/core/json.js';
import { firmwareIn } from '../../../src/inspector/firmware.js';
import {
  appraised,
  appraisedTd,
  azTdxClaims,
  check,
  lowered,
  type Situation,
  snpClaims,
  TCB,
  tdxClaims,
  tdxTcb,
  tokenClaims,
  tpmClaims,
} from '../policy/fixture.js';

const FLOORS: JsonObject = { minimums: { snp: { Milan: { snp: 24, microcode: 219 } } } };
const DATED: JsonObject = {
  minimums: { tdx: { acceptedStatuses: ['UpToDate'], earliestTcbDate: '2024-03-13', minEvaluationDataNumber: 17 } },
};

/** The sentences about a decision, whose claims are null if the evidence has none. */
function said(claims: Claims, checks: Parameters<typeof firmwareIn>[0]['checks']): readonly string[] {
  const { snp = null, tdx = null } = claims;
  return firmwareIn({ claims: { snp, tdx } as Parameters<typeof firmwareIn>[0]['claims'], checks });
}

function ofSnp(change: Partial<SnpClaims> = {}, members = FLOORS, given: Situation = { type: 'snp' }) {
  const claims = { snp: snpClaims(change) };
  return said(claims, appraised(members, { ...given, claims }).checks);
}

function ofTd(change: Partial<TdxClaims> = {}, members = DATED, given: Situation = {}) {
  const claims = { tdx: tdxClaims(change) };
  return said(claims, appraisedTd(members, { ...given, claims }).checks);
}

describe('the firmware of an SEV-SNP machine', () => {
  it('is said component by component, with what the policy needs', () => {
    expect(ofSnp()).toEqual([
      'The SEV firmware that runs is 1.55.29, and that version is committed.',
      'The boot loader is 4 in the reported, the committed and the launch TCB.',
      'The TEE is 0 in the reported, the committed and the launch TCB.',
      'The SNP firmware is 24 in the reported, the committed and the launch TCB. Policy least needs 24 or later: the reported TCB has it, the launch TCB has it.',
      'The microcode is 219 in the reported, the committed and the launch TCB. Policy least needs 219 or later: the reported TCB has it, the launch TCB has it.',
    ]);
  });

  it('is said to be behind by as much as it is', () => {
    const reported = lowered('microcode', 8);
    expect(ofSnp({ tcb: { current: TCB, committed: TCB, reported, launch: TCB } }).at(-1)).toBe(
      'The microcode is 211 in the reported TCB, 219 in the committed TCB and 219 in the launch TCB. Policy least needs 219 or later: the reported TCB is 8 behind, the launch TCB has it.',
    );
    const launch = lowered('snp', 1);
    const old = ofSnp({ tcb: { current: TCB, committed: TCB, reported: TCB, launch } });
    expect(old.at(-2)).toMatch(
      /Policy least needs 24 or later: the reported TCB has it, the launch TCB is 1 behind\.$/,
    );
    // The check of the launch TCB names what is too low alone: nothing else of it is said.
    expect(old.at(-1)).toMatch(/Policy least needs 219 or later: the reported TCB has it\.$/);
  });

  it('is said without what nobody needs', () => {
    const sentences = ofSnp({}, { minimums: { snp: 'any' } });
    expect(sentences.at(-1)).toBe('Policy least sets no minimum for these versions.');
    expect(sentences.join(' ')).not.toMatch(/needs|behind/);
    expect(said({ snp: snpClaims() }, []).join(' ')).not.toMatch(/needs|minimum|behind/);
  });

  it('has an FMC where the part has one, and says where the floor is for one that it lacks', () => {
    const [tcb, floor] = [{ ...TCB, fmc: 1 }, { minimums: { snp: { Turin: { fmc: 1 } } } }];
    const turin = ofSnp({ part: 'Turin', tcb: { current: tcb, committed: tcb, reported: tcb, launch: tcb } }, floor);
    expect(turin[1]).toMatch(/^The FMC is 1 in the .* Policy least needs 1 or later: the reported TCB has it,/);
    expect(ofSnp().join(' ')).not.toContain('FMC');
    const partly = ofSnp({ part: 'Turin', tcb: { current: tcb, committed: tcb, reported: TCB, launch: tcb } }, floor);
    expect(partly[1]).toBe(
      'The FMC is none in the reported TCB, 1 in the committed TCB and 1 in the launch TCB. Policy least needs 1 or later: the reported TCB has none, the launch TCB has it.',
    );
  });

  it('can be rolled back where it is not committed', () => {
    expect(ofSnp({ firmware: { current: '1.55.29', committed: '1.55.20' } })[0]).toBe(
      'The SEV firmware that runs is 1.55.29, and 1.55.20 is committed: it can be rolled back to that.',
    );
  });
});

describe('the firmware of a TDX machine', () => {
  it('has the status that Intel gives it, and the dates that the policy needs', () => {
    expect(ofTd()).toEqual([
      "Intel's status of the TCB is UpToDate, and the oldest of its parts is of 2024-03-13T00:00:00Z.",
      'The platform is UpToDate.',
      'The TDX module (TDX_01) has the SVN 13, and is UpToDate.',
      'The quoting enclave is UpToDate.',
      "Intel's collateral names no advisory for these levels.",
      'Policy least accepts UpToDate.',
      'Policy least needs a TCB of 2024-03-13 or later.',
      'Policy least needs the evaluation data number 17 or higher: TCB info has 17, QE identity 17.',
    ]);
  });

  it('is said to be behind by what Intel’s collateral needs, with its advisories', () => {
    const status = { status: 'OutOfDate', platformStatus: 'OutOfDate', moduleStatus: 'OutOfDate' };
    const tcb = tdxTcb({ ...status, advisories: ['INTEL-SA-00001', 'INTEL-SA-00002'] });
    const tcbShortfalls = [
      { component: 'sgxtcbcomponents[0]', have: 6, need: 7, type: 'Early Microcode Update' },
      { component: 'TDX_01.isvsvn', have: 2, need: 4, type: null },
    ];
    const behind = [
      'To be up to date, sgxtcbcomponents[0] (Early Microcode Update) needs 7, and has 6.',
      'To be up to date, TDX_01.isvsvn needs 4, and has 2.',
    ];
    const sentences = ofTd({ tcb }, DATED, { tcbShortfalls });
    expect(sentences).toContain('Advisories of Intel for these levels: INTEL-SA-00001, INTEL-SA-00002.');
    expect(sentences).toEqual(expect.arrayContaining(behind));
    // Nothing is accepted in words under any.
    const any = ofTd({ tcb }, { minimums: { tdx: 'any' } }, { tcbShortfalls });
    expect(any.slice(5)).toEqual(behind);
  });

  it('says once what Intel needs where two policies say it', () => {
    const tcbShortfalls = [{ component: 'pcesvn', have: 5, need: 13, type: null }];
    const { checks } = appraisedTd(DATED, { tcbShortfalls });
    const sentences = said({ tdx: tdxClaims() }, [...checks, ...checks.map((each) => ({ ...each, policy: 'other' }))]);
    expect(sentences.filter((text) => text.includes('pcesvn'))).toHaveLength(1);
    expect(sentences.filter((text) => text.endsWith('accepts UpToDate.'))).toHaveLength(2);
  });

  it('says what is needed where it is behind every level', () => {
    const findings = [
      check('tdx_tcb_level_unsupported', 'fail', {
        expected: { 'sgxtcbcomponents[0]': 8, 'TDX_01.isvsvn': 5 },
        actual: { 'sgxtcbcomponents[0]': 6, 'TDX_01.isvsvn': 3 },
      }),
    ];
    const tcb = tdxTcb({ status: null, platformStatus: null, moduleStatus: null, date: null });
    expect(ofTd({ tcb }, DATED, { findings })).toEqual([
      "The platform or its TDX module is behind every TCB level of Intel's collateral.",
      'The platform is behind every level.',
      'The TDX module (TDX_01) has the SVN 13.',
      'The quoting enclave is UpToDate.',
      "Intel's collateral names no advisory for these levels.",
      'For the nearest level, sgxtcbcomponents[0] needs 8, and has 6.',
      'For the nearest level, TDX_01.isvsvn needs 5, and has 3.',
    ]);
  });

  it('has a module without an identity where TEE_TCB_SVN names none', () => {
    expect(ofTd({ teeTcbSvn: `0500${'00'.repeat(14)}` })[2]).toBe('The TDX module has the SVN 5, and is UpToDate.');
  });
});

describe('a decision of each type', () => {
  const OF_TYPE: { readonly [type in EvidenceType]: { readonly claims: Claims; readonly begins: string | null } } = {
    snp: { claims: { snp: snpClaims() }, begins: 'The SEV firmware that runs' },
    'az-snp-vtpm': { claims: { snp: snpClaims(), tpm: tpmClaims() }, begins: 'The SEV firmware that runs' },
    tdx: { claims: { tdx: tdxClaims() }, begins: "Intel's status of the TCB" },
    'az-tdx-vtpm': { claims: azTdxClaims(), begins: "Intel's status of the TCB" },
    // Nothing of the firmware of the machine is verified here.
    tpm: { claims: { tpm: tpmClaims() }, begins: null },
    'maa-token': { claims: { maa: tokenClaims() }, begins: null },
    'ita-token': { claims: { ita: tokenClaims() }, begins: null },
  };

  it.each(EVIDENCE_TYPES)('says what was verified, and nothing where nothing was: %s', (type) => {
    const { claims, begins } = OF_TYPE[type];
    const sentences = said(claims, []);
    if (begins === null) expect(sentences).toEqual([]);
    else expect(sentences[0]?.startsWith(begins)).toBe(true);
  });
});
