import type { EVENT_LOG_CHECKS } from '../checks/event-log.js';
import type { Finding, RemediesOf } from '../checks/row.js';
import { changedPolicy, faultsOf, inBrackets, isOfBootClaim, pcrs, policyOf, without } from './words.js';

export const EVENT_LOG_REMEDIES = {
  eventlog_replay: replay,
  eventlog_order: (finding) =>
    finding.result === 'warn'
      ? `The machine's owner should update the firmware if it writes more than one separator into a PCR${inBrackets(finding)}.`
      : `The caller should send the whole event log, in the order in which the firmware wrote it${inBrackets(finding)}.`,
  eventlog_unverified: (finding) =>
    isOfBootClaim(finding)
      ? `The guest's owner should boot with a loader whose events show the claim, or the operator should take ${claimOf(finding)} out of ${changedPolicy(finding)}.`
      : `The caller should send the event log unchanged, because ${faultsOf(finding, 'the data of an event is not what was measured')}.`,
  eventlog_missing: (finding) =>
    `The caller should send the event log of the guest, because ${policyOf(finding)} asks what it booted (${claimOf(finding)}).`,
  secure_boot: (finding) =>
    typeof finding.expected === 'boolean'
      ? `The guest's owner should turn Secure Boot on, or the operator should take secureBoot: required out of ${changedPolicy(finding)}.`
      : 'The caller should send the event log and the HCL report of the same boot, because the two differ on Secure Boot.',
  secure_boot_unknown:
    'The caller should send evidence that states Secure Boot, such as the event log of the firmware with PCR 7 in the quote of the vTPM, the runtime claims of a known paravisor or an Azure Attestation token.',
} satisfies RemediesOf<typeof EVENT_LOG_CHECKS>;

function claimOf({ setting = 'the claim' }: Finding): string {
  return setting;
}

function replay(finding: Finding): string {
  if (isOfBootClaim(finding)) {
    return `The caller should send the log of what the operating system measured as well, or the operator should take ${claimOf(finding)} out of ${changedPolicy(finding)}.`;
  }
  const again =
    'The guest should read its event logs and the quote with no event in between, and the caller should send all of them unchanged';
  if (finding.policy === null) return `${again}${because(finding)}.`;
  const unexplained = pcrs(without(finding.actual, finding.expected), 'a PCR that has no event in them at all');
  return `${again}, or the operator should list ${unexplained} in require.tpm.runtimePcrs of ${changedPolicy(finding)} if its guest extends what the firmware does not.`;
}

function because({ faults = [] }: Finding): string {
  return faults.length === 0 ? '' : `, because the logs do not replay to ${faultsOf({ faults }, '')}`;
}
