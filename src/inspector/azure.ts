import { isObject, type JsonObject, type JsonValue } from '../core/json.js';
import { canonicalJson } from '../formats/canonical-json.js';

/** A claim of a token of Azure Attestation, or a proven claim of this verification under the same name. */
export interface AzureClaim {
  /** The names of nested members are joined by dots. */
  readonly name: string;
  /** Undefined if the token lacks it. */
  readonly azure: JsonValue | undefined;
  /** Undefined if this verification does not prove it. */
  readonly found: JsonValue | undefined;
  readonly state: 'equal' | 'differs' | 'only_azure' | 'only_found';
}

/** Member of the view itself: it lists the claims that only Azure Attestation can make. */
const ABSENT = 'absent';

/**
 * Compares the claims of a token of Azure Attestation with the proven claims; differences come first.
 *
 * @param token payload of the verified token; null without one
 * @param view `maaView` of the answer; null if no hardware was proven
 */
export function azureClaims(token: JsonObject | null, view: JsonObject | null): readonly AzureClaim[] {
  const [ofToken, ofView] = [leaves(token), leaves(view)];
  ofView.delete(ABSENT);
  const names = [...new Set([...ofToken.keys(), ...ofView.keys()])];
  const claims = names.map((name) => compared(name, ofToken.get(name), ofView.get(name)));
  return ORDER.flatMap((state) => claims.filter((claim) => claim.state === state));
}

const ORDER = ['differs', 'equal', 'only_azure', 'only_found'] as const;

function compared(name: string, azure: JsonValue | undefined, found: JsonValue | undefined): AzureClaim {
  if (found === undefined) return { name, azure, found, state: 'only_azure' };
  if (azure === undefined) return { name, azure, found, state: 'only_found' };
  return { name, azure, found, state: canonicalJson(azure) === canonicalJson(found) ? 'equal' : 'differs' };
}

/** Values that are not objects, by their path. */
function leaves(value: JsonObject | null): Map<string, JsonValue> {
  const found = new Map<string, JsonValue>();
  for (const [name, member] of Object.entries(value ?? {})) {
    if (!isObject(member)) found.set(name, member);
    else for (const [rest, leaf] of leaves(member)) found.set(`${name}.${rest}`, leaf);
  }
  return found;
}
