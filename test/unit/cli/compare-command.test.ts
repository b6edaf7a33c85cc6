import { describe, expect, it } from 'vitest';
import { compareCommand } from '../../../src/cli/compare-command.js';
import { requestLimits } from '../../../src/wire/read-body.js';
import { bootComparisons, rawInspections } from '../../../src/workbench/inspections.js';
import { buildCcel, createAmdPki, labCcelEvents, SnpPlatform } from '../../lab/index.js';
import { buildTpmLog, type LogEvent, latin1 } from '../inspect/tpm-log.js';
import { bodyOf } from '../wire/sample-bodies.js';

const LIMIT = 4096;

const grub = (text: string): LogEvent => ({
  index: 8,
  type: 0xd,
  data: latin1(`kernel_cmdline: ${text}\0`),
  hashed: latin1(text),
});
const BEFORE = buildTpmLog([grub('/vmlinuz ro'), { index: 4, type: 4, data: new Uint8Array(4) }]);
const AFTER = buildTpmLog([grub('/vmlinuz ro quiet'), { index: 4, type: 4, data: new Uint8Array(4) }]);

const REPORT = new SnpPlatform({ pki: createAmdPki() }).report();

function compare(before: Uint8Array, after: Uint8Array, asTable = true): string {
  let written = '';
  const write = (text: string) => {
    written += text;
  };
  const comparisons = {
    boots: bootComparisons(LIMIT),
    raw: rawInspections(LIMIT),
    limits: requestLimits(LIMIT),
  };
  const code = compareCommand({ name: 'a.bin', bytes: before }, { name: 'b.bin', bytes: after }, comparisons, {
    asTable,
    inColour: false,
    write,
  });
  expect(code).toBe(0);
  return written;
}

describe('veritee inspect --compare', () => {
  it('writes which registers moved, and what moved each', () => {
    expect(compare(BEFORE, AFTER).split('\n')).toEqual([
      'nothing here was verified: anyone could have written every value',
      'compared: event log',
      '',
      'PCR 8 moved',
      '  the command line changed; added: quiet',
      '    before  /vmlinuz ro',
      '    after   /vmlinuz ro quiet',
      '',
    ]);
  });

  it('writes that nothing differs', () => {
    expect(compare(BEFORE, BEFORE).split('\n').slice(2)).toEqual(['', 'nothing differs', '']);
  });

  it('names the registers of a TD, and takes evidence beside a log', () => {
    const log = buildCcel(labCcelEvents({ secureBoot: false }));
    const body = bodyOf({ type: 'event-log', log: Buffer.from(buildCcel(labCcelEvents())).toString('base64url') });
    expect(compare(body, log).split('\n').slice(3, 7)).toEqual([
      'RTMR 0 moved',
      '  Secure Boot changed: on before, off after',
      '    before  true',
      '    after   false',
    ]);
  });

  it('writes what moved no register besides, and cuts long values', () => {
    const other = Uint8Array.from(REPORT).fill(0xab, 0x0c0, 0x0e0);
    expect(compare(REPORT, other).split('\n').slice(1, 5)).toEqual([
      'compared: ATTESTATION_REPORT',
      '',
      'besides',
      '  HOST_DATA of the ATTESTATION_REPORT differs',
    ]);
    const table = compare(buildTpmLog([grub('a'.repeat(300))]), buildTpmLog([grub('b'.repeat(300))]));
    expect(table).toContain(`    before  ${'a'.repeat(200)}…\n`);
  });

  it('writes nothing that a terminal would obey', () => {
    const hostile: LogEvent = {
      index: 9,
      type: 0xd,
      data: latin1('\u001b[2J\u009b31m\r\nVERIFIED'),
      hashed: latin1('x'),
    };
    const table = compare(BEFORE, buildTpmLog([grub('/vmlinuz \u202e\u061c'), hostile]));
    expect(table.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it('is JSON in a pipe', () => {
    expect(JSON.parse(compare(BEFORE, AFTER, false))).toEqual({
      verified: false,
      notice: 'nothing here was verified: anyone could have written every value',
      compared: ['event log'],
      differences: [
        {
          about: 'commandLine',
          pcr: 8,
          before: '/vmlinuz ro',
          after: '/vmlinuz ro quiet',
          detail: 'the command line changed; added: quiet',
        },
      ],
      movedPcrs: [8],
      registers: 'pcr',
      notes: [],
    });
  });

  it.each<[string, Uint8Array, Uint8Array, RegExp]>([
    ['the first', BEFORE.subarray(0, -1), AFTER, /^a\.bin, read as an event log: eventlog_format: /],
    ['the second', BEFORE, AFTER.subarray(0, -1), /^b\.bin, read as an event log: eventlog_format: /],
    ['a body', bodyOf({ evidence: { type: 'snp' } }), AFTER, /^a\.bin: schema: /],
    ['nothing known', latin1('hello'), AFTER, /^a\.bin: nothing that is recognised/],
    [
      'a log that is too long',
      Buffer.concat([BEFORE, new Uint8Array(LIMIT)]),
      AFTER,
      /^a\.bin, read as .*eventlog_limit/,
    ],
    ['nothing in common', BEFORE, REPORT, /^a\.bin and b\.bin: type_mismatch: /],
  ])('is refused, and says which file it is: %s', (_what, before, after, message) => {
    expect(() => compare(before, after)).toThrow(message);
  });
});
