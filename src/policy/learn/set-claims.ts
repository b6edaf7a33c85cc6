import type { JsonObject, JsonValue } from '../../core/json.js';
import type { Combination, SetMember } from './combination.js';
import type { PinnedValue } from './learned-values.js';
import { merged, nested, valueAt } from './nested-objects.js';

/** New values of claims, by path with dots. Null: the claim is absent. */
export type ClaimChanges = JsonObject;

const RTMR = 'tdx.rtmr';
const LISTS = /\.boot\.(applications|commandLines|files)$/;

/** Returns the claims that a set of reference values needs, and no others. */
export function claimsOfSet({ product, members }: Combination): JsonObject {
  const entries = members.flatMap((member) => Object.entries(claimOf(member, member.values)));
  const registers = [0, 1, 2, 3].map((index) => members.find(({ path }) => path === `${RTMR}${index}`)?.values[0]);
  const isPinned = registers.some((value) => value !== undefined);
  return withClaims(
    {},
    {
      ...(product === null ? {} : { 'snp.product': product }),
      ...(members.some(({ path }) => path === 'snp.authorKeyDigest') ? { 'snp.authorKeyEnabled': true } : {}),
      ...Object.fromEntries(entries),
      ...(isPinned ? { [RTMR]: registers.map((value) => value ?? '00'.repeat(48)) } : {}),
    },
  );
}

/** Returns changes that give the claim of a member a value outside its list. */
export function otherClaim(member: SetMember, claims: JsonObject): ClaimChanges {
  const other = otherValue(member.values);
  if (!member.path.startsWith(RTMR)) return claimOf(member, [other]);
  const registers = valueAt(claims, RTMR.split('.')) as readonly JsonValue[];
  const index = Number(member.path.slice(RTMR.length));
  return { [RTMR]: registers.map((value, each) => (each === index ? other : value)) };
}

/** Returns the claim that a member of a set is compared with. All RTMRs are one claim. */
function claimOf({ path }: SetMember, values: readonly PinnedValue[]): JsonObject {
  if (path.startsWith(RTMR)) return {};
  const claim = path.replace('.boot.', '.eventLog.').replace(/^hcl\./, 'hcl.vmConfiguration.');
  return { [claim]: LISTS.test(path) ? values : (values[0] ?? null) };
}

function otherValue(values: readonly PinnedValue[]): PinnedValue {
  const [first = ''] = values;
  return candidates(first).find((candidate) => !values.includes(candidate)) ?? '';
}

/** Returns values of the same form. For texts there are more than a list can have. */
function candidates(value: PinnedValue): readonly PinnedValue[] {
  if (typeof value === 'number') return [0, 1, 2, 3];
  if (/^[0-9a-f-]+$/.test(value)) {
    return [...'0123456789abcdef'].flatMap((last) =>
      [...'0123456789abcdef'].map((first) => first + value.slice(1, -1) + last),
    );
  }
  return Array.from({ length: 100 }, (_, index) => `${value} changed${index === 0 ? '' : index}`);
}

/** Applies changes to claims. Creates the objects around a changed claim if they are absent. */
export function withClaims(claims: JsonObject, changes: ClaimChanges): JsonObject {
  return merged(claims, nested(Object.entries(changes).map(([path, value]) => [path.split('.'), value])));
}
