import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.js';
import { lintRules } from '../../../../src/policy/lint/lint-rules.js';
import { policy } from '../fixture.js';

const CORRECT = 'Correct the name, the text or the number as the message says: a comparison with it is never true.';
const LEAVE_OUT =
  'Correct the text or the number as the message says, or take this comparison out of the rule: it is always true.';
const BOTH = ['az-snp-vtpm', 'az-tdx-vtpm'];

function remarksOn(cel: string, accepts: readonly string[] = BOTH) {
  return lintRules(policy({ accepts: [...accepts], minimums: 'any', rules: [{ id: 'one', cel }] })).map(
    ({ code, severity, message }) => `${severity} ${code}: ${message}`,
  );
}

describe('remarks on rules', () => {
  it('has none on a rule that evidence decides', () => {
    expect(remarksOn("snp.vmpl == 0 && snp.product in ['Milan', 'Genoa']", ['az-snp-vtpm'])).toEqual([]);
  });

  it('has none on digests of MokList: of a TD they are of its bank', () => {
    const ofTd = ['96', '64'].map((digits) =>
      remarksOn(`tdx.eventLog.mokList == '${'a'.repeat(Number(digits))}'`, ['tdx']),
    );
    expect(ofTd).toEqual([[], [expect.stringContaining('tdx.eventLog.mokList is 96 hex digits in lower case')]]);
    expect(remarksOn(`tpm.eventLog.mokList == '${'a'.repeat(64)}'`)).toEqual([]);
  });

  it('names the types of evidence that a rule never lets pass', () => {
    expect(remarksOn('snp.vmpl == 0')).toEqual(['warning rule_never: is met by no evidence of type az-tdx-vtpm']);
    expect(remarksOn("evidence.type == 'az-tdx-vtpm' && tpm.clock.safe")).toEqual([
      'warning rule_never: is met by no evidence of type az-snp-vtpm',
    ]);
    expect(remarksOn("evidence.type == 'az-snp-vtpm' ? snp.vmpl == 0 : tpm.clock.safe")).toEqual([]);
  });

  it('has another remedy where the policy still allows other types', () => {
    const remedies = (cel: string, accepts: readonly string[]) =>
      lintRules(policy({ accepts: [...accepts], minimums: 'any', rules: [{ id: 'one', cel }] })).map(
        (each) => each.remedy,
      );
    expect(remedies('snp.vmpl == 0', BOTH)).toEqual([
      'Choose by evidence.type in the rule, or do not accept these types: with it the policy never allows them.',
    ]);
    expect(remedies('!has(snp.cspId)', ['az-snp-vtpm'])).toEqual([undefined]);
    expect(remedies("snp.product == 'rome'", ['az-snp-vtpm'])).toEqual([CORRECT]);
    expect(remedies("evidence.type == 'az-snp-vtpm'", ['az-snp-vtpm'])).toEqual([undefined]);
  });

  it('does not tell to remove a rule of which one comparison alone is always true', () => {
    const [remark, ...more] = lintRules(
      policy({
        accepts: ['az-snp-vtpm'],
        minimums: 'any',
        rules: [{ id: 'one', cel: 'snp.tcb.reported.snp <= 255 && snp.guestSvn >= 5' }],
      }),
    );
    expect(more).toEqual([]);
    expect(remark).toMatchObject({ code: 'rule_always', remedy: LEAVE_OUT });
  });

  it('DEC-15 says that a rule which asks for absence is never met', () => {
    expect(remarksOn('!has(snp.cspId)', ['az-snp-vtpm'])).toEqual([
      'warning rule_never: is met by no evidence of type az-snp-vtpm',
    ]);
  });

  it('names a rule that the accepted types meet by themselves', () => {
    expect(remarksOn("evidence.type in ['az-snp-vtpm', 'az-tdx-vtpm']")).toEqual([
      'warning rule_always: is met by every evidence that the policy accepts',
    ]);
  });

  it.each([
    ['has()', 'has(snp.vmpl)'],
    ['a negation', '!snp.policy.debug'],
    ['an alternative', 'tpm.clock.safe || snp.vmpl == 0'],
    ['a condition', 'snp.policy.debug ? tpm.clock.safe : true'],
    ['both sides of a condition', 'tpm.clock.safe ? snp.vmpl == 0 : has(snp.cspId)'],
    ['an arithmetic operation', 'snp.vmpl + 1 == 1'],
  ])('names the type without a claim that stands in %s', (_place, cel) => {
    expect(remarksOn(cel)).toEqual(['warning rule_never: is met by no evidence of type az-tdx-vtpm']);
  });

  it.each([
    ['one of two conditions is false', "evidence.type == 'az-snp-vtpm' && tpm.clock.safe", ['az-tdx-vtpm']],
    ['no alternative is true', "evidence.type == 'snp' || evidence.type == 'tdx'", BOTH],
    ['the side that is taken is false', "evidence.type == 'az-tdx-vtpm' ? false : tpm.clock.safe", ['az-tdx-vtpm']],
    ['both sides are false', 'tpm.clock.safe ? false : !has(hcl.userData)', BOTH],
    ['a true one is denied', "!(evidence.type == 'az-snp-vtpm')", ['az-snp-vtpm']],
  ])('names each type of which %s', (_why, cel, types) => {
    expect(remarksOn(cel)).toEqual([`warning rule_never: is met by no evidence of type ${types.join(', ')}`]);
  });

  it.each([
    'tpm.clock.safe ? snp.vmpl == 0 : tpm.clock.resetCount > 0',
    'tpm.clock.safe ? tpm.clock.resetCount > 0 : snp.vmpl == 0',
  ])('has none on a condition of which the evidence decides, and can take the side that it has: %s', (cel) => {
    expect(remarksOn(cel)).toEqual([]);
  });

  it.each([
    ['one alternative is true for each type', "evidence.type == 'az-snp-vtpm' || evidence.type == 'az-tdx-vtpm'"],
    ['all conditions are true for each type', "evidence.type != 'snp' && evidence.type.startsWith('az-')"],
    ['has() asks for what is always there', 'has(evidence.type)'],
    ['the side that is not taken asks for more', "evidence.type == 'tdx' ? tpm.clock.safe : true"],
  ])('says of a rule that it is always met where %s', (_why, cel) => {
    expect(remarksOn(cel)).toEqual(['warning rule_always: is met by every evidence that the policy accepts']);
  });

  it.each([
    ['has()', 'has(snp.cspId)'],
    ['two of them', 'has(snp.cspId) && has(hcl.userData)'],
    ['a comparison with has()', 'has(snp.cspId) == true'],
    ['the condition of ?:', "snp.cspId == 'Azure' ? true : true"],
    ['an alternative to what is true', "evidence.type == 'az-snp-vtpm' || snp.cspId == 'Azure'"],
    ['a negation of what is false', "!(evidence.type == 'snp' && snp.cspId == 'Azure')"],
    ['a comparison with what is false', "(evidence.type == 'snp' && snp.cspId == 'Azure') == false"],
    ['a side that is not taken', "(evidence.type == 'snp' ? snp.cspId : evidence.type) == 'az-snp-vtpm'"],
  ])('DEC-15 has none on a rule with a claim that can be absent, in %s', (_place, cel) => {
    expect(remarksOn(cel, ['az-snp-vtpm'])).toEqual([]);
  });

  it('has none on a number that a claim of a token is compared with', () => {
    const members = { routes: { maa: 'required' }, rules: [{ id: 'one', cel: "maa.claims['level'] == 1.5" }] };
    expect(lintRules(policy(members))).toEqual([]);
  });

  it.each([
    [`snp.measurement == '${'AA'.repeat(48)}'`, 'rule_never', 'snp.measurement is 96 hex digits in lower case'],
    ["'0xab' == snp.measurement", 'rule_never', 'snp.measurement is 96 hex digits in lower case, and never "0xab"'],
    ["snp.measurement != '0xab'", 'rule_always', 'snp.measurement is 96 hex digits in lower case, and never "0xab"'],
    [
      "snp.product in ['Milan', 'rome']",
      'rule_never',
      'snp.product is the name of a product line, such as Milan, and never "rome"',
    ],
    ["'ab' in tpm.eventLog.applications", 'rule_never', 'an item of tpm.eventLog.applications is 64 hex digits'],
    ["tpm.eventLog.applications[0] == 'ab'", 'rule_never', 'tpm.eventLog.applications[0] is 64 hex digits'],
    ["tpm.eventLog.applications.all(a, a == 'ab')", 'rule_never', 'a is 64 hex digits in lower case, and never "ab"'],
  ])('DEC-03 names a text that a claim can never be: %s', (cel, code, says) => {
    const [first, ...more] = remarksOn(cel, ['az-snp-vtpm']);
    expect(more).toEqual([]);
    expect(first).toContain(`warning ${code}: `);
    expect(first).toContain(says);
  });

  it.each([
    ['snp.vmpl == 7', 'rule_never', 'snp.vmpl is 0 to 3 or 4294967295, and never 7'],
    ['4 == snp.vmpl', 'rule_never', 'snp.vmpl is 0 to 3 or 4294967295, and never 4'],
    ['snp.vmpl != -1', 'rule_always', 'snp.vmpl is 0 to 3 or 4294967295, and never -1'],
    ['snp.vmpl in [0, 4]', 'rule_never', 'snp.vmpl is 0 to 3 or 4294967295, and never 4'],
    ['snp.vmpl > 4294967295', 'rule_never', 'snp.vmpl is 0 to 3 or 4294967295: snp.vmpl > 4294967295 is never true'],
    ['snp.tcb.reported.snp > 255', 'rule_never', 'is 0 to 255: snp.tcb.reported.snp > 255 is never true'],
    ['snp.tcb.reported.snp >= 256', 'rule_never', 'is 0 to 255: snp.tcb.reported.snp >= 256 is never true'],
    ['snp.tcb.reported.snp < 0', 'rule_never', 'is 0 to 255: snp.tcb.reported.snp < 0 is never true'],
    ['255 < snp.tcb.reported.snp', 'rule_never', 'is 0 to 255: 255 < snp.tcb.reported.snp is never true'],
    ['snp.tcb.reported.snp >= 0', 'rule_always', 'is 0 to 255: snp.tcb.reported.snp >= 0 is always true'],
    ['snp.tcb.reported.snp > -1', 'rule_always', 'is 0 to 255: snp.tcb.reported.snp > -1 is always true'],
    ['256 > snp.tcb.reported.snp', 'rule_always', 'is 0 to 255: 256 > snp.tcb.reported.snp is always true'],
    ['0 <= snp.tcb.reported.snp', 'rule_always', 'is 0 to 255: 0 <= snp.tcb.reported.snp is always true'],
    ['255 >= snp.tcb.reported.snp', 'rule_always', 'is 0 to 255: 255 >= snp.tcb.reported.snp is always true'],
    ['snp.guestSvn <= 4294967295', 'rule_always', 'is 0 to 4294967295: snp.guestSvn <= 4294967295 is always true'],
    ['24 in tpm.eventLog.replayed', 'rule_never', 'an item of tpm.eventLog.replayed is 0 to 23, and never 24'],
    ['tpm.eventLog.replayed.all(p, p < 24)', 'rule_always', 'p is 0 to 23: p < 24 is always true'],
    ['tpm.eventLog.replayed[0] == 24', 'rule_never', 'tpm.eventLog.replayed[0] is 0 to 23, and never 24'],
  ])('DEC-03 names a comparison that the range of an integer decides: %s', (cel, code, says) => {
    const [first, ...more] = remarksOn(cel, ['az-snp-vtpm']);
    expect(more).toEqual([]);
    expect(first).toContain(`warning ${code}: `);
    expect(first).toContain(says);
  });

  it.each([
    // A report that the host asked for has all bits of VMPL set.
    ['snp.vmpl <= 3'],
    ['snp.vmpl != 4294967295'],
    ['snp.vmpl == 3'],
    ['snp.vmpl > 0'],
    ['snp.tcb.reported.snp >= 255'],
    ['snp.tcb.reported.snp <= 254'],
    ['snp.tcb.reported.snp > snp.tcb.launch.snp'],
    ['snp.tcb.reported.snp + 300 > 400'],
  ])('has none on a comparison that the evidence decides: %s', (cel) => {
    expect(remarksOn(cel, ['az-snp-vtpm'])).toEqual([]);
  });

  it.each([
    ['maa.claims["x-ms-runtime"]["vm-configuration"]["secure-boot"]', true],
    ['ita.claims.attester_runtime_data["vm-configuration"]["secure-boot"]', true],
    ['maa.claims["x-ms-isolation-tee"]["x-ms-runtime"]["vm-configuration"]["secure-boot"]', false],
    ['hcl.vmConfiguration.secureBoot', false],
  ])('names a configuration that the guest can have written: %s', (claim, isOfGuest) => {
    const routes = { maa: 'required', ita: 'optional' };
    const members = { accepts: ['tdx', 'az-tdx-vtpm'], minimums: 'any', routes, rules: [{ id: 'one', cel: claim }] };
    const remarks = lintRules(policy(members)).filter(({ code }) => code === 'rule_always');
    const message = `${claim} is JSON that a guest without paravisor writes itself, and in azurevm tokens any guest: require secureBoot, or name the one in x-ms-isolation-tee`;
    const remedy = 'Do as the message says: what the guest writes proves nothing.';
    expect(remarks).toEqual(
      isOfGuest ? [{ code: 'rule_always', pointer: '/rules/0/cel', message, severity: 'warning', remedy }] : [],
    );
  });

  const BOOT = 'maa.claims["x-ms-runtime"]["vm-configuration"]["secure-boot"]';
  const VM_ID = 'maa.claims["x-ms-runtime"]["vm-configuration"].vmUniqueId == "a"';
  const STATUS = 'maa.claims["x-ms-compliance-status"]';
  const ofGuest = (rules: readonly string[], members: JsonObject = {}) => {
    const written = rules.map((cel, index) => ({ id: `rule-${index}`, cel }));
    const routes = { maa: 'required' };
    return lintRules(policy({ accepts: ['az-tdx-vtpm'], minimums: 'any', routes, ...members, rules: written })).flatMap(
      ({ message }) => (message.includes('is JSON that') ? [message.split(': ').at(-1)] : []),
    );
  };

  it('does not tell to require Secure Boot where the policy does, or where the claim is another', () => {
    expect(ofGuest([BOOT])).toEqual(['require secureBoot, or name the one in x-ms-isolation-tee']);
    expect(ofGuest([BOOT], { secureBoot: 'required' })).toEqual([]);
    expect(ofGuest([VM_ID], { secureBoot: 'required' })).toEqual(['name the one in x-ms-isolation-tee']);
  });

  it.each<[string, readonly string[], boolean]>([
    ['beside it', [`${STATUS} == "azure-compliant-cvm" && ${BOOT}`], false],
    ['in another rule', [BOOT, `"azure-compliant-cvm" == ${STATUS}`], false],
    ['that is denied', [`!(${STATUS} == "azure-compliant-cvm") && ${BOOT}`], true],
    ['that is another', [`${STATUS} == "azure-compliant-uvm" && ${BOOT}`], true],
    ['that it must not have', [`${STATUS} != "azure-compliant-cvm" && ${BOOT}`], true],
  ])('takes the compliance status as release policies do: %s', (_where, rules, isTold) => {
    expect(ofGuest(rules)).toHaveLength(isTold ? 1 : 0);
  });

  it.each(["snp.product != 'rome' && snp.vmpl == 0", 'snp.guestSvn >= 0 && snp.vmpl == 0'])(
    'does not advise to remove a rule of which one comparison is always true: %s',
    (cel) => {
      const members = { accepts: ['az-snp-vtpm'], minimums: 'any', rules: [{ id: 'one', cel }] };
      expect(lintRules(policy(members))).toMatchObject([{ code: 'rule_always', remedy: LEAVE_OUT }]);
    },
  );

  it('names such a text once for each thing that it makes of a comparison', () => {
    const cel = "snp.product == 'rome' || snp.product == 'rome' || snp.product != 'rome'";
    const says = 'snp.product is the name of a product line, such as Milan, and never "rome"';
    expect(remarksOn(cel, ['az-snp-vtpm'])).toEqual([`warning rule_never: ${says}`, `warning rule_always: ${says}`]);
  });

  const TEE = 'maa.claims["x-ms-isolation-tee"]';

  it.each([
    [
      'maa.claims["x-ms-complianc-status"] == "azure-compliant-cvm"',
      'maa.claims has no claim "x-ms-complianc-status" that is known; did you mean maa.claims["x-ms-compliance-status"]?',
    ],
    [
      `${TEE}["x-ms-sevsnpvm-launchmeasurment"] == "ab"`,
      `${TEE} has no claim "x-ms-sevsnpvm-launchmeasurment" that is known; did you mean ${TEE}["x-ms-sevsnpvm-launchmeasurement"]?`,
    ],
    [
      'hcl.vmConfiguration["secureBot"] == true',
      'hcl.vmConfiguration has no claim "secureBot" that is known; did you mean hcl.vmConfiguration.secureBoot?',
    ],
    [
      `${TEE}["x-ms-compliance-status"] == "azure-complaint-cvm"`,
      `${TEE}["x-ms-compliance-status"] has no word "azure-complaint-cvm" that is known; did you mean azure-compliant-cvm?`,
    ],
    [
      'maa.claims["x-ms-compliance-status"] in ["azure-compliant-cvm", "Azure-Compliant-UVM"]',
      'maa.claims["x-ms-compliance-status"] has no word "Azure-Compliant-UVM" that is known; did you mean azure-compliant-uvm?',
    ],
  ])('warns of a name or word that is nearly known: %s', (cel, message) => {
    expect(lintRules(withToken(cel))).toEqual([
      { code: 'rule_never', pointer: '/rules/0/cel', message, severity: 'warning', remedy: CORRECT },
    ]);
  });

  it.each([
    'maa.claims["x-ms-compliance-status"] != "azure-complaint-cvm"',
    '"azure-complaint-cvm" != maa.claims["x-ms-compliance-status"]',
  ])('says that a rule against a word that is nearly known is always met: %s', (cel) => {
    const message =
      'maa.claims["x-ms-compliance-status"] has no word "azure-complaint-cvm" that is known; did you mean azure-compliant-cvm?';
    expect(lintRules(withToken(cel))).toEqual([
      { code: 'rule_always', pointer: '/rules/0/cel', message, severity: 'warning', remedy: LEAVE_OUT },
    ]);
  });

  it.each([
    'maa.claims["x-ms-azurevm-custom"] == "a"',
    `${TEE}["level"] == 3`,
    'maa.claims["x-ms-compliance-status"] == "contoso-approved"',
    'maa.claims["x-ms-compliance-status"] in ["azure-compliant-cvm", "azure-compliant-uvm"]',
  ])('has none on a name or word of the instance that is near none: %s', (cel) => {
    expect(lintRules(withToken(cel))).toEqual([]);
  });
});

function withToken(cel: string) {
  return policy({
    accepts: ['az-snp-vtpm'],
    minimums: 'any',
    routes: { maa: 'required' },
    rules: [{ id: 'one', cel }],
  });
}
