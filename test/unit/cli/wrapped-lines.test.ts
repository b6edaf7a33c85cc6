import { expect, it } from 'vitest';
import { labelledLines, wrappedLines } from '../../../src/cli/wrapped-lines.js';

it('lines break at spaces before they are longer than 80 characters, and go on indented', () => {
  const lines = wrappedLines(Array(30).fill('word').join(' '), 2, 6);
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(/^ {2}word/);
  expect(lines[1]).toMatch(/^ {6}word/);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  expect(lines.map((line) => line.trim()).join(' ')).toBe(Array(30).fill('word').join(' '));
});

it('what has no space is cut, and nothing of it is lost', () => {
  const lines = labelledLines('actual', 'ab'.repeat(96), 6);
  expect(lines[0]).toMatch(/^ {6}actual {4}abab/);
  expect(lines[0]).toHaveLength(80);
  expect(lines.map((line) => line.trim().replace(/^actual +/, '')).join('')).toBe('ab'.repeat(96));
});

it('a text of exactly the room that is there stays on one line', () => {
  expect(wrappedLines('x'.repeat(78), 2)).toEqual([`  ${'x'.repeat(78)}`]);
  expect(wrappedLines(`a ${'x'.repeat(76)}`, 2)).toEqual([`  a ${'x'.repeat(76)}`]);
  expect(wrappedLines(`a ${'x'.repeat(77)}`, 2, 2)).toEqual(['  a', `  ${'x'.repeat(77)}`]);
});

it('however deep a line stands, there is room for some text', () => {
  expect(wrappedLines('a word or two', 200)).toEqual([`${' '.repeat(200)}a word or two`]);
});
