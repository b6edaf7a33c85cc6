import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../../../src/core/errors.js';
import { encodeCollateralFile, parseCollateralFile } from '../../../../../src/tee/tdx/intel/collateral-file.js';
import { haveVectors, readVector, vectors } from '../../../../vectors.js';

const FILE: { readonly [member: string]: string } = {
  tcb_info: '{"id": "TDX"}',
  qe_identity: '{ }',
  tcb_info_signature: '0Aff',
  qe_identity_signature: '01',
  tcb_info_issuer_chain: 'a\n',
  qe_identity_issuer_chain: 'b',
  pck_crl_issuer_chain: 'c',
  pck_crl: '3000',
  root_ca_crl: '3001',
};
const parse = (value: unknown) => parseCollateralFile(Buffer.from(JSON.stringify(value)));

describe('parseCollateralFile', () => {
  it('reads texts as they are, and hex in either case', () => {
    expect(parse(FILE)).toEqual({
      tcbInfo: '{"id": "TDX"}',
      qeIdentity: '{ }',
      tcbInfoSignature: Buffer.of(0x0a, 0xff),
      qeIdentitySignature: Buffer.of(1),
      tcbInfoIssuerChain: 'a\n',
      qeIdentityIssuerChain: 'b',
      pckCrlIssuerChain: 'c',
      pckCrl: Buffer.of(0x30, 0),
      rootCaCrl: Buffer.of(0x30, 1),
    });
  });

  it.each(Object.keys(FILE))('refuses a file without %s, and one where it is no text', (member) => {
    const { [member]: _left, ...others } = FILE;
    for (const file of [others, { ...FILE, [member]: 1 }]) {
      expect(() => parse(file)).toThrow(new FormatError('schema', `${member} is not a string`));
    }
  });

  it.each(['tcb_info_signature', 'qe_identity_signature', 'pck_crl', 'root_ca_crl'])(
    'refuses %s that is not hex',
    (member) => {
      expect(() => parse({ ...FILE, [member]: '0x00' })).toThrow(expect.objectContaining({ code: 'encoding' }));
    },
  );

  it.each([
    ['a member more', { ...FILE, x: '' }],
    ['a list', []],
    ['null', null],
    ['a text', 'x'],
  ])('refuses %s', (_what, file) => {
    expect(() => parse(file)).toThrow(expect.objectContaining({ code: 'schema' }));
  });

  it('leaves the certificates of some quote alone, which others write beside the rest', () => {
    expect(parse({ ...FILE, pck_certificate_chain: 'PEM' })).toEqual(parse(FILE));
    expect(parse({ ...FILE, pck_certificate_chain: null })).toEqual(parse(FILE));
    for (const chain of [7, false, [], {}]) {
      expect(() => parse({ ...FILE, pck_certificate_chain: chain })).toThrow(
        new FormatError('schema', 'pck_certificate_chain is not a string'),
      );
    }
  });

  it('takes null for no other member', () => {
    for (const name of Object.keys(FILE)) {
      expect(() => parse({ ...FILE, [name]: null })).toThrow(new FormatError('schema', `${name} is not a string`));
    }
  });

  it('refuses a member that is there twice', () => {
    const text = JSON.stringify(FILE).replace('{', '{"pck_crl":"00",');
    expect(() => parseCollateralFile(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'duplicate_key' }));
  });

  it('reads what encodeCollateralFile writes', () => {
    const collateral = parse(FILE);
    expect(parseCollateralFile(Buffer.from(encodeCollateralFile(collateral)))).toEqual(collateral);
  });
});

describe.skipIf(!haveVectors)('collateral of Intel', () => {
  it.each(haveVectors ? vectors('collateral').flatMap(({ files }) => files) : [])(
    '%s is read, and written the same',
    (file) => {
      const bytes = readVector(file);
      const collateral = parseCollateralFile(bytes);
      expect(JSON.parse(encodeCollateralFile(collateral))).toEqual(JSON.parse(Buffer.from(bytes).toString()));
    },
  );
});
