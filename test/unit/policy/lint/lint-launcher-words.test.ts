import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.js';
import { lintLauncherWords } from '../../../../src/policy/lint/lint-launcher-words.js';
import { MEASUREMENT, policy } from '../fixture.js';

const ID = '7df7b373-b947-4aaa-96e5-c358f2a03d20';
const BOOT = 'hcl.vmConfiguration.secureBoot';
const WORDS =
  'is written by whoever launched the guest if the paravisor is not known: write paravisor: known, or pin the launch';
const SET = { hcl: { vmUniqueId: [ID] } };
const PINNED = { snp: { measurement: [MEASUREMENT] } };

function remarks(members: JsonObject, ...rules: readonly string[]) {
  const written = rules.map((cel, index) => ({ id: `rule-${index}`, cel }));
  return lintLauncherWords(
    policy({ accepts: ['az-snp-vtpm'], minimums: 'any', paravisor: 'any', ...members, rules: written }),
  );
}

describe('runtime claims under paravisor: any', () => {
  it('are named in rules, with what to do', () => {
    expect(remarks({}, `${BOOT} && ${BOOT} == true`)).toEqual([
      {
        code: 'rule_always',
        severity: 'warning',
        remedy: expect.stringMatching(/^Write paravisor: known/),
        pointer: '/rules/0/cel',
        message: `${BOOT} ${WORDS}`,
      },
    ]);
  });

  it('twin: are not named where the paravisor has to be known', () => {
    expect(remarks({ paravisor: 'known', referenceValues: [SET] }, BOOT)).toEqual([]);
  });

  it.each([
    'hcl.paravisor.known',
    'hcl.paravisor.known == true',
    `snp.measurement == '${MEASUREMENT}'`,
    `snp.idKeyDigest in ['${MEASUREMENT}']`,
  ])('are not named where a rule shows who launched: %s', (cel) => {
    expect(remarks({ referenceValues: [SET] }, `${BOOT} && ${cel}`)).toEqual([]);
    expect(remarks({ referenceValues: [SET] }, BOOT, cel)).toEqual([]);
  });

  it('are named of a branch that does not show it', () => {
    expect(remarks({}, `hcl.paravisor.known && ${BOOT} || tpm.clock.safe`)).toEqual([]);
    expect(remarks({}, `hcl.paravisor.known || ${BOOT}`)).toHaveLength(1);
    expect(remarks({}, BOOT, 'hcl.paravisor.known || tpm.clock.safe')).toHaveLength(1);
  });

  it.each(['!hcl.paravisor.known', 'hcl.paravisor.known == false', `snp.measurement != '${MEASUREMENT}'`])(
    'are named where a rule does not: %s',
    (cel) => {
      expect(remarks({}, `${BOOT} && ${cel}`)).toHaveLength(1);
    },
  );

  it('are named unless each set of reference values pins the launch, since sets are alternatives', () => {
    const places = (...referenceValues: readonly JsonObject[]) =>
      remarks({ referenceValues }, BOOT).map(({ pointer }) => pointer);
    expect(places({ ...SET, ...PINNED })).toEqual([]);
    expect(places({ ...SET, ...PINNED }, SET)).toEqual(['/rules/0/cel']);
  });

  it('are not those that this service states, or the software in the VM', () => {
    expect(remarks({}, "hcl.reportType == 'snp'", 'has(hcl.userData)')).toEqual([]);
  });
});
