import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.js';
import { PolicyError } from '../../../../src/policy/document/policy-problem.js';
import { policy } from '../fixture.js';

const ALL_HARDWARE = { accepts: ['az-snp-vtpm', 'az-tdx-vtpm'], minimums: 'any' };

/** Codes and messages of a policy with one rule. */
function problemsOf(cel: string, members: JsonObject = ALL_HARDWARE): readonly string[] {
  try {
    policy({ ...members, rules: [{ id: 'one', cel }] });
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return error.policyProblems.map(({ code, pointer, message }) => `${code} ${pointer}: ${message}`);
  }
  return [];
}

const LISTS = 'snp.platformInfo.unknownBits';

/** Texts of rules that must not load: the code, and what the message has to say. */
const REFUSED: readonly (readonly [code: string, cel: string, says: string])[] = [
  // Not CEL.
  ['rule_type', 'snp.vmpl ==', 'is not a CEL expression at character 12'],
  ['rule_type', 'snp.vmpl = 0', 'is not a CEL expression at character 10: write =='],
  ['rule_type', 'snp.vmpl == 0 and snp.guestSvn >= 5', 'write &&'],
  ['rule_type', 'snp.vmpl == 0 & snp.guestSvn >= 5', 'write &&'],
  ['rule_type', 'snp.vmpl == 0 or snp.guestSvn >= 5', 'write ||'],
  ['rule_type', 'snp.vmpl == 0 | snp.guestSvn >= 5', 'write ||'],
  ['rule_type', 'not snp.policy.debug', 'write !'],
  ['rule_type', 'snp.vmpl <> 0', 'write !='],
  ['rule_type', "tpm.pcrs.sha256.7 == 'a'", 'a name that is a number stands in brackets and quotes: ["7"]'],
  ['rule_type', 'snp.vmpl == 0 &&', 'the expression ends too early'],
  ['rule_type', '(snp.vmpl == 0', 'the expression ends too early'],
  ['rule_type', 'snp.policy.debug == True', 'there are no claims of "True"; did you mean true?'],
  ['rule_type', 'snp.product == Milan', 'maa, ita; a text stands in quotes'],
  ['rule_type', "snp.product == 'Milan", 'is not a CEL expression'],
  ['rule_type', 'snp.vmpl == 0; true', 'is not a CEL expression'],
  ['rule_type', 'snp.?vmpl == 0', 'is not a CEL expression'],
  ['rule_type', '// nothing', 'is not a CEL expression'],
  // Names that no claim has.
  ['rule_type', 'snp.vmpll == 0', 'snp has no claim "vmpll"; did you mean vmpl?'],
  ['rule_type', 'sev.vmpl == 0', 'there are no claims of "sev"'],
  ['rule_type', 'has(snp.nope)', 'snp has no claim "nope"'],
  ['rule_type', 'has(snp.tcb.reported.ucode)', 'snp.tcb.reported has no claim "ucode"'],
  ['rule_type', 'has(snp)', 'has() takes the name of a claim'],
  ['rule_type', "has(tpm.pcrs.sha256['7'])", 'has() takes the name of a claim'],
  ['rule_type', 'has(1)', 'has() takes the name of a claim'],
  ['rule_type', 'snp.vmpl.value == 0', 'snp.vmpl is of type int, and has no members'],
  ['rule_type', "tpm.pcrs.sha256['77'] == 'a'", 'tpm.pcrs.sha256 has no claim "77"'],
  ['rule_type', "tpm.pcrs.sha256[7] == 'a'", 'write tpm.pcrs.sha256["7"]'],
  ['rule_type', "tpm.pcrs.sha1['7'] == 'a'", 'tpm.pcrs has no claim "sha1"'],
  ['rule_type', "tpm.pcrs.sha256[snp.product] == 'a'", 'the index of a claim is a text, written out'],
  ['rule_type', "maa.stated.complianceStatus == 'a'", 'maa has no claim "stated"'],
  ['rule_type', "maa.claims.unheard == 'a'", 'can only be compared as maa.claims["name"] == literal'],
  ['rule_type', "maa.claims['unheard'] != 'a'", 'can only be compared as maa.claims["name"] == literal'],
  ['rule_type', "maa.claims['unheard'] in ['a']", 'can only be compared as maa.claims["name"] == literal'],
  ['rule_type', "maa.claims['unheard'] == snp.product", 'can only be compared as maa.claims["name"] == literal'],
  ['rule_type', "maa.claims['unheard'] == 'a' || maa.claims['unheard'] == 1", 'is compared as two types'],
  ['rule_type', "maa.claims['__proto__'] == 'a'", 'no claim is named "__proto__"'],
  ['rule_type', 'hcl.vmConfiguration.unheard == true', 'hcl.vmConfiguration["name"] == literal'],
  [
    'rule_type',
    'hcl.vmConfiguration.secureboot',
    'compared as hcl.vmConfiguration["name"] == literal; did you mean hcl.vmConfiguration.secureBoot?',
  ],
  [
    'rule_type',
    "hcl.vmConfiguration.vmgsProvisionr.id == 'a'",
    'what is in it cannot be named; did you mean hcl.vmConfiguration.vmgsProvisioner?',
  ],
  ['rule_type', 'has(maa.claims.unheard)', 'has no claim "unheard" whose type is known'],
  ['rule_type', "maa.claims['unheard']['inner'] == 'a'", 'whose type is known: what is in it cannot be named'],
  // Names that are written otherwise in claims.
  ['rule_type', "hcl.vmConfiguration['secure-boot'] == true", 'did you mean hcl.vmConfiguration.secureBoot?'],
  ['rule_type', "true == hcl.vmConfiguration['secure-boot']", 'did you mean hcl.vmConfiguration.secureBoot?'],
  ['rule_type', "hcl.vmConfiguration['new-member'] == 1", 'did you mean hcl.vmConfiguration.newMember?'],
  [
    'rule_type',
    "maa.claims['x-ms-runtime']['vm-configuration'].secureBoot",
    'did you mean maa.claims["x-ms-runtime"]["vm-configuration"]["secure-boot"]?',
  ],
  // Claims of another type than a rule can have.
  ['rule_type', "maa.claims['x-ms-runtime']['keys'] == 'a'", '.keys is no claim of rules; binding is about keys'],
  ['rule_type', 'ita.claims.policy_ids_matched.exists(p, p == "a")', 'no claim of rules; require.ita.policyIds says'],
  ['rule_type', "ita.claims['policy_ids_unmatched'] == 'a'", 'no claim of rules; require.ita.policyIds says'],
  ['rule_type', "maa.claims['x-ms-runtime']['client-payload'] == 'a'", '== compares single values, and no object'],
  ['rule_type', "maa.claims['x-ms-runtime']['client-payload']['role'] == 1", 'is of type string, as all of maa.claims'],
  // Types.
  ['rule_type', '!([snp.vmpl, snp.guestSvn] in [[0, 1]])', 'a list has single values, and no lists or objects'],
  ['rule_type', '[snp.vmpl] in snp.platformInfo.unknownBits', 'in compares single values, and no list'],
  ['rule_type', '!(tpm.eventLog.files in [tpm.eventLog.files])', 'a list has single values, and no lists or objects'],
  ['rule_type', 'snp.tcb in [snp.tcb]', 'a list has single values, and no lists or objects'],
  ['rule_type', 'snp.tcb in snp.platformInfo.unknownBits', 'in compares single values, and no object'],
  ['rule_type', "'reported' in snp.tcb", 'in looks into a list'],
  ['rule_type', "snp.vmpl == '0'", 'the types do not fit: int == string'],
  ['rule_type', 'snp.vmpl == 0.0', 'the types do not fit: int == double'],
  ['rule_type', 'snp.policy.debug == 0', 'the types do not fit: bool == int'],
  ['rule_type', 'snp.policy.debug == "false"', 'the types do not fit: bool == string'],
  ['rule_type', "snp.vmpl in ['0']", 'the types do not fit'],
  ['rule_type', "snp.product in [1, 'a']", 'the types do not fit'],
  ['rule_type', 'snp.vmpl', 'is of type int, and a rule is true or false'],
  ['rule_type', 'snp.policy', 'a rule is true or false'],
  ['rule_type', '!snp.vmpl', 'the types do not fit'],
  ['rule_type', 'snp.policy.debug && snp.vmpl', 'the types do not fit'],
  ['rule_type', "snp.policy.debug ? true : 'no'", 'the types do not fit'],
  ['rule_type', 'snp.vmpl ? true : false', 'the types do not fit'],
  ['rule_type', 'snp.vmpl == null', 'no claim is null'],
  ['rule_type', 'snp.vmpl == 0u', 'rules have texts, integers, booleans and lists of them'],
  ['rule_type', "b'a' == b'a'", 'rules have texts, integers, booleans and lists of them'],
  ['rule_type', "snp.firmware.current >= '1.55.29'", '>= takes integers'],
  ['rule_type', 'snp.policy.debug < true', '< takes integers'],
  ['rule_type', '!snp.policy.debug < true', '< takes integers'],
  ['rule_type', '(snp.vmpl == 0) < true', '< takes integers'],
  ['rule_type', "snp.product.contains('M') < true", '< takes integers'],
  ['rule_type', '(snp.policy.debug ? snp.product : snp.part) < "Milan"', '< takes integers'],
  ['rule_type', "['Genoa', 'Milan'][1] < snp.product", '< takes integers'],
  ['rule_type', '[][0] < snp.vmpl', '< takes integers'],
  ['rule_type', `(snp.policy.debug ? ${LISTS} : [1]) == [1]`, '== compares single values, and no list'],
  ['rule_type', "snp.product + 'X' == 'MilanX'", '+ takes integers'],
  ['rule_type', 'snp.tcb.reported == snp.tcb.current', '== compares single values, and no object'],
  ['rule_type', `${LISTS} == [1]`, '== compares single values, and no list'],
  ['rule_type', `${LISTS}['0'] == 1`, 'is of type list, and has no members'],
  ['rule_type', `${LISTS}[-1] == 1`, 'the index of a list is a number'],
  ['rule_type', `[1].all(x, x == snp.vmpl)`, 'all() goes over a list of claims'],
  ['rule_type', 'snp.product.all(x, x == 1)', 'all() goes over a list of claims'],
  ['rule_type', `${LISTS}.all(x, x.y == 1)`, 'x has no members'],
  // Features that rules do not have.
  ['rule_function', "snp.product.matches('.*')", 'rules have no matches()'],
  ['rule_function', "dyn(snp.vmpl) == '0'", 'rules have no dyn()'],
  ['rule_function', 'type(snp.vmpl) == int', 'rules have no type()'],
  ['rule_function', "int('0') == snp.vmpl", 'rules have no int()'],
  ['rule_function', "timestamp('2026-01-01T00:00:00Z') == timestamp(snp.product)", 'rules have no timestamp()'],
  ['rule_function', "duration('1s') == duration('1s')", 'rules have no duration()'],
  ['rule_function', 'bytes(snp.product) == bytes(snp.part)', 'rules have no bytes()'],
  ['rule_function', "snp.product.lowerAscii() == 'milan'", 'rules have no lowerAscii()'],
  ['rule_function', 'cel.bind(x, snp.vmpl, x == 0)', 'rules have no bind()'],
  ['rule_function', `${LISTS}.map(x, x) == [1]`, 'rules have no map()'],
  ['rule_function', `${LISTS}.filter(x, x == 1) == [1]`, 'rules have no filter()'],
  ['rule_function', `${LISTS}.exists_one(x, x == 1)`, 'rules have no exists_one()'],
  ['rule_function', `${LISTS}.all(i, x, x == 1)`, 'all() takes a variable and a condition'],
  ['rule_function', "{'a': snp.vmpl}['a'] == 0", 'rules have no maps'],
  ['rule_function', "snp.product.json() == 'a'", 'rules have no json()'],
  // Bounds.
  ['rule_limit', `${'!'.repeat(20_000)}snp.policy.debug`, 'and may have 2048'],
  ['rule_limit', `snp.product == '${'é'.repeat(1024)}'`, 'and may have 2048'],
  ['rule_limit', `${'!'.repeat(1800)}snp.policy.debug`, 'exceeded'],
  ['rule_limit', `${'('.repeat(200)}snp.policy.debug${')'.repeat(200)}`, 'exceeded'],
  ['rule_limit', `snp.vmpl in [${'1,'.repeat(300)}0]`, 'exceeded'],
  ['rule_limit', `snp.vmpl${' + 1'.repeat(15)} == 16`, 'has parts that are nested deeper than 16'],
  ['rule_limit', 'snp.vmpl == 9223372036854775808', 'the number is too large'],
  ['rule_limit', 'snp.vmpl == 9007199254740993', 'the number is too large'],
  ['rule_limit', `${LISTS}.all(x, ${LISTS}.all(y, x == y))`, 'all() and exists() cannot stand inside of one another'],
  // Rules that ask for nothing, or for what cannot be.
  ['rule_always', 'true', 'names no claim, and is met by every evidence'],
  ['rule_always', '1 + 1 == 2', 'names no claim, and is met by every evidence'],
  ['rule_never', 'false', 'names no claim, and is met by no evidence'],
  ['rule_never', '1 / 0 == 1', 'names no claim, and is met by no evidence'],
];

describe('a rule that does not load', () => {
  it.each(REFUSED.map(([code, cel, says]) => [code, cel.slice(0, 60), cel, says]))(
    'DEC-03, DEC-04 %s: %s',
    (code, _shown, cel, says) => {
      const problems = problemsOf(cel);
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatch(new RegExp(`^${code} /rules/0/cel: `));
      expect(problems[0]).toContain(says);
    },
  );

  it('has parts nested deeper than those of one that does', () => {
    expect(problemsOf(`snp.vmpl${' + 1'.repeat(14)} == 32`)).toEqual([]);
    expect(problemsOf(Array(80).fill('snp.vmpl == 0').join(' && '))).toEqual([]);
  });

  it('has at least sixty texts', () => {
    expect(REFUSED.length).toBeGreaterThanOrEqual(60);
  });
});

describe('a rule that nothing which the policy accepts can meet', () => {
  const SNP = { accepts: ['snp'], minimums: 'any' };
  const TDX = { accepts: ['tdx'], minimums: 'any' };
  const TOKENS = { accepts: ['maa-token'], minimums: 'any', routes: { hardware: 'off' } };

  it.each([
    ['claims of another TEE', SNP, 'tdx.quoteVersion == 4'],
    ['claims of a vTPM', SNP, 'tpm.clock.safe'],
    ['the event log of a TD, of an SNP VM', SNP, 'tdx.eventLog.secureBoot'],
    [
      'the event log of a TD, behind a paravisor',
      { accepts: ['az-tdx-vtpm'], minimums: 'any' },
      'tdx.eventLog.secureBoot',
    ],
    ['claims of a token whose route is off', SNP, 'maa.attestationType == "azurevm"'],
    ['claims of Trust Authority, which judges no SNP VM', { ...SNP, routes: { ita: 'required' } }, 'ita.issuer == "x"'],
    ['claims of hardware, of a token', TOKENS, 'snp.vmpl == 0'],
    [
      'claims of both TEEs at once',
      { accepts: ['snp', 'tdx'], minimums: 'any' },
      'snp.vmpl == 0 || tdx.quoteVersion == 4',
    ],
    ['a branch that is never taken', TDX, "evidence.type == 'tdx' ? snp.vmpl == 0 : tdx.quoteVersion == 4"],
  ])('DEC-13 does not load: %s', (_what, members, cel) => {
    expect(problemsOf(cel, members).map((problem) => problem.split(' ', 1)[0])).toEqual(['policy_member_unused']);
  });

  it.each([
    [
      'both TEEs, told apart by the type',
      { accepts: ['snp', 'tdx'], minimums: 'any' },
      "evidence.type == 'snp' ? snp.vmpl == 0 : tdx.quoteVersion == 4",
    ],
    ['a claim that some accepted evidence has', { accepts: ['snp', 'tdx'], minimums: 'any' }, 'snp.vmpl == 0'],
    ['an optional claim', SNP, 'snp.cspId == "Azure"'],
    ['a token whose route is on', { ...SNP, routes: { maa: 'optional' } }, 'maa.attestationType == "azurevm"'],
    ['a rule that is never met because of has()', SNP, '!has(snp.cspId)'],
  ])('DEC-13 twin: loads %s', (_what, members, cel) => {
    expect(problemsOf(cel, members)).toEqual([]);
  });

  it.each([
    [
      SNP,
      'tdx.quoteVersion == 4 && tpm.clock.safe',
      'nothing which the policy accepts has: tdx.quoteVersion, tpm.clock.safe',
    ],
    [
      { accepts: ['snp', 'tdx'], minimums: 'any' },
      "evidence.type == 'snp' && snp.vmpl == 0 || evidence.type == 'tdx' && tdx.quoteVersion == 4",
      "&& and || look at all sides: snp has no tdx.quoteVersion; tdx has no snp.vmpl; choose by evidence.type == 'snp' ? … : …",
    ],
  ])('DEC-13 says which claims are missing', (members, cel, says) => {
    const [problem, ...more] = problemsOf(cel, members);
    expect(problem).toContain(says);
    expect(more).toEqual([]);
  });

  it('TDX-18 does not load with RTMRs of an Azure TD, which measure the paravisor', () => {
    const rtmr = 'tdx.rtmr[0] == tdx.rtmr[1]';
    expect(problemsOf(rtmr, ALL_HARDWARE)).toEqual([
      'policy_schema /rules/0/cel: tdx.rtmr describes the paravisor in az-tdx-vtpm evidence',
    ]);
    const both = { accepts: ['tdx', 'az-tdx-vtpm'], minimums: 'any' };
    expect(problemsOf(`evidence.type == 'tdx' ? ${rtmr} : true`, both)).toEqual([]);
    expect(problemsOf(rtmr, TDX)).toEqual([]);
  });

  it.each([
    ['the side that is taken of an Azure TD', "evidence.type == 'az-tdx-vtpm' ? RTMR : true", 1],
    ['the other side', "evidence.type == 'az-snp-vtpm' ? true : RTMR", 1],
    ['a side that the evidence decides about', 'tpm.clock.safe ? true : RTMR', 1],
    ['the condition', 'RTMR ? true : true', 1],
    ['a side that no Azure TD takes', "evidence.type == 'az-snp-vtpm' ? RTMR : true", 0],
    ['a side behind a condition that no Azure TD has', 'snp.vmpl == 0 ? true : RTMR', 0],
    ['the side for what is absent, which makes the rule undefined', 'has(tdx.mrtd) ? true : RTMR', 0],
  ])('TDX-18 looks for RTMRs of an Azure TD in %s', (_place, cel, count) => {
    const problems = problemsOf(cel.replace('RTMR', '(tdx.rtmr[0] == tdx.rtmr[1])'));
    const expected = 'policy_schema /rules/0/cel: tdx.rtmr describes the paravisor in az-tdx-vtpm evidence';
    expect(problems).toEqual(Array(count).fill(expected));
  });
});

describe('a release policy as a rule', () => {
  const AKV = {
    version: '1.0.0',
    anyOf: [{ authority: 'https://sharedweu.weu.attest.azure.net', allOf: [{ claim: 'a', equals: 1 }] }],
  };

  function codesOf(akv: JsonObject, members: JsonObject): readonly string[] {
    try {
      policy({ ...members, rules: [{ id: 'one', akv }] });
    } catch (error) {
      if (error instanceof PolicyError) return error.policyProblems.map(({ code, pointer }) => `${code} ${pointer}`);
      throw error;
    }
    return [];
  }

  it('DEC-13 does not load where the policy never sees a token', () => {
    expect(codesOf(AKV, { accepts: ['snp'], minimums: 'any' })).toEqual(['policy_member_unused /rules/0/akv']);
    expect(codesOf(AKV, { accepts: ['snp'], minimums: 'any', routes: { maa: 'optional' } })).toEqual([]);
  });

  it('does not load where it is none', () => {
    const members = { accepts: ['snp'], minimums: 'any', routes: { maa: 'optional' } };
    expect(codesOf({ ...AKV, version: '2.0' }, members)).toEqual(['policy_schema /rules/0/akv/version']);
  });
});
