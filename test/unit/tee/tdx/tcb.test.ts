import { describe, expect, it } from 'vitest';
import {
  isModuleAloneOutOfDate,
  merge,
  relaunchStatus,
  unknownWord,
} from '../../../../src/tee/tdx/intel/tcb-status.js';
import type { CollateralOptions } from '../../../lab/collateral-builder.js';
import { genuineTcbLevels, type TcbLevelFields } from '../../../lab/tcb-info-builder.js';
import { TdxPlatform } from '../../../lab/tdx-platform.js';
import { expectFailed, expectVerified, PKI, PLATFORM, platformOf, verify } from './fixture.js';

type TcbInfo = NonNullable<CollateralOptions['tcbInfo']>;

const withTcbInfo = (tcbInfo: TcbInfo, qeStatus = 'UpToDate', platform = PLATFORM) =>
  verify({ platform, collateral: { tcbInfo, qeIdentity: { status: qeStatus } } });
const svns = (first: number, rest: readonly number[] = PLATFORM.sgxSvns) => [first, ...rest.slice(1)];
const tee = (...first: readonly number[]) => Uint8Array.from({ length: 16 }, (_, index) => first[index] ?? 0);

const [CURRENT] = genuineTcbLevels(PLATFORM);
if (CURRENT === undefined) throw new Error('no level');
const level = (change: Partial<TcbLevelFields>): TcbLevelFields => ({ ...CURRENT, ...change });

describe('level of a platform', () => {
  it.each([
    ['an SGX component', level({ sgxSvns: svns(9) }), 'sgxtcbcomponents[0]', 8, 9],
    ['PCESVN', level({ pceSvn: 12 }), 'pcesvn', 11, 12],
    ['a TDX component', level({ tdxSvns: [5, 0, 9].concat(new Array(13).fill(0)) }), 'tdxtcbcomponents[2]', 8, 9],
  ])('TDX-11 denies where %s is below every level, and names it', async (_, only, component, have, need) => {
    const found = await withTcbInfo({ levels: [only] });
    expectFailed(found, 'tdx_tcb_level_unsupported');
    expect(found.claims?.tcb).toMatchObject({
      status: null,
      platformStatus: null,
      moduleStatus: 'UpToDate',
      qeStatus: 'UpToDate',
      date: null,
    });
    expect(found.checks.find(({ id }) => id === 'tdx_tcb_level_unsupported')).toMatchObject({
      expected: { [component]: need },
      actual: { [component]: have },
    });
    expect(found.checks.find(({ result }) => result === 'fail')?.detail).toContain(`has ${have}, needs ${need}`);
  });

  it('TDX-11 no component makes up for another', async () => {
    const levels = [
      level({
        sgxSvns: svns(
          9,
          PLATFORM.sgxSvns.map(() => 0),
        ),
        pceSvn: 0,
      }),
    ];
    expectFailed(await withTcbInfo({ levels }), 'tdx_tcb_level_unsupported');
  });

  it('TDX-11 names what the nearest level is short of, not what the highest wants', async () => {
    const levels = [level({ sgxSvns: PLATFORM.sgxSvns.map((svn) => svn + 1) }), level({ pceSvn: 12 })];
    const found = await withTcbInfo({ levels });
    expect(found.checks.find(({ result }) => result === 'fail')?.expected).toEqual({ pcesvn: 12 });
  });

  it('TDX-11 names what the lowest is short of where several are as near', async () => {
    const levels = [level({ sgxSvns: svns(10) }), level({ pceSvn: 13, sgxSvns: svns(9) }), level({ sgxSvns: svns(9) })];
    for (const list of [levels, levels.toReversed()]) {
      const found = await withTcbInfo({ levels: list });
      expect(found.checks.find(({ result }) => result === 'fail')?.expected).toEqual({ 'sgxtcbcomponents[0]': 9 });
      expect(found.shortfalls).toEqual([
        { component: 'sgxtcbcomponents[0]', have: 8, need: 9, type: 'Early Microcode Update' },
      ]);
    }
  });

  it('names nothing that is short of being up to date where no level is', async () => {
    const found = await verify({
      collateral: {
        tcbInfo: { levels: [level({ status: 'OutOfDate' })], moduleLevels: [{ isvSvn: 6, status: 'OutOfDate' }] },
        qeIdentity: { levels: [{ isvSvn: 4, status: 'OutOfDate' }] },
      },
    });
    expectVerified(found);
    expect(found.shortfalls).toEqual([]);
  });

  it('TDX-11 takes the highest level that matches, whatever the order of the list', async () => {
    const low = level({ sgxSvns: svns(2), status: 'OutOfDate' });
    const lower = level({ sgxSvns: svns(1), status: 'Revoked' });
    const high = level({ sgxSvns: svns(9), status: 'Revoked' });
    const current = level({});
    for (const levels of [
      [lower, low, current, high],
      [high, current, low, lower],
      [low, current],
    ]) {
      const found = await withTcbInfo({ levels });
      expectVerified(found);
      expect(found.claims?.tcb.platformStatus).toBe('UpToDate');
    }
  });

  it('TDX-11 orders levels by SGX components, then PCESVN, then TDX components', async () => {
    const bySgx = [level({ pceSvn: 5, status: 'SWHardeningNeeded' }), level({ sgxSvns: svns(7), status: 'OutOfDate' })];
    expect((await withTcbInfo({ levels: bySgx.toReversed() })).claims?.tcb.platformStatus).toBe('SWHardeningNeeded');
    const zeros = new Array(16).fill(0);
    const byPce = [level({ tdxSvns: zeros, status: 'SWHardeningNeeded' }), level({ pceSvn: 10, status: 'OutOfDate' })];
    expect((await withTcbInfo({ levels: byPce.toReversed() })).claims?.tcb.platformStatus).toBe('SWHardeningNeeded');
    const byTdx = [level({ status: 'SWHardeningNeeded' }), level({ tdxSvns: zeros, status: 'OutOfDate' })];
    expect((await withTcbInfo({ levels: byTdx.toReversed() })).claims?.tcb.platformStatus).toBe('SWHardeningNeeded');
  });

  it('TDX-11 begins at the third TDX component where the module has an identity, at the first where not', async () => {
    const levels = [level({ tdxSvns: [200, 200, ...new Array(14).fill(0)] })];
    expectVerified(await withTcbInfo({ levels }));
    const old = platformOf({ teeTcbSvn: tee(6, 0, 8) });
    expectFailed(await withTcbInfo({ levels }, 'UpToDate', old), 'tdx_tcb_level_unsupported');
    const matching = await withTcbInfo(
      { levels: [level({ tdxSvns: [6, 0, 8, ...new Array(13).fill(0)] })] },
      'UpToDate',
      old,
    );
    expectVerified(matching);
    expect(matching.claims?.tcb.moduleStatus).toBeNull();
  });

  it('says what keeps a platform from being up to date: platform, module and QE', async () => {
    const levels = [level({ sgxSvns: svns(10), pceSvn: 13 }), level({ status: 'OutOfDate' })];
    const moduleLevels = [{ isvSvn: 7 }, { isvSvn: 5, status: 'OutOfDate' }];
    const found = await verify({
      collateral: {
        tcbInfo: { levels, moduleLevels },
        qeIdentity: { levels: [{ isvSvn: 5 }, { isvSvn: 3, status: 'OutOfDate' }] },
      },
    });
    expectVerified(found);
    expect(found.claims?.tcb.status).toBe('OutOfDate');
    expect(found.shortfalls).toEqual([
      { component: 'sgxtcbcomponents[0]', have: 8, need: 10, type: 'Early Microcode Update' },
      { component: 'pcesvn', have: 11, need: 13, type: null },
      { component: 'TDX_01.isvsvn', have: 6, need: 7, type: null },
      { component: 'TD_QE.isvsvn', have: 4, need: 5, type: null },
    ]);
  });

  it('lists advisories of platform, module and QE in that order, each once, and the earliest date', async () => {
    const one = { status: 'OutOfDate', advisories: ['INTEL-SA-2', 'INTEL-SA-1'], date: '2025-02-01T00:00:00Z' };
    const found = await verify({
      collateral: {
        tcbInfo: {
          levels: [level(one)],
          moduleLevels: [
            { isvSvn: 6, status: 'OutOfDate', advisories: ['INTEL-SA-1', 'INTEL-SA-3'], date: '2024-02-01T00:00:00Z' },
          ],
        },
        qeIdentity: { levels: [{ isvSvn: 4, advisories: ['INTEL-SA-4', 'INTEL-SA-2'], date: '2025-01-01T00:00:00Z' }] },
      },
    });
    expect(found.claims?.tcb.advisories).toEqual(['INTEL-SA-2', 'INTEL-SA-1', 'INTEL-SA-3', 'INTEL-SA-4']);
    expect(found.claims?.tcb.date).toBe('2024-02-01T00:00:00Z');
  });
});

describe('module', () => {
  const at = (...first: readonly number[]) => platformOf({ teeTcbSvn: tee(...first) });

  it('TDX-14 denies one that no identity is for, also where there are no identities', async () => {
    const found = await withTcbInfo({ modules: [{ id: 'TDX_03', levels: [{ isvSvn: 0 }] }] });
    expectFailed(found, 'tdx_module');
    expect(found.claims).toBeNull();
    expectFailed(await withTcbInfo({ modules: [] }), 'tdx_module');
  });

  it('TDX-14 denies another signer, with and without an identity', async () => {
    const quote = { fields: { mrSignerSeam: new Uint8Array(48).fill(1) } };
    const other = await verify({ quote });
    expectFailed(other, 'tdx_module');
    expect([other.claims, other.shortfalls]).toEqual([null, []]);
    expectFailed(await verify({ quote, platform: at(6, 0, 8) }), 'tdx_module');
    const modules = [{ id: 'TDX_01', mrSigner: new Uint8Array(48).fill(1), levels: [{ isvSvn: 6 }] }];
    expectVerified(await verify({ quote, collateral: { tcbInfo: { modules } } }));
    expectFailed(await withTcbInfo({ modules }), 'tdx_module');
  });

  it('TDX-14 denies other attributes under the mask', async () => {
    const attributes = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);
    const modules = [{ id: 'TDX_01', attributes, levels: [{ isvSvn: 6 }] }];
    expectFailed(await withTcbInfo({ modules }), 'tdx_module');
    const masked = [{ id: 'TDX_01', attributesMask: new Uint8Array(8), levels: [{ isvSvn: 6 }] }];
    expectVerified(await withTcbInfo({ modules: masked }));
  });

  it('TDX-14 judges a module of major version 0 by the one rule, whatever identity has that number', async () => {
    const modules = [{ id: 'TDX_00', mrSigner: new Uint8Array(48).fill(1), levels: [{ isvSvn: 200 }] }];
    const levels = [level({ tdxSvns: [6, 0, 8, ...new Array(13).fill(0)] })];
    const found = await withTcbInfo({ modules, levels }, 'UpToDate', at(6, 0, 8));
    expectVerified(found);
    expect(found.claims?.tcb).toMatchObject({ status: 'UpToDate', moduleStatus: null });
    expect(found.shortfalls).toEqual([]);
  });

  it('TDX-14 finds the identity by two hex digits, in either case', async () => {
    for (const id of ['TDX_0A', 'TDX_0a', 'tdx_0a']) {
      const modules = [{ id, levels: [{ isvSvn: 6 }] }];
      expectVerified(await withTcbInfo({ modules }, 'UpToDate', at(6, 10, 8)));
    }
    expectFailed(
      await withTcbInfo({ modules: [{ id: 'TDX_A', levels: [{ isvSvn: 6 }] }] }, 'UpToDate', at(6, 10, 8)),
      'tdx_module',
    );
  });

  it('TDX-11 denies a module below every level, and names it', async () => {
    const found = await withTcbInfo({ moduleLevels: [{ isvSvn: 7 }] });
    expectFailed(found, 'tdx_tcb_level_unsupported');
    expect(found.claims?.tcb).toMatchObject({
      status: null,
      platformStatus: 'UpToDate',
      moduleStatus: null,
      date: null,
    });
    expect(found.checks.find(({ result }) => result === 'fail')).toMatchObject({
      expected: { 'TDX_01.isvsvn': 7 },
      actual: { 'TDX_01.isvsvn': 6 },
    });
  });
});

describe('statuses', () => {
  const words = [
    'UpToDate',
    'SWHardeningNeeded',
    'ConfigurationNeeded',
    'ConfigurationAndSWHardeningNeeded',
    'OutOfDate',
    'OutOfDateConfigurationNeeded',
  ];

  it.each(words)('TDX-12 claims %s, for a policy to judge', async (status) => {
    const found = await withTcbInfo({ status });
    expectVerified(found);
    expect(found.claims?.tcb).toMatchObject({ status, platformStatus: status });
  });

  it.each([
    ['the platform', { status: 'Revoked' }],
    ['the module', { moduleStatus: 'Revoked' }],
  ])('TDX-12 denies Revoked of %s, whatever the policy', async (_, tcbInfo) => {
    const found = await withTcbInfo(tcbInfo);
    expectFailed(found, 'tdx_tcb_status');
    expect(found.claims?.tcb.status).toBe('Revoked');
  });

  it.each<[string, TcbInfo, string]>([
    ['the platform', { status: 'Fine' }, 'UpToDate'],
    ['the platform, which only the merge makes', { status: 'TDRelaunchAdvised' }, 'UpToDate'],
    ['the platform in another case', { status: 'uptodate' }, 'UpToDate'],
    ['the module', { moduleStatus: 'SWHardeningNeeded' }, 'UpToDate'],
    ['the QE', {}, 'ConfigurationNeeded'],
  ])('TDX-12 denies a word that Intel does not define for %s', async (_, tcbInfo, qeStatus) => {
    expectFailed(await withTcbInfo(tcbInfo, qeStatus), 'tdx_tcb_status');
  });

  it('TDX-27 denies a word that Intel does not define at the level that SGX alone reaches', async () => {
    const behind = level({ tdxSvns: [5, 0, 9, ...new Array(13).fill(0)] });
    const reached = level({ status: 'SWHardeningNeeded' });
    const found = await withTcbInfo({ levels: [{ ...behind, status: 'Fine' }, reached] });
    expectFailed(found, 'tdx_tcb_status');
    expect(found.checks.find(({ result }) => result === 'fail')).toMatchObject({ actual: 'Fine' });
    expect(found.claims?.tcb).toMatchObject({ status: 'Fine', platformStatus: 'SWHardeningNeeded' });
    expectVerified(await withTcbInfo({ levels: [{ ...behind, status: 'OutOfDate' }, reached] }));
    // of a level that neither reaches, no word is looked at
    expectVerified(await withTcbInfo({ levels: [level({ sgxSvns: svns(9), status: 'Fine' }), reached] }));
  });

  const outOfDate: ReadonlyMap<string, string> = new Map([
    ['UpToDate', 'OutOfDate'],
    ['SWHardeningNeeded', 'OutOfDate'],
    ['ConfigurationNeeded', 'OutOfDateConfigurationNeeded'],
    ['ConfigurationAndSWHardeningNeeded', 'OutOfDateConfigurationNeeded'],
    ['OutOfDate', 'OutOfDate'],
    ['OutOfDateConfigurationNeeded', 'OutOfDateConfigurationNeeded'],
    ['Revoked', 'Revoked'],
  ]);

  it.each([...outOfDate])('TDX-13 merges %s with a part that is out of date to %s', (platform, merged) => {
    expect(merge(platform, 'OutOfDate')).toBe(merged);
    expect(merge(platform, 'Revoked')).toBe('Revoked');
    expect(merge(platform, 'UpToDate')).toBe(platform);
    expect(merge(platform, null)).toBe(platform);
  });

  it.each([
    ['module', { moduleStatus: 'OutOfDate' }, 'UpToDate', { moduleStatus: 'OutOfDate', qeStatus: 'UpToDate' }],
    ['QE', {}, 'OutOfDate', { moduleStatus: 'UpToDate', qeStatus: 'OutOfDate' }],
  ])('TDX-13 the worst one counts: %s out of date', async (_, tcbInfo, qeStatus, parts) => {
    const found = await withTcbInfo({ ...tcbInfo, status: 'ConfigurationNeeded' }, qeStatus);
    expectVerified(found);
    const status = 'OutOfDateConfigurationNeeded';
    expect(found.claims?.tcb).toMatchObject({ status, platformStatus: 'ConfigurationNeeded', ...parts });
  });

  it('TDX-12 knows the words of each place', () => {
    const known = { platform: 'UpToDate', sgx: 'UpToDate', module: null, qe: 'UpToDate' };
    expect(unknownWord(known)).toBeNull();
    expect(unknownWord({ ...known, platform: '' })).toBe('');
    expect(unknownWord({ ...known, sgx: 'toString' })).toBe('toString');
    expect(unknownWord({ ...known, module: 'ConfigurationNeeded' })).toBe('ConfigurationNeeded');
    expect(unknownWord({ ...known, qe: 'toString' })).toBe('toString');
  });
});

describe('relaunch of a TD', () => {
  const LAUNCHED = tee(5, 1, 6);
  const NOW = tee(6, 1, 8);
  const platform = new TdxPlatform({ pki: PKI, teeTcbSvn: LAUNCHED });
  const tdx = (third: number) => [5, 0, third, ...new Array(13).fill(0)];
  const GENUINE: TcbInfo = {
    levels: [level({ tdxSvns: tdx(8) }), level({ tdxSvns: tdx(6), status: 'OutOfDate' })],
    moduleLevels: [{ isvSvn: 6 }, { isvSvn: 4, status: 'OutOfDate' }],
  };
  const relaunch = (tcbInfo: TcbInfo = {}, teeTcbSvn2 = NOW, qeStatus = 'UpToDate', version: 4 | 5 = 5) =>
    verify({
      platform,
      quote: { version, fields: { teeTcbSvn2 } },
      collateral: { tcbInfo: { ...GENUINE, ...tcbInfo }, qeIdentity: { status: qeStatus } },
    });
  const statusOf = async (...args: Parameters<typeof relaunch>) => (await relaunch(...args)).claims?.tcb.status;

  it('TDX-12 is advised where only the module it was launched under is out of date', async () => {
    const found = await relaunch();
    expectVerified(found);
    expect(found.claims?.tcb).toMatchObject({
      status: 'TDRelaunchAdvised',
      platformStatus: 'OutOfDate',
      moduleStatus: 'OutOfDate',
    });
  });

  it.each(['ConfigurationNeeded', 'ConfigurationAndSWHardeningNeeded'])(
    'TDX-12 is advised beside configuration where the platform has %s',
    async (status) => {
      const levels = [level({ tdxSvns: tdx(8), status }), level({ tdxSvns: tdx(6), status: 'OutOfDate' })];
      expect(await statusOf({ levels })).toBe('TDRelaunchAdvisedConfigurationNeeded');
    },
  );

  it.each([
    ['the module that runs is below the newest', tee(5, 1, 8)],
    ['the microcode that runs is below the newest', tee(6, 1, 7)],
  ])('TDX-12 is not advised where %s', async (_, svn2) => {
    expect(await statusOf({}, svn2)).toBe('OutOfDate');
  });

  it('TDX-12 compares with the first TDX component where the module that runs has no identity', async () => {
    expect(await statusOf({}, tee(5, 0, 8))).toBe('TDRelaunchAdvised');
    expect(await statusOf({}, tee(4, 0, 8))).toBe('OutOfDate');
  });

  it('TDX-12 is not advised for a TD 1.0 body, or where the QE or the platform is out of date too', async () => {
    expect(await statusOf({}, NOW, 'UpToDate', 4)).toBe('OutOfDate');
    expect(await statusOf({}, NOW, 'OutOfDate')).toBe('OutOfDate');
    const levels = [level({ sgxSvns: svns(9) }), level({ tdxSvns: tdx(6), status: 'OutOfDate' })];
    expect(await statusOf({ levels })).toBe('OutOfDate');
  });

  it('TDX-14 denies where the module that runs has no identity in the collateral', async () => {
    const found = await relaunch({}, tee(6, 7, 8));
    expectFailed(found, 'tdx_module');
    expect(found.claims).toBeNull();
    expect(found.checks.find(({ result }) => result === 'fail')?.detail).toBe(
      'the collateral does not describe the TDX module that runs now',
    );
  });

  it('rests on the merge of platform and module', () => {
    const statuses = { platform: 'UpToDate', module: 'OutOfDate', qe: 'UpToDate', sgx: 'UpToDate' };
    expect(isModuleAloneOutOfDate(statuses)).toBe(true);
    expect(isModuleAloneOutOfDate({ ...statuses, module: 'UpToDate' })).toBe(false);
    expect(isModuleAloneOutOfDate({ ...statuses, platform: 'Revoked' })).toBe(false);
    // out of date for another TDX component than the module
    expect(isModuleAloneOutOfDate({ ...statuses, platform: 'OutOfDate', module: 'UpToDate' })).toBe(false);
    expect(relaunchStatus({ ...statuses, platform: 'ConfigurationNeeded' })).toBe(
      'TDRelaunchAdvisedConfigurationNeeded',
    );
  });
});
