import type { CheckRows } from './row.js';

export const SERVICE_CHECKS = {
  internal_error: {
    holds: 'the service judged the request without a fault of its own',
    fails: 'the verifier failed',
  },
  deadline: {
    holds: 'the request was judged in time',
    fails: 'the deadline of the request has passed',
    underlies: 'hardware',
  },
  clock: {
    holds: 'the clock of the service can be relied on',
    fails: 'the clock of the service cannot be relied on',
    underlies: 'hardware',
  },
} satisfies CheckRows;
