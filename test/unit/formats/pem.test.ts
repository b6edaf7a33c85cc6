import { describe, expect, it } from 'vitest';
import { PEM_TEXT_BYTES, parsePemCertificates } from '../../../src/formats/pem.js';
import { parseCertificate } from '../../../src/formats/x509-certificate.js';
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

const SENT_KEY = 'PEM has a private key, which must not be sent: expected certificates alone';

describe('parsePemCertificates', () => {
  it.each([
    ['LF', PEM],
    ['CRLF', PEM.replaceAll('\n', '\r\n')],
    ['no end of the last line', PEM.trimEnd()],
    ['CRLF and no end of the last line', PEM.replaceAll('\n', '\r\n').trimEnd()],
  ])('reads certificates in their order, with %s', (_what, text) => {
    expect(read(text)).toEqual([hexOf(LEAF), hexOf(ROOT)]);
  });

  it.each([
    ['before the first block', `\n${PEM}`],
    ['between blocks', `${ONE}\n\r\n\n${pemOf(ROOT)}`],
    ['at the end', `${PEM}\n\r\n`],
  ])('CRT-07 reads certificates with blank lines %s', (_what, text) => {
    expect(read(text)).toEqual([hexOf(LEAF), hexOf(ROOT)]);
  });

  it.each([76, 70, 64, 4])('CRT-07 reads lines of %i characters', (width) => {
    const base64 = lines.slice(1, -1).join('');
    const folded = base64.match(new RegExp(`.{1,${width}}`, 'g')) ?? [];
    expect(read(block(...folded))).toEqual([hexOf(LEAF)]);
  });

  it('reads a last line as long as the others', () => {
    expect(read(block('A'.repeat(64)))).toEqual(['00'.repeat(48)]);
    expect(read(block('A'.repeat(76), 'A'.repeat(76)))).toEqual(['00'.repeat(114)]);
  });

  it('CRT-07 drops zeros after the DER in a block, and nothing else', () => {
    const filled = (...filling: readonly number[]) => pemOf(Uint8Array.of(...LEAF, ...filling));
    expect(read(filled(0) + filled(...new Array(4096).fill(0)))).toEqual([hexOf(LEAF), hexOf(LEAF)]);
    const [other] = parsePemCertificates(filled(0, 1), 'cert_chain');
    expect(formatErrorOf(() => parseCertificate(other ?? new Uint8Array())).code).toBe('cert_format');
  });

  it('gives out copies without the filling', () => {
    const [der] = parsePemCertificates(pemOf(Uint8Array.of(...LEAF, ...new Array(9000).fill(0))), 'cert_chain');
    expect(der?.buffer.byteLength).toBe(LEAF.byteLength);
  });

  it.each([
    ['line feeds', '\n'],
    ['CRLF', '\r\n'],
    ['text', 'A'],
  ])('REQ-19 refuses more than 32 KiB of %s, where a chain was expected too', (_what, filling) => {
    const long = filling.repeat(PEM_TEXT_BYTES / filling.length);
    expect(formatErrorOf(() => parsePemCertificates(`${long}\n`, 'cert_chain')).code).toBe('cert_format');
    expect(formatErrorOf(() => parsePemCertificates(long, 'cert_chain')).code).toBe('cert_chain');
    expect(read('\n'.repeat(PEM_TEXT_BYTES - PEM.length) + PEM)).toEqual([hexOf(LEAF), hexOf(ROOT)]);
  });

  it('reads a longer file of the operator', () => {
    const bounds = { bytes: Number.POSITIVE_INFINITY };
    expect(parsePemCertificates('\n'.repeat(PEM_TEXT_BYTES) + PEM, 'cert_chain', bounds)).toHaveLength(2);
  });

  it.each([
    ['nothing', ''],
    ['a line end alone', '\n'],
    ['text before the first block', `subject=CN = x\n${PEM}`],
    ['text between blocks', `${ONE}# root\n${pemOf(ROOT)}`],
    ['text after the last block', `${PEM}bye\n`],
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
    ['lines of different lengths', block('A'.repeat(64), 'A'.repeat(60), 'A'.repeat(4))],
    ['a last line that is longer', block('A'.repeat(64), 'A'.repeat(68))],
    ['a line of 80 characters', block('A'.repeat(80))],
    ['a line of 77 characters', block('A'.repeat(77), 'A'.repeat(3))],
    ['a blank line of blanks', `${ONE} \n${pemOf(ROOT)}`],
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
      formatErrorOf(() => parsePemCertificates(text, 'cert_chain', { certificates: maximum })).message;
    expect(parsePemCertificates(PEM, 'cert_chain', { certificates: 2 })).toHaveLength(2);
    expect(code(PEM, 1)).toBe('PEM has more than 1 certificates');
    expect(code(PEM + garbage, 2)).toBe('PEM has more than 2 certificates');
    expect(code(PEM + garbage, 3)).toBe('PEM is not base64 in lines of one length, at most 76 characters');
    expect(code(`${PEM}bye\n`, 2)).toBe('PEM has something other than certificates');
  });

  it.each([
    ['written in base64', Buffer.from(ONE).toString('base64'), 'this is PEM written in base64: expected PEM as it is'],
    ['with its line feeds written out', ONE.replaceAll('\n', '\\n'), 'PEM has \\n written out: expected line feeds'],
    [
      'as the name of its file',
      './certs/chain.pem',
      'this is the name of a file: expected PEM, which starts with -----BEGIN CERTIFICATE-----',
    ],
    ['as DER', 'MIIB', 'this is not PEM: expected PEM, which starts with -----BEGIN CERTIFICATE-----'],
    ['as a key', block().replaceAll('CERTIFICATE', 'PUBLIC KEY'), 'PEM has something other than certificates'],
    ...['PRIVATE KEY', 'EC PRIVATE KEY', 'ENCRYPTED PRIVATE KEY'].flatMap((label): [string, string, string][] => [
      [`as a block ${label}`, block('AAAA').replaceAll('CERTIFICATE', label), SENT_KEY],
      [`before a block ${label}`, ONE + block('AAAA').replaceAll('CERTIFICATE', label), SENT_KEY],
    ]),
  ])('CRT-07 says of a chain %s what is expected', (_what, text, message) => {
    expect(formatErrorOf(() => parsePemCertificates(text, 'cert_chain'))).toMatchObject({
      code: 'cert_chain',
      message,
    });
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
