import { ISOLATION, TD_NAMES, TRUST_AUTHORITY_TD } from './maa-claims.js';
import type { ClaimCondition, Condition } from './policy-tree.js';

/**
 * The kind of token that meets a condition. `guest`: from attest/AzureGuest, with the TEE in x-ms-isolation-tee.
 * `direct`: from attest/SevSnpVm or attest/TdxVm, with the TEE at the top level. A token is not both `guest` and
 * `direct`, nor both `sevsnpvm` and `tdxvm`.
 */
export type TokenKind = 'guest' | 'direct' | 'sevsnpvm' | 'tdxvm';

/** The kinds of token that a condition requires, each with the first claim that requires it. */
export type KindsRequired = ReadonlyMap<TokenKind, ClaimCondition>;

const TYPE = 'x-ms-attestation-type';
const INSIDE = `${ISOLATION}.`;

/** Kinds of token by the top-level `x-ms-attestation-type`. */
const BY_TYPE: ReadonlyMap<unknown, readonly TokenKind[]> = new Map([
  ['azurevm', ['guest']],
  ['sevsnpvm', ['direct', 'sevsnpvm']],
  ['tdxvm', ['direct', 'tdxvm']],
]);

/** The rest of a path inside x-ms-isolation-tee; null for any other path. */
export function pathInside(claim: string): string | null {
  return claim.startsWith(INSIDE) ? claim.slice(INSIDE.length) : null;
}

/** The name of a claim about a TEE, without x-ms-isolation-tee; the path of any other claim. */
export function nameInTee(claim: string): string {
  const inside = [INSIDE, `${TRUST_AUTHORITY_TD}.`].find((prefix) => claim.startsWith(prefix));
  return inside === undefined ? claim : claim.slice(inside.length);
}

/** The kinds of token that have the claim, or the value that it must equal. */
export function kindsOf({ claim, operator, value }: ClaimCondition): readonly TokenKind[] {
  const inside = pathInside(claim);
  const name = inside ?? claim;
  if (name === TYPE && operator === 'equals') {
    const kinds = BY_TYPE.get(value) ?? [];
    return inside === null ? kinds : ['guest', ...kinds.filter((kind) => kind === 'sevsnpvm' || kind === 'tdxvm')];
  }
  const tee = kindsOfTee(name);
  if (inside !== null || claim === ISOLATION) return ['guest', ...tee];
  if (claim === 'secureboot' || claim.startsWith('x-ms-azurevm-')) return ['guest'];
  return tee.length > 0 || claim === 'x-ms-compliance-status' ? ['direct', ...tee] : [];
}

function kindsOfTee(name: string): readonly TokenKind[] {
  if (name.startsWith('x-ms-sevsnpvm-')) return ['sevsnpvm'];
  return name.startsWith('tdx_') || TD_NAMES.includes(name) ? ['tdxvm'] : [];
}

/** The kinds that every way to meet a condition requires. */
export function kindsRequired(condition: Condition): KindsRequired {
  if (condition.kind === 'claim') return new Map(kindsOf(condition).map((kind) => [kind, condition]));
  const [first = NONE, ...others] = condition.conditions.map(kindsRequired);
  if (condition.kind === 'allOf') return together([first, ...others]);
  return new Map([...first].filter(([kind]) => others.every((other) => other.has(kind))));
}

const NONE: KindsRequired = new Map();

/** Merges the kinds of several conditions. The first claim of a kind counts. */
export function together(required: readonly KindsRequired[]): KindsRequired {
  return new Map(required.toReversed().flatMap((each) => [...each]));
}
