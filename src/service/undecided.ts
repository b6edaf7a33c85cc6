import { Checks } from '../model/check.js';
import type { CheckId } from '../model/codes.js';
import { markVerified } from '../verifiers/evidence/mark-verified.js';
import type { Judged } from './judge-results.js';
import { SUBMITTED_ROUTES } from './submit-where-wanted.js';

/** A verification without a result: no policy can allow on it. */
export function undecided(code: Extract<CheckId, 'deadline' | 'internal_error'>, retryable: boolean): Judged {
  const checks = new Checks('/evidence');
  checks.unavailable(code, { retryable });
  return {
    verification: {
      checks: checks.all,
      required: [],
      claims: markVerified({}),
      endorsements: [],
      bound: [],
      validUntil: null,
    },
    results: new Map(SUBMITTED_ROUTES.map((route) => [route, { state: 'not judged' }])),
    crossCheck: null,
    clockSkewSeconds: null,
    retryAfterSeconds: null,
  };
}
