import type { Finding } from '../../../core/checks/row.js';
import { SNP_TCB_COMPONENTS } from '../../../core/claims.js';
import { isObject, type JsonValue } from '../../../core/json.js';
import {
  bits,
  changedPolicy,
  components,
  differences,
  faultsOf,
  isJsonList,
  policyOf,
  reference,
  rises,
  value,
} from '../../../core/remedies/words.js';

/** The start of a remedy for a token about an SEV-SNP VM without hardware evidence. */
export const HARDWARE_EVIDENCE = 'The caller should send the hardware evidence, and the token in attestationResults';

/** The part in a finding if model and stepping belong to no known part. */
const UNKNOWN_PART = 'unknown';

export function product(finding: Finding): string {
  const { expected, actual, policy } = finding;
  if (policy === null) {
    if (Array.isArray(expected)) {
      return 'The operator should update this service, because it has no AMD root key for this product line.';
    }
    const lines =
      expected === actual || expected === null || actual === null
        ? ''
        : `, because the issuer of this one is for ${value(expected, 'one line')}, and not for ${value(actual, 'this line')}`;
    return `The caller should send the certificate of the key that signed the report, or leave it out so that the service fetches it${lines}.`;
  }
  return actual === UNKNOWN_PART
    ? `The operator should update this service, which does not know this part yet, or accept it with minimums.snp: any in ${changedPolicy(finding)}.`
    : `The operator should add a minimum for ${value(actual, 'this part')} to minimums.snp of ${changedPolicy(finding)} if such processors are to be accepted.`;
}

export function otherChip({ actual }: Finding): string {
  if (actual === 'masked') {
    return "The machine's owner should let reports name their chip (MASK_CHIP_ID and MASK_CHIP_KEY of SNP_CONFIG clear), because no certificate can be compared with this one.";
  }
  return `The caller should send the VCEK of the chip that made the report${value(actual, '') === '' ? '' : ` (CHIP_ID ${value(actual, '')})`}, or leave it out so that the service fetches it.`;
}

/** The remedy for a report that the host requested, or that the guest requested at another VMPL. */
export function otherRequester(finding: Finding): string {
  const { expected, actual, policy } = finding;
  if (policy !== null) return reference(finding);
  return isJsonList(expected)
    ? 'The caller should send a report that the guest itself requested, because the host can request one too.'
    : `The caller should send the report that the paravisor made at VMPL 0, which Azure keeps in NV index 0x01400001, and not one of VMPL ${value(actual, '1 to 3')}.`;
}

/** The remedy for a low TCB: update the firmware, or relaunch a guest that was launched on lower firmware. */
export function lowTcb(finding: Finding): string {
  const { expected, actual, result } = finding;
  const part = isObject(expected) ? value(expected['part'], 'this part') : 'this part';
  const isOfLaunch = isObject(expected) && expected['tcb'] === 'launch';
  const needed = rises(expected, actual, 'the versions in minimums.snp', isOfLaunch ? 'it was' : 'it is');
  const what = isOfLaunch
    ? `The guest's owner should launch the guest again on firmware with ${needed}`
    : `The machine's owner should update its firmware to ${needed}`;
  if (result === 'warn') return `${what}, before the waiver in ${policyOf(finding)} ends.`;
  const floor = components(actual, '');
  return `${what}, or the operator should waive snp_tcb_low for ${part} in ${changedPolicy(finding)} until then${floor === '' ? '' : `, with the floor ${floor}`}.`;
}

export function tcbOrder({ actual }: Finding): string {
  const faults = [...outOfOrder(actual, 'reported', 'committed'), ...outOfOrder(actual, 'committed', 'current')];
  return `The machine's owner should reinstall its SEV firmware, because its TCB versions contradict each other: ${faultsOf({ faults }, 'reported is above committed, or committed above current')}.`;
}

function outOfOrder(actual: JsonValue, lower: string, upper: string): readonly string[] {
  const tcb = (name: string) => (isObject(actual) ? (actual[name] ?? null) : null);
  const version = (name: string, component: string) => {
    const versions = tcb(name);
    return isObject(versions) ? Number(versions[component] ?? 0) : 0;
  };
  return SNP_TCB_COMPONENTS.flatMap((component) => {
    const [low, high] = [version(lower, component), version(upper, component)];
    return low > high ? [`${component} is ${low} in the ${lower} TCB and ${high} in the ${upper} TCB`] : [];
  });
}

export function provisional(finding: Finding): string {
  const { expected, actual } = finding;
  const what = differences(expected, actual, 'as it runs');
  return `The machine's owner should commit the running SEV firmware (SNP_COMMIT): ${what}, or the operator should take require.snp.committedEqualsCurrent out of ${changedPolicy(finding)}.`;
}

/** The remedy for clear bits: new firmware if a bit is clear now, a relaunch if it was clear only at launch. */
export function missingMitigations(finding: Finding): string {
  const { expected, actual } = finding;
  const asked = isJsonList(expected) ? expected.filter((bit) => typeof bit === 'number') : [];
  const mitigations = (numbers: readonly number[]) => bits(numbers, 'those in require.snp.mitigations');
  if (!isObject(actual)) {
    return `The machine's owner should install firmware that reports its mitigations (report version 5) and has set ${mitigations(asked)} of the vector, and the guest's owner should then launch the guest again.`;
  }
  const now = asked.filter((bit) => !isSet(actual['current'], bit));
  if (now.length > 0) {
    return `The machine's owner should install firmware that sets ${mitigations(now)} of the mitigation vector, and the guest's owner should then launch the guest again.`;
  }
  const atLaunch = asked.filter((bit) => !isSet(actual['launch'], bit));
  return `The guest's owner should launch the guest again, because the firmware sets ${mitigations(atLaunch)} of the mitigation vector now, and did not at launch.`;
}

function isSet(vector: JsonValue | undefined, bit: number): boolean {
  if (typeof vector !== 'string' || !/^0x[0-9a-f]+$/.test(vector) || !Number.isInteger(bit) || bit < 0) return false;
  return ((BigInt(vector) >> BigInt(bit)) & 1n) === 1n;
}
