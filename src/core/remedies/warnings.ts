import type { RemediesOf } from '../checks/row.js';
import type { WARNING_CHECKS } from '../checks/warnings.js';

export const WARNING_REMEDIES = {
  crl_unconfirmed: 'The operator should let the service reach amd.kds, or put a new CRL into amd.chains.',
  launch_endorsement_ignored:
    'The caller should leave Endorsements out, because nothing in the decision rests on them.',
} satisfies RemediesOf<typeof WARNING_CHECKS>;
