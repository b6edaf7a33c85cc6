import { fromLatin1, hex, isSameBytes, latin1 } from '../core/bytes.js';
import type { CheckedEvent } from './checked-event.js';
import { commandLineOf, loaderLabel } from './loader-text.js';
import { hasSections, type LoaderContents, type RegisterLayout } from './register-layout.js';

/** Most entries. A policy could not list more. */
const MAXIMUM_ENTRIES = 64;
/** Boot loaders measure some hundred events, each of which takes several hashes to read. */
const MAXIMUM_LOADER_EVENTS = 1024;

/** Claims of a boot, or why they are absent: one sentence. */
export type Listed = { readonly entries: readonly string[] } | { readonly absent: string };

type Events = ReadonlyMap<number, readonly CheckedEvent[]>;

/**
 * Lists started images, by the digest of each event (the Authenticode hash of an image). It includes every event of the register
 * except the measured data of a separator, an action of the firmware or a partition table. Event types and the
 * registers of other loaders do not select events: no digest covers them.
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

function isExplained(event: CheckedEvent): boolean {
  return event.separator !== null || event.isOfSystem || event.isAction || event.isPartitionTable;
}

export interface LoaderLists {
  readonly commandLines: Listed;
  readonly files: Listed;
  /** Digests among the command lines that belong to load options according to the log; they could also be files. */
  readonly loadOptions: readonly string[];
}

/** The kind of one event, in the register of a loader. */
type LoaderEvent =
  | { readonly kind: 'commandLine' | 'loadOptions' | 'file'; readonly value: string }
  | { readonly kind: 'explained' }
  | { readonly kind: 'unverified' };

/**
 * Lists command lines and files that boot loaders measured. If the data of an event differs from the measured data,
 * the claim is absent: the event could be one of the list.
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
  readonly unverified: CheckedEvent | null;
}

function readRegister(events: readonly CheckedEvent[], contents: LoaderContents): ReadRegister {
  const read: LoaderEvent[] = [];
  for (const event of events) {
    const found = (hasSections(contents) ? asSection(event, contents) : null) ?? classify(event, contents);
    if (found.kind === 'unverified') return { read, unverified: event };
    read.push(found);
  }
  return { read, unverified: null };
}

const EXPLAINED = { kind: 'explained' } as const;

function classify(event: CheckedEvent, contents: LoaderContents): LoaderEvent {
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

function asText(event: CheckedEvent): LoaderEvent | null {
  if (isSameBytes(WINDOWS_SEPARATOR, event.event.data) && event.isWhole) return EXPLAINED;
  const text = event.loaderText;
  if (text === null) return null;
  const commandLine = commandLineOf(text);
  if (commandLine === null) return EXPLAINED;
  // A text that looks like a digest must not match the digest of a command line.
  return { kind: 'commandLine', value: DIGEST.test(commandLine) ? hex(event.digest) : commandLine };
}

/** Reads one shared register: text counts as text, if GRUB's label for it is right. Other events count by their digest. */
function asMixed(event: CheckedEvent): LoaderEvent {
  if (loaderLabel(event.event.data) === null && event.loaderText === null) return asDigest(event);
  return asText(event) ?? { kind: 'unverified' };
}

/** The form of a listed digest. */
const DIGEST = /^(?:[0-9a-f]{2}){20,64}$/i;

/** The text of Linux' EFI stub beside the digest of the load options of the kernel. */
const LOAD_OPTIONS = 'LOADED_IMAGE::LoadOptions\0';

/**
 * The word by which systemd extends PCR 9 for each NV index that it sets up (systemd-pcrextend(8)). A file with the same
 * beginning, such as a configuration of GRUB, continues with a space or a line.
 */
const NV_INDEX = /^nvpcr-init:[\w.-]+(?::\w+)+$/;

/** Uses only the digest. Only the log tells load options from files: the digest counts in both cases. */
function asDigest(event: CheckedEvent): LoaderEvent {
  const text = latin1(event.event.data);
  if (NV_INDEX.test(text) && event.isWhole) return EXPLAINED;
  return { kind: text.endsWith(LOAD_OPTIONS) ? 'loadOptions' : 'file', value: hex(event.digest) };
}

const COMMAND_LINE_SECTION = '.cmdline';

/** The name of a section, or its contents. Null for any other event. */
function asSection({ announces, section, digest }: CheckedEvent, contents: LoaderContents): LoaderEvent | null {
  if (section === null) return announces === null ? null : EXPLAINED;
  if (section === COMMAND_LINE_SECTION) {
    // A file of GRUB can contain the name of the section, and be followed by another file.
    return { kind: contents === 'mixed' ? 'loadOptions' : 'commandLine', value: hex(digest) };
  }
  // With a separate register for sections, the image is an application, whose digest includes its sections.
  return contents === 'sections' ? EXPLAINED : { kind: 'file', value: hex(digest) };
}

/** The value that Windows measures in PCR 12 to 14 instead of a separator. */
const WINDOWS_SEPARATOR = fromLatin1('WBCL');

/** Whether an event is of Windows: a list of tagged values, which text cannot be (TCG_PCClientTaggedEvent). */
function isOfWindows({ event: { data }, isWhole }: CheckedEvent): boolean {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let offset = 0;
  while (offset + 8 <= data.byteLength) {
    const size = view.getUint32(offset + 4, true);
    // In a UTF-16 text a character is here, so that the size exceeds the event.
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
