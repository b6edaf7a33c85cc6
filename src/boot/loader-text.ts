import { joined, latin1, utf16le } from '../core/bytes.js';

/** Text that a boot loader measured. No digest covers its prefix, which the log chooses. */
export interface LoaderText {
  /** The text without NULs at its end. */
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly encoding: 'utf-8' | 'utf-16';
  readonly label: 'command' | 'commandLine' | null;
}

/** The prefix that GRUB writes before the text that it hashes; without a colon on RHEL 8. */
const LABELS: readonly (readonly [string, 'command' | 'commandLine'])[] = [
  ['grub_cmd: ', 'command'],
  ['grub_cmd ', 'command'],
  ['kernel_cmdline: ', 'commandLine'],
  ['grub_kernel_cmdline ', 'commandLine'],
  ['module_cmdline: ', 'commandLine'],
];

/** Longer data is not text: a command line has up to 4096 characters, a menu entry of GRUB some thousands. */
const MAXIMUM_LENGTH = 65_536;

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The kind of text by GRUB's label, whether the digest covers it or not; null if there is none. */
export function loaderLabel(data: Uint8Array): 'command' | 'commandLine' | null {
  return labelled(data)?.label ?? null;
}

/** The text that data may log; null if there is none, or it is empty. */
export function loaderText(data: Uint8Array): LoaderText | null {
  if (data.byteLength > MAXIMUM_LENGTH) return null;
  const { rest, label } = labelled(data) ?? { rest: data, label: null };
  const narrow = withoutNuls(rest, 1);
  const text = plain(utf8Text(narrow));
  if (text !== null) return { bytes: narrow, text, encoding: 'utf-8', label };
  const units = withoutNuls(data, 2);
  const wide = plain(utf16le(units));
  return wide === null ? null : { bytes: units, text: wide, encoding: 'utf-16', label: null };
}

const MAXIMUM_NULS = 2;

/** Candidates for the hashed bytes: a loader hashes a text alone, or with its final NULs. The log may have another number of them. */
export function* hashedForms({ bytes, encoding }: LoaderText): Generator<Uint8Array> {
  const width = encoding === 'utf-8' ? 1 : 2;
  yield bytes;
  for (let nuls = 1; nuls <= MAXIMUM_NULS; nuls++) yield joined([bytes, new Uint8Array(nuls * width)]);
}

function labelled(data: Uint8Array): { readonly rest: Uint8Array; readonly label: 'command' | 'commandLine' } | null {
  const start = latin1(data.subarray(0, 20));
  const found = LABELS.find(([prefix]) => start.startsWith(prefix));
  return found === undefined ? null : { rest: data.subarray(found[0].length), label: found[1] };
}

/** Removes NULs at the end. In UTF-16 the last may be half a character, if the log cuts it. */
function withoutNuls(bytes: Uint8Array, width: 1 | 2): Uint8Array {
  let end = bytes.byteLength;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  const length = Math.min(Math.ceil(end / width) * width, bytes.byteLength);
  return bytes.subarray(0, length);
}

function utf8Text(bytes: Uint8Array): string | null {
  try {
    return UTF_8.decode(bytes);
  } catch {
    return null;
  }
}

/** Returns null for empty text, or text with control characters. */
function plain(text: string | null): string | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the expression finds these characters
  return text === null || text === '' || /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text) ? null : text;
}

/**
 * Commands of GRUB that load a kernel, or a module with a command line of its own (GRUB manual, Command-line and menu entry
 * commands; linuxefi of distributions). chainloader starts any EFI image with load options, including a kernel. A command
 * may follow exclamation marks, which only invert its result, or time, which runs it without measuring it.
 */
const KERNEL =
  /^(?:!\s*|time\s+)*(?:linux|linuxefi|linux16|chainloader|legacy_kernel|multiboot2?|module2?|xen_(?:hypervisor|module|linux|initrd)|k(?:free|net|open)bsd|xnu_kernel(?:64)?|plan9)(?:\s+|$)/;

/**
 * A command of GRUB: a word, the word of a test, or an assignment. A command line starts with the path of a kernel
 * instead. So neither can pass as the other under an unmeasured label.
 */
const COMMAND = /^(?:[A-Za-z_]\w*=|[A-Za-z_][\w.-]*(?:\s|$)|[[!{}])/;

/** The command line in a text; null for a command of GRUB that starts no kernel. */
export function commandLineOf({ text, label }: LoaderText): string | null {
  if (label !== 'command') return text;
  if (KERNEL.test(text)) return text.replace(KERNEL, '');
  return COMMAND.test(text) ? null : text;
}
