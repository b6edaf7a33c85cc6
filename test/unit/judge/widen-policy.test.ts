import { describe, expect, it } from 'vitest';
import { parsePolicy as policyOf } from '../../../src/policy/document/policy-document.js';
import { azClaims, HOST_DATA, LEAST_OF_TDS, policy, snpClaims, tpmClaims } from '../policy/fixture.js';
import { situationsOf } from '../policy/learn/situations.js';
import { allows, learn, learned, runCases, setsOf } from './learn-fixture.js';

const { azureSnp: A, azureTd, bareSnp } = situationsOf();
const B = {
  claims: azClaims({ tpm: tpmClaims({ pcrs: { sha256: { ...tpmClaims().pcrs['sha256'], '4': 'b4'.repeat(32) } } }) }),
};

describe('a learned policy is widened by naming it with --from', () => {
  it('keeps its sets and comments, adds what is new, and raises the version', async () => {
    const before = await learned({ 'a.json': A });
    const { text, policy: own, changes, test } = await learned({ 'b.json': B }, { from: before.policy });
    expect([own.id, own.version]).toEqual(['least-learned', 2]);
    expect(setsOf({ text })).toEqual([...setsOf(before), ...setsOf(await learned({ 'b.json': B }))]);
    expect(text).toContain('# a.json (612e6a736f6e), 2026-06-01\n');
    expect(text).toMatch(
      /^# learned at .* from 1 piece of evidence, version 1, by veritee 1\.2\.3\n# widened at .*, version 2, /m,
    );
    expect([A, B].map((each) => allows(own, each))).toEqual([true, true]);
    expect(changes).toEqual([
      'version 2, was 1',
      'set 2 is new, from b.json: it differs from set 1 in tpm.pcrs.sha256.4',
    ]);
    for (const { expect: expected, found } of runCases(test, own).results) expect(found).toEqual(expected);
  });

  it('can be widened again, and is then what it would be at once', async () => {
    const third = {
      claims: azClaims({
        tpm: tpmClaims({ pcrs: { sha256: { ...tpmClaims().pcrs['sha256'], '7': 'c7'.repeat(32) } } }),
      }),
    };
    const one = await learned({ 'a.json': A });
    const two = await learned({ 'b.json': B }, { from: one.policy });
    const three = await learned({ 'c.json': third }, { from: two.policy });
    expect(setsOf(three)).toEqual(setsOf(await learned({ 'a.json': A, 'b.json': B, 'c.json': third })));
    expect(three.text.match(/^ {2}# \w\.json, /gm)).toEqual(['  # a.json, ', '  # b.json, ', '  # c.json, ']);
  });

  it('stays to the byte where nothing is new', async () => {
    const before = await learned({ 'a.json': A });
    const again = await learned({ 'a.json': A }, { from: before.policy });
    expect(again).toMatchObject({ text: before.text, isNew: false });
    expect(again.changes).toEqual(['version 1 stays as it is: nothing is new', 'a.json was allowed before, by set 1']);
  });

  it('names other evidence of a set that it has', async () => {
    const before = await learned({ 'a.json': A });
    const { text, changes } = await learned({ 'z.json': A }, { from: before.policy });
    expect(setsOf({ text })).toEqual(setsOf(before));
    expect(text).toMatch(/^ {2}# a\.json, .*\n {2}# z\.json, /m);
    expect(changes).toEqual(['version 2, was 1', 'set 1 was seen again, in z.json']);
  });

  it.each([
    ['of another set', { 'b.json': B }, ['set 1, as it is', 'set 2, as it is']],
    ['of a set that is seen again', { 'z.json': A }, ['set 1, as it is']],
  ])('has cases for sets that were there before, whose rules are met by claims %s', async (_, files, expected) => {
    const from = policy({ rules: [{ id: 'safe', cel: 'tpm.clock.safe' }] });
    const before = await learned({ 'a.json': A }, { from });
    const { policy: own, test, notes } = await learned(files, { from: before.policy });
    const { names, results } = runCases(test, own);
    expect(names.filter((name) => name.endsWith(', as it is'))).toEqual(expected);
    for (const { expect: expectedOf, found } of results) expect(found).toEqual(expectedOf);
    expect(notes.filter((note) => note.includes('without a case'))).toEqual([]);
  });

  it('leaves a set as somebody changed it, and adds nothing that it allows', async () => {
    const before = await learned({ 'a.json': A });
    const pcr = B.claims.tpm?.pcrs['sha256']?.['4'] ?? '';
    const changed = policyOf(before.text.replace(/( +)(- "aa.*\n)( +"6":)/, `$1$2$1- "${pcr}"\n$3`));
    const found = await learned({ 'b.json': B }, { from: changed });
    expect(found).toMatchObject({ isNew: false, text: changed.text });
  });

  it('lists a machine again that somebody removed, where it has nothing else to add', async () => {
    const before = await learned({ 'a.json': A }, { chips: true });
    const { chipId } = snpClaims();
    const changed = policyOf(before.text.replace(chipId, '44'.repeat(64)));
    const { policy: own, isNew } = await learned({ 'a.json': A }, { from: changed });
    expect([isNew, own.referenceValues.length]).toEqual([true, 1]);
    expect(own.require.snp?.machines?.chipId).toEqual(['44'.repeat(64), chipId]);
  });

  it('adds a set where one that somebody changed allows some of the evidence alone', async () => {
    const before = await learned({ 'a.json': A });
    const pinned = `    snp: { hostData: ["${HOST_DATA}"] }\n    tpm:`;
    const changed = policyOf(before.text.replace(/^ {4}tpm:/m, pinned));
    const other = { claims: { ...A.claims, snp: snpClaims({ hostData: '00'.repeat(32) }) } };
    expect([A, other].map((each) => allows(changed, each))).toEqual([true, false]);
    const { policy: own } = await learned({ 'a.json': A, 'c.json': other }, { from: changed });
    expect([own.referenceValues.length, allows(own, other)]).toEqual([2, true]);
  });

  it('is judged by all else of it: what was made stricter stays so', async () => {
    const before = await learned({ 'a.json': A });
    const stricter = policyOf(before.text.replace('referenceValues:', 'freshness: strict\nreferenceValues:'));
    const found = await learn({ 'b.json': { ...B, bound: ['tpm.extraData'] } }, { from: stricter });
    expect(found).toMatchObject({ outcome: 'deny', refusals: [expect.stringMatching(/^b\.json: nonce_stale: /)] });
  });

  it('does not take another type in, nor reference values of the policy before for its own', async () => {
    const before = await learned({ 'a.json': A });
    const found = await learn({ 's.json': bareSnp }, { from: before.policy });
    expect(found).toMatchObject({ refusals: [expect.stringMatching(/^s\.json: policy_evidence_type: /)] });
    const pinned = await learned({ 'a.json': A }, { from: { referenceValues: [{ snp: { hostData: [HOST_DATA] } }] } });
    await expect(learn({ 'b.json': B }, { from: pinned.policy })).rejects.toThrow(
      'from.yaml: was learned from least, which has reference values or machines of its own: name least with --from, and this file with -o',
    );
  });

  it('does not forget the machines of the policy before, where machines are learned too', async () => {
    const from = { require: { snp: { machines: { chipId: [snpClaims().chipId] } } } };
    const { policy: own } = await learned({ 'a.json': A }, { from, chips: true });
    const other = { claims: azClaims({ snp: snpClaims({ chipId: '44'.repeat(64) }) }) };
    await expect(learn({ 'b.json': other }, { from: own })).rejects.toThrow(
      'from.yaml: was learned from least, which has reference values or machines of its own: name least with --from, and this file with -o',
    );
    // Without --chips they stay in force as they are.
    const { policy: unlisted } = await learned({ 'a.json': A }, { from });
    const found = await learn({ 'b.json': other }, { from: unlisted });
    expect(found).toMatchObject({ outcome: 'deny', refusals: [expect.stringMatching(/^b\.json: snp_chip_id: /)] });
  });

  it('keeps what was accepted, and asks again', async () => {
    const from = { paravisor: 'any' };
    const file = { 'u.json': { claims: situationsOf().unknown.claims } };
    const before = await learned(file, { from, accept: ['hcl_paravisor_unknown'] });
    const other = {
      'v.json': { claims: { ...situationsOf().unknown.claims, snp: snpClaims({ measurement: '0d'.repeat(48) }) } },
    };
    expect((await learn(other, { from: before.policy })).outcome).toBe('deny');
    const { policy: own } = await learned({ 'b.json': B }, { from: before.policy });
    expect(own.description).toMatch(/; accepted: hcl_paravisor_unknown$/);
  });
});

describe('the file that is written', () => {
  const from = policy({
    accepts: ['az-snp-vtpm', 'az-tdx-vtpm'],
    minimums: 'any',
    require: { tdx: { septVeDisable: true } },
  });
  const there = (text: string) => ({ name: 'out.yaml', text });

  it('is widened under the policy that it was learned from, and takes another type in with what is asked of it', async () => {
    const before = await learned({ 'a.json': A }, { from });
    expect(before.policy.require.tdx).toBeNull();
    const { policy: own, changes } = await learned({ 'td.json': azureTd }, { from, output: there(before.text) });
    expect([own.version, own.accepts, own.require.tdx?.septVeDisable]).toEqual([
      2,
      ['az-snp-vtpm', 'az-tdx-vtpm'],
      true,
    ]);
    expect(changes.slice(0, 2)).toEqual(['version 2, was 1', 'accepts: az-tdx-vtpm is new']);
    expect([A, azureTd].map((each) => allows(own, each))).toEqual([true, true]);
  });

  it('demands what reference values of that policy do, each time', async () => {
    const pinning = policy({ referenceValues: [{ snp: { hostData: [HOST_DATA] } }] });
    const before = await learned({ 'a.json': A }, { from: pinning });
    const output = there(before.text);
    const { text } = await learned({ 'b.json': B }, { from: pinning, output });
    expect(setsOf({ text }).map(({ snp }) => snp)).toEqual([{ hostData: [HOST_DATA] }, { hostData: [HOST_DATA] }]);
    const other = { claims: { ...B.claims, snp: snpClaims({ hostData: '00'.repeat(32) }) } };
    expect((await learn({ 'c.json': other }, { from: pinning, output })).outcome).toBe('deny');
  });

  it('can be the policy that evidence is judged by: then it keeps its id', async () => {
    const { policy: own, changes } = await learned({ 'a.json': A }, { from, output: there(from.text) });
    expect([own.id, own.version, own.referenceValues.length]).toEqual(['least', 2, 1]);
    expect(changes.slice(0, 2)).toEqual([
      'version 2, was 1: out.yaml is replaced',
      expect.stringMatching(/^set 1 is new, from a\.json: /),
    ]);
  });

  it.each([
    [
      'is no learned policy',
      async () => policy({ id: 'own' }).text,
      {},
      /^out\.yaml: is there already, and policy learn did not write it/,
    ],
    [
      'was learned from another policy',
      async () => (await learned({ 'a.json': A })).text,
      {},
      /^out\.yaml: was learned from least version 1, which is not from\.yaml as it is now/,
    ],
    [
      'has members that somebody changed',
      async () =>
        (await learned({ 'a.json': A }, { from })).text.replace('minimums: any', 'minimums: any\nsecureBoot: required'),
      {},
      /^out\.yaml: has other members than it was learned with/,
    ],
    [
      'has another id',
      async () => (await learned({ 'a.json': A }, { from })).text,
      { id: 'other' },
      /^out\.yaml: has the id least-learned, and --id names another/,
    ],
    [
      'was learned without machines',
      async () => (await learned({ 'a.json': A }, { from })).text,
      { chips: true },
      /^out\.yaml: was learned without --chips: machines that it allows today would be refused; write another file$/,
    ],
    [
      'does not load',
      async () => `${(await learned({ 'a.json': A }, { from })).text}other: 1\n`,
      {},
      /^out\.yaml: line \d+: \/other: /,
    ],
  ] as const)('is refused where it %s', async (_title, text, asked, message) => {
    await expect(learn({ 'a.json': A }, { from, output: there(await text()), ...asked })).rejects.toThrow(message);
  });

  it.each([
    ['another file', false, 'name least with --from'],
    ['the learned one', true, 'name least with --from, and another file with -o'],
  ])('says where machines come from, where --from was learned without and -o is %s', async (_title, isSame, remedy) => {
    const { policy: own, text } = await learned({ 'a.json': A }, { from });
    const output = isSame ? there(text) : null;
    await expect(learn({ 'a.json': A }, { from: own, output, chips: true })).rejects.toThrow(
      `from.yaml: was learned without --chips: machines that it allows today would be refused; ${remedy}`,
    );
  });

  it('is refused where it is another learned policy than --from', async () => {
    const [one, two] = [await learned({ 'a.json': A }), await learned({ 'b.json': B })];
    await expect(learn({ 'a.json': A }, { from: one.policy, output: there(two.text) })).rejects.toThrow(
      'out.yaml: is another file than from.yaml, which is widened',
    );
  });
});

it('an id that is too long is cut before what is added to it', async () => {
  const { policy: own } = await learned({ 'td.json': azureTd }, { from: { ...LEAST_OF_TDS, id: 'a'.repeat(64) } });
  expect(own.id).toBe(`${'a'.repeat(56)}-learned`);
});
