import type { CheckRow } from '../core/checks/row.js';
import type { CheckId } from '../core/codes.js';
import { isObject, type JsonValue, pathOf } from '../core/json.js';
import { CHECKS } from '../tee/catalogue.js';

/** The members of a check that this module reads. */
export interface DecidingCheck {
  readonly id: string;
  readonly expected: unknown;
  readonly waived: boolean;
  /** Null for a finding of a verifier. */
  readonly policy: string | null;
}

/**
 * Returns pointers of the policy's members that decided a check; none if it has none. For a finding of a verifier, that is the member
 * that tolerates it; otherwise the members in the catalogue of checks, as in docs/policy.md.
 *
 * @param policy its parsed value
 * @param judgedAt the verification time
 */
export function membersBehind(check: DecidingCheck, policy: JsonValue, judgedAt: string): readonly string[] {
  const row: CheckRow | undefined = (CHECKS as { readonly [id: string]: CheckRow })[check.id as CheckId];
  if (check.waived) return waiversOf(check.id, policy, judgedAt);
  const ofVerifier = row?.relaxedBy === undefined ? [] : [row.relaxedBy];
  const members = check.policy === null ? ofVerifier : (row?.members ?? []);
  const pointers = members.map(pointerOf).filter((pointer) => valueAt(policy, pointer) !== undefined);
  return [...new Set(pointers.flatMap((pointer) => narrowed(pointer, check, policy)))];
}

/** For an item of a list, returns the list: the catalogue does not name the item. */
function pointerOf(member: string): string {
  const [upToList = ''] = member.split('[]');
  return `/${upToList.replaceAll('.', '/')}`;
}

/** Narrows a pointer: to the named rule, to the minimum of the part, or to the missing route. */
function narrowed(pointer: string, { expected }: DecidingCheck, policy: JsonValue): readonly string[] {
  if (pointer === '/rules') {
    const index = indexIn(valueAt(policy, pointer), 'id', expected);
    return [index === null ? pointer : `${pointer}/${index}`];
  }
  if (pointer.startsWith('/routes/') && typeof expected === 'string') {
    return pointer === `/routes/${expected}` ? [pointer] : [];
  }
  const part = pointer === '/minimums/snp' && isObject(expected) ? expected['part'] : null;
  return [
    typeof part === 'string' && valueAt(policy, `${pointer}/${part}`) !== undefined ? `${pointer}/${part}` : pointer,
  ];
}

/** All unexpired waivers of a check: the decision does not name the one that it used. */
function waiversOf(id: string, policy: JsonValue, judgedAt: string): readonly string[] {
  const waivers = valueAt(policy, '/waivers');
  const items = Array.isArray(waivers) ? [...waivers.entries()] : [];
  return items.flatMap(([index, item]) =>
    isObject(item) && item['check'] === id && !hasEnded(item['expires'], judgedAt) ? [`/waivers/${index}`] : [],
  );
}

/** A waiver expires at the start (UTC) of its day. */
function hasEnded(expires: JsonValue | undefined, judgedAt: string): boolean {
  return !(Date.parse(String(expires)) > Date.parse(judgedAt));
}

function indexIn(list: JsonValue | undefined, member: string, value: unknown): number | null {
  const index = Array.isArray(list) ? list.findIndex((item) => isObject(item) && item[member] === value) : -1;
  return index < 0 ? null : index;
}

/** Undefined if the policy has no such member. */
export function valueAt(policy: JsonValue, pointer: string): JsonValue | undefined {
  return pathOf(pointer).reduce<JsonValue | undefined>((value, name) => {
    if (Array.isArray(value)) return value[Number(name)];
    return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  }, policy);
}
