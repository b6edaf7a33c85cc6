import { describe, expect, it } from 'vitest';
import { parsePemBlocks } from '../../../src/formats/pem.js';
import { formatErrorOf } from '../../format-error-of.js';
import { pemOf } from '../../lab/pki.js';
import { derOf } from '../small-pki.js';

const ROOT = derOf('root');
const CERTIFICATE = pemOf(ROOT);
const CRL = CERTIFICATE.replaceAll('CERTIFICATE', 'X509 CRL');

describe('parsePemBlocks', () => {
  it('reads certificates and CRLs in their order', () => {
    const blocks = parsePemBlocks(CRL + CERTIFICATE + CRL);
    expect(blocks.map(({ label }) => label)).toEqual(['X509 CRL', 'CERTIFICATE', 'X509 CRL']);
    expect(blocks.map(({ der }) => Buffer.from(der))).toEqual(Array(3).fill(Buffer.from(ROOT)));
  });

  it.each([
    ['another kind of block', CERTIFICATE.replaceAll('CERTIFICATE', 'PRIVATE KEY')],
    ['a block that ends as another', CERTIFICATE.replace('END CERTIFICATE', 'END X509 CRL')],
    ['nothing', ''],
    ['text beside the blocks', `roots\n${CERTIFICATE}`],
  ])('refuses %s', (_what, text) => {
    expect(formatErrorOf(() => parsePemBlocks(text))).toEqual({ code: 'cert_format', pointer: null });
  });
});
