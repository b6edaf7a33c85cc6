import { isSameBytes, latin1 } from '../core/bytes.js';
import { digest } from '../crypto/digest.js';
import { type EfiVariable, parseEfiVariable } from './format/efi-variable.js';
import { digestOfBank, EVENT_TYPE, type EventBank, type MeasuredEvent } from './format/measured-event.js';
import { type KnownEvent, knownEvent } from './known-digests.js';
import { hashedForms, type LoaderText, loaderText } from './loader-text.js';

/** Older versions of shim hash their variable without the last byte that they log. */
const SHIM_SURPLUS = 1;

/**
 * One event under one bank, and the part of its data that the digest covers. The type of an event is never hashed: all
 * members use only digest and data. Members that need hashing are computed once, on first use.
 */
export class CheckedEvent {
  readonly event: MeasuredEvent;
  readonly digest: Uint8Array;
  /**
   * The section of a unified kernel image whose contents this event has; null for any other. systemd-stub measures the name
   * of each section with its NUL, then the contents (systemd-stub(7)). Only used in registers that have only sections.
   */
  readonly section: string | null;
  readonly #bank: EventBank;
  #known: KnownEvent | null | undefined;
  #whole: boolean | undefined;
  #variable: EfiVariable | null | undefined;
  #loaderText: LoaderText | null | undefined;

  /**
   * @param digest the digest of the bank
   * @param before the previous event in its register; null for the first
   */
  constructor(event: MeasuredEvent, digest: Uint8Array, bank: EventBank, before: CheckedEvent | null) {
    this.event = event;
    this.digest = digest;
    this.section = before?.announces ?? null;
    this.#bank = bank;
  }

  /** Whether the digest covers all the data. */
  get isWhole(): boolean {
    this.#whole ??= this.covers(this.event.data);
    return this.#whole;
  }

  /** Whether the digest covers these bytes. */
  covers(bytes: Uint8Array): boolean {
    return isSameBytes(digest(this.#bank, [bytes]), this.digest);
  }

  /** The facts that the digest alone proves. */
  get known(): KnownEvent | null {
    if (this.#known === undefined) this.#known = knownEvent(this.#bank, this.digest);
    return this.#known;
  }

  /** Whether a separator was measured: zeros, or FF after an error of the firmware. */
  get separator(): 'zero' | 'error' | null {
    return this.known?.kind === 'separator' ? this.known.of : null;
  }

  /** Whether systemd measured the end of the boot, or of a part of it: a constant word, independent of the machine. */
  get isOfSystem(): boolean {
    return this.known?.kind === 'systemSeparator';
  }

  /** The section whose contents follow in the next event, by the digest of its name: the log need not name it. */
  get announces(): string | null {
    return this.section === null && this.known?.kind === 'section' ? this.known.name : null;
  }

  /** The variable whose contents were measured with its name; null if the digest covers none. */
  get variable(): EfiVariable | null {
    if (this.#variable === undefined) this.#variable = this.#readVariable();
    return this.#variable;
  }

  #readVariable(): EfiVariable | null {
    const { data } = this.event;
    const variable = parseEfiVariable(data);
    if (variable === null) return null;
    if (variable.trailing === 0) return this.isWhole ? variable : null;
    return this.covers(data.subarray(0, data.byteLength - SHIM_SURPLUS)) ? variable : null;
  }

  /** Whether the digest covers the contents of a variable, without its name. Firmware measures boot options so. */
  get isVariableContents(): boolean {
    const variable = parseEfiVariable(this.event.data);
    return variable !== null && this.covers(variable.contents);
  }

  /** Whether an action of the firmware was measured: text. An image is never text, so none can pass as an action. */
  get isAction(): boolean {
    const { data } = this.event;
    return data.byteLength <= MAXIMUM_ACTION && /^[ -~]+\0?$/.test(latin1(data)) && this.isWhole;
  }

  /** Whether it is a partition table (UEFI_GPT_DATA), by its first bytes, which no image has. */
  get isPartitionTable(): boolean {
    return latin1(this.event.data.subarray(0, GPT_SIGNATURE.length)) === GPT_SIGNATURE && this.isWhole;
  }

  /** The measured text of a boot loader; null if the digest covers none. */
  get loaderText(): LoaderText | null {
    if (this.#loaderText === undefined) this.#loaderText = this.#readLoaderText();
    return this.#loaderText;
  }

  #readLoaderText(): LoaderText | null {
    const text = loaderText(this.event.data);
    if (text === null) return null;
    for (const form of hashedForms(text)) if (this.covers(form)) return text;
    return null;
  }

  /** Whether the digest covers the data, or the relevant part of a known form. */
  get isCovered(): boolean {
    return this.isWhole || this.variable !== null || this.isVariableContents || this.loaderText !== null;
  }
}

/** The longest action of the specification has some 60 characters. */
const MAXIMUM_ACTION = 256;
const GPT_SIGNATURE = 'EFI PART';

/** Returns the events that extend each register, in log order. Skips EV_NO_ACTION and events without the bank. */
export function checkedEvents(
  events: readonly MeasuredEvent[],
  bank: EventBank,
): ReadonlyMap<number, readonly CheckedEvent[]> {
  const byIndex = new Map<number, CheckedEvent[]>();
  for (const event of events) {
    const measured = digestOfBank(event, bank);
    if (event.type === EVENT_TYPE.noAction || measured === null) continue;
    const others = byIndex.get(event.index);
    const judged = new CheckedEvent(event, measured, bank, others?.at(-1) ?? null);
    if (others === undefined) byIndex.set(event.index, [judged]);
    else others.push(judged);
  }
  return byIndex;
}
