import { describe, expect, it } from 'vitest';
import { PemChains, requireRootLast } from '../../../src/crypto/pem-chains.js';
import type { X509Certificate } from '../../../src/formats/x509-certificate.js';
import { pemOf } from '../../lab/pki.js';
import { certificate, derOf, formatErrorOf, KEYS, name, path } from '../small-pki.js';

const ROLE_DERS = [derOf('leaf'), derOf('intermediate'), derOf('root')];
const PEM = pemOf(...ROLE_DERS);
const OTHER = pemOf(derOf('root'));
const UNREADABLE = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const LINES = PEM.trimEnd().split('\n');

function refolded(width: number): string {
  return PEM.replace(/(?<=-----\n)[^-]+(?=-----END)/g, (body) => {
    const folded = body.replaceAll('\n', '').match(new RegExp(`.{1,${width}}`, 'g')) ?? [];
    return `${folded.join('\n')}\n`;
  });
}

/** Chains of which it is counted how many were verified. */
function counting(options: { readonly problems?: readonly string[]; readonly capacity?: number } = {}) {
  const { problems = [], capacity = 8 } = options;
  const verified: (readonly X509Certificate[])[] = [];
  const verify = (certificates: readonly X509Certificate[]) => {
    verified.push(certificates);
    return { certificates, problems };
  };
  return { chains: new PemChains({ maximum: 3, verify, capacity }), verified };
}

describe('PemChains', () => {
  it('verifies each chain once, in the order of its text', () => {
    const { chains, verified } = counting();
    expect(chains.read(PEM)).toBe(chains.read(PEM));
    expect(verified.map((chain) => chain.map(({ subject }) => subject.commonName))).toEqual([
      ['Leaf', 'Intermediate', 'Root'],
    ]);
  });

  it('verifies a chain that does not hold each time', () => {
    const { chains, verified } = counting({ problems: ['does not hold'] });
    expect(chains.read(PEM)).not.toBe(chains.read(PEM));
    expect(verified).toHaveLength(2);
  });

  it.each([
    ['CRLF', PEM.replaceAll('\n', '\r\n')],
    ['no end of the last line', PEM.trimEnd()],
    ['CR after the last line', `${PEM.trimEnd()}\r`],
    ['CRLF after one line only', PEM.replace('\n', '\r\n')],
    ['blank lines', `\n${PEM.replaceAll('-----BEGIN', '\n-----BEGIN')}\n`],
    ['lines of 76 characters', refolded(76)],
    ['zeros after the DER', pemOf(...ROLE_DERS.map((der) => Uint8Array.of(...der, 0, 0, 0)))],
  ])('knows a chain however it is written: %s', (_what, text) => {
    const { chains, verified } = counting();
    expect(chains.read(text)).toBe(chains.read(PEM));
    expect(verified).toHaveLength(1);
  });

  it('REQ-20 keeps one copy of a chain, and nothing of the text, however many ways there are to write it', () => {
    const { chains, verified } = counting({ capacity: 2 });
    const other = chains.read(OTHER);
    for (let lines = 0; lines < 50; lines += 1) {
      const filled = ROLE_DERS.map((der) => Uint8Array.of(...der, ...new Array(lines).fill(0)));
      const { certificates } = chains.read('\n'.repeat(lines) + pemOf(...filled));
      expect(certificates.map(({ der }) => der.buffer.byteLength)).toEqual(ROLE_DERS.map((der) => der.byteLength));
    }
    expect(chains.read(OTHER)).toBe(other);
    expect(verified).toHaveLength(2);
  });

  it('keeps what it knows, however many ways there are to end the lines of one chain', () => {
    const { chains, verified } = counting({ capacity: 2 });
    const other = chains.read(OTHER);
    for (let bits = 0; bits < 256; bits += 1) {
      chains.read(LINES.map((line, index) => (((bits >> index) & 1) === 1 ? `${line}\r` : line)).join('\n'));
    }
    expect(chains.read(OTHER)).toBe(other);
    expect(verified).toHaveLength(2);
  });

  it.each([
    ['a CR too many at a line', PEM.replace('\n', '\r\r\n')],
    ['a CR too many at each line', PEM.replaceAll('\n', '\r\r\n')],
    ['a CR too many at the last line', `${PEM.trimEnd()}\r\r`],
    ['a CR inside a line', PEM.replace('CERT', 'CE\rRT')],
    ['CR alone at its lines', PEM.replaceAll('\n', '\r')],
    ['a blank after a line', PEM.replace('\n', ' \n')],
    ['NUL after it', `${PEM}\0`],
    ['a byte order mark', `\ufeff${PEM}`],
    ['another separator of lines', PEM.replaceAll('\n', '\u2028')],
    ['a character whose low octet is that of another', PEM.replace('M', '\u014d')],
    ['half a character', PEM.replace('M', '\ud800')],
  ])('CRT-07 refuses a text that it would refuse of a stranger, although it knows the chain: %s', (_what, text) => {
    const { chains } = counting();
    expect(formatErrorOf(() => counting().chains.read(text)).code).toBe('cert_chain');
    chains.read(PEM);
    expect(formatErrorOf(() => chains.read(text)).code).toBe('cert_chain');
  });

  it.each([
    ['the last', PEM + UNREADABLE],
    ['the first', UNREADABLE + PEM],
    ['all', UNREADABLE.repeat(4)],
  ])('CRT-07 counts certificates before it reads any: of four that are too many, %s cannot be read', (_what, text) => {
    const { chains, verified } = counting();
    expect(formatErrorOf(() => chains.read(text)).code).toBe('cert_chain');
    expect(verified).toEqual([]);
  });

  it('refuses a certificate that is none', () => {
    const { chains } = counting();
    expect(formatErrorOf(() => chains.read(UNREADABLE.repeat(3))).code).toBe('cert_format');
  });

  it('lets the chain go that was longest not asked for, where there are more than it keeps', () => {
    const { chains, verified } = counting({ capacity: 2 });
    const texts = ['leaf', 'intermediate', 'root'].map((role) => pemOf(derOf(role as 'leaf')));
    for (const text of [...texts, ...texts.slice(0, 1)]) chains.read(text);
    expect(verified).toHaveLength(4);
  });
});

describe('requireRootLast', () => {
  const [leaf, intermediate, root] = path() as [X509Certificate, X509Certificate, X509Certificate];
  const other = certificate('root', { subject: name('Other'), issuer: name('Other'), signer: KEYS.other });

  it('takes a chain that ends with a root, and a root alone', () => {
    for (const chain of [[leaf, intermediate, root], [intermediate, root], [root]]) {
      expect(requireRootLast(chain)).toBeUndefined();
    }
  });

  it.each([
    ['is empty', []],
    ['has no root', [leaf, intermediate]],
    ['has its root first', [root, intermediate]],
    ['has its root twice', [leaf, root, root]],
    ['has another root before its own', [other, root]],
  ])('CRT-07 refuses a chain that %s', (_what, chain) => {
    expect(formatErrorOf(() => requireRootLast(chain)).code).toBe('cert_chain');
  });
});
