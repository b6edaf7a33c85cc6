import { createHash } from 'node:crypto';
import { isObject, type JsonObject, type JsonValue } from '../model/json.js';

/**
 * Members of claims that name one machine or one person's VM, or that whoever ran the VM wrote: CHIP_ID and PPID, ids of VMs,
 * user data. Under names of ours, of Azure Attestation and of Trust Authority.
 */
const WITHHELD_MEMBERS: ReadonlySet<string> = new Set([
  'chipId',
  'ppid',
  'userData',
  'reportData',
  'vmUniqueId',
  'nonce',
  'user-data',
  'client-payload',
  'x-ms-azurevm-vmid',
  'x-ms-sevsnpvm-reportdata',
  'x-ms-sevsnpvm-chipid',
  'attester_held_data',
  'attester_runtime_data',
  'attester_user_data',
  'verifier_nonce',
  'sevsnp_report_data',
  'sevsnp_chip_id',
  'tdx_report_data',
  'tdx_reportdata',
  'tdx_ppid',
]);

/**
 * Checks that compare such values. What they compare may stand nowhere in the claims: evidence that fails has none, and what was
 * expected may be another machine's.
 */
const WITHHELD_CHECKS: ReadonlySet<string> = new Set([
  'snp_chip_id',
  'nonce_mismatch',
  'hcl_binding',
  'hcl_reference',
  'tdx_report_mismatch',
]);

const HEX = /^(?:[0-9a-f]{2})+$/i;

/** Shorter text stands in many places by chance: it is withheld where it is a member of that name, and nowhere else. */
const LEAST_LENGTH = 8;

/** What is written instead of a value: the digest of the record's salt and the value, bytes where it is hex. */
function withheld(salt: Uint8Array, value: Uint8Array): string {
  return `sha256:${createHash('sha256').update(salt).update(value).digest('hex')}`;
}

/** Collects what must not stand in a record, and takes it out. */
export class Redaction {
  readonly #salt: Uint8Array;
  /** Each way in which a value may be written, and what is written instead. */
  readonly #written = new Map<string, string>();
  /** How long those are that begin with the same characters, the longest first. */
  readonly #lengths = new Map<string, number[]>();

  constructor(salt: Uint8Array) {
    this.#salt = salt;
  }

  /** Bytes that must not stand anywhere, whatever they are encoded as. */
  addBytes(bytes: Uint8Array): void {
    const instead = withheld(this.#salt, bytes);
    const value = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const hex = value.toString('hex');
    for (const form of [hex, hex.toUpperCase(), ...base64Forms(value)]) this.#add(form, instead);
  }

  /** Claims with the digests of what identifies, in place of it. */
  claims(value: JsonValue): JsonValue {
    if (Array.isArray(value)) return value.map((each) => this.claims(each));
    if (!isObject(value)) return value;
    const members = Object.entries(value).map(([name, member]): [string, JsonValue] => [
      name,
      WITHHELD_MEMBERS.has(name) ? this.#withhold(member) : this.claims(member),
    ]);
    return Object.fromEntries(members);
  }

  /** A check with the digests of what it compared, where that identifies. */
  check(check: JsonObject): JsonObject {
    if (!WITHHELD_CHECKS.has(String(check['id']))) return check;
    const { expected = null, actual = null } = check;
    return { ...check, expected: this.#withhold(expected), actual: this.#withhold(actual) };
  }

  /** What `claims` made, without anything that was added: what one member says, others say again. */
  claimsAgain(value: JsonValue): JsonValue {
    if (typeof value === 'string') return this.text(value);
    return this.#mapped(value, (name, member) =>
      WITHHELD_MEMBERS.has(name) ? this.#names(member) : this.claimsAgain(member),
    );
  }

  /** What `check` made, without anything that was added: what claims say, checks say again. */
  checkAgain(check: JsonObject): JsonObject {
    const { about = null, expected = null, actual = null, detail = null } = check;
    const isWithheld = WITHHELD_CHECKS.has(String(check['id']));
    return {
      ...check,
      about: this.claimsAgain(about),
      expected: isWithheld ? this.#names(expected) : this.claimsAgain(expected),
      actual: isWithheld ? this.#names(actual) : this.claimsAgain(actual),
      detail: this.claimsAgain(detail),
    };
  }

  /** One value without anything that was added. Never JSON, of which whoever chose what was added would take parts out. */
  text(value: string): string {
    let [text, from] = ['', 0];
    for (let at = 0; at + LEAST_LENGTH <= value.length; ) {
      const form = this.#formAt(value, at);
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

  /** The longest. A caller may have added thousands: all of them are not compared at each place. */
  #formAt(value: string, at: number): string | undefined {
    for (const length of this.#lengths.get(value.slice(at, at + LEAST_LENGTH)) ?? []) {
      const form = value.slice(at, at + length);
      if (this.#written.has(form)) return form;
    }
    return undefined;
  }

  /** What is withheld already: only names may still say something. */
  #names(value: JsonValue): JsonValue {
    return this.#mapped(value, (_, member) => this.#names(member));
  }

  #mapped(value: JsonValue, member: (name: string, value: JsonValue) => JsonValue): JsonValue {
    if (Array.isArray(value)) return value.map((each) => member('', each));
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [this.text(name), member(name, each)]));
  }

  #withhold(value: JsonValue): JsonValue {
    if (Array.isArray(value)) return value.map((each) => this.#withhold(each));
    if (isObject(value)) return this.#withholdMembers(value);
    if (typeof value !== 'string' || value === '') return value;
    const bytes = bytesOf(value);
    const instead = withheld(this.#salt, bytes);
    if (HEX.test(value)) this.addBytes(bytes);
    else
      for (const form of [value, value.toLowerCase(), value.toUpperCase(), ...base64Forms(bytes)])
        this.#add(form, instead);
    return instead;
  }

  #withholdMembers(value: JsonObject): JsonObject {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, this.#withhold(member)]));
  }

  #add(form: string, instead: string): void {
    if (form.length < LEAST_LENGTH || this.#written.has(form)) return;
    this.#written.set(form, instead);
    const beginning = form.slice(0, LEAST_LENGTH);
    const lengths = this.#lengths.get(beginning) ?? [];
    if (lengths.includes(form.length)) return;
    this.#lengths.set(
      beginning,
      [...lengths, form.length].toSorted((one, other) => other - one),
    );
  }
}

function bytesOf(value: string): Buffer {
  return HEX.test(value) ? Buffer.from(value, 'hex') : Buffer.from(value, 'utf8');
}

/** Without padding, so that each is also found where there is some. */
function base64Forms(bytes: Buffer): readonly string[] {
  return [bytes.toString('base64url'), bytes.toString('base64').replace(/=+$/, '')];
}
