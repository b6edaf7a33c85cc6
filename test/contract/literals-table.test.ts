import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MALFORMED_CODES } from '../../src/core/codes.js';
import { CHECK_IDS } from '../../src/tee/catalogue.js';
import { PROJECT, readProjectFile } from '../architecture/project-files.js';

/** The table of literals in docs/hardening.md: every file that it names is there, and every code is one. */

const CODES: ReadonlySet<string> = new Set([...CHECK_IDS, ...MALFORMED_CODES]);
/** Literals that pin, name or number what a vendor makes: a file with one has to be in the table. */
const PINS = ['AMD_ROOT_PINS', 'INTEL_SGX_ROOT_PINS', 'AZURE_VTPM_ROOT_PINS', 'PCK_CAS', 'INTEL_QE_VENDOR_ID'];

const [, section = ''] = readProjectFile('docs/hardening.md').split('## Literals without a setting');
const rows = (section.split('\n## ')[0] ?? '')
  .split('\n')
  .filter((line) => /^\| [A-Z]/.test(line) && !line.startsWith('| Literal '))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, literal = '', files = '', codes = '']) => ({ literal, files: quoted(files), codes: quoted(codes) }));

function quoted(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);
}

describe('the table of literals without a setting', () => {
  it('has a file and a code in each row', () => {
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.filter(({ files, codes }) => files.length === 0 || codes.length === 0)).toEqual([]);
  });

  it('names files that are there', () => {
    expect(rows.flatMap(({ files }) => files).filter((file) => !existsSync(join(PROJECT, file)))).toEqual([]);
  });

  it('names codes of the contract, and one setting', () => {
    expect(rows.flatMap(({ codes }) => codes).filter((code) => !CODES.has(code))).toEqual(['tpm.roots']);
  });

  it.each(PINS)('has the file of %s', (name) => {
    const files = new Set(rows.flatMap((row) => row.files));
    const holds = [...files].filter((file) => new RegExp(`\\bconst ${name}\\b`).test(readProjectFile(file)));
    expect(holds).toHaveLength(1);
  });
});
