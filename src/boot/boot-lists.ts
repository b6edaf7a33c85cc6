import { fromLatin1, hex, isSameBytes, latin1 } from '../core/bytes.js';
import type { JudgedEvent } from './judged-event.js';
import { commandLineOf, loaderLabel } from './loader-text.js';
import { hasSections, type LoaderContents, type RegisterLayout } from './register-layout.js';

/** More are no boot that a policy could list. */
const MAXIMUM_ENTRIES = 64;
/** Loaders of a boot measure some hundred, each of which takes several hashes to read. */
const MAXIMUM_LOADER_EVENTS = 1024;

/** Claims of a boot, or why there are none: one sentence. */
export type Listed = { readonly entries: readonly string[] } | { readonly absent: string };

type Events = ReadonlyMap<number, readonly JudgedEvent[]>;

/**
 * Images that were started, by the digest of each event (of an image its Authenticode hash): every event of the register
 * that is not the measured data of a separator, an action of the firmware or a partition table. Event types and the
 * registers of other loaders do not select: nothing measures them.
 */
export function applicationsIn(events: Events, layout: RegisterLayout): Listed {
  const found: string[] = [];
  for (const { index, afterSeparator } of layout.applications) {
    const all = events.get(index) ?? [];
    const separator = all.findIndex(({ separator: kind }) => kind !== null);
    if (afterSeparator && separator < 0 && all.length > 0) {
      return { absent: `${layout.name(index)} has no separator` };
    }
    const counted = afterSeparator ? all.slice(separator + 1) : all;
    found.push(...counted.filter((event) => !isExplained(event)).map(({ digest }) => hex(digest)));
  }
  return boundedList(found);
}

function isExplained(event: JudgedEvent): boolean {
  return event.separator !== null || event.isOfSystem || event.isAction || event.isPartitionTable;
}

export interface LoaderLists {
  readonly commandLines: Listed;
  readonly files: Listed;
  /** Of the command lines, digests that stand where files do: that they are none, only the log says. */
  readonly loadOptions: readonly string[];
}

/** The kind of one event, in the register of a loader. */
type LoaderEvent =
  | { readonly kind: 'commandLine' | 'loadOptions' | 'file'; readonly value: string }
  | { readonly kind: 'explained' }
  | { readonly kind: 'unverified' };

/**
 * Command lines and files that boot loaders measured. An event whose data is not what was measured, where it would have to
 * be, makes the claim absent: it could be one of what is listed.
 */
export function loaderListsIn(events: Events, layout: RegisterLayout): LoaderLists {
  const count = layout.loader.reduce((sum, { index }) => sum + (events.get(index)?.length ?? 0), 0);
  if (count > MAXIMUM_LOADER_EVENTS) {
    const absent = `boot loaders measured ${count} events, and the limit is ${MAXIMUM_LOADER_EVENTS}`;
    return { commandLines: { absent }, files: { absent }, loadOptions: [] };
  }
  const found = layout.loader.map((register) => readRegister(events.get(register.index) ?? [], register.contents));
  const wrong = found.flatMap(({ unverified }) => unverified ?? [])[0];
  const all = (...kinds: readonly LoaderEvent['kind'][]) =>
    found.flatMap(({ read }) => read.flatMap((one) => ('value' in one && kinds.includes(one.kind) ? [one.value] : [])));
  const files = boundedList(all('file'));
  const loadOptions = [...new Set(all('loadOptions'))];
  if (wrong === undefined) return { commandLines: boundedList(all('commandLine', 'loadOptions')), files, loadOptions };
  const { offset, index } = wrong.event;
  const absent = `the data of the event at offset ${offset} is not what ${layout.name(index)} was extended by`;
  const isMixed = layout.loader.some(({ contents }) => contents === 'mixed');
  return { commandLines: { absent }, files: isMixed ? { absent } : files, loadOptions };
}

interface ReadRegister {
  readonly read: readonly LoaderEvent[];
  /** The first event whose data was not measured; null if there is none. */
  readonly unverified: JudgedEvent | null;
}

function readRegister(events: readonly JudgedEvent[], contents: LoaderContents): ReadRegister {
  const read: LoaderEvent[] = [];
  for (const event of events) {
    const found = (hasSections(contents) ? asSection(event, contents) : null) ?? classify(event, contents);
    if (found.kind === 'unverified') return { read, unverified: event };
    read.push(found);
  }
  return { read, unverified: null };
}

const EXPLAINED = { kind: 'explained' } as const;

function classify(event: JudgedEvent, contents: LoaderContents): LoaderEvent {
  if (event.separator !== null || event.isOfSystem) return EXPLAINED;
  switch (contents) {
    case 'text':
      return asText(event) ?? { kind: 'unverified' };
    case 'stub':
      return asText(event) ?? (isOfWindows(event) ? EXPLAINED : { kind: 'unverified' });
    case 'files':
      return asDigest(event);
    case 'sections':
      return EXPLAINED;
    case 'mixed':
      return asMixed(event);
  }
}

function asText(event: JudgedEvent): LoaderEvent | null {
  if (isSameBytes(WINDOWS_SEPARATOR, event.event.data) && event.isWhole) return EXPLAINED;
  const text = event.loaderText;
  if (text === null) return null;
  const commandLine = commandLineOf(text);
  if (commandLine === null) return EXPLAINED;
  // A text that looks like a digest must not pass for a command line whose digest that is.
  return { kind: 'commandLine', value: DIGEST.test(commandLine) ? hex(event.digest) : commandLine };
}

/** One register for all: text counts as text, GRUB's label for text must be right, and all else counts by its digest. */
function asMixed(event: JudgedEvent): LoaderEvent {
  if (loaderLabel(event.event.data) === null && event.loaderText === null) return asDigest(event);
  return asText(event) ?? { kind: 'unverified' };
}

/** As digests are listed. */
const DIGEST = /^(?:[0-9a-f]{2}){20,64}$/i;

/** The text of Linux' EFI stub beside the digest of the load options of the kernel. */
const LOAD_OPTIONS = 'LOADED_IMAGE::LoadOptions\0';

/**
 * The word by which systemd extends PCR 9 for each NV index that it sets up (systemd-pcrextend(8)). A file that only begins
 * so, such as a configuration of GRUB, goes on with a space or a line.
 */
const NV_INDEX = /^nvpcr-init:[\w.-]+(?::\w+)+$/;

/** By the digest alone. Whether it is of load options or of a file, only the log says: it counts either way. */
function asDigest(event: JudgedEvent): LoaderEvent {
  const text = latin1(event.event.data);
  if (NV_INDEX.test(text) && event.isWhole) return EXPLAINED;
  return { kind: text.endsWith(LOAD_OPTIONS) ? 'loadOptions' : 'file', value: hex(event.digest) };
}

const COMMAND_LINE_SECTION = '.cmdline';

/** The name of a section, or its contents. Null of any other event. */
function asSection({ announces, section, digest }: JudgedEvent, contents: LoaderContents): LoaderEvent | null {
  if (section === null) return announces === null ? null : EXPLAINED;
  if (section === COMMAND_LINE_SECTION) {
    // A file of GRUB can have the name of the section as its contents, and the next event be a file.
    return { kind: contents === 'mixed' ? 'loadOptions' : 'commandLine', value: hex(digest) };
  }
  // Where sections have a register of their own, the image is an application, and its sections are in that digest.
  return contents === 'sections' ? EXPLAINED : { kind: 'file', value: hex(digest) };
}

/** The measurement of Windows in PCR 12 to 14 in place of a separator. */
const WINDOWS_SEPARATOR = fromLatin1('WBCL');

/** Events of Windows: lists of tagged values, which no text is (TCG_PCClientTaggedEvent). */
function isOfWindows({ event: { data }, isWhole }: JudgedEvent): boolean {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let offset = 0;
  while (offset + 8 <= data.byteLength) {
    const size = view.getUint32(offset + 4, true);
    // A text in UTF-16 has a character here, so that its size is larger than the event.
    if (size > MAXIMUM_TAGGED_LENGTH) return false;
    offset += 8 + size;
  }
  return offset === data.byteLength && data.byteLength > 0 && isWhole;
}

const MAXIMUM_TAGGED_LENGTH = 0xffff;

function boundedList(found: readonly string[]): Listed {
  const entries = [...new Set(found)];
  if (entries.length <= MAXIMUM_ENTRIES) return { entries };
  return { absent: `it lists ${entries.length}, and the limit is ${MAXIMUM_ENTRIES}` };
}
