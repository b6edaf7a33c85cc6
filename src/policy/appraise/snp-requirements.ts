import type { Checks } from '../../core/check.js';
import { SNP_PLATFORM_BITS, SNP_TCB_COMPONENTS, type SnpClaims } from '../../core/claims.js';
import type { CheckId } from '../../core/codes.js';
import { placeOf } from '../../core/evidence-traits.js';
import { PLATFORM_CHECKS } from '../../tee/snp/checks/platform.js';
import type { SnpMachines, SnpRequirements } from '../document/policy-grammar.js';
import type { AppraisalTopic } from './appraisal-topic.js';

/** The further requirements for the report. */
export const snpRequirements: AppraisalTopic = {
  needs: () => ['snp'],
  required: ({ require: { snp } }) => {
    if (snp === null) return [];
    const asked = SNP_PLATFORM_BITS.filter((bit) => snp.platformInfo[bit] !== undefined);
    const ids: CheckId[] = asked.map((bit) => PLATFORM_CHECKS[bit]);
    if (snp.committedEqualsCurrent) ids.push('snp_provisional');
    if (snp.mitigations.length > 0) ids.push('snp_mitigation');
    if (snp.minGuestSvn !== null) ids.push('snp_measurement');
    if (snp.machines !== null) ids.push('snp_chip_id');
    return ids;
  },
  appraise: (policy, { evidenceType, verification }, checks) => {
    const { snp } = verification.claims;
    if (snp === undefined) return;
    const asked = policy.require.snp;
    const report = checks.at(placeOf('snp', evidenceType));
    appraiseProvisional(snp, asked?.committedEqualsCurrent === true, report);
    if (asked === null) return;
    appraisePlatform(snp, asked, report);
    if (asked.mitigations.length > 0) appraiseMitigations(snp, asked.mitigations, report);
    if (asked.minGuestSvn !== null) appraiseGuestSvn(snp, asked.minGuestSvn, report);
    if (asked.machines !== null) appraiseMachine(snp, asked.machines, report);
  },
};

/**
 * Uncommitted firmware can be rolled back. Azure runs it routinely, so it is a warning unless the policy forbids it.
 */
function appraiseProvisional(snp: SnpClaims, asked: boolean, checks: Checks): void {
  const { current, committed } = snp.tcb;
  const equal =
    snp.firmware.current === snp.firmware.committed &&
    SNP_TCB_COMPONENTS.every((component) => current[component] === committed[component]);
  if (asked) {
    const expected = { firmware: snp.firmware.current, ...current };
    const actual = { firmware: snp.firmware.committed, ...committed };
    checks.require(equal, 'snp_provisional', { expected, actual });
  } else if (!equal) {
    const detail = 'the current firmware is provisional, and the policy does not ask about it';
    checks.notConfigured('snp_provisional', detail);
  }
}

function appraisePlatform(snp: SnpClaims, asked: SnpRequirements, checks: Checks): void {
  for (const bit of SNP_PLATFORM_BITS) {
    const expected = asked.platformInfo[bit];
    if (expected === undefined) continue;
    const actual = snp.platformInfo[bit];
    const detail = `${bit} is ${actual ? 'set' : 'clear'} in the platform info`;
    checks.require(actual === expected, PLATFORM_CHECKS[bit], { expected, actual, detail, otherwise: detail });
  }
}

/** Requires mitigation bits. Reports before version 5 have no vectors and do not pass (AMD 56860, MIT_VECTOR). */
function appraiseMitigations({ mitigation }: SnpClaims, bits: readonly number[], checks: Checks): void {
  if (mitigation === undefined) {
    checks.fail('snp_mitigation', { expected: bits, detail: 'the report has no mitigation vectors' });
    return;
  }
  const both = BigInt(mitigation.current) & BigInt(mitigation.launch);
  const missing = bits.filter((bit) => !isSet(both, bit));
  checks.require(missing.length === 0, 'snp_mitigation', {
    expected: bits,
    actual: { ...mitigation },
    otherwise: `not set in both mitigation vectors: ${missing.join(', ')}`,
  });
}

function isSet(vector: bigint, bit: number): boolean {
  return ((vector >> BigInt(bit)) & 1n) === 1n;
}

function appraiseGuestSvn(snp: SnpClaims, least: number, checks: Checks): void {
  const enough = snp.guestSvn >= least;
  checks.require(enough, 'snp_measurement', {
    expected: { minGuestSvn: least },
    actual: { guestSvn: snp.guestSvn },
    detail: 'the guest image is as new as required',
    otherwise: 'the guest image is older than required',
  });
}

/**
 * Requires a listed machine. A chip id counts only under a VCEK, which AMD issues for one chip; a VLEK does not
 * certify it. A provider counts only under a VLEK, the only certificate that names it.
 */
function appraiseMachine(snp: SnpClaims, machines: SnpMachines, checks: Checks): void {
  const [name, actual, listed] =
    snp.signingKey === 'vcek' ? ['chipId', snp.chipId, machines.chipId] : ['cspId', snp.cspId, machines.cspId];
  const holds = actual !== undefined && listed?.includes(actual) === true;
  const key = snp.signingKey.toUpperCase();
  checks.require(holds, 'snp_chip_id', {
    expected: listed ?? [],
    actual: actual ?? null,
    detail: `the policy lists the ${name} that the ${key} certifies`,
    otherwise:
      listed === null
        ? `a ${key} signed the report, and the policy lists no ${name}`
        : `the policy does not list the ${name} that the ${key} certifies`,
    setting: `require.snp.machines.${name}`,
  });
}
