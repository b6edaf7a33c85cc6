import { describe, expect, it } from 'vitest';
import { BUILT_IN_POLICIES } from '../../../src/policy/document/built-in-policies.js';
import { parsePolicy, parseStrictYaml } from '../../../src/policy/document/policy-document.js';
import { allows, judged, learn, learned, refused, runCases, setsOf } from '../judge/learn-fixture.js';
import { azClaims, check, eventLogClaims, LEAST_OF_TDS, policy, snpClaims, tpmClaims } from '../policy/fixture.js';
import { situationsOf } from '../policy/learn/situations.js';

const pcrs = (changes: { readonly [index: string]: string } = {}) => ({
  sha256: {
    ...Object.fromEntries(Array.from({ length: 24 }, (_, index) => [String(index), '0b'.repeat(32)])),
    ...changes,
  },
});
const machine = (changes: { readonly [index: string]: string } = {}, clock = 1) => ({
  claims: azClaims({
    tpm: tpmClaims({ pcrs: pcrs(changes), clock: { resetCount: clock, restartCount: 0, safe: true } }),
  }),
});
const A = machine();
const B = machine({ '4': 'b4'.repeat(32), '7': 'b7'.repeat(32) });

describe('combinations', () => {
  it('are a set each, and evidence that says the same is one set with both sources', async () => {
    const { text, policy: own, changes } = await learned({ 'a.json': A, 'again.json': machine({}, 9), 'b.json': B });
    expect(setsOf({ text })).toHaveLength(2);
    expect(text).toMatch(
      /^ {2}# a\.json, az-snp-vtpm evidence 612e6a736f6e, allowed at 2026-06-01T12:00:00\.000Z\n {2}# again\.json, /m,
    );
    expect(text).toContain('# a.json (612e6a736f6e), 2026-06-01 and 1 more\n');
    expect(text).toContain('# b.json (622e6a736f6e), 2026-06-01\n');
    expect([A, machine({}, 5), B].map((each) => allows(own, each))).toEqual([true, true, true]);
    expect(changes[0]).toMatch(/^set 1 is new, from a\.json, again\.json: Milan, tpm\.pcrs\.sha256\.0, /);
  });

  it('are the same where an event log has the same files in another order', async () => {
    const listing = (...files: readonly string[]) => ({
      claims: azClaims({ tpm: tpmClaims({ eventLog: eventLogClaims({ files }) }) }),
    });
    const [one, two, three] = ['f1', 'f2', 'f3'].map((byte) => byte.repeat(32)) as [string, string, string];
    expect(setsOf(await learned({ 'a.json': listing(one, two), 'b.json': listing(two, one) }))).toHaveLength(1);
    expect(setsOf(await learned({ 'a.json': listing(one, two), 'b.json': listing(two, three) }))).toHaveLength(2);
  });

  it('name a piece of evidence once, also where it is given in two files', async () => {
    // Its digest is made of the first 32 characters.
    const name = 'machine-'.repeat(4);
    const { text } = await learned({ [`${name}1`]: A, [`${name}2`]: A, 'b.json': A });
    expect(text.match(/^ {2}# .*(?=, az-snp-vtpm evidence)/gm)).toEqual([`  # ${name}1`, '  # b.json']);
    expect(text).toContain('from 2 pieces of evidence');
  });

  it('are never put together: neither PCR of one beside another of the other is allowed', async () => {
    const { policy: own } = await learned({ 'a.json': A, 'b.json': B });
    expect(allows(own, machine({ '4': 'b4'.repeat(32) }))).toBe(false);
    expect(allows(own, machine({ '7': 'b7'.repeat(32) }))).toBe(false);
  });

  it('of one TEE are not met by another', async () => {
    const { azureSnp, azureTd } = situationsOf();
    const from = policy({ accepts: ['az-snp-vtpm', 'az-tdx-vtpm'], minimums: 'any' });
    const other = { ...azureTd, claims: { ...azureTd.claims, tpm: tpmClaims({ pcrs: pcrs() }) } };
    const { policy: own } = await learned({ 'snp.json': azureSnp, 'td.json': other }, { from });
    expect(allows(own, azureSnp)).toBe(true);
    expect(allows(own, { ...azureSnp, claims: { ...azureSnp.claims, tpm: tpmClaims({ pcrs: pcrs() }) } })).toBe(false);
  });
});

describe('nothing is learned', () => {
  it('from evidence that is denied, with the code and the file', async () => {
    const { outcome, refusals } = await refused(
      { 'a.json': A },
      { from: { require: { snp: { minGuestSvn: 4_000_000 } } } },
    );
    expect(outcome).toBe('deny');
    expect(refusals).toEqual([
      expect.stringMatching(/^a\.json: snp_measurement: the evidence is not allowed by least \(deny\): /),
    ]);
  });

  it('from evidence that cannot be judged', async () => {
    const findings = [check('crl_unavailable', 'unavailable')];
    const found = await refused({ 'a.json': { ...A, findings, required: ['crl_unavailable'] } });
    expect(found).toMatchObject({
      outcome: 'indeterminate',
      refusals: [
        expect.stringMatching(/^a\.json: crl_unavailable: the evidence is not allowed by least \(indeterminate\)/),
      ],
    });
  });

  it('where the policy that was learned does not allow its own evidence', async () => {
    const judge: typeof judged = async (request, policies) => {
      const decision = await judged(request, policies);
      const isLearnt = policies.some(({ id }) => id !== 'least' && !id.startsWith('set-'));
      return isLearnt ? { ...decision, decision: 'indeterminate', reasons: ['crl_unavailable'] } : decision;
    };
    const { outcome, refusals } = await refused({ 'a.json': A }, { judge });
    expect(outcome).toBe('indeterminate');
    expect(refusals).toEqual([expect.stringMatching(/^a\.json: .*by what was learned from it \(indeterminate\)/)]);
  });

  it('from any file where one is refused, and all are named', async () => {
    const findings = [check('snp_debug', 'fail')];
    const { refusals } = await refused({ 'a.json': A, 'b.json': { ...B, findings }, 'c.json': { ...A, findings } });
    expect(refusals.map((line) => line.split(': ').slice(0, 2))).toEqual([
      ['b.json', 'snp_debug'],
      ['c.json', 'snp_debug'],
    ]);
  });

  it.each([
    ['debug', 'snp_debug', { allowDebug: true }, { findings: [check('snp_debug', 'fail')] }],
    ['an unknown paravisor', 'hcl_paravisor_unknown', { paravisor: 'any' }, { claims: situationsOf().unknown.claims }],
    ['a nonce in the quote alone', 'nonce_stale', {}, { bound: ['tpm.extraData'] }],
    ['no nonce', 'nonce_missing', { freshness: 'none' }, { nonce: { origin: 'none' } }],
    [
      'a waived finding',
      'snp_product_advisory',
      { waivers: [{ check: 'snp_product_advisory', reason: 'r', approver: 'a', expires: '2027-01-01' }] },
      {},
    ],
  ] as const)('from %s, unless it is accepted and then written down', async (_title, code, members, given) => {
    const file = { 'a.json': { ...A, ...given } as typeof A };
    const { outcome, refusals } = await refused(file, { from: members as never });
    expect([outcome, refusals]).toEqual([
      'deny',
      [
        expect.stringMatching(
          new RegExp(`^a\\.json: ${code}: the evidence is allowed .*; --accept ${code} learns from it nevertheless$`),
        ),
      ],
    ]);
    const { text, policy: own } = await learned(file, { from: members as never, accept: [code, 'nonce_scope'] });
    expect(text).toContain(`\n# accepted ${code} (--accept)\n`);
    expect(own.description).toBe(`Learned from evidence that least version 1 allows; accepted: ${code}`);
  });

  it('from a finding that is not accepted beside one that is', async () => {
    const findings = [check('snp_debug', 'fail')];
    const file = { 'a.json': { ...A, findings, nonce: { origin: 'none' } } as const };
    const from = { allowDebug: true, freshness: 'none' };
    const { outcome, refusals } = await refused(file, { from, accept: ['snp_debug'] });
    expect([outcome, refusals]).toEqual([
      'deny',
      [expect.stringMatching(/^a\.json: nonce_missing: the evidence is allowed /)],
    ]);
    const { text } = await learned(file, { from, accept: ['snp_debug', 'nonce_missing'] });
    expect(text).toMatch(/^# accepted snp_debug \(--accept\)$/m);
    expect(text).toMatch(/^# accepted nonce_missing \(--accept\)$/m);
  });

  it('where the quote leaves out a PCR of the boot and there is no log, unless that is accepted', async () => {
    const { '4': _, ...rest } = pcrs().sha256;
    const file = { 'a.json': { claims: azClaims({ tpm: tpmClaims({ pcrs: { sha256: rest } }) }) } };
    expect((await refused(file)).refusals).toEqual([
      'a.json: tpm_pcr_not_quoted: the evidence has no event log, and its quote leaves out PCR 4; --accept tpm_pcr_not_quoted learns from it nevertheless',
    ]);
    const { text } = await learned(file, { accept: ['tpm_pcr_not_quoted'] });
    expect(Object.keys((setsOf({ text })[0] as never)['tpm']['pcrs']['sha256'])).toEqual(['0', '2', '3', '6', '7']);
  });

  it('where nothing says what is booted, unless that is accepted: then the launch is pinned', async () => {
    const file = {
      'a.json': { claims: azClaims({ tpm: tpmClaims({ pcrs: { sha256: { '16': '00'.repeat(32) } } }) }) },
    };
    expect((await refused(file)).refusals).toEqual([
      expect.stringMatching(/^a\.json: boot_unpinned: the evidence has neither /),
    ]);
    const { text } = await learned(file, { accept: ['boot_unpinned'] });
    expect(Object.keys(setsOf({ text })[0] ?? {})).toEqual(['appliesTo', 'snp']);
  });

  it('from a token', async () => {
    const [, maa] = BUILT_IN_POLICIES;
    if (maa === undefined) throw new Error('no such policy');
    const from = { ...maa, require: { ...maa.require, maa: null } };
    const found = await learn(
      {
        'a.json': {
          type: 'maa-token',
          results: new Map([['maa', { state: 'verified' }]]),
          claims: situationsOf().token.claims,
        },
      },
      { from },
    );
    expect(found).toMatchObject({
      outcome: 'deny',
      refusals: [expect.stringMatching(/^a\.json: type_unsupported: the evidence is a token/)],
    });
  });

  it('where what was learned would not load', async () => {
    const { bareTd, azureTd } = situationsOf();
    const from = policy({ ...LEAST_OF_TDS, paravisor: 'known' });
    await expect(learn({ 'a.json': bareTd, 'b.json': azureTd }, { from })).rejects.toThrow(
      /the learned policy does not load: \/referenceValues\/0\/tdx\/rtmr0: describes the paravisor/,
    );
  });
});

describe('the members of the policy that evidence was judged by', () => {
  const strict = {
    accepts: ['snp', 'az-snp-vtpm', 'tdx', 'az-tdx-vtpm'],
    minimums: { snp: { Milan: { snp: 24 } }, tdx: { acceptedStatuses: ['UpToDate'] } },
    paravisor: 'known',
    freshness: 'strict',
    nonce: 'any',
    revocation: 'required',
    secureBoot: 'required',
    require: { snp: { minGuestSvn: 7 }, tdx: { septVeDisable: true }, tpm: { quotedPcrs: [7] } },
    rules: [{ id: 'privileged', cel: 'evidence.type == "az-snp-vtpm" ? snp.vmpl == 0 : true' }],
    waivers: [
      { check: 'tdx_tcb_status', value: 'OutOfDate', reason: 'r', approver: 'a', expires: '2027-01-01' },
      {
        check: 'snp_tcb_low',
        value: { part: 'Milan', floor: { snp: 20 } },
        reason: 'r',
        approver: 'a',
        expires: '2027-01-01',
      },
    ],
  };

  it('stay as they stand there, less what no learned type can be judged by', async () => {
    const { text } = await learned({ 'a.json': A }, { from: strict });
    const {
      referenceValues: _,
      id,
      version,
      description,
      ...members
    } = parseStrictYaml(text) as never as Record<string, unknown>;
    expect([id, version, description]).toEqual([
      'least-learned',
      1,
      'Learned from evidence that least version 1 allows',
    ]);
    const { tdx: __, ...require } = strict.require;
    const { tdx: ___, ...minimums } = strict.minimums;
    expect(members).toEqual({
      ...strict,
      apiVersion: 'veritee/v1',
      accepts: ['az-snp-vtpm'],
      minimums,
      require,
      waivers: [strict.waivers[1]],
    });
  });

  it.each(['paravisor', 'freshness', 'revocation', 'secureBoot', 'allowDebug', 'nonce', 'binding'] as const)(
    'are as strict as they were: %s',
    async (member) => {
      const from = policy(strict);
      const { policy: own } = await learned({ 'a.json': A }, { from });
      expect(own[member]).toEqual(from[member]);
    },
  );

  it('demand what their reference values do: values that were seen, and else all that were listed', async () => {
    const other = '0c'.repeat(48);
    const listed = snpClaims().measurement;
    const from = {
      referenceValues: [
        { snp: { measurement: [other] } },
        {
          snp: { measurement: [other, listed] },
          tpm: { pcrs: { sha256: { '1': ['0b'.repeat(32), '0a'.repeat(32)] } } },
        },
      ],
    };
    const { text } = await learned({ 'a.json': A }, { from });
    const [set] = setsOf({ text }) as never as readonly [
      { snp: unknown; tpm: { pcrs: { sha256: Record<string, unknown> } } },
    ];
    expect(set.snp).toEqual({ measurement: [listed] });
    expect(set.tpm.pcrs.sha256['1']).toEqual(['0b'.repeat(32), '0a'.repeat(32)]);
    expect(text).toContain('# of policy least\n');
    expect(text).toMatch(/^# which pins reference values/m);
  });
});

describe('warnings that do not stand against learning', () => {
  const findings = [check('crl_unavailable', 'unavailable')];
  const file = (given: typeof A) => ({ ...given, findings, required: ['crl_unavailable'] }) as typeof A;
  const from = { revocation: 'best-effort', minimums: 'any' };
  const headOf = (text: string) => text.split('\n').filter((line) => line.startsWith('# with the warning '));

  it('are each in the head of the policy once, and a note', async () => {
    const { text, notes } = await learned({ 'a.json': file(A), 'b.json': file(B) }, { from });
    expect(headOf(text)).toEqual([
      '# with the warning crl_unavailable',
      '# with the warning snp_product_advisory',
      '# with the warning snp_tcb_floor_missing',
    ]);
    expect(notes).toContainEqual(
      expect.stringMatching(/^a\.json, b\.json: learned with the warning crl_unavailable: as it is; /),
    );
    expect(notes.filter((note) => note.includes('learned with the warning'))).toHaveLength(3);
  });

  it('stay in the head where the policy is widened without them', async () => {
    const before = await learned({ 'a.json': file(A) }, { from });
    const { text, notes } = await learned({ 'b.json': B }, { from: before.policy });
    expect(headOf(text)).toContain('# with the warning crl_unavailable');
    expect(notes.join()).not.toContain('crl_unavailable');
  });

  it('are not written down a second time where they were accepted', async () => {
    const waivers = [{ check: 'snp_product_advisory', reason: 'r', approver: 'a', expires: '2027-01-01' }];
    const { text, notes } = await learned({ 'a.json': A }, { from: { waivers }, accept: ['snp_product_advisory'] });
    expect(headOf(text)).toEqual(['# with the warning snp_tcb_floor_missing']);
    expect(notes.join()).not.toContain('snp_product_advisory');
  });

  it('name three files, and count the others', async () => {
    const files = Object.fromEntries(
      ['1', '2', '3', '4', '5'].map((name) => [name, machine({ '4': name.repeat(64) })]),
    );
    const { notes } = await learned(files, { from: { minimums: 'any' } });
    expect(notes).toContainEqual(expect.stringMatching(/^1, 2, 3 and 2 more: learned with .* snp_tcb_floor_missing: /));
  });
});

describe('files of a boot', () => {
  const note = expect.stringMatching(
    /^a\.json: files that a boot loader reads can change .* grubenv of GRUB: start each machine once more, and learn again/,
  );

  it('are learned with a note that they can change from start to start', async () => {
    const { text, notes } = await learned({ 'a.json': situationsOf().snpWithLog, 'b.json': A });
    expect(notes).toContainEqual(note);
    expect(text).toContain('      files:\n');
  });

  it('are no matter where none is learned', async () => {
    const eventLog = eventLogClaims({ files: [] });
    const { notes } = await learned({ 'a.json': { claims: azClaims({ tpm: tpmClaims({ eventLog }) }) }, 'b.json': A });
    expect(notes).not.toContainEqual(note);
  });
});

describe('machines', () => {
  it('are listed only where that is asked for', async () => {
    expect((await learned({ 'a.json': A })).policy.require.snp).toBeNull();
    const { policy: own, notes } = await learned({ 'a.json': A }, { chips: true });
    expect(own.require.snp?.machines).toEqual({ chipId: [snpClaims().chipId], cspId: null });
    expect(notes.at(-1)).toMatch(/^--chips: /);
  });

  it('are added to those before, and nothing is known of them without --from', async () => {
    const other = { claims: azClaims({ ...A.claims, snp: snpClaims({ chipId: '44'.repeat(64) }) }) };
    const before = await learned({ 'a.json': A }, { chips: true });
    const { policy: own } = await learned({ 'b.json': other }, { from: before.policy });
    expect(own.require.snp?.machines?.chipId).toEqual([snpClaims().chipId, '44'.repeat(64)]);
    expect([A, other].map((each) => allows(own, each))).toEqual([true, true]);
  });
});

describe('the test that comes with a policy', () => {
  const { azureSnp, azureTd, bareSnp, bareTd, tdWithLog, snpWithLog, vtpm, unknown } = situationsOf();
  const SNP = { minimums: 'any', accepts: ['snp', 'az-snp-vtpm'] };
  it.each([
    ['Azure SEV-SNP', { A, B, azureSnp, snpWithLog }, SNP],
    ['SEV-SNP', { bareSnp }, SNP],
    ['Azure TDX', { azureTd }, LEAST_OF_TDS],
    ['TDX', { bareTd, tdWithLog }, LEAST_OF_TDS],
    ['a vTPM', { vtpm }, { accepts: ['tpm'], minimums: 'any', routes: { hardware: 'off' } }],
    ['an unknown paravisor', { unknown }, { ...SNP, paravisor: 'any' }],
    ['rules', { A }, { ...SNP, rules: [{ id: 'svn', cel: 'snp.guestSvn > 3 && hcl.vmConfiguration.secureBoot' }] }],
  ] as const)('passes, with a case in which each member fails: %s', async (_title, files, members) => {
    const { test, policy: own } = await learned(files, { from: members as never, accept: ['hcl_paravisor_unknown'] });
    const { file, results, names } = runCases(test, own);
    expect(file).toBe('learned.yaml');
    for (const { name, expect: expected, found } of results) expect([name, found]).toEqual([name, expected]);
    const denied = results.filter(({ found }) => found.outcome === 'deny');
    expect(names.filter((name) => name.endsWith('as it is'))).toHaveLength(own.referenceValues.length);
    expect(results.length - denied.length).toBe(own.referenceValues.length);
    expect(denied.length).toBeGreaterThanOrEqual(own.referenceValues.length + own.rules.length);
    expect(names.some((name) => name.includes('against rule'))).toBe(own.rules.length > 0);
    const testBefore = { name: 'learned.test.yaml', text: test ?? '' };
    const again = await learned(files, { from: members as never, accept: ['hcl_paravisor_unknown'], testBefore });
    expect(again.test).toBe(test);
  });

  it('says where another set makes up for a value', async () => {
    const { files: _, ...log } = eventLogClaims();
    const open = { claims: azClaims({ tpm: tpmClaims({ eventLog: { ...log, files: null } }) }) };
    const { test, policy: own, notes } = await learned({ 'a.json': snpWithLog, 'b.json': open });
    const { results, names } = runCases(test, own);
    for (const { expect: expected, found } of results) expect(found).toEqual(expected);
    expect(names).toContain('set 1, with another tpm.boot.files, which another set has');
    expect(notes).toContainEqual(expect.stringMatching(/^b\.json: its event log does not show tpm\.boot\.files/));
    expect(notes).toContainEqual(expect.stringMatching(/^\/referenceValues\/1\/tpm\/boot: commandLines without files/));
  });
});

it('names of files cannot end the comment that they stand in', async () => {
  const name = 'a.json\nallowDebug: true #\u2028\u202e';
  const { text, policy: own } = await learned({ [name]: A });
  expect(own.allowDebug).toBe(false);
  expect(text).not.toMatch(/^\s*allowDebug/m);
  expect(parsePolicy(text).referenceValues).toHaveLength(1);
});
