import { FormatError } from '../model/errors.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import { isJsonObject } from './json-object.js';
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
  ['configfs-tsm', { types: ['snp', 'tdx'], form: byTee('ConfigfsTsmSnpEvidence', 'ConfigfsTsmTdxEvidence') }],
  ['ita', { types: ['tdx'], form: itaForm }],
] satisfies [string, Dialect][]);

/** Whether this version judges evidence of a type. */
export function isEvidenceTypeSupported(type: string): boolean {
  return NATIVE_FORMS.has(type);
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
  if (!isJsonObject(evidence)) throw new FormatError('schema', 'evidence is not an object', { pointer });
  const type = textMember(evidence, 'type', pointer);
  const native = NATIVE_FORMS.get(type);
  if (native === undefined) {
    throw new FormatError('type_unsupported', 'evidence of this type is not judged here', {
      pointer: `${pointer}/type`,
    });
  }
  if (evidence['dialect'] === undefined) {
    if (type === 'az-tdx-vtpm') requireTdQuote(evidence, 'tdQuote', pointer);
    return native;
  }
  const dialect = DIALECTS.get(textMember(evidence, 'dialect', pointer));
  if (dialect?.types.includes(type) === false) {
    throw new FormatError('type_mismatch', `dialect of ${dialect.types.join(' or ')} evidence`, {
      pointer: `${pointer}/dialect`,
    });
  }
  if (dialect === undefined || dialect.form === null) {
    throw new FormatError('schema', 'dialect is not read here', { pointer: `${pointer}/dialect` });
  }
  return dialect.form(type, evidence['value'], `${pointer}/value`);
}

function byTee(snp: EvidenceForm, tdx: EvidenceForm): FormOf {
  return (type) => (type === 'snp' ? snp : tdx);
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

function requireObject(value: JsonValue | undefined, pointer: string): JsonObject {
  if (!isJsonObject(value)) throw new FormatError('schema', 'value is not an object', { pointer });
  return value;
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
  if (typeof text !== 'string')
    throw new FormatError('schema', `${name} is not a string`, { pointer: `${pointer}/${name}` });
  return text;
}
