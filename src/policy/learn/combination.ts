import type { SnpProduct } from '../../core/claims.js';
import type { JsonObject, JsonValue } from '../../core/json.js';
import { REFERENCE_SECTIONS, type ReferenceSet } from '../document/reference-grammar.js';
import { LEARNED_VALUES, type PinnedValue, type Seen } from './learned-values.js';
import { nested } from './nested-objects.js';

/** One member of a set of reference values. */
export interface SetMember {
  /** Its path in the set, names joined by dots. */
  readonly path: string;
  readonly values: readonly PinnedValue[];
  /** Whether the values come from the evidence, or from the policy that the evidence was appraised under. */
  readonly of: 'evidence' | 'policy';
}

/** The values of one piece of evidence, as one set of reference values. */
export interface Combination {
  readonly product: SnpProduct | null;
  readonly members: readonly SetMember[];
}

/**
 * Derives the combination of one piece of evidence. Other requirements of the matched set stay. Learnable members get
 * the value from the evidence, and the others keep the values of the set. So nothing matches that did not match before.
 *
 * @param matched the set of the policy that the evidence matched; null if the policy has no sets
 */
export function combinationOf(seen: Seen, matched: ReferenceSet | null): Combination {
  const demanded = matched === null ? [] : membersOf(matched);
  const names = new Set(demanded.map(({ path }) => path));
  const learned = LEARNED_VALUES.flatMap(({ member, when, read }): readonly SetMember[] => {
    const values = when(seen) || names.has(member) ? (read(seen.claims) ?? []) : [];
    return values.length === 0 ? [] : [{ path: member, values, of: 'evidence' }];
  });
  const known = new Set(learned.map(({ path }) => path));
  const rest = demanded.filter(({ path }) => !known.has(path));
  return { product: seen.claims.snp?.product ?? matched?.appliesTo.product ?? null, members: [...learned, ...rest] };
}

/** Derives the combination of a set that a policy has. */
export function combinationOfSet(set: ReferenceSet): Combination {
  return { product: set.appliesTo.product, members: membersOf(set) };
}

function membersOf({ snp, tdx, hcl, tpm }: ReferenceSet): readonly SetMember[] {
  const { boot: bootOfTd = null, ...registers } = tdx ?? {};
  const pcrs = (tpm?.sha256Pcrs ?? []).map(({ index, values }) => [String(index), values] as const);
  return [
    ...valuesIn('snp', snp ?? {}),
    ...valuesIn('tdx', registers),
    ...valuesIn('tdx.boot', bootOfTd ?? {}),
    ...valuesIn('hcl', hcl ?? {}),
    ...valuesIn('tpm.boot', tpm?.boot ?? {}),
    ...valuesIn('tpm.pcrs.sha256', Object.fromEntries(pcrs)),
  ];
}

function valuesIn(
  place: string,
  members: { readonly [name: string]: readonly PinnedValue[] | null },
): readonly SetMember[] {
  return Object.entries(members).flatMap(([name, values]) =>
    values === null ? [] : [{ path: `${place}.${name}`, values, of: 'policy' as const }],
  );
}

/** The identity of a combination, without order and repetition. */
export function combinationKey({ product, members }: Combination): string {
  const sorted = members.map(({ path, values }) => [path, [...new Set(values)].toSorted()] as const);
  return JSON.stringify([product, sorted.toSorted(([a], [b]) => (a < b ? -1 : 1))]);
}

/** Returns the members in which two combinations differ, including `appliesTo.product`. */
export function differencesOf(one: Combination, other: Combination): readonly string[] {
  const paths = new Set([...one.members, ...other.members].map(({ path }) => path));
  const differing = [...paths].filter((path) => only(one, path) !== only(other, path));
  return one.product === other.product ? differing : ['appliesTo.product', ...differing];
}

function only({ members }: Combination, path: string): string {
  return combinationKey({ product: null, members: members.filter((member) => member.path === path) });
}

/** A combination in the syntax of a policy. */
export function writtenSet({ product, members }: Combination): JsonObject {
  const written: { [section: string]: JsonValue } = product === null ? {} : { appliesTo: { product } };
  for (const section of REFERENCE_SECTIONS) {
    const own = members.filter(({ path }) => path.startsWith(`${section}.`));
    if (own.length > 0) written[section] = nested(own.map(({ path, values }) => [path.split('.').slice(1), values]));
  }
  return written;
}
