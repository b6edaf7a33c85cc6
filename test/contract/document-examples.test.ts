import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfiguration } from '../../src/config/load-configuration.js';
import { looksLikeReleasePolicy, readReleasePolicy } from '../../src/policy/akv/release-policy.js';
import { parsePolicy } from '../../src/policy/document/policy-document.js';
import { readCaseClaims } from '../../src/policy/test-cases/case-claims.js';
import { parsePolicyTest } from '../../src/policy/test-cases/case-document.js';
import { runSuite, type SuiteCase } from '../../src/workbench/policy-tests.js';
import { PROJECT, readProjectFile } from '../architecture/project-files.js';
import { OPENAPI_DOCUMENT } from './openapi-document.js';

/** Every example of the documents, and every name and address in them, against the code. */

const DOCUMENTS = [
  'README.md',
  'SECURITY.md',
  ...readdirSync(join(PROJECT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  ...readdirSync(join(PROJECT, 'deploy/gates'), { recursive: true, encoding: 'utf8' })
    .filter((path) => basename(path) === 'README.md')
    .map((path) => `deploy/gates/${path}`),
  ...readdirSync(join(PROJECT, 'docs/decisions')).map((name) => `docs/decisions/${name}`),
];

interface Example {
  readonly place: string;
  readonly language: string;
  readonly text: string;
}

const EXAMPLES: readonly Example[] = DOCUMENTS.flatMap(examplesOf);

function examplesOf(path: string): readonly Example[] {
  const text = readProjectFile(path);
  return [...text.matchAll(/^( *)```(\w*)\n(.*?)^\1```$/gms)].map((found) => ({
    place: `${path}:${text.slice(0, found.index).split('\n').length}`,
    language: found[2] ?? '',
    text: found[3] ?? '',
  }));
}

const inLanguage = (...languages: readonly string[]) => EXAMPLES.filter(({ language }) => languages.includes(language));

/** The hex that an example shortens: its first byte, again and again. */
function withWholeHex(text: string): string {
  return text.replaceAll(/"([0-9a-f]{2})[0-9a-f]*…32 bytes in hex"/g, (_, byte: string) => `"${byte.repeat(32)}"`);
}

/** A policy, or the fragment of one. */
function asPolicy(text: string): string {
  const whole = withWholeHex(text);
  if (/^(?:\{ )?apiVersion:/m.test(whole)) return whole;
  return `apiVersion: veritee/v1\nid: example\nversion: 1\naccepts: [snp]\nminimums: { snp: { Milan: { microcode: 219 } } }\n${whole}`;
}

const isPolicy = (text: string) => /^(?:\{ )?(apiVersion|waivers|referenceValues|require):/m.test(text);

/** The test of a policy that stands before it. */
const isPolicyTest = ({ text }: { readonly text: string }) => /^policy: .*\ncases:/.test(text);

/** Files for a pipeline or a cluster. */
const isOfGate = ({ place }: { readonly place: string }) => /^deploy\/gates\/(?!nginx|envoy)/.test(place);

const POLICY_TESTS = inLanguage('yaml').flatMap((example, index, all) =>
  isPolicyTest(example) ? [{ ...example, policy: all[index - 1]?.text ?? '' }] : [],
);

describe('an example in YAML', () => {
  it.each(POLICY_TESTS)(
    '$place passes as the test of the policy before it, and covers it',
    async ({ text, policy }) => {
      const tested = parsePolicy(asPolicy(policy));
      const test = parsePolicyTest(withWholeHex(text));
      expect(test.policy).toBe(`${tested.id}.yaml`);
      const cases = test.cases.flatMap(({ input, ...rest }): readonly SuiteCase[] => {
        if (input.kind === 'request') return [];
        const { type, claims: given, changes } = input;
        const claims = readCaseClaims({ given, changes, path: [], file: null });
        return [{ ...rest, input: { kind: 'claims', type, claims } }];
      });
      const suite = { policy: tested, file: '', testFile: '', cases };
      const clock = { now: () => new Date(0), monotonicMs: () => 0 };
      const { passed, coverage } = await runSuite(suite, async () => ({ problem: 'no evidence' }), clock);
      expect([passed, coverage.length > 0]).toEqual([true, true]);
    },
  );

  it.each(inLanguage('yaml').filter((example) => !isPolicyTest(example) && !isOfGate(example)))(
    '$place loads as a policy or as a configuration',
    ({ text }) => {
      if (isPolicy(text)) expect(() => parsePolicy(asPolicy(text))).not.toThrow();
      else expect(() => loadConfiguration({ text, environment: {} })).not.toThrow();
    },
  );
});

/** Names of members anywhere in openapi.yaml, and of claims that it leaves open. */
const MEMBER_NAMES = memberNames(OPENAPI_DOCUMENT, new Set<string>());

function memberNames(value: unknown, found: Set<string>): Set<string> {
  if (typeof value !== 'object' || value === null) return found;
  for (const [name, member] of Object.entries(value)) {
    if (name === 'properties' && typeof member === 'object' && member !== null) {
      for (const property of Object.keys(member)) found.add(property);
    }
    memberNames(member, found);
  }
  return found;
}

/** JSON without the comments and omissions that documents use. */
function plainJson(text: string): string {
  const bare = text
    .replaceAll(/\/\*.*?\*\//g, '')
    .replaceAll(/^\s*\/\/.*$/gm, '')
    .replaceAll(/\s\/\/ .*$/gm, '');
  const closed = bare.replaceAll(/,(\s*[\]}])/g, '$1');
  return closed.trimStart().startsWith('"') ? `{${closed}}` : closed;
}

const JSON_EXAMPLES = inLanguage('json', 'jsonc').map(({ place, text }) => ({ place, text: plainJson(text) }));
const isReleasePolicy = ({ text }: { readonly text: string }) => looksLikeReleasePolicy(JSON.parse(text));

describe('an example in JSON', () => {
  it.each(JSON_EXAMPLES.filter((example) => !isReleasePolicy(example)))(
    '$place has only members that openapi.yaml knows',
    ({ text }) => {
      const names: string[] = [];
      JSON.parse(text, (name, value) => {
        // Keys of maps: PCR numbers, and the routes that differ.
        if (name !== '' && !/^\d+$/.test(name)) names.push(name);
        return value;
      });
      const routes = ['hardware', 'maa', 'ita', 'sha256'];
      expect(names.filter((name) => !MEMBER_NAMES.has(name) && !routes.includes(name))).toEqual([]);
    },
  );

  it.each(JSON_EXAMPLES.filter(isReleasePolicy))('$place reads as a release policy', ({ text }) => {
    expect(readReleasePolicy(JSON.parse(text)).problems).toEqual([]);
  });
});

const SCRIPTS = new Set(Object.keys(JSON.parse(readProjectFile('package.json')).scripts));
const PROGRAM = readdirSync(join(PROJECT, 'src/cli'))
  .map((name) => readProjectFile(`src/cli/${name}`))
  .join('\n');
const COMMANDS = new Set(
  [...PROGRAM.matchAll(/(?:\.command\(|addGroup\(program, )'([a-z]+)/g)].map(([, name]) => name),
);
/** Commands that a document names as missing. */
const NOT_YET = new Set(['README.md gate']);
const FLAGS = new Set([...PROGRAM.matchAll(/'(--[a-z-]+)[ ']/g)].map(([, name]) => name));
const PATHS = new Set(Object.keys(OPENAPI_DOCUMENT['paths'] as object));

describe.each(DOCUMENTS)('%s', (path) => {
  const text = readProjectFile(path);

  it('names npm scripts, commands and flags that exist', () => {
    const scripts = [...text.matchAll(/npm run (?:-s )?([a-z][a-z:]*)/g)].map(([, name]) => name);
    expect(scripts.filter((name) => name !== undefined && !SCRIPTS.has(name))).toEqual([]);
    const commands = [...text.matchAll(/(?:`|main\.js |^\s*\$ )veritee ([a-z]+)/gm)].map(([, name]) => name);
    expect(commands.filter((name = '') => !COMMANDS.has(name) && !NOT_YET.has(`${path} ${name}`))).toEqual([]);
    const flags = [...text.matchAll(/`veritee [^`]*?(--[a-z-]+)/g)].map(([, name]) => name);
    expect(flags.filter((name) => !FLAGS.has(name ?? ''))).toEqual([]);
  });

  it('calls only paths that are served', () => {
    const called = [...text.matchAll(/http:\/\/127\.0\.0\.1:8080(\/[a-z/:]*)/g)].map(([, name]) => name);
    const isServed = (name = '') =>
      PATHS.has(name) || [...PATHS].some((known) => name.endsWith('/') && known.startsWith(`${name}{`));
    expect(called.filter((name) => !isServed(name))).toEqual([]);
  });

  it('links to files that are there', () => {
    const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, target = '']) => target);
    expect(links.filter((target) => !existsSync(join(PROJECT, dirname(path), target)))).toEqual([]);
  });

  it('names only addresses that a configuration may contact, or that are made up', () => {
    const table = readProjectFile('docs/hardening.md');
    // Values that an operator may set in place of a default: other regions and clouds of the same services.
    const elsewhere = [
      /^https:\/\/api\.eu\.trustauthority\.intel\.com$/,
      /^https:\/\/portal\.eu\.trustauthority\.intel\.com$/,
      /^https:\/\/login\.(microsoftonline\.us|partner\.microsoftonline\.cn)$/,
      /^https:\/\/(my|contoso)\.weu\.attest\.azure\.net$/,
      /^https:\/\/[a-z.]+\.example$/,
    ];
    const named = [...text.matchAll(/https:\/\/[a-z0-9.-]+[a-z0-9]/g)].map(([address]) => address);
    const unknown = named.filter(
      (address) => !table.includes(`\`${address}\``) && !elsewhere.some((pattern) => pattern.test(address)),
    );
    // The pattern of the shared providers: `https://shared<r>.<r>.attest.azure.net`.
    expect(unknown.filter((address) => address !== 'https://shared')).toEqual([]);
  });
});

describe('docs/decisions/README.md', () => {
  it('lists every decision by its title', () => {
    const decisions = readdirSync(join(PROJECT, 'docs/decisions')).filter((name) => name !== 'README.md');
    const titles = decisions.map((name) => {
      const [, title] = /^# (.*)/.exec(readProjectFile(`docs/decisions/${name}`)) ?? [];
      return `[${title}](${name})`;
    });
    const listed = readProjectFile('docs/decisions/README.md').matchAll(/^\| (\[.*?\]\(.*?\)) \| ./gm);
    expect([...listed].map(([, link]) => link)).toEqual(titles.sort());
  });
});
