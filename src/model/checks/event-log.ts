import type { CheckRows } from './row.js';

export const EVENT_LOG_CHECKS = {
  eventlog_replay: {
    holds: 'the log replays to the registers that are quoted',
    fails: 'the log does not replay to the registers that are quoted',
    remedy:
      'The guest should read event log and quote without an event in between, and the caller should send the log whole and unchanged.',
  },
  eventlog_order: {
    holds: 'events that extend nothing have no digest, and separators are separators',
    fails: 'an event that extends nothing has a digest, or a separator is none',
    remedy: 'The caller should send the event log whole and in the order in which the firmware wrote it.',
  },
  eventlog_unverified: {
    holds: 'the data of each event is what was measured',
    fails: 'the data of an event is not what was measured',
    remedy: 'The caller should send the event log unchanged, because the data of an event is not what was measured.',
  },
  eventlog_missing: {
    holds: 'the event log came with the evidence',
    fails: 'the policy asks what was booted, and no event log came with the evidence',
    remedy: 'The caller should send the event log of the guest, because the policy asks what it booted.',
  },
  secure_boot: {
    holds: 'secure boot is on',
    fails: 'secure boot is off',
    trust: { guest: { configuration: 96 }, token: { configuration: 96 } },
    remedy: "The guest's owner should turn Secure Boot on, or the operator should not require it in the policy.",
  },
  secure_boot_unknown: {
    holds: 'something verified says whether secure boot is on',
    fails: 'nothing verified says whether secure boot is on',
    // Security-relevant elements cannot be seen.
    trust: { guest: { configuration: 36 }, token: { configuration: 36 } },
    remedy:
      'The caller should send evidence that states Secure Boot, such as runtime claims of a known paravisor or a token of Azure Attestation.',
  },
} satisfies CheckRows;
