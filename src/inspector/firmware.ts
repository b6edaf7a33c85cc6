import { type JsonValue, memberOf } from '../core/json.js';
import type { Check, Decision } from './service.js';

type Claims = Decision['claims'];
type SnpClaims = NonNullable<Claims['snp']>;
type TdxClaims = NonNullable<Claims['tdx']>;
type ReadCheck = Pick<Check, 'id' | 'policy' | 'expected' | 'actual' | 'detail'>;

/** The members of a decision that this module reads. */
interface Judged {
  readonly claims: Pick<Claims, 'snp' | 'tdx'>;
  readonly checks: readonly ReadCheck[];
}

/**
 * Describes the firmware, with some sentences for each component, and the minimum of its policy or of Intel's collateral. Without a check
 * of the minimum, that part is omitted. Empty if no such claim was verified.
 */
export function firmwareIn({ claims: { snp, tdx }, checks }: Judged): readonly string[] {
  return [...(snp == null ? [] : snpFirmware(snp, checks)), ...(tdx == null ? [] : tdxFirmware(tdx, checks))];
}

/** Components of TCB_VERSION (AMD 56860), at the start of a sentence. */
const COMPONENTS = [
  ['fmc', 'The FMC'],
  ['bootloader', 'The boot loader'],
  ['tee', 'The TEE'],
  ['snp', 'The SNP firmware'],
  ['microcode', 'The microcode'],
] as const;
type Component = (typeof COMPONENTS)[number][0];

function snpFirmware({ firmware, tcb }: SnpClaims, checks: readonly ReadCheck[]): readonly string[] {
  const { current, committed } = firmware;
  return [
    current === committed
      ? `The SEV firmware that runs is ${current}, and that version is committed.`
      : `The SEV firmware that runs is ${current}, and ${committed} is committed: it can be rolled back to that.`,
    ...COMPONENTS.flatMap(([component, name]) => {
      const versions = versionsOf(tcb, component);
      return versions === null ? [] : [[`${name} is ${versions}.`, ...needsOf(component, checks)].join(' ')];
    }),
    ...checks
      .filter(({ id }) => id === 'snp_tcb_floor_missing')
      .map(({ policy }) => `${policyTitle(policy)} sets no minimum for these versions.`),
  ];
}

/** Null if the part has no such component. */
function versionsOf({ reported, committed, launch }: SnpClaims['tcb'], component: Component): string | null {
  const of = [reported[component], committed[component], launch[component]];
  const [first] = of;
  if (of.every((version) => version === undefined)) return null;
  if (of.every((version) => version === first)) return `${first} in the reported, the committed and the launch TCB`;
  const [inReported, inCommitted, atLaunch] = of.map((version) => version ?? 'none');
  return `${inReported} in the reported TCB, ${inCommitted} in the committed TCB and ${atLaunch} in the launch TCB`;
}

/** Minimums from checks of minimums.snp: a failed check only names the components that are too low. */
function needsOf(component: Component, checks: readonly ReadCheck[]): readonly string[] {
  const comparisons = checks
    .filter(({ id }) => id === 'snp_tcb_low')
    .flatMap((check) => comparisonIn(check, component));
  const needs = [...new Set(comparisons.map(({ need }) => need))];
  return needs.map((need) => {
    const came = comparisons.filter((each) => each.need === need).map(({ comes }) => comes);
    return `${need}: ${came.join(', ')}.`;
  });
}

interface Comparison {
  readonly need: string;
  readonly comes: string;
}

function comparisonIn({ policy, expected, actual }: ReadCheck, component: Component): readonly Comparison[] {
  const [needed, had, tcb] = [member(expected, component), member(actual, component), member(expected, 'tcb')];
  if (typeof needed !== 'number' || typeof tcb !== 'string') return [];
  return [{ need: `${policyTitle(policy)} needs ${needed} or later`, comes: `the ${tcb} TCB ${comesTo(needed, had)}` }];
}

function comesTo(needed: number, had: JsonValue | undefined): string {
  if (typeof had !== 'number') return 'has none';
  return had >= needed ? 'has it' : `is ${needed - had} behind`;
}

function tdxFirmware(tdx: TdxClaims, checks: readonly ReadCheck[]): readonly string[] {
  const { status, platformStatus, moduleStatus, qeStatus, date, advisories } = tdx.tcb;
  return [
    status === null
      ? "The platform or its TDX module is behind every TCB level of Intel's collateral."
      : `Intel's status of the TCB is ${status}, and the oldest of its parts is of ${date}.`,
    `The platform is ${platformStatus ?? 'behind every level'}.`,
    `The TDX module ${moduleOf(tdx)}${moduleStatus === null ? '' : `, and is ${moduleStatus}`}.`,
    `The quoting enclave is ${qeStatus}.`,
    advisories.length === 0
      ? "Intel's collateral names no advisory for these levels."
      : `Advisories of Intel for these levels: ${advisories.join(', ')}.`,
    // With two policies, both state Intel's minimum.
    ...new Set(checks.flatMap(tdxNeeds)),
  ];
}

/** From TEE_TCB_SVN: its first byte is the SVN of the module, its second the number of its identity (Intel PCS v4, TDX TCB Info). */
function moduleOf({ teeTcbSvn }: TdxClaims): string {
  const [svn, version] = [teeTcbSvn.slice(0, 2), teeTcbSvn.slice(2, 4)];
  const has = `has the SVN ${Number.parseInt(svn, 16)}`;
  return version === '00' ? has : `(TDX_${version.toUpperCase()}) ${has}`;
}

function tdxNeeds(check: ReadCheck): readonly string[] {
  const { id, policy, expected } = check;
  if (id === 'tdx_tcb_level_unsupported') return lowestLevel(check);
  if (id === 'tdx_tcb_date') return datesNeeded(check);
  if (id !== 'tdx_tcb_status') return [];
  const accepted = Array.isArray(expected) && expected.length > 0 ? expected.join(', ') : null;
  return [...(accepted === null ? [] : [`${policyTitle(policy)} accepts ${accepted}.`]), ...behindUpToDate(check)];
}

/** For a platform below every level: the minimum of the nearest level. */
function lowestLevel({ expected, actual }: ReadCheck): readonly string[] {
  return Object.entries(expected ?? {}).map(([component, needed]) => {
    const had = member(actual, component);
    return `For the nearest level, ${component} needs ${needed}, and has ${had ?? 'none'}.`;
  });
}

function datesNeeded({ policy, expected, actual }: ReadCheck): readonly string[] {
  if (typeof expected === 'string') return [`${policyTitle(policy)} needs a TCB of ${expected} or later.`];
  const [info, identity] = [member(actual, 'evaluationDataNumber'), member(actual, 'qeEvaluationDataNumber')];
  if (typeof expected !== 'number' || info === undefined || identity === undefined) return [];
  return [
    `${policyTitle(policy)} needs the evaluation data number ${expected} or higher: TCB info has ${info}, QE identity ${identity}.`,
  ];
}

/** The text that src/core/tcb-shortfall.ts writes into the detail: no other member has these values. */
const SHORTFALL = /^(?<component>.+) has (?<have>\d+), needs (?<need>\d+)$/;

/** The reasons why the TCB is not up to date. */
function behindUpToDate({ detail }: ReadCheck): readonly string[] {
  return detail.split('; ').flatMap((part) => {
    const { component, have, need } = SHORTFALL.exec(part)?.groups ?? {};
    return component === undefined ? [] : [`To be up to date, ${component} needs ${need}, and has ${have}.`];
  });
}

/** Values of checks may be any JSON. */
const member = (value: unknown, name: string) => memberOf(value as JsonValue, name);
const policyTitle = (policy: string | null) => (policy === null ? 'The policy' : `Policy ${policy}`);
