import { createHash } from 'node:crypto';
import { isObject, type JsonObject, type JsonValue } from '../model/json.js';
import { AK_IN_DETAIL } from '../model/vtpm-resets.js';
import { WithheldForms } from './withheld-forms.js';

/**
 * Members of claims that name one machine or one person's VM, or that whoever ran the VM wrote: CHIP_ID and PPID, REPORT_ID, ids
 * of VMs, the AK, user data. Under names of ours, of Azure Attestation and of Trust Authority.
 */
const WITHHELD_MEMBERS: ReadonlySet<string> = new Set([
  'chipId',
  'ppid',
  'reportId',
  'reportIdMa',
  'akThumbprint',
  'userData',
  'reportData',
  'vmUniqueId',
  'nonce',
  'user-data',
  'client-payload',
  'x-ms-azurevm-vmid',
  'x-ms-sevsnpvm-reportdata',
  'x-ms-sevsnpvm-chipid',
  'x-ms-sevsnpvm-reportid',
  'attester_held_data',
  'attester_runtime_data',
  'attester_user_data',
  'verifier_nonce',
  'sgx_report_data',
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

/** Keys of a vTPM in runtime claims, of which anybody can make the thumbprint. */
const VTPM_KEYS: ReadonlySet<unknown> = new Set(['HCLAkPub', 'HCLEkPub', 'TpmEphemeralEncryptionKey']);

/** A claim as checks and comparisons name it, such as `hcl.akThumbprint`. */
const CLAIM = /(?<=\.)[A-Za-z]+\b(?!\.)/g;

/** Checks of which the detail names the claim that they compare. */
const COMPARING_CHECK = 'disagreement';

const HEX = /^(?:[0-9a-f]{2})+$/i;

/** What is written instead of a value: the digest of the record's salt and the value, bytes where it is hex. */
function withheld(salt: Uint8Array, value: Uint8Array): string {
  return `sha256:${createHash('sha256').update(salt).update(value).digest('hex')}`;
}

/** Collects what must not stand in a record, and takes it out. */
export class Redaction {
  readonly #salt: Uint8Array;
  /** Of what was withheld: values come again. */
  readonly #digests = new Map<string, string>();
  readonly #forms = new WithheldForms();

  constructor(salt: Uint8Array) {
    this.#salt = salt;
  }

  /** Bytes that must not stand anywhere, whatever they are encoded as. */
  addBytes(bytes: Uint8Array): void {
    this.#withholdBytes(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  /** Claims with the digests of what identifies, in place of it. */
  claims(value: JsonValue): JsonValue {
    return mapped(value, (name, member) =>
      isWithheldMember(name, value) ? this.#withhold(member) : this.claims(member),
    );
  }

  /** What routes say of each other, with the digests of what identifies: claims need not have what a token says. */
  crossCheck(value: JsonValue): JsonValue {
    if (!isObject(value) || !Array.isArray(value['differences'])) return value;
    const differences = (value['differences'] as readonly JsonObject[]).map(
      ({ claim = null, values = null, ...more }) => ({
        ...more,
        claim,
        values: namesWithheld(claim) ? this.#withhold(values) : values,
      }),
    );
    return { ...value, differences };
  }

  /** A check with the digests of what it compared, where that identifies. */
  check(check: JsonObject): JsonObject {
    const { id = null, expected = null, actual = null, detail = null } = check;
    const [, ak] = AK_IN_DETAIL.exec(String(detail)) ?? [];
    if (ak !== undefined) this.#withhold(ak);
    if (!isWithheld(id, detail)) return check;
    return { ...check, expected: this.#withhold(expected), actual: this.#withhold(actual) };
  }

  /** What `claims` made, without anything that was added: what one member says, others say again. */
  claimsAgain(value: JsonValue): JsonValue {
    if (typeof value === 'string') return this.text(value);
    return this.#mapped(value, (name, member) =>
      isWithheldMember(name, value) ? this.#names(member) : this.claimsAgain(member),
    );
  }

  /** What `check` made, without anything that was added: what claims say, checks say again. */
  checkAgain(check: JsonObject): JsonObject {
    const { id = null, detail = null } = check;
    const isCompared = isWithheld(id, detail);
    return mapped(check, (name, member) => {
      if (name === 'expected' || name === 'actual') return isCompared ? this.#names(member) : this.claimsAgain(member);
      return name === 'about' || name === 'detail' ? this.claimsAgain(member) : member;
    }) as JsonObject;
  }

  /** One value without anything that was added. Never JSON, of which whoever chose what was added would take parts out. */
  text(value: string): string {
    return this.#forms.replaceIn(value);
  }

  /** What is withheld already: only names may still say something. */
  #names(value: JsonValue): JsonValue {
    return this.#mapped(value, (_, member) => this.#names(member));
  }

  /** Names without anything that was added. */
  #mapped(value: JsonValue, member: (name: string, value: JsonValue) => JsonValue): JsonValue {
    return mapped(value, member, (name) => this.text(name));
  }

  #withhold(value: JsonValue): JsonValue {
    if (typeof value !== 'string') return mapped(value, (_, member) => this.#withhold(member));
    if (value === '') return value;
    const known = this.#digests.get(value);
    if (known !== undefined) return known;
    const instead = HEX.test(value) ? this.#withholdBytes(Buffer.from(value, 'hex')) : this.#withholdText(value);
    this.#digests.set(value, instead);
    return instead;
  }

  #withholdText(text: string): string {
    const bytes = Buffer.from(text, 'utf8');
    const instead = withheld(this.#salt, bytes);
    for (const form of [text, text.toLowerCase(), text.toUpperCase(), ...base64Forms(bytes)])
      this.#forms.add(form, instead);
    return instead;
  }

  #withholdBytes(bytes: Buffer): string {
    const instead = withheld(this.#salt, bytes);
    if (isFiller(bytes)) return instead;
    const hex = bytes.toString('hex');
    for (const form of [hex, hex.toUpperCase(), ...base64Forms(bytes)]) this.#forms.add(form, instead);
    return instead;
  }
}

/** What each member and item becomes; the value itself where none of them changes, which costs nothing. */
function mapped(
  value: JsonValue,
  member: (name: string, value: JsonValue) => JsonValue,
  nameOf: (name: string) => string = (name) => name,
): JsonValue {
  if (Array.isArray(value)) {
    const items = value.map((each) => member('', each));
    return items.some((item, at) => item !== value[at]) ? items : value;
  }
  if (!isObject(value)) return value;
  let changed: [string, JsonValue][] | null = null;
  for (const name of Object.keys(value)) {
    const before = value[name] as JsonValue;
    const after = member(name, before);
    const newName = nameOf(name);
    if (changed === null && (after !== before || newName !== name)) changed = membersBefore(name, value);
    changed?.push([newName, after]);
  }
  return changed === null ? value : Object.fromEntries(changed);
}

function membersBefore(name: string, value: JsonObject): [string, JsonValue][] {
  const members = Object.entries(value);
  return members.slice(
    0,
    members.findIndex(([each]) => each === name),
  );
}

/**
 * What a field has that is not used: all ones, as REPORT_ID_MA without a migration agent, or zeros. It identifies nothing, and
 * PCRs and registers have the same. So it is withheld where it stands by that name, and nowhere else.
 */
function isFiller(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0xff) || bytes.every((byte) => byte === 0);
}

function isWithheldMember(name: string, of: JsonValue): boolean {
  return WITHHELD_MEMBERS.has(name) || (name === 'n' && isObject(of) && VTPM_KEYS.has(of['kid']));
}

function isWithheld(id: JsonValue, detail: JsonValue): boolean {
  return WITHHELD_CHECKS.has(String(id)) || (id === COMPARING_CHECK && namesWithheld(detail));
}

function namesWithheld(text: JsonValue): boolean {
  return (String(text).match(CLAIM) ?? []).some((name) => WITHHELD_MEMBERS.has(name));
}

/** Without padding, so that each is also found where there is some. */
function base64Forms(bytes: Buffer): readonly string[] {
  return [bytes.toString('base64url'), bytes.toString('base64').replace(/=+$/, '')];
}
