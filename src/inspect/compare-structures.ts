import { PCR_LAYOUT, type RegisterLayout, RTMR_LAYOUT } from '../boot/register-layout.js';
import { isObject, type JsonValue } from '../core/json.js';
import { TPM_ST_ATTEST_QUOTE } from '../tee/tpm/format/tpms-attest.js';
import type { Difference } from './compare-boots.js';
import { hexWord } from './describe-azure-evidence.js';
import type { FieldDescription, StructureDescription } from './field-description.js';

const CLAIMS = 'claims';

/** Structures about a machine and its software. Certificates and collateral are omitted: they only vouch for these. */
const COMPARED: ReadonlySet<string> = new Set([
  'HCL report',
  'runtime data',
  'ATTESTATION_REPORT',
  'TDREPORT',
  'TD quote',
  'TPMS_ATTEST',
  'PCR values',
  CLAIMS,
]);

/** Fields that differ between any two pieces of evidence, or repeat others. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'SIGNATURE',
  'signature',
  'attestation key',
  'QE report signature',
  'QE authentication data',
  'user data',
  'REPORT_DATA',
  'REPORT_ID',
  'REPORTDATA',
  'MAC',
  'TEE_TCB_INFO_HASH',
  'TEE_INFO_HASH',
  'extraData',
  'pcrDigest',
  'report size',
  'variable data size',
  'body type',
  'body size',
]);

/** Claims of tokens to omit for the same reason, at any level. */
const CLAIMS_LEFT_OUT: ReadonlySet<string> = new Set([
  'exp',
  'iat',
  'nbf',
  'jti',
  'nonce',
  'user-data',
  'x-ms-sevsnpvm-reportdata',
  'x-ms-sevsnpvm-reportid',
  'tdx_report_data',
  'attester_held_data',
  'verifier_nonce',
  'quotehash',
]);

/** Names of the structures to compare if both have them, without duplicates. */
export function comparableStructures(structures: readonly StructureDescription[]): readonly string[] {
  return [...new Set(structures.filter(isOfBoot).map(({ name }) => name))].filter((name) => COMPARED.has(name));
}

/**
 * Compares quotes, reports and claims of tokens field by field.
 *
 * @param names names of the compared structures
 * @param layout layout of the quoted registers: the difference of a register has its index
 */
export function compareStructures(
  names: readonly string[],
  before: readonly StructureDescription[],
  after: readonly StructureDescription[],
  layout: RegisterLayout,
): readonly Difference[] {
  return names.flatMap((name) => {
    const [old, young] = [fieldsOf(before, name), fieldsOf(after, name)];
    return [...new Set([...old.keys(), ...young.keys()])].flatMap((field) =>
      fieldDifference({ structure: name, field, layout }, old.get(field) ?? null, young.get(field) ?? null),
    );
  });
}

/** Whether a structure is about a boot: a TPM uses the same structure for the creation of a key. */
function isOfBoot({ name, fields }: StructureDescription): boolean {
  return (
    name !== 'TPMS_ATTEST' ||
    fields.some((field) => field.name === 'type' && field.value === hexWord(TPM_ST_ATTEST_QUOTE))
  );
}

/** Fields by name; each counter of a TPM separately. */
function fieldsOf(structures: readonly StructureDescription[], name: string): ReadonlyMap<string, JsonValue> {
  const ofName = structures.filter((structure) => structure.name === name && isOfBoot(structure));
  const fields = ofName.flatMap((structure) => structure.fields);
  if (name === CLAIMS) return new Map(fields.flatMap((field) => leafClaims([field.name], field.value)));
  const kept = fields.filter((field) => !LEFT_OUT.has(field.name));
  return new Map(kept.flatMap(valuesOf));
}

/** Lists nested claims separately, under their full names. */
function leafClaims(path: readonly string[], value: JsonValue): readonly (readonly [string, JsonValue])[] {
  if (CLAIMS_LEFT_OUT.has(path.at(-1) ?? '')) return [];
  if (!isObject(value)) return [[path.join('.'), value]];
  return Object.entries(value).flatMap(([name, inner]) => leafClaims([...path, name], inner));
}

function valuesOf({ name, value }: FieldDescription): readonly (readonly [string, JsonValue])[] {
  if (name !== 'clockInfo') return [[name, value]];
  const { resetCount, restartCount, safe } = value as { readonly [member: string]: JsonValue };
  return [
    ['resetCount', resetCount ?? null],
    ['restartCount', restartCount ?? null],
    ['safe', safe ?? null],
  ];
}

interface Field {
  readonly structure: string;
  readonly field: string;
  readonly layout: RegisterLayout;
}

function fieldDifference(place: Field, before: JsonValue, after: JsonValue): readonly Difference[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const { structure, field } = place;
  const pcr = registerOf(place);
  if (pcr !== null) {
    // A register that one side did not quote may be unchanged: pcrSelect shows the quoted ones.
    if (before === null || after === null) return [];
    const [bank] = structure === 'PCR values' ? [` (${field.split(':')[0]})`] : [''];
    const detail = `${place.layout.name(pcr)} was quoted with another value${bank}`;
    return [{ about: 'pcr', pcr, before, after, detail }];
  }
  const isCount = structure === 'TPMS_ATTEST';
  return [
    {
      about: isCount ? field : `${structure} ${field}`,
      before,
      after,
      detail: isCount ? `${field} of the TPM quote differs` : `${field} of the ${structure} differs`,
    },
  ];
}

/** The register whose value a field has, as a log numbers it; null for any other field. */
function registerOf({ structure, field, layout }: Field): number | null {
  if (structure === 'PCR values' && layout === PCR_LAYOUT) return Number(field.split(':')[1]);
  const isRtmr = structure === 'TD quote' && layout === RTMR_LAYOUT && /^RTMR[0-3]$/.test(field);
  return isRtmr ? Number(field.slice(-1)) + 1 : null;
}
