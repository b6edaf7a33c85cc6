import type { CheckedEvent } from '../boot/checked-event.js';
import {
  EFI_GLOBAL_VARIABLE,
  EFI_IMAGE_SECURITY_DATABASE,
  type EfiVariable,
  parseEfiVariable,
} from '../boot/format/efi-variable.js';
import { EVENT_TYPE } from '../boot/format/measured-event.js';
import { commandLineOf } from '../boot/loader-text.js';
import { hasSections, type LoaderContents, type RegisterLayout } from '../boot/register-layout.js';
import { hex, latin1 } from '../core/bytes.js';
import type { JsonValue } from '../core/json.js';
import { bootOptionName, bootOrder, imagePath, partitionTable, signatureEntries } from './boot-data.js';
import { shownText, typeName } from './event-names.js';

/** A fact about a boot from one event. */
export interface BootFact {
  /** The kind of fact, as a comparison names it. */
  readonly about: string;
  /** A name: `dbx`, `the boot application \\EFI\\BOOT\\BOOTX64.EFI`. Two facts of one name are versions of one object. */
  readonly name: string;
  /** The data that the digest covers, if it can be shown; else the digest. */
  readonly value: JsonValue;
  readonly digest: string;
  /** Whether the name comes from data that the digest does not cover. */
  readonly isNameUncovered: boolean;
  /** The entries of a signature database; null for other facts. */
  readonly signatures: Signatures | null;
}

export interface Signatures {
  readonly bytes: number;
  readonly entries: readonly string[];
}

type Read = Pick<BootFact, 'about' | 'name'> & Partial<BootFact>;

/** The place of an event in its register. */
interface Place {
  readonly layout: RegisterLayout;
  readonly index: number;
  readonly isAfterSeparator: boolean;
}

/** Facts from the events of one register, in their order. */
export function factsOf(events: readonly CheckedEvent[], index: number, layout: RegisterLayout): readonly BootFact[] {
  let isAfterSeparator = false;
  return events.map((judged) => {
    const read = readEvent(judged, { layout, index, isAfterSeparator });
    isAfterSeparator ||= judged.separator !== null;
    const digest = hex(judged.digest);
    return { value: digest, isNameUncovered: false, signatures: null, ...read, digest };
  });
}

function readEvent(judged: CheckedEvent, place: Place): Read {
  return (
    asSeparator(judged) ??
    asSectionContents(judged, place) ??
    asVariable(judged) ??
    asPartitionTable(judged) ??
    asFirmware(judged) ??
    asAction(judged) ??
    asMokList(judged, place) ??
    asLoaded(judged, place) ??
    asApplication(judged, place) ??
    asOther(judged)
  );
}

function asSeparator({ separator }: CheckedEvent): Read | null {
  return separator === null ? null : { about: 'separator', name: 'the separator', value: separator };
}

/** Names in the order of signatures: each under its required vendor GUID. */
const DATABASES: ReadonlyMap<string, string> = new Map([
  [`${EFI_GLOBAL_VARIABLE} PK`, 'pk'],
  [`${EFI_GLOBAL_VARIABLE} KEK`, 'kek'],
  [`${EFI_IMAGE_SECURITY_DATABASE} db`, 'db'],
  [`${EFI_IMAGE_SECURITY_DATABASE} dbx`, 'dbx'],
]);

const BOOT_OPTION = /^Boot[0-9A-F]{4}$/;

function asVariable(judged: CheckedEvent): Read | null {
  const variable = judged.variable ?? (judged.isVariableContents ? parseEfiVariable(judged.event.data) : null);
  if (variable === null) return null;
  const { name, guid, contents } = variable;
  // Zeros have the form of a variable too.
  if (name === '') return null;
  if (judged.event.type === EVENT_TYPE.variableAuthority) {
    return { about: 'authority', name: `the authority of ${name}`, ...sizeOf(variable) };
  }
  const database = DATABASES.get(`${guid} ${name}`);
  if (database !== undefined) return { about: database, name, ...sizeOf(variable) };
  if (guid === EFI_GLOBAL_VARIABLE && name === 'SecureBoot') {
    return { about: 'secureBoot', name: 'Secure Boot', value: stateOf(contents) };
  }
  if (name === 'BootOrder')
    return { about: 'bootOrder', name: 'the boot order', value: bootOrder(contents) ?? hex(contents) };
  if (BOOT_OPTION.test(name)) {
    return { about: 'bootOption', name: `the boot option ${name}`, value: bootOptionName(contents) ?? hex(contents) };
  }
  return { about: 'variable', name: `the variable ${name}`, ...sizeOf(variable) };
}

function stateOf(contents: Uint8Array): JsonValue {
  const [value] = contents;
  return contents.byteLength === 1 && (value === 0 || value === 1) ? value === 1 : hex(contents);
}

function sizeOf({ contents: { byteLength: bytes }, contents }: EfiVariable): Pick<BootFact, 'value' | 'signatures'> {
  const entries = signatureEntries(contents);
  if (entries === null) return { value: { bytes }, signatures: null };
  return { value: { bytes, entries: entries.length }, signatures: { bytes, entries } };
}

function asPartitionTable(judged: CheckedEvent): Read | null {
  if (!judged.isPartitionTable) return null;
  const table = partitionTable(judged.event.data);
  return { about: 'partitionTable', name: 'the partition table', ...(table === null ? {} : { value: { ...table } }) };
}

function asAction({ isAction, event }: CheckedEvent): Read | null {
  const action = isAction ? shownText(event.data) : null;
  return action === null || action.startsWith('.') ? null : { about: 'action', name: `the action "${action}"` };
}

/** The lists of shim. The log has their names beside their digests. */
const MOK_LIST = /^MokList[A-Za-z]*$/;

function asMokList({ event }: CheckedEvent, { layout, index }: Place): Read | null {
  const name = shownText(event.data) ?? '';
  return index === layout.mokList && MOK_LIST.test(name) ? { about: 'mokList', name, isNameUncovered: true } : null;
}

function asSectionContents(judged: CheckedEvent, place: Place): Read | null {
  const contents = loaderContents(place);
  const { section } = judged;
  if (section === null || contents === null || !hasSections(contents)) return null;
  if (section === '.cmdline') return { about: 'commandLine', name: 'the command line', ...loaderTextFact(judged) };
  return { about: 'file', name: `the section ${section} of the kernel image` };
}

function loaderTextFact({ loaderText }: CheckedEvent): Partial<BootFact> {
  return loaderText === null ? {} : { value: loaderText.text };
}

function loaderContents({ layout, index }: Place): LoaderContents | null {
  return layout.loader.find((register) => register.index === index)?.contents ?? null;
}

/** Measurements of a boot loader, in a register of boot loaders. */
function asLoaded(judged: CheckedEvent, place: Place): Read | null {
  const contents = loaderContents(place);
  if (contents === null) return null;
  const { announces } = judged;
  if (announces !== null && hasSections(contents)) return { about: 'section', name: `the section ${announces}` };
  const shown = shownText(judged.event.data);
  if (contents === 'sections') return null;
  const text = contents === 'files' ? null : judged.loaderText;
  const commandLine = text === null ? null : commandLineOf(text);
  if (commandLine !== null) return { about: 'commandLine', name: 'the command line', value: commandLine };
  if (text !== null) return { about: 'command', name: `the command "${startOf(text.text)}"`, value: text.text };
  return contents === 'files' || contents === 'mixed' ? asFile(judged) : asUnverifiedText(shown);
}

const MAXIMUM_NAME = 60;

/** The first line identifies a menu entry of GRUB, which has many lines. */
function startOf(text: string): string {
  const [line = ''] = text.split('\n', 1);
  return line.length > MAXIMUM_NAME ? `${line.slice(0, MAXIMUM_NAME)}…` : line;
}

/** The end of the logged text has the names of a file: some loaders write tags before it. */
const FILE_NAME = /[\x20-\x7e]+$/;
const LOAD_OPTIONS = 'LOADED_IMAGE::LoadOptions';

function asFile({ event }: CheckedEvent): Read {
  const logged = shownText(event.data) ?? latin1(event.data).replace(/\0$/, '');
  const [name] = FILE_NAME.exec(logged) ?? ['without a name'];
  return name === LOAD_OPTIONS
    ? { about: 'commandLine', name: 'the load options', isNameUncovered: true }
    : { about: 'file', name: `the file ${name}`, isNameUncovered: true };
}

/** For a register of texts: the digest does not cover the logged text. */
function asUnverifiedText(shown: string | null): Read {
  return { about: 'commandLine', name: `what is logged as "${startOf(shown ?? 'no text')}"`, isNameUncovered: true };
}

function asApplication({ event }: CheckedEvent, { layout, index, isAfterSeparator }: Place): Read | null {
  const register = layout.applications.find((each) => each.index === index);
  if (register === undefined) return null;
  const about = register.afterSeparator && !isAfterSeparator ? 'driver' : 'application';
  const what = about === 'driver' ? 'the driver' : 'the boot application';
  const path = imagePath(event.data);
  return path === null
    ? { about, name: `${what} without a path` }
    : { about, name: `${what} ${path}`, isNameUncovered: true };
}

const FIRMWARE_BLOBS: ReadonlySet<number | null> = new Set([
  EVENT_TYPE.platformFirmwareBlob,
  EVENT_TYPE.platformFirmwareBlob2,
]);

function asFirmware({ event: { type, data }, isWhole }: CheckedEvent): Read | null {
  if (type === EVENT_TYPE.crtmVersion) {
    const value = isWhole ? (shownText(data) ?? hex(data)) : undefined;
    return { about: 'firmwareVersion', name: 'the firmware version', ...(value === undefined ? {} : { value }) };
  }
  return FIRMWARE_BLOBS.has(type) ? { about: 'firmware', name: 'a part of the firmware' } : null;
}

function asOther({ event: { type, data }, isWhole }: CheckedEvent): Read {
  const text = shownText(data);
  const name = text === null ? `an event ${typeName(type)}` : `the event ${typeName(type)} "${startOf(text)}"`;
  return { about: 'event', name, isNameUncovered: !isWhole };
}
