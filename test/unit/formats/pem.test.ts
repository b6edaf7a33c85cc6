import { describe, expect, it } from 'vitest';
import { parsePemCertificates, pemLines } from '../../../src/formats/pem.js';
import { pemOf } from '../../lab/pki.js';
import { haveVectors, readVector } from '../../vectors.js';
import { derOf, formatErrorOf } from '../small-pki.js';

const LEAF = derOf('leaf');
const ROOT = derOf('root');
const PEM = pemOf(LEAF, ROOT);
const ONE = pemOf(LEAF);
const lines = ONE.trimEnd().split('\n');
const hexOf = (value: Uint8Array) => Buffer.from(value).toString('hex');
const read = (text: string) => parsePemCertificates(text, 'cert_chain').map(hexOf);

/** A PEM block of any text between its lines. */
const block = (...body: readonly string[]) => [lines[0], ...body, lines.at(-1), ''].join('\n');

describe('parsePemCertificates', () => {
  it.each([
    ['LF', PEM],
    ['CRLF', PEM.replaceAll('\n', '\r\n')],
    ['no end of the last line', PEM.trimEnd()],
    ['CRLF and no end of the last line', PEM.replaceAll('\n', '\r\n').trimEnd()],
  ])('reads certificates in their order, with %s', (_what, text) => {
    expect(read(text)).toEqual([hexOf(LEAF), hexOf(ROOT)]);
  });

  it('reads a last line of exactly 64 characters', () => {
    expect(read(block('A'.repeat(64)))).toEqual(['00'.repeat(48)]);
  });

  it.each([
    ['nothing', ''],
    ['a line end alone', '\n'],
    ['text before the first block', `subject=CN = x\n${PEM}`],
    ['text between blocks', `${ONE}# root\n${pemOf(ROOT)}`],
    ['text after the last block', `${PEM}bye\n`],
    ['an empty line before the first block', `\n${PEM}`],
    ['an empty line between blocks', `${ONE}\n${pemOf(ROOT)}`],
    ['two line ends at the end', `${PEM}\n`],
    ['a blank at the end', `${PEM} `],
    ['NUL between blocks', `${ONE}\0${pemOf(ROOT)}`],
    ['NUL after the last block', `${PEM}\0`],
    ['NUL inside a block', block(`${'A'.repeat(63)}\0`, 'AAAA')],
    ['a byte order mark', `\ufeff${PEM}`],
    ['CR alone as line end', PEM.replaceAll('\n', '\r')],
    ['a blank after a line', PEM.replace('\n', ' \n')],
    ['another kind of block', PEM.replaceAll('CERTIFICATE', 'X509 CRL')],
    ['the old label', PEM.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE')],
    ['another kind of block beside a certificate', `${ONE}${pemOf(ROOT).replaceAll('CERTIFICATE', 'PUBLIC KEY')}`],
    ['a label in lower case', PEM.toLowerCase()],
    ['no end line', lines.slice(0, -1).join('\n')],
    ['no end line of the second block', `${ONE}${lines.slice(0, -1).join('\n')}`],
    ['no begin line', lines.slice(1).join('\n')],
    ['a begin line inside a block', block(lines[1] ?? '', lines[0] ?? '')],
    ['an empty block', block()],
    ['an empty line inside a block', block(lines[1] ?? '', '', 'AAAA')],
    ['an empty line before the end line', block('A'.repeat(64), '')],
    ['a header inside a block', block('Proc-Type: 4,ENCRYPTED', '', ...lines.slice(1, -1))],
    ['a line of 63 characters that is not the last', block('A'.repeat(63), `A${'A'.repeat(3)}`)],
    ['a line of 76 characters', block('A'.repeat(76))],
    ['all in one line', block(lines.slice(1, -1).join(''))],
    ['base64url', block('____')],
    ['a foreign character', block('AA*A')],
    ['missing padding', block('AAA')],
    ['padding inside', block(`${'A'.repeat(62)}==`, 'AAAA')],
    ['too much padding', block('AAA==')],
    ['unused bits that are not zero', block('QUJDRB==')],
  ])('CRT-07 refuses %s', (_what, text) => {
    expect(formatErrorOf(() => parsePemCertificates(text, 'cert_chain')).code).toBe('cert_chain');
  });

  it('CRT-07 refuses more certificates than there may be, before it reads the next', () => {
    const garbage = block('AA*A');
    const code = (text: string, maximum: number) =>
      formatErrorOf(() => parsePemCertificates(text, 'cert_chain', maximum)).message;
    expect(parsePemCertificates(PEM, 'cert_chain', 2)).toHaveLength(2);
    expect(code(PEM, 1)).toBe('pem has more than 1 certificates');
    expect(code(PEM + garbage, 2)).toBe('pem has more than 2 certificates');
    expect(code(PEM + garbage, 3)).toBe('pem is not base64 in lines of 64 characters');
    expect(code(`${PEM}bye\n`, 2)).toBe('pem has something else than certificates');
  });

  it('says cert_format where one certificate is expected', () => {
    expect(formatErrorOf(() => parsePemCertificates('', 'cert_format')).code).toBe('cert_format');
  });

  it
    .skipIf(!haveVectors)
    .each(['amd-genoa-vcek', 'amd-genoa-vlek', 'amd-milan-vcek', 'amd-milan-vlek', 'amd-turin-vcek', 'amd-turin-vlek'])(
    'reads the two certificates of %s.pem as AMD serves it',
    (file) => {
      const text = Buffer.from(readVector(`roots/${file}.pem`)).toString('utf8');
      expect(parsePemCertificates(text, 'cert_chain')).toHaveLength(2);
    },
  );
});

describe('pemLines', () => {
  const [one, two] = ['ABCD', 'EF=='];

  it.each([
    ['LF', `${one}\n${two}\n`],
    ['CRLF', `${one}\r\n${two}\r\n`],
    ['one of each', `${one}\r\n${two}\n`],
    ['no end of the last line', `${one}\n${two}`],
    ['half an end of the last line', `${one}\n${two}\r`],
  ])('is the same for lines that end in %s', (_what, text) => {
    expect(pemLines(text)).toEqual([one, two]);
  });

  it.each([
    ['a CR more', `${one}\r\r\n${two}\n`],
    ['a CR inside', `A\rBCD\n${two}\n`],
    ['CR alone between lines', `${one}\r${two}\n`],
    ['a line more at the end', `${one}\n${two}\n\n`],
    ['a line more, ended by CRLF', `${one}\n${two}\n\r\n`],
    ['a line more at the start', `\n${one}\n${two}\n`],
  ])('is another for a text with %s', (_what, text) => {
    expect(pemLines(text)).not.toEqual([one, two]);
  });
});
