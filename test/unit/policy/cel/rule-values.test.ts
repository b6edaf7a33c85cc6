import { describe, expect, it } from 'vitest';
import { evaluate } from '../../../../src/policy/cel/evaluate.js';
import { ExplanationBudget, explain } from '../../../../src/policy/cel/explain.js';
import { parseRule } from '../../../../src/policy/cel/parse-rule.js';
import { RuleBudget } from '../../../../src/policy/cel/rule-budget.js';
import { RuleScope } from '../../../../src/policy/cel/rule-scope.js';
import { UNDEFINED } from '../../../../src/policy/cel/rule-value.js';
import { whyNotTrue } from '../../../../src/policy/cel/why-not-true.js';
import { COMMAND_LINE, eventLogClaims, MEASUREMENT, PCR_7, snpClaims, tokenClaims, tpmClaims } from '../fixture.js';

const SNP = snpClaims({ platformInfo: { ...snpClaims().platformInfo, unknownBits: [9, 12] } });
const MAA = {
  ...tokenClaims(),
  claims: {
    ...{ count: 3, share: 0.5, word: 'a', flag: true, nothing: null, list: [1], 'x-ms-ver': 1.5, jti: 7 },
    'x-ms-runtime': { 'client-payload': { nonce: 'YQ==', role: 'ZGI=' } },
  },
};
const CLAIMS = new Map<string, unknown>([
  ['evidence', { type: 'az-snp-vtpm' }],
  ['snp', SNP],
  ['tpm', tpmClaims({ eventLog: eventLogClaims({ files: [], pk: null }) })],
  ['maa', MAA],
  [
    'ita',
    { claims: { verifier_instance_ids: ['a'], policy_defined_claims: { tier: 'gold' }, attester_user_data: { n: 1 } } },
  ],
  ['hcl', { vmConfiguration: { filteredVpciDevicesAllowed: false, vmgsProvisioner: { id: 'a' }, newMember: 'b' } }],
]);

function ruleValue(text: string, claims: ReadonlyMap<string, unknown> = CLAIMS) {
  const value = evaluate(parseRule(text), new RuleScope(claims));
  return value === UNDEFINED ? 'undefined' : value;
}

/** Each operator and function, with a rule that is met and its twin that is not. */
const FLIPS: readonly (readonly [what: string, met: string, notMet: string])[] = [
  ['== of integers', 'snp.vmpl == 0', 'snp.vmpl == 1'],
  ['== of texts', `snp.measurement == '${MEASUREMENT}'`, `snp.measurement == '${'00'.repeat(48)}'`],
  ['== of booleans', 'snp.policy.debug == false', 'snp.policy.debug == true'],
  ['== of two claims', 'snp.product == snp.part', 'snp.measurement == snp.idKeyDigest'],
  ['!=', 'snp.vmpl != 1', 'snp.vmpl != 0'],
  ['<', 'snp.vmpl < 1', 'snp.vmpl < 0'],
  ['<=', 'snp.vmpl <= 0', 'snp.vmpl <= -1'],
  ['>', 'snp.guestSvn > 6', 'snp.guestSvn > 7'],
  ['>=', 'snp.guestSvn >= 7', 'snp.guestSvn >= 8'],
  ['in a list of the rule', "snp.product in ['Genoa', 'Milan']", "snp.product in ['Genoa', 'Turin']"],
  ['in a list of claims', '9 in snp.platformInfo.unknownBits', '10 in snp.platformInfo.unknownBits'],
  ['&&', 'snp.vmpl == 0 && snp.guestSvn == 7', 'snp.vmpl == 0 && snp.guestSvn == 8'],
  ['||', 'snp.vmpl == 1 || snp.guestSvn == 7', 'snp.vmpl == 1 || snp.guestSvn == 8'],
  ['!', '!snp.policy.debug', '!snp.policy.smt'],
  ['?: where the condition is true', 'snp.policy.smt ? snp.vmpl == 0 : false', 'snp.policy.smt ? snp.vmpl == 1 : true'],
  ['?: where it is false', 'snp.policy.debug ? false : snp.vmpl == 0', 'snp.policy.debug ? true : snp.vmpl == 1'],
  ['+', 'snp.guestSvn + 1 == 8', 'snp.guestSvn + 1 == 7'],
  ['-', 'snp.guestSvn - 1 == 6', 'snp.guestSvn - 1 == 7'],
  ['*', 'snp.guestSvn * 2 == 14', 'snp.guestSvn * 2 == 7'],
  ['/ towards zero', 'snp.guestSvn / 2 == 3 && -7 / 2 == -3', 'snp.guestSvn / 2 == 4'],
  ['% with the sign of the left', 'snp.guestSvn % 4 == 3 && -7 % 4 == -3', 'snp.guestSvn % 4 == 0'],
  ['a sign', '-snp.guestSvn == -7', '-snp.guestSvn == 7'],
  ['an index by text', `tpm.pcrs.sha256['7'] == '${PCR_7}'`, `tpm.pcrs.sha256['6'] == '${PCR_7}'`],
  ['an index by number', 'snp.platformInfo.unknownBits[1] == 12', 'snp.platformInfo.unknownBits[0] == 12'],
  ['an index into a list of the rule', '[1, 7][1] <= snp.guestSvn', '[1, 8][1] <= snp.guestSvn'],
  [
    'an index into a chosen list',
    '(snp.policy.smt ? snp.platformInfo.unknownBits : [1])[1] > 11',
    '(snp.policy.debug ? snp.platformInfo.unknownBits : [1, 11])[1] > 11',
  ],
  ['a chosen number', '(snp.policy.smt ? snp.guestSvn : 0) > 6', '(snp.policy.debug ? snp.guestSvn : 6) > 6'],
  ['size() of a list', 'size(snp.platformInfo.unknownBits) == 2', 'snp.platformInfo.unknownBits.size() == 3'],
  ['size() of a text', 'snp.product.size() == 5', 'size(snp.product) == 6'],
  ['startsWith()', "snp.firmware.current.startsWith('1.55.')", "snp.firmware.current.startsWith('1.56.')"],
  ['endsWith()', "snp.firmware.current.endsWith('.29')", "snp.firmware.current.endsWith('.30')"],
  ['contains()', "tpm.eventLog.commandLines[0].contains(' ro')", "tpm.eventLog.commandLines[0].contains(' rw')"],
  ['all()', 'snp.platformInfo.unknownBits.all(bit, bit > 8)', 'snp.platformInfo.unknownBits.all(bit, bit > 9)'],
  ['exists()', 'snp.platformInfo.unknownBits.exists(b, b == 12)', 'snp.platformInfo.unknownBits.exists(b, b == 13)'],
  [
    'exists() over texts',
    `tpm.eventLog.commandLines.exists(c, c == '${COMMAND_LINE}')`,
    "tpm.eventLog.commandLines.exists(c, c == '')",
  ],
  ['the type of the evidence', "evidence.type == 'az-snp-vtpm'", "evidence.type == 'tpm'"],
  ['a claim that only the literal gives a type', "maa.claims['word'] == 'a'", "maa.claims['word'] == 'b'"],
  ['such an integer', "maa.claims['count'] == 3", "maa.claims['count'] == -3"],
  ['such a number', "maa.claims['share'] == 0.5", "maa.claims['share'] == 0.25"],
  [
    'what a guest gave its client',
    "maa.claims['x-ms-runtime']['client-payload'].nonce.startsWith('YQ')",
    "maa.claims['x-ms-runtime']['client-payload']['nonce'] == 'abc'",
  ],
  [
    'such a text of any name',
    "maa.claims['x-ms-runtime']['client-payload']['role'] == 'ZGI='",
    "maa.claims['x-ms-runtime']['client-payload']['role'] == 'db'",
  ],
  ['a list of a token', "'a' in ita.claims.verifier_instance_ids", "'b' in ita.claims.verifier_instance_ids"],
  [
    'what a policy of a token says',
    "ita.claims.policy_defined_claims['tier'] == 'gold'",
    "ita.claims.policy_defined_claims['tier'] == 'tin'",
  ],
  ['JSON of a guest', "ita.claims.attester_user_data['n'] == 1", "ita.claims.attester_user_data['n'] == 2"],
  [
    'a configuration',
    '!hcl.vmConfiguration.filteredVpciDevicesAllowed',
    'hcl.vmConfiguration.filteredVpciDevicesAllowed',
  ],
  ['an object in it', "hcl.vmConfiguration.vmgsProvisioner.id == 'a'", "hcl.vmConfiguration.vmgsProvisioner.id == 'b'"],
  ['a new member of it', "hcl.vmConfiguration['newMember'] == 'b'", "hcl.vmConfiguration['newMember'] == 'c'"],
  ['such a boolean, on the right', "true == maa.claims['flag']", "false == maa.claims['flag']"],
];

describe('the value of a rule', () => {
  it.each(FLIPS)('DEC-13 flips with %s', (_what, met, notMet) => {
    expect(ruleValue(met)).toBe(true);
    expect(ruleValue(notMet)).toBe(false);
  });

  it('has() is true of what is there, an object among it', () => {
    expect(ruleValue('has(snp.vmpl)')).toBe(true);
    expect(ruleValue('has(tpm.eventLog)')).toBe(true);
    expect(ruleValue('!has(snp.vmpl)')).toBe(false);
  });

  it('compares as CEL does, and not as JavaScript', () => {
    expect(ruleValue("snp.product == 'Milan' && 'Milan' == snp.product")).toBe(true);
    expect(ruleValue('size(snp.product) == 5')).toBe(true);
    expect(ruleValue("maa.claims['word'] == '\\u0061'")).toBe(true);
  });
});

/** Rules with an absent claim in them, in each place that one can stand in. */
const ABSENT: readonly string[] = [
  'tdx.quoteVersion == 4',
  'tdx.quoteVersion != 4',
  'tdx.quoteVersion > 3',
  '!(tdx.quoteVersion == 4)',
  'tdx.quoteVersion in [4]',
  'snp.vmpl in [tdx.quoteVersion, 0]',
  'tdx.tdAttributes.debug || true',
  'true || tdx.tdAttributes.debug',
  'snp.vmpl == 0 || tdx.tdAttributes.debug',
  '!(snp.vmpl == 1 && tdx.tdAttributes.debug)',
  '!(tdx.tdAttributes.debug && snp.vmpl == 1)',
  'has(tdx.mrtd)',
  '!has(tdx.mrtd)',
  'has(tdx.mrtd) ? tdx.quoteVersion == 4 : true',
  'has(snp.cpuid) && !has(snp.cspId)',
  'tdx.tdAttributes.debug ? true : true',
  'tdx.tcb.advisories.all(a, a == "INTEL-SA-00000")',
  'tdx.tcb.advisories.exists(a, a == "INTEL-SA-00000")',
  '!tdx.tcb.advisories.exists(a, a == "INTEL-SA-00000")',
  'size(tdx.tcb.advisories) == 0',
  'tdx.fmspc.startsWith("90")',
  'snp.guestSvn + tdx.quoteVersion > 0',
  '-tdx.quoteVersion < 0',
  // Null is absent.
  `tpm.eventLog.pk != '${MEASUREMENT.slice(0, 64)}'`,
  'has(tpm.eventLog.pk)',
  "maa.claims['nothing'] == 'a'",
  "maa.claims['nowhere'] == 'a'",
  // Of a list that is there, an item that is not.
  'snp.platformInfo.unknownBits.all(bit, bit != tdx.quoteVersion)',
  'snp.platformInfo.unknownBits.exists(bit, bit == 9 || bit == tdx.quoteVersion)',
];

describe('a rule with a claim that is absent', () => {
  it.each(ABSENT)('DEC-02, DEC-15 is undefined, and not met: %s', (text) => {
    expect(ruleValue(text)).toBe('undefined');
  });

  it('names the claims that are absent, each as the rule writes it', () => {
    const scope = new RuleScope(CLAIMS);
    evaluate(parseRule('tdx.quoteVersion == 4 && has(snp.cspId) && tdx.quoteVersion == 5'), scope);
    expect([...scope.absent]).toEqual(['tdx.quoteVersion', 'snp.cspId']);
  });

  it('DEC-15 twin: looks at the chosen branch of ?: only', () => {
    expect(ruleValue('snp.policy.smt ? snp.vmpl == 0 : tdx.quoteVersion == 4')).toBe(true);
    expect(ruleValue('snp.policy.debug ? tdx.quoteVersion == 4 : snp.vmpl == 0')).toBe(true);
  });

  it('takes no name from what every object has', () => {
    expect(ruleValue("maa.claims['toString'] == 'a'")).toBe('undefined');
    expect(ruleValue("maa.claims['valueOf'] == 'a'")).toBe('undefined');
  });

  it('names no item of a list as a member', () => {
    const payload = (value: unknown) => new Map([['maa', { claims: { 'x-ms-runtime': { 'client-payload': value } } }]]);
    const rule = "maa.claims['x-ms-runtime']['client-payload']['0'] == 'YQ=='";
    expect(ruleValue(rule, payload({ 0: 'YQ==' }))).toBe(true);
    expect(ruleValue(rule, payload(['YQ==']))).toBe('undefined');
  });

  it('leaves no variable behind a macro', () => {
    const scope = new RuleScope(CLAIMS);
    expect([scope.within(7, () => scope.variable), scope.variable]).toEqual([7, UNDEFINED]);
  });
});

describe('a rule that has no value for another reason', () => {
  function faultsOf(text: string, claims = CLAIMS): readonly string[] {
    const scope = new RuleScope(claims);
    expect(evaluate(parseRule(text), scope)).toBe(UNDEFINED);
    return [...scope.faults.values()];
  }

  it('DEC-15 goes over an empty list', () => {
    expect(faultsOf("tpm.eventLog.files.all(f, f == 'a')")).toEqual(['tpm.eventLog.files is empty']);
    expect(faultsOf("tpm.eventLog.files.exists(f, f == 'a')")).toEqual(['tpm.eventLog.files is empty']);
  });

  it('goes over more than 256 items', () => {
    const withBits = (count: number) =>
      new Map<string, unknown>([['snp', { platformInfo: { unknownBits: Array.from({ length: count }, () => 1) } }]]);
    const text = 'snp.platformInfo.unknownBits.all(bit, bit == 1)';
    expect(ruleValue(text, withBits(256))).toBe(true);
    expect(faultsOf(text, withBits(257))).toEqual(['snp.platformInfo.unknownBits has 257 items, and may have 256']);
  });

  it('takes more steps than the rules of a policy may, long texts counting more', () => {
    const long = new Map<string, unknown>([['maa', { claims: { jti: 'a'.repeat(250_000) } }]]);
    const searches = (count: number) =>
      Array.from({ length: count }, () => "maa.claims.jti.contains('b')").join(' || ');
    expect(ruleValue(`!(${searches(6)})`, long)).toBe(true);
    expect(faultsOf(`!(${searches(7)})`, long)).toContain('the rules of the policy take more steps than they may');
    const sizes = Array.from({ length: 7 }, () => 'size(maa.claims.jti) == 1').join(' || ');
    expect(ruleValue(sizes, long)).toBe('undefined');
    const compared = Array.from({ length: 7 }, () => 'maa.claims.jti == maa.claims.iss').join(' || ');
    const equal = new Map<string, unknown>([['maa', { claims: { jti: 'a'.repeat(250_000), iss: 'b' } }]]);
    expect(ruleValue(compared, equal)).toBe('undefined');
  });

  it('shares its steps with the other rules of an appraisal', () => {
    const claims = new Map<string, unknown>([['maa', { claims: { jti: 'a'.repeat(250_000) } }]]);
    const budget = new RuleBudget();
    const rule = parseRule("!maa.claims.jti.contains('b')");
    const values = Array.from({ length: 7 }, () => evaluate(rule, new RuleScope(claims, budget)));
    expect(values.map((value) => value === UNDEFINED)).toEqual([false, false, false, false, false, false, true]);
  });

  it('counts a character outside of the basic plane once', () => {
    const claims = new Map<string, unknown>([['maa', { claims: { jti: 'a\u{1f512}b' } }]]);
    expect(ruleValue('size(maa.claims.jti) == 3', claims)).toBe(true);
  });

  it('reads past the end of a list', () => {
    expect(faultsOf('snp.platformInfo.unknownBits[2] == 9')).toEqual(['snp.platformInfo.unknownBits has no item 2']);
  });

  it('reads long lists more often than the rules of a policy may', () => {
    const claims = (items: number) =>
      new Map([['tpm', { eventLog: { replayed: Array(50).fill(1), commandLines: Array(items).fill('a') } }]]);
    const rule = parseRule(
      `tpm.eventLog.replayed.all(x, ${Array(40).fill('tpm.eventLog.commandLines.size() > 0').join(' && ')})`,
    );
    const faults = (items: number) => {
      const scope = new RuleScope(claims(items));
      return [evaluate(rule, scope), [...scope.faults.values()]];
    };
    expect(faults(31)).toEqual([true, []]);
    const [value, why] = faults(9_900);
    expect(value).toBe(UNDEFINED);
    expect(why).toContain('the rules of the policy take more steps than they may');
  });

  it('divides by zero, or leaves the range of integers', () => {
    expect(faultsOf('snp.guestSvn / snp.vmpl == 1')).toEqual(['divides by zero']);
    expect(faultsOf('snp.guestSvn % snp.vmpl == 1')).toEqual(['divides by zero']);
    expect(faultsOf('snp.guestSvn * 9007199254740991 > 1')).toEqual(['is out of the range of integers']);
  });

  it.each([
    ["maa.claims['count'] == 'a'", 'int', 'string'],
    ["maa.claims['word'] == 1", 'string', 'int'],
    ["maa.claims['share'] == 1", 'number', 'int'],
    ["maa.claims['flag'] == 'true'", 'bool', 'string'],
    ["maa.claims['list'] == 1", 'list', 'int'],
    ["maa.claims['x-ms-ver'] == '1.0'", 'number', 'string'],
    ["maa.claims.jti == 'a'", 'int', 'string'],
    ["maa.claims['word'] == 0.5", 'string', 'number'],
  ])('DEC-03 compares a claim as another type than it has: %s', (text, actual, expected) => {
    const scope = new RuleScope(CLAIMS);
    expect(evaluate(parseRule(text), scope)).toBe(UNDEFINED);
    expect([...scope.mistyped.values()]).toEqual([expect.objectContaining({ actual, expected })]);
    expect([...scope.absent]).toEqual([]);
  });
});

describe('why a rule is not met', () => {
  const why = (text: string) => {
    const scope = new RuleScope(CLAIMS);
    const expression = parseRule(text);
    return whyNotTrue(expression, evaluate(expression, scope), scope);
  };

  it('names the part that is false, and the claims in it', () => {
    expect(why('snp.vmpl == 0 && snp.tcb.reported.microcode >= 220')).toBe(
      'snp.tcb.reported.microcode >= 220 is false, because snp.tcb.reported.microcode is 219',
    );
    expect(why("snp.policy.smt ? snp.product == 'Genoa' : true")).toBe(
      'snp.product == "Genoa" is false, because snp.product is "Milan"',
    );
    expect(why('8 in snp.platformInfo.unknownBits')).toBe(
      '8 in snp.platformInfo.unknownBits is false, because snp.platformInfo.unknownBits is a list of 2',
    );
  });

  it('names the first of several parts that are false', () => {
    expect(why("snp.product == 'Genoa' && snp.vmpl == 1")).toBe(
      'snp.product == "Genoa" is false, because snp.product is "Milan"',
    );
  });

  it('names three claims, and counts the others', () => {
    const three = 'snp.vmpl + snp.guestSvn + snp.version';
    const said = 'snp.vmpl is 0, snp.guestSvn is 7, snp.version is ';
    const { version } = SNP;
    expect(why(`${three} < 0`)).toBe(`${three} < 0 is false, because ${said}${version}`);
    const four = `${three} + snp.tcb.reported.microcode`;
    expect(why(`${four} < 0`)).toBe(`${four} < 0 is false, because ${said}${version} and 1 more`);
    const absent = [1, 2, 3, 4].map((index) => `maa.claims["absent${index}"]`);
    expect(why(absent.map((claim) => `${claim} == 1`).join(' && '))).toBe(
      `it has no value, because ${absent
        .slice(0, 3)
        .map((claim) => `${claim} is absent`)
        .join(', ')}`,
    );
  });

  it('shows 100 characters of a text, quotes among them', () => {
    const shownOf = (length: number) => {
      const scope = new RuleScope(new Map([['snp', { cspId: 'a'.repeat(length) }]]));
      return whyNotTrue(parseRule("snp.cspId == 'b'"), false, scope);
    };
    expect(shownOf(98)).toBe(`snp.cspId == "b" is false, because snp.cspId is "${'a'.repeat(98)}"`);
    expect(shownOf(99)).toBe(`snp.cspId == "b" is false, because snp.cspId is "${'a'.repeat(99)}…`);
  });

  it('says what it rests on where it is undefined', () => {
    expect(why('snp.vmpl == 0 && tdx.quoteVersion == 4')).toBe('it has no value, because tdx.quoteVersion is absent');
    expect(why("maa.claims['count'] == 'a'")).toBe('it has no value, because maa.claims["count"] is int, not string');
    expect(why('tpm.eventLog.files.all(f, f.size() == 64)')).toBe(
      'it has no value, because tpm.eventLog.files is empty',
    );
  });
});

describe('the explanation of a rule', () => {
  const explained = (text: string) => explain(parseRule(text), CLAIMS);

  it('has the value of every part', () => {
    expect(explained("snp.vmpl == 0 && (snp.product == 'Genoa' || tdx.tdAttributes.debug)")).toEqual({
      text: 'snp.vmpl == 0 && (snp.product == "Genoa" || tdx.tdAttributes.debug)',
      state: 'undefined',
      value: null,
      note: null,
      parts: [
        {
          text: 'snp.vmpl == 0',
          state: 'value',
          value: true,
          note: null,
          parts: [{ text: 'snp.vmpl', state: 'value', value: 0, note: null, parts: [] }],
        },
        {
          text: 'snp.product == "Genoa" || tdx.tdAttributes.debug',
          state: 'undefined',
          value: null,
          note: null,
          parts: [
            {
              text: 'snp.product == "Genoa"',
              state: 'value',
              value: false,
              note: null,
              parts: [{ text: 'snp.product', state: 'value', value: 'Milan', note: null, parts: [] }],
            },
            { text: 'tdx.tdAttributes.debug', state: 'undefined', value: null, note: 'is absent', parts: [] },
          ],
        },
      ],
    });
  });

  it('shows the branch that was not chosen as not reached', () => {
    const { parts } = explained('snp.policy.smt ? snp.vmpl == 0 : tdx.quoteVersion == 4');
    expect(parts.map(({ state }) => state)).toEqual(['value', 'value', 'not reached']);
  });

  it('shows the items that decide first', () => {
    const { parts } = explained('snp.platformInfo.unknownBits.all(bit, bit < 12)');
    expect(parts.map(({ note, value }) => [note, value])).toEqual([
      [null, [9, 12]],
      ['bit is 12', false],
      ['bit is 9', true],
    ]);
  });

  it('shows 8 items of many, and one that has no value among them', () => {
    const claims = new Map([['snp', { platformInfo: { unknownBits: [1, 2, 3, 4, 5, 6, 7, 8, 0] } }]]);
    const { parts } = explain(parseRule('snp.platformInfo.unknownBits.all(x, 10 / x > 0)'), claims);
    const notes = parts.slice(1).map(({ note }) => note);
    expect(notes).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((item) => `x is ${item}`));
  });

  it('has 4 000 parts of all rules together', () => {
    const budget = new ExplanationBudget();
    const rule = parseRule(Array(9).fill('snp.vmpl == 0').join('&&'));
    // 19 parts, the first of which counts twice, since it has 149 characters
    for (let count = 0; count < 199; count++) explain(rule, CLAIMS, budget);
    const { parts, ...last } = explain(rule, CLAIMS, budget);
    expect(last).toMatchObject({ value: true, note: null });
    const whole = { parts: [expect.objectContaining({ text: 'snp.vmpl', note: null })] };
    expect(parts).toEqual(Array(9).fill(expect.objectContaining(whole)));
    const note = 'its parts are left out, since the explanation has too many';
    expect(explain(rule, CLAIMS, budget)).toMatchObject({ value: true, note, parts: [] });
  });

  it('shows the beginning of long texts and lists, and says so', () => {
    const claims = new Map([
      ['snp', { cspId: 'a'.repeat(300) }],
      ['tpm', { eventLog: { commandLines: Array.from({ length: 20 }, () => 'b'.repeat(300)) } }],
    ]);
    const { parts } = explain(parseRule("snp.cspId != 'a' && tpm.eventLog.commandLines.exists(c, c == 'a')"), claims);
    expect(parts[0]?.parts[0]).toMatchObject({ value: 'a'.repeat(256), note: 'the first 256 of 300 characters' });
    const [list, item] = parts[1]?.parts ?? [];
    expect(list).toMatchObject({ value: Array(16).fill('b'.repeat(256)), note: 'the first 16 of 20 items' });
    expect(item?.note).toBe(`c is "${'b'.repeat(256)}"`);
  });

  it('reaches no branch of a choice whose condition has no value', () => {
    const { parts } = explained('tdx.tdAttributes.debug ? snp.vmpl == 0 : snp.vmpl == 1');
    expect(parts.map(({ state }) => state)).toEqual(['undefined', 'not reached', 'not reached']);
  });

  it('shows 16 items of a list whole', () => {
    const items = (count: number) =>
      explain(
        parseRule('7 in snp.platformInfo.unknownBits'),
        new Map([['snp', { platformInfo: { unknownBits: Array.from({ length: count }, (_, index) => index) } }]]),
      ).parts[0];
    expect(items(16)).toMatchObject({ note: null, value: expect.objectContaining({ length: 16 }) });
    expect(items(17)).toMatchObject({
      note: 'the first 16 of 17 items',
      value: expect.objectContaining({ length: 16 }),
    });
  });

  it('says why an item has no value of that item alone', () => {
    const claims = new Map([['snp', { platformInfo: { unknownBits: [0, 5] } }]]);
    const { parts } = explain(parseRule('snp.platformInfo.unknownBits.exists(x, 10 / x == 2)'), claims);
    const divisions = parts.slice(1).map((item) => item.parts[0]);
    expect(divisions.map((part) => [part?.value, part?.note])).toEqual([
      [null, 'divides by zero'],
      [2, null],
    ]);
  });

  it('says of what type a claim is that is compared as another', () => {
    const { parts } = explained("maa.claims['count'] == 'a'");
    expect(parts[0]).toMatchObject({ state: 'undefined', note: 'is int, and is compared as string' });
  });
});
