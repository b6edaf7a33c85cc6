import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../../../src/core/json.js';
import { crossCheck } from '../../../../src/judge/cross-check/cross-check.js';
import { lowered, snpClaims } from '../../policy/fixture.js';
import {
  AK_JWK,
  AZUREVM,
  altered,
  azClaims,
  azHcl,
  compared,
  hardware,
  ITA_FLAT,
  ITA_NESTED,
  ita,
  leaves,
  maa,
  OTHER_JWK,
  RUNTIME,
  SEVSNPVM,
  TDXVM,
  USER_DATA,
  valueAt,
} from './fixture.js';

const INSIDE = ['x-ms-isolation-tee'];
const NAME_OF_MEMBER: readonly (readonly [claim: string, member: string, other: JsonValue])[] = [
  ['snp.measurement', 'x-ms-sevsnpvm-launchmeasurement', 'a0'.repeat(48)],
  ['snp.reportData', 'x-ms-sevsnpvm-reportdata', '34'.repeat(64)],
  ['snp.hostData', 'x-ms-sevsnpvm-hostdata', '00'.repeat(32)],
  ['snp.idKeyDigest', 'x-ms-sevsnpvm-idkeydigest', 'b3'.repeat(48)],
  ['snp.authorKeyDigest', 'x-ms-sevsnpvm-authorkeydigest', '01'.repeat(48)],
  ['snp.reportId', 'x-ms-sevsnpvm-reportid', '12'.repeat(32)],
  ['snp.familyId', 'x-ms-sevsnpvm-familyId', '02'.repeat(16)],
  ['snp.imageId', 'x-ms-sevsnpvm-imageId', '03'.repeat(16)],
  ['snp.vmpl', 'x-ms-sevsnpvm-vmpl', 1],
  ['snp.guestSvn', 'x-ms-sevsnpvm-guestsvn', 8],
  ['snp.policy.debug', 'x-ms-sevsnpvm-is-debuggable', true],
  ['snp.policy.smt', 'x-ms-sevsnpvm-smt-allowed', false],
  ['snp.policy.migrateMa', 'x-ms-sevsnpvm-migration-allowed', true],
  ['snp.tcb.reported.bootloader', 'x-ms-sevsnpvm-bootloader-svn', 3],
  ['snp.tcb.reported.tee', 'x-ms-sevsnpvm-tee-svn', 1],
  ['snp.tcb.reported.snp', 'x-ms-sevsnpvm-snpfw-svn', 23],
  ['snp.tcb.reported.microcode', 'x-ms-sevsnpvm-microcode-svn', 220],
];

const NOT_A_BYTE_OF_IT: readonly JsonValue[] = ['', 'zz', 'false', '0', -1, 1.5, null, [], {}, [0], 'a1'.repeat(47)];

describe('hardware and a token of azure attestation', () => {
  it('agree where the token says what the hardware says', () => {
    const found = compared(hardware(), maa(AZUREVM));
    expect(found).toMatchObject({ routes: ['hardware', 'maa'], agree: true, differences: [], notComparable: [] });
    expect(found.equal).toEqual([
      'tee',
      'hcl.akThumbprint',
      ...NAME_OF_MEMBER.map(([claim]) => claim),
      'hcl.userData',
      ...['consoleEnabled', 'currentTime', 'secureBoot', 'tpmEnabled', 'vmUniqueId'].map(
        (name) => `hcl.vmConfiguration.${name}`,
      ),
    ]);
  });

  it.each(NAME_OF_MEMBER)('TOK-18 disagree on %s alone, and both values are shown', (claim, member, other) => {
    const first = hardware();
    const { agree, differences } = compared(first, maa(altered(AZUREVM, [...INSIDE, member], other)));
    expect(agree).toBe(false);
    expect(differences).toEqual([{ claim, values: { hardware: first.statements.get(claim)?.value, maa: other } }]);
  });

  it.each(NAME_OF_MEMBER)('TOK-14 take %s of another type or form for a difference', (claim, member) => {
    for (const wrong of NOT_A_BYTE_OF_IT) {
      const { agree, differences } = compared(hardware(), maa(altered(AZUREVM, [...INSIDE, member], wrong)));
      expect(agree).toBe(false);
      expect(differences).toMatchObject([{ claim, values: { maa: wrong } }]);
    }
  });

  it.each(NAME_OF_MEMBER)('TOK-14 do not find %s anywhere but in x-ms-isolation-tee', (claim, member) => {
    const moved = { ...altered(AZUREVM, [...INSIDE, member], undefined), [member]: SEVSNPVM[member] ?? null };
    const { agree, differences, notComparable } = compared(hardware(), maa(moved));
    expect({ agree, differences, notComparable }).toEqual({ agree: true, differences: [], notComparable: [claim] });
  });

  it('read hex in either case, and the VM id', () => {
    const upper = altered(AZUREVM, [...INSIDE, 'x-ms-sevsnpvm-launchmeasurement'], 'A1'.repeat(48));
    expect(compared(hardware(), maa(upper)).agree).toBe(true);
    expect(compared(hardware(), maa(altered(upper, ['x-ms-azurevm-vmid'], String(vmId()).toLowerCase()))).agree).toBe(
      true,
    );
  });

  it('hold the paravisor configuration against each other member by member', () => {
    const path = [...INSIDE, 'x-ms-runtime', 'vm-configuration'];
    const { differences, notComparable } = compared(
      hardware(),
      maa(altered(AZUREVM, [...path, 'console-enabled'], false)),
    );
    expect(differences).toEqual([
      { claim: 'hcl.vmConfiguration.consoleEnabled', values: { hardware: true, maa: false } },
    ]);
    expect(notComparable).toEqual(['snp.reportData']);
  });

  it('TOK-14 take a paravisor configuration of another type for a difference', () => {
    for (const wrong of ['secure', null, [], 1]) {
      const payload = altered(AZUREVM, [...INSIDE, 'x-ms-runtime', 'vm-configuration'], wrong);
      expect(compared(hardware(), maa(payload)).differences).toEqual([
        { claim: 'hcl.vmConfiguration', values: { hardware: null, maa: wrong } },
      ]);
    }
  });

  it('compare members that have no name here, objects as a whole', () => {
    const hcl = azHcl({ vmConfiguration: { ...azHcl().vmConfiguration, vmgsProvisioner: { a: [1, { b: null }] } } });
    const path = [...INSIDE, 'x-ms-runtime', 'vm-configuration', 'vmgs-provisioner'];
    const against = (value: JsonValue) => compared(hardware(azClaims({ hcl })), maa(altered(AZUREVM, path, value)));
    expect(against({ a: [1, { b: null }] }).agree).toBe(true);
    for (const other of [{ a: [1, { b: 0 }] }, { a: [1] }, { a: [1, { c: null }] }, { a: [1, { b: null }], d: 1 }, 1]) {
      expect(against(other).differences.map(({ claim }) => claim)).toEqual(['hcl.vmConfiguration.vmgsProvisioner']);
    }
  });

  it.each([
    ['secureboot', ['secureboot'], 'hcl.vmConfiguration.secureBoot', false],
    ['x-ms-azurevm-vmid', ['x-ms-azurevm-vmid'], 'hcl.vmConfiguration.vmUniqueId', vmId().replace('5A', '5B')],
  ])('disagree where the token contradicts itself in %s, and both of its values are shown', (_, path, claim, other) => {
    const { agree, differences } = compared(hardware(), maa(altered(AZUREVM, path, other)));
    expect(agree).toBe(false);
    expect(differences.map((found) => found.claim)).toEqual([claim]);
    expect(differences[0]?.values['maa']).toHaveLength(2);
  });

  it('cannot compare a configuration that only the token makes, but a contradiction in it is one all the same', () => {
    const { vmConfiguration: _, ...onlyTheKey } = azHcl();
    const first = hardware(azClaims({ hcl: onlyTheKey }));
    const { agree, notComparable } = compared(first, maa(AZUREVM));
    expect(agree).toBe(true);
    expect(notComparable).toContain('hcl.vmConfiguration.secureBoot');
    expect(notComparable).toContain('snp.reportData');
    expect(compared(first, maa({ ...AZUREVM, secureboot: false })).agree).toBe(false);
  });

  it('TOK-18 disagree where the hardware is debuggable, and the token says that it is not', () => {
    const debuggable = snpClaims({ policy: { ...snpClaims().policy, debug: true } });
    const { differences } = compared(hardware(azClaims({ snp: debuggable })), maa(AZUREVM));
    expect(differences).toEqual([{ claim: 'snp.policy.debug', values: { hardware: true, maa: false } }]);
  });

  it('compare REPORTED_TCB, and no other', () => {
    const { tcb } = snpClaims();
    const newer = snpClaims({ tcb: { ...tcb, current: lowered('snp', -1) } });
    expect(compared(hardware(azClaims({ snp: newer })), maa(AZUREVM)).agree).toBe(true);
    const older = snpClaims({ tcb: { ...tcb, reported: lowered('snp') } });
    expect(compared(hardware(azClaims({ snp: older })), maa(AZUREVM)).differences).toEqual([
      { claim: 'snp.tcb.reported.snp', values: { hardware: 23, maa: 24 } },
    ]);
  });
});

describe('report data behind a paravisor', () => {
  const reportData = [...INSIDE, 'x-ms-sevsnpvm-reportdata'];
  const later = altered(
    altered(AZUREVM, [...INSIDE, 'x-ms-runtime', 'user-data'], 'AB'.repeat(64)),
    reportData,
    '44'.repeat(64),
  );

  it('is not comparable with that of a report for another user-data', () => {
    const found = compared(hardware(), maa(later));
    expect(found.agree).toBe(true);
    expect(found.notComparable).toEqual(['snp.reportData', 'hcl.userData']);
  });

  it('is not comparable with that of a report made at another time', () => {
    const time = [...INSIDE, 'x-ms-runtime', 'vm-configuration', 'current-time'];
    const found = compared(hardware(), maa(altered(altered(AZUREVM, time, 1), reportData, '44'.repeat(64))));
    expect(found.agree).toBe(true);
    expect(found.notComparable).toEqual(['snp.reportData', 'hcl.vmConfiguration.currentTime']);
  });

  it('is not comparable where neither says anything of the report but its key', () => {
    const { vmConfiguration: _, ...onlyTheKey } = azHcl({ userData: null });
    const runtime = { keys: RUNTIME['keys'] ?? null };
    const payload = altered(
      altered(SEVSNPVM, ['x-ms-runtime'], runtime),
      ['x-ms-sevsnpvm-reportdata'],
      '44'.repeat(64),
    );
    const found = compared(hardware(azClaims({ hcl: onlyTheKey })), maa(payload));
    expect(found).toMatchObject({ agree: true, notComparable: ['snp.reportData'] });
  });

  it('has to be the same where the token was made of this very report, as has everything in it', () => {
    const { agree, differences } = compared(hardware(), maa(later), true);
    expect(agree).toBe(false);
    expect(differences.map(({ claim }) => claim)).toEqual(['snp.reportData', 'hcl.userData']);
  });

  it.each([
    ['snp.reportData', reportData],
    ['hcl.userData', [...INSIDE, 'x-ms-runtime', 'user-data']],
    ['hcl.vmConfiguration.currentTime', [...INSIDE, 'x-ms-runtime', 'vm-configuration', 'current-time']],
  ])('%s of a wrong form is a difference at every moment', (claim, path) => {
    const { agree, differences } = compared(hardware(), maa(altered(later, path, 'soon')));
    expect(agree).toBe(false);
    expect(differences.map((found) => found.claim)).toEqual([claim]);
  });

  it('of a bare report is always compared', () => {
    const bare = hardware({ snp: snpClaims() }, 'snp');
    expect(compared(bare, maa(SEVSNPVM)).equal).toContain('snp.reportData');
    const other = altered(SEVSNPVM, ['x-ms-sevsnpvm-reportdata'], '44'.repeat(64));
    expect(compared(bare, maa(other)).differences.map(({ claim }) => claim)).toEqual(['snp.reportData']);
  });

  it('TOK-14 of a bare report is no agreement where the runtime claims beside it are of another type', () => {
    const bare = hardware({ snp: snpClaims() }, 'snp');
    for (const runtime of ['keys', 1, false, []]) {
      const { differences } = compared(bare, maa(altered(SEVSNPVM, ['x-ms-runtime'], runtime)));
      expect(differences).toEqual([{ claim: 'hcl.akThumbprint', values: { hardware: null, maa: runtime } }]);
    }
    expect(compared(bare, maa(altered(SEVSNPVM, ['x-ms-runtime'], { 'user-data': 'own', keys: 'own' }))).agree).toBe(
      true,
    );
  });

  it('of a bare report that carries runtime claims is compared whatever they say', () => {
    const bare = hardware(azClaims(), 'snp');
    expect(compared(bare, maa(later)).differences.map(({ claim }) => claim)).toEqual(['snp.reportData']);
  });
});

describe('another TEE', () => {
  it.each<readonly [string, JsonObject]>([
    ['another key', altered(AZUREVM, [...INSIDE, 'x-ms-runtime', 'keys'], [{ kid: 'HCLAkPub', ...OTHER_JWK }])],
    ['no key', altered(AZUREVM, [...INSIDE, 'x-ms-runtime', 'keys'], [])],
    ['no runtime claims', altered(AZUREVM, [...INSIDE, 'x-ms-runtime'], undefined)],
    ['runtime claims that are a text', altered(AZUREVM, [...INSIDE, 'x-ms-runtime'], 'keys')],
    ['no TEE', altered(AZUREVM, INSIDE, undefined)],
    ['a TEE that is a text', altered(AZUREVM, INSIDE, 'sevsnpvm')],
    ['a TEE that is a list', altered(AZUREVM, INSIDE, [SEVSNPVM])],
    ['a TEE of no type', altered(AZUREVM, [...INSIDE, 'x-ms-attestation-type'], undefined)],
    [
      'the key at the top level only',
      { ...altered(AZUREVM, [...INSIDE, 'x-ms-runtime'], undefined), 'x-ms-runtime': RUNTIME },
    ],
  ])('TOK-16 never agrees: %s', (_, payload) => {
    for (const sameReport of [false, true]) {
      const { agree, differences } = compared(hardware(), maa(payload), sameReport);
      expect(agree).toBe(false);
      expect(differences[0]?.claim).toMatch(/^(tee|hcl\.akThumbprint)$/);
    }
  });

  it('never agrees of another kind, with the same key', () => {
    const tdx = { ...TDXVM, 'x-ms-runtime': RUNTIME };
    const { agree, differences } = compared(hardware(), maa(altered(AZUREVM, INSIDE, tdx)));
    expect(agree).toBe(false);
    expect(differences).toEqual([{ claim: 'tee', values: { hardware: 'snp', maa: 'tdx' } }]);
  });
});

describe('a token of trust authority', () => {
  it.each([
    ['flat', ITA_FLAT],
    ['nested', ITA_NESTED],
  ])('agrees with one of azure attestation about a bare TD, %s', (_, payload) => {
    const { agree, equal, notComparable } = compared(maa(TDXVM), ita(payload));
    expect(agree).toBe(true);
    expect(equal).toHaveLength(20);
    expect(notComparable).toEqual(['tdx.tdAttributes.migratable']);
  });

  it.each(Object.keys(TDXVM).filter((name) => name !== 'x-ms-attestation-type'))(
    'TOK-18 disagrees on %s alone',
    (member) => {
      const value = TDXVM[member];
      const other = typeof value === 'boolean' ? !value : typeof value === 'string' ? otherText(value) : null;
      expect(compared(maa(altered(TDXVM, [member], other)), ita(ITA_FLAT)).differences).toHaveLength(1);
      expect(compared(maa(TDXVM), ita(altered(ITA_NESTED, ['tdx', member], null))).differences).toHaveLength(1);
    },
  );

  it('TOK-14 does not agree with another token on the same value of the wrong type', () => {
    const { differences } = compared(maa(altered(TDXVM, ['tdx_mrtd'], 5)), ita(altered(ITA_FLAT, ['tdx_mrtd'], 5)));
    expect(differences).toEqual([{ claim: 'tdx.mrtd', values: { maa: 5, ita: 5 } }]);
  });

  it('TOK-14 is not read at the other level', () => {
    const { agree } = compared(maa(TDXVM), ita({ ...ITA_FLAT, tdx: {} }));
    expect(agree).toBe(false);
    expect(compared(maa(TDXVM), ita({ ...ITA_FLAT, tdx: 'TDX' })).agree).toBe(false);
  });

  it('of another attester is about another TEE', () => {
    expect(compared(maa(TDXVM), ita(ITA_FLAT, 'SGX')).differences[0]).toEqual({
      claim: 'tee',
      values: { maa: 'tdx', ita: 'SGX' },
    });
  });

  it('that contradicts itself on debug disagrees', () => {
    const { differences } = compared(maa(TDXVM), ita({ ...ITA_FLAT, tdx_is_debuggable: true }));
    expect(differences).toEqual([{ claim: 'tdx.tdAttributes.debug', values: { maa: false, ita: [false, true] } }]);
  });

  it('about a TD behind a paravisor is known by the attestation key', () => {
    const guest = { ...AZUREVM, 'x-ms-isolation-tee': { ...TDXVM, 'x-ms-runtime': RUNTIME } };
    const token = { ...ITA_FLAT, attester_runtime_data: RUNTIME };
    expect(compared(maa(guest), ita(token)).agree).toBe(true);
    expect(compared(ita(token), maa(guest)).agree).toBe(true);
    expect(compared(ita(token), maa(TDXVM)).agree).toBe(false);
    const foreign = altered(token, ['attester_runtime_data', 'keys'], [{ kid: 'HCLAkPub', ...OTHER_JWK }]);
    expect(compared(maa(guest), ita(foreign)).agree).toBe(false);
  });
});

describe('three routes', () => {
  it('agree only if all do, and one that says something else is shown beside the others', () => {
    const guest = maa({ ...AZUREVM, 'x-ms-isolation-tee': { ...TDXVM, 'x-ms-runtime': RUNTIME } });
    const token = ita({ ...ITA_FLAT, attester_runtime_data: RUNTIME });
    const found = crossCheck(hardware(), [
      { view: guest, sameReport: false },
      { view: token, sameReport: false },
    ]);
    expect(found.routes).toEqual(['hardware', 'maa', 'ita']);
    expect(found.differences).toEqual([{ claim: 'tee', values: { hardware: 'snp', maa: 'tdx', ita: 'tdx' } }]);
    expect(found.equal).toContain('tdx.mrtd');
  });
});

describe('any leaf of a matching token', () => {
  const wrong = fc.oneof(fc.boolean(), fc.integer(), fc.string(), fc.constant(null), fc.constant([]));

  it('altered, gives a difference, or is not compared', () => {
    const comparedLeaves = leaves(AZUREVM).filter(isCompared);
    expect(comparedLeaves.length).toBe(31);
    fc.assert(
      fc.property(fc.constantFrom(...leaves(AZUREVM)), wrong, (path, value) => {
        fc.pre(JSON.stringify(value) !== JSON.stringify(valueAt(AZUREVM, path)));
        const found = compared(hardware(), maa(altered(AZUREVM, path, value)), true);
        const before = compared(hardware(), maa(AZUREVM), true);
        if (isCompared(path)) expect(found.agree).toBe(false);
        else expect(found).toEqual(before);
      }),
    );
  });

  it('taken out, is never a difference unless it tells which TEE it is, and never equal', () => {
    const before = compared(hardware(), maa(AZUREVM), true);
    for (const path of leaves(AZUREVM).filter((leaf) => leaf.length === 2 && isCompared(leaf))) {
      const found = compared(hardware(), maa(altered(AZUREVM, path, undefined)), true);
      expect(found.equal.length).toBeLessThan(before.equal.length);
      expect(found.agree).toBe(path[1] !== 'x-ms-attestation-type');
    }
  });
});

function isCompared(path: readonly string[]): boolean {
  if (path.length === 1) return ['secureboot', 'x-ms-azurevm-vmid', 'x-ms-attestation-type'].includes(path[0] ?? '');
  if (path[0] !== 'x-ms-isolation-tee' || path[1] === 'x-ms-compliance-status') return false;
  return !path.includes('key_ops');
}

function otherText(value: string): string {
  return value.startsWith('f') ? `0${value.slice(1)}` : `f${value.slice(1)}`;
}

function vmId(): string {
  return String(AZUREVM['x-ms-azurevm-vmid']);
}

// The key and the value stand in the fixture, so that a test that alters them cannot pass for another reason.
it('starts from one key and one user-data', () => {
  expect(AK_JWK).not.toEqual(OTHER_JWK);
  expect(USER_DATA).toHaveLength(128);
});

describe('many differences', () => {
  const members = (count: number, value: JsonValue): JsonObject =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`member-of-${index}`, value]));
  const withMembers = (added: JsonObject): JsonObject => {
    const path = [...INSIDE, 'x-ms-runtime', 'vm-configuration'];
    return altered(AZUREVM, path, { ...(valueAt(AZUREVM, path) as JsonObject), ...added });
  };
  const differing = (count: number) =>
    crossCheck(maa(withMembers(members(count, 0))), [{ view: maa(withMembers(members(count, 1))), sameReport: true }]);

  it.each([
    [0, 0, 0],
    [64, 64, 0],
    [65, 64, 1],
    [5_000, 64, 4_936],
  ])('REQ-19 of %i differences lists %i and counts %i', (count, listed, omitted) => {
    const { agree, differences, differencesOmitted } = differing(count);
    expect([agree, differences.length, differencesOmitted]).toEqual([count === 0, listed, omitted]);
  });

  it('REQ-19 lists what tells which TEE it is before the rest', () => {
    const other = altered(
      withMembers(members(500, 1)),
      [...INSIDE, 'x-ms-runtime', 'keys'],
      [{ kid: 'HCLAkPub', ...OTHER_JWK }],
    );
    const { differences } = crossCheck(maa(withMembers(members(500, 0))), [{ view: maa(other), sameReport: true }]);
    expect(differences[0]?.claim).toBe('hcl.akThumbprint');
  });

  it('REQ-19 shows two values of a claim that a route states many times', () => {
    const names = Array.from({ length: 500 }, (_, index) => `a${'-'.repeat(index)}b`);
    const added = Object.fromEntries(names.map((name, index) => [name, index]));
    const { differences } = compared(hardware(), maa(withMembers(added)));
    for (const { values } of differences) expect(JSON.stringify(values).length).toBeLessThan(200);
  });
});
