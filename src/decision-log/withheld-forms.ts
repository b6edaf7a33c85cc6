/** Shorter text stands in many places by chance: it is withheld where it is a member of that name, and nowhere else. */
const LEAST_LENGTH = 8;

/** Of the first characters of what must not stand in a record. */
const HASHES = 2 ** 13;

/** Of whole values that must not stand in a record: the high bits of 32. */
const FORM_HASH_BITS = 16;

/** Odd, and of no short period modulo 2^32. */
const HASH_BASE = 0x01000193;

/** 2^32 by the golden ratio, odd. */
const SPREAD = 0x9e3779b1;

/** Values of one length, and what their hash is told from those of two beginnings with. */
interface FormLength {
  readonly length: number;
  /** `HASH_BASE` to the power of the length. */
  readonly power: number;
}

/** Ways in which values that must not stand in a record may be written, and how they are found in texts, however many there are. */
export class WithheldForms {
  /** What is written instead of each. */
  readonly #written = new Map<string, string>();
  /** How long those are that begin with the same characters, the longest first. */
  readonly #lengths = new Map<string, FormLength[]>();
  /** Whether anything that may be written begins with characters of this hash: at most places nothing does. */
  readonly #beginnings = new Uint8Array(HASHES);
  /** Whether anything that may be written has this hash: of what begins alike, hardly any is compared. */
  readonly #hashes = new Uint8Array(2 ** FORM_HASH_BITS);

  /** @param form shorter ones than eight characters are left out */
  add(form: string, instead: string): void {
    if (form.length < LEAST_LENGTH || this.#written.has(form)) return;
    this.#written.set(form, instead);
    this.#beginnings[beginningHash(form, 0)] = 1;
    this.#hashes[shortened(hashesOfBeginnings(form)[form.length] as number)] = 1;
    const beginning = form.slice(0, LEAST_LENGTH);
    const lengths = this.#lengths.get(beginning) ?? [];
    if (lengths.some(({ length }) => length === form.length)) return;
    const added = { length: form.length, power: powerOf(form.length) };
    this.#lengths.set(
      beginning,
      [...lengths, added].toSorted((one, other) => other.length - one.length),
    );
  }

  /** A text with what is written instead, wherever one of them stands in it. */
  replaceIn(value: string): string {
    let [text, from] = ['', 0];
    let hashes: Int32Array | null = null;
    for (let at = 0; at + LEAST_LENGTH <= value.length; ) {
      const mayBegin = this.#beginnings[beginningHash(value, at)] !== 0;
      if (mayBegin) hashes ??= hashesOfBeginnings(value);
      const form = mayBegin && hashes !== null ? this.#formAt(value, at, hashes) : undefined;
      if (form === undefined) {
        at += 1;
        continue;
      }
      text += value.slice(from, at) + this.#written.get(form);
      at += form.length;
      from = at;
    }
    return text + value.slice(from);
  }

  /**
   * The longest. A caller may have added thousands, and may have made them begin alike: they are not all compared at each place.
   *
   * @param hashes of the beginnings of the value
   */
  #formAt(value: string, at: number, hashes: Int32Array): string | undefined {
    for (const { length, power } of this.#lengths.get(value.slice(at, at + LEAST_LENGTH)) ?? []) {
      if (at + length > value.length) continue;
      const hash = (hashes[at + length] as number) - Math.imul(hashes[at] as number, power);
      if (this.#hashes[shortened(hash)] === 0) continue;
      const form = value.slice(at, at + length);
      if (this.#written.has(form)) return form;
    }
    return undefined;
  }
}

/** @param at with `LEAST_LENGTH` characters from there on */
function beginningHash(text: string, at: number): number {
  const last = text.charCodeAt(at + LEAST_LENGTH - 1);
  return (text.charCodeAt(at) * 31 + text.charCodeAt(at + 1) * 1021 + last * 16381) % HASHES;
}

/** Of the first characters of a text, by how many they are: the hash of any part follows from two of them. */
function hashesOfBeginnings(text: string): Int32Array {
  const hashes = new Int32Array(text.length + 1);
  let hash = 0;
  for (let at = 0; at < text.length; at += 1) {
    hash = (Math.imul(hash, HASH_BASE) + text.charCodeAt(at) + 1) | 0;
    hashes[at + 1] = hash;
  }
  return hashes;
}

function powerOf(length: number): number {
  let power = 1;
  for (let left = length; left > 0; left -= 1) power = Math.imul(power, HASH_BASE);
  return power;
}

/** The last characters decide of low bits alone, until they are spread. */
function shortened(hash: number): number {
  return Math.imul(hash, SPREAD) >>> (32 - FORM_HASH_BITS);
}
