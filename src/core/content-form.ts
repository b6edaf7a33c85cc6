import { isObject, type JsonValue } from './json.js';

/** Whether a value has a form. */
export type Form = (value: JsonValue | undefined) => boolean;

export const text: Form = (value) => typeof value === 'string';
export const flag: Form = (value) => typeof value === 'boolean';
export const integer: Form = (value) => Number.isSafeInteger(value);
/** Canonical id of a chain or a decision, in lower case. */
export const uuid = (value: unknown): value is string =>
  typeof value === 'string' && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value);
/** SHA-256 in lower-case hex. */
export const digest: Form = (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);

export const oneOf = (known: readonly string[]): Form => {
  return (value) => known.some((each) => value === each);
};
export const orNull = (form: Form): Form => {
  return (value) => value === null || form(value);
};
export const orAbsent = (form: Form): Form => {
  return (value) => value === undefined || form(value);
};
export const either = (...forms: readonly Form[]): Form => {
  return (value) => forms.some((form) => form(value));
};
export const listOf = (form: Form): Form => {
  return (value) => Array.isArray(value) && value.every(form);
};
/** Other members are allowed: another version may write more. */
export const members = (forms: Readonly<Record<string, Form>>): Form => {
  const entries = Object.entries(forms);
  return (value) => isObject(value) && entries.every(([name, form]) => form(value[name]));
};
