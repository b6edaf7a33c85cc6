import { describe, expect, it } from 'vitest';
import { bootClaims } from '../../../src/boot/boot-claims.js';
import { PCR_LAYOUT } from '../../../src/boot/register-layout.js';
import { hex } from '../../../src/core/bytes.js';
import type { BootClaim } from '../../../src/core/claims.js';
import { sha256, sha384 } from '../../../src/crypto/digest.js';
import { joinBytes } from '../../lab/byte-patch.js';
import type { CcelEvent } from '../../lab/ccel-builder.js';
import {
  applicationEvent,
  asCcelEvents,
  firmwareEvents,
  GRUB_COMMAND_LINE,
  grubBoot,
  grubEvent,
  grubFile,
  imageOf,
  LOG_EVENT,
  type LogEvent,
  sectionEvents,
  separatorEvent,
  stubCommandLine,
  systemdPhases,
  systemSeparators,
  UKI_COMMAND_LINE,
  ukiBoot,
  windowsBoot,
} from '../../lab/event-log-builder.js';
import { BANKS, change, claimsOf, claimsOfCcel, judged, text, variableName } from './fixture.js';

const GRUB = grubBoot();
const UKI = ukiBoot();
const WINDOWS = windowsBoot();

const imagesOf = (...names: readonly string[]) => names.map((name) => hex(sha256(imageOf(name))));
const of = (contents: string) => hex(sha256(text(contents)));
const hasText = (part: string) => (event: LogEvent) => Buffer.from(event.data).toString('latin1').includes(part);
const isOf = (pcr: number) => (event: LogEvent) => event.pcr === pcr;
const listOf = (events: readonly LogEvent[], list: 'applications' | 'commandLines' | 'files') =>
  claimsOf(events).claims[list];

/** Asserts that a claim is null, and why. */
function expectAbsent(events: readonly LogEvent[], claim: BootClaim, check: string, detail?: RegExp): void {
  const { claims, absent } = claimsOf(events);
  expect(claims[claim]).toBeNull();
  expect(absent[claim]).toMatchObject({ check, ...(detail && { detail: expect.stringMatching(detail) }) });
}

describe('the boot that a log lists', () => {
  it('is of GRUB: images, the command line, files, and the list of shim', () => {
    const { claims, absent } = claimsOf(GRUB);
    expect(claims).toMatchObject({
      secureBoot: true,
      mokList: of('contents of MokList'),
      applications: imagesOf('shim', 'grub', 'kernel'),
      commandLines: [GRUB_COMMAND_LINE],
      files: ['(hd0,gpt1)/EFI/lab/grub.cfg', '/vmlinuz', '/initrd.img'].map((name) => of(`contents of ${name}`)),
    });
    expect(absent).toEqual({});
  });

  it('is of a unified kernel image: its command lines by digest and as text', () => {
    const { claims } = claimsOf(UKI);
    expect(claims).toMatchObject({
      applications: imagesOf('systemd-boot', 'uki'),
      commandLines: [of('root=LABEL=uki ro'), UKI_COMMAND_LINE],
      files: [],
      mokList: null,
    });
    expect(listOf(ukiBoot({ commandLine: null }), 'commandLines')).toEqual([of('root=LABEL=uki ro')]);
  });

  it('is of Windows: images, and no command line', () => {
    expect(claimsOf(WINDOWS).claims).toMatchObject({
      applications: imagesOf('bootmgfw', 'winload'),
      commandLines: [],
      files: [],
    });
    expectAbsent(WINDOWS, 'mokList', 'eventlog_unverified');
  });

  it.each(['linux', 'linuxefi', 'linux16'])('is of GRUB that measures no command line but %s', (command) => {
    const alone = change(GRUB, hasText('kernel_cmdline: '), () => []);
    const events = change(alone, hasText('grub_cmd: linux /'), () => grubEvent('grub_cmd: ', `${command}  /k quiet`));
    expect(listOf(events, 'commandLines')).toEqual(['/k quiet']);
  });

  it.each(['linux', 'linuxefi', 'linux16'])(
    'has the command %s without a kernel as an empty command line',
    (command) => {
      expect(listOf([...GRUB, grubEvent('grub_cmd: ', command)], 'commandLines')).toEqual([GRUB_COMMAND_LINE, '']);
    },
  );

  it.each([
    'chainloader /k init=/bin/sh',
    'legacy_kernel /k init=/bin/sh',
    'time chainloader /k init=/bin/sh',
    '! time  linux /k init=/bin/sh',
  ])('TPM-17 has the command line that %s gives', (command) => {
    const found = listOf([...GRUB, grubEvent('grub_cmd: ', command)], 'commandLines');
    expect(found).toEqual([GRUB_COMMAND_LINE, '/k init=/bin/sh']);
  });

  it.each([
    'linuxx /k',
    'timeout 5',
    'time true',
    'linux_old /k',
    'initrd /i',
    'if true',
    '[ -f /k ]',
    '! false',
    'x=1',
    'menuentry { linux /k }',
  ])('has no command line from the command %s', (command) => {
    expect(listOf([...GRUB, grubEvent('grub_cmd: ', command)], 'commandLines')).toEqual([GRUB_COMMAND_LINE]);
  });

  it.each<[string, LogEvent]>([
    ['with a colon', grubEvent('kernel_cmdline: ', 'other')],
    ['without, of RHEL 8', grubEvent('grub_kernel_cmdline ', 'other')],
    ['of a module', grubEvent('module_cmdline: ', 'other')],
    ['without label', grubEvent('', 'other')],
    ['hashed with its NUL', { ...grubEvent('kernel_cmdline: ', 'other'), measured: text('other\0') }],
    ['in UTF-16 with its NUL', stubCommandLine('other', 8)],
    ['in UTF-16 without NUL', { ...stubCommandLine('other', 8), measured: Buffer.from('other', 'utf16le') }],
    ['in UTF-16 with two NULs', { ...stubCommandLine('other', 8), measured: Buffer.from('other\0\0', 'utf16le') }],
    [
      'in UTF-16 logged without NUL',
      {
        pcr: 8,
        type: LOG_EVENT.ipl,
        data: Buffer.from('other', 'utf16le'),
        measured: Buffer.from('other\0', 'utf16le'),
      },
    ],
  ])('has a command line %s', (_name, event) => {
    expect(listOf([...GRUB, event], 'commandLines')).toEqual([GRUB_COMMAND_LINE, 'other']);
  });

  it('has load options of the EFI stub by their digest', () => {
    const options: LogEvent = {
      pcr: 9,
      type: LOG_EVENT.tag,
      data: text('\x22\x3b\0\0LOADED_IMAGE::LoadOptions\0'),
      measured: text('root=/dev/sda'),
    };
    const { claims } = claimsOf([...GRUB, options]);
    expect(claims.commandLines).toEqual([GRUB_COMMAND_LINE, of('root=/dev/sda')]);
    expect(claims.files).toHaveLength(3);
  });

  it('has the log of systemd in PCR 11, of which nothing is listed', () => {
    expect(claimsOf([...UKI, ...systemdPhases('enter-initrd', 'leave-initrd')]).claims).toEqual(claimsOf(UKI).claims);
  });

  it('lists what was started twice once', () => {
    expect(listOf([...GRUB, applicationEvent('shim')], 'applications')).toEqual(imagesOf('shim', 'grub', 'kernel'));
  });

  it('lists up to 64 entries, and none of more', () => {
    const [found] = [listOf(GRUB, 'applications') ?? []];
    const more = (count: number) => Array.from({ length: count }, (_, index) => applicationEvent(`${index}`));
    expect(listOf([...GRUB, ...more(64 - found.length)], 'applications')).toHaveLength(64);
    expectAbsent([...GRUB, ...more(65 - found.length)], 'applications', 'eventlog_unverified', /^it lists 65/);
    const files = Array.from({ length: 62 }, (_, index) => grubFile(`/${index}`));
    expectAbsent([...GRUB, ...files], 'files', 'eventlog_unverified');
    expect(listOf([...GRUB, ...files], 'commandLines')).toEqual([GRUB_COMMAND_LINE]);
  });
});

describe('events of boot loaders', () => {
  it('TPM-14 are read up to 1024 in all, and none of more', () => {
    const count = GRUB.filter(({ pcr }) => [8, 9, 11, 12].includes(pcr)).length;
    const more = (total: number) =>
      Array.from({ length: total - count }, (_, index) => grubEvent('grub_cmd: ', `set x=${index}`));
    expect(listOf([...GRUB, ...more(1024)], 'commandLines')).toEqual([GRUB_COMMAND_LINE]);
    const why = /^boot loaders measured 1025 events, and the limit is 1024$/;
    expectAbsent([...GRUB, ...more(1025)], 'commandLines', 'eventlog_unverified', why);
    expectAbsent([...GRUB, ...more(1025)], 'files', 'eventlog_unverified', why);
    expect(listOf([...GRUB, ...more(1025)], 'applications')).toHaveLength(3);
  });
});

describe('images that were started', () => {
  const shimAlone = (event: LogEvent) => hasText('shim')(event) && event.pcr === 4;

  it.each([
    ['an action', LOG_EVENT.action],
    ['a separator', LOG_EVENT.separator + 0x100],
    ['a partition table', LOG_EVENT.gpt],
    ['text of a loader', LOG_EVENT.ipl],
    ['a variable', LOG_EVENT.variableDriverConfig],
  ])('TPM-17 count where they are retyped as %s', (_name, type) => {
    for (const data of [
      undefined,
      text('Calling EFI Application from Boot Option'),
      text('EFI PART'),
      new Uint8Array(4),
    ]) {
      const retyped = change(GRUB, shimAlone, (event) => ({ ...event, type, ...(data && { data }) }));
      expect(listOf(retyped, 'applications')).toEqual(imagesOf('shim', 'grub', 'kernel'));
    }
  });

  it('TPM-17 count beside those that are expected: a second application behind shim', () => {
    const second = [...GRUB, applicationEvent('evil')];
    expect(listOf(second, 'applications')).toEqual(imagesOf('shim', 'grub', 'kernel', 'evil'));
  });

  it('TPM-17 count in PCR 2 after its separator, drivers before it do not', () => {
    expect(listOf([...GRUB, applicationEvent('evil', 2)], 'applications')).toContain(imagesOf('evil')[0]);
    const early = change(
      GRUB,
      (event) => event.pcr === 2 && event.type === LOG_EVENT.separator,
      (event) => [applicationEvent('driver', 2), event],
    );
    expect(listOf(early, 'applications')).toEqual(imagesOf('shim', 'grub', 'kernel'));
  });

  it.each(BANKS)('TPM-17 tell a driver of an option ROM from an application by the digests of %s alone', (bank) => {
    const boot = [...GRUB, applicationEvent('evil', 2)];
    const { claims } = bootClaims(judged(boot, bank), PCR_LAYOUT, () => null);
    const digests = new Set(
      judged(boot, bank)
        .get(2)
        ?.map(({ digest }) => hex(digest)),
    );
    const [driver, separator, evil] = digests;
    expect(digests.size).toBe(3);
    expect(claims.applications).toContain(evil);
    expect(claims.applications).not.toContain(driver);
    expect(claims.applications).not.toContain(separator);
  });

  it('TPM-17 are not known where PCR 2 has events and no separator', () => {
    const none = change(
      GRUB,
      (event) => event.pcr === 2 && event.type === LOG_EVENT.separator,
      () => [],
    );
    expectAbsent(none, 'applications', 'eventlog_unverified', /^PCR 2 has no separator$/);
    expect(
      listOf(
        none.filter(({ pcr }) => pcr !== 2),
        'applications',
      ),
    ).toEqual(imagesOf('shim', 'grub', 'kernel'));
  });

  it('TPM-17 count in PCR 2 where its first event is the separator', () => {
    const without = GRUB.filter(({ pcr }) => pcr !== 2);
    expect(listOf([...without, separatorEvent(2), applicationEvent('evil', 2)], 'applications')).toEqual(
      imagesOf('shim', 'grub', 'kernel', 'evil'),
    );
  });

  it('TPM-17 count in PCR 4 without a separator', () => {
    const none = change(
      GRUB,
      (event) => event.pcr === 4 && event.type === LOG_EVENT.separator,
      () => [],
    );
    expect(listOf(none, 'applications')).toEqual(imagesOf('shim', 'grub', 'kernel'));
  });

  it('count in PCR 4 before its separator', () => {
    const early = change(
      GRUB,
      (event) => event.pcr === 4 && event.type === LOG_EVENT.separator,
      (event) => [applicationEvent('evil'), event],
    );
    expect(listOf(early, 'applications')).toContain(imagesOf('evil')[0]);
  });

  it.each([
    ['an action with its NUL', text('Calling EFI Application from Boot Option\0'), true],
    ['an action of 256 characters', text('x'.repeat(256)), true],
    ['an action of 257 characters', text('x'.repeat(257)), false],
    ['text with a control character', text('MZ\x01'), false],
    ['text with two NULs', text('MZ\0\0'), false],
    ['a partition table', text('EFI PART\0\x01'), true],
    ['text that speaks of a partition table', text(' EFI PART'), true],
    ['bytes that hold a partition table', text('\0EFI PART'), false],
  ])('TPM-17 is measured data explained as none: %s', (_name, data, explained) => {
    const events = [...GRUB, { pcr: 4, type: LOG_EVENT.application, data }];
    expect(listOf(events, 'applications')).toHaveLength(explained ? 3 : 4);
  });
});

describe('command lines', () => {
  const EVIL = '/vmlinuz init=/bin/sh';
  const forged = change(GRUB, hasText('kernel_cmdline: '), () => grubEvent('kernel_cmdline: ', EVIL));

  it.each(['grub_cmd: ', 'grub_cmd ', '', 'kernel_cmdline: ', 'grub_kernel_cmdline ', 'module_cmdline: '])(
    'TPM-17 count under the label %j',
    (label) => {
      const relabelled = change(forged, hasText(EVIL), () => grubEvent(label, EVIL));
      expect(listOf(relabelled, 'commandLines')).toEqual([GRUB_COMMAND_LINE, EVIL]);
    },
  );

  it.each(['(hd0,gpt2)/vmlinuz init=/bin/sh', '($root)/k single', '/k', '"/k" x'])(
    'TPM-17 count as a command where they start with a path: %s',
    (line) => {
      expect(listOf([...GRUB, grubEvent('grub_cmd: ', line)], 'commandLines')).toEqual([GRUB_COMMAND_LINE, line]);
    },
  );

  it('TPM-17 count of any type', () => {
    for (const type of [LOG_EVENT.separator, LOG_EVENT.action, LOG_EVENT.tag, LOG_EVENT.variableAuthority]) {
      const retyped = change(forged, hasText(EVIL), (event) => ({ ...event, type }));
      expect(listOf(retyped, 'commandLines')).toEqual([GRUB_COMMAND_LINE, EVIL]);
    }
  });

  it.each<[string, (event: LogEvent) => LogEvent]>([
    ['other text', (event) => ({ ...event, data: text('kernel_cmdline: /vmlinuz ro\0') })],
    ['a command', (event) => ({ ...event, data: text('grub_cmd: set x=1\0') })],
    ['Windows its separator', (event) => ({ ...event, data: text('WBCL') })],
    ['zeros', (event) => ({ ...event, data: new Uint8Array(4) })],
    ['a tagged list', (event) => ({ ...event, data: joinBytes(new Uint8Array(4), Uint8Array.of(1, 0, 0, 0, 7)) })],
    ['bytes', (event) => ({ ...event, data: Uint8Array.of(1) })],
    ['a text of more than 65 536 bytes', (event) => ({ ...event, data: text('x'.repeat(65_537)) })],
  ])('TPM-13 are not known where data is not what was measured: %s', (_name, alter) => {
    const altered = change(forged, hasText(EVIL), (event) => alter({ ...event, measured: text(EVIL) }));
    expectAbsent(
      altered,
      'commandLines',
      'eventlog_unverified',
      /^the data of the event at offset \d+ is not what PCR 8/,
    );
    expect(listOf(altered, 'files')).toHaveLength(3);
  });

  it('TPM-13 are not known where data of PCR 12 is not what was measured', () => {
    const altered = change(UKI, isOf(12), (event) => ({
      ...event,
      data: Buffer.from('quiet\0', 'utf16le'),
      measured: event.data,
    }));
    expectAbsent(altered, 'commandLines', 'eventlog_unverified', /PCR 12/);
    const initrd: LogEvent = {
      pcr: 12,
      type: LOG_EVENT.ipl,
      data: Buffer.from('Credentials initrd\0', 'utf16le'),
      measured: text('cpio'),
    };
    expectAbsent([...UKI, initrd], 'commandLines', 'eventlog_unverified', /PCR 12/);
  });

  it('TPM-17 are none where Windows measured a tagged list, and only there', () => {
    const tagged = joinBytes(new Uint8Array(4), Uint8Array.of(2, 0, 0, 0, 7, 7));
    const ofValue = (length: number) =>
      joinBytes(new Uint8Array(4), Uint8Array.of(length & 0xff, length >> 8, 0, 0), new Uint8Array(length));
    for (const data of [tagged, joinBytes(tagged, ofValue(0)), ofValue(0xffff)]) {
      expect(listOf([...UKI, { pcr: 12, type: LOG_EVENT.ipl, data }], 'commandLines')).toHaveLength(2);
    }
    for (const data of [
      tagged.subarray(0, 9),
      joinBytes(tagged, Uint8Array.of(1)),
      joinBytes(new Uint8Array(6), Uint8Array.of(1, 0), new Uint8Array(65_536)),
    ]) {
      expectAbsent([...UKI, { pcr: 12, type: LOG_EVENT.tag, data }], 'commandLines', 'eventlog_unverified');
    }
    expectAbsent([...GRUB, { pcr: 8, type: LOG_EVENT.tag, data: tagged }], 'commandLines', 'eventlog_unverified');
    expectAbsent(
      [...UKI, { pcr: 12, type: LOG_EVENT.tag, data: tagged, measured: text('root=/dev/sda') }],
      'commandLines',
      'eventlog_unverified',
    );
  });

  it('TPM-17 count in PCR 11 by the digest of the name before them, whatever the log says', () => {
    const relabelled = change(UKI, isOf(11), (event) => ({
      ...event,
      type: LOG_EVENT.separator,
      data: text('else'),
      measured: event.measured ?? event.data,
    }));
    expect(listOf(relabelled, 'commandLines')).toEqual(listOf(UKI, 'commandLines'));
    const contents = [...UKI, ...sectionEvents('.cmdline', '.osrel\0'), ...sectionEvents('.osrel', '.cmdline\0')];
    expect(listOf(contents, 'commandLines')).toContain(of('.osrel\0'));
    expect(listOf(contents, 'commandLines')).toHaveLength(3);
  });

  it('separators of any register of a loader are none', () => {
    const separators = [8, 9, 11, 12].map((pcr) => separatorEvent(pcr));
    expect(claimsOf([...GRUB, ...separators]).claims).toEqual(claimsOf(GRUB).claims);
  });
});

describe('MokList', () => {
  const isMokList = hasText('MokList\0');

  it('TPM-17 is what shim measured first, under its name', () => {
    const later = change(GRUB, hasText('MokListX\0'), (event) => ({ ...event, data: text('MokList\0') }));
    expectAbsent(later, 'mokList', 'eventlog_unverified');
    const moved = [...GRUB.filter((event) => !isMokList(event)), ...GRUB.filter(isMokList)];
    expectAbsent(moved, 'mokList', 'eventlog_unverified');
    expectAbsent(
      change(GRUB, isMokList, (event) => ({ ...event, data: text('Other\0') })),
      'mokList',
      'eventlog_unverified',
    );
  });

  it('may be there twice with one value, where shim ran twice', () => {
    expect(claimsOf([...GRUB, ...GRUB.filter(isMokList)]).claims.mokList).toBe(of('contents of MokList'));
  });
});

it.each(['PK', 'KEK', 'db', 'dbx'])('TPM-16 has no %s that was measured twice, and says why', (name) => {
  const member = name.toLowerCase() as 'pk';
  const isNamed = (event: LogEvent) => event.type === LOG_EVENT.variableDriverConfig && variableName(event) === name;
  const { claims, absent } = claimsOf(change(GRUB, isNamed, (event) => [event, event]));
  expect(claims[member]).toBeNull();
  expect(absent[member]).toEqual({
    check: 'eventlog_unverified',
    detail: `${member} was not measured exactly once`,
  });
});

describe('claims of registers that are not covered', () => {
  const GAP = { check: 'eventlog_replay', detail: 'it was extended' } as const;
  const without = (...open: readonly number[]) => claimsOf(GRUB, (pcr) => (open.includes(pcr) ? GAP : null));

  it.each<[number, readonly BootClaim[]]>([
    [0, []],
    [2, ['applications']],
    [4, ['applications']],
    [7, ['secureBoot', 'pk', 'kek', 'db', 'dbx']],
    [8, ['commandLines']],
    [9, ['commandLines', 'files']],
    [11, ['commandLines']],
    [12, ['commandLines']],
    [13, []],
    [14, ['mokList']],
  ])('TPM-15 are none of PCR %i', (pcr, absent) => {
    const found = without(pcr);
    expect(Object.keys(found.absent).sort()).toEqual([...absent].sort());
    for (const claim of absent) {
      expect(found.claims[claim]).toBeNull();
      expect(found.absent[claim]).toEqual(GAP);
    }
  });
});

describe('claims of registers of a TD that are not covered', () => {
  const GAP = { check: 'eventlog_replay', detail: 'it was extended' } as const;
  const ofSecureBoot = ['secureBoot', 'pk', 'kek', 'db', 'dbx'];

  it.each<[number, readonly string[]]>([
    [1, ofSecureBoot],
    [2, ['applications']],
    [3, ['mokList', 'commandLines', 'files']],
    [4, []],
  ])('TPM-15 are none of index %i', (index, absent) => {
    const found = claimsOfCcel(asCcelEvents(GRUB), (register) => (register === index ? GAP : null));
    expect(Object.keys(found.absent).sort()).toEqual([...absent].sort());
    for (const claim of Object.values(found.absent)) expect(claim).toEqual(GAP);
  });
});

describe('the boot of a TD', () => {
  const CCEL = asCcelEvents(GRUB);
  const digestOf = (contents: string) => hex(sha384(text(contents)));
  const images = (...names: readonly string[]) => names.map((name) => hex(sha384(imageOf(name))));
  const holds = (part: string) => (event: CcelEvent) => Buffer.from(event.data).toString('latin1').includes(part);

  it('has images in RTMR 1 and the rest in RTMR 2', () => {
    const { claims, absent } = claimsOfCcel(CCEL);
    expect(absent).toEqual({});
    expect(claims).toMatchObject({
      secureBoot: true,
      mokList: digestOf('contents of MokList'),
      commandLines: [GRUB_COMMAND_LINE],
    });
    expect(claims.applications).toEqual([hex(sha384(text('MZ\0 option ROM'))), ...images('shim', 'grub', 'kernel')]);
    expect(claims.files).toContain(digestOf('contents of /initrd.img'));
  });

  it('has sections and command lines of a unified kernel image', () => {
    const { claims } = claimsOfCcel(asCcelEvents(UKI));
    expect(claims.commandLines).toEqual([digestOf('root=LABEL=uki ro'), UKI_COMMAND_LINE]);
    expect(claims.files).toEqual(['the kernel', 'ID=lab', 'the initrd'].map(digestOf));
  });

  it('TPM-17 has what follows the name of a command line section in RTMR 2 compared with files as well', () => {
    const file = (measured: string): CcelEvent => ({
      register: 3,
      type: LOG_EVENT.ipl,
      data: text('/file\0'),
      digest: sha384(text(measured)),
    });
    const { claims, loadOptions } = claimsOfCcel([...CCEL, file('.cmdline\0'), file('EVIL')]);
    expect(claims.commandLines).toContain(digestOf('EVIL'));
    expect(loadOptions).toEqual([digestOf('EVIL')]);
    expect(claimsOf(UKI).loadOptions).toEqual([]);
  });

  it('TPM-17 has a command line under another label, or none', () => {
    for (const label of ['grub_cmd: ', '']) {
      const evil = { data: text(`${label}/k evil\0`), digest: sha384(text('/k evil')) };
      const relabelled = change(CCEL, holds('kernel_cmdline: '), (event) => ({ ...event, ...evil }));
      expect(claimsOfCcel(relabelled).claims.commandLines).toEqual([GRUB_COMMAND_LINE, '/k evil']);
    }
  });

  it('TPM-13 has none where data of GRUB is not what was measured', () => {
    const altered = change(CCEL, holds('kernel_cmdline: '), (event) => ({
      ...event,
      data: text('grub_cmd: set x=1\0'),
    }));
    const { claims, absent } = claimsOfCcel(altered);
    expect([claims.commandLines, claims.files]).toEqual([null, null]);
    expect(absent).toMatchObject({
      commandLines: { check: 'eventlog_unverified' },
      files: { check: 'eventlog_unverified' },
    });
  });

  it('TPM-17 counts what is hidden under other data among the files', () => {
    const hidden = change(CCEL, holds('kernel_cmdline: '), (event) => ({
      ...event,
      data: text('/vmlinuz\0'),
      digest: sha384(text('evil')),
    }));
    expect(claimsOfCcel(hidden).claims.files).toContain(digestOf('evil'));
  });

  it('TPM-17 counts an image that is retyped', () => {
    const retyped = change(
      CCEL,
      (event) => event.register === 2 && holds('shim')(event),
      (event) => ({ ...event, type: LOG_EVENT.action, data: text('x') }),
    );
    expect(claimsOfCcel(retyped).claims.applications).toEqual(claimsOfCcel(CCEL).claims.applications);
  });

  it('of Windows has its separators in RTMR 2', () => {
    expect(claimsOfCcel(asCcelEvents(WINDOWS)).absent).not.toHaveProperty('commandLines');
    expect(claimsOfCcel(asCcelEvents(firmwareEvents())).claims.commandLines).toEqual([]);
  });
});

describe('what a label could hide', () => {
  it.each([
    '! linux /vmlinuz init=/bin/sh',
    '!! linux /vmlinuz init=/bin/sh',
    'multiboot2 /xen.gz init=/bin/sh',
    'module2 /vmlinuz init=/bin/sh',
    'xen_hypervisor /xen init=/bin/sh',
  ])('TPM-17 counts a command that loads a kernel: %s', (command) => {
    const listed = listOf([...GRUB, grubEvent('grub_cmd: ', command)], 'commandLines');
    expect(listed).toEqual([GRUB_COMMAND_LINE, expect.stringContaining('init=/bin/sh')]);
  });

  it('TPM-17 has a text that looks like a digest by its own digest', () => {
    const digest = 'ab'.repeat(32);
    expect(listOf([...UKI, stubCommandLine(digest)], 'commandLines')).not.toContain(digest);
  });

  it('TPM-17 says which digests are command lines by the word of the log alone', () => {
    const events = [...GRUB, grubFile('/initrd.img\0LOADED_IMAGE::LoadOptions', 'EVIL')];
    const { claims, loadOptions } = claimsOf(events);
    expect(loadOptions).toEqual([of('EVIL')]);
    expect(claims.commandLines).toContain(of('EVIL'));
    expect(claims.files).not.toContain(of('EVIL'));
    expect(claimsOf(GRUB).loadOptions).toEqual([]);
  });

  it('does not count what systemd measures of an NV index as a file', () => {
    const entry: LogEvent = { pcr: 9, type: LOG_EVENT.ipl, data: text('nvpcr-init:login:0x01d10200') };
    expect(listOf([...GRUB, entry], 'files')).toEqual(listOf(GRUB, 'files'));
    const forged = { ...entry, measured: text('EVIL') };
    expect(listOf([...GRUB, forged], 'files')).toContain(of('EVIL'));
  });

  it.each([
    'nvpcr-init:x\nconfigfile /evil',
    'nvpcr-init:x; configfile /evil',
    'nvpcr-init:x\n',
    'nvpcr-init:',
    'nvpcr-init:x',
  ])('TPM-17 counts a file that only begins as what systemd measures of an NV index: %j', (contents) => {
    const entry: LogEvent = { pcr: 9, type: LOG_EVENT.ipl, data: text(contents) };
    expect(listOf([...GRUB, entry], 'files')).toContain(of(contents));
  });

  it('does not count the separators of systemd, in whatever register', () => {
    const separators = systemSeparators();
    const list = (name: 'applications' | 'commandLines' | 'files') => listOf([...GRUB, ...separators], name);
    expect(list('applications')).toEqual(listOf(GRUB, 'applications'));
    expect(list('commandLines')).toEqual(listOf(GRUB, 'commandLines'));
    expect(list('files')).toEqual(listOf(GRUB, 'files'));
    const unnamed = separators.map((event) => ({ ...event, data: text('?'), measured: event.data }));
    expect(listOf([...GRUB, ...unnamed], 'files')).toEqual(listOf(GRUB, 'files'));
  });

  it('TPM-17 counts a file whose contents the log has, too', () => {
    const entry: LogEvent = { pcr: 9, type: LOG_EVENT.ipl, data: text('EVIL') };
    expect(listOf([...GRUB, entry], 'files')).toContain(of('EVIL'));
  });
});
