import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.js';
import { MICROSOFT_ID_KEYS, OPEN_HOST_DATA } from '../../../src/core/microsoft-launches.js';
import { lackingForRelease } from '../../../src/policy/appraise/release-fitness.js';
import { parsePolicy } from '../../../src/policy/document/policy-document.js';
import { pinsMachine, releasePins } from '../../../src/policy/release-pins.js';
import { paravisorFloors } from '../../../src/tee/azure/known-paravisors.js';
import { AUTHOR_KEY_DIGEST, HOST_DATA, ID_KEY_DIGEST, MEASUREMENT, PCR_7, policy, VM_ID } from './fixture.js';

const NONE: ReadonlySet<string> = new Set();
const PPID = 'a7'.repeat(16);
const CHIP = '22'.repeat(64);
const PCR = 'e6'.repeat(32);
const ZERO = '00';
const [OPEN = ''] = OPEN_HOST_DATA;

type Members = JsonObject;

const AZ = { accepts: ['az-snp-vtpm'], minimums: 'any' };
const AZ_TDX = { accepts: ['az-tdx-vtpm'], minimums: 'any' };
const SNP = { accepts: ['snp'], minimums: 'any' };
const TDX = { accepts: ['tdx'], minimums: 'any' };

/** The result for a policy: `pinned`, or the pointers that are open, or that pin firmware alone. */
function pins(members: Members, paravisorKeys = NONE): string {
  const { unpinned, firmwareOnly } = releasePins(policy(members), paravisorKeys);
  if (unpinned.length > 0) return `open ${unpinned.join(' ')}`;
  return firmwareOnly.length > 0 ? `firmware ${firmwareOnly.join(' ')}` : 'pinned';
}

const sets = (...referenceValues: readonly Members[]): Members => ({ referenceValues: [...referenceValues] });
const pcrs = (values: Members): Members => ({ tpm: { pcrs: { sha256: values } } });
const boot = (members: Members): Members => ({ tpm: { boot: members } });
const cel = (...texts: readonly string[]): Members => ({
  rules: texts.map((text, index) => ({ id: `r${index}`, cel: text })),
});
const akv = (...allOf: readonly Members[]): Members => ({
  routes: { maa: 'required' },
  rules: [
    {
      id: 'release',
      akv: { version: '1.0.0', anyOf: [{ authority: 'https://sharedweu.weu.attest.azure.net', allOf: [...allOf] }] },
    },
  ],
});

const OPEN_SET = 'open /referenceValues/0';

describe('REL-07 pins of evidence with a vTPM', () => {
  it.each<[string, Members, string]>([
    ['nothing', {}, 'open /referenceValues'],
    ['PCR 4', sets(pcrs({ 4: [PCR] })), 'pinned'],
    ['PCR 4 of alternatives', sets(pcrs({ 4: [PCR, PCR_7] })), 'pinned'],
    ['PCR 4 of which one value is zero', sets(pcrs({ 4: [PCR, ZERO.repeat(32)] })), OPEN_SET],
    ['boot applications', sets(boot({ applications: [PCR] })), 'pinned'],
    ['PCR 7 alone', sets(pcrs({ 7: [PCR_7] })), 'firmware /referenceValues/0'],
    ['PCR 7 beside PCR 4', sets(pcrs({ 4: [PCR], 7: [PCR_7] })), 'pinned'],
    ['PCR 7 beside PCR 11', sets(pcrs({ 7: [PCR_7], 11: [PCR] })), 'firmware /referenceValues/0'],
    ['PCR 8, 9 and 11 alone', sets(pcrs({ 8: [PCR], 9: [PCR], 11: [PCR] })), OPEN_SET],
    ['PCR 0 to 3', sets(pcrs({ 0: [PCR], 1: [PCR], 2: [PCR], 3: [PCR] })), OPEN_SET],
    ['PCR 12 to 15', sets(pcrs({ 12: [PCR], 13: [PCR], 14: [PCR], 15: [PCR] })), OPEN_SET],
    ['command lines and files alone', sets(boot({ commandLines: ['ro'], files: [PCR] })), OPEN_SET],
    ['vmUniqueId', sets({ hcl: { vmUniqueId: [VM_ID] } }), 'pinned'],
    ['a vmUniqueId of zeros', sets({ hcl: { vmUniqueId: ['00000000-0000-0000-0000-000000000000'] } }), OPEN_SET],
    ['vmUniqueId under any paravisor', { ...sets({ hcl: { vmUniqueId: [VM_ID] } }), paravisor: 'any' }, OPEN_SET],
    [
      'measurement and idKeyDigest',
      sets({ snp: { measurement: [MEASUREMENT], idKeyDigest: [ID_KEY_DIGEST] } }),
      OPEN_SET,
    ],
    ['hostData', sets({ snp: { hostData: [HOST_DATA] } }), OPEN_SET],
    ['a chip', { require: { snp: { machines: { chipId: [CHIP] } } } }, 'pinned'],
    ['a chip of zeros', { require: { snp: { machines: { chipId: [ZERO.repeat(64)] } } } }, 'open /referenceValues'],
    ['a provider', { require: { snp: { machines: { cspId: ['a-csp'] } } } }, 'open /referenceValues'],
    [
      'a chip or a provider',
      { require: { snp: { machines: { chipId: [CHIP], cspId: ['a'] } } } },
      'open /referenceValues',
    ],
    [
      'a chip beside a set that pins nothing',
      { require: { snp: { machines: { chipId: [CHIP] } } }, ...sets(pcrs({ 8: [PCR] })) },
      'pinned',
    ],
  ])('of SEV-SNP: %s', (_, members, expected) => {
    expect(pins({ ...AZ, ...members })).toBe(expected);
  });

  it.each<[string, Members, string]>([
    ['PCR 4', sets(pcrs({ 4: [PCR] })), 'pinned'],
    ['a platform', { require: { tdx: { machines: { ppid: [PPID] } } } }, 'pinned'],
    ['a platform of zeros', { require: { tdx: { machines: { ppid: [ZERO.repeat(16)] } } } }, 'open /referenceValues'],
    ['the registers of the paravisor', sets({ tdx: { mrtd: [MEASUREMENT] } }), OPEN_SET],
  ])('of TDX: %s', (_, members, expected) => {
    expect(pins({ ...AZ_TDX, ...members })).toBe(expected);
  });
});

describe('REL-07 pins of bare evidence', () => {
  const RTMRS = { rtmr1: [MEASUREMENT], rtmr2: [MEASUREMENT] };

  it.each<[string, Members, string]>([
    ['measurement', sets({ snp: { measurement: [MEASUREMENT] } }), 'firmware /referenceValues/0'],
    ['measurement with hostData', sets({ snp: { measurement: [MEASUREMENT], hostData: [HOST_DATA] } }), 'pinned'],
    [
      'measurement with hostData of zeros',
      sets({ snp: { measurement: [MEASUREMENT], hostData: [ZERO.repeat(32)] } }),
      'firmware /referenceValues/0',
    ],
    [
      'measurement with hostData of an open policy',
      sets({ snp: { measurement: [MEASUREMENT], hostData: [OPEN] } }),
      'firmware /referenceValues/0',
    ],
    ['a measurement of zeros', sets({ snp: { measurement: [ZERO.repeat(48)], hostData: [HOST_DATA] } }), OPEN_SET],
    ['hostData', sets({ snp: { hostData: [HOST_DATA] } }), OPEN_SET],
    ['authorKeyDigest', sets({ snp: { authorKeyDigest: [AUTHOR_KEY_DIGEST] } }), 'pinned'],
    ['idKeyDigest', sets({ snp: { idKeyDigest: [ID_KEY_DIGEST] } }), 'pinned'],
    [
      'an idKeyDigest of Microsoft',
      sets({ snp: { idKeyDigest: [ID_KEY_DIGEST, [...MICROSOFT_ID_KEYS][0] ?? ''] } }),
      OPEN_SET,
    ],
    ['vmpl', sets({ snp: { vmpl: [0] } }), OPEN_SET],
    ['a chip', { require: { snp: { machines: { chipId: [CHIP] } } } }, 'pinned'],
    ['vmUniqueId', sets({ hcl: { vmUniqueId: [VM_ID] } }), 'pinned'],
  ])('of SEV-SNP: %s', (_, members, expected) => {
    expect(pins({ ...SNP, ...members })).toBe(expected);
  });

  it.each<[string, Members, string]>([
    ['mrtd', sets({ tdx: { mrtd: [MEASUREMENT] } }), OPEN_SET],
    ['mrtd with rtmr1', sets({ tdx: { mrtd: [MEASUREMENT], rtmr1: [MEASUREMENT] } }), OPEN_SET],
    ['mrtd with rtmr1 and rtmr2', sets({ tdx: { mrtd: [MEASUREMENT], ...RTMRS } }), 'pinned'],
    [
      'mrtd with boot applications',
      sets({ tdx: { mrtd: [MEASUREMENT], boot: { applications: [MEASUREMENT] } } }),
      'pinned',
    ],
    ['boot applications of any firmware', sets({ tdx: { boot: { applications: [MEASUREMENT] } } }), OPEN_SET],
    [
      'mrConfigId, mrOwner and mrOwnerConfig',
      sets({ tdx: { mrConfigId: [MEASUREMENT], mrOwner: [MEASUREMENT], mrOwnerConfig: [MEASUREMENT] } }),
      OPEN_SET,
    ],
    ['a platform', { require: { tdx: { machines: { ppid: [PPID] } } } }, 'pinned'],
  ])('of TDX: %s', (_, members, expected) => {
    expect(pins({ ...TDX, ...members })).toBe(expected);
  });

  it('an idKeyDigest that the configuration lists as that of a paravisor counts for nothing', () => {
    const members = { ...SNP, ...sets({ snp: { idKeyDigest: [ID_KEY_DIGEST] } }) };
    expect(pins(members, new Set([ID_KEY_DIGEST]))).toBe(OPEN_SET);
    expect([...paravisorFloors([]).keys()].filter((digest) => !MICROSOFT_ID_KEYS.has(digest))).toEqual([]);
  });
});

describe('REL-07 sets of reference values', () => {
  const pinned = pcrs({ 4: [PCR] });
  const open = pcrs({ 8: [PCR] });

  it('are alternatives, so that each has to pin, and each that does not is named', () => {
    expect(pins({ ...AZ, ...sets(pinned, pinned) })).toBe('pinned');
    expect(pins({ ...AZ, ...sets(pinned, open, pcrs({ 7: [PCR_7] }), open) })).toBe(
      'open /referenceValues/1 /referenceValues/3',
    );
    expect(pins({ ...AZ, ...sets(pinned, pcrs({ 7: [PCR_7] })) })).toBe('firmware /referenceValues/1');
  });

  it('count only for evidence that can match them', () => {
    const minimums = { snp: { Milan: { snp: 24, microcode: 219 } } };
    const genoa = { appliesTo: { product: 'Genoa' }, ...open };
    expect(pins({ ...AZ, minimums, ...sets(pinned, genoa) })).toBe('pinned');
    expect(pins({ ...AZ, ...sets(pinned, genoa) })).toBe('open /referenceValues/1');
  });

  it('are judged for each accepted type', () => {
    const both = { accepts: ['az-snp-vtpm', 'snp'], minimums: 'any' };
    const measured = { snp: { measurement: [MEASUREMENT], hostData: [HOST_DATA] } };
    // Evidence with a vTPM can match the second set, which is about the paravisor there.
    expect(pins({ ...both, ...sets(pinned, measured) })).toBe('open /referenceValues/1');
    expect(pins({ ...both, ...sets(pinned) })).toBe('pinned');
    expect(pins({ accepts: ['snp', 'tdx'], minimums: 'any', require: { snp: { machines: { chipId: [CHIP] } } } })).toBe(
      'open /referenceValues',
    );
  });
});

describe('REL-07 a cel rule', () => {
  const M = `snp.measurement == '${MEASUREMENT}'`;
  const H = `snp.hostData in ['${HOST_DATA}']`;
  const A = `'${AUTHOR_KEY_DIGEST}' == snp.authorKeyDigest`;
  const OPEN_POLICY = 'open /referenceValues';
  const [mrtd, rtmr1, rtmr2] = ['tdx.mrtd', 'tdx.rtmr[1]', 'tdx.rtmr[2]'].map(
    (claim) => `${claim} == '${MEASUREMENT}'`,
  );

  it.each<[string, string]>([
    [`${M} && ${H}`, 'pinned'],
    [M, 'firmware /rules/0/cel'],
    [H, OPEN_POLICY],
    [A, 'pinned'],
    [`snp.vmpl == 0 && ${A}`, 'pinned'],
    [`${A} || ${M} && ${H}`, 'pinned'],
    [`${A} || ${M}`, 'firmware /rules/0/cel'],
    [`${A} || snp.vmpl == 0`, OPEN_POLICY],
    [`(${M} || ${A}) && ${H}`, 'firmware /rules/0/cel'],
    [`(${M} && snp.vmpl == 0 || ${M} && snp.vmpl == 1) && ${H}`, 'pinned'],
    [`(${M} && snp.vmpl == 0 || ${M} && snp.vmpl == 1 || snp.vmpl == 2) && ${H}`, OPEN_POLICY],
    [`snp.vmpl == 0 ? ${A} : ${A}`, 'pinned'],
    [`snp.vmpl == 0 ? ${A} : snp.vmpl == 1`, OPEN_POLICY],
    [`evidence.type == 'snp' ? ${A} : snp.vmpl == 1`, 'pinned'],
    [`evidence.type != 'snp' ? snp.vmpl == 1 : ${A}`, 'pinned'],
    [`evidence.type != 'snp' || ${A}`, 'pinned'],
    [`!(${A})`, OPEN_POLICY],
    [`snp.authorKeyDigest != '${AUTHOR_KEY_DIGEST}'`, OPEN_POLICY],
    [`snp.authorKeyDigest.startsWith('c3')`, OPEN_POLICY],
    ['has(snp.cspId) && snp.guestSvn >= 2', OPEN_POLICY],
    [`snp.authorKeyDigest in ['${AUTHOR_KEY_DIGEST}', '${ZERO.repeat(48)}']`, OPEN_POLICY],
    ['snp.authorKeyDigest == snp.idKeyDigest', OPEN_POLICY],
    [`snp.chipId == '${CHIP}' && snp.signingKey == 'vcek'`, 'pinned'],
    [`snp.chipId == '${CHIP}'`, OPEN_POLICY],
    [`snp.chipId == '${CHIP}' && snp.signingKey in ['vcek', 'vlek']`, OPEN_POLICY],
    [`hcl.vmConfiguration.vmUniqueId == '${VM_ID}'`, 'pinned'],
  ])('%s', (text, expected) => {
    expect(pins({ ...SNP, ...cel(text) })).toBe(expected);
  });

  it('of TDX names registers by their index', () => {
    expect(pins({ ...TDX, ...cel(`${mrtd} && ${rtmr1} && ${rtmr2}`) })).toBe('pinned');
    expect(pins({ ...TDX, ...cel(`${mrtd} && ${rtmr1}`) })).toBe(OPEN_POLICY);
    expect(pins({ ...TDX, ...cel(`tdx.ppid == '${PPID}'`) })).toBe('pinned');
  });

  it('can be met by a token that the caller sends, where its route is off', () => {
    const chosen = (byToken: string) => `evidence.type == 'snp' ? ${byToken} : tpm.pcrs.sha256['4'] == '${PCR}'`;
    const both = { accepts: ['az-snp-vtpm', 'snp'], minimums: 'any' };
    expect(pins({ ...both, ...cel(chosen("maa.attestationType == 'sevsnpvm'")) })).toBe(OPEN_POLICY);
    expect(pins({ ...both, ...cel(chosen(A)) })).toBe('pinned');
  });

  it('pins for the whole policy, and by itself', () => {
    expect(pins({ ...AZ, ...sets(pcrs({ 8: [PCR] })), ...cel(`tpm.pcrs.sha256['4'] == '${PCR}'`) })).toBe('pinned');
    expect(pins({ ...SNP, ...cel(M, H) })).toBe('firmware /rules/0/cel');
    // Of a type that never meets the rule, nothing is released.
    const both = { accepts: ['az-snp-vtpm', 'snp'], minimums: 'any' };
    expect(pins({ ...both, ...cel(`tpm.pcrs.sha256['4'] == '${PCR}'`) })).toBe('pinned');
  });
});

describe('REL-07 an akv rule', () => {
  const ISOLATED = 'x-ms-isolation-tee';
  const OPEN_POLICY = 'open /referenceValues';
  const id = VM_ID.toUpperCase();

  it.each<[string, Members, Members[], string]>([
    ['vmid', AZ, [{ claim: 'x-ms-azurevm-vmid', equals: id }], 'pinned'],
    ['vmUniqueId', AZ, [{ claim: `${ISOLATED}.x-ms-runtime.vm-configuration.vmUniqueId`, equals: id }], 'pinned'],
    [
      'vmUniqueId as the guest writes it',
      AZ,
      [{ claim: 'x-ms-runtime.vm-configuration.vmUniqueId', equals: id }],
      OPEN_POLICY,
    ],
    [
      'the compliance status',
      AZ,
      [{ claim: `${ISOLATED}.x-ms-compliance-status`, equals: 'azure-compliant-cvm' }],
      OPEN_POLICY,
    ],
    [
      'the measurement of a paravisor',
      AZ,
      [{ claim: `${ISOLATED}.x-ms-sevsnpvm-launchmeasurement`, equals: MEASUREMENT }],
      OPEN_POLICY,
    ],
    ['another vmid', AZ, [{ claim: 'x-ms-azurevm-vmid', notEquals: id }], OPEN_POLICY],
    [
      'measurement and hostData',
      SNP,
      [
        { claim: 'x-ms-sevsnpvm-launchmeasurement', equals: MEASUREMENT },
        { claim: 'x-ms-sevsnpvm-hostdata', equals: HOST_DATA },
      ],
      'pinned',
    ],
    [
      'one of two measurements',
      SNP,
      [
        {
          anyOf: [
            { claim: 'x-ms-sevsnpvm-launchmeasurement', equals: MEASUREMENT },
            { claim: 'x-ms-sevsnpvm-launchmeasurement', equals: ID_KEY_DIGEST },
          ],
        },
      ],
      'firmware /rules/0/akv',
    ],
    [
      'a measurement or none',
      SNP,
      [
        {
          anyOf: [
            { claim: 'x-ms-sevsnpvm-launchmeasurement', equals: MEASUREMENT },
            { claim: 'x-ms-sevsnpvm-vmpl', equals: 0 },
          ],
        },
      ],
      OPEN_POLICY,
    ],
    [
      'registers of a TD',
      TDX,
      ['tdx_mrtd', 'tdx_rtmr1', 'tdx_rtmr2'].map((claim) => ({ claim, equals: MEASUREMENT })),
      'pinned',
    ],
  ])('%s', (_, members, allOf, expected) => {
    expect(pins({ ...members, ...akv(...allOf) })).toBe(expected);
  });
});

it('REL-07 the policy of docs/key-release.md pins', () => {
  const page = readFileSync(new URL('../../../docs/key-release.md', import.meta.url), 'utf8');
  const [, text = ''] = /```yaml\n(apiVersion:.*?)```/s.exec(page) ?? [];
  const documented = parsePolicy(text);
  expect(lackingForRelease(documented)).toEqual([]);
  expect(releasePins(documented, NONE)).toEqual({ unpinned: [], firmwareOnly: [] });
});

it('REL-07 a machine is pinned by machines and vmUniqueId alone', () => {
  const vm = sets({ hcl: { vmUniqueId: [VM_ID] } });
  expect(pinsMachine(policy({ ...SNP, ...vm }), 'snp')).toBe(true);
  expect(pinsMachine(policy({ ...SNP, ...vm, paravisor: 'any' }), 'snp')).toBe(false);
  expect(pinsMachine(policy({ ...SNP, ...sets({ snp: { authorKeyDigest: [AUTHOR_KEY_DIGEST] } }) }), 'snp')).toBe(
    false,
  );
});
