import { FormatError } from '../model/errors.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import { isJsonObject } from './json-object.js';
import type { EvidenceForm } from './schema-check.js';

const NATIVE_FORMS: ReadonlyMap<string, EvidenceForm> = new Map([
  ['snp', 'SnpEvidence'],
  ['az-snp-vtpm', 'AzSnpVtpmEvidence'],
]);

interface Dialect {
  readonly type: string;
  readonly form: (value: JsonValue | undefined, pointer: string) => EvidenceForm;
}

const DIALECTS: ReadonlyMap<string, Dialect> = new Map([
  ['trustee', { type: 'az-snp-vtpm', form: trusteeForm }],
  ['extended-report', { type: 'snp', form: () => 'ExtendedReportEvidence' }],
  ['configfs-tsm', { type: 'snp', form: () => 'ConfigfsTsmEvidence' }],
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
 * @throws {FormatError} `schema` where there is no type, or the dialect is not known
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
  if (dialect === undefined) {
    throw new FormatError('schema', 'dialect is not known', { pointer: `${pointer}/dialect` });
  }
  if (dialect.type !== type) {
    throw new FormatError('type_mismatch', `dialect of ${dialect.type} evidence`, { pointer: `${pointer}/dialect` });
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
