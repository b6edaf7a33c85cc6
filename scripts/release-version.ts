import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** Whether all that names the version of a release names the one of its tag. */

const PROJECT = new URL('../', import.meta.url);

/** @param path a path in the project */
export type ReadFile = (path: string) => string;

/**
 * @param tag `v` and a version
 * @returns each place that names another one, in a sentence
 */
export function versionProblems(tag: string, read: ReadFile): readonly string[] {
  const chart = parse(read('deploy/helm/veritee/Chart.yaml'));
  const version = tag.replace(/^v/, '');
  const named = [
    ['package.json', JSON.parse(read('package.json')).version],
    ['package-lock.json', JSON.parse(read('package-lock.json')).version],
    ['version of deploy/helm/veritee/Chart.yaml', chart.version],
    ['appVersion of deploy/helm/veritee/Chart.yaml', chart.appVersion],
    ['deploy/kubernetes.yaml', /^ +image: "veritee:(.+)"$/m.exec(read('deploy/kubernetes.yaml'))?.[1]],
    ['deploy/compose.yaml', /^ +image: veritee:(.+)$/m.exec(read('deploy/compose.yaml'))?.[1]],
  ] as const;
  const others = named.filter(([, own]) => own !== version).map(([place, own]) => `${place} says ${own}`);
  const isTold = read('CHANGELOG.md').includes(`\n## ${version} `);
  const problems = isTold ? others : [...others, `CHANGELOG.md has no section "## ${version} – date"`];
  return /^v\d+\.\d+\.\d+$/.test(tag) ? problems : [`${tag} is no tag of a release, such as v1.2.3`];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = versionProblems(process.argv[2] ?? '', (path) => readFileSync(new URL(path, PROJECT), 'utf8'));
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
