import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PROJECT, readProjectFile, typeScriptFiles } from './project-files.js';

interface Rule {
  readonly name: string;
  readonly to: { readonly pathNot?: string };
}

const { forbidden }: { readonly forbidden: readonly Rule[] } = createRequire(import.meta.url)(
  '../../.dependency-cruiser.cjs',
);

/** Directions that the rules allow, but for those to `core`, which every room has. */
const ALLOWED = forbidden
  .filter(({ name }) => name.startsWith('direction-'))
  .flatMap(({ name, to }) => {
    const room = name.slice('direction-'.length);
    const targets = /\(([^)]*)\)/.exec(to.pathNot ?? '')?.[1]?.split('|') ?? [];
    return targets.filter((target) => target !== room && target !== 'core').map((target) => `${room} --> ${target}`);
  });

/** Directions that some import goes in. */
function usedDirections(): readonly string[] {
  const used = typeScriptFiles('src').flatMap((path) => {
    const [, room = ''] = path.split('/');
    const imports = readProjectFile(path).matchAll(/from '((?:\.\.\/)+)([a-z-]+)\//g);
    return [...imports]
      .filter(([, up = '']) => up.length / 3 === path.split('/').length - 2)
      .map(([, , to]) => `${room} --> ${to}`);
  });
  return [...new Set(used)].filter((direction) => !direction.startsWith('app') && !direction.endsWith('> core'));
}

it('a direction that the rules allow is one that some import uses', () => {
  expect([...usedDirections()].sort()).toEqual([...ALLOWED].sort());
});

it('docs/architecture.md says of every room what it holds', () => {
  const rooms = readdirSync(join(PROJECT, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const [, table = ''] = readProjectFile('docs/architecture.md').split('## The rooms');
  const [rows = ''] = table.split('\n## ');
  expect(rooms.map(({ name }) => name).filter((name) => !rows.includes(`\`${name}\``))).toEqual([]);
});
