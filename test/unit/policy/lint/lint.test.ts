import { describe, expect, it } from 'vitest';
import { SNP_PARTS } from '../../../../src/core/amd-lines.js';
import type { TokenRoute } from '../../../../src/core/evidence.js';
import type { JsonObject } from '../../../../src/core/json.js';
import type { KnownAuthorities } from '../../../../src/policy/akv/lint-authority.js';
import { BUILT_IN_POLICIES } from '../../../../src/policy/document/built-in-policies.js';
import { parsePolicy } from '../../../../src/policy/document/policy-document.js';
import { lintedIn, lintPolicy } from '../../../../src/policy/lint/lint.js';
import { PUBLISHED_FLOORS } from '../../../../src/policy/lint/published-floors.js';
import { MEASUREMENT, PCR_7, policyText } from '../fixture.js';
import { releasePolicy } from '../rule-flips.js';

const OPTIONS = {
  at: new Date('2026-06-01T12:00:00Z'),
  knownAuthorities: (issuer: string) => issuer === 'https://sharedweu.weu.attest.azure.net',
  manyIssuers: [],
};
const VM_ID = '7DF7B373-B947-4AAA-96E5-C358F2A03D20';
const FLOORS = { minimums: { snp: { Milan: { snp: 24, microcode: 219 } } } };
const AZURE = { accepts: ['az-snp-vtpm'], ...FLOORS };
const BARE = { accepts: ['snp'], ...FLOORS };

/** Severity, code and place of every problem. */
function lint(members: JsonObject): readonly string[] {
  return lintPolicy(policyText(members), OPTIONS).map(
    ({ severity, code, pointer }) => `${severity} ${code} ${pointer}`,
  );
}

describe('the lint of a text that is no policy', () => {
  it.each([
    ['a /verify body', { evidence: { type: 'snp' }, nonce: 'AAAA' }, /^is a \/verify body, and no policy: /],
    ['a test', { policy: 'payments', cases: [] }, /^is a test of a policy, and no policy: /],
    ['an answer', { decision: 'deny', evidence: {}, checks: [] }, /^is an answer of \/verify, and no policy: /],
    ['a request', { text: 'id: payments', claims: {} }, /^is a request about a policy, and no policy: /],
    ['a configuration', { listen: { port: 0 } }, /^is a configuration, and no policy: /],
    ['a configuration without listen', { policies: { default: 'payments' } }, /^is a configuration, and no policy: /],
  ])('says that it is %s, once', (_what, document, message) => {
    expect(lintPolicy(JSON.stringify(document), OPTIONS)).toEqual([
      {
        code: 'policy_schema',
        pointer: '',
        message: expect.stringMatching(message),
        remedy: 'Correct the text as the message says; its members were not looked at.',
        severity: 'error',
      },
    ]);
  });

  it('says of a policy with such a member that the member is unknown', () => {
    expect(lint({ evidence: {} })).toEqual(['error policy_schema /evidence']);
  });
});

describe('the lint of a policy', () => {
  it('finds nothing in the built-in policies', () => {
    for (const { text } of BUILT_IN_POLICIES) expect(lintPolicy(text, OPTIONS)).toEqual([]);
  });

  it('says what is wrong, where, and what to do', () => {
    expect(lintPolicy('apiVersion: veritee/v1\nid: [', OPTIONS)).toEqual([
      expect.objectContaining({ code: 'policy_schema', severity: 'error', message: expect.stringContaining('line ') }),
    ]);
    expect(lintPolicy(policyText({ ...BARE, secureboot: 'required' }), OPTIONS)).toEqual([
      {
        code: 'policy_schema',
        pointer: '/secureboot',
        message: 'unknown key; did you mean secureBoot?',
        remedy: 'Correct the member as the message says; docs/policy.md lists every member and its values.',
        severity: 'error',
      },
    ]);
    expect(lint({ ...BARE, require: { tdx: { septVeDisable: true } } })).toEqual([
      'error policy_member_unused /require/tdx/septVeDisable',
    ]);
    expect(lint({ ...BARE, rules: [{ id: 'one', cel: 'snp.vmpll == 0' }] })).toEqual(['error rule_type /rules/0/cel']);
  });

  it('warns of a policy for Azure that pins no boot at all', () => {
    expect(lint(AZURE)).toEqual(['warning boot_unpinned ']);
    expect(lint({ ...AZURE, secureBoot: 'required' })).toEqual([]);
    expect(lint({ ...AZURE, referenceValues: [{ tpm: { pcrs: { sha256: { '7': [PCR_7] } } } }] })).toEqual([]);
    expect(lint({ ...AZURE, rules: [{ id: 'boot', cel: "tpm.pcrs.sha256['7'].startsWith('e5')" }] })).toEqual([]);
    expect(lint({ ...AZURE, rules: [{ id: 'boot', cel: 'tpm.eventLog.secureBoot' }] })).toEqual([]);
    expect(lint({ ...AZURE, rules: [{ id: 'clock', cel: 'tpm.clock.safe' }] })).toEqual(['warning boot_unpinned ']);
    expect(lint(BARE)).toEqual([]);
  });

  it('warns of each set of reference values that leaves the boot open, since sets are alternatives', () => {
    const pinned = { tpm: { pcrs: { sha256: { '7': [PCR_7] } } } };
    const open = { snp: { idKeyDigest: [MEASUREMENT] } };
    const launch = { snp: { measurement: [MEASUREMENT] } };
    const sets = (...referenceValues: readonly JsonObject[]) => lint({ ...AZURE, referenceValues });
    expect(sets(pinned, pinned)).toEqual([]);
    expect(sets(pinned, open)).toEqual(['warning boot_unpinned /referenceValues/1']);
    expect(sets(open, pinned, { ...open, ...pinned }, { hcl: { vmUniqueId: [VM_ID] } })).toEqual([
      'warning boot_unpinned /referenceValues/0',
      'warning boot_unpinned /referenceValues/3',
    ]);
    expect(sets(launch, open, pinned)).toEqual([
      'warning launch_only_paravisor /referenceValues/0/snp/measurement',
      'warning boot_unpinned /referenceValues/1',
    ]);
    const withSecureBoot = { ...AZURE, secureBoot: 'required', referenceValues: [pinned, open] };
    expect(lint(withSecureBoot)).toEqual([]);
  });

  it('passes over sets that no evidence with a paravisor can match', () => {
    const pinned = { tpm: { pcrs: { sha256: { '7': [PCR_7] } } } };
    const both = { accepts: ['az-snp-vtpm', 'tdx'], minimums: { ...FLOORS.minimums, tdx: 'any' } };
    const ofTd = { tdx: { mrtd: [MEASUREMENT] } };
    expect(lint({ ...both, referenceValues: [pinned, ofTd] })).toEqual([]);
    expect(lint({ ...both, referenceValues: [ofTd] })).toEqual([]);
    const genoa = { appliesTo: { product: 'Genoa' }, snp: { measurement: [MEASUREMENT] } };
    expect(lint({ ...AZURE, referenceValues: [pinned, genoa] })).toEqual([]);
    const milan = { ...genoa, appliesTo: { product: 'Milan' } };
    expect(lint({ ...AZURE, referenceValues: [pinned, milan] })).toEqual([
      'warning launch_only_paravisor /referenceValues/1/snp/measurement',
    ]);
  });

  it.each<[string, JsonObject, boolean]>([
    ['PCR 15', { pcrs: { sha256: { '15': [PCR_7] } } }, true],
    ['PCR 17, which no boot extends', { pcrs: { sha256: { '17': [PCR_7] } } }, false],
    ['applications', { boot: { applications: [PCR_7] } }, true],
    ['files', { boot: { files: [PCR_7] } }, true],
    ['dbx, which is no list of what was booted', { boot: { dbx: [PCR_7] } }, false],
  ])('takes a set by what it has of the boot: %s', (_, tpm, pins) => {
    expect(lint({ ...AZURE, referenceValues: [{ tpm }] })).toEqual(
      pins ? [] : ['warning boot_unpinned /referenceValues/0'],
    );
  });

  it.each<[string, boolean]>([
    [`tpm.pcrs.sha256['0'] == '${PCR_7}'`, true],
    [`tpm.pcrs.sha256['15'] == '${PCR_7}'`, true],
    [`tpm.pcrs.sha256['16'] == '${PCR_7}'`, false],
    [`tpm.pcrs.sha256['23'] != '${PCR_7}'`, false],
    [`tpm.pcrs.sha256['23'] != '${PCR_7}' && tpm.pcrs.sha256['4'] == '${PCR_7}'`, true],
    ['has(tpm.eventLog.files)', false],
    [`tpm.eventLog.files.all(f, f in ['${PCR_7}'])`, true],
    [`'${PCR_7}' in tpm.eventLog.applications`, true],
    ["tpm.eventLog.commandLines.exists(c, c == 'quiet')", true],
    ['size(tpm.eventLog.replayed) > 0', false],
    [`tpm.eventLog.dbx == '${PCR_7}'`, false],
  ])('takes a rule by the claims that it compares: %s', (cel, pins) => {
    expect(lint({ ...AZURE, rules: [{ id: 'boot', cel }] })).toEqual(pins ? [] : ['warning boot_unpinned ']);
  });

  it('warns of a launch measurement that is pinned alone behind a paravisor', () => {
    const snp = { snp: { measurement: [MEASUREMENT] } };
    expect(lint({ ...AZURE, referenceValues: [snp] })).toEqual([
      'warning launch_only_paravisor /referenceValues/0/snp/measurement',
    ]);
    const boot = { tpm: { pcrs: { sha256: { '7': [PCR_7] } } } };
    expect(lint({ ...AZURE, referenceValues: [{ ...snp, ...boot }] })).toEqual([]);
    expect(lint({ ...BARE, referenceValues: [snp] })).toEqual([]);
    const tdx = { accepts: ['az-tdx-vtpm'], minimums: 'any', referenceValues: [{ tdx: { mrtd: [MEASUREMENT] } }] };
    expect(lint(tdx)).toEqual(['warning launch_only_paravisor /referenceValues/0/tdx/mrtd']);
  });

  it('warns of minimums below those that AMD publishes', () => {
    const minimums = (floor: JsonObject) => ({ accepts: ['snp'], minimums: { snp: { Milan: floor } } });
    expect(lint(minimums({ snp: 24, microcode: 219 }))).toEqual([]);
    expect(lint(minimums({ snp: 23, microcode: 219 }))).toEqual(['warning snp_floor_low /minimums/snp/Milan']);
    expect(lint(minimums({ snp: 24, microcode: 218 }))).toEqual(['warning snp_floor_low /minimums/snp/Milan']);
    expect(lint(minimums({ snp: 24 }))).toEqual(['warning snp_floor_low /minimums/snp/Milan']);
    expect(lint({ accepts: ['snp'], minimums: 'any' })).toEqual(['warning snp_floor_low /minimums']);
    expect(lint({ accepts: ['snp'], minimums: { snp: 'any' } })).toEqual(['warning snp_floor_low /minimums/snp']);
    expect(lint({ accepts: ['tdx'], minimums: 'any' })).toEqual([]);
  });

  it('has the floors of the baseline for every part', () => {
    expect([...PUBLISHED_FLOORS.keys()]).toEqual([...SNP_PARTS]);
    const baseline = BUILT_IN_POLICIES.find(({ id }) => id === 'azure-cvm-baseline');
    expect(baseline?.minimums.snp).toEqual(Object.fromEntries(PUBLISHED_FLOORS));
  });

  it.each([
    ['2026-06-01', ['warning expiry_near /waivers/0'], 'the waiver of crl_unavailable ended, on 2026-06-01'],
    [
      '2026-06-02',
      ['warning expiry_near /waivers/0'],
      'the waiver of crl_unavailable ends in less than a day, on 2026-06-02',
    ],
    ['2026-06-03', ['warning expiry_near /waivers/0'], 'the waiver of crl_unavailable ends in 1 day, on 2026-06-03'],
    ['2026-06-11', ['warning expiry_near /waivers/0'], 'the waiver of crl_unavailable ends in 9 days, on 2026-06-11'],
    ['2027-01-01', [], undefined],
  ])('DEC-14 warns of a waiver that ends on %s', (expires, expected, message) => {
    const waiver = { check: 'crl_unavailable', reason: 'planned', approver: 'ops', expires };
    const members = { ...BARE, waivers: [waiver] };
    expect(lint(members)).toEqual(expected);
    expect(lintPolicy(policyText(members), OPTIONS)[0]?.message).toBe(message);
  });

  it('warns of a rule that some accepted evidence never meets', () => {
    const members = { accepts: ['snp', 'tdx'], minimums: { ...FLOORS.minimums, tdx: 'any' } };
    expect(lint({ ...members, rules: [{ id: 'one', cel: 'snp.vmpl == 0' }] })).toEqual([
      'warning rule_never /rules/0/cel',
    ]);
  });

  it('lints the release policy of a rule', () => {
    const akv = releasePolicy('azure-compliant-cvm', 'https://other.weu.attest.azure.net/');
    expect(lint({ ...BARE, routes: { maa: 'required' }, rules: [{ id: 'one', akv }] })).toEqual([
      'error akv_authority /rules/0/akv/anyOf/0/authority',
      'warning akv_slash /rules/0/akv/anyOf/0/authority',
      'warning akv_no_debug /rules/0/akv/anyOf/0',
    ]);
  });

  it('knows the issuers of the tokens that a rule is judged on', () => {
    const portal = 'https://portal.trustauthority.intel.com';
    const akv = { version: '1.0.0', anyOf: [{ authority: portal, allOf: [{ claim: 'dbgstat', equals: 'disabled' }] }] };
    const knownAuthorities: KnownAuthorities = (issuer, route) => route === 'ita' && issuer === portal;
    const codes = (text: string) => lintPolicy(text, { ...OPTIONS, knownAuthorities }).map(({ code }) => code);
    const judgedOn = (routes: JsonObject) =>
      codes(policyText({ accepts: ['tdx'], minimums: 'any', routes, rules: [{ id: 'release', akv }] }));
    expect(judgedOn({ ita: 'required' })).toEqual([]);
    expect(judgedOn({ ita: 'optional', maa: 'required' })).toEqual([]);
    expect(judgedOn({ maa: 'required' })).toEqual(['akv_authority']);
    expect(codes(JSON.stringify(akv))).toEqual(['akv_authority']);
  });

  it('lints a text that is a release policy and nothing else', () => {
    const problems = lintPolicy(JSON.stringify(releasePolicy('azure-compliant-cvm')), OPTIONS);
    expect(problems.map(({ code, pointer }) => `${code} ${pointer}`)).toEqual(['akv_no_debug /anyOf/0']);
  });

  it('names what belongs to a release policy and is none', () => {
    const [problem, ...more] = lintPolicy(JSON.stringify({ claims: [[{ claim: 'a', equals: 'b' }]] }), OPTIONS);
    expect(more).toEqual([]);
    expect(problem).toMatchObject({ code: 'policy_schema', message: expect.stringContaining('is an import list') });
  });

  it('has remedies that name the page which helps', () => {
    const remedyOf = (text: string) => lintPolicy(text, OPTIONS).map(({ code, remedy }) => `${code}: ${remedy}`);
    const ofText = 'policy_schema: Correct the text as the message says; its members were not looked at.';
    const ofRelease =
      'policy_schema: Correct the member as the message says; docs/release-policies.md has the grammar of release policies.';
    expect(remedyOf('{"version": "1.0.0", "anyOf": []}')).toEqual([ofRelease]);
    const akv = { version: '1.0.0', anyOf: [] };
    expect(remedyOf(policyText({ accepts: ['maa-token'], rules: [{ id: 'one', akv }] }))).toContain(ofRelease);
    expect(remedyOf('id: "a')).toEqual([ofText]);
    expect(remedyOf('')).toEqual([ofText]);
    expect(lintPolicy('a: 1', { ...OPTIONS, format: 'json' })).toMatchObject([{ remedy: ofText.slice(15) }]);
    expect(remedyOf(policyText({ ...BARE, rules: [{ id: 'one', cel: 'snp.vmpll == 0' }] }))).toEqual([
      'rule_type: Correct the expression as the message says; docs/claims.md lists every claim and its type.',
    ]);
  });

  it('refuses a release policy that begins as JSON and is none, since Key Vault takes JSON alone', () => {
    const text = `\n${JSON.stringify(releasePolicy('azure-compliant-cvm'), null, 2).replace(/\n}$/, ',\n}')}`;
    const line = text.split('\n').length;
    expect(lintPolicy(text, OPTIONS)).toEqual([
      expect.objectContaining({
        code: 'policy_schema',
        pointer: '',
        severity: 'error',
        message: `line ${line}: is not JSON, and Key Vault takes nothing else, from column 1 on: there is a comma too many before }`,
      }),
    ]);
    expect(() => parsePolicy(text, { releasePolicyId: 'disk-key' })).toThrow(`line ${line}: is not JSON`);
  });

  it('reads a release policy in the style of YAML, and one within a policy, in whatever form', () => {
    const akv = releasePolicy('azure-compliant-cvm');
    expect(codesOf(`version: 1.0.0\nanyOf: ${JSON.stringify(akv['anyOf'])}`)).not.toContain('policy_schema');
    const members = { accepts: ['maa-token'], routes: { hardware: 'off' }, rules: [{ id: 'one', akv }] };
    expect(codesOf(policyText(members).replace(/}$/, ',}'))).not.toContain('policy_schema');
  });
});

function codesOf(text: string): readonly string[] {
  return lintPolicy(text, OPTIONS).map(({ code }) => code);
}

describe('the lint of issuers', () => {
  const found = (members: JsonObject, manyIssuers: readonly TokenRoute[] = ['maa', 'ita']) =>
    lintPolicy(policyText(members), { ...OPTIONS, manyIssuers })
      .filter(({ code }) => code === 'token_issuer_unnamed')
      .map(({ severity, pointer, message }) => [severity, pointer, /route (\w+)/.exec(message)?.[1]]);

  it('TOK-31 warns of a policy that names none of several issuers, for each route that it sees', () => {
    expect(found({ ...AZURE, routes: { maa: 'optional' } })).toEqual([['warning', '', 'maa']]);
    const tokens = { accepts: ['maa-token'], minimums: 'any', routes: { hardware: 'off' } };
    expect(found({ ...tokens, require: { maa: { complianceStatus: ['azure-compliant-cvm'] } } })).toEqual([
      ['warning', '/require/maa', 'maa'],
    ]);
    const tds = { accepts: ['tdx'], minimums: { tdx: { acceptedStatuses: ['UpToDate'] } } };
    expect(found({ ...tds, routes: { maa: 'required', ita: 'required' } }).map(([, , route]) => route)).toEqual([
      'maa',
      'ita',
    ]);
  });

  it('TOK-31 twin: is silent where the policy names issuers, sees no token, or one issuer is configured', () => {
    const named = { routes: { maa: 'optional' }, require: { maa: { issuers: ['https://own.weu.attest.azure.net'] } } };
    expect(found({ ...AZURE, ...named })).toEqual([]);
    expect(found(AZURE)).toEqual([]);
    expect(found({ ...AZURE, routes: { maa: 'optional' } }, [])).toEqual([]);
    const bare = lintPolicy(JSON.stringify(releasePolicy('azure-compliant-cvm')), { ...OPTIONS, manyIssuers: ['maa'] });
    expect(bare.map(({ code }) => code)).not.toContain('token_issuer_unnamed');
  });
});

describe('the lint of a problem in a file', () => {
  it('keeps the severity and remedy of the problem', () => {
    const own = { severity: 'warning', remedy: 'Correct it.' } as const;
    const problem = { code: 'rule_never', pointer: '/rules/0/cel', line: 3, message: 'is never true', ...own } as const;
    expect(lintedIn('a.yaml', problem)).toEqual({
      code: 'rule_never',
      pointer: '/rules/0/cel',
      message: 'a.yaml:3: is never true',
      ...own,
    });
  });

  it('twin: without them has those of its code', () => {
    expect(lintedIn('a.yaml', { code: 'rule_never', pointer: '', message: 'is never true' })).toEqual({
      code: 'rule_never',
      pointer: '',
      message: 'a.yaml: is never true',
      severity: 'error',
      remedy: 'Correct the rule: with it the policy never allows.',
    });
  });
});
