import type { Checks } from '../../core/check.js';
import { SNP_TCB_COMPONENTS, type SnpClaims, type SnpTcb, type SnpTcbComponent } from '../../core/claims.js';
import { placeOf } from '../../core/evidence-traits.js';
import type { SnpMinimums, TcbFloor } from '../document/policy-grammar.js';
import type { AppraisalTopic } from './appraisal-topic.js';

/** The compared TCBs: the TCB that the key was derived for, and the TCB at the launch of the guest. */
const COMPARED_TCBS = ['reported', 'launch'] as const;

/** A component that is below its floor. */
export interface Shortfall {
  readonly component: SnpTcbComponent;
  readonly needed: number;
  /** Null if the TCB has no such component. */
  readonly had: number | null;
}

/** Minimums of the TCB by part, because AMD numbers the microcode of each part separately. */
export const snpMinimums: AppraisalTopic = {
  needs: () => ['snp'],
  required: ({ minimums: { snp } }) => [snp === 'any' ? 'snp_tcb_floor_missing' : 'snp_tcb_low'],
  appraise: (policy, { evidenceType, verification }, checks) => {
    const { snp } = verification.claims;
    if (snp === undefined) return;
    const report = checks.at(placeOf('snp', evidenceType));
    const floors = policy.minimums.snp;
    if (floors !== 'any') appraiseFloors(snp, floors, report);
    else report.warn('snp_tcb_floor_missing');
  },
};

/** The floor for the part in a report; null if the policy has none. */
export function floorOf({ part }: SnpClaims, floors: SnpMinimums | null): TcbFloor | null {
  if (floors === null || floors === 'any' || part === 'unknown') return null;
  return floors[part] ?? null;
}

/** The shortfalls of all compared TCBs of a report. */
export function shortfallsOf({ tcb }: SnpClaims, floor: TcbFloor): readonly Shortfall[] {
  return COMPARED_TCBS.flatMap((name) => shortfalls(tcb[name], floor));
}

function appraiseFloors(snp: SnpClaims, floors: Exclude<SnpMinimums, 'any'> | null, checks: Checks): void {
  const floor = floorOf(snp, floors);
  if (floor === null) {
    const detail = snp.part === 'unknown' ? 'the part is not known' : 'the policy lists no minimum for this part';
    checks.fail('snp_product', { expected: Object.keys(floors ?? {}), actual: snp.part, detail });
    checks.skip(['snp_tcb_low'], 'rests on a minimum for the part');
    return;
  }
  for (const name of COMPARED_TCBS) appraiseTcb(name, snp, floor, checks);
}

function appraiseTcb(name: (typeof COMPARED_TCBS)[number], snp: SnpClaims, floor: TcbFloor, checks: Checks): void {
  const short = shortfalls(snp.tcb[name], floor);
  const expected = short.length === 0 ? floor : byComponent(short, ({ needed }) => needed);
  const actual = short.length === 0 ? snp.tcb[name] : byComponent(short, ({ had }) => had);
  const names = short.map(({ component }) => component).join(', ');
  checks.require(short.length === 0, 'snp_tcb_low', {
    expected: { part: snp.part, tcb: name, ...expected },
    actual: { part: snp.part, tcb: name, ...actual },
    detail: `the ${name} TCB is at its minimum or above`,
    otherwise: `the ${name} TCB is below its minimum: ${names}`,
  });
}

/** Compares each component by itself: in one integer, a high component would hide a low one. */
function shortfalls(tcb: SnpTcb, floor: TcbFloor): readonly Shortfall[] {
  return SNP_TCB_COMPONENTS.flatMap((component) => {
    const needed = floor[component];
    const had = tcb[component] ?? null;
    return needed === undefined || (had !== null && had >= needed) ? [] : [{ component, needed, had }];
  });
}

function byComponent(
  short: readonly Shortfall[],
  read: (shortfall: Shortfall) => number | null,
): { readonly [component: string]: number | null } {
  return Object.fromEntries(short.map((shortfall) => [shortfall.component, read(shortfall)]));
}
