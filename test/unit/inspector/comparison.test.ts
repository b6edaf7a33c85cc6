import { describe, expect, it } from 'vitest';
import { fromLatin1 } from '../../../src/core/bytes.js';
import type { JsonObject } from '../../../src/core/json.js';
import { compareFound } from '../../../src/inspector/comparison.js';
import { type FoundBytes, findBytes } from '../../../src/inspector/structures.js';
import { buildEventLog, LOG_EVENT } from '../../lab/event-log-builder.js';
import { createAmdPki, createIntelPki, createVirtualMachine, TdxPlatform } from '../../lab/index.js';
import { NONCE } from '../tee/fixture.js';

const platform = new TdxPlatform({ pki: createIntelPki() });
const vm = await createVirtualMachine({ pki: createAmdPki() });
const evidence = (members: Parameters<typeof vm.wireEvidence>[0] = { nonce: NONCE }) =>
  findBytes({ evidence: vm.wireEvidence({ nonce: NONCE, ...members }) as unknown as JsonObject });
const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
const logText = (commandLine: string) =>
  base64url(buildEventLog([{ pcr: 8, type: LOG_EVENT.ipl, data: fromLatin1(commandLine) }]));
const log = (commandLine: string) => findBytes({ evidence: { eventLog: logText(commandLine) } });

describe('two pieces of evidence', () => {
  it('differ in the fields that differ, of each structure that both have', () => {
    const { structures } = compareFound(evidence(), evidence({ nonce: new Uint8Array(32).fill(9) }));
    const quote = structures.find(({ name }) => name === 'TPMS_ATTEST');
    expect(quote?.fields.filter(({ differs }) => differs).map(({ name }) => name)).toContain('extraData');
    expect(quote?.fields.find(({ name }) => name === 'magic')).toMatchObject({ differs: false });
    expect(structures.map(({ name }) => name)).toContain('ATTESTATION_REPORT');
  });

  const structure = (name: string, values: { readonly [name: string]: string }): FoundBytes['structures'][number] => ({
    name,
    about: '',
    start: 0,
    length: 0,
    fields: Object.entries(values).map(([field, value]) => ({
      name: field,
      offset: 0,
      length: 0,
      value,
      meaning: null,
    })),
  });
  const found = (...structures: FoundBytes['structures']): readonly FoundBytes[] => [
    { pointer: '', kind: 'certificate', bytes: new Uint8Array(), structures, problem: null },
  ];

  it('are compared one after the other where both have several structures of a name', () => {
    const one = found(
      structure('certificate', { a: '1' }),
      structure('certificate', { a: '2' }),
      structure('CRL', { b: '1' }),
    );
    const other = found(
      structure('token', { c: '1' }),
      structure('certificate', { a: '1' }),
      structure('certificate', { a: '3' }),
    );
    const pair = (value: string, twin: string) => ({
      name: 'certificate',
      fields: [{ name: 'a', one: value, other: twin, differs: value !== twin }],
    });
    expect(compareFound(one, other).structures).toEqual([pair('1', '1'), pair('2', '3')]);
    expect(compareFound(one, found(structure('certificate', { a: '1' }))).structures).toEqual([pair('1', '1')]);
  });

  it('differ in fields that one of them alone has', () => {
    const one = found(structure('CRL', { both: '1', ofOne: '2' }));
    const other = found(structure('CRL', { ofOther: '3', both: '1' }));
    expect(compareFound(one, other).structures).toEqual([
      {
        name: 'CRL',
        fields: [
          { name: 'both', one: '1', other: '1', differs: false },
          { name: 'ofOne', one: '2', other: undefined, differs: true },
          { name: 'ofOther', one: undefined, other: '3', differs: true },
        ],
      },
    ]);
  });

  it('differ in nothing where they are the same', () => {
    const same = evidence();
    const { structures, differences } = compareFound(same, same);
    expect(differences).toEqual([]);
    expect(
      structures.find(({ name }) => name === 'ATTESTATION_REPORT')?.fields.filter(({ differs }) => differs),
    ).toEqual([]);
  });

  it('differ in words where their boots do', () => {
    const { differences, structures } = compareFound(log('linux /old'), log('linux /new'));
    expect(differences.join(' ')).toMatch(/linux \/old.*linux \/new/);
    expect(compareFound(log('linux /old'), log('linux /new')).compared).toEqual(['event log']);
    expect(structures).toEqual([]);
  });

  it('differ in the second log of a boot, too', () => {
    const two = (second: string) => findBytes({ evidence: { eventLog: [logText('linux'), logText(second)] } });
    expect(compareFound(two('initrd /old'), two('initrd /new')).differences.join(' ')).toMatch(/initrd \/(old|new)/);
  });

  it('are compared by the bytes that are judged, whatever other members hold', () => {
    const quoteOf = (making: object = {}) => base64url(platform.quote(making));
    const body = (quote: string, user_data: string) =>
      findBytes({ evidence: { type: 'tdx', dialect: 'ita', value: { user_data, quote, other: logText(user_data) } } });
    const [one, other] = [quoteOf(), quoteOf({ fields: { mrTd: new Uint8Array(48).fill(7) } })];
    const same = compareFound(body(one, other), body(one, one));
    expect({ differences: same.differences, compared: same.compared }).toEqual({
      differences: [],
      compared: ['TD quote'],
    });
    expect(same.structures.filter(({ name }) => name === 'TD quote')).toHaveLength(1);
    expect(compareFound(body(one, one), body(other, one)).differences.join(' ')).toMatch(
      /MRTD of the TD quote differs/,
    );
  });

  it('that have nothing in common are said to have nothing', () => {
    const { compared, differences, notes, structures } = compareFound(log('linux /old'), []);
    expect({ compared, differences, structures }).toEqual({ compared: [], differences: [], structures: [] });
    expect(notes).toEqual([expect.stringMatching(/^the two have nothing in common that is compared/)]);
  });
});
