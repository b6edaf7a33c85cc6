import type { Claims } from '../../core/claims.js';
import type { EvidenceType } from '../../core/evidence.js';
import { EVIDENCE_TYPES, teeOf } from '../../core/evidence-traits.js';
import { isObject, type JsonObject, type JsonValue } from '../../core/json.js';
import { droppableMembers } from '../document/member-use.js';
import { type Policy, parseStrictYaml } from '../document/policy-document.js';

/** Machines, by the claim of the key that signed their report. */
export interface Machines {
  readonly chipId: readonly string[];
  readonly cspId: readonly string[];
  readonly ppid: readonly string[];
}

/** A VLEK does not certify a chip, but the provider that it was issued to. */
export function machinesOf({ snp, tdx }: Claims): Machines {
  return {
    chipId: snp?.signingKey === 'vcek' ? [snp.chipId] : [],
    cspId: snp?.cspId === undefined ? [] : [snp.cspId],
    ppid: tdx === undefined ? [] : [tdx.ppid],
  };
}

/** Returns the machines that a policy lists. */
export function listedMachines({ require: { snp, tdx } }: Pick<Policy, 'require'>): Machines {
  return {
    chipId: snp?.machines?.chipId ?? [],
    cspId: snp?.machines?.cspId ?? [],
    ppid: tdx?.machines?.ppid ?? [],
  };
}

export function joinedMachines(all: readonly Machines[]): Machines {
  const join = (name: keyof Machines) => [...new Set(all.flatMap((machines) => machines[name]))];
  return { chipId: join('chipId'), cspId: join('cspId'), ppid: join('ppid') };
}

/** The parts of a learned policy that differ from the policy under which the evidence was appraised. */
export interface LearnedParts {
  readonly id: string;
  readonly version: number;
  readonly description: string;
  readonly accepts: readonly EvidenceType[];
  /** Null: the policy keeps its own. */
  readonly machines: Machines | null;
}

/**
 * The members of a learned policy without its reference values, in the form of a policy text. They are the members of
 * `from`, without those that evidence of the accepted types cannot be compared with. No member is weaker than in
 * `from`.
 *
 * Minimums of a TEE without evidence are omitted too, because they would have no effect. An author who adds evidence of
 * that TEE to `accepts` must add minimums, or the policy does not load.
 */
export function learnedMembers(from: Policy, parts: LearnedParts): JsonObject {
  const { id, version, description, accepts, machines } = parts;
  const written = parseStrictYaml(from.text) as JsonObject;
  const { apiVersion = 'veritee/v1', referenceValues: _, ...rest } = written;
  const members = { apiVersion, ...rest, id, version, description, accepts: inOrder(accepts) };
  const unused = droppableMembers({ ...from, accepts: inOrder(accepts) });
  const kept = withoutMembers(members, [...unused, ...minimumsOfOthers(written, accepts)]);
  return machines === null ? kept : withMachines(kept, machines);
}

/** Pointers of minimums that no accepted type of evidence is compared with. */
function minimumsOfOthers(policy: JsonObject, accepts: readonly EvidenceType[]): readonly string[] {
  const seen = new Set<string | null>(accepts.map(teeOf));
  const tees = Object.keys(objectIn(policy, 'minimums')).filter((tee) => !seen.has(tee));
  return tees.map((tee) => `/minimums/${tee}`);
}

function inOrder(accepts: readonly EvidenceType[]): readonly EvidenceType[] {
  return EVIDENCE_TYPES.filter((type) => accepts.includes(type));
}

/** Removes the members at the pointers, and members that are empty afterwards. */
function withoutMembers(members: JsonObject, pointers: readonly string[]): JsonObject {
  const dropped = new Set(pointers);
  const read = (value: JsonValue, pointer: string): JsonValue | undefined => {
    if (dropped.has(pointer)) return undefined;
    const isAbove = pointers.some((other) => other.startsWith(`${pointer}/`));
    if (!isAbove) return value;
    const kept = isObject(value) ? membersIn(value, pointer) : itemsIn(value as readonly JsonValue[], pointer);
    return Object.keys(kept).length === 0 && pointer !== '' ? undefined : kept;
  };
  const membersIn = (object: JsonObject, pointer: string): JsonObject =>
    Object.fromEntries(
      Object.entries(object).flatMap(([name, value]) => {
        const kept = read(value, `${pointer}/${name}`);
        return kept === undefined ? [] : [[name, kept]];
      }),
    );
  const itemsIn = (items: readonly JsonValue[], pointer: string): readonly JsonValue[] =>
    items.flatMap((item, index) => read(item, `${pointer}/${index}`) ?? []);
  return membersIn(members, '');
}

/** Adds the machines, which apply to every set. Omits empty lists, which would not load. */
function withMachines(members: JsonObject, { chipId, cspId, ppid }: Machines): JsonObject {
  const require = objectIn(members, 'require');
  const ofSnp = { ...(chipId.length > 0 ? { chipId } : {}), ...(cspId.length > 0 ? { cspId } : {}) };
  const snp = Object.keys(ofSnp).length === 0 ? {} : { snp: { ...objectIn(require, 'snp'), machines: ofSnp } };
  const tdx = ppid.length === 0 ? {} : { tdx: { ...objectIn(require, 'tdx'), machines: { ppid } } };
  const whole = { ...require, ...snp, ...tdx };
  return Object.keys(whole).length === 0 ? members : { ...members, require: whole };
}

function objectIn(members: JsonObject, name: string): JsonObject {
  const value = members[name];
  return isObject(value) ? value : {};
}
