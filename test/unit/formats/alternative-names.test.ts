import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/core/errors.js';
import { dnsNames } from '../../../src/formats/alternative-names.js';
import { der, sequence } from '../../lab/der-writer.js';

const dns = (name: string) => der(0x82, Buffer.from(name, 'latin1'));
const of = (...values: readonly Uint8Array[]) =>
  dnsNames({ extensions: values.map((value) => ({ oid: '2.5.29.17', critical: false, value })) });

describe('dnsNames', () => {
  it('are those of a certificate, as they stand, without names of other kinds', () => {
    const others = [
      der(0x87, Buffer.from([127, 0, 0, 1])),
      der(0x81, Buffer.from('a@b')),
      der(0x86, Buffer.from('x:y')),
    ];
    expect(of(sequence(dns('Vault.azure.net'), ...others, dns('*.vault.azure.net'), dns('\0\xff')))).toEqual([
      'Vault.azure.net',
      '*.vault.azure.net',
      '\0\xff',
    ]);
  });

  it('are none where the extension is missing, or comes twice', () => {
    expect(of()).toEqual([]);
    expect(of(sequence(dns('a')), sequence(dns('a')))).toEqual([]);
  });

  it('are at most 1024', () => {
    const names = (count: number) => sequence(...Array.from({ length: count }, () => dns('a')));
    expect(of(names(1024))).toHaveLength(1024);
    expect(() => of(names(1025))).toThrow('more than 1024 alternative names');
  });

  it.each([
    ['no sequence', dns('a')],
    ['cut short', sequence(dns('abc')).subarray(0, 5)],
    ['followed by something', Buffer.concat([sequence(dns('a')), dns('b')])],
  ])('are refused where they are %s', (_what, value) => {
    expect(() => of(value)).toThrow(FormatError);
  });
});
