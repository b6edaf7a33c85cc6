import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/inspector/limits.js';
import { EVIDENCE_TYPES } from '../../../src/model/evidence-traits.js';
import { readProjectFile } from '../../architecture/project-files.js';

const SECTIONS = readProjectFile('docs/what-an-allow-proves.md').split(/^## /m);

/** What a section of the document says is not proven, as running text without markup. */
function notProven(heading: RegExp): string {
  const [section = ''] = SECTIONS.filter((text) => heading.test(text.split('\n', 1)[0] ?? ''));
  const [, list = ''] = section.split(/^Does not prove.*$/m);
  return list.replaceAll('`', '').replaceAll(/\s+/g, ' ');
}

/** Whether a sentence stands in a text at the beginning of an item, whole up to its end. */
function stands(sentence: string, text: string): boolean {
  const words = `* ${sentence.charAt(0).toLowerCase()}${sentence.slice(1).replace(/\.$/, '')}`;
  const at = text.indexOf(words);
  return at !== -1 && /^(?:[;.,]| \()/.test(text.slice(at + words.length));
}

describe('what an allow does not prove', () => {
  it('is said of every type of evidence', () => {
    expect(Object.keys(LIMITS.byType).sort()).toEqual(EVIDENCE_TYPES.toSorted());
  });

  it.each(LIMITS.any)('is in the document as it is on the page: %s', (sentence) => {
    expect(stands(sentence, notProven(/^Any allow$/))).toBe(true);
  });

  it.each(Object.entries(LIMITS.byType).flatMap(([type, sentences]) => sentences.map((each) => [type, each] as const)))(
    'is in the document as it is on the page, for %s: %s',
    (type, sentence) => {
      expect(stands(sentence, notProven(new RegExp(`\\(.*\`${type}\`.*\\)$`)))).toBe(true);
    },
  );
});
