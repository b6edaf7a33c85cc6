import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { BUILT_IN_POLICIES } from '../../../src/policy/document/built-in-policies.js';
import { parsePolicy } from '../../../src/policy/document/policy-document.js';
import { POLICY_SCHEMA } from '../../../src/policy/document/policy-grammar.js';
import { CHECK_IDS, CHECKS } from '../../../src/tee/catalogue.js';
import { membersOf } from './grammar-members.js';

const TEXT = readFileSync(new URL('../../../docs/policy.md', import.meta.url), 'utf8');

it('docs/policy.md has the built-in policies to the letter', () => {
  const examples = [...TEXT.matchAll(/```yaml\n(.*?)```/gs)].map(([, example = '']) => example);
  const written = examples.filter((text) => text.startsWith('{')).map((text) => parsePolicy(text).sha256);
  expect(written).toEqual(BUILT_IN_POLICIES.map(({ sha256 }) => sha256));
});

it('docs/policy.md names every member of the grammar', () => {
  const names = membersOf(POLICY_SCHEMA).map((path) => path.split('.').at(-1) ?? '');
  // PCRs are a range in it, and registers a range of numbers.
  const words = names.filter((name) => !/^\d+$|^rtmr[12]$/.test(name)).map((name) => name.replace('[]', ''));
  const unnamed = [...new Set(words)].filter((word) => !new RegExp(`[\`.\\s{]${word}[\`.\\s:]`).test(TEXT));
  expect(unnamed).toEqual([]);
});

it('docs/policy.md names every check that a waiver can name', () => {
  const checks = CHECK_IDS.filter((check) => CHECKS[check].waiver !== undefined && !check.startsWith('snp_platform_'));
  for (const check of [...checks, 'snp_platform_unknown']) {
    expect(TEXT).toContain(`\`${check}\``);
  }
});
