import { describe, expect, it } from 'vitest';
import type { Claims } from '../../../../src/core/claims.js';
import type { JsonObject } from '../../../../src/core/json.js';
import { parsePolicy } from '../../../../src/policy/document/policy-document.js';
import {
  joinedMachines,
  learnedMembers,
  listedMachines,
  machinesOf,
} from '../../../../src/policy/learn/learned-members.js';
import { azClaims, azTdxClaims, policy, snpClaims, tdxClaims, tpmClaims } from '../fixture.js';

const NONE = { chipId: [], cspId: [], ppid: [] };
const CHIP = snpClaims().chipId;
const PPID = tdxClaims().ppid;
const OF_VLEK = { snp: snpClaims({ signingKey: 'vlek', cspId: 'Azure' }) };

describe('the machine of evidence', () => {
  it.each<[string, Claims, object]>([
    ['is the chip that a VCEK certifies', azClaims(), { ...NONE, chipId: [CHIP] }],
    ['is the provider that a VLEK was issued to, and no chip', OF_VLEK, { ...NONE, cspId: ['Azure'] }],
    ['is the PPID of a TD', azTdxClaims(), { ...NONE, ppid: [PPID] }],
    ['is not known of a vTPM alone', { tpm: tpmClaims() }, NONE],
  ])('%s', (_title, claims, expected) => {
    expect(machinesOf(claims)).toEqual(expected);
  });

  it('is listed once, beside those that were listed before', () => {
    const before = listedMachines(policy({ require: { snp: { machines: { cspId: ['Other'] } } } }));
    expect(before).toEqual({ ...NONE, cspId: ['Other'] });
    const all = [before, ...[azClaims(), OF_VLEK, azClaims()].map(machinesOf)];
    expect(joinedMachines(all)).toEqual({ chipId: [CHIP], cspId: ['Other', 'Azure'], ppid: [] });
  });

  it('is none where a policy lists none', () => {
    const tdx = { accepts: ['tdx'], minimums: 'any', require: { tdx: { septVeDisable: true } } };
    expect(listedMachines(policy({ require: { snp: { machines: { chipId: [CHIP] } } } }))).toEqual({
      ...NONE,
      chipId: [CHIP],
    });
    expect(listedMachines(policy(tdx))).toEqual(NONE);
  });
});

describe('machines of a learned policy', () => {
  const ALL = { id: 'all', accepts: ['snp', 'tdx', 'az-snp-vtpm'], minimums: 'any' };
  const parts = { id: 'own', version: 3, description: 'what it is', accepts: ['tdx', 'snp'] as const };
  const requireOf = (members: JsonObject, machines: typeof NONE | object) =>
    learnedMembers(policy({ ...ALL, ...members }), { ...parts, machines: { ...NONE, ...machines } })['require'];

  it('stand beside what the policy requires already', () => {
    const require = { snp: { minGuestSvn: 7 }, tdx: { septVeDisable: true } };
    expect(requireOf({ require }, { chipId: [CHIP], cspId: ['Azure'], ppid: [PPID] })).toEqual({
      snp: { minGuestSvn: 7, machines: { chipId: [CHIP], cspId: ['Azure'] } },
      tdx: { septVeDisable: true, machines: { ppid: [PPID] } },
    });
  });

  it.each([
    ['a provider alone', { cspId: ['Azure'] }, { snp: { machines: { cspId: ['Azure'] } } }],
    ['a chip alone', { chipId: [CHIP] }, { snp: { machines: { chipId: [CHIP] } } }],
    ['a PPID alone', { ppid: [PPID] }, { tdx: { machines: { ppid: [PPID] } } }],
    ['none', {}, undefined],
  ])('have no empty list beside %s', (_what, machines, expected) => {
    expect(requireOf({}, machines)).toEqual(expected);
  });

  it('leave what is required as it is where there is none', () => {
    expect(requireOf({ require: { snp: { minGuestSvn: 7 } } }, {})).toEqual({ snp: { minGuestSvn: 7 } });
  });

  it.each([
    ['snp', 'any'],
    ['snp', { snp: { Milan: { snp: 24 }, Genoa: { snp: 23 } } }],
    ['tdx', { tdx: { acceptedStatuses: ['UpToDate'] } }],
  ] as const)('come with the minimums of %s alone where no other TEE was seen', (type, expected) => {
    const minimums = { snp: { Milan: { snp: 24 }, Genoa: { snp: 23 } }, tdx: { acceptedStatuses: ['UpToDate'] } };
    const from = policy({ ...ALL, minimums: expected === 'any' ? 'any' : minimums });
    const members = learnedMembers(from, { ...parts, accepts: [type], machines: null });
    expect(members['minimums']).toEqual(expected);
    expect(() => parsePolicy(JSON.stringify(members))).not.toThrow();
  });

  it('come with the minimums of each TEE that was seen', () => {
    const minimums = { snp: 'any', tdx: { acceptedStatuses: ['UpToDate'] } };
    expect(learnedMembers(policy({ ...ALL, minimums }), { ...parts, machines: null })['minimums']).toEqual(minimums);
  });

  it('do not load where a type is added whose minimums were left out', () => {
    const minimums = { snp: 'any', tdx: { acceptedStatuses: ['UpToDate'] } };
    const members = learnedMembers(policy({ ...ALL, minimums }), { ...parts, accepts: ['snp'], machines: null });
    expect(() => parsePolicy(JSON.stringify({ ...members, accepts: ['snp', 'tdx'] }))).toThrow(/minimums/);
  });

  it('come with the members of the policy, and the types in the order of the documentation', () => {
    const members = learnedMembers(policy({ ...ALL, freshness: 'strict' }), { ...parts, machines: null });
    expect(members).toEqual({
      apiVersion: 'veritee/v1',
      id: 'own',
      version: 3,
      description: 'what it is',
      accepts: ['snp', 'tdx'],
      minimums: 'any',
      freshness: 'strict',
    });
  });
});
