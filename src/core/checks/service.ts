import type { CheckRows } from './row.js';

export const SERVICE_CHECKS = {
  internal_error: {
    holds: 'the service verified the request without an internal error',
    fails: 'the verifier failed',
  },
  deadline: {
    holds: 'the service verified the request within the deadline',
    fails: 'the deadline of the request has passed',
    underlies: 'hardware',
  },
  clock: {
    holds: 'the clock of the service can be relied on',
    fails: 'the clock of the service cannot be relied on',
    underlies: 'hardware',
  },
} satisfies CheckRows;
