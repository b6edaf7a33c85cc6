import { expect, it } from 'vitest';
import { SPAN_ATTRIBUTES, STEPS } from '../../../../src/core/traces.js';
import { readProjectFile } from '../../../architecture/project-files.js';

/** Names in the first column of the tables under a heading. */
function listedUnder(heading: string): readonly string[] {
  const [, section = ''] = readProjectFile('docs/tracing.md').split(`\n## ${heading}\n`);
  const [own = ''] = section.split('\n## ');
  const cells = [...own.matchAll(/^\| (`.*?) \|/gm)].map(([, cell = '']) => cell);
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)).toSorted();
}

it('docs/tracing.md lists every span', () => {
  expect(listedUnder('Spans')).toEqual([...STEPS].toSorted());
});

it('docs/tracing.md lists every attribute', () => {
  expect(listedUnder('Attributes')).toEqual([...SPAN_ATTRIBUTES].toSorted());
});
