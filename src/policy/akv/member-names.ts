import type { JsonObject } from '../../core/json.js';
import { meantOr } from '../../core/names-in-messages.js';
import type { Place } from '../../schema/schema.js';
import { SELECTORS, type Selector } from './policy-tree.js';

/** Rejects every unknown member, and suggests a known one. Returns the number of unknown members. */
export function refuseUnknown(given: JsonObject, known: readonly string[], at: Place): number {
  const unknown = Object.keys(given).filter((name) => !known.includes(name));
  for (const name of unknown) at.member(name).refuse(unknownMember(name, known));
  return unknown.length;
}

function unknownMember(name: string, known: readonly string[]): string {
  const spelt = known.find((each) => each.toLowerCase() === name.toLowerCase());
  if (spelt !== undefined) return `must be spelt ${spelt}`;
  return `unknown member; ${meantOr(name, known, `there are ${known.join(', ')}`)}`;
}

/** The selector that a name spells in any case; null if it spells none. */
export function selectorMeant(name: string): Selector | null {
  return SELECTORS.find((selector) => selector.toLowerCase() === name.toLowerCase()) ?? null;
}
