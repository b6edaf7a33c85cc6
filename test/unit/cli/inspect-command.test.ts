import { describe, expect, it } from 'vitest';
import { inspectCommand } from '../../../src/cli/inspect-command.js';
import { requestLimits } from '../../../src/wire/read-body.js';
import { InspectEvidence, rawInspections } from '../../../src/workbench/inspections.js';
import { haveVectors, readVector } from '../../vectors.js';
import { buildTpmLog, hashOf, latin1 } from '../inspect/tpm-log.js';
import { bodyOf, snpEvidence } from '../wire/sample-bodies.js';

describe('veritee inspect on a terminal', () => {
  it('writes what an event says in one line', () => {
    const value = { index: 3, text: 'grub_cmd: {\n}', dataLength: 15, digests: { sha384: 'ab' } };
    const event = { name: 'EV_EFI_BOOT_SERVICES_APPLICATION', offset: 65, length: 9, value, meaning: 'RTMR 2' };
    const structures = [{ name: 'event log', about: '/ccel', length: 74, fields: [event] }];
    const written: string[] = [];
    inspectCommand(
      { name: 'body.json', bytes: bodyOf(snpEvidence()) },
      null,
      {
        raw: rawInspections(1024),
        limits: requestLimits(1024),
        evidence: { execute: () => ({ notice: 'nothing here was verified', structures }) },
      },
      { asTable: true, inColour: false, write: (text) => written.push(text) },
    );
    expect(written.join('').split('\n').slice(2)).toEqual([
      'event log  /ccel, 74 bytes',
      `  0x041  EV_EFI_BOOT_SERVICES_APPLICATION ${JSON.stringify(value)}  (RTMR 2)`,
      '',
    ]);
  });

  it('writes nothing of the evidence that a terminal would obey', () => {
    const hostile = '\u001b[2J\u009b31m\r\n\u202eVERIFIED';
    const fields = [{ name: hostile, offset: null, length: null, value: hostile, meaning: hostile }];
    const structures = [{ name: 'runtime claims', about: '/hclReport', length: 1, fields }];
    let written = '';
    const write = (text: string) => {
      written += text;
    };
    inspectCommand(
      { name: 'body.json', bytes: bodyOf(snpEvidence()) },
      null,
      {
        raw: rawInspections(1024),
        limits: requestLimits(1024),
        evidence: { execute: () => ({ notice: 'nothing here was verified', structures }) },
      },
      { asTable: true, inColour: false, write },
    );
    expect(written.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(written.split('\n')).toHaveLength(5);
    expect(written).toContain('\\u001b[2J\\u009b31m\\u000d\\u000a\\u202eVERIFIED');
  });
});

describe('veritee inspect of an event log', () => {
  const text = latin1('kernel_cmdline: /vmlinuz\u001b[2J ro');
  const LOG = buildTpmLog([
    { index: 4, type: 4, data: new Uint8Array(4) },
    { index: 8, type: 0xd, data: text, hashed: latin1('another') },
  ]);
  const PCR_4 = hashOf('sha256', new Uint8Array(32), hashOf('sha256', new Uint8Array(4)));
  const PCR_8 = hashOf('sha256', new Uint8Array(32), hashOf('sha256', latin1('another')));
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

  function inspect(bytes: Uint8Array, pcrs: Uint8Array | null, asTable = true): string {
    let written = '';
    const inspections = {
      raw: rawInspections(1024),
      limits: requestLimits(1024),
      evidence: new InspectEvidence(1024),
    };
    const code = inspectCommand(
      { name: 'log.bin', bytes },
      pcrs === null ? null : { name: 'pcrs', bytes: pcrs },
      inspections,
      {
        asTable,
        inColour: false,
        write: (more) => {
          written += more;
        },
      },
    );
    expect(code).toBe(0);
    return written;
  }

  it('writes a table: problems, format, Secure Boot, what it replays to, and each event in one line', () => {
    expect(inspect(LOG, null).split('\n')).toEqual([
      'read as an event log',
      'nothing here was verified: anyone could have written every value',
      '',
      'problems (1)',
      '  eventlog_unverified   the data of the event at offset 119 is not what PCR 8 was extended by',
      '',
      'format       crypto-agile, 2 events',
      'Secure Boot  not known',
      '',
      'replayed, sha256',
      `      4  ${hex(PCR_4)}`,
      `      8  ${hex(PCR_8)}`,
      '',
      '  index  type                              offset   covered  data',
      '      4  EV_SEPARATOR                      0x41     yes      4 bytes',
      `      8  EV_IPL                            0x77     no       ${text.byteLength} bytes`,
      '',
    ]);
  });

  it('writes long texts cut, and nothing that a terminal would obey', () => {
    const name = `${'a'.repeat(100)}\u202e`;
    const record = { pcr: 11, digests: [{ hashAlg: 'sha256', digest: 'ab'.repeat(32) }], content: { string: name } };
    const table = inspect(latin1(JSON.stringify([record, { ...record, content: { string: 'a'.repeat(100) } }])), null);
    expect(table.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(table).toContain(`  ${'a'.repeat(96)}…\n`);
  });

  const zeros = Buffer.alloc(768);
  const list = Buffer.from(zeros);
  list.fill(0xff, 17 * 32, 23 * 32);
  list.set(PCR_4, 4 * 32);
  list.set(PCR_8, 8 * 32);

  it.each<[string, Uint8Array]>([
    ['24 values of SHA-256, one behind the other', list],
    ['JSON', bodyOf({ sha256: { '4': hex(PCR_4), '8': hex(PCR_8) } })],
    ['JSON of the length of the list', latin1(JSON.stringify({ sha256: { '4': hex(PCR_4) } }).padEnd(768))],
  ])('--pcrs compares it with %s', (_form, pcrs) => {
    const shown = JSON.parse(inspect(LOG, pcrs, false));
    expect(shown.problems.map(({ code }: { code: string }) => code)).toEqual(['eventlog_unverified']);
    expect(shown.events[0].covered).toBe(true);
  });

  it.skipIf(!haveVectors)('--pcrs takes the values that a VM wrote as a list', () => {
    const values = readVector('az-snp-vtpm/az-snp-milan-hcl1-a.pcrs.bin');
    const { problems } = JSON.parse(inspect(LOG, values, false));
    expect(problems[0]).toMatchObject({ code: 'eventlog_replay', pcr: 0, expected: hex(values.subarray(0, 32)) });
  });

  it('--pcrs that it does not replay to stand in the problems, with both values', () => {
    const other = Buffer.from(list).fill(0xab, 4 * 32, 5 * 32);
    expect(inspect(LOG, other).split('\n').slice(3, 7)).toEqual([
      'problems (2)',
      '  eventlog_replay       the log does not replay to PCR 4 (sha256)',
      `                        expected ${'ab'.repeat(32)}`,
      `                        actual   ${hex(PCR_4)}`,
    ]);
  });

  it('shows one in a body of type bytes as the file is shown', () => {
    const body = bodyOf({ type: 'bytes', as: 'event-log', value: Buffer.from(LOG).toString('base64url') });
    const { takenFor, ...shown } = JSON.parse(inspect(LOG, null, false));
    expect(takenFor).toBe('an event log');
    expect(JSON.parse(inspect(body, null, false))).toEqual(shown);
  });

  it('--pcrs takes the place of those of a body', () => {
    const body = {
      type: 'event-log',
      log: Buffer.from(LOG).toString('base64url'),
      pcrs: { sha256: { '4': 'ab'.repeat(32) } },
    };
    const replaysOf = (pcrs: Uint8Array | null) =>
      JSON.parse(inspect(bodyOf(body), pcrs, false)).problems.filter(
        ({ code }: { code: string }) => code === 'eventlog_replay',
      ).length;
    expect([replaysOf(null), replaysOf(list)]).toEqual([1, 0]);
  });

  it.each<[string, Uint8Array, Uint8Array, RegExp]>([
    [
      'a list of 767 bytes',
      LOG,
      list.subarray(1),
      /^pcrs: tpm_format: a list of 24 SHA-256 PCR values is 767 bytes, expected 768$/,
    ],
    [
      'a list of SHA-1 values',
      LOG,
      Buffer.alloc(24 * 20, 0xff),
      /^pcrs: tpm_format: a list of 24 SHA-256 PCR values is 480 bytes, expected 768$/,
    ],
    ['text', LOG, latin1('sha256: 7'), /^pcrs: schema: not JSON: /],
    ['a value that is no hex', LOG, bodyOf({ sha256: { '4': 'xy' } }), /^pcrs: encoding: .*\(at \/sha256\/4\)$/],
    ['a number', LOG, bodyOf({ sha256: { '4': 4 } }), /^pcrs: schema: .*\(at \/sha256\/4\)$/],
    ['PCR 24', LOG, bodyOf({ sha256: { '24': 'ab'.repeat(32) } }), /^pcrs: unknown_property: .*\(at \/sha256\/24\)$/],
    [
      'a value of 31 bytes',
      LOG,
      bodyOf({ sha256: { '4': 'ab'.repeat(31) } }),
      /^pcrs: tpm_format: .*\(at \/sha256\/4\)$/,
    ],
    ['an unknown bank', LOG, bodyOf({ sm3: {} }), /^pcrs: unknown_property: /],
    ['no value at all', LOG, bodyOf({}), /^pcrs: schema: there is no value of a register, expected /],
    ['no value in its bank', LOG, bodyOf({ sha256: {} }), /^pcrs: schema: there is no value of a register/],
    ['no object', LOG, latin1('[]'), /^pcrs: schema: /],
    ['beside evidence', bodyOf(snpEvidence()), list, /^--pcrs: only an event log .*log\.bin is evidence of type snp$/],
    [
      'beside a structure in a body',
      bodyOf({ type: 'bytes', value: 'YWEuYmIuY2M' }),
      list,
      /^--pcrs: only an event log .*log\.bin is a body of type bytes$/,
    ],
    ['beside another structure', latin1('aa.bb.cc'), list, /^--pcrs: only an event log .*log\.bin is a token$/],
  ])('--pcrs is refused: %s', (_what, bytes, pcrs, message) => {
    expect(() => inspect(bytes, pcrs)).toThrow(message);
  });

  it.each<[string, Uint8Array, string]>([
    ['longer than the limit', Buffer.concat([LOG, new Uint8Array(1024)]), 'eventlog_limit'],
    ['cut', LOG.subarray(0, -1), 'eventlog_format'],
  ])('is refused: %s', (_what, bytes, code) => {
    expect(() => inspect(bytes, null)).toThrow(`log.bin, read as an event log: ${code}: `);
  });
});
