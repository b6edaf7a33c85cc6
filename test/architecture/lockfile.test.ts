import { readFileSync } from 'node:fs';
import { minVersion, satisfies } from 'semver';
import { describe, expect, it } from 'vitest';

interface Package {
  readonly version?: string;
  readonly engines?: { readonly node?: string } | readonly string[];
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
}

const read = (name: string) => JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8'));
const project: { readonly engines: { readonly node: string } } = read('package.json');
const { packages }: { readonly packages: Readonly<Record<string, Package>> } = read('package-lock.json');

/** The oldest Node that we promise, and that of the image (NODE_24 in .ci/run). */
const NODES = [
  minVersion(project.engines.node)?.version ?? '',
  /^readonly NODE_24=(\S+)$/m.exec(readFileSync(new URL('../../.ci/run', import.meta.url), 'utf8'))?.[1] ?? '',
];

function unfit(entries: Readonly<Record<string, Package>>, node: string): readonly string[] {
  return Object.entries(entries).flatMap(([path, { version, engines }]) => {
    const wanted = engines !== undefined && 'node' in engines ? engines.node : undefined;
    return wanted === undefined || satisfies(node, wanted) ? [] : [`${path} ${version} wants Node ${wanted}`];
  });
}

describe('package-lock.json', () => {
  it.each(NODES)('holds no package that refuses Node %s, so that npm ci does not warn', (node) => {
    expect(node).toMatch(/^\d+\.\d+\.\d+$/);
    expect(unfit(packages, node)).toEqual([]);
  });

  it('twin: a package that wants a newer Node is found', () => {
    const newer = { 'node_modules/newer': { version: '1.0.0', engines: { node: '>=22' } } };
    expect(unfit(newer, NODES[0] ?? '')).toEqual(['node_modules/newer 1.0.0 wants Node >=22']);
  });

  it('has no package that runs a script when it is installed, but esbuild', () => {
    const running = Object.entries(packages).filter(([, { hasInstallScript }]) => hasInstallScript === true);
    expect(running.map(([path]) => path)).toEqual(['node_modules/esbuild']);
  });

  it('names no registry', () => {
    const addresses = Object.values(packages).flatMap(({ resolved }) => (resolved === undefined ? [] : [resolved]));
    expect(addresses).toEqual([]);
  });
});
