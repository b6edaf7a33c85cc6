import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CONFIGURATION_SCHEMA } from '../../../src/config/configuration.js';
import { CONFIGURATION_PROBLEMS } from '../../../src/config/configuration-problem.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { GATE_CODES } from '../../../src/core/gate.js';
import { listKeys } from './configuration-keys.js';

const TEXT = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');

const rows = [...TEXT.matchAll(/^\| `([^`]+)` \| (?:`([^`]+)`|(required)) \| (?:`([^`]+)`)? ?\| (.+) \|$/gm)].map(
  ([, key, fallback, required, environment, meaning]) => ({
    key,
    fallback: fallback ?? required,
    environment: environment ?? null,
    meaning,
  }),
);

describe('docs/configuration.md', () => {
  it('lists every key with its default and its name in the environment, and no other', () => {
    const listed = rows.map(({ key, fallback, environment }) => ({ key, environment, fallback }));
    const byKey = (a: { key?: string | undefined }, b: { key?: string | undefined }) =>
      (a.key ?? '') < (b.key ?? '') ? -1 : 1;
    expect(listed.sort(byKey)).toEqual(listKeys(CONFIGURATION_SCHEMA).sort(byKey));
  });

  it('lists every code of `veritee check` with its severity and meaning, and no other', () => {
    const listed = [...TEXT.matchAll(/^\| `(config_[a-z]+)` \| (error|warning) \| (.+)\. \|$/gm)].map((row) =>
      row.slice(1),
    );
    const known = Object.entries(CONFIGURATION_PROBLEMS).map(([code, { severity, meaning }]) => [
      code,
      severity,
      meaning.charAt(0).toUpperCase() + meaning.slice(1),
    ]);
    expect(listed).toEqual(known);
  });

  it('names every code of gates', () => {
    const [, section = ''] = TEXT.split('\n## Gates\n');
    expect(GATE_CODES.filter((code) => !section.includes(`\`${code}\``))).toEqual([]);
  });

  it('has only examples that load', () => {
    const examples = [...TEXT.matchAll(/```yaml\n(.*?)```/gs)].map(([, example = '']) => example);
    expect(examples.length).toBeGreaterThan(3);
    for (const text of examples) expect(() => loadConfiguration({ text, environment: {} })).not.toThrow();
  });
});
