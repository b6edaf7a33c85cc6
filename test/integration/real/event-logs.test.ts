import { describe, expect, it } from 'vitest';
import { checkedEvents } from '../../../src/boot/checked-event.js';
import { DIGEST_ALGORITHM, type EventBank, type EventLog } from '../../../src/boot/format/measured-event.js';
import { parseFirmwareEventLog } from '../../../src/boot/format/tcg-event-log.js';
import { orderFindings } from '../../../src/boot/log-order.js';
import { PCR_LAYOUT, type RegisterLayout, RTMR_LAYOUT } from '../../../src/boot/register-layout.js';
import { initialValue, replay } from '../../../src/boot/replay.js';
import { secureBootOf, unverifiedEvent } from '../../../src/boot/secure-boot.js';
import { hex } from '../../../src/core/bytes.js';
import type { Check } from '../../../src/core/check.js';
import { FormatError } from '../../../src/core/errors.js';
import { checksAt } from '../../../src/tee/catalogue.js';
import { type EventLogVerdict, verifyEventLog } from '../../../src/tee/shared/event-log/event-log.js';
import { littleEndian, patchBytes } from '../../lab/byte-patch.js';
import { LOG_EVENT, secureBootVariable } from '../../lab/event-log-builder.js';
import { applyRecipe, haveVectors, readVector, recipes, type Vector, vector, vectors } from '../../vectors.js';

/** Logs of real machines: what they replay to is recorded, and partly read from the machines themselves. */

const CCEL = 'evlog-ccel-grub';
const TD = 'tdx-v4-with-ccel';
const BANKS = Object.keys(DIGEST_ALGORITHM) as readonly EventBank[];
const LOGS = haveVectors ? vectors('tpm-eventlog') : [];
/** Those with a SHA-256 bank, which verifiers rely on. */
const OF_A_TPM = LOGS.filter(({ expect: { facts } }) => facts.log.algs.includes('sha256'));

const fileOf = ({ files }: Vector) => files.find((name) => name.includes('evlog') || name.includes('ccel-data')) ?? '';
const layoutOf = ({ id }: Vector): RegisterLayout => (id === CCEL || id === TD ? RTMR_LAYOUT : PCR_LAYOUT);
const bankOf = ({ algorithms }: EventLog) =>
  (['sha256', 'sha384', 'sha1'] as const).find((bank) => algorithms.has(DIGEST_ALGORITHM[bank])) ?? 'sha256';
const parse = (bytes: Uint8Array) => parseFirmwareEventLog(bytes, 2 ** 20);
const logOf = (entry: Vector) => parse(readVector(fileOf(entry)));

function replayed(log: EventLog, bank: EventBank, layout: RegisterLayout): { readonly [index: string]: string } {
  const { values, fault } = replay(log.events, bank, layout);
  expect(fault).toBeNull();
  return Object.fromEntries([...values].map(([index, value]) => [index, hex(value)]));
}

interface Judged extends EventLogVerdict {
  readonly checks: readonly Check[];
  readonly failed: readonly string[];
}

/** Judges bytes beside registers that hold what the genuine log replays to. */
function judge(entry: Vector, bytes: Uint8Array): Judged {
  const genuine = logOf(entry);
  const [layout, bank] = [layoutOf(entry), bankOf(genuine)];
  const values = new Map(
    layout.indices.map((index) => [index, hex(initialValue(index, bank === 'sha384' ? 48 : 32, layout))]),
  );
  for (const [index, value] of replay(genuine.events, bank, layout).values) values.set(index, hex(value));
  const checks = checksAt('/evidence/eventLog');
  const verdict = verifyEventLog(checks, [parse(bytes)], { layout, bank, values });
  const failed = checks.all.filter(({ result }) => result === 'fail').map(({ id }) => id);
  return { ...verdict, checks: checks.all, failed };
}

/** A copy of a log whose event of an index is given another type, with or without data of the same length. */
function forge(
  entry: Vector,
  isChosen: (event: EventLog['events'][number]) => boolean,
  type: number,
  data?: string,
): Uint8Array {
  const bytes = readVector(fileOf(entry));
  const event = parse(bytes).events.find(isChosen);
  if (event === undefined) throw new Error('no such event');
  const length = event.data.byteLength;
  const end = event.data.byteOffset - bytes.byteOffset;
  const filled = Buffer.alloc(length, 0x20);
  filled.write(data ?? '', 'latin1');
  return patchBytes(bytes, [
    { offset: event.offset + 4, bytes: littleEndian(type, 4) },
    ...(data === undefined ? [] : [{ offset: end, bytes: filled }]),
  ]);
}

describe.skipIf(!haveVectors)('logs of real machines', () => {
  it.each(LOGS)('$id is read to its end and replays to its PCRs in every bank', (entry) => {
    const { log: facts, replayedPcrs } = entry.expect.facts;
    const log = logOf(entry);
    const headless = log.header === null ? 0 : 1;
    expect(log.format).toBe(facts.format);
    expect(log.events.length).toBe(facts.eventCount);
    expect(headless).toBe(facts.format === 'crypto-agile' ? 1 : 0);
    const found = BANKS.filter((bank) => log.algorithms.has(DIGEST_ALGORITHM[bank]));
    expect(found).toEqual(facts.algs);
    for (const bank of found) expect(replayed(log, bank, layoutOf(entry))).toEqual(replayedPcrs[bank]);
  });

  it.each(LOGS)('TPM-16 $id has the Secure Boot state that is recorded', (entry) => {
    const log = logOf(entry);
    const layout = layoutOf(entry);
    const events = checkedEvents(log.events, bankOf(log)).get(layout.secureBoot) ?? [];
    const { secureBoot } = entry.expect.facts;
    const isKnown = secureBoot !== null && secureBoot.valueHex !== '';
    expect(secureBootOf(events, layout).state).toBe(isKnown ? secureBoot.enabled : null);
    expect(unverifiedEvent(events, layout)).toBeNull();
  });

  it.each(LOGS)('TPM-12 $id is in order', (entry) => {
    const { header, events, ...log } = logOf(entry);
    const judged = checkedEvents(events, bankOf({ header, events, ...log }));
    const found = orderFindings(header === null ? events : [header, ...events], judged, layoutOf(entry));
    expect(found.filter(({ weight }) => weight !== 'note')).toEqual([]);
  });

  it.each(OF_A_TPM)('$id verifies beside its PCRs, with claims', (entry) => {
    const { failed, claims, gaps } = judge(entry, readVector(fileOf(entry)));
    expect(failed).toEqual([]);
    expect(claims).toMatchObject({ notCovered: [] });
    expect(gaps?.unexplained).toEqual([]);
    expect(claims?.applications?.length).toBeGreaterThan(0);
    expect(claims?.pk).toMatch(/^[0-9a-f]{64}$/);
  });

  it('has command line and files of Red Hat, by GRUB', () => {
    const { claims } = judge(
      vector('evlog-keylime-secureboot'),
      readVector('tpm-eventlog/evlog-keylime-secureboot.bin'),
    );
    expect(claims?.commandLines).toEqual([
      expect.stringMatching(
        /^\(hd0,gpt2\)\/vmlinuz-5\.14\.0-503\.11\.1\.el9_5\.x86_64 root=\/dev\/mapper\/rhel_rhel--9-root ro /,
      ),
    ]);
    expect(claims?.applications).toHaveLength(3);
    expect(claims?.files).toHaveLength(7);
    expect(claims?.mokList).toMatch(/^[0-9a-f]{64}$/);
  });

  it('has the command line of Arch Linux, in UTF-16', () => {
    const { claims } = judge(vector('evlog-workstation-arch'), readVector('tpm-eventlog/evlog-workstation-arch.bin'));
    expect(claims).toMatchObject({ secureBoot: null, files: [], mokList: null });
    expect(claims?.commandLines).toEqual([expect.stringMatching(/^initrd=\\intel-ucode\.img .* rw /)]);
  });

  it('TPM-06 replays no log of SHA-1 alone in the bank that is relied on', () => {
    for (const entry of LOGS.filter(({ expect: { facts } }) => facts.log.format === 'sha1-only')) {
      const { events } = logOf(entry);
      const { fault } = replay(events, 'sha256', PCR_LAYOUT);
      expect(fault === null).toBe(events.every(({ type }) => type === LOG_EVENT.noAction));
    }
  });
});

describe.skipIf(!haveVectors)('logs of real TDs', () => {
  it.each([CCEL, TD])('%s replays to its RTMRs, with claims', (id) => {
    const entry = vector(id);
    const { failed, claims, gaps } = judge(entry, readVector(fileOf(entry)));
    expect(failed).toEqual([]);
    expect(claims).toMatchObject({ replayed: [0, 1, 2, 3], notCovered: [], secureBoot: id === CCEL });
    // The kernel's EFI stub of one measured the load options, by their digest.
    const loadOptions = id === CCEL ? [expect.stringMatching(/^[0-9a-f]{96}$/)] : [];
    expect(gaps).toEqual({ unexplained: [], absent: {}, loadOptions });
    expect(claims?.applications?.length).toBeGreaterThan(1);
    expect(claims?.commandLines?.length).toBeGreaterThan(0);
    expect(claims?.files?.length).toBeGreaterThan(0);
  });
});

describe.skipIf(!haveVectors)('recorded changes of real logs', () => {
  const ofLog = (id: string) => ({ entry: vector(id), file: fileOf(vector(id)) });
  const all = haveVectors ? recipes('tpm-eventlog') : [];

  it.each(all.filter(({ base }) => base === 'evlog-gce-rhel8-secureboot'))('$id does not verify: $field', (recipe) => {
    const { entry, file } = ofLog(recipe.base);
    const codes: { readonly [reason: string]: readonly string[] } = {
      'eventlog-parse': ['eventlog_format', 'eventlog_limit'],
      'eventlog-pcr-mismatch': ['eventlog_replay', 'eventlog_order'],
      'eventlog-data-digest-mismatch': ['eventlog_unverified'],
    };
    const accepted = [recipe.expectedReason, ...recipe.alsoFails].flatMap((reason) => codes[reason] ?? []);
    const bytes = applyRecipe(recipe, file);
    const found = codesOf(() => [...judge(entry, bytes).failed, ...otherBanks(entry, bytes)]);
    expect(found.length).toBeGreaterThan(0);
    expect(accepted).toEqual(expect.arrayContaining([found[0]]));
  });
});

/** Banks that no claim rests on: a change in one of them shows in its replay alone. */
function otherBanks(entry: Vector, bytes: Uint8Array): readonly string[] {
  const { replayedPcrs } = entry.expect.facts;
  const isOther = (bank: EventBank) => {
    const { values } = replay(parse(bytes).events, bank, layoutOf(entry));
    return [...values].some(([index, value]) => replayedPcrs[bank][index] !== hex(value));
  };
  return (['sha1', 'sha384'] as const).some(isOther) ? ['eventlog_replay'] : [];
}

function codesOf(judging: () => readonly string[]): readonly string[] {
  try {
    return judging();
  } catch (error) {
    if (error instanceof FormatError) return [error.code];
    throw error;
  }
}

describe.skipIf(!haveVectors)('forgeries of real logs, beside the PCRs of the genuine ones', () => {
  const isImage = ({ type }: EventLog['events'][number]) => type === LOG_EVENT.application;
  const secureBootName = Buffer.from('SecureBoot', 'utf16le');
  const isVariable = ({ data }: EventLog['events'][number]) => Buffer.from(data).includes(secureBootName);

  it.each(OF_A_TPM)('TPM-17 $id still has an application that is retyped', (entry) => {
    const genuine = judge(entry, readVector(fileOf(entry))).claims;
    for (const type of [LOG_EVENT.action, LOG_EVENT.separator, LOG_EVENT.gpt, LOG_EVENT.ipl]) {
      const { claims, failed } = judge(entry, forge(entry, isImage, type, 'EFI PART'));
      // a separator of other data is no order that a firmware has
      expect(failed).toEqual(type === LOG_EVENT.separator ? ['eventlog_order'] : []);
      if (type !== LOG_EVENT.separator) expect(claims?.applications).toEqual(genuine?.applications);
    }
  });

  it.each(OF_A_TPM)('TPM-17 $id does not replay with an application under another index', (entry) => {
    const bytes = readVector(fileOf(entry));
    const event = logOf(entry).events.find(isImage);
    const moved = patchBytes(bytes, [{ offset: event?.offset ?? 0, bytes: littleEndian(8, 4) }]);
    expect(judge(entry, moved).failed).toEqual(['eventlog_replay']);
  });

  it.each(OF_A_TPM)('TPM-11 $id fails with its SecureBoot hidden under another type', (entry) => {
    for (const type of [LOG_EVENT.ipl, LOG_EVENT.firmwareBlob]) {
      expect(judge(entry, forge(entry, isVariable, type)).failed).toEqual([]);
      expect(judge(entry, forge(entry, isVariable, type, 'x')).failed).toEqual(['eventlog_unverified']);
    }
    expect(judge(entry, forge(entry, isVariable, LOG_EVENT.noAction)).failed).toEqual([
      'eventlog_order',
      'eventlog_replay',
    ]);
  });

  it.each(['evlog-gce-rhel8-secureboot', 'evlog-keylime-secureboot'])(
    'TPM-17 %s still has a command line that is relabelled',
    (id) => {
      const entry = vector(id);
      const bytes = readVector(fileOf(entry));
      const isLine = (event: EventLog['events'][number]) =>
        /^(?:grub_)?kernel_cmdline/.test(Buffer.from(event.data).toString('latin1'));
      const line = parse(bytes).events.find(isLine);
      const text = Buffer.from(line?.data ?? []).toString('latin1');
      const start = text.indexOf('(');
      const relabelled = Buffer.from(`grub_cmd: ${text.slice(start)}`, 'latin1');
      const shortened = replaceData(bytes, line, relabelled);
      const genuine = judge(entry, bytes).claims?.commandLines;
      expect(genuine?.length).toBeGreaterThan(0);
      expect(judge(entry, shortened).claims?.commandLines).toEqual(genuine);
      const altered = judge(entry, forge(entry, isLine, LOG_EVENT.ipl, 'grub_cmd: set x=1'));
      expect(altered.claims?.commandLines).toBeNull();
      expect(altered.gaps?.absent.commandLines?.check).toBe('eventlog_unverified');
    },
  );

  it.each(OF_A_TPM)('TPM-11 $id does not replay with a false SecureBoot behind the separator', (entry) => {
    const log = logOf(entry);
    const data = secureBootVariable('SecureBoot', Uint8Array.of(1));
    const digests = [...log.algorithms].flatMap(([id, length]) => [littleEndian(id, 2), new Uint8Array(length)]);
    const event = Buffer.concat([
      littleEndian(7, 4),
      littleEndian(LOG_EVENT.variableDriverConfig, 4),
      littleEndian(log.algorithms.size, 4),
      ...digests,
      littleEndian(data.byteLength, 4),
      data,
    ]);
    const found = judge(entry, Buffer.concat([readVector(fileOf(entry)), event])).failed;
    expect(found).toEqual(['eventlog_replay', 'eventlog_unverified']);
  });
});

function replaceData(bytes: Uint8Array, event: EventLog['events'][number] | undefined, data: Uint8Array): Uint8Array {
  if (event === undefined) throw new Error('no such event');
  const start = event.data.byteOffset - bytes.byteOffset;
  return Buffer.concat([
    bytes.subarray(0, start - 4),
    littleEndian(data.byteLength, 4),
    data,
    bytes.subarray(start + event.data.byteLength),
  ]);
}
