import { describe, expect, it } from 'vitest';
import { checkedEvents } from '../../../src/boot/checked-event.js';
import { parseFirmwareEventLog } from '../../../src/boot/format/tcg-event-log.js';
import { type OrderFinding, orderFindings } from '../../../src/boot/log-order.js';
import { PCR_LAYOUT, RTMR_LAYOUT } from '../../../src/boot/register-layout.js';
import { flipBit } from '../../lab/byte-patch.js';
import { buildCcel, type CcelEvent } from '../../lab/ccel-builder.js';
import {
  asCcelEvents,
  buildEventLog,
  grubBoot,
  LOG_EVENT,
  type LogEvent,
  localityEvent,
  secureBootVariable,
  separatorEvent,
  ukiBoot,
  windowsBoot,
} from '../../lab/event-log-builder.js';
import { change, text } from './fixture.js';

const BOOT = grubBoot();

/** Everything that is found, a note excepted, which a log of a TD may have. */
const isNoNote = ({ weight }: OrderFinding) => weight !== 'note';

function findingsOf(log: readonly LogEvent[] | Uint8Array): readonly OrderFinding[] {
  const bytes = log instanceof Uint8Array ? log : buildEventLog(log);
  const { header, events } = parseFirmwareEventLog(bytes, 2 ** 20);
  const all = header === null ? events : [header, ...events];
  return orderFindings(all, checkedEvents(events, 'sha256'), PCR_LAYOUT);
}

function faultsOf(log: readonly LogEvent[] | Uint8Array): readonly string[] {
  return findingsOf(log).map(({ detail }) => detail);
}

function findingsOfCcel(log: readonly CcelEvent[]): readonly OrderFinding[] {
  const { events } = parseFirmwareEventLog(buildCcel(log), 2 ** 20);
  return orderFindings(events, checkedEvents(events, 'sha384'), RTMR_LAYOUT);
}

function faultsOfCcel(log: readonly CcelEvent[]): readonly string[] {
  return findingsOfCcel(log)
    .filter(isNoNote)
    .map(({ detail }) => detail);
}

const variable = (name: string, type: number): LogEvent => ({
  pcr: 7,
  type,
  data: secureBootVariable(name, Uint8Array.of(1)),
});
const isSeparatorOf = (pcr: number) => (event: LogEvent) => event.type === LOG_EVENT.separator && event.pcr === pcr;
const withSeparator = (pcr: number, data: Uint8Array) =>
  change(BOOT, isSeparatorOf(pcr), () => separatorEvent(pcr, data));

describe('the order of an event log', () => {
  it.each([
    ['GRUB', BOOT],
    ['a unified kernel image', ukiBoot()],
    ['Windows, with separators of its own in PCR 12 to 14', windowsBoot()],
    ['a firmware without Secure Boot', grubBoot({ secureBoot: false })],
    ['a firmware that started at locality 0', grubBoot({ locality: 0 })],
    ['a firmware that started at locality 3', grubBoot({ locality: 3 })],
    ['a firmware that started at locality 4', grubBoot({ locality: 4 })],
  ])('TPM-12 is that of %s', (_name, events) => {
    expect(faultsOf(events)).toEqual([]);
    expect(faultsOfCcel(asCcelEvents(events))).toEqual([]);
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7])('TPM-12 has one separator in PCR %i', (pcr) => {
    expect(faultsOf([...BOOT, separatorEvent(pcr)])).toEqual([
      expect.stringMatching(new RegExp(`^the event at offset \\d+ is a second separator in PCR ${pcr}$`)),
    ]);
    expect(faultsOf([...BOOT, separatorEvent(pcr, new Uint8Array(4).fill(0xff))])).toHaveLength(1);
  });

  it.each([
    ...[2, 4, 7].map((pcr) => [pcr, 'fault'] as const),
    ...[0, 1, 3, 5, 6].map((pcr) => [pcr, 'warning'] as const),
  ])('TPM-12 has a second separator in PCR %i, which is a %s', (pcr, weight) => {
    expect(findingsOf([...BOOT, separatorEvent(pcr)])).toMatchObject([{ weight, index: pcr }]);
    expect(findingsOf([...BOOT, separatorEvent(8), separatorEvent(8)])).toEqual([]);
  });

  it('TPM-12 has several separators in a register of a TD, which is a note', () => {
    expect(findingsOfCcel(asCcelEvents([separatorEvent(7)]))).toEqual([]);
    expect(findingsOfCcel(asCcelEvents([separatorEvent(7), separatorEvent(7)]))).toMatchObject([
      {
        weight: 'note',
        index: 1,
        detail: expect.stringMatching(/^the event at offset \d+ is a second separator in RTMR 0$/),
      },
    ]);
  });

  it('TPM-12 has one separator whatever type a second one is given', () => {
    expect(faultsOf([...BOOT, { ...separatorEvent(7), type: LOG_EVENT.action }])).toHaveLength(1);
  });

  it.each([0, 2, 4, 7])('TPM-12 has one separator in PCR %i whatever type a second one is given', (pcr) => {
    expect(faultsOf([...BOOT, { ...separatorEvent(pcr), type: LOG_EVENT.ipl }])).toHaveLength(1);
  });

  it('TPM-12 finds SecureBoot behind the separator by its digest', () => {
    const hidden = {
      pcr: 7,
      type: LOG_EVENT.platformConfigFlags,
      data: new Uint8Array(4).fill(1),
      measured: secureBootVariable('SecureBoot', Uint8Array.of(0)),
    };
    expect(faultsOf([...BOOT, hidden])).toHaveLength(1);
    expect(faultsOfCcel([...asCcelEvents(BOOT), ...asCcelEvents([hidden])])).toHaveLength(1);
  });

  it('TPM-12 twin: four bytes of zeros that are measured as a setting are no separator', () => {
    const setting = { ...separatorEvent(1), type: LOG_EVENT.platformConfigFlags };
    expect(faultsOf([...BOOT, setting])).toEqual([]);
  });

  it('TPM-12 has several separators in a register of a TD', () => {
    expect(faultsOfCcel([...asCcelEvents(BOOT), ...asCcelEvents([separatorEvent(7), separatorEvent(4)])])).toEqual([]);
  });

  it.each([
    ['one zero', new Uint8Array(1)],
    ['three zeros', new Uint8Array(3)],
    ['five zeros', new Uint8Array(5)],
    ['a one', Uint8Array.of(1, 0, 0, 0)],
    ['four ones', new Uint8Array(4).fill(1)],
    ['zeros and FF', Uint8Array.of(0, 0, 0, 0xff)],
    ['text', text('WBCL')],
  ])('TPM-12 has no separator of %s in the registers of firmware', (_name, data) => {
    for (const pcr of [0, 1, 2, 3, 4, 5, 6, 7]) {
      const events = withSeparator(pcr, data);
      const fault = expect.stringMatching(/^the event at offset \d+ does not have the form of a separator$/);
      expect(faultsOf(events)).toEqual([fault]);
      expect(faultsOfCcel(asCcelEvents(events))).toEqual(pcr === 0 ? [] : [fault]);
    }
  });

  it.each([0, 3, 7])('TPM-12 may have the separator of an error in PCR %i, which is a state', (pcr) => {
    expect(faultsOf(withSeparator(pcr, new Uint8Array(4).fill(0xff)))).toEqual([]);
  });

  it('TPM-12 has no digest where nothing is extended, in any bank', () => {
    const events = [...BOOT, { pcr: 0, type: LOG_EVENT.noAction, data: text('x') }];
    const log = buildEventLog(events);
    const start = log.byteLength - 5 - (2 + 20) - (2 + 32);
    for (const offset of [start + 2, start + 21, start + 24, start + 55]) {
      expect(faultsOf(flipBit(log, offset))).toEqual([
        expect.stringMatching(/^the event at offset \d+ extends nothing and has a digest$/),
      ]);
    }
    expect(faultsOf(flipBit(log, 8))).toEqual(['the event at offset 0 extends nothing and has a digest']);
  });

  it.each([1, 2, 5, 255])('TPM-12 has no startup locality %i', (locality) => {
    expect(faultsOf(grubBoot({ locality }))).toEqual(['the startup locality is not 0, 3 or 4']);
  });

  it.each([
    [3, 3],
    [0, 3],
    [3, 4],
  ])('TPM-12 has no two startup localities: %i and %i', (locality, second) => {
    expect(faultsOf([...grubBoot({ locality }), localityEvent(second)])).toEqual([
      'the log names two startup localities',
    ]);
  });

  it.each(['SecureBoot', 'PK', 'KEK', 'db', 'dbx'])('TPM-12 has no %s after the separator of PCR 7', (name) => {
    const late = variable(name, LOG_EVENT.variableDriverConfig);
    const fault = (register: string) =>
      expect.stringMatching(new RegExp(`^the variable at offset \\d+ follows the separator in ${register}$`));
    expect(faultsOf([...BOOT, late])).toEqual([fault('PCR 7')]);
    expect(faultsOfCcel(asCcelEvents([...BOOT, late]))).toEqual([fault('RTMR 0')]);
  });

  it('TPM-12 has none right behind the separator, be it the first event of PCR 7', () => {
    const late = variable('dbx', LOG_EVENT.variableDriverConfig);
    expect(faultsOf(change(BOOT, isSeparatorOf(7), (event) => [event, late]))).toHaveLength(1);
    expect(faultsOf([separatorEvent(7), late])).toHaveLength(1);
  });

  it('TPM-12 has no SecureBoot there with a value that no firmware gives it', () => {
    const odd = { ...variable('', 0x80000001), data: secureBootVariable('SecureBoot', Uint8Array.of(2)) };
    expect(faultsOf([...BOOT, odd])).toHaveLength(1);
  });

  it.each(['SecureBoot', 'PK', 'KEK', 'dbx'])('TPM-12 has no %s there under the type of an authority', (name) => {
    expect(faultsOf([...BOOT, variable(name, LOG_EVENT.variableAuthority)])).toHaveLength(1);
  });

  it('TPM-12 may have authorities there, which have the name of db', () => {
    expect(faultsOf([...BOOT, variable('db', LOG_EVENT.variableAuthority)])).toEqual([]);
  });

  it('TPM-12 may have other variables there, and those of Secure Boot under another GUID', () => {
    const other = { ...variable('SecureBoot', 0x80000001), data: secureBootVariable('SecureBoot', Uint8Array.of(1)) };
    const foreign = { ...other, data: flipBit(other.data, 0) };
    expect(faultsOf([...BOOT, variable('DeployedMode', LOG_EVENT.variableDriverConfig), foreign])).toEqual([]);
  });
});
