import { OPEN_HOST_DATA } from '../core/microsoft-launches.js';
import type { ReleasePolicy } from './akv/policy-tree.js';
import { lackingForRelease } from './appraise/release-fitness.js';
import type { Policy } from './document/policy-document.js';
import type { PolicyProblem } from './document/policy-problem.js';
import { type Pinning, pinnedIn, pinningOfReleasePolicy, pinningOfRule, pinningOfSet } from './pinned-claims.js';
import { releasePins } from './release-pins.js';

/** ID_KEY_DIGESTs of paravisors that the configuration lists; defaults to none. */
export interface ParavisorOptions {
  readonly paravisorKeys?: ReadonlySet<string> | undefined;
}

/** Warns of a policy for key release that allows too many VMs. */
export function lintRelease(policy: Policy, options: ParavisorOptions): readonly PolicyProblem[] {
  if (lackingForRelease(policy).length > 0) return [];
  const unpinned = releasePins(policy, options.paravisorKeys ?? new Set()).unpinned.map(
    (pointer): PolicyProblem => ({ code: 'release_unpinned', pointer, message: UNPINNED }),
  );
  return [...unpinned, ...firmwarePins(policy, options)];
}

const UNPINNED = 'pins neither code nor machine: a key with this policy does not load without anyMachine: true';

/** Reports pins with values that are equal on many VMs. */
function firmwarePins(policy: Policy, { paravisorKeys = new Set() }: ParavisorOptions): readonly PolicyProblem[] {
  return releasePins(policy, paravisorKeys).firmwareOnly.map((pointer) => ({
    code: 'release_firmware_only',
    pointer,
    message: FIRMWARE_ONLY,
  }));
}

const FIRMWARE_ONLY =
  'pins firmware alone: PCR 7 is equal on all VMs of a distribution, and snp.measurement without hostData is of the firmware';

/** Reports HOST_DATA of published policies for container groups that allow any container. */
export function lintHostData(policy: Policy): readonly PolicyProblem[] {
  const ofRules = policy.rules.flatMap((rule, index) =>
    policy.accepts.map((type) => pinningOfRule(rule, type, policy, `/rules/${index}/${rule.language}`)),
  );
  const ofSets = policy.referenceValues.map((set, index) => pinningOfSet(set, `/referenceValues/${index}`));
  return openHostData([...ofSets, ...ofRules]);
}

/** Reports such HOST_DATA in a release policy outside a policy document. */
export function lintHostDataOf(policy: ReleasePolicy): readonly PolicyProblem[] {
  return openHostData([pinningOfReleasePolicy(policy)]);
}

function openHostData(pinnings: readonly Pinning[]): readonly PolicyProblem[] {
  const open = pinnings
    .flatMap(pinnedIn)
    .filter(({ claim, values }) => isHostData(claim) && values.some(isOpen))
    .map(({ pointer }) => pointer);
  const message = 'accepts the HOST_DATA of a published policy that allows every container';
  return [...new Set(open)].map((pointer) => ({ code: 'host_data_open_policy', pointer, message }));
}

/** Whether a claim is HOST_DATA: of the report, or of a token at the top level or in x-ms-isolation-tee. */
function isHostData(claim: string): boolean {
  return claim === 'snp.hostData' || /^maa\.claims\.(?:.+\.)?x-ms-sevsnpvm-hostdata$/.test(claim);
}

function isOpen(value: unknown): boolean {
  return typeof value === 'string' && OPEN_HOST_DATA.has(value);
}
