import type { CheckRows } from './row.js';

export const WARNING_CHECKS = {
  crl_unconfirmed: {
    holds: 'AMD KDS confirmed the CRL within 48 hours',
    fails: 'AMD KDS did not confirm the CRL within 48 hours, or only the request supplied one',
    waiver: 'plain',
  },
  launch_endorsement_ignored: {
    holds: 'no launch endorsement was sent',
    fails: 'a launch endorsement was sent, which this version does not verify',
  },
} satisfies CheckRows;
