import { MAA_ATTESTATION_TYPES, misspeltCompliance, nearCompliance } from '../../core/maa-words.js';
import { TDX_STATUSES } from '../../core/tdx-status.js';
import type { PolicyProblem } from '../document/policy-problem.js';
import type { MaaClaim } from './maa-claims.js';
import type { ClaimCondition } from './policy-tree.js';
import { shownValue } from './shown-values.js';
import { textFormOf } from './text-forms.js';
import { nameInTee } from './token-kinds.js';

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function isGuid(text: string): boolean {
  return GUID.test(text);
}

/** Known values of claims. An issuer may define more, but does not write these in another case. */
const WORDS: ReadonlyMap<string, readonly string[]> = new Map([
  // Key Vault releases keys to SGX enclaves too.
  ['x-ms-attestation-type', [...MAA_ATTESTATION_TYPES, 'sgx']],
  ['attester_tcb_status', [...TDX_STATUSES, 'Revoked']],
]);

/** Reports a string that the claim never has: in the wrong case, of the wrong length, or misspelt. */
export function lintText(condition: ClaimCondition, claim: MaaClaim, value: string): readonly PolicyProblem[] {
  const { operator, pointer, claim: path } = condition;
  if (operator !== 'equals' && operator !== 'notEquals') return [];
  const why = whyNever(path, claim, value);
  if (why === null) return [];
  if (operator === 'notEquals') {
    const message = `${path} ${why.what}: every token that has it meets notEquals ${shownValue(value)}`;
    return [{ code: 'akv_always', pointer, message }];
  }
  const message = `${path} ${why.what}: ${why.instead ?? `no token meets equals ${shownValue(value)}`}`;
  return [{ code: 'akv_never', pointer, message, ...(why.mayChange ? { severity: 'warning' } : {}) }];
}

interface WhyNever {
  /** "is …". */
  readonly what: string;
  /** The correct string; null if it is not known. */
  readonly instead: string | null;
  /** Whether the issuer may issue this value in the future. */
  readonly mayChange: boolean;
}

function whyNever(path: string, { form }: MaaClaim, value: string): WhyNever | null {
  if (form === 'guid') return isGuid(value) ? null : never('is a GUID');
  return whyNoWord(path, value) ?? whyNoDigest(path, form, value) ?? whyOtherForm(path, form, value);
}

function whyNoWord(path: string, value: string): WhyNever | null {
  const name = nameInTee(path);
  if (name === 'x-ms-compliance-status') return whyNoStatus(value);
  const meant = WORDS.get(name)?.find((word) => word.toLowerCase() === value.toLowerCase());
  return meant === undefined || meant === value ? null : never('is compared letter by letter', `write ${meant}`);
}

/**
 * The reason why a status never occurs. An instance may issue other statuses, so only a similar one counts as
 * misspelt.
 */
function whyNoStatus(value: string): WhyNever | null {
  const status = misspeltCompliance(value);
  if (status !== null) return never('is in lower case', `write ${status}`);
  const meant = nearCompliance(value);
  return meant === null
    ? null
    : { ...never('has no such word that is known', `did you mean ${meant}?`), mayChange: true };
}

function whyNoDigest(path: string, form: MaaClaim['form'], value: string): WhyNever | null {
  const lower = value.toLowerCase();
  if (form !== 'hex' || !/^[0-9a-f]+$/.test(lower) || lower === value) return null;
  const fits = textFormOf(path)?.fits(lower) ?? true;
  return fits ? never('is in lower case', `write ${shownValue(lower)}`) : null;
}

function whyOtherForm(path: string, form: MaaClaim['form'], value: string): WhyNever | null {
  const texts = textFormOf(path);
  if (texts === null || texts.fits(value) || WORDS.get(nameInTee(path))?.includes(value)) return null;
  return form === 'hex' ? never(`is ${texts.what}`) : { ...never(`is so far ${texts.what}`), mayChange: true };
}

function never(what: string, instead: string | null = null): WhyNever {
  return { what, instead, mayChange: false };
}
