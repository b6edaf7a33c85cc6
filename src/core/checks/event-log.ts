import type { CheckRows, Finding } from './row.js';
import { changedPolicy, faultsOf, inBrackets, isOfBootClaim, pcrs, policyOf, without } from './words.js';

const BOOT = ['referenceValues[].tpm.boot', 'referenceValues[].tdx.boot'];
const OF_BOOT = { expected: ['/vmlinuz ro'], setting: 'referenceValues[].tpm.boot.commandLines', policy: 'payments' };

export const EVENT_LOG_CHECKS = {
  eventlog_replay: {
    holds: 'the event log replays to the quoted registers',
    fails: 'the event log does not replay to the quoted registers',
    when: 'a register that the firmware extends does not replay to its quoted value; a quoted PCR is not in its initial state, the log has no event for it, and require.tpm.runtimePcrs does not list it; a claim of the reference values rests on a register that does not replay',
    members: ['require.tpm.runtimePcrs', ...BOOT],
    remedy: replay,
    examples: [{ faults: ['RTMR 0'] }, { expected: [], actual: [23], policy: 'payments' }, OF_BOOT],
  },
  eventlog_order: {
    holds: 'the events of the log are in an order in which firmware measures',
    fails: 'the events of the log are in an order in which no firmware measures',
    when: 'an event that extends nothing has a digest; a startup locality is not 0, 3 or 4, or is named twice; a separator has other data; a variable of Secure Boot follows the separator; PCR 2, 4 or 7 has a second separator (in PCR 0, 1, 3, 5 and 6 that is a warning)',
    remedy: (finding) =>
      finding.result === 'warn'
        ? `The machine's owner should update the firmware if it writes more than one separator into a PCR${inBrackets(finding)}.`
        : `The caller should send the whole event log, in the order in which the firmware wrote it${inBrackets(finding)}.`,
    examples: [
      { faults: ['the event at offset 18653 extends nothing and has a digest'] },
      { result: 'warn', faults: ['the event at offset 3214 is a second separator in PCR 0'] },
    ],
  },
  eventlog_unverified: {
    holds: 'the data of each event is what was measured',
    fails: 'the data of an event is not what was measured',
    when: 'the data of an event of the register of Secure Boot is not what its digest is of; a claim of the reference values is not shown by measured data',
    members: BOOT,
    remedy: (finding) =>
      isOfBootClaim(finding)
        ? `The guest's owner should boot with a loader whose events show the claim, or the operator should take ${claimOf(finding)} out of ${changedPolicy(finding)}.`
        : `The caller should send the event log unchanged, because ${faultsOf(finding, 'the data of an event is not what was measured')}.`,
    examples: [{ faults: ['the data of the event at offset 416 is not what RTMR 0 was extended by'] }, OF_BOOT],
  },
  eventlog_missing: {
    holds: 'the evidence has an event log',
    fails: 'the policy asks what was booted, and the evidence has no event log',
    when: 'the reference values compare what was booted, and the evidence has no event log, or one that does not hold',
    members: BOOT,
    remedy: (finding) =>
      `The caller should send the event log of the guest, because ${policyOf(finding)} asks what it booted (${claimOf(finding)}).`,
    examples: [OF_BOOT],
  },
  secure_boot: {
    holds: 'Secure Boot is on',
    fails: 'Secure Boot is off',
    when: 'under secureBoot: required, verified evidence says literally that Secure Boot is off; under every policy, the event log and the runtime claims differ on it',
    members: ['secureBoot'],
    trust: { guest: { configuration: 96 }, token: { configuration: 96 } },
    remedy: (finding) =>
      typeof finding.expected === 'boolean'
        ? `The guest's owner should turn Secure Boot on, or the operator should take secureBoot: required out of ${changedPolicy(finding)}.`
        : 'The caller should send the event log and the HCL report of the same boot, because the two differ on Secure Boot.',
    examples: [{ expected: true, actual: false, policy: 'payments' }, { policy: 'payments' }],
  },
  secure_boot_unknown: {
    holds: 'verified evidence says whether Secure Boot is on',
    fails: 'no verified evidence says whether Secure Boot is on',
    when: 'under secureBoot: required, what says it is missing, is no boolean, or cannot be relied on: a paravisor that is not known, PCR 7 or RTMR 0 not quoted, shim that checks nothing',
    members: ['secureBoot'],
    // Security-relevant elements cannot be seen.
    trust: { guest: { configuration: 36 }, token: { configuration: 36 } },
    remedy:
      'The caller should send evidence that states Secure Boot, such as the event log of the firmware with PCR 7 in the quote of the vTPM, the runtime claims of a known paravisor or an Azure Attestation token.',
  },
} satisfies CheckRows;

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
