import { FormatError } from '../core/errors.js';
import type { EvidenceType } from '../core/evidence.js';
import { EVIDENCE_TRAITS, EVIDENCE_TYPES, traitsOf } from '../core/evidence-traits.js';
import { isObject, type JsonObject, type JsonValue } from '../core/json.js';
import { listedNames, meantOr, quotedName } from '../core/names-in-messages.js';
import { guestHint } from '../tee/azure/format/guest-evidence.js';
import { refuseUnknownProvider } from './dialects/configfs-tsm.js';
import type { EvidenceForm } from './schema-check.js';
import { MISSING_MEMBER, missingOr, misspeltMember } from './schema-message.js';

/** The form of a dialect's value, which is evidence of one type. */
type FormOf = (value: JsonValue | undefined, pointer: string) => EvidenceForm;

/** The forms of a dialect by evidence type. Null: this version does not read it. */
type Dialect = { readonly [T in EvidenceType]?: FormOf | null };

/** Every dialect of the contract, including unsupported ones, so that an error can name the right type. */
const DIALECTS: ReadonlyMap<string, Dialect> = new Map<string, Dialect>([
  [
    'trustee',
    {
      'az-snp-vtpm': trusteeSnpForm,
      'az-tdx-vtpm': trusteeTdxForm,
      tdx: () => 'TrusteeTdEvidence',
      tpm: () => 'TrusteeTpmEvidence',
    },
  ],
  ['go-tpm-tools', { tpm: () => 'GoTpmToolsEvidence' }],
  ['maa', { snp: maaForm('quote', 'MaaSnpRequestEvidence'), tdx: maaForm('report', 'MaaTdxRequestEvidence') }],
  ['azure-guest', { 'az-snp-vtpm': azureGuestForm, 'az-tdx-vtpm': azureGuestForm, tpm: azureGuestForm }],
  ['azure-cleanroom', { 'az-snp-vtpm': azureCleanroomForm }],
  ['extended-report', { snp: () => 'ExtendedReportEvidence' }],
  [
    'configfs-tsm',
    {
      snp: configfsTsmForm('sev_guest', 'ConfigfsTsmSnpEvidence'),
      tdx: configfsTsmForm('tdx_guest', 'ConfigfsTsmTdxEvidence'),
    },
  ],
  ['ita', { tdx: itaForm }],
]);

/**
 * @param pointer JSON pointer of the type in the request
 * @throws {FormatError} `type_unsupported` for every type that this version does not verify
 */
export function requireEvidenceType(type: string, pointer: string): EvidenceType {
  const verified = EVIDENCE_TYPES.find((known) => known === type);
  if (verified !== undefined) return verified;
  const instead = meantOr(type, EVIDENCE_TYPES, `it judges ${listedNames(EVIDENCE_TYPES)}`);
  const message = `this version does not judge evidence of type ${quotedName(type)}; ${instead}`;
  throw new FormatError('type_unsupported', message, { pointer });
}

/**
 * Reads `type` and `dialect`, before any schema: they decide which schema applies.
 * The request names the type. The service never guesses it from the bytes.
 *
 * @param pointer JSON pointer of the evidence in the request
 * @throws {FormatError} `type_unsupported` for every type that this version does not verify
 * @throws {FormatError} `type_mismatch` for a dialect of another type
 * @throws {FormatError} `tdx_not_a_quote` for evidence of an Azure VM on TDX without quote
 * @throws {FormatError} `schema` for a missing type, or an unsupported dialect
 */
export function evidenceForm(evidence: JsonValue | undefined, pointer: string): EvidenceForm {
  const object = requireObject(evidence, pointer);
  refuseBareGuest(object, pointer);
  const type = requireEvidenceType(textMember(object, 'type', pointer), `${pointer}/type`);
  if (object['dialect'] === undefined) {
    const { members } = traitsOf(type);
    if ('tdQuote' in members) requireTdQuote(object, 'tdQuote', pointer, Object.keys(members));
    return EVIDENCE_TRAITS[type].schema;
  }
  const form = dialectForm(type, textMember(object, 'dialect', pointer), `${pointer}/dialect`);
  return form(object['value'], `${pointer}/value`);
}

function dialectForm(type: EvidenceType, name: string, pointer: string): FormOf {
  const dialect = DIALECTS.get(name);
  if (dialect !== undefined && dialect[type] === undefined) {
    const message = `dialect ${name} is for ${Object.keys(dialect).join(' or ')} evidence, not for ${type}`;
    throw new FormatError('type_mismatch', message, { pointer });
  }
  const form = dialect?.[type] ?? null;
  if (form !== null) return form;
  const known = listedNames([...DIALECTS].filter(([, { [type]: read }]) => read != null).map(([other]) => other));
  const message = `unknown dialect ${quotedName(name)} for ${type}; known: ${known}`;
  throw new FormatError('schema', message, { pointer });
}

function configfsTsmForm(provider: string, form: EvidenceForm): FormOf {
  return (value, pointer) => {
    refuseUnknownProvider(provider, value, pointer);
    return form;
  };
}

/** Versions 1 and 2 carry `version`, version 0 does not. */
function trusteeSnpForm(value: JsonValue | undefined, pointer: string): EvidenceForm {
  const guest = requireObject(value, pointer);
  refuseForeign(guest, 'td_quote', pointer);
  return guest['version'] === undefined ? 'TrusteeEvidenceV0' : 'TrusteeEvidenceV1';
}

/** Guests on TDX send `td_quote`, and no `vcek`, in all versions. */
function trusteeTdxForm(value: JsonValue | undefined, pointer: string): EvidenceForm {
  const guest = requireObject(value, pointer);
  refuseForeign(guest, 'vcek', pointer);
  requireTdQuote(guest, 'td_quote', pointer, ['tpm_quote']);
  return guest['version'] === undefined ? 'TrusteeTdxEvidenceV0' : 'TrusteeTdxEvidenceV1';
}

/** The body of attest/SevSnpVm has a `report`, that of attest/TdxVm a `quote`. */
function maaForm(foreign: string, form: EvidenceForm): FormOf {
  return (value, pointer) => {
    refuseForeign(requireObject(value, pointer), foreign, pointer);
    return form;
  };
}

/** Clients write the JSON and send it in base64. */
function azureGuestForm(value: JsonValue | undefined): EvidenceForm {
  return typeof value === 'string' ? 'AzureGuestEncodedEvidence' : 'AzureGuestEvidence';
}

/** The agent sends the members directly, or below the name of its platform. */
function azureCleanroomForm(value: JsonValue | undefined, pointer: string): EvidenceForm {
  const isReport = requireObject(value, pointer)['report'] !== undefined;
  return isReport ? 'AzureCleanroomReportEvidence' : 'AzureCleanroomEvidence';
}

/** Version 2 has the members of a TEE under its name, version 1 has all of them at the top. */
function itaForm(value: JsonValue | undefined, pointer: string): EvidenceForm {
  return requireObject(value, pointer)['tdx'] === undefined ? 'ItaRequestEvidenceV1' : 'ItaRequestEvidenceV2';
}

/** Dialects whose values are recognised without their wrapper. */
const HINTED: ReadonlySet<JsonValue | undefined> = new Set(['trustee', 'azure-guest']);

/** Rejects the members of a guest's evidence at the top or beside `value`, where the form is missing. */
function refuseBareGuest(evidence: JsonObject, pointer: string): void {
  const needed = HINTED.has(evidence['dialect']) ? ['type', 'value'] : ['type', 'dialect'];
  const missing = needed.find((name) => evidence[name] === undefined);
  const hint = missing === undefined ? null : guestHint(evidence);
  if (hint === null) return;
  throw new FormatError('schema', `${MISSING_MEMBER}: ${hint}`, { pointer: `${pointer}/${missing}` });
}

function requireObject(value: JsonValue | undefined, pointer: string): JsonObject {
  if (isObject(value)) return value;
  throw new FormatError('schema', missingOr(value, 'an object'), { pointer });
}

/** Rejects a member that only guests on another TEE send. */
function refuseForeign(value: JsonObject, member: string, pointer: string): void {
  if (value[member] === undefined) return;
  throw new FormatError('type_mismatch', 'evidence of a guest on another TEE', { pointer: `${pointer}/${member}` });
}

/** Requires a quote. The TDREPORT in the paravisor's report has no signature. */
function requireTdQuote(evidence: JsonObject, name: string, pointer: string, known: readonly string[]): void {
  if (evidence[name] !== undefined) return;
  const message = `without a TD quote nothing links the TDREPORT to Intel${misspeltMember(name, evidence, known)}`;
  throw new FormatError('tdx_not_a_quote', message, { pointer: `${pointer}/${name}` });
}

function textMember(object: JsonObject, name: string, pointer: string): string {
  const text = object[name];
  if (typeof text === 'string') return text;
  const message = `${missingOr(text, 'a string')}${misspeltMember(name, object)}`;
  throw new FormatError('schema', message, { pointer: `${pointer}/${name}` });
}
