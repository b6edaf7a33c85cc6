import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { combinationOf } from '../../../../src/policy/learn/combination.js';
import { bootGap, LEARNED_VALUES, type Seen, unshownMembers } from '../../../../src/policy/learn/learned-values.js';
import { azClaims, eventLogClaims, hclClaims, snpClaims, tdxClaims, tpmClaims } from '../fixture.js';
import { situationsOf } from './situations.js';

const LAUNCH = ['snp.measurement', 'snp.idKeyDigest', 'snp.hostData', 'snp.vmpl'];
const CONFIGURATION = ['tdx.mrConfigId', 'tdx.mrOwner', 'tdx.mrOwnerConfig'];
const RTMRS = ['tdx.rtmr0', 'tdx.rtmr1', 'tdx.rtmr2', 'tdx.rtmr3'];
const BOOT = ['applications', 'commandLines', 'files', 'db', 'dbx'];
const PCRS = [0, 2, 3, 4, 6, 7].map((index) => `tpm.pcrs.sha256.${index}`);
const ofBoot = (section: string) => BOOT.map((name) => `${section}.boot.${name}`);

function seen(name: Exclude<keyof ReturnType<typeof situationsOf>, never>): Seen {
  const given = situationsOf()[name];
  return { type: 'type' in given ? given.type : 'az-snp-vtpm', claims: given.claims };
}

const learnedOf = (given: Seen) => combinationOf(given, null).members.map(({ path }) => path);

describe('what is learned', () => {
  it.each([
    ['azureSnp', 'the boot by PCRs alone', PCRS],
    ['snpWithLog', 'the boot by its event log, and no PCR', ofBoot('tpm')],
    ['unknown', 'the launch too, since nothing else says which paravisor it is', [...LAUNCH, ...PCRS]],
    ['azureTd', 'no MRTD of a paravisor that is known, and no RTMR', [...CONFIGURATION, ...PCRS]],
    ['bareSnp', 'the launch, both keys included', [...LAUNCH.slice(0, 2), 'snp.authorKeyDigest', ...LAUNCH.slice(2)]],
    ['bareTd', 'launch, configuration and RTMRs', ['tdx.mrtd', ...CONFIGURATION, ...RTMRS]],
    ['tdWithLog', 'launch and boot, and no RTMR', ['tdx.mrtd', ...CONFIGURATION, ...ofBoot('tdx')]],
    ['vtpm', 'the boot', PCRS],
  ] as const)('of %s is %s', (name, _title, members) => {
    expect(learnedOf(seen(name))).toEqual(members);
  });

  it('has no key where nothing is signed', () => {
    const claims = { snp: snpClaims({ idKeyDigest: '00'.repeat(48), authorKeyDigest: 'c3'.repeat(48) }) };
    expect(learnedOf({ type: 'snp', claims })).toEqual(['snp.measurement', 'snp.hostData', 'snp.vmpl']);
  });

  it('is no launch of a known paravisor where the quote leaves out a PCR: it changes with the paravisor', () => {
    const given: Seen = {
      type: 'az-snp-vtpm',
      claims: azClaims({ tpm: tpmClaims({ pcrs: { sha256: { '4': 'aa'.repeat(32) } } }) }),
    };
    expect(bootGap(given)?.code).toBe('tpm_pcr_not_quoted');
    expect(learnedOf(given)).toEqual(['tpm.pcrs.sha256.4']);
  });

  it('is nothing that differs between machines and starts, or that a guest can reset', () => {
    const never = /pcrs\.sha256\.(1|5|8|9|1\d|2\d)$|reset|clock|report|chip|ppid|mrSeam|vmUniqueId|familyId|imageId/i;
    expect(LEARNED_VALUES.filter(({ member }) => never.test(member))).toEqual([]);
  });

  it('leaves out what an event log does not show, or shows nothing of', () => {
    const eventLog = eventLogClaims({ commandLines: null, files: [], dbx: null });
    const given: Seen = { type: 'az-snp-vtpm', claims: azClaims({ tpm: tpmClaims({ eventLog }) }) };
    expect(learnedOf(given)).toEqual(['tpm.boot.applications', 'tpm.boot.db']);
    expect(unshownMembers(given)).toEqual(['tpm.boot.commandLines', 'tpm.boot.files', 'tpm.boot.dbx']);
  });

  it('has each item of a list once', () => {
    const eventLog = eventLogClaims({ files: ['f1'.repeat(32), 'f2'.repeat(32), 'f1'.repeat(32)] });
    const { members } = combinationOf({ type: 'tpm', claims: { tpm: tpmClaims({ eventLog }) } }, null);
    expect(members.find(({ path }) => path === 'tpm.boot.files')?.values).toEqual(['f1'.repeat(32), 'f2'.repeat(32)]);
  });
});

describe('what is booted', () => {
  const zero = '00'.repeat(48);
  it.each<[string, string | undefined, Seen]>([
    ['is in PCRs', undefined, seen('azureSnp')],
    ['is in the launch of bare evidence', undefined, seen('bareSnp')],
    ['is in RTMRs', undefined, seen('bareTd')],
    [
      'is in no report of a paravisor',
      'boot_unpinned',
      { type: 'snp', claims: { snp: snpClaims(), hcl: hclClaims() } },
    ],
    [
      'is in no RTMR that is zero',
      'boot_unpinned',
      { type: 'tdx', claims: { tdx: tdxClaims({ rtmr: [zero, zero, zero, zero] }) } },
    ],
    [
      'is in RTMRs of which one alone is not zero',
      undefined,
      { type: 'tdx', claims: { tdx: tdxClaims({ rtmr: [zero, zero, 'b2'.repeat(48), zero] }) } },
    ],
    [
      'is in no log without applications',
      'boot_unpinned',
      { type: 'tpm', claims: { tpm: tpmClaims({ eventLog: eventLogClaims({ applications: [] }) }) } },
    ],
    [
      'is in no log whose applications are not shown',
      'boot_unpinned',
      { type: 'tpm', claims: { tpm: tpmClaims({ eventLog: eventLogClaims({ applications: null }) }) } },
    ],
    [
      'is in no PCR that is zero',
      'boot_unpinned',
      { type: 'tpm', claims: { tpm: tpmClaims({ pcrs: { sha256: { '4': zero.slice(32) } } }) } },
    ],
    [
      'is in part in a quote of few PCRs',
      'tpm_pcr_not_quoted',
      { type: 'tpm', claims: { tpm: tpmClaims({ pcrs: { sha256: { '4': 'aa'.repeat(32) } } }) } },
    ],
  ])('%s', (_title, code, given) => {
    expect(bootGap(given)?.code).toBe(code);
  });
});

it('docs/policy.md lists the kinds of evidence with the members that are learned', () => {
  const text = readFileSync(new URL('../../../../docs/policy.md', import.meta.url), 'utf8');
  for (const { member, of } of LEARNED_VALUES) {
    const [, members = ''] =
      text
        .split('\n')
        .find((line) => line.startsWith(`| ${of} |`))
        ?.split(' | ') ?? [];
    const name = member.replace(/^t(?:dx|pm)\.boot\./, '').replace(/^tpm\.pcrs\.sha256\./, '');
    expect(members, member).toMatch(new RegExp(`\\b${name}\\b`));
  }
});
