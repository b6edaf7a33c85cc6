import type { CheckRows } from './row.js';

export const SERVICE_CHECKS = {
  internal_error: {
    holds: 'the service judged the request without a fault of its own',
    fails: 'the verifier failed',
    remedy: 'The caller should report the decision id to the operator, whose log names the fault.',
  },
  deadline: {
    holds: 'the request was judged in time',
    fails: 'the deadline of the request has passed',
    underlies: 'hardware',
    remedy:
      'The caller should try again, and if this happens often, the operator should look for slow sources in the log or raise deadlineSeconds.',
  },
  clock: {
    holds: 'the clock of the service can be relied on',
    fails: 'the clock of the service cannot be relied on',
    underlies: 'hardware',
    remedy:
      'The operator should correct the clock of this machine, and the caller should try again once /readyz answers 200.',
  },
} satisfies CheckRows;
