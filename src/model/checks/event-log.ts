import type { CheckRows } from './row.js';
import { isOfBootClaim } from './words.js';

export const EVENT_LOG_CHECKS = {
  eventlog_replay: {
    holds: 'the event log replays to the quoted registers',
    fails: 'the event log does not replay to the quoted registers',
    remedy: (finding) =>
      isOfBootClaim(finding)
        ? 'The caller should send the log of what the operating system measured as well, or the operator should take the claim out of the reference values.'
        : 'The guest should read its event logs and the quote with no event in between, and the caller should send all of them unchanged; a PCR that has no event in them at all can be listed in runtimePcrs.',
  },
  eventlog_order: {
    holds: 'the events of the log are in an order in which firmware measures',
    fails: 'the events of the log are in an order in which no firmware measures',
    remedy: 'The caller should send the whole event log, in the order in which the firmware wrote it.',
  },
  eventlog_unverified: {
    holds: 'the data of each event is what was measured',
    fails: 'the data of an event is not what was measured',
    remedy: (finding) =>
      isOfBootClaim(finding)
        ? "The guest's owner should boot with a loader whose events show the claim, or the operator should take it out of the reference values."
        : 'The caller should send the event log unchanged, because the data of an event is not what was measured.',
  },
  eventlog_missing: {
    holds: 'the evidence has an event log',
    fails: 'the policy asks what was booted, and the evidence has no event log',
    remedy: 'The caller should send the event log of the guest, because the policy asks what it booted.',
  },
  secure_boot: {
    holds: 'Secure Boot is on',
    fails: 'Secure Boot is off',
    trust: { guest: { configuration: 96 }, token: { configuration: 96 } },
    remedy: ({ expected }) =>
      typeof expected === 'boolean'
        ? "The guest's owner should turn Secure Boot on, or the operator should not require it in the policy."
        : 'The caller should send the event log and the HCL report of the same boot, because the two differ on Secure Boot.',
  },
  secure_boot_unknown: {
    holds: 'verified evidence says whether Secure Boot is on',
    fails: 'no verified evidence says whether Secure Boot is on',
    // Security-relevant elements cannot be seen.
    trust: { guest: { configuration: 36 }, token: { configuration: 36 } },
    remedy:
      'The caller should send evidence that states Secure Boot, such as the event log of the firmware with PCR 7 in the quote of the vTPM, the runtime claims of a known paravisor or an Azure Attestation token.',
  },
} satisfies CheckRows;
