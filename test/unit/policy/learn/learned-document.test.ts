import { describe, expect, it } from 'vitest';
import {
  hasSource,
  nodesOf,
  shownName,
  writeLearned,
  writeTest,
} from '../../../../src/policy/learn/learned-document.js';

const SHA256 = ['a1', 'b2', 'c3'].map((byte) => byte.repeat(32));
const source = (name: string, index = 0) => ({
  name,
  sha256: SHA256[index] ?? '',
  type: 'snp' as const,
  at: new Date('2026-06-01T12:00:00Z'),
});
const A = source('a.json');
const B = source('b.json', 1);
const C = source('c.json', 2);
const LINE_OF_A = '# a.json, snp evidence a1a1a1a1a1a1, allowed at 2026-06-01T12:00:00.000Z';
const LINE_OF_B = '# b.json, snp evidence b2b2b2b2b2b2, allowed at 2026-06-01T12:00:00.000Z';
const HEADER = {
  from: { id: 'least', version: 1, sha256: 'd4'.repeat(32) },
  fromPins: false,
  chips: false,
  accepted: [],
  warnings: [],
  history: [],
};
const HEAD = [
  '# Written by veritee policy learn. Review it: these machines decided what is listed here.',
  `# from least version 1, sha256 ${'d4'.repeat(32)}`,
  '',
];
const COMBINATION = {
  product: 'Milan',
  members: [
    { path: 'snp.hostData', values: ['00'.repeat(32)], of: 'evidence' },
    { path: 'snp.vmpl', values: [0, 1], of: 'policy' },
  ],
} as const;

/** Lines of a policy of which a text before is widened. */
function lines(before: { text: string; seenAgain?: readonly [number, readonly (typeof A)[]][] } | null, added = [[A]]) {
  const text = writeLearned({
    header: HEADER,
    members: { id: 'own', accepts: ['snp'] },
    before: before === null ? null : { text: before.text, seenAgain: new Map(before.seenAgain ?? []) },
    added: added.map((sources) => ({ combination: COMBINATION, sources })),
    from: 'least',
  });
  return text.trimEnd().split('\n');
}

describe('the text of a learned policy', () => {
  it('has the sources above a set, and beside each value its first source and how many more', () => {
    expect(lines(null, [[A], [B, A, C]])).toEqual([
      ...HEAD,
      'id: own',
      'accepts: [snp]',
      'referenceValues:',
      `  ${LINE_OF_A}`,
      '  - appliesTo:',
      '      product: Milan',
      '    snp:',
      '      hostData:',
      `        - "${'00'.repeat(32)}" # a.json (a1a1a1a1a1a1), 2026-06-01`,
      '      vmpl:',
      '        - 0 # of policy least',
      '        - 1 # of policy least',
      `  ${LINE_OF_B}`,
      `  ${LINE_OF_A}`,
      expect.stringMatching(/^ {2}# c\.json, /),
      '  - appliesTo:',
      '      product: Milan',
      '    snp:',
      '      hostData:',
      `        - "${'00'.repeat(32)}" # b.json (b2b2b2b2b2b2), 2026-06-01 and 2 more`,
      '      vmpl:',
      '        - 0 # of policy least',
      '        - 1 # of policy least',
    ]);
  });

  it.each([
    ['with a comment', `referenceValues:\n  # mine\n  - snp: { vmpl: [0] }\n`, ['  # mine', `  ${LINE_OF_B}`]],
    ['without a comment', `referenceValues:\n  - snp: { vmpl: [0] }\n`, [`  ${LINE_OF_B}`]],
  ])('names what was seen again above a set %s', (_title, text, comments) => {
    expect(lines({ text, seenAgain: [[0, [B]]] }, [])).toEqual([
      ...HEAD,
      'id: own',
      'accepts: [snp]',
      'referenceValues:',
      ...comments,
      '  - snp: {vmpl: [0]}',
    ]);
  });

  it('leaves the comments of a set that was not seen again', () => {
    const text = 'referenceValues:\n  # one\n  - snp: { vmpl: [0] } # kept\n  # two\n  - snp: { vmpl: [1] }\n';
    expect(lines({ text, seenAgain: [[1, [B]]] }, []).slice(HEAD.length + 3)).toEqual([
      '  # one',
      '  - snp: {vmpl: [0]} # kept',
      '  # two',
      `  ${LINE_OF_B}`,
      '  - snp: {vmpl: [1]}',
    ]);
  });

  it.each([
    ['no member for them', 'id: own\n'],
    ['none of them', 'referenceValues: []\n'],
  ])('adds sets to a text that has %s any more', (_title, text) => {
    expect(lines({ text })).toEqual(lines(null));
  });

  it('has long lists and lists of objects on lines of their own, and no others', () => {
    const values = Array.from({ length: 9 }, (_, index) => index);
    const members = { short: values.slice(1), long: values, objects: [{ a: 1 }] };
    const text = writeLearned({ header: HEADER, members, before: null, added: [], from: 'least' });
    expect(text.split('\n').slice(HEAD.length)).toEqual([
      'short: [1, 2, 3, 4, 5, 6, 7, 8]',
      'long:',
      ...values.map((value) => `  - ${value}`),
      'objects:',
      '  - a: 1',
      'referenceValues: []',
      '',
    ]);
  });
});

describe('a source of a set', () => {
  const text = `referenceValues:\n  ${LINE_OF_A}\n  - snp: { vmpl: [0] }\n  - snp: { vmpl: [1] }\n`;

  it.each([
    ['is found by its digest, also above the first set', 0, A, true],
    ['is not that of other evidence', 0, B, false],
    ['is not that of another set, which has no comment', 1, A, false],
    ['is not that of a set which is not there', 2, A, false],
  ])('%s', (_title, index, given, expected) => {
    expect(hasSource(text, index, given)).toBe(expected);
  });
});

it('a name in a comment cannot end its line or turn it, and is cut', () => {
  expect(shownName('a\n\u2028\u202eb')).toBe('a\ufffd\ufffd\ufffdb');
  expect(shownName('x'.repeat(200))).toBe('x'.repeat(120));
});

it('a test has lines above it, and cases that are kept below the others, with their comments', () => {
  const kept = nodesOf('cases:\n  # why\n  - { name: own } # beside\n', 'cases').items;
  expect(writeTest(['one', 'two'], { policy: 'p.yaml', cases: ['a'] }, kept)).toBe(
    '# one\n# two\n\npolicy: p.yaml\ncases:\n  - a\n  # why\n  - {name: own} # beside\n',
  );
});
