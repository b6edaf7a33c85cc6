import { FormatError } from '../model/errors.js';
import { isObject, type JsonObject, type JsonValue } from '../model/json.js';
import { listedNames, quotedName } from '../model/names-in-messages.js';
import { refuseUnknownProvider } from './dialects/configfs-tsm.js';
import { trusteeHint } from './dialects/trustee-shape.js';
import { MISSING_MEMBER, missingOr } from './json-object.js';
import type { EvidenceForm } from './schema-check.js';

const NATIVE_FORMS: ReadonlyMap<string, EvidenceForm> = new Map([
  ['snp', 'SnpEvidence'],
  ['tdx', 'TdxEvidence'],
  ['az-snp-vtpm', 'AzSnpVtpmEvidence'],
  ['az-tdx-vtpm', 'AzTdxVtpmEvidence'],
  ['maa-token', 'MaaTokenEvidence'],
  ['ita-token', 'ItaTokenEvidence'],
]);

/** What a dialect's form depends on: the type that the request names, and the value. */
type FormOf = (type: string, value: JsonValue | undefined, pointer: string) => EvidenceForm;

interface Dialect {
  /** Types of the evidence that it may stand for. */
  readonly types: readonly string[];
  /** Null: this version does not read it. */
  readonly form: FormOf | null;
}

/** Every dialect of the contract: that one is of another type can be said of those not read here, too. */
const DIALECTS: ReadonlyMap<string, Dialect> = new Map([
  ['trustee', { types: ['az-snp-vtpm', 'az-tdx-vtpm'], form: trusteeForm }],
  ['maa', { types: ['snp', 'tdx'], form: maaForm }],
  ['azure-guest', { types: ['az-snp-vtpm', 'az-tdx-vtpm', 'tpm'], form: null }],
  ['extended-report', { types: ['snp'], form: () => 'ExtendedReportEvidence' }],
  ['configfs-tsm', { types: ['snp', 'tdx'], form: configfsTsmForm }],
  ['ita', { types: ['tdx'], form: itaForm }],
] satisfies [string, Dialect][]);

/**
 * @param pointer where the type is in the request
 * @throws {FormatError} `type_unsupported` for every type that this version does not judge
 */
export function requireEvidenceType(type: string, pointer: string): EvidenceForm {
  const form = NATIVE_FORMS.get(type);
  if (form !== undefined) return form;
  const types = listedNames([...NATIVE_FORMS.keys()]);
  throw new FormatError(
    'type_unsupported',
    `this version does not judge evidence of type ${quotedName(type)}; it judges ${types}`,
    {
      pointer,
    },
  );
}

/**
 * Looks at `type` and `dialect`, before any schema: which schema applies depends on them.
 * The type is what the request says. It is never guessed from the bytes.
 *
 * @param pointer where the evidence is in the request
 * @throws {FormatError} `type_unsupported` for every type that this version does not judge
 * @throws {FormatError} `type_mismatch` for a dialect of another type
 * @throws {FormatError} `tdx_not_a_quote` for evidence of an Azure VM on TDX without quote
 * @throws {FormatError} `schema` where there is no type, or a dialect that this version does not read
 */
export function evidenceForm(evidence: JsonValue | undefined, pointer: string): EvidenceForm {
  const object = requireObject(evidence, pointer);
  refuseBareTrustee(object, pointer);
  const type = textMember(object, 'type', pointer);
  const native = requireEvidenceType(type, `${pointer}/type`);
  if (object['dialect'] === undefined) {
    if (type === 'az-tdx-vtpm') requireTdQuote(object, 'tdQuote', pointer);
    return native;
  }
  const form = dialectForm(type, textMember(object, 'dialect', pointer), `${pointer}/dialect`);
  return form(type, object['value'], `${pointer}/value`);
}

function dialectForm(type: string, name: string, pointer: string): FormOf {
  const dialect = DIALECTS.get(name);
  if (dialect?.types.includes(type) === false) {
    const message = `dialect ${name} is for ${dialect.types.join(' or ')} evidence, not for ${type}`;
    throw new FormatError('type_mismatch', message, { pointer });
  }
  if (dialect === undefined || dialect.form === null) {
    const read = [...DIALECTS].filter(([, { types, form }]) => types.includes(type) && form !== null);
    const known = listedNames(read.map(([known]) => known));
    const message = `unknown dialect ${quotedName(name)} for ${type}; known: ${known}`;
    throw new FormatError('schema', message, { pointer });
  }
  return dialect.form;
}

function configfsTsmForm(type: string, value: JsonValue | undefined, pointer: string): EvidenceForm {
  refuseUnknownProvider(type, value, pointer);
  return type === 'snp' ? 'ConfigfsTsmSnpEvidence' : 'ConfigfsTsmTdxEvidence';
}

/** Versions 1 and 2 carry `version`, version 0 does not. Guests on TDX send `td_quote`, and no `vcek`, in all of them. */
function trusteeForm(type: string, value: JsonValue | undefined, pointer: string): EvidenceForm {
  const guest = requireObject(value, pointer);
  refuseForeign(guest, type === 'az-snp-vtpm' ? 'td_quote' : 'vcek', pointer);
  const isFirst = guest['version'] === undefined;
  if (type === 'az-snp-vtpm') return isFirst ? 'TrusteeEvidenceV0' : 'TrusteeEvidenceV1';
  requireTdQuote(guest, 'td_quote', pointer);
  return isFirst ? 'TrusteeTdxEvidenceV0' : 'TrusteeTdxEvidenceV1';
}

/** The body of attest/SevSnpVm has a `report`, that of attest/TdxVm a `quote`. */
function maaForm(type: string, value: JsonValue | undefined, pointer: string): EvidenceForm {
  refuseForeign(requireObject(value, pointer), type === 'snp' ? 'quote' : 'report', pointer);
  return type === 'snp' ? 'MaaSnpRequestEvidence' : 'MaaTdxRequestEvidence';
}

/** Version 2 keeps what is of a TEE under its name, version 1 has it all at the top. */
function itaForm(_type: string, value: JsonValue | undefined, pointer: string): EvidenceForm {
  return requireObject(value, pointer)['tdx'] === undefined ? 'ItaRequestEvidenceV1' : 'ItaRequestEvidenceV2';
}

/** What a guest of Trustee makes, without the members that say so, or beside them instead of in `value`. */
function refuseBareTrustee(evidence: JsonObject, pointer: string): void {
  const needed = evidence['dialect'] === 'trustee' ? ['type', 'value'] : ['type', 'dialect'];
  const missing = needed.find((name) => evidence[name] === undefined);
  const hint = missing === undefined ? null : trusteeHint(evidence);
  if (hint === null) return;
  throw new FormatError('schema', `${MISSING_MEMBER}: ${hint}`, { pointer: `${pointer}/${missing}` });
}

function requireObject(value: JsonValue | undefined, pointer: string): JsonObject {
  if (isObject(value)) return value;
  throw new FormatError('schema', missingOr(value, 'an object'), { pointer });
}

/** A member that only guests on another TEE send. */
function refuseForeign(value: JsonObject, member: string, pointer: string): void {
  if (value[member] === undefined) return;
  throw new FormatError('type_mismatch', 'evidence of a guest on another TEE', { pointer: `${pointer}/${member}` });
}

/** A TDREPORT, which the paravisor's report holds, is signed by nothing. */
function requireTdQuote(evidence: JsonObject, name: string, pointer: string): void {
  if (evidence[name] !== undefined) return;
  const message = 'without a td quote nothing links the tdreport to intel';
  throw new FormatError('tdx_not_a_quote', message, { pointer: `${pointer}/${name}` });
}

function textMember(object: JsonObject, name: string, pointer: string): string {
  const text = object[name];
  if (typeof text === 'string') return text;
  throw new FormatError('schema', missingOr(text, 'a string'), { pointer: `${pointer}/${name}` });
}
