import { describe, expect, it } from 'vitest';
import { EVIDENCE_TYPES } from '../../../src/core/evidence-traits.js';
import { LIMITS, limitsOf } from '../../../src/inspector/limits.js';
import { readProjectFile } from '../../architecture/project-files.js';

const SECTIONS = readProjectFile('docs/what-an-allow-proves.md').split(/^## /m);

/** The items that a section of the document lists as not proven, as running text without markup. */
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

/** Items of the document that the page leaves out, by their first words: those that a member of the policy or a warning of the answer brings up. */
const LEFT_OUT: { readonly [type: string]: readonly string[] } = {
  snp: ['that AMD owns the root', "that the chip's secrets were never extracted", 'that the firmware has no flaw'],
  tdx: [
    'on what platform a TD that was migrated was built',
    'what the RTMRs mean',
    'that the host cannot remove pages unnoticed',
    'with the warning collateral_unconfirmed',
  ],
  'az-snp-vtpm': [
    'without an event log',
    'under paravisor: any',
    'with the warning nonce_stale',
    'that the vTPM runs on its latest state',
    'that it is one of your machines',
    'which events led to the PCR values',
    'that the region, subscription or owner is the expected one',
  ],
  'az-tdx-vtpm': [],
  tpm: [
    'which machine it is',
    'that Secure Boot is on',
    'that the certificate was not revoked',
    'anything that a token states',
  ],
  'maa-token': [],
  'ita-token': [],
};

const ofType = (type: string) => new RegExp(`\\(.*\`${type}\`.*\\)$`);

/** Items of a list, of which no sentence stands on the page. */
const leftOut = (text: string, sentences: readonly string[]) =>
  text
    .split(/ (?=\* )/)
    .filter((item) => item.startsWith('* ') && !sentences.some((sentence) => stands(sentence, item)))
    .map((item) => item.slice(2));

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
      expect(stands(sentence, notProven(ofType(type)))).toBe(true);
    },
  );

  it('is on the page as it is in the document, for any allow', () => {
    expect(LIMITS.any).toHaveLength(3);
    expect(leftOut(notProven(/^Any allow$/), LIMITS.any)).toEqual([]);
  });

  it.each(Object.entries(LEFT_OUT))('is on the page as it is in the document, for %s', (type, beginnings) => {
    const items = leftOut(notProven(ofType(type)), limitsOf(type));
    expect(items.map((item, index) => item.slice(0, beginnings[index]?.length))).toEqual(beginnings);
  });

  it.each(Object.entries(LIMITS.byType))('is for %s what no allow proves, and then its own', (type, sentences) => {
    expect(sentences.length).toBeGreaterThan(0);
    expect(limitsOf(type)).toEqual([...LIMITS.any, ...sentences]);
    expect(limitsOf('of-tomorrow')).toEqual(LIMITS.any);
  });
});
