import { FormatError } from '../model/errors.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import { isJsonObject } from './json-object.js';
import type { EvidenceForm } from './schema-check.js';

const NATIVE_FORMS: ReadonlyMap<string, EvidenceForm> = new Map([
  ['snp', 'SnpEvidence'],
  ['az-snp-vtpm', 'AzSnpVtpmEvidence'],
  ['maa-token', 'MaaTokenEvidence'],
  ['ita-token', 'ItaTokenEvidence'],
]);

interface Dialect {
  /** Types of the evidence that it may stand for. */
  readonly types: readonly string[];
  /** Null: this version does not read it. */
  readonly form: ((value: JsonValue | undefined, pointer: string) => EvidenceForm) | null;
}

/** Every dialect of the contract: that one is of another type can be said of those not read here, too. */
const DIALECTS: ReadonlyMap<string, Dialect> = new Map([
  ['trustee', { types: ['az-snp-vtpm', 'az-tdx-vtpm'], form: trusteeForm }],
  ['maa', { types: ['snp', 'tdx'], form: null }],
  ['azure-guest', { types: ['az-snp-vtpm', 'az-tdx-vtpm', 'tpm'], form: null }],
  ['extended-report', { types: ['snp'], form: () => 'ExtendedReportEvidence' }],
  ['configfs-tsm', { types: ['snp', 'tdx'], form: () => 'ConfigfsTsmEvidence' }],
  ['ita', { types: ['tdx'], form: null }],
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
  if (evidence['dialect'] === undefined) return native;
  const dialect = DIALECTS.get(textMember(evidence, 'dialect', pointer));
  if (dialect?.types.includes(type) === false) {
    throw new FormatError('type_mismatch', `dialect of ${dialect.types.join(' or ')} evidence`, {
      pointer: `${pointer}/dialect`,
    });
  }
  if (dialect === undefined || dialect.form === null) {
    throw new FormatError('schema', 'dialect is not read here', { pointer: `${pointer}/dialect` });
  }
  return dialect.form(evidence['value'], `${pointer}/value`);
}

/** Versions 1 and 2 carry `version`, version 0 does not. Guests on TDX send `td_quote` in all of them. */
function trusteeForm(value: JsonValue | undefined, pointer: string): EvidenceForm {
  if (!isJsonObject(value)) throw new FormatError('schema', 'value is not an object', { pointer });
  if (value['td_quote'] !== undefined) {
    throw new FormatError('type_mismatch', 'evidence of a TDX guest', { pointer: `${pointer}/td_quote` });
  }
  return value['version'] === undefined ? 'TrusteeEvidenceV0' : 'TrusteeEvidenceV1';
}

function textMember(object: JsonObject, name: string, pointer: string): string {
  const text = object[name];
  if (typeof text !== 'string')
    throw new FormatError('schema', `${name} is not a string`, { pointer: `${pointer}/${name}` });
  return text;
}
