import type { CheckRows } from './row.js';

const BOOT = ['referenceValues[].tpm.boot', 'referenceValues[].tdx.boot'];

export const EVENT_LOG_CHECKS = {
  eventlog_replay: {
    holds: 'the event log replays to the quoted registers',
    fails: 'the event log does not replay to the quoted registers',
    members: ['require.tpm.runtimePcrs', ...BOOT],
  },
  eventlog_order: {
    holds: 'the events of the log are in an order in which firmware measures',
    fails: 'the events of the log are in an order in which no firmware measures',
  },
  eventlog_unverified: {
    holds: 'the data of each event is what was measured',
    fails: 'the data of an event is not what was measured',
    members: BOOT,
  },
  eventlog_missing: {
    holds: 'the evidence has an event log',
    fails: 'the policy asks what was booted, and the evidence has no event log',
    members: BOOT,
  },
  secure_boot: {
    holds: 'Secure Boot is on',
    fails: 'Secure Boot is off',
    members: ['secureBoot'],
    trust: { guest: { configuration: 96 }, token: { configuration: 96 } },
  },
  secure_boot_unknown: {
    holds: 'verified evidence says whether Secure Boot is on',
    fails: 'no verified evidence says whether Secure Boot is on',
    members: ['secureBoot'],
    // Security-relevant elements cannot be seen.
    trust: { guest: { configuration: 36 }, token: { configuration: 36 } },
  },
} satisfies CheckRows;
