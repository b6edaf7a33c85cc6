import type { FilledRemedy, Finding } from '../checks/row.js';
import { isObject, type JsonObject, type JsonValue } from '../json.js';
import { registerNames } from '../register-names.js';

/** A sentence does not repeat longer values, because `actual` has them. */
const LONGEST_VALUE = 128;

/** Most faults in a sentence: the detail has all of them. */
const LISTED = 6;

export const COLLATERAL = 'or leave the collateral out so that the service fetches it';

/** The remedy for a claim that is no reference value, or that the evidence does not have. */
export function reference(finding: Finding): string {
  const { actual, setting = 'the reference values', faults } = finding;
  const policy = changedPolicy(finding);
  if (actual === null || isEmptyList(actual)) {
    return `The caller should send evidence that states this claim, or the operator should take ${setting} out of ${policy}.`;
  }
  const isList = isJsonList(actual);
  const shown = isList ? faultsOf({ faults: faults ?? actual.map(comparedText) }, '') : value(actual, '');
  const added = shown === '' ? 'the value of this claim, which actual shows,' : shown;
  return `The operator should add ${added} to ${setting} of ${policy} if ${isList ? 'all of it' : 'it'} is meant to be accepted.`;
}

/** The policy by its id, inside a sentence. */
export function policyOf({ policy }: Pick<Finding, 'policy'>): string {
  return policy === null ? 'the policy' : `policy ${policy}`;
}

/** Ids of the built-in policies. No file can use one of them. */
export const BUILT_IN_POLICY_IDS: readonly string[] = ['azure-cvm-baseline', 'azure-maa-baseline'];

/** The policy to change, inside a sentence: for a built-in one a copy, which has another id. */
export function changedPolicy({ policy }: Pick<Finding, 'policy'>): string {
  return policy !== null && BUILT_IN_POLICY_IDS.includes(policy) ? `a copy of policy ${policy}` : policyOf({ policy });
}

/** The exact fault, as part of a sentence; other words if it is unknown. */
export function faultsOf({ faults = [] }: Pick<Finding, 'faults'>, otherwise: string): string {
  if (faults.length === 0) return otherwise;
  const rest = faults.length - LISTED;
  return faults.slice(0, LISTED).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

/** The exact fault in brackets, after a blank; empty if it is unknown. */
export function inBrackets(finding: Pick<Finding, 'faults'>): string {
  const faults = faultsOf(finding, '');
  return faults === '' ? '' : ` (${faults})`;
}

/** The remedy, unless the check was impossible because no token could be fetched. */
export function unlessOutOfReach(remedy: FilledRemedy): FilledRemedy {
  return (finding) =>
    finding.result === 'unavailable'
      ? 'The caller should try again later, or send a token in attestationResults, because none could be fetched.'
      : remedy(finding);
}

/** Whether the missing reference value is a claim of the boot, which is compared with texts; otherwise it is about registers. */
export function isOfBootClaim({ policy, expected }: Finding): boolean {
  return policy !== null && Array.isArray(expected) && expected.some((entry) => typeof entry === 'string');
}

/** Members of a TCB that are no components, but identify the TCB. */
const ABOUT_TCB: ReadonlySet<string> = new Set(['part', 'tcb', 'firmware']);

/** Components of a TCB and the required versions: `snp 24, microcode 219`. */
export function components(needed: JsonValue, otherwise: string): string {
  return faultsOf({ faults: versionsOf(needed).map(([component, version]) => `${component} ${version}`) }, otherwise);
}

/** The values that must rise, with both levels: `microcode 219 or later (it is 211)`. @param is introduces the present value */
export function rises(needed: JsonValue, had: JsonValue, otherwise: string, is = 'it is'): string {
  const versions = new Map(versionsOf(had));
  const faults = versionsOf(needed).map(([component, version]) => {
    const now = versions.get(component);
    return `${component} ${version} or later${now === undefined ? '' : ` (${is} ${now})`}`;
  });
  return faultsOf({ faults }, otherwise);
}

/** The differences of two objects of named values, from the second to the first: `snp 23 (not 24)`. */
export function differences(wanted: JsonValue, found: JsonValue, otherwise: string): string {
  const ofFound: JsonObject = isObject(found) ? found : {};
  const differing = isObject(wanted) ? Object.entries(wanted).filter(([name, want]) => ofFound[name] !== want) : [];
  const faults = differing.map(
    ([name, want]) => `${name} ${value(want, 'left out')} (not ${value(ofFound[name], 'left out')})`,
  );
  return faultsOf({ faults }, otherwise);
}

function versionsOf(tcb: JsonValue): readonly (readonly [component: string, version: number])[] {
  if (!isObject(tcb)) return [];
  return Object.entries(tcb).flatMap(([name, version]) =>
    typeof version === 'number' && !ABOUT_TCB.has(name) ? [[name, version] as const] : [],
  );
}

/** A value as part of a sentence; other words if it is missing, or too long to repeat. */
export function value(shown: JsonValue | undefined, otherwise: string): string {
  if (shown === undefined || shown === null) return otherwise;
  const text = comparedText(shown);
  return text === '' || text.length > LONGEST_VALUE ? otherwise : text;
}

/** Alternative values: `PS384 or RS256`. */
export function anyOf(values: JsonValue, otherwise: string): string {
  return isJsonList(values) && values.length > 0 ? values.map(comparedText).join(' or ') : value(values, otherwise);
}

/** Entries of one list that the other lacks. */
export function without(list: JsonValue, other: JsonValue): readonly JsonValue[] {
  const rest = isJsonList(other) ? other : [];
  return isJsonList(list) ? list.filter((entry) => !rest.includes(entry)) : [];
}

/** Indices of PCRs; other words if there are none. */
export function pcrs(indices: readonly JsonValue[], otherwise: string): string {
  const numbers = indices.filter((index) => typeof index === 'number');
  return numbers.length === 0 ? otherwise : registerNames('PCR', numbers);
}

/** Numbers of bits: `bit 8`, `bits 0, 1`; other words if there are none. */
export function bits(numbers: JsonValue, otherwise: string): string {
  const shown = value(numbers, '');
  return shown === '' ? otherwise : `${isJsonList(numbers) && numbers.length > 1 ? 'bits' : 'bit'} ${shown}`;
}

/** Narrows a read-only list, which `Array.isArray` does not. */
export function isJsonList(shown: JsonValue): shown is readonly JsonValue[] {
  return Array.isArray(shown);
}

function isEmptyList(shown: JsonValue): boolean {
  return isJsonList(shown) && shown.length === 0;
}

function comparedText(shown: JsonValue): string {
  if (typeof shown === 'string') return shown;
  return isJsonList(shown) ? shown.map(comparedText).join(', ') : JSON.stringify(shown);
}

/** A machine that the policy does not list. */
export function otherMachine(finding: Finding, member: string): string {
  const { actual, setting = member } = finding;
  return `The operator should add ${value(actual, 'what identifies the machine')} to ${setting} of ${changedPolicy(finding)} if the machine is one of theirs.`;
}
