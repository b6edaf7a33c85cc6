import type { RemediesOf } from '../checks/row.js';
import type { SERVICE_CHECKS } from '../checks/service.js';

export const SERVICE_REMEDIES = {
  internal_error: 'The caller should report the decision id to the operator, whose log names the fault.',
  deadline:
    'The caller should try again, and if this happens often, the operator should look for slow sources in the log or raise deadlineSeconds.',
  clock:
    'The operator should correct the clock of this machine, and the caller should try again once /readyz answers 200.',
} satisfies RemediesOf<typeof SERVICE_CHECKS>;
