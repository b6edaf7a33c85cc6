import { describe, expect, it } from 'vitest';
import { parseEventLog } from '../../../src/boot/format/event-log.js';
import type { JsonObject, JsonValue } from '../../../src/core/json.js';
import { type BootSource, bootOfEvidence, bootOfRaw, compareBoots } from '../../../src/inspect/compare-evidence.js';
import { describeCertifiedKey } from '../../../src/inspect/describe-azure-evidence.js';
import { IN_FILE } from '../../../src/inspect/raw-structures.js';
import { readInspectRequest } from '../../../src/wire/read-requests.js';
import { formatErrorOf } from '../../format-error-of.js';
import { azureGuestEvidence } from '../../lab/attestation-info.js';
import { joinBytes, littleEndian } from '../../lab/byte-patch.js';
import {
  buildCcel,
  createAmdPki,
  createIntelPki,
  createTdxGuest,
  createVirtualMachine,
  labCcelEvents,
  TdxPlatform,
} from '../../lab/index.js';
import { haveVectors, readVector, vectors } from '../../vectors.js';
import { bodyOf } from '../wire/sample-bodies.js';
import { buildTpmLog, DATABASE_GUID, efiVariable, eventsOf, hashOf, type LogEvent, latin1 } from './tpm-log.js';

const LIMIT = 2 ** 20;
const utf16 = (text: string) => Uint8Array.from(Buffer.from(text, 'utf16le'));

interface Difference {
  readonly about: string;
  readonly pcr?: number;
  readonly before: JsonValue;
  readonly after: JsonValue;
  readonly detail: string;
}

interface Compared {
  readonly compared: readonly string[];
  readonly differences: readonly Difference[];
  readonly movedPcrs: readonly number[];
  readonly notes: readonly string[];
}

function compare(before: Uint8Array, after: Uint8Array): Compared {
  return compareBoots(bootOfLog(before), bootOfLog(after)) as unknown as Compared;
}

function bootOfLog(log: Uint8Array): BootSource {
  return bootOfRaw(log, 'event-log', IN_FILE, LIMIT);
}

const structure = (name: string) => ({ name, about: '', start: null, length: 0, fields: [] });

/** EFI_SIGNATURE_LIST of SHA-256 hashes (UEFI 2.10, 32.4.1). */
function signatureList(count: number): Uint8Array {
  const entries = Array.from({ length: count }, (_, index) =>
    joinBytes(new Uint8Array(16), new Uint8Array(32).fill(index)),
  );
  return joinBytes(
    Buffer.from('2616c4c14c509240aca941f936934328', 'hex'),
    littleEndian(28 + 48 * count, 4),
    littleEndian(0, 4),
    littleEndian(48, 4),
    ...entries,
  );
}

/** EFI_IMAGE_LOAD_EVENT at an address, which no digest covers. */
function imageEvent(path: string, address = 0): Uint8Array {
  const name = utf16(`${path}\0`);
  const devicePath = joinBytes(
    Uint8Array.of(4, 4),
    littleEndian(4 + name.byteLength, 2),
    name,
    Uint8Array.of(0x7f, 0xff, 4, 0),
  );
  return joinBytes(littleEndian(address, 8), new Uint8Array(16), littleEndian(devicePath.byteLength, 8), devicePath);
}

const SEPARATOR = new Uint8Array(4);
const variable = (name: string, contents: Uint8Array, guid?: string): LogEvent => ({
  index: 7,
  type: 0x80000001,
  data: efiVariable(name, contents, guid),
});
const bootVariable = (name: string, contents: Uint8Array): LogEvent => ({
  index: 1,
  type: 0x80000002,
  data: efiVariable(name, contents),
  hashed: contents,
});
const image = (path: string, hashed: string, address = 0): LogEvent => ({
  index: 4,
  type: 0x80000003,
  data: imageEvent(path, address),
  hashed: latin1(hashed),
});
const grub = (label: string, text: string): LogEvent => ({
  index: 8,
  type: 0xd,
  data: latin1(`${label}${text}\0`),
  hashed: latin1(text),
});
const file = (name: string, hashed: string): LogEvent => ({
  index: 9,
  type: 0xd,
  data: latin1(`${name}\0`),
  hashed: latin1(hashed),
});
const gpt = (disk: number, partitions: number): LogEvent => ({
  index: 5,
  type: 0x80000006,
  data: joinBytes(
    latin1('EFI PART'),
    new Uint8Array(48),
    new Uint8Array(16).fill(disk),
    new Uint8Array(20),
    littleEndian(partitions, 8),
  ),
});
const separator = (index: number): LogEvent => ({ index, type: 4, data: SEPARATOR });
const option = (name: string) => joinBytes(new Uint8Array(6), utf16(`${name}\0`));

/** A boot, by the parts that can change. */
function boot(
  changes: {
    readonly version?: string;
    readonly secureBoot?: number | null;
    readonly dbx?: number;
    readonly order?: readonly number[];
    readonly option?: string;
    readonly disk?: number;
    readonly applications?: readonly LogEvent[];
    readonly commandLine?: string;
    readonly files?: readonly LogEvent[];
    readonly mokList?: string;
    readonly locality?: number;
    readonly end?: readonly LogEvent[];
  } = {},
): Uint8Array {
  const {
    version = 'firmware 1',
    secureBoot = 1,
    dbx = 1,
    order = [0],
    disk = 1,
    applications = [image('\\EFI\\BOOT\\BOOTX64.EFI', 'shim')],
    commandLine = '/vmlinuz root=/dev/sda1 ro',
    files = [file('/vmlinuz', 'kernel'), file('/initrd', 'initrd')],
  } = changes;
  return buildTpmLog(
    [
      ...(changes.locality === undefined
        ? []
        : [{ index: 0, type: 3, data: joinBytes(latin1('StartupLocality\0'), Uint8Array.of(changes.locality)) }]),
      { index: 0, type: 8, data: utf16(`${version}\0`) },
      variable('SecureBoot', secureBoot === null ? new Uint8Array() : Uint8Array.of(secureBoot)),
      variable('PK', latin1('pk')),
      variable('KEK', latin1('kek')),
      variable('db', signatureList(1), DATABASE_GUID),
      variable('dbx', signatureList(dbx), DATABASE_GUID),
      separator(7),
      bootVariable('BootOrder', joinBytes(...order.map((number) => littleEndian(number, 2)))),
      bootVariable('Boot0000', option(changes.option ?? 'Linux')),
      separator(4),
      gpt(disk, 2),
      ...applications,
      { index: 14, type: 0xd, data: latin1('MokList\0'), hashed: latin1(changes.mokList ?? 'mok') },
      grub('grub_cmd: ', 'set timeout=5'),
      grub('grub_cmd: ', `linux ${commandLine}`),
      grub('kernel_cmdline: ', commandLine),
      ...files,
      ...(changes.end ?? []),
    ],
    ['sha1', 'sha256'],
  );
}

type Changes = Parameters<typeof boot>[0];

describe('two boots', () => {
  it('that are one: nothing differs', () => {
    expect(compare(boot(), boot())).toMatchObject({
      compared: ['event log'],
      differences: [],
      movedPcrs: [],
      notes: [],
    });
  });

  it('that differ in what nothing measures alone: nothing differs', () => {
    const elsewhere = boot({ applications: [image('\\EFI\\BOOT\\BOOTX64.EFI', 'shim', 0x1000)] });
    expect(compare(boot(), elsewhere)).toMatchObject({ differences: [], movedPcrs: [] });
  });

  it.each<[string, Changes, readonly number[], readonly Difference[]]>([
    [
      'Secure Boot',
      { secureBoot: 0 },
      [7],
      [
        {
          about: 'secureBoot',
          pcr: 7,
          before: true,
          after: false,
          detail: 'Secure Boot changed: on before, off after',
        },
      ],
    ],
    [
      'Secure Boot, of another value',
      { secureBoot: 2 },
      [7],
      [
        {
          about: 'secureBoot',
          pcr: 7,
          before: true,
          after: '02',
          detail: 'Secure Boot changed: on before, 0x02 after',
        },
      ],
    ],
    [
      'Secure Boot, of no value',
      { secureBoot: null },
      [7],
      [
        {
          about: 'secureBoot',
          pcr: 7,
          before: true,
          after: '',
          detail: 'Secure Boot changed: on before, empty after',
        },
      ],
    ],
    [
      'a dbx without entries',
      { dbx: 0 },
      [7],
      [
        {
          about: 'dbx',
          pcr: 7,
          before: { bytes: 76, entries: 1 },
          after: { bytes: 28, entries: 0 },
          detail: 'dbx changed: 76 bytes with 1 entry before, 28 bytes with 0 entries after; 0 added, 1 removed',
        },
      ],
    ],
    [
      'the command line, in the order of its words',
      { commandLine: '/vmlinuz ro root=/dev/sda1' },
      [8],
      [
        {
          about: 'commandLine',
          pcr: 8,
          before: '/vmlinuz root=/dev/sda1 ro',
          after: '/vmlinuz ro root=/dev/sda1',
          detail: 'the command line changed; the same words in another order or spacing',
        },
      ],
    ],
    [
      'an update of dbx',
      { dbx: 3 },
      [7],
      [
        {
          about: 'dbx',
          pcr: 7,
          before: { bytes: 76, entries: 1 },
          after: { bytes: 172, entries: 3 },
          detail: 'dbx changed: 76 bytes with 1 entry before, 172 bytes with 3 entries after; 2 added, 0 removed',
        },
      ],
    ],
    [
      'the firmware version',
      { version: 'firmware 2' },
      [0],
      [
        {
          about: 'firmwareVersion',
          pcr: 0,
          before: 'firmware 1',
          after: 'firmware 2',
          detail: 'the firmware version changed',
        },
      ],
    ],
    [
      'the boot order',
      { order: [10, 0] },
      [1],
      [{ about: 'bootOrder', pcr: 1, before: ['0000'], after: ['000A', '0000'], detail: 'the boot order changed' }],
    ],
    [
      'a boot option',
      { option: 'Other' },
      [1],
      [{ about: 'bootOption', pcr: 1, before: 'Linux', after: 'Other', detail: 'the boot option Boot0000 changed' }],
    ],
    [
      'the partition table',
      { disk: 2 },
      [5],
      [
        {
          about: 'partitionTable',
          pcr: 5,
          before: { disk: '01'.repeat(16), partitions: 2 },
          after: { disk: '02'.repeat(16), partitions: 2 },
          detail: 'the partition table changed',
        },
      ],
    ],
    [
      'the command line, once for the command and what comes of it',
      { commandLine: '/vmlinuz root=/dev/sda2 ro quiet' },
      [8],
      [
        {
          about: 'commandLine',
          pcr: 8,
          before: '/vmlinuz root=/dev/sda1 ro',
          after: '/vmlinuz root=/dev/sda2 ro quiet',
          detail: 'the command line changed; added: root=/dev/sda2 quiet; removed: root=/dev/sda1',
        },
      ],
    ],
    [
      'a command',
      { end: [grub('grub_cmd: ', 'set debug=all')] },
      [8],
      [
        {
          about: 'command',
          pcr: 8,
          before: null,
          after: 'set debug=all',
          detail: 'the command "set debug=all" was added',
        },
      ],
    ],
    [
      'the startup locality',
      { locality: 3 },
      [0],
      [
        {
          about: 'startupLocality',
          pcr: 0,
          before: null,
          after: 3,
          detail: 'the startup locality was not logged, and is 3',
        },
      ],
    ],
  ])('that differ in %s', (_what, changes, moved, differences) => {
    expect(compare(boot(), boot(changes))).toMatchObject({ differences, movedPcrs: moved });
    const back = compare(boot(changes), boot());
    expect(back.differences.map(({ before, after }) => [after, before])).toEqual(
      differences.map(({ before, after }) => [before, after]),
    );
  });

  it('that differ in applications: added, removed and changed, by the path that the log names', () => {
    const [shim, grubx64, fallback] = [
      '\\EFI\\BOOT\\BOOTX64.EFI',
      '\\EFI\\BOOT\\GRUBX64.EFI',
      '\\EFI\\BOOT\\FBX64.EFI',
    ];
    const before = boot({ applications: [image(shim, 'shim'), image(fallback, 'fallback')] });
    const after = boot({ applications: [image(shim, 'another shim'), image(grubx64, 'grub')] });
    const { differences, movedPcrs } = compare(before, after);
    const own = ' (no digest covers the name)';
    expect(differences.map(({ about, pcr, detail }) => [about, pcr, detail])).toEqual([
      ['application', 4, `the boot application ${shim} changed${own}`],
      ['application', 4, `the boot application ${fallback} is no longer there${own}`],
      ['application', 4, `the boot application ${grubx64} was added${own}`],
    ]);
    expect(differences[0]?.before).toBe(Buffer.from(hashOf('sha256', latin1('shim'))).toString('hex'));
    expect(movedPcrs).toEqual([4]);
  });

  it('that differ in files and MokList, by the names that the log has for them', () => {
    const after = boot({ files: [file('/vmlinuz', 'new kernel'), file('/initrd', 'initrd')], mokList: 'another' });
    expect(compare(boot(), after)).toMatchObject({
      differences: [
        { about: 'file', pcr: 9, detail: 'the file /vmlinuz changed (no digest covers the name)' },
        { about: 'mokList', pcr: 14, detail: 'MokList changed (no digest covers the name)' },
      ],
      movedPcrs: [9, 14],
    });
  });

  it('that differ in order alone', () => {
    const after = boot({ files: [file('/initrd', 'initrd'), file('/vmlinuz', 'kernel')] });
    expect(compare(boot(), after)).toMatchObject({
      differences: [{ about: 'order', pcr: 9, detail: 'PCR 9 was extended by the same events in another order' }],
      movedPcrs: [9],
    });
  });

  it('that differ in how often one thing was measured', () => {
    const again = [file('/vmlinuz', 'kernel')];
    expect(compare(boot({ end: again }), boot({ end: [...again, ...again] })).differences).toMatchObject([
      { about: 'file', pcr: 9, before: null },
    ]);
  });

  it('whose data is not what was measured are told by digests, not by what is logged', () => {
    const forged = (secureBoot: number) =>
      boot({ end: [{ ...variable('SecureBoot', Uint8Array.of(secureBoot)), hashed: latin1('another') }] });
    expect(compare(forged(0), forged(1)).differences).toEqual([]);
    const [difference] = compare(boot(), forged(1)).differences;
    expect(difference).toMatchObject({ about: 'event', pcr: 7, before: null });
    expect(difference?.detail).toContain('(no digest covers the name)');
  });

  it('of which one cannot be replayed to its end: that is said', () => {
    const lacking = [
      { index: 9, type: 0xd, data: latin1('x'), digests: [{ algorithm: 4, value: new Uint8Array(20) }] },
    ];
    const short = boot({ end: lacking });
    const noted = (which: string) => [
      expect.stringMatching(`^${which}: .* has no sha256 digest, so that not every register`),
    ];
    expect(compare(boot(), short).notes).toEqual(noted('after'));
    expect(compare(short, boot()).notes).toEqual(noted('before'));
  });

  it('are compared in a bank that both have, and refused where there is none', () => {
    const sha1 = buildTpmLog([file('/vmlinuz', 'kernel')], ['sha1']);
    const [sha384, both] = [['sha384'], ['sha1', 'sha384']].map((banks) =>
      buildTpmLog([file('/vmlinuz', 'another')], banks as ['sha1']),
    ) as [Uint8Array, Uint8Array];
    expect(compare(sha1, both).differences[0]?.before).toHaveLength(40);
    expect(formatErrorOf(() => compare(sha1, sha384)).code).toBe('type_mismatch');
    expect(() => compare(sha1, sha384)).toThrow('the event logs have no kind of digest in common');
  });

  it('are compared in a bank that every log of each has', () => {
    const [of256, of1] = [['sha1', 'sha256'], ['sha1']].map((banks) =>
      bootOfLog(buildTpmLog([file('/vmlinuz', 'kernel')], banks as ['sha1'])),
    ) as [BootSource, BootSource];
    const two = { ...of256, logs: [...of256.logs, ...of1.logs] };
    const { differences } = compareBoots(two, of256) as unknown as Compared;
    expect(differences).toEqual([expect.objectContaining({ pcr: 9, before: expect.stringMatching(/^[0-9a-f]{40}$/) })]);
  });

  it('of a TPM and of a TD are refused', () => {
    const compared = () => compare(boot(), buildCcel(labCcelEvents()));
    expect(formatErrorOf(compared).code).toBe('type_mismatch');
    expect(compared).toThrow('one event log is of a TPM, and the other of a TD');
  });
});

describe('two boots of a TD', () => {
  it('move RTMRs, each under the index that the log has for it', () => {
    const events = labCcelEvents();
    const withImage = (hashed: string) =>
      buildCcel(
        events.map((event) =>
          event.type === 0x80000003 ? { ...event, digest: hashOf('sha384', latin1(hashed)) } : event,
        ),
      );
    expect(compare(withImage('one'), withImage('another'))).toMatchObject({
      differences: [{ about: 'application', pcr: 2, detail: 'the boot application without a path changed' }],
      movedPcrs: [2],
    });
    const off = compare(buildCcel(events), buildCcel(labCcelEvents({ secureBoot: false })));
    expect(off).toMatchObject({
      differences: [{ about: 'secureBoot', pcr: 1, before: true, after: false }],
      movedPcrs: [1],
    });
  });
});

describe('evidence of two boots', () => {
  it('of a vTPM: PCRs that were quoted, resets, and what the report says of its machine', async () => {
    const vm = await createVirtualMachine({ pki: createAmdPki() });
    const other = (await createVirtualMachine({ pki: createAmdPki(), part: 'Genoa' })).wireEvidence();
    const evidence = vm.wireEvidence() as { tpmQuote: { pcrs: { sha256: Record<string, string> } } };
    const quoted = evidence.tpmQuote;
    const moved = { ...quoted, pcrs: { sha256: { ...quoted.pcrs.sha256, '9': 'ab'.repeat(32) } } };
    const read = (value: unknown) => bootOfEvidence(readInspectRequest(bodyOf(value)), LIMIT);
    const compared = compareBoots(read(evidence), read({ ...evidence, tpmQuote: moved })) as unknown as Compared;
    expect(compared).toMatchObject({
      compared: ['HCL report', 'runtime data', 'ATTESTATION_REPORT', 'TPMS_ATTEST', 'PCR values'],
      differences: [
        {
          about: 'pcr',
          pcr: 9,
          before: quoted.pcrs.sha256['9'],
          after: 'ab'.repeat(32),
          detail: 'PCR 9 was quoted with another value (sha256)',
        },
      ],
      movedPcrs: [9],
    });
    expect(compareBoots(read(evidence), read(evidence))).toMatchObject({ differences: [], movedPcrs: [] });
    const abouts = (compareBoots(read(evidence), read(other)) as unknown as Compared).differences.map(
      ({ about }) => about,
    );
    expect(abouts).toContain('runtime data keys');
    expect(abouts).toContain('ATTESTATION_REPORT CPUID');
    expect(abouts.filter((about) => /SIGNATURE|REPORT_DATA|extraData|pcrDigest/.test(about))).toEqual([]);
  });

  it('of a vTPM: counts of resets, not the clock', async () => {
    const vm = await createVirtualMachine({ pki: createAmdPki() });
    const { message } = vm.evidence().tpmQuote;
    const structuresOf = (bytes: Uint8Array) => bootOfRaw(bytes, 'tpm-quote', IN_FILE, LIMIT);
    // TPMS_CLOCK_INFO behind magic, type, qualifiedSigner and an empty extraData
    const clock = 4 + 2 + 2 + 34 + 2;
    const later = Uint8Array.from(message);
    later[clock + 7] = (later[clock + 7] ?? 0) ^ 1;
    expect(compareBoots(structuresOf(message), structuresOf(later))).toMatchObject({ differences: [] });
    later[clock + 11] = 9;
    later[clock + 15] = 3;
    expect(compareBoots(structuresOf(message), structuresOf(later))).toMatchObject({
      differences: [
        { about: 'resetCount', before: 7, after: 9, detail: 'resetCount of the TPM quote differs' },
        { about: 'restartCount', before: 0, after: 3 },
      ],
      movedPcrs: [],
    });
  });

  it('of a vTPM with event logs: what moved a PCR, and those that the logs do not explain', async () => {
    const vm = await createVirtualMachine({ pki: createAmdPki() });
    const evidence = vm.wireEvidence() as { tpmQuote: { pcrs: { sha256: Record<string, string> } } };
    const { tpmQuote } = evidence;
    const read = (log: Uint8Array, values: Record<string, string>) =>
      bootOfEvidence(
        readInspectRequest(
          bodyOf({
            ...evidence,
            tpmQuote: { ...tpmQuote, pcrs: { sha256: { ...tpmQuote.pcrs.sha256, ...values } } },
            eventLog: Buffer.from(log).toString('base64url'),
          }),
        ),
        LIMIT,
      );
    const [one, two] = ['11', '22'].map((byte) => byte.repeat(32)) as [string, string];
    const before = read(boot(), { '7': one, '10': one });
    const after = read(boot({ dbx: 2 }), { '7': two, '10': two });
    const { differences, movedPcrs } = compareBoots(before, after) as unknown as Compared;
    expect(movedPcrs).toEqual([7, 10]);
    expect(differences.map(({ about, pcr, detail }) => [about, pcr, detail])).toEqual([
      ['dbx', 7, expect.any(String)],
      ['pcr', 7, 'PCR 7 was quoted with another value (sha256)'],
      ['pcr', 10, 'PCR 10 was quoted with another value (sha256), and the event logs do not say why'],
    ]);
  });

  it('of a vTPM: no PCR that only one side has quoted', async () => {
    const vm = await createVirtualMachine({ pki: createAmdPki() });
    const read = (indices: readonly number[]) =>
      bootOfEvidence(
        readInspectRequest(bodyOf(vm.wireEvidence({ quote: { selections: [{ bank: 'sha256', indices }] } }))),
        LIMIT,
      );
    const { differences, movedPcrs } = compareBoots(read([0, 7]), read([0])) as unknown as Compared;
    expect(movedPcrs).toEqual([]);
    expect(differences.map(({ detail }) => detail)).toEqual(['pcrSelect of the TPM quote differs']);
  });

  it('of a TD: RTMRs by the index of its log', () => {
    const platform = new TdxPlatform({ pki: createIntelPki() });
    const read = (secureBoot: boolean) => {
      const guest = createTdxGuest({ platform, ccel: labCcelEvents({ secureBoot }) });
      return bootOfEvidence(readInspectRequest(bodyOf(guest.wireEvidence())), LIMIT);
    };
    expect(compareBoots(read(true), read(false))).toMatchObject({
      compared: ['event log', 'TD quote'],
      differences: [
        { about: 'secureBoot', pcr: 1 },
        { about: 'pcr', pcr: 1, detail: 'RTMR 0 was quoted with another value' },
      ],
      movedPcrs: [1],
    });
  });

  it('of a TD: two quotes of one boot are equal, whatever signed them', () => {
    const platform = new TdxPlatform({ pki: createIntelPki() });
    const read = (qeAuthData: Uint8Array) => bootOfRaw(platform.quote({ qeAuthData }), 'td-quote', IN_FILE, LIMIT);
    expect(compareBoots(read(new Uint8Array(32)), read(Uint8Array.of(1)))).toMatchObject({
      compared: ['TD quote'],
      differences: [],
    });
    const ofVersion = (making: object) => bootOfRaw(platform.quote({ ...making }), 'td-quote', IN_FILE, LIMIT);
    const [of4, of5] = [ofVersion({ version: 4 }), ofVersion({ version: 5, body: 'td10' })];
    expect(compareBoots(of4, of5)['differences']).toMatchObject([{ about: 'TD quote version' }]);
  });

  it('of an Azure guest: a key that its TPM certified is no quote', async () => {
    const vm = await createVirtualMachine({ pki: createAmdPki() });
    const certifiedKey = vm.vtpm.certify(vm.vtpm.publicJwk);
    const read = (options: object) =>
      bootOfEvidence(readInspectRequest(bodyOf(azureGuestEvidence(vm.evidence(), options))), LIMIT);
    const both = compareBoots(read({}), read({ certifiedKey }));
    expect(both['differences']).toEqual([]);
    expect(both['compared']).toContain('TPMS_ATTEST');
    const [certification] = describeCertifiedKey(certifiedKey, '').slice(0, 1);
    const quote = bootOfRaw(vm.evidence().tpmQuote.message, 'tpm-quote', IN_FILE, LIMIT);
    const alone = { ...quote, structures: certification === undefined ? [] : [certification] };
    expect(formatErrorOf(() => compareBoots(quote, alone)).code).toBe('type_mismatch');
  });

  it('says what only one of the two has', async () => {
    const vm = await createVirtualMachine({ pki: createAmdPki() });
    const evidence = vm.wireEvidence();
    const read = (value: unknown) => bootOfEvidence(readInspectRequest(bodyOf(value)), LIMIT);
    const withLog = read({ ...evidence, eventLog: Buffer.from(boot()).toString('base64url') });
    const notes = (before: BootSource, after: BootSource) => compareBoots(before, after)['notes'];
    expect(notes(withLog, read(evidence))).toEqual(['not compared, because only before has it: event log']);
    expect(notes(read(evidence), withLog)).toEqual(['not compared, because only after has it: event log']);
    const alone = { type: 'bytes', value: Buffer.from(boot()).toString('base64url') };
    expect(notes(withLog, read(alone))).toEqual(notes(withLog, bootOfLog(boot())));
    expect(notes(withLog, bootOfLog(boot()))).toEqual([
      'not compared, because only before has it: HCL report, runtime data, ATTESTATION_REPORT, TPMS_ATTEST, PCR values',
    ]);
    const quote = bootOfRaw(vm.evidence().tpmQuote.message, 'tpm-quote', IN_FILE, LIMIT);
    expect(
      notes(quote, { ...quote, structures: [...quote.structures, structure('TD quote'), structure('claims')] }),
    ).toEqual(['not compared, because only after has it: TD quote, claims']);
    expect(notes(withLog, withLog)).toEqual([]);
  });

  it('is refused where the two have nothing in common', async () => {
    const vm = await createVirtualMachine({ pki: createAmdPki() });
    const log = bootOfLog(boot());
    const evidence = bootOfEvidence(readInspectRequest(bodyOf(vm.wireEvidence())), LIMIT);
    expect(formatErrorOf(() => compareBoots(log, evidence)).code).toBe('type_mismatch');
  });
});

describe('tokens about two boots', () => {
  const CLAIMS: JsonObject = {
    iss: 'https://sharedweu.weu.attest.azure.net',
    'x-ms-azurevm-osversion-major': 22,
    'x-ms-isolation-tee': { 'x-ms-sevsnpvm-launchmeasurement': 'aa', 'x-ms-runtime': { keys: [{ kid: 'HCLAkPub' }] } },
  };
  /** What differs between any two tokens. */
  const OF_EACH: JsonObject = {
    exp: 2,
    iat: 1,
    nbf: 1,
    jti: 'one',
    nonce: 'AA',
    'x-ms-runtime': { 'client-payload': { nonce: 'AA' }, 'user-data': '00' },
    'x-ms-sevsnpvm-reportdata': '00',
    'x-ms-sevsnpvm-reportid': '00',
    tdx_report_data: '00',
    attester_held_data: 'AA',
    verifier_nonce: { val: 'AA', iat: 'AA', signature: 'AA' },
    tdx_collateral: { quotehash: '00' },
  };
  const segment = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const read = (claims: JsonObject) => {
    const token = `${segment({ alg: 'RS256', kid: 'k' })}.${segment(claims)}.AAAA`;
    return bootOfEvidence(readInspectRequest(bodyOf({ type: 'maa-token', token })), LIMIT);
  };

  it('differ in claims, each by the names that lead to it', () => {
    const tee = CLAIMS['x-ms-isolation-tee'] as JsonObject;
    const changed = {
      'x-ms-isolation-tee': { ...tee, 'x-ms-sevsnpvm-launchmeasurement': 'bb' },
      secureboot: true,
    };
    const { iss, ...others } = CLAIMS;
    expect(compareBoots(read(CLAIMS), read({ ...others, ...changed }))).toMatchObject({
      compared: ['claims'],
      differences: [
        { about: 'claims iss', before: iss, after: null, detail: 'iss of the claims differs' },
        { about: 'claims x-ms-isolation-tee.x-ms-sevsnpvm-launchmeasurement', before: 'aa', after: 'bb' },
        { about: 'claims secureboot', before: null, after: true },
      ],
      movedPcrs: [],
      notes: [],
    });
  });

  it.each(Object.entries(OF_EACH))('do not differ in %s, which no two tokens share', (name, value) => {
    const other = JSON.parse(JSON.stringify(value).replaceAll(/AA|00|one|\d$/g, '9'));
    expect(other).not.toEqual(value);
    expect(compareBoots(read({ ...CLAIMS, [name]: value }), read({ ...CLAIMS, [name]: other }))).toMatchObject({
      differences: [],
    });
  });
});

describe.skipIf(!haveVectors)('real boots', () => {
  const files = haveVectors ? vectors('tpm-eventlog').flatMap((each) => each.files) : [];

  it.each(files)('%s does not differ from itself', (name) => {
    expect(compare(readVector(name), readVector(name))).toMatchObject({ differences: [], movedPcrs: [], notes: [] });
  });

  const read = (name: string) => readVector(`tpm-eventlog/${name}.bin`);

  function changed(name: string, change: (event: LogEvent, data: string) => LogEvent): Uint8Array {
    const log = parseEventLog(read(name), LIMIT);
    const events = eventsOf(log).map((event) => change(event, Buffer.from(event.data).toString('latin1')));
    return buildTpmLog(events, ['sha1', 'sha256', 'sha384']);
  }

  it('a changed kernel: the file, by its name, and its PCR', () => {
    const after = changed('evlog-gce-ubuntu1804-sev', ({ digests, ...event }, data) => ({
      ...event,
      ...(event.index === 9 && data.includes('vmlinuz') ? { hashed: latin1('kernel') } : digests && { digests }),
    }));
    expect(compare(read('evlog-gce-ubuntu1804-sev'), after)).toMatchObject({
      differences: [
        {
          about: 'file',
          pcr: 9,
          detail: 'the file /boot/vmlinuz-5.4.0-1046-gcp changed (no digest covers the name)',
        },
      ],
      movedPcrs: [9],
    });
  });

  it('a changed command line: old and new, and the words', () => {
    const after = changed('evlog-gce-rhel8-secureboot', ({ digests, ...event }, data) => {
      const text = /^grub_kernel_cmdline (.*)\0$/.exec(data)?.[1];
      if (text === undefined) return { ...event, ...(digests && { digests }) };
      const line = text.replace('ro net.ifnames=0', 'rw init=/bin/sh');
      return { ...event, data: latin1(`grub_kernel_cmdline ${line}\0`), hashed: latin1(line) };
    });
    const { differences, movedPcrs } = compare(read('evlog-gce-rhel8-secureboot'), after);
    expect(differences).toMatchObject([
      {
        about: 'commandLine',
        pcr: 8,
        detail: 'the command line changed; added: rw init=/bin/sh; removed: ro net.ifnames=0',
      },
    ]);
    expect([differences[0]?.before, differences[0]?.after]).toEqual([
      expect.stringContaining(' ro net.ifnames=0 '),
      expect.stringContaining(' rw init=/bin/sh '),
    ]);
    expect(movedPcrs).toEqual([8]);
  });

  it('an update of dbx: its bytes and entries', () => {
    const after = changed('evlog-gce-rhel8-secureboot', ({ digests, ...event }, data) =>
      event.index === 7 && data.slice(32, 38) === 'd\0b\0x\0'
        ? { ...event, data: efiVariable('dbx', joinBytes(event.data.subarray(38), signatureList(2)), DATABASE_GUID) }
        : { ...event, ...(digests && { digests }) },
    );
    const { differences, movedPcrs } = compare(read('evlog-gce-rhel8-secureboot'), after);
    expect(movedPcrs).toEqual([7]);
    expect(differences).toMatchObject([{ about: 'dbx', pcr: 7 }]);
    expect(differences[0]?.detail).toMatch(/^dbx changed: \d+ bytes with \d+ entries before, .*; 2 added, 0 removed$/);
  });

  it('of two machines: every PCR that moved has what moved it', () => {
    const { differences, movedPcrs } = compare(read('evlog-gce-cos101-sev'), read('evlog-sp800155'));
    expect(movedPcrs.length).toBeGreaterThan(6);
    for (const index of movedPcrs) expect(differences.some(({ pcr }) => pcr === index)).toBe(true);
    expect(differences).toContainEqual(
      expect.objectContaining({
        about: 'firmwareVersion',
        before: 'GCE Virtual Firmware v1',
        after: 'GCE Virtual Firmware v2',
      }),
    );
  });
});
