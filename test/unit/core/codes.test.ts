import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { MALFORMED_TEXTS } from '../../../scripts/codes/malformed-texts.js';
import { REFUSAL_TEXTS } from '../../../scripts/codes/refusal-texts.js';
import { CODES_PATH, codesText, examplesOf, remediesOf } from '../../../scripts/codes.js';
import { MALFORMED_CODES, PROBLEM_CODES } from '../../../src/core/codes.js';
import { POLICY_SCHEMA } from '../../../src/policy/document/policy-grammar.js';
import { POLICY_PROBLEMS } from '../../../src/policy/document/policy-problem.js';
import { CHECK_IDS, CHECKS } from '../../../src/tee/catalogue.js';
import { membersOf } from '../policy/grammar-members.js';

const PAGE = readFileSync(CODES_PATH, 'utf8');
const OPENAPI = parse(readFileSync(new URL('../../../openapi.yaml', import.meta.url), 'utf8'));
const SENTENCE = /^[A-Z](?:(?!\. )[^\n])*\.$/;

/** Codes of the page, with the lines of each. */
const ENTRIES = new Map(
  PAGE.split(/^### /m)
    .slice(1)
    .map((entry) => [/^`(.+)`/.exec(entry)?.[1] ?? '', entry] as const),
);

describe('docs/codes.md', () => {
  it('is what its rows generate', () => {
    expect(PAGE, 'run npm run generate').toBe(codesText());
  });

  it('has one entry for each code that an answer, a problem document or a lint can carry, and no other', () => {
    const { CheckId, ProblemCode } = OPENAPI.components.schemas;
    const codes = new Set<string>([...CheckId.enum, ...ProblemCode.enum, ...Object.keys(POLICY_PROBLEMS)]);
    expect([...ENTRIES.keys()].toSorted()).toEqual([...codes].toSorted());
    expect(PAGE.match(/^### /gm)?.length).toBe(codes.size);
  });

  it.each([...ENTRIES])('says of %s its class, when it is found and what to do', (_, entry) => {
    for (const name of ['Class', 'When', 'Remedy'])
      expect(entry).toMatch(new RegExp(`^\\* \\*\\*${name}\\*\\*: \\S`, 'm'));
    expect(entry).not.toMatch(/undefined|null|NaN|\[object|depends on|see the detail|see expected/);
  });
});

describe('a remedy on the page', () => {
  it.each(CHECK_IDS)('of %s is a sentence for each example', (id) => {
    const remedies = remediesOf(id);
    for (const remedy of remedies) expect(remedy).toMatch(SENTENCE);
    // Examples that read alike show a reader nothing.
    expect(remedies).toHaveLength(Math.max(1, examplesOf(id).length));
  });

  it.each(MALFORMED_CODES)('of the malformed %s is a sentence, and its meaning another', (code) => {
    const { meaning, remedy } = MALFORMED_TEXTS[code];
    expect(remedy).toMatch(SENTENCE);
    expect(meaning).toMatch(/^[a-z][^\n]*[^.\n]$/);
  });

  it.each(PROBLEM_CODES)('of the refusal %s is a sentence', (code) => {
    expect(REFUSAL_TEXTS[code].remedy).toMatch(SENTENCE);
  });
});

/** Members that say nothing of evidence. */
const WITHOUT_CODE = ['apiVersion', 'id', 'version', 'description'];

describe('the members of a policy that codes name', () => {
  const grammar = membersOf(POLICY_SCHEMA);
  const named = CHECK_IDS.flatMap((id) => {
    const { members = [], relaxedBy, waiver } = CHECKS[id];
    return [...members, ...(relaxedBy === undefined ? [] : [relaxedBy]), ...(waiver === undefined ? [] : ['waivers'])];
  });
  const covers = (member: string, path: string) =>
    path === member || path.startsWith(`${member}.`) || path.startsWith(`${member}[]`);

  it.each([...new Set(named)])('has %s in its grammar', (member) => {
    expect(grammar.filter((path) => covers(member, path))).not.toEqual([]);
  });

  it('are all that the grammar has', () => {
    const unnamed = grammar.filter((path) => !named.some((member) => covers(member, path)));
    expect(unnamed).toEqual(WITHOUT_CODE);
  });
});
