import type { Checks } from '../../core/check.js';
import type { TpmClaims } from '../../core/claims.js';
import type { JsonObject } from '../../core/json.js';
import { isBehind, namingVtpm, type RememberedResets, type ResetCounts } from '../../core/vtpm-resets.js';
import type { Policy } from '../document/policy-document.js';
import type { Findings } from './appraisal-topic.js';

/** A vTPM with reset counters that are compared with earlier ones. */
export interface TrackedVtpm {
  readonly akThumbprint: string;
  readonly counts: ResetCounts;
}

export function tracksResets({ require: { tpm } }: Policy): boolean {
  return tpm?.trackResets === true;
}

/** Null if the evidence has no verified quote or no attestation key, or if its vTPM is new at each boot. */
export function trackedVtpm(verification: Findings): TrackedVtpm | null {
  const { claims, akThumbprint } = verification;
  if (claims.tpm === undefined || akThumbprint === undefined || isMadeAnew(verification)) return null;
  return { akThumbprint, counts: countsOf(claims.tpm) };
}

/**
 * Compares the reset counters of the quote with those of earlier allowed quotes. The clock is not compared: quotes of
 * one boot can arrive out of order, so an earlier clock with equal counters proves nothing.
 */
export function appraiseResets(verification: Findings, remembered: RememberedResets, checks: Checks): void {
  const { akThumbprint, claims } = verification;
  const { tpm } = claims;
  if (tpm === undefined) {
    checks.fail('tpm_reset', { detail: 'the evidence has no quote of a vTPM, and the policy tracks its resets' });
    return;
  }
  const actual = countsAnswer(countsOf(tpm));
  if (isMadeAnew(verification)) {
    const detail =
      'the vTPM is made anew at each boot (tpmPersisted is false, and no hardware sealing policy keeps it), so there are no earlier counts';
    checks.pass('tpm_reset', { actual, detail });
    return;
  }
  switch (remembered.state) {
    case 'none':
      checks.pass('tpm_reset', { actual, detail: 'no earlier counts of this vTPM are remembered' });
      break;
    case 'remembered':
      compare(remembered.counts, countsOf(tpm), akThumbprint, checks);
      break;
    case 'not consulted':
      checks.warn('tpm_reset', { actual, detail: 'not compared: only the counts of today are remembered' });
      break;
    case 'unavailable': {
      const detail = namingVtpm(akThumbprint, remembered.detail);
      checks.unavailable('tpm_reset', { actual, detail, retryable: remembered.retryable });
      break;
    }
  }
}

function compare(remembered: ResetCounts, counts: ResetCounts, akThumbprint: string | undefined, checks: Checks): void {
  const behind =
    counts.resetCount === remembered.resetCount
      ? `restartCount ${counts.restartCount} is lower than ${remembered.restartCount}, which was allowed before at the same resetCount`
      : `resetCount ${counts.resetCount} is lower than ${remembered.resetCount}, which was allowed before`;
  checks.require(!isBehind(counts, remembered), 'tpm_reset', {
    expected: countsAnswer(remembered),
    actual: countsAnswer(counts),
    otherwise: namingVtpm(akThumbprint, behind),
  });
}

/**
 * Whether the vTPM, and so its attestation key, is new at each boot: a stateless VM without a sealing policy, or with
 * `none`. Any other sealing policy, known or not, keeps the vTPM, sealed to the hardware.
 */
function isMadeAnew({ claims: { hcl } }: Findings): boolean {
  const { tpmPersisted, hardwareSealingPolicy = 'none' } = hcl?.vmConfiguration ?? {};
  return tpmPersisted === false && hardwareSealingPolicy === 'none';
}

function countsOf({ clock: { resetCount, restartCount } }: TpmClaims): ResetCounts {
  return { resetCount, restartCount };
}

function countsAnswer({ resetCount, restartCount }: ResetCounts): JsonObject {
  return { resetCount, restartCount };
}
