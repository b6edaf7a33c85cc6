import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.js';
import { OPEN_HOST_DATA } from '../../../src/core/microsoft-launches.js';
import { lintPolicy } from '../../../src/policy/lint/lint.js';
import { AUTHOR_KEY_DIGEST, HOST_DATA, ID_KEY_DIGEST, MEASUREMENT, PCR_7, policyText, VM_ID } from './fixture.js';

const OPTIONS = {
  at: new Date('2026-06-01T12:00:00Z'),
  knownAuthorities: (issuer: string) => issuer === 'https://sharedweu.weu.attest.azure.net',
  manyIssuers: [],
};
const CODES = ['release_unpinned', 'release_firmware_only', 'launcher_word', 'host_data_open_policy'];
const MINIMUMS = { minimums: { snp: { Milan: { snp: 24, microcode: 219 } }, tdx: { acceptedStatuses: ['UpToDate'] } } };
const AZURE = { accepts: ['az-snp-vtpm'], ...MINIMUMS };
const BARE = { accepts: ['snp'], ...MINIMUMS };
const TD = { accepts: ['tdx'], ...MINIMUMS };
const FIT = { nonce: 'challenge', binding: 'required' };

/** Severity, code and place of what is said of pins. */
function lint(members: JsonObject, options: object = {}): readonly string[] {
  return lintPolicy(policyText(members), { ...OPTIONS, ...options })
    .filter(({ code }) => CODES.includes(code))
    .map(({ severity, code, pointer }) => `${severity} ${code} ${pointer}`);
}

const sets = (...referenceValues: readonly JsonObject[]): JsonObject => ({ referenceValues: [...referenceValues] });
const rule = (cel: string): JsonObject => ({ rules: [{ id: 'rule', cel }] });
const pcr = (index: number): JsonObject => ({ tpm: { pcrs: { sha256: { [index]: [PCR_7] } } } });

describe('REL-07 the lint of a policy that a key could be released by', () => {
  it('is an error for each set that pins neither code nor machine', () => {
    expect(lint({ ...AZURE, ...FIT })).toEqual(['error release_unpinned ']);
    expect(lint({ ...AZURE, ...FIT, ...sets(pcr(4), pcr(8)) })).toEqual(['error release_unpinned /referenceValues/1']);
  });

  it('twin: says nothing where each pins, or where the policy releases no key', () => {
    expect(lint({ ...AZURE, ...FIT, ...sets(pcr(4)) })).toEqual([]);
    expect(lint({ ...AZURE, nonce: 'challenge' })).toEqual([]);
    expect(lint({ ...AZURE, ...FIT, paravisor: 'any' })).toEqual([]);
  });

  it('warns of pins of firmware alone, with what they are', () => {
    expect(lint({ ...AZURE, ...FIT, ...sets(pcr(7)) })).toEqual(['warning release_firmware_only /referenceValues/0']);
    const measured = { ...BARE, ...FIT, ...sets({ snp: { measurement: [MEASUREMENT] } }) };
    expect(lint(measured)).toEqual(['warning release_firmware_only /referenceValues/0']);
    expect(lintPolicy(policyText(measured), OPTIONS)[0]?.message).toMatch(/^pins firmware alone: /);
  });

  it('does not count ID_KEY_DIGESTs that the configuration lists', () => {
    const own = { ...BARE, ...FIT, ...sets({ snp: { idKeyDigest: [ID_KEY_DIGEST] } }) };
    expect(lint(own)).toEqual([]);
    expect(lint(own, { paravisorKeys: new Set([ID_KEY_DIGEST]) })).toEqual([
      'error release_unpinned /referenceValues/0',
    ]);
  });
});

describe('POL-40 pins that the launcher chooses', () => {
  it.each<[string, JsonObject]>([
    ['hostData', { ...BARE, ...sets({ snp: { hostData: [HOST_DATA] } }) }],
    ['mrConfigId', { ...TD, ...sets({ tdx: { mrConfigId: [MEASUREMENT] } }) }],
    ['RTMRs of any firmware', { ...TD, ...sets({ tdx: { rtmr1: [MEASUREMENT], mrOwnerConfig: [MEASUREMENT] } }) }],
    ['PCRs under any paravisor', { ...AZURE, paravisor: 'any', ...sets(pcr(4)) }],
    ['vmUniqueId under any paravisor', { ...AZURE, paravisor: 'any', ...sets({ hcl: { vmUniqueId: [VM_ID] } }) }],
    ['vmUniqueId of bare evidence', { ...BARE, paravisor: 'any', ...sets({ hcl: { vmUniqueId: [VM_ID] } }) }],
    [
      'hostData on any machine of a provider',
      {
        ...BARE,
        ...sets({ snp: { hostData: [HOST_DATA] } }),
        require: { snp: { machines: { chipId: ['22'.repeat(64)], cspId: ['a provider'] } } },
      },
    ],
  ])('are launcher_word: %s', (_, members) => {
    expect(lint(members)).toEqual(['warning launcher_word /referenceValues/0']);
  });

  it('are launcher_word in a rule too, where there are no sets', () => {
    expect(lint({ ...BARE, ...rule(`snp.hostData == '${HOST_DATA}'`) })).toEqual([
      'warning launcher_word /rules/0/cel',
    ]);
    const either = rule(`snp.hostData == '${HOST_DATA}' || snp.measurement == '${MEASUREMENT}'`);
    expect(lint({ ...BARE, ...either })).toEqual(['warning launcher_word /rules/0/cel']);
    const booted = rule(`tpm.pcrs.sha256['4'] == '${PCR_7}'`);
    expect(lint({ ...AZURE, paravisor: 'any', ...booted })).toEqual(['warning launcher_word /rules/0/cel']);
  });

  it.each<[string, JsonObject]>([
    ['the measurement', { ...BARE, ...sets({ snp: { hostData: [HOST_DATA], measurement: [MEASUREMENT] } }) }],
    ['the author key', { ...BARE, ...sets({ snp: { hostData: [HOST_DATA], authorKeyDigest: [AUTHOR_KEY_DIGEST] } }) }],
    [
      'the measurement in a rule',
      { ...BARE, ...sets({ snp: { hostData: [HOST_DATA] } }), ...rule(`snp.measurement == '${MEASUREMENT}'`) },
    ],
    [
      'a machine',
      {
        ...BARE,
        ...sets({ snp: { hostData: [HOST_DATA] } }),
        require: { snp: { machines: { chipId: ['22'.repeat(64)] } } },
      },
    ],
    [
      'a platform',
      {
        ...TD,
        ...sets({ tdx: { mrConfigId: [MEASUREMENT] } }),
        require: { tdx: { machines: { ppid: ['a7'.repeat(16)] } } },
      },
    ],
    [
      'a platform in a rule',
      { ...TD, ...sets({ tdx: { mrConfigId: [MEASUREMENT] } }), ...rule(`tdx.ppid == '${'a7'.repeat(16)}'`) },
    ],
    ['the firmware of a TD', { ...TD, ...sets({ tdx: { mrtd: [MEASUREMENT], mrConfigId: [MEASUREMENT] } }) }],
    ['a known paravisor', { ...AZURE, ...sets(pcr(4)) }],
    ['a known paravisor in a rule', { ...AZURE, paravisor: 'any', ...sets(pcr(4)), ...rule('hcl.paravisor.known') }],
    [
      'the launch of a paravisor',
      { ...AZURE, paravisor: 'any', ...sets({ ...pcr(4), snp: { idKeyDigest: [ID_KEY_DIGEST] } }) },
    ],
    ['nothing', BARE],
  ])('twin: are not launcher_word beside %s', (_, members) => {
    expect(lint(members)).toEqual([]);
  });
});

describe('POL-40 hostData of a published policy that allows every container', () => {
  const [OPEN = '', ...others] = OPEN_HOST_DATA;
  const measured = { measurement: [MEASUREMENT] };
  const claim = { claim: 'x-ms-sevsnpvm-hostdata', equals: OPEN };
  const debug = { claim: 'x-ms-sevsnpvm-is-debuggable', equals: false };
  const release = (condition: JsonObject) => ({
    version: '1.0.0',
    anyOf: [{ authority: 'https://sharedweu.weu.attest.azure.net', allOf: [debug, condition] }],
  });

  it('is a warning wherever it is accepted', () => {
    for (const open of [OPEN, ...others]) {
      expect(lint({ ...BARE, ...sets({ snp: { ...measured, hostData: [HOST_DATA, open] } }) })).toEqual([
        'warning host_data_open_policy /referenceValues/0',
      ]);
    }
    expect(
      lint({ ...BARE, ...sets({ snp: measured }), ...rule(`snp.hostData in ['${HOST_DATA}', '${OPEN}']`) }),
    ).toEqual(['warning host_data_open_policy /rules/0/cel']);
    const akv = { routes: { maa: 'required' }, rules: [{ id: 'release', akv: release(claim) }] };
    expect(lint({ ...BARE, ...sets({ snp: measured }), ...akv })).toEqual([
      'warning host_data_open_policy /rules/0/akv/anyOf/0/allOf/1',
    ]);
    const token = { accepts: ['maa-token'], minimums: 'any', routes: { hardware: 'off', maa: 'required' } };
    for (const path of ['', "['x-ms-isolation-tee']"]) {
      const stated = rule(`maa.claims${path}['x-ms-sevsnpvm-hostdata'] == '${OPEN}'`);
      expect(lint({ ...token, ...stated })).toEqual(['warning host_data_open_policy /rules/0/cel']);
    }
    const alone = lintPolicy(JSON.stringify(release(claim)), OPTIONS);
    expect(alone).toMatchObject([{ code: 'host_data_open_policy', pointer: '/anyOf/0/allOf/1', severity: 'warning' }]);
  });

  it('twin: is none of another policy, and none that is denied', () => {
    expect(lint({ ...BARE, ...sets({ snp: { ...measured, hostData: [HOST_DATA] } }) })).toEqual([]);
    expect(lint({ ...BARE, ...sets({ snp: measured }), ...rule(`snp.hostData != '${OPEN}'`) })).toEqual([]);
    expect(lintPolicy(JSON.stringify(release({ ...claim, equals: HOST_DATA })), OPTIONS)).toEqual([]);
  });
});
