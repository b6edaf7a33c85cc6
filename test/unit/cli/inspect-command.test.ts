import { describe, expect, it } from 'vitest';
import { inspectCommand } from '../../../src/cli/inspect-command.js';
import { rawInspections } from '../../../src/service/inspections.js';
import { requestLimits } from '../../../src/wire/read-body.js';
import { bodyOf, snpEvidence } from '../wire/sample-bodies.js';

describe('veritee inspect on a terminal', () => {
  it('writes what an event says in one line', () => {
    const value = { index: 3, text: 'grub_cmd: {\n}', dataLength: 15, digests: { sha384: 'ab' } };
    const event = { name: 'EV_EFI_BOOT_SERVICES_APPLICATION', offset: 65, length: 9, value, meaning: 'RTMR 2' };
    const structures = [{ name: 'event log', about: '/ccel', length: 74, fields: [event] }];
    const written: string[] = [];
    inspectCommand(
      { name: 'body.json', bytes: bodyOf(snpEvidence()) },
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
