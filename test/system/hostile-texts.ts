import type { JsonObject, JsonValue } from '../../src/core/json.js';

/** Text that does something where it is taken for anything but text. */
export const HOSTILE_TEXTS = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '</textarea><svg onload=alert(1)>',
  'javascript:alert(1)',
  `<style>*{display:none}</style>${'x'.repeat(1_000_000)}`,
];
export type Place = readonly (string | number)[];

/** Paths of the members that are text. */
export function textsIn(value: JsonValue, path: Place = []): readonly Place[] {
  if (typeof value === 'string') return [path];
  if (value === null || typeof value !== 'object') return [];
  const members: readonly (readonly [string | number, JsonValue])[] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  return members.flatMap(([name, member]) => textsIn(member, [...path, name]));
}

/** A value with the text at one place. */
export function replaced(value: JsonObject, path: Place, text: string): JsonObject {
  const copy = structuredClone(value) as Record<string | number, unknown>;
  const holder = path
    .slice(0, -1)
    .reduce<Record<string | number, unknown>>((object, name) => object[name] as Record<string | number, unknown>, copy);
  holder[path.at(-1) ?? ''] = text;
  return copy as JsonObject;
}

/** A value with the text in place of each text of it. @param kept names of members that stay */
export function everywhere(value: JsonValue, text: string, kept: ReadonlySet<string>): JsonValue {
  if (typeof value === 'string') return text;
  if (Array.isArray(value)) return value.map((item) => everywhere(item, text, kept));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, kept.has(name) ? member : everywhere(member, text, kept)]),
  );
}
