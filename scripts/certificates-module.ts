import { readFileSync } from 'node:fs';

const FOLDER = new URL('../src/tee/snp/amd/carried/', import.meta.url);
const LINES = ['milan', 'genoa', 'turin'] as const;
const CERTIFICATES = ['ark', 'ask', 'asvk'] as const;

/** The text of a module with the certificates that the product carries. One file of code needs no folder at run time. */
export function certificatesModule(): string {
  const lines = LINES.map((line) => {
    const members = CERTIFICATES.map((name) => `  ${name}: ${templateOf(`${line}-${name}.pem`)},\n`);
    return `\nexport const ${line.toUpperCase()} = {\n${members.join('')}};\n`;
  });
  return lines.join('');
}

/** @throws {Error} if the file has characters that a template literal would evaluate */
function templateOf(name: string): string {
  const pem = readFileSync(new URL(name, FOLDER), 'utf8');
  if (/[`\\$]/.test(pem)) throw new Error(`${name} is not PEM`);
  return `\`\\\n${pem}\``;
}
