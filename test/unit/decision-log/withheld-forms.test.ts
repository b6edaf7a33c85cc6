import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WithheldForms } from '../../../src/decision-log/withheld-forms.js';

/** The same without any short cut: at each place the longest form that stands there. */
function replaced(text: string, forms: ReadonlyMap<string, string>): string {
  let result = '';
  for (let at = 0; at < text.length; ) {
    const here = [...forms.keys()].filter((form) => text.startsWith(form, at));
    const [longest] = here.sort((one, other) => other.length - one.length);
    result += longest === undefined ? text[at] : forms.get(longest);
    at += longest?.length ?? 1;
  }
  return result;
}

const withAll = (forms: ReadonlyMap<string, string>) => {
  const all = new WithheldForms();
  for (const [form, instead] of forms) all.add(form, instead);
  return all;
};

describe('forms of withheld values', () => {
  it('AUD-04 are found wherever they stand, also where they begin alike, overlap, or lie in one another', () => {
    const letter = fc.constantFrom('a', 'b', '\u00e9', '\ud83d');
    const form = fc.string({ unit: letter, minLength: 8, maxLength: 12 });
    const parts = fc.array(fc.oneof(form, fc.string({ unit: letter, maxLength: 12 })), { maxLength: 8 });
    fc.assert(
      fc.property(fc.uniqueArray(form, { maxLength: 12 }), parts, (list, others) => {
        const forms = new Map(list.map((each, index) => [each, `<${index}>`]));
        const text = [...others, ...list.slice(0, 3), ...others].join('');
        expect(withAll(forms).replaceIn(text)).toBe(replaced(text, forms));
      }),
      { numRuns: 500 },
    );
  });

  it('are left out where they are shorter than eight characters, which stand in many places by chance', () => {
    const forms = withAll(
      new Map([
        ['sevenab', 'no'],
        ['eightabc', 'yes'],
      ]),
    );
    expect(forms.replaceIn('sevenab eightabc sevenab')).toBe('sevenab yes sevenab');
  });

  it('keep what was added first', () => {
    const forms = new WithheldForms();
    forms.add('eightabc', 'first');
    forms.add('eightabc', 'second');
    expect(forms.replaceIn('eightabc')).toBe('first');
  });
});
