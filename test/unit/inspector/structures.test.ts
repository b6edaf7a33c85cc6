import { describe, expect, it } from 'vitest';
import { findBytes, placeOf, readBytes } from '../../../src/inspector/structures.js';
import { hex } from '../../../src/model/bytes.js';
import type { JsonObject } from '../../../src/model/json.js';
import { createAmdPki, createVirtualMachine } from '../../lab/index.js';
import { NONCE } from '../verifiers/fixture.js';

const pki = createAmdPki();
const vm = await createVirtualMachine({ pki });
const evidence = vm.wireEvidence({ nonce: NONCE }) as unknown as JsonObject;
const found = (value: Parameters<typeof findBytes>[0]) =>
  findBytes(value).map(({ pointer, kind }) => `${pointer} ${kind}`);
const report = vm.hclReport().subarray(32, 32 + 1184);
const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

describe('what can be read in JSON', () => {
  it('is every structure of a /verify body, at its pointer', () => {
    expect(found({ evidence })).toEqual(
      expect.arrayContaining(['/evidence/hclReport hcl-report', '/evidence/tpmQuote/message tpm-quote']),
    );
  });

  it.each([
    ['base64url', base64url(report)],
    ['base64', Buffer.from(report).toString('base64')],
    ['hex', hex(report)],
    ['a list of numbers', [...report]],
    ['JSON in base64url', base64url(Buffer.from(JSON.stringify({ SnpReport: base64url(report) })))],
  ])('is found where it is written as %s', (_form, value) => {
    expect(findBytes({ value }).map(({ kind, bytes }) => [kind, hex(bytes)])).toEqual([['snp-report', hex(report)]]);
  });

  it('is PEM as it stands, a token, and runtime data by their name', () => {
    const token = ['{"alg":"RS256"}', '{"iss":"nobody"}', 'signature']
      .map((part) => base64url(Buffer.from(part)))
      .join('.');
    const runtimeData = base64url(Buffer.from('{"nonce":"AQ","keys":[{"kid":"one"}]}'));
    expect(found({ chain: pki.chainPem('Milan'), token, runtimeData, other: runtimeData })).toEqual([
      '/chain pem',
      '/token token',
      '/runtimeData runtime-data',
    ]);
  });

  it('has names with slashes and tildes in their pointers as RFC 6901 has them', () => {
    expect(found({ 'a/b~c': hex(report) })).toEqual(['/a~1b~0c snp-report']);
  });

  it('is nothing in short texts, numbers and lists that are no bytes', () => {
    expect(found({ a: 'AQAB', b: 7, c: [256, ...Array(40).fill(1)], d: null, e: 'text '.repeat(20) })).toEqual([]);
  });

  it('is bounded in depth and number', () => {
    const deep = Array.from({ length: 10 }).reduce<JsonObject>((inner) => ({ inner }), { report: hex(report) });
    expect(found(deep)).toEqual([]);
    expect(
      found(Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`r${index}`, hex(report)]))),
    ).toHaveLength(64);
  });
});

describe('bytes by themselves', () => {
  it('are read as what they look like', () => {
    expect(readBytes(report)).toMatchObject({ pointer: '', kind: 'snp-report', problem: null });
    expect(readBytes(Uint8Array.of(1, 2, 3))).toBeNull();
  });

  it('are told apart from what looks like them, and is malformed', () => {
    const spoilt = Uint8Array.from(report);
    spoilt[0x4c] = 1;
    expect(readBytes(spoilt)).toMatchObject({
      kind: 'snp-report',
      structures: [],
      problem: expect.stringContaining('reserved'),
    });
  });
});

describe('the place of a field', () => {
  const field = { name: 'f', offset: 2, length: 3, value: null, meaning: null };
  const structure = { name: 's', about: '', start: 32, length: 100, fields: [field] };

  it('is in the bytes that its structure was found in', () => {
    expect(placeOf(structure, field)).toEqual({ from: 34, to: 37 });
  });

  it('is none where structure or field have none', () => {
    expect(placeOf({ ...structure, start: null }, field)).toBeNull();
    expect(placeOf(structure, { ...field, offset: null, length: null })).toBeNull();
  });
});
