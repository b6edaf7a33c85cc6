import { expect, it } from 'vitest';
import { type CheckedEvent, checkedEvents } from '../../../src/boot/checked-event.js';
import { DIGEST_ALGORITHM } from '../../../src/boot/format/measured-event.js';
import { parseFirmwareEventLog } from '../../../src/boot/format/tcg-event-log.js';
import { PCR_LAYOUT, RTMR_LAYOUT } from '../../../src/boot/register-layout.js';
import { sha256 } from '../../../src/crypto/digest.js';
import { factsOf } from '../../../src/inspect/boot-facts.js';
import { joinBytes } from '../../lab/byte-patch.js';
import {
  applicationEvent,
  buildEventLog,
  buildSha1EventLog,
  grubBoot,
  LOG_EVENT,
  sectionEvents,
  secureBootVariable,
} from '../../lab/event-log-builder.js';

import { BANKS } from '../boot/fixture.js';

/** Facts from single events, as the comparison of two boots names them. */

const text = (value: string) => Uint8Array.from(Buffer.from(value, 'latin1'));
const BINARY = Uint8Array.of(1, 2, 0, 0xfe);

interface Told {
  readonly type?: number;
  readonly data: Uint8Array;
  /** The hashed bytes; defaults to the data. */
  readonly measured?: Uint8Array;
}

function judged(index: number, events: readonly Told[]): readonly CheckedEvent[] {
  const measuredEvents = events.map(({ type = LOG_EVENT.ipl, data, measured = data }) => ({
    index,
    type,
    offset: 0,
    digests: [{ algorithm: DIGEST_ALGORITHM.sha256, value: sha256(measured) }],
    data,
  }));
  return checkedEvents(measuredEvents, 'sha256').get(index) ?? [];
}

const inPcr = (index: number, ...events: readonly Told[]) => factsOf(judged(index, events), index, PCR_LAYOUT);
const variable = (name: string, contents: Uint8Array, type: number = LOG_EVENT.variableDriverConfig): Told => ({
  type,
  data: secureBootVariable(name, contents),
});
const zeros = new Uint8Array(32);

it.each<[string, number, Told, object]>([
  ['a separator', 7, { type: LOG_EVENT.separator, data: new Uint8Array(4) }, { about: 'separator', value: 'zero' }],
  ['Secure Boot', 7, variable('SecureBoot', Uint8Array.of(1)), { about: 'secureBoot', value: true }],
  ['Secure Boot that is off', 7, variable('SecureBoot', Uint8Array.of(0)), { about: 'secureBoot', value: false }],
  ['Secure Boot that is neither', 7, variable('SecureBoot', Uint8Array.of(2)), { about: 'secureBoot', value: '02' }],
  ['an empty variable', 7, variable('SecureBoot', new Uint8Array()), { about: 'secureBoot', value: '' }],
  ['db of other contents', 7, variable('db', text('contents')), { about: 'db', value: { bytes: 8 }, signatures: null }],
  ['an authority', 7, variable('db', text('contents'), LOG_EVENT.variableAuthority), { about: 'authority' }],
  ['the boot order', 1, variable('BootOrder', Uint8Array.of(1, 0)), { about: 'bootOrder' }],
  ['half a boot order', 1, variable('BootOrder', Uint8Array.of(1)), { about: 'bootOrder' }],
  ['a boot option', 1, variable('Boot0001', BINARY), { about: 'bootOption', value: '010200fe' }],
  ['a variable of its own', 1, variable('Other', BINARY), { about: 'variable', name: 'the variable Other' }],
  ['zeros, which have the form of a variable', 1, { data: zeros }, { about: 'event' }],
  ['a partition table that is cut', 5, { data: text('EFI PART') }, { about: 'partitionTable' }],
  ['an action', 5, { type: LOG_EVENT.action, data: text('Exit Boot Services Invocation') }, { about: 'action' }],
  ['a list of shim', 14, { data: text('MokListX\0'), measured: BINARY }, { about: 'mokList', isNameUncovered: true }],
  ['something else beside the lists', 14, { data: BINARY }, { about: 'event' }],
  ['a file', 9, { data: text('(hd0)/vmlinuz\0'), measured: BINARY }, { about: 'file', name: 'the file (hd0)/vmlinuz' }],
  ['a file without a name', 9, { data: Uint8Array.of(1, 2), measured: BINARY }, { name: 'the file without a name' }],
  [
    'load options',
    9,
    { data: joinBytes(BINARY, text('LOADED_IMAGE::LoadOptions\0')), measured: BINARY },
    { about: 'commandLine', name: 'the load options', isNameUncovered: true },
  ],
  [
    'a command',
    8,
    { data: text('grub_cmd: set a=b\0'), measured: text('set a=b') },
    { about: 'command', name: 'the command "set a=b"' },
  ],
  [
    'a long menu entry',
    8,
    {
      data: text(`grub_cmd: menuentry ${'x'.repeat(80)}\nlinux\0`),
      measured: text(`menuentry ${'x'.repeat(80)}\nlinux`),
    },
    { about: 'command', name: expect.stringMatching(/…"$/) },
  ],
  [
    'a command line',
    8,
    { data: text('kernel_cmdline: /vmlinuz ro\0'), measured: text('/vmlinuz ro') },
    { about: 'commandLine', value: '/vmlinuz ro' },
  ],
  ['text of another digest', 8, { data: text('grub_cmd: x\0'), measured: BINARY }, { isNameUncovered: true }],
  ['no text', 8, { data: BINARY, measured: text('x') }, { name: 'what is logged as "no text"' }],
  [
    'an image without a path',
    4,
    { type: LOG_EVENT.application, data: BINARY, measured: text('MZ\0') },
    { about: 'application' },
  ],
  ['a driver', 2, { type: LOG_EVENT.driver, data: BINARY, measured: text('MZ\0') }, { about: 'driver' }],
  ['the version of the firmware', 0, { type: LOG_EVENT.crtmVersion, data: text('v2') }, { value: 'v2' }],
  ['a version that is no text', 0, { type: LOG_EVENT.crtmVersion, data: BINARY }, { value: '010200fe' }],
  [
    'a version of another digest',
    0,
    { type: LOG_EVENT.crtmVersion, data: text('v2'), measured: BINARY },
    { about: 'firmwareVersion', value: expect.stringMatching(/^[0-9a-f]{64}$/) },
  ],
  [
    'a part of the firmware',
    0,
    { type: LOG_EVENT.firmwareBlob, data: BINARY, measured: text('x') },
    { about: 'firmware' },
  ],
  ['an event with text', 1, { data: text('ACPI DATA'), measured: BINARY }, { about: 'event', isNameUncovered: true }],
])('tells %s', (_name, index, event, expected) => {
  expect(inPcr(index, event)[0]).toMatchObject(expected);
});

it('tells an application behind the separator from a driver before it', () => {
  const image: Told = { type: LOG_EVENT.application, data: BINARY, measured: text('MZ\0') };
  const separator: Told = { type: LOG_EVENT.separator, data: new Uint8Array(4) };
  expect(inPcr(2, image, separator, image).map(({ about }) => about)).toEqual(['driver', 'separator', 'application']);
});

it.each(BANKS)('tells a driver of an option ROM in a log that has only %s digests', (bank) => {
  const boot = [...grubBoot(), applicationEvent('evil', 2)];
  const events = parseFirmwareEventLog(
    bank === 'sha1' ? buildSha1EventLog(boot) : buildEventLog(boot, { banks: [bank] }),
    2 ** 20,
  ).events;
  const facts = factsOf(checkedEvents(events, bank).get(2) ?? [], 2, PCR_LAYOUT);
  expect(facts.map(({ about }) => about)).toEqual(['driver', 'separator', 'application']);
});

it('tells sections of a kernel image by the name before them', () => {
  const [name, contents] = [text('.cmdline\0'), { data: text('.cmdline\0'), measured: text('ro quiet') }];
  const [linux, image] = [text('.linux\0'), { data: text('.linux\0'), measured: BINARY }];
  const events: readonly Told[] = [{ data: name }, contents, { data: linux }, image, { data: text('phase') }];
  expect(inPcr(11, ...events).map(({ about }) => about)).toEqual([
    'section',
    'commandLine',
    'section',
    'file',
    'action',
  ]);
  const verified: readonly Told[] = [{ data: name }, { data: text('ro quiet') }];
  expect(inPcr(11, ...verified)[1]).toMatchObject({ about: 'commandLine', value: 'ro quiet' });
});

it('tells sections by the digest of the name before them, whatever the log says', () => {
  const events = [...sectionEvents('.cmdline', '.linux\0'), ...sectionEvents('.linux', 'the kernel')];
  const named = ['the section .cmdline', 'the command line', 'the section .linux'];
  const names = [...named, 'the section .linux of the kernel image'];
  expect(inPcr(11, ...events).map(({ name }) => name)).toEqual(names);
  const relabelled = events.map(({ data, measured = data }) => ({ data: text('else'), measured }));
  expect(inPcr(11, ...relabelled).map(({ name }) => name)).toEqual(names);
});

it('tells no sections where a register has none', () => {
  expect(inPcr(9, ...sectionEvents('.linux', 'the kernel')).map(({ about }) => about)).toEqual(['file', 'file']);
});

it('tells all of them in one register of a TD', () => {
  const events = [
    { data: text('.cmdline\0') },
    { data: text('.cmdline\0'), measured: text('ro') },
    { data: text('MokList\0'), measured: BINARY },
    { data: text('(hd0)/initrd\0'), measured: BINARY },
  ];
  expect(factsOf(judged(3, events), 3, RTMR_LAYOUT).map(({ about }) => about)).toEqual([
    'section',
    'commandLine',
    'mokList',
    'file',
  ]);
});
