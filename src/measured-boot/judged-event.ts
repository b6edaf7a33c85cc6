import { digest } from '../crypto/digest.js';
import { type EfiVariable, parseEfiVariable } from '../formats/efi-variable.js';
import { digestOfBank, EVENT_TYPE, type EventBank, type MeasuredEvent } from '../formats/measured-event.js';
import { type LoaderText, loaderTexts } from './loader-text.js';

/** Data of a separator: what every firmware writes, and what one writes that had an error. */
const SEPARATOR = { zero: new Uint8Array(4), error: new Uint8Array(4).fill(0xff) };

/** How older versions of shim hash a variable of theirs: without the last byte that they log. */
const SHIM_SURPLUS = 1;

const separators = new Map<EventBank, { readonly zero: Buffer; readonly error: Buffer }>();

function separatorDigests(bank: EventBank) {
  const known = separators.get(bank);
  if (known !== undefined) return known;
  const made = { zero: hash(bank, SEPARATOR.zero), error: hash(bank, SEPARATOR.error) };
  separators.set(bank, made);
  return made;
}

function hash(bank: EventBank, data: Uint8Array): Buffer {
  return Buffer.from(digest(bank, [data]));
}

/**
 * One event under one bank, and what of its data the digest covers. The type of an event is never hashed: what is asked
 * here is answered by digest and data alone.
 */
export class JudgedEvent {
  readonly event: MeasuredEvent;
  readonly digest: Uint8Array;
  readonly #bank: EventBank;
  #whole: boolean | null = null;

  /** @param digest of the bank */
  constructor(event: MeasuredEvent, digest: Uint8Array, bank: EventBank) {
    this.event = event;
    this.digest = digest;
    this.#bank = bank;
  }

  /** Whether the digest is of all the data. */
  get isWhole(): boolean {
    this.#whole ??= this.covers(this.event.data);
    return this.#whole;
  }

  /** Whether the digest is of these bytes. */
  covers(bytes: Uint8Array): boolean {
    return hash(this.#bank, bytes).equals(this.digest);
  }

  /** Whether a separator was measured, whatever the log says that the event is: by its digest alone. */
  get separator(): 'zero' | 'error' | null {
    const { zero, error } = separatorDigests(this.#bank);
    if (zero.equals(this.digest)) return 'zero';
    return error.equals(this.digest) ? 'error' : null;
  }

  /** The variable whose contents were measured with its name; null where the digest is not of one. */
  get variable(): EfiVariable | null {
    const { data } = this.event;
    const variable = parseEfiVariable(data);
    if (variable === null) return null;
    if (variable.trailing === 0) return this.isWhole ? variable : null;
    return this.covers(data.subarray(0, data.byteLength - SHIM_SURPLUS)) ? variable : null;
  }

  /** Whether the digest is of the contents of a variable, without its name: how boot options are measured. */
  get isVariableContents(): boolean {
    const variable = parseEfiVariable(this.event.data);
    return variable !== null && this.covers(variable.contents);
  }

  /** An action of the firmware, as its text. An image is never text, so that no image passes for an action. */
  get action(): string | null {
    const text = Buffer.from(this.event.data).toString('latin1');
    return /^[ -~]{1,256}$/.test(text) && this.isWhole ? text : null;
  }

  /** A partition table (UEFI_GPT_DATA), by how it begins: no image does. */
  get isPartitionTable(): boolean {
    return Buffer.from(this.event.data.subarray(0, GPT_SIGNATURE.length)).equals(GPT_SIGNATURE) && this.isWhole;
  }

  /** The text of a boot loader that was measured; null where the digest is not of one. */
  get loaderText(): LoaderText | null {
    return loaderTexts(this.event.data).find(({ hashed }) => this.covers(hashed)) ?? null;
  }

  /** Whether the digest covers the data, or, of a form that is known, the part that counts. */
  get isCovered(): boolean {
    if (this.event.type === EVENT_TYPE.noAction) return false;
    return this.isWhole || this.variable !== null || this.isVariableContents || this.loaderText !== null;
  }
}

const GPT_SIGNATURE = Buffer.from('EFI PART', 'latin1');

/** Events that extend registers, by their index, each in its order. EV_NO_ACTION and what lacks the bank are left out. */
export function judgedEvents(
  events: readonly MeasuredEvent[],
  bank: EventBank,
): ReadonlyMap<number, readonly JudgedEvent[]> {
  const byIndex = new Map<number, JudgedEvent[]>();
  for (const event of events) {
    const measured = digestOfBank(event, bank);
    if (event.type === EVENT_TYPE.noAction || measured === null) continue;
    const judged = new JudgedEvent(event, measured, bank);
    const others = byIndex.get(event.index);
    if (others === undefined) byIndex.set(event.index, [judged]);
    else others.push(judged);
  }
  return byIndex;
}
