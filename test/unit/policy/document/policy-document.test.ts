import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SNP_PLATFORM_BITS } from '../../../../src/core/claims.js';
import { ConfigurationError } from '../../../../src/core/errors.js';
import type { JsonObject, JsonValue } from '../../../../src/core/json.js';
import { TDX_STATUSES } from '../../../../src/core/tdx-status.js';
import { parsePolicy, REQUEST_BOUNDS } from '../../../../src/policy/document/policy-document.js';
import { PolicyError } from '../../../../src/policy/document/policy-problem.js';
import { lintPolicy } from '../../../../src/policy/lint/lint.js';
import { LEAST, policy, policyText } from '../fixture.js';

const HEX_48 = 'aB'.repeat(48);
const HEX_32 = 'aB'.repeat(32);
const HEX_64 = 'aB'.repeat(64);
const HEX_16 = 'aB'.repeat(16);

/** Each problem as `pointer: what`. */
function problemsOf(text: string): readonly string[] {
  try {
    parsePolicy(text);
  } catch (error) {
    if (!(error instanceof PolicyError) || error.policyProblems.length === 0) throw error;
    return error.policyProblems.map(({ pointer, message }) => `${pointer || 'document'}: ${message}`);
  }
  return [];
}

function problemsWith(members: JsonObject): readonly string[] {
  return problemsOf(policyText(members));
}

function without(member: string): string {
  return JSON.stringify(Object.fromEntries(Object.entries(LEAST).filter(([name]) => name !== member)));
}

/** Every member that the contract names, and nothing that a load rule refuses. */
const WHOLE = `
apiVersion: veritee/v1
id: payments
version: 1
description: all there is
accepts: [snp, tdx, az-snp-vtpm]
minimums:
  snp: { Milan: { snp: 24, microcode: 219 }, Turin: { fmc: 1, bootloader: 2, tee: 0, snp: 3, microcode: 71 } }
  tdx: { acceptedStatuses: [UpToDate, SWHardeningNeeded], earliestTcbDate: "2024-03-13", minEvaluationDataNumber: 19, maxCollateralAgeDays: 30 }
paravisor: any
routes: { hardware: required, maa: optional, ita: required }
freshness: strict
nonce: challenge
revocation: best-effort
binding: required
secureBoot: required
allowDebug: true
require:
  snp: { committedEqualsCurrent: true, platformInfo: { aliasCheckComplete: true, smtEnabled: false }, mitigations: [0], minGuestSvn: 1, machines: { chipId: ["${HEX_64}"], cspId: [Azure] } }
  tdx: { septVeDisable: true, allowMigratable: true, allowPerfmon: true, xfamMask: "E718060000000000", mrServiceTd: ["${HEX_48}"], machines: { ppid: ["${HEX_16}"] } }
  tpm: { trackResets: true, quotedPcrs: [0, 7], runtimePcrs: [10] }
  maa: { complianceStatus: [azure-compliant-cvm], attestationType: [azurevm, sevsnpvm], issuers: ["https://my.weu.attest.azure.net"], tcbStatus: [UpToDate] }
  ita: { policyIds: ["1A2B3C4D-0000-4000-8000-0123456789AB"], issuers: [Intel Trust Authority], tcbStatus: [UpToDate, OutOfDate] }
referenceValues:
  - appliesTo: { product: Milan }
    snp: { measurement: ["${HEX_48}"], idKeyDigest: ["${HEX_48}"], authorKeyDigest: ["${HEX_48}"], hostData: ["${HEX_32}"], vmpl: [0] }
    hcl: { vmUniqueId: [5A0C7D1E-1F2B-4C3D-8E9F-0A1B2C3D4E5F] }
    tpm: { pcrs: { sha256: { "7": ["${HEX_32}"] } } }
  - tdx: { mrtd: ["${HEX_48}"], mrConfigId: ["${HEX_48}"], mrOwner: ["${HEX_48}"], mrOwnerConfig: ["${HEX_48}"], rtmr0: ["${HEX_48}"], mrSeam: ["${HEX_48}"] }
rules: []
waivers:
  - { check: tdx_tcb_status, value: OutOfDate, reason: planned, approver: ops, expires: "2027-01-01" }
  - { check: snp_tcb_low, value: { part: Milan, floor: { snp: 20 } }, reason: planned, approver: ops, expires: "2027-01-01" }
  - { check: snp_platform_smt_enabled, reason: planned, approver: ops, expires: "2027-01-01" }
`;

describe('a policy text', () => {
  it('fills in every default that the contract names', () => {
    expect(policy()).toEqual({
      id: 'least',
      version: 1,
      description: null,
      accepts: ['snp', 'az-snp-vtpm'],
      minimums: { snp: 'any', tdx: null },
      paravisor: 'known',
      routes: { hardware: 'required', maa: 'off', ita: 'off' },
      freshness: 'required',
      nonce: 'any',
      revocation: 'required',
      binding: 'optional',
      secureBoot: 'any',
      allowDebug: false,
      require: { snp: null, tdx: null, tpm: null, maa: null, ita: null },
      referenceValues: [],
      rules: [],
      waivers: [],
      text: policyText(),
      sha256: createHash('sha256').update(policyText()).digest('hex'),
    });
  });

  it('keeps every member that is given, hex in lower case', () => {
    const loaded = parsePolicy(WHOLE);
    expect(loaded).toMatchObject({
      minimums: {
        tdx: {
          acceptedStatuses: ['UpToDate', 'SWHardeningNeeded'],
          earliestTcbDate: '2024-03-13',
          minEvaluationDataNumber: 19,
          maxCollateralAgeDays: 30,
        },
      },
      paravisor: 'any',
      routes: { hardware: 'required', maa: 'optional', ita: 'required' },
      freshness: 'strict',
      nonce: 'challenge',
      revocation: 'best-effort',
      binding: 'required',
      secureBoot: 'required',
      allowDebug: true,
      require: {
        snp: {
          committedEqualsCurrent: true,
          platformInfo: { aliasCheckComplete: true, smtEnabled: false },
          mitigations: [0],
          minGuestSvn: 1,
          machines: { chipId: ['ab'.repeat(64)], cspId: ['Azure'] },
        },
        tdx: {
          septVeDisable: true,
          allowMigratable: true,
          xfamMask: 'e718060000000000',
          machines: { ppid: ['ab'.repeat(16)] },
        },
        tpm: { trackResets: true, quotedPcrs: [0, 7], runtimePcrs: [10] },
        maa: {
          complianceStatus: ['azure-compliant-cvm'],
          attestationType: ['azurevm', 'sevsnpvm'],
          issuers: ['https://my.weu.attest.azure.net'],
          tcbStatus: ['UpToDate'],
        },
        ita: {
          policyIds: ['1a2b3c4d-0000-4000-8000-0123456789ab'],
          issuers: ['Intel Trust Authority'],
          tcbStatus: ['UpToDate', 'OutOfDate'],
        },
      },
    });
    const [set, ofTds] = loaded.referenceValues;
    expect(set?.snp).toEqual({
      measurement: ['ab'.repeat(48)],
      idKeyDigest: ['ab'.repeat(48)],
      authorKeyDigest: ['ab'.repeat(48)],
      hostData: ['ab'.repeat(32)],
      vmpl: [0],
    });
    expect(set?.hcl).toEqual({ vmUniqueId: ['5a0c7d1e-1f2b-4c3d-8e9f-0a1b2c3d4e5f'] });
    expect(set?.tpm).toEqual({ sha256Pcrs: [{ index: 7, values: ['ab'.repeat(32)] }], boot: null });
    expect(ofTds?.tdx).toMatchObject({ rtmr0: ['ab'.repeat(48)], rtmr1: null });
    expect(loaded.waivers.map(({ check, value }) => [check, value])).toEqual([
      ['tdx_tcb_status', 'OutOfDate'],
      ['snp_tcb_low', { part: 'Milan', floor: { snp: 20 } }],
      ['snp_platform_smt_enabled', null],
    ]);
  });

  it('TDX-12 loads every status of a TCB but Revoked', () => {
    const accepting = (status: string) =>
      problemsWith({ minimums: { snp: 'any', tdx: { acceptedStatuses: ['UpToDate', status] } } });
    for (const status of TDX_STATUSES) expect(accepting(status)).toEqual([]);
    for (const status of ['Revoked', 'revoked', 'NotSupported', 'upToDate', '']) {
      expect(accepting(status)).toEqual([
        expect.stringMatching(/^\/minimums\/tdx\/acceptedStatuses\/1: must be one of /),
      ]);
    }
  });

  it('says that relaxations of tdx are off where they are not named, and that perfmon is only reported', () => {
    expect(policy({ require: { tdx: {} } }).require.tdx).toEqual({
      septVeDisable: false,
      allowMigratable: false,
      allowPerfmon: true,
      xfamMask: null,
      mrServiceTd: null,
      machines: null,
    });
  });

  it('DEC-05 carries the digest of exactly its text: another blank is another policy', () => {
    const text = policyText();
    expect(parsePolicy(text).sha256).toBe(createHash('sha256').update(text).digest('hex'));
    expect(parsePolicy(`${text} `).sha256).not.toBe(parsePolicy(text).sha256);
  });

  it('DEC-05 is frozen to the last list, so that nothing changes it between evaluation and answer', () => {
    const loaded = parsePolicy(WHOLE);
    const thawed: string[] = [];
    const look = (value: unknown, at: string): void => {
      if (typeof value !== 'object' || value === null) return;
      if (!Object.isFrozen(value)) thawed.push(at);
      for (const [name, member] of Object.entries(value)) look(member, `${at}/${name}`);
    };
    look(loaded, '');
    expect(thawed).toEqual([]);
    expect(() => Object.assign(loaded, { id: 'other' })).toThrow(TypeError);
  });

  it('reads the same members from YAML and from JSON', () => {
    const { sha256: _, text: __, ...fromJson } = policy();
    const yaml = 'apiVersion: veritee/v1\nid: least\nversion: 1\naccepts: [snp, az-snp-vtpm]\nminimums: { snp: any }\n';
    expect(parsePolicy(yaml)).toMatchObject(fromJson);
    expect(() => parsePolicy(yaml, { format: 'json' })).toThrow(ConfigurationError);
  });

  it.each(['apiVersion', 'id', 'version', 'accepts', 'minimums'])('DEC-06 does not load without %s', (member) => {
    expect(problemsOf(without(member))).toEqual([`/${member}: is missing`]);
  });

  it.each<[string, JsonObject, string]>([
    [
      'a policy',
      { extra: 1 },
      '/extra: unknown key; there are apiVersion, id, version, description, accepts, minimums, paravisor, routes, freshness, nonce, revocation, binding, secureBoot, allowDebug, require, referenceValues, rules, waivers',
    ],
    ['minimums', { minimums: { snp: 'any', tpm: 'any' } }, '/minimums/tpm: unknown key; there are snp, tdx'],
    [
      'a part',
      { minimums: { snp: { Milan: { ucode: 1 } } } },
      '/minimums/snp/Milan/ucode: unknown key; there are bootloader, tee, snp, microcode',
    ],
    [
      'the parts',
      { minimums: { snp: { rome: { snp: 1 } } } },
      '/minimums/snp/rome: unknown key; there are Milan, Milan-X, Genoa, Genoa-X, Bergamo-Siena, Turin, Turin-Dense',
    ],
    ['routes', { routes: { tpm: 'off' } }, '/routes/tpm: unknown key; there are hardware, maa, ita'],
    ['require', { require: { hcl: {} } }, '/require/hcl: unknown key; there are snp, tdx, tpm, maa, ita'],
    [
      'require.snp',
      { require: { snp: { minTcb: 1 } } },
      '/require/snp/minTcb: unknown key; there are committedEqualsCurrent, platformInfo, mitigations, minGuestSvn, machines',
    ],
    [
      'platform bits',
      { require: { snp: { platformInfo: { smt: true } } } },
      '/require/snp/platformInfo/smt: unknown key; there are smtEnabled, tsmeEnabled, eccEnabled, raplDisabled, ciphertextHidingDramEnabled, aliasCheckComplete, iommuWriteSafe, tioEnabled',
    ],
    [
      'a set',
      { referenceValues: [{ maa: {} }] },
      '/referenceValues/0/maa: unknown key; there are appliesTo, snp, tdx, hcl, tpm',
    ],
    [
      'a section',
      { referenceValues: [{ snp: { chipId: ['00'] } }] },
      '/referenceValues/0/snp/chipId: unknown key; there are measurement, idKeyDigest, authorKeyDigest, hostData, vmpl',
    ],
    [
      'appliesTo',
      { referenceValues: [{ appliesTo: { part: 'Milan' }, snp: { vmpl: [0] } }] },
      '/referenceValues/0/appliesTo/part: unknown key; there is product',
    ],
    [
      'the banks',
      { referenceValues: [{ tpm: { pcrs: { sha256: { '7': [HEX_32] }, sha1: {} } } }] },
      '/referenceValues/0/tpm/pcrs/sha1: unknown key; there is sha256',
    ],
  ])('DEC-06 refuses an unknown member of %s', (_where, members, problem) => {
    expect(problemsWith(members)).toContain(problem);
  });

  it.each<[string, JsonObject, string]>([
    [
      'a number as text',
      { version: '1' },
      '/version: must be a whole number from 1 to 9007199254740991, without quotes',
    ],
    ['a fraction', { version: 1.5 }, '/version: must be a whole number from 1 to 9007199254740991'],
    ['version 0', { version: 0 }, '/version: must be a whole number from 1 to 9007199254740991'],
    ['a boolean as text', { allowDebug: 'false' }, '/allowDebug: must be true or false, without quotes'],
    ['a boolean as number', { allowDebug: 1 }, '/allowDebug: must be true or false'],
    ['null for a default', { freshness: null }, '/freshness: must be one of required, strict, none'],
    ['null for a list', { referenceValues: null }, '/referenceValues: must be a list'],
    ['null for an object', { require: null }, '/require: must be an object'],
    ['a number for parts', { minimums: { snp: 3 } }, '/minimums/snp: must be any, or an object'],
    ['a list for an object', { routes: [] }, '/routes: must be an object'],
    ['a text for a list', { accepts: 'snp' }, '/accepts: must be a list'],
    [
      'an SVN as text',
      { minimums: { snp: { Milan: { snp: '24' } } } },
      '/minimums/snp/Milan/snp: must be a whole number from 0 to 255, without quotes',
    ],
    ['an SVN as one integer', { minimums: { snp: { Milan: 24 } } }, '/minimums/snp/Milan: must be an object'],
    [
      'a guest SVN as text',
      { require: { snp: { minGuestSvn: '9' } } },
      '/require/snp/minGuestSvn: must be a whole number from 0 to 4294967295, without quotes',
    ],
    [
      'an SVN in hex',
      { require: { snp: { minGuestSvn: '0x9' } } },
      '/require/snp/minGuestSvn: must be a whole number from 0 to 4294967295, without quotes',
    ],
    [
      'a PCR index as text',
      { require: { tpm: { quotedPcrs: ['7'] } } },
      '/require/tpm/quotedPcrs/0: must be a whole number from 0 to 23, without quotes',
    ],
    [
      'hex with 0x',
      { referenceValues: [{ snp: { hostData: [`0x${'00'.repeat(31)}`] } }] },
      '/referenceValues/0/snp/hostData/0: must be 32 bytes in hex',
    ],
    [
      'hex as a number',
      { referenceValues: [{ snp: { hostData: [12] } }] },
      '/referenceValues/0/snp/hostData/0: must be 32 bytes in hex, in quotes',
    ],
  ])('DEC-03 takes no %s', (_what, members, problem) => {
    expect(problemsWith(members)).toContain(problem);
  });

  it('DEC-03 twin: takes hex in either case for the same bytes', () => {
    const pinned = (value: string) => policy({ referenceValues: [{ snp: { hostData: [value] } }] }).referenceValues;
    expect(pinned(HEX_32.toUpperCase())).toEqual(pinned(HEX_32.toLowerCase()));
  });

  it.each<[string, JsonObject]>([
    ['another apiVersion', { apiVersion: 'veritee/v2' }],
    ['an id with a capital', { id: 'Payments' }],
    ['an id that begins with a hyphen', { id: '-a' }],
    ['an id of 65 characters', { id: 'a'.repeat(65) }],
    ['an id with a line feed behind it', { id: 'a\n' }],
    ['an unknown evidence type', { accepts: ['sgx'] }],
    ['an unknown freshness', { freshness: 'lax' }],
    ['an unknown nonce', { nonce: 'caller' }],
    ['an unknown revocation', { revocation: 'off' }],
    ['an unknown binding', { binding: 'any' }],
    ['an unknown secureBoot', { secureBoot: 'off' }],
    ['an unknown paravisor', { paravisor: 'unknown' }],
    ['an optional hardware route', { routes: { hardware: 'optional' } }],
    ['a component of 256', { minimums: { snp: { Milan: { snp: 256 } } } }],
    ['a component below 0', { minimums: { snp: { Milan: { snp: -1 } } } }],
    ['fmc for Milan', { minimums: { snp: { Milan: { fmc: 1 } } } }],
    ['fmc for Genoa', { minimums: { snp: { Genoa: { fmc: 1 } } } }],
    ['an unknown TDX status', { minimums: { snp: 'any', tdx: { acceptedStatuses: ['Fine'] } } }],
    ['Revoked as an accepted status', { minimums: { snp: 'any', tdx: { acceptedStatuses: ['Revoked'] } } }],
    [
      'a day that is in no calendar',
      { minimums: { snp: 'any', tdx: { acceptedStatuses: ['UpToDate'], earliestTcbDate: '2024-02-30' } } },
    ],
    [
      'a date with time',
      { minimums: { snp: 'any', tdx: { acceptedStatuses: ['UpToDate'], earliestTcbDate: '2024-03-13T00:00:00Z' } } },
    ],
    ['mitigation bit 64', { require: { snp: { mitigations: [64] } } }],
    ['a guest SVN past 32 bits', { require: { snp: { minGuestSvn: 4_294_967_296 } } }],
    ['runtime PCR 24', { require: { tpm: { runtimePcrs: [24] } } }],
    ['TDX minimums without statuses', { minimums: { snp: 'any', tdx: { earliestTcbDate: '2024-03-13' } } }],
    ['one TDX status that is not a list', { minimums: { snp: 'any', tdx: { acceptedStatuses: 'UpToDate' } } }],
    ['an XFAM mask of 7 bytes', { require: { tdx: { xfamMask: '00'.repeat(7) } } }],
    ['an XFAM mask of 9 bytes', { require: { tdx: { xfamMask: '00'.repeat(9) } } }],
    ['a service TD of 32 bytes', { require: { tdx: { mrServiceTd: [HEX_32] } } }],
    ['a service TD that is not a list', { require: { tdx: { mrServiceTd: HEX_48 } } }],
    ['a chip id of 63 bytes', { require: { snp: { machines: { chipId: ['00'.repeat(63)] } } } }],
    ['machines that name nothing', { require: { snp: { machines: {} } } }],
    ['a PPID of 15 bytes', { require: { tdx: { machines: { ppid: ['00'.repeat(15)] } } } }],
    ['machines of TDX without PPIDs', { require: { tdx: { machines: {} } } }],
    ['quoted PCR 24', { require: { tpm: { quotedPcrs: [24] } } }],
    ['a policy id that is no UUID', { require: { ita: { policyIds: ['default'] } } }],
    ['Revoked among accepted statuses of Azure Attestation', { require: { maa: { tcbStatus: ['Revoked'] } } }],
    ['Revoked among accepted statuses of Trust Authority', { require: { ita: { tcbStatus: ['Revoked'] } } }],
    [
      'an evaluation number of 0',
      { minimums: { snp: 'any', tdx: { acceptedStatuses: ['UpToDate'], minEvaluationDataNumber: 0 } } },
    ],
    [
      'an age of collateral of 0 days',
      { minimums: { snp: 'any', tdx: { acceptedStatuses: ['UpToDate'], maxCollateralAgeDays: 0 } } },
    ],
    [
      'an age of collateral of 367 days',
      { minimums: { snp: 'any', tdx: { acceptedStatuses: ['UpToDate'], maxCollateralAgeDays: 367 } } },
    ],
    [
      'an age of collateral in text',
      { minimums: { snp: 'any', tdx: { acceptedStatuses: ['UpToDate'], maxCollateralAgeDays: '30' } } },
    ],
    ['septVeDisable as text', { require: { tdx: { septVeDisable: 'true' } } }],
    ['allowMigratable as number', { require: { tdx: { allowMigratable: 1 } } }],
    ['allowPerfmon as text', { require: { tdx: { allowPerfmon: 'no' } } }],
    ['another member in require.tdx', { require: { tdx: { allowDebug: true } } }],
    [
      'a product in appliesTo that is no name of one',
      { referenceValues: [{ appliesTo: { product: 'venice' }, snp: { vmpl: [0] } }] },
    ],
    ['VMPL 4', { referenceValues: [{ snp: { vmpl: [4] } }] }],
    ['VMPL as text', { referenceValues: [{ snp: { vmpl: ['0'] } }] }],
    ['a measurement of 47 bytes', { referenceValues: [{ snp: { measurement: ['00'.repeat(47)] } }] }],
    ['a measurement of 49 bytes', { referenceValues: [{ snp: { measurement: ['00'.repeat(49)] } }] }],
    ['an id key digest of 32 bytes', { referenceValues: [{ snp: { idKeyDigest: [HEX_32] } }] }],
    ['an author key digest of 32 bytes', { referenceValues: [{ snp: { authorKeyDigest: [HEX_32] } }] }],
    ['host data of 48 bytes', { referenceValues: [{ snp: { hostData: [HEX_48] } }] }],
    ['hex with 0x', { referenceValues: [{ snp: { hostData: [`0x${'00'.repeat(31)}`] } }] }],
    ['hex with a wrong letter', { referenceValues: [{ snp: { hostData: ['zz'.repeat(32)] } }] }],
    ['an mrtd of 32 bytes', { referenceValues: [{ tdx: { mrtd: [HEX_32] } }] }],
    ['a VM id that is no GUID', { referenceValues: [{ hcl: { vmUniqueId: ['vm-1'] } }] }],
    ['a PCR of 20 bytes', { referenceValues: [{ tpm: { pcrs: { sha256: { '7': ['00'.repeat(20)] } } } }] }],
    ['PCR 24', { referenceValues: [{ tpm: { pcrs: { sha256: { '24': [HEX_32] } } } }] }],
    ['PCR 07', { referenceValues: [{ tpm: { pcrs: { sha256: { '07': [HEX_32] } } } }] }],
    ['PCR -1', { referenceValues: [{ tpm: { pcrs: { sha256: { '-1': [HEX_32] } } } }] }],
  ])('DEC-06 does not load %s', (_what, members) => {
    expect(problemsWith(members)).not.toEqual([]);
  });

  it.each(['16', '23'])('does not load resettable PCR %s as reference value, and loads its neighbours', (index) => {
    const set = (pcr: string) => ({ referenceValues: [{ tpm: { pcrs: { sha256: { [pcr]: [HEX_32] } } } }] });
    expect(problemsWith(set(index))).toEqual([
      `/referenceValues/0/tpm/pcrs/sha256/${index}: a guest can reset this PCR, so its value proves nothing`,
    ]);
    expect(problemsWith(set(String(Number(index) - 1)))).toEqual([]);
  });

  it.each<[string, JsonObject, string]>([
    ['accepts', { accepts: [] }, '/accepts: must not be empty'],
    ['parts', { minimums: { snp: {} } }, '/minimums/snp: names nothing'],
    ['components', { minimums: { snp: { Milan: {} } } }, '/minimums/snp/Milan: names nothing'],
    [
      'statuses',
      { minimums: { snp: 'any', tdx: { acceptedStatuses: [] } } },
      '/minimums/tdx/acceptedStatuses: must not be empty',
    ],
    [
      'measurements',
      { referenceValues: [{ snp: { measurement: [] } }] },
      '/referenceValues/0/snp/measurement: must not be empty',
    ],
    ['vmpl', { referenceValues: [{ snp: { vmpl: [] } }] }, '/referenceValues/0/snp/vmpl: must not be empty'],
    [
      'VM ids',
      { referenceValues: [{ hcl: { vmUniqueId: [] } }] },
      '/referenceValues/0/hcl/vmUniqueId: must not be empty',
    ],
    ['a section', { referenceValues: [{ snp: {} }] }, '/referenceValues/0/snp: names nothing'],
    ['a set', { referenceValues: [{}] }, '/referenceValues/0: names no section of evidence'],
    [
      'PCRs',
      { referenceValues: [{ tpm: { pcrs: { sha256: {} } } }] },
      '/referenceValues/0/tpm/pcrs/sha256: names nothing',
    ],
    [
      'PCR values',
      { referenceValues: [{ tpm: { pcrs: { sha256: { '7': [] } } } }] },
      '/referenceValues/0/tpm/pcrs/sha256/7: must not be empty',
    ],
    ['mitigations', { require: { snp: { mitigations: [] } } }, '/require/snp/mitigations: must not be empty'],
    ['migration TDs', { require: { tdx: { mrServiceTd: [] } } }, '/require/tdx/mrServiceTd: must not be empty'],
    [
      'compliance statuses',
      { require: { maa: { complianceStatus: [] } } },
      '/require/maa/complianceStatus: must not be empty',
    ],
    [
      'service TDs where a TD may be migrated',
      { require: { tdx: { allowMigratable: true } } },
      '/require/tdx/mrServiceTd: is missing: allowMigratable needs the service TDs that may migrate',
    ],
  ])('DEC-06 refuses an empty list of %s', (_what, members, problem) => {
    expect(problemsWith(members)).toContain(problem);
  });

  it.each<[string, JsonObject, string]>([
    [
      'a compliance status in other letters',
      { complianceStatus: ['azure-compliant-cvm', 'Azure-Compliant-CVM'] },
      '/require/maa/complianceStatus/1: must be in lower case: azure-compliant-cvm',
    ],
    [
      'an attestation type in other letters',
      { attestationType: ['AzureVM'] },
      '/require/maa/attestationType/0: must be one of azurevm, sevsnpvm, tdxvm',
    ],
    [
      'an attestation type of no confidential VM',
      { attestationType: ['azurevm', 'tpm'] },
      '/require/maa/attestationType/1: must be one of azurevm, sevsnpvm, tdxvm',
    ],
  ])('DEC-13 refuses %s, which no token that holds can state', (_what, maa, problem) => {
    expect(problemsWith({ routes: { maa: 'optional' }, require: { maa } })).toEqual([problem]);
  });

  it('names every problem, not the first', () => {
    const problems = problemsWith({
      version: 'x',
      extra: 1,
      freshness: 'lax',
      referenceValues: [{ snp: { vmpl: [9] } }],
    });
    expect(problems).toEqual([
      '/extra: unknown key; there are apiVersion, id, version, description, accepts, minimums, paravisor, routes, freshness, nonce, revocation, binding, secureBoot, allowDebug, require, referenceValues, rules, waivers',
      '/version: must be a whole number from 1 to 9007199254740991',
      '/freshness: must be one of required, strict, none',
      '/referenceValues/0/snp/vmpl/0: must be a whole number from 0 to 3',
    ]);
  });

  it('says in words why a text of no object is no policy', () => {
    expect(problemsOf('- a\n')).toEqual(['document: must be an object']);
    expect(problemsOf('hello')).toEqual(['document: must be an object']);
  });
});

describe('what a policy accepts', () => {
  const accepting = (accepts: readonly string[], members: JsonObject = {}) =>
    problemsWith({ accepts, minimums: 'any', ...members });
  const OFF: JsonObject = { routes: { hardware: 'off' } };

  it.each<[readonly string[], JsonObject]>([
    [['snp', 'tdx', 'az-snp-vtpm', 'az-tdx-vtpm'], {}],
    [['maa-token', 'ita-token'], OFF],
    [['tpm'], OFF],
  ])('loads %j with %j', (accepts, members) => {
    expect(accepting(accepts, members)).toEqual([]);
  });

  it.each<[readonly string[]]>([[['snp', 'maa-token']], [['az-tdx-vtpm', 'tpm']], [['ita-token', 'tpm']]])(
    'DEC-12 does not load %j together',
    (accepts) => {
      expect(accepting(accepts)).toEqual(['/accepts: must have only hardware types, only tokens, or only tpm']);
    },
  );

  it('DEC-12 does not load a type twice', () => {
    expect(accepting(['snp', 'snp'])).toEqual(['/accepts: repeats an item']);
  });

  it('DEC-12 does not load hardware: off with a hardware type, and loads it with tokens or tpm', () => {
    expect(accepting(['az-snp-vtpm'], OFF)).toEqual(['/routes/hardware: cannot be off for a hardware type']);
    expect(accepting(['maa-token'], OFF)).toEqual([]);
    expect(accepting(['tpm'], OFF)).toEqual([]);
  });

  it('loads the token policy of the contract', () => {
    const text = `{ apiVersion: veritee/v1, id: azure-maa-baseline, version: 1, description: "What Azure Attestation calls a compliant confidential VM",
  accepts: [maa-token], minimums: any, routes: { hardware: off, maa: required }, require: { maa: { complianceStatus: [azure-compliant-cvm] } } }`;
    expect(parsePolicy(text)).toMatchObject({
      minimums: { snp: 'any', tdx: 'any' },
      routes: { hardware: 'off', maa: 'required', ita: 'off' },
      require: { maa: { complianceStatus: ['azure-compliant-cvm'], attestationType: null } },
    });
  });

  it('demands minimums for each TEE that is accepted', () => {
    const accepts = ['az-snp-vtpm', 'az-tdx-vtpm'];
    expect(problemsWith({ accepts, minimums: { snp: 'any' } })).toEqual(['/minimums/tdx: is missing']);
    expect(problemsWith({ accepts, minimums: { tdx: 'any' } })).toEqual(['/minimums/snp: is missing']);
    expect(problemsWith({ accepts, minimums: {} })).toEqual(['/minimums/snp: is missing', '/minimums/tdx: is missing']);
    expect(problemsWith({ accepts, minimums: { snp: 'any', tdx: 'any' } })).toEqual([]);
  });

  it('does not load minimums that no token and no vTPM is compared with', () => {
    const minimums = { snp: { Milan: { snp: 24 } } };
    for (const accepts of [['maa-token'], ['tpm']]) {
      expect(accepting(accepts, { minimums })).toEqual(['/minimums: must be any where no hardware report is accepted']);
    }
  });

  it('TDX-18 does not load RTMR reference values with az-tdx-vtpm, and loads them with tdx', () => {
    const referenceValues: JsonValue = [{ tdx: { mrtd: [HEX_48], rtmr0: [HEX_48], rtmr3: [HEX_48] } }];
    expect(accepting(['az-tdx-vtpm'], { referenceValues })).toEqual([
      '/referenceValues/0/tdx/rtmr0: describes the paravisor in az-tdx-vtpm evidence',
      '/referenceValues/0/tdx/rtmr3: describes the paravisor in az-tdx-vtpm evidence',
    ]);
    expect(accepting(['tdx'], { referenceValues })).toEqual([]);
  });

  it.each(['rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'])(
    'TDX-18 does not load %s with az-tdx-vtpm, also beside tdx and in a later set',
    (register) => {
      const referenceValues: JsonValue = [{ tdx: { mrtd: [HEX_48] } }, { tdx: { [register]: [HEX_48] } }];
      for (const accepts of [['az-tdx-vtpm'], ['tdx', 'az-tdx-vtpm'], ['az-snp-vtpm', 'az-tdx-vtpm']]) {
        expect(accepting(accepts, { referenceValues })).toEqual([
          `/referenceValues/1/tdx/${register}: describes the paravisor in az-tdx-vtpm evidence`,
        ]);
      }
      expect(accepting(['tdx', 'az-snp-vtpm'], { referenceValues })).toEqual([]);
    },
  );

  it.each(['mrtd', 'mrConfigId', 'mrOwner', 'mrOwnerConfig', 'mrSeam'])(
    'TDX-18 loads %s with az-tdx-vtpm: it is not taken for the guest',
    (register) => {
      expect(accepting(['az-tdx-vtpm'], { referenceValues: [{ tdx: { [register]: [HEX_48] } }] })).toEqual([]);
    },
  );
});

describe('rules', () => {
  it('loads an empty list', () => {
    expect(problemsWith({ rules: [] })).toEqual([]);
  });

  it('refuses what is not a list of rules', () => {
    expect(problemsWith({ rules: {} })).toEqual(['/rules: must be a list']);
  });

  it.each([
    ['neither language', { id: 'one' }, '/rules/0: must have either cel or akv'],
    ['both languages', { id: 'one', cel: 'snp.vmpl == 0', akv: {} }, '/rules/0: must have either cel or akv'],
    [
      'a comparison for CEL',
      { id: 'one', cel: 'snp.vmpl == 0', comparison: 'strict' },
      '/rules/0/comparison: goes with akv alone',
    ],
    ['no id', { cel: 'snp.vmpl == 0' }, '/rules/0/id: is missing'],
    ['a text that is no text', { id: 'one', cel: 7 }, '/rules/0/cel: must be text'],
  ])('refuses a rule with %s', (_what, rule, problem) => {
    expect(problemsWith({ rules: [rule] })).toEqual([expect.stringContaining(problem)]);
  });

  it('refuses more than 64 rules', () => {
    const rules = (count: number) => Array.from({ length: count }, (_, i) => ({ id: `r${i}`, cel: 'snp.vmpl == 0' }));
    expect(problemsWith({ rules: rules(64) })).toEqual([]);
    expect(problemsWith({ rules: rules(65) })).toEqual(['/rules: has more than 64 rules']);
  });

  it('refuses rules with more than 32 KiB of text together', () => {
    const rules = (bytes: number) =>
      Array.from({ length: 32 }, (_, i) => ({ id: `r${i}`, cel: 'snp.vmpl == 0'.padEnd(i === 0 ? bytes : 1_024) }));
    expect(problemsWith({ rules: rules(1_024) })).toEqual([]);
    expect(problemsWith({ rules: rules(1_025) })).toEqual([
      '/rules: the rules have 32769 bytes together, and may have 32768',
    ]);
  });

  it('refuses rules with more than 8 KiB of text together in a text that a caller sent', () => {
    const rules = (bytes: number) =>
      Array.from({ length: 8 }, (_, i) => ({ id: `r${i}`, cel: 'snp.vmpl == 0'.padEnd(i === 0 ? bytes : 1_024) }));
    const lint = (bytes: number) =>
      lintPolicy(
        JSON.stringify({
          apiVersion: 'veritee/v1',
          id: 'sent',
          version: 1,
          accepts: ['snp'],
          minimums: 'any',
          rules: rules(bytes),
        }),
        { at: new Date(), knownAuthorities: () => true, manyIssuers: [], bounds: REQUEST_BOUNDS },
      );
    expect(lint(1_024).map(({ code }) => code)).not.toContain('rule_limit');
    expect(lint(1_025)).toMatchObject([
      { code: 'rule_limit', message: 'the rules have 8193 bytes together, and may have 8192' },
    ]);
  });

  it('DEC-06 refuses two rules of one id', () => {
    const rules = [
      { id: 'one', cel: 'snp.vmpl == 0' },
      { id: 'one', cel: 'snp.vmpl != 1' },
    ];
    expect(problemsWith({ rules })).toEqual(['/rules/1/id: repeats the id of another rule']);
  });
});

describe('waivers', () => {
  const TERMS = { reason: 'until the next window', approver: 'security', expires: '2027-01-01' };
  /** Has every finding that can be waived. */
  const MEMBERS: JsonObject = {
    accepts: ['snp', 'tdx', 'az-snp-vtpm'],
    minimums: { snp: { Milan: { snp: 24 }, Turin: { fmc: 2 } }, tdx: 'any' },
    paravisor: 'any',
    routes: { maa: 'optional' },
    require: { snp: { platformInfo: Object.fromEntries(SNP_PLATFORM_BITS.map((bit) => [bit, true])) } },
  };
  const waiving = (waiver: JsonObject) => {
    const minimums = waiver['check'] === 'snp_tcb_floor_missing' ? { minimums: 'any' } : {};
    return problemsWith({ ...MEMBERS, ...minimums, waivers: [{ ...TERMS, ...waiver }] });
  };

  it.each([
    'crl_unavailable',
    'snp_platform_smt_enabled',
    'snp_platform_tsme_enabled',
    'snp_platform_ecc_enabled',
    'snp_platform_rapl_disabled',
    'snp_platform_ciphertext_hiding_dram_enabled',
    'snp_platform_alias_check_complete',
    'snp_platform_iommu_write_safe',
    'snp_platform_tio_enabled',
    'snp_platform_unknown',
    'snp_product_advisory',
    'snp_tcb_floor_missing',
    'nonce_stale',
    'hcl_paravisor_unknown',
    'collateral_unconfirmed',
    'crl_unconfirmed',
  ])('may name %s, without a value', (check) => {
    expect(waiving({ check })).toEqual([]);
    expect(waiving({ check, value: true })).toEqual(['/waivers/0/value: this check takes no value']);
    expect(waiving({ check, value: null })).toEqual(['/waivers/0/value: this check takes no value']);
  });

  it.each(['snp_debug', 'tdx_debug'])('cannot name %s, and the problem points to allowDebug', (check) => {
    expect(waiving({ check })).toEqual([
      `/waivers/0/check: ${check} has no waiver; set allowDebug: true, which makes it a warning`,
    ]);
  });

  it.each(['snp_signature', 'cert_revoked', 'nonce_mismatch', 'hcl_paravisor', 'secure_boot', 'snp_platform_*'])(
    'cannot name %s',
    (check) => {
      expect(waiving({ check })).toHaveLength(1);
    },
  );

  it.each(['tdx_tcb_status', 'maa_tcb_status', 'ita_tcb_status'])('takes one status of %s, never Revoked', (check) => {
    expect(waiving({ check, value: 'SWHardeningNeeded' })).toEqual([]);
    for (const value of ['Revoked', 'Fine', ['UpToDate'], null]) {
      expect(waiving({ check, value })).toHaveLength(1);
    }
    expect(waiving({ check })).toHaveLength(1);
  });

  it('takes part and floor for snp_tcb_low', () => {
    expect(waiving({ check: 'snp_tcb_low', value: { part: 'Turin', floor: { fmc: 1 } } })).toEqual([]);
    const wrong: readonly JsonValue[] = [
      null,
      { part: 'Milan' },
      { floor: { snp: 1 } },
      { part: 'Milan', floor: {} },
      { part: 'Milan', floor: { fmc: 1 } },
      { part: 'rome', floor: { snp: 1 } },
      { part: null, floor: { snp: 1 } },
      { part: 'Milan', floor: { snp: 256 } },
      { part: 'Milan', floor: { snp: 1 }, tcb: 'launch' },
    ];
    for (const value of wrong) expect(waiving({ check: 'snp_tcb_low', value })).not.toEqual([]);
    expect(waiving({ check: 'snp_tcb_low' })).not.toEqual([]);
  });

  it.each(['reason', 'approver', 'expires'])('demands %s', (member) => {
    const { [member as 'reason']: _, ...rest } = { check: 'nonce_stale', ...TERMS };
    expect(problemsWith({ waivers: [rest] })).toEqual([`/waivers/0/${member}: is missing`]);
    expect(waiving({ check: 'nonce_stale', [member]: ' ' })).toHaveLength(1);
  });

  it.each(['2027-1-1', '2027-13-01', '2027-02-29', '2027-01-01T00:00:00Z', 'tomorrow', 20270101])(
    'takes no %s as the day of expiry',
    (expires) => {
      expect(waiving({ check: 'nonce_stale', expires })).toEqual([
        '/waivers/0/expires: must be a date such as 2027-01-31',
      ]);
    },
  );
});

describe('a policy that does not load', () => {
  const problemsIn = (text: string) => {
    try {
      parsePolicy(text);
    } catch (error) {
      if (error instanceof PolicyError) return error.problems;
      throw error;
    }
    return [];
  };
  const TEXT = 'apiVersion: veritee/v1\nid: a\nversion: 1\naccepts: [snp]\nminimums: any\n';

  it.each([
    ['a value', TEXT.replace('version: 1', 'version: 0'), /^line 3: \/version: must be a whole number /],
    ['a member with a slash and a tilde in its name', `${TEXT}a/~b: 1\n`, /^line 6: \/a~1~0b: unknown key; /],
    ['an item', TEXT.replace('[snp]', '\n  - snp\n  - sgx'), /^line 6: \/accepts\/1: must be one of /],
    [
      'a missing member, that of what is around it',
      `${TEXT}waivers:\n  - check: nonce_stale\n`,
      /^line 7: \/waivers\/0\/reason: is missing /,
    ],
    ['a key that appears twice, the second time', `${TEXT}version: 1\n`, /^line 6: \/version: this key appears twice /],
    ['syntax', `${TEXT}rules: [\n`, /^line 7: /],
    ['JSON', JSON.stringify({ apiVersion: 'veritee/v1', id: 'a', version: 0 }, null, 2), /^line 4: \/version: /],
  ])('names the line of %s', (_, text, problem) => {
    expect(problemsIn(text)[0]).toMatch(problem);
  });

  it.each([
    ['a member that is missing on top', TEXT.replace('version: 1\n', ''), /^\/version: is missing /],
    ['the whole', '[]', /^document: /],
  ])('names no line of %s', (_, text, problem) => {
    expect(problemsIn(text)[0]).toMatch(problem);
  });
});
