import type { EvidenceType } from '../core/evidence.js';
import { hasParavisor, isHardwareType, teeOf } from '../core/evidence-traits.js';
import type { JsonValue } from '../core/json.js';
import { MICROSOFT_ID_KEYS, OPEN_HOST_DATA } from '../core/microsoft-launches.js';
import type { Policy } from './document/policy-document.js';
import { couldMatch } from './document/reference-use.js';
import { type PinnedClaim, type Pinning, pinningOfRule, pinningOfSet, VM_UNIQUE_ID } from './pinned-claims.js';

/** Grades of pins. `firmware`: only values that are equal on many VMs with different code. */
const GRADES = ['open', 'firmware', 'pinned'] as const;
type Grade = (typeof GRADES)[number];

/** JSON pointers, each once, of the members of a policy that allow too many VMs to get a key. */
export interface ReleasePins {
  /** Sets of reference values that pin neither code nor machine, or `/referenceValues` if there are none. */
  readonly unpinned: readonly string[];
  /** Sets and rules that pin only firmware. */
  readonly firmwareOnly: readonly string[];
}

/** Claims that together have a grade. */
type Combination = readonly [grade: Grade, ...claims: readonly string[]];

/** Pins of a machine. A chip id counts only under a VCEK, because a VLEK does not certify it. */
const MACHINES: readonly Combination[] = [
  ['pinned', 'snp.chipId', 'snp.signingKey'],
  ['pinned', 'tdx.ppid'],
];

const KNOWN_VM: Combination = ['pinned', VM_UNIQUE_ID];

/**
 * Pins behind a paravisor. PCR 8, 9 and 11 alone pin nothing: root of a stock VM can extend them. PCR 7 pins a
 * distribution.
 */
const BEHIND_PARAVISOR: readonly Combination[] = [
  ['pinned', 'tpm.pcrs.sha256.4'],
  ['pinned', 'tpm.eventLog.applications'],
  ['firmware', 'tpm.pcrs.sha256.7'],
];

/** Pins of bare evidence. The host chooses HOST_DATA, so it counts only together with a measurement. */
const BARE: readonly Combination[] = [
  ['pinned', 'snp.measurement', 'snp.hostData'],
  ['firmware', 'snp.measurement'],
  ['pinned', 'snp.authorKeyDigest'],
  ['pinned', 'snp.idKeyDigest'],
  ['pinned', 'tdx.mrtd', 'tdx.rtmr1', 'tdx.rtmr2'],
  ['pinned', 'tdx.mrtd', 'tdx.eventLog.applications'],
];

/** A part of a policy that can pin code or machine by itself. */
interface Candidate {
  readonly pointer: string;
  readonly grade: Grade;
}

/**
 * Determines, for each accepted type of hardware evidence, whether the policy allows only known code or a known
 * machine. `require.*.machines`, one rule, or every set of reference values that can match must pin it.
 *
 * @param paravisorKeys ID_KEY_DIGESTs of paravisors that the configuration lists
 */
export function releasePins(policy: Policy, paravisorKeys: ReadonlySet<string>): ReleasePins {
  const judged = policy.accepts.filter(isHardwareType).map((type) => {
    const own = hasParavisor(type) ? BEHIND_PARAVISOR : BARE;
    return pinsOfType(policy, type, [...own, ...everywhere(policy)], paravisorKeys);
  });
  return {
    unpinned: once(judged.flatMap(({ unpinned }) => unpinned)),
    firmwareOnly: once(judged.flatMap(({ firmwareOnly }) => firmwareOnly)),
  };
}

/**
 * Whether a policy pins the machine or the VM. In bare evidence with a paravisor's runtime data, all other values are
 * Microsoft's and equal for every tenant.
 */
export function pinsMachine(policy: Policy, type: EvidenceType): boolean {
  return pinsOfType(policy, type, everywhere(policy), MICROSOFT_ID_KEYS).unpinned.length === 0;
}

function everywhere({ paravisor }: Policy): readonly Combination[] {
  return paravisor === 'known' ? [...MACHINES, KNOWN_VM] : MACHINES;
}

function pinsOfType(
  policy: Policy,
  type: EvidenceType,
  combinations: readonly Combination[],
  paravisorKeys: ReadonlySet<string>,
): ReleasePins {
  const counts = (pin: PinnedClaim) => isPin(pin, paravisorKeys);
  const gradeOf = (pinning: Pinning) => gradeOfPinning(pinning, counts, combinations);
  const others = [
    { pointer: '/require', grade: gradeOf(pinningOfMachines(policy, type)) },
    ...policy.rules.map((rule, index): Candidate => {
      const pointer = `/rules/${index}/${rule.language}`;
      return { pointer, grade: gradeOf(pinningOfRule(rule, type, policy, pointer)) };
    }),
  ];
  const sets = policy.referenceValues.flatMap((set, index): readonly Candidate[] => {
    const pointer = `/referenceValues/${index}`;
    return couldMatch(set, type, policy) ? [{ pointer, grade: gradeOf(pinningOfSet(set, pointer)) }] : [];
  });
  // If no set can match, the policy allows no evidence of this type.
  const ofSets = policy.referenceValues.length === 0 ? 'open' : least(sets.map(({ grade }) => grade));
  const grade = most([...others.map((other) => other.grade), ofSets]);
  const placesOf = (wanted: Grade, candidates: readonly Candidate[]) =>
    grade === wanted ? candidates.filter((each) => each.grade === wanted).map(({ pointer }) => pointer) : [];
  const open = sets.length === 0 ? [{ pointer: '/referenceValues', grade: 'open' } as const] : sets;
  return { unpinned: placesOf('open', open), firmwareOnly: placesOf('firmware', [...sets, ...others]) };
}

/** The required machines. A provider (cspId) matches all of its machines. */
function pinningOfMachines({ require: { snp, tdx } }: Policy, type: EvidenceType): Pinning {
  const pin = (claim: string, values: readonly string[]): Pinning => ({ op: 'pin', claim, values, pointer: '' });
  const chips = snp?.machines?.cspId == null ? (snp?.machines?.chipId ?? null) : null;
  if (teeOf(type) === 'snp' && chips !== null) {
    return { op: 'all', parts: [pin('snp.chipId', chips), pin('snp.signingKey', ['vcek'])] };
  }
  if (teeOf(type) === 'tdx' && tdx?.machines != null) return pin('tdx.ppid', tdx.machines.ppid);
  return { op: 'all', parts: [] };
}

/** Whether no value is all zero or shared by VMs of many tenants. */
function isPin({ claim, values }: PinnedClaim, paravisorKeys: ReadonlySet<string>): boolean {
  return values.every((value) => isSet(value) && !isOfEverybody(claim, value, paravisorKeys));
}

function isSet(value: JsonValue): value is string {
  return typeof value === 'string' && /[^0-]/.test(value);
}

function isOfEverybody(claim: string, value: string, paravisorKeys: ReadonlySet<string>): boolean {
  switch (claim) {
    case 'snp.idKeyDigest':
      return MICROSOFT_ID_KEYS.has(value) || paravisorKeys.has(value);
    case 'snp.hostData':
      return OPEN_HOST_DATA.has(value);
    case 'snp.signingKey':
      return value !== 'vcek';
    default:
      return false;
  }
}

type Counts = (pin: PinnedClaim) => boolean;

function gradeOfPinning(pinning: Pinning, counts: Counts, combinations: readonly Combination[]): Grade {
  const claims = claimsPinned(pinning, counts);
  const whole = most(
    combinations.filter(([, ...all]) => all.every((claim) => claims.has(claim))).map(([grade]) => grade),
  );
  if (pinning.op === 'pin') return whole;
  const parts = pinning.parts.map((part) => gradeOfPinning(part, counts, combinations));
  return pinning.op === 'any' ? least(parts) : most([...parts, whole]);
}

/** Claims that every way to meet a pinning pins. */
function claimsPinned(pinning: Pinning, counts: Counts): ReadonlySet<string> {
  if (pinning.op === 'pin') return new Set(counts(pinning) ? [pinning.claim] : []);
  const [first = new Set<string>(), ...others] = pinning.parts.map((part) => claimsPinned(part, counts));
  if (pinning.op === 'all') return new Set([first, ...others].flatMap((claims) => [...claims]));
  return new Set([...first].filter((claim) => others.every((claims) => claims.has(claim))));
}

/** The grade of alternatives. Without alternatives, no evidence can match. */
function least(grades: readonly Grade[]): Grade {
  return GRADES.find((grade) => grades.includes(grade)) ?? 'pinned';
}

/** The grade of requirements that must all hold. */
function most(grades: readonly Grade[]): Grade {
  return GRADES.findLast((grade) => grades.includes(grade)) ?? 'open';
}

function once(pointers: readonly string[]): readonly string[] {
  return [...new Set(pointers)];
}
