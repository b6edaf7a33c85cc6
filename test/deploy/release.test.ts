import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { versionProblems } from '../../scripts/release-version.js';
import { PROJECT, readProjectFile } from '../architecture/project-files.js';

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, string>>;
}

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly 'timeout-minutes'?: number;
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly permissions: object;
  readonly jobs: Readonly<Record<string, Job>>;
}

const FOLDER = '.github/workflows';
const NAMES = readdirSync(join(PROJECT, FOLDER));
const workflow = (name: string): Workflow => parse(readProjectFile(`${FOLDER}/${name}`));
const stepsOf = (name: string) => Object.values(workflow(name).jobs).flatMap(({ steps }) => steps);

describe.each(NAMES)('the workflow %s', (name) => {
  it('runs actions by commit', () => {
    const used = stepsOf(name).flatMap(({ uses }) => (uses === undefined ? [] : [uses]));
    expect(used.filter((action) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/.test(action))).toEqual([]);
  });

  it('may do nothing but what a job says, and each job ends', () => {
    const { permissions, jobs } = workflow(name);
    expect(permissions).toEqual({});
    for (const job of Object.values(jobs)) {
      expect([typeof job.permissions, typeof job['timeout-minutes']]).toEqual(['object', 'number']);
    }
  });

  it('has no text of somebody else in a command: it comes by a variable', () => {
    const commands = stepsOf(name).flatMap(({ run }) => run ?? []);
    const expressions = commands.flatMap((run) => run.match(/\$\{\{.*?\}\}/g) ?? []);
    expect(expressions.filter((expression) => !/^\$\{\{ matrix\.\w+ \}\}$/.test(expression))).toEqual([]);
  });
});

describe('the workflow release.yml', () => {
  const { jobs } = workflow('release.yml');
  const run = (job: string) => jobs[job]?.steps.map((step) => step.run ?? step.uses).join('\n') ?? '';

  it('makes packages with bills of materials where it can write nothing', () => {
    expect(jobs['packages']?.permissions).toEqual({ contents: 'read' });
    // Helm and npm would give their packages one name.
    expect(run('packages')).toContain('"packages/$chart"');
    for (const part of [
      'npm ci --ignore-scripts',
      'scripts/release-version.ts',
      'npm audit --omit=dev',
      'npm run packages',
      'package deploy/helm/veritee',
    ])
      expect(run('packages')).toContain(part);
  });

  it('builds the image on a base by digest, with bill of materials and provenance, and attests the digest that it got', () => {
    for (const part of ['NODE_IMAGE=$base', '--provenance mode=max', '--sbom true', 'containerimage.digest'])
      expect(run('image')).toContain(part);
    // The name of the base image stands in one place.
    expect(readProjectFile('Dockerfile')).toMatch(/^ARG NODE_IMAGE=\S+$/m);
    expect(run('image')).toContain("sed -n 's/^ARG NODE_IMAGE=//p' Dockerfile");
  });

  it('attests all that it publishes, and publishes nothing by itself', () => {
    expect(run('draft')).toContain('sha256sum --check --strict SHA256SUMS');
    expect(run('draft')).toContain('actions/attest-build-provenance@');
    // The packages, their bills of materials, the chart and the inspector as one file have their digests there.
    const attested = jobs['draft']?.steps.flatMap((step) => step.with?.['subject-checksums'] ?? []);
    expect(attested).toEqual(['packages/SHA256SUMS']);
    expect(run('draft')).toMatch(/^gh release create .* packages\/\*$/m);
    expect(run('draft')).toContain('--draft --verify-tag');
    expect(run('draft') + run('packages') + run('image')).not.toContain('npm publish');
  });
});

describe('npx tsx scripts/release-version.ts', () => {
  const { version } = JSON.parse(readProjectFile('package.json'));
  const withSection = (path: string) =>
    path === 'CHANGELOG.md' ? `\n## ${version} – 2030-01-01\n${readProjectFile(path)}` : readProjectFile(path);

  it('finds nothing where all that names a version names that of the tag', () => {
    expect(versionProblems(`v${version}`, withSection)).toEqual([]);
  });

  it.each([
    ['package.json', `"version": "${version}"`, 'package.json says 9.9.9'],
    ['package-lock.json', `"version": "${version}"`, 'package-lock.json says 9.9.9'],
    ['deploy/helm/veritee/Chart.yaml', `\nversion: ${version}`, 'version of deploy/helm/veritee/Chart.yaml says 9.9.9'],
    [
      'deploy/helm/veritee/Chart.yaml',
      `appVersion: ${version}`,
      'appVersion of deploy/helm/veritee/Chart.yaml says 9.9.9',
    ],
    ['deploy/kubernetes.yaml', `veritee:${version}`, 'deploy/kubernetes.yaml says 9.9.9'],
    ['deploy/compose.yaml', `veritee:${version}`, 'deploy/compose.yaml says 9.9.9'],
    ['CHANGELOG.md', `## ${version} `, `CHANGELOG.md has no section "## ${version} – date"`],
  ])('finds another one in %s', (path, text, problem) => {
    const read = (each: string) =>
      each === path ? withSection(each).replace(text, text.replace(version, '9.9.9')) : withSection(each);
    expect(versionProblems(`v${version}`, read)).toEqual([problem]);
  });

  it.each(['', version, 'v1', 'v1.2.3-rc.1', 'latest'])('refuses the tag "%s"', (tag) => {
    expect(versionProblems(tag, withSection)).toEqual([`${tag} is no tag of a release, such as v1.2.3`]);
  });
});
