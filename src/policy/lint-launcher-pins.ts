import type { EvidenceType } from '../core/evidence.js';
import { hasParavisor, isHardwareType, teeOf } from '../core/evidence-traits.js';
import type { Policy } from './document/policy-document.js';
import type { PolicyProblem } from './document/policy-problem.js';
import { couldMatch } from './document/reference-use.js';
import { showsParavisor } from './lint/lint-launcher-words.js';
import {
  type PinnedClaim,
  type Pinning,
  pinnedIn,
  pinningOfRule,
  pinningOfSet,
  VM_UNIQUE_ID,
} from './pinned-claims.js';

/** Prefixes of claims that are set by the launcher, or by firmware that the launcher chooses. */
const CHOSEN: readonly string[] = [
  ...['snp.hostData', 'snp.familyId', 'snp.imageId'],
  ...['tdx.mrConfigId', 'tdx.mrOwner', 'tdx.rtmr'],
];
/** Prefixes of claims that the paravisor or its vTPM writes. */
const OF_PARAVISOR: readonly string[] = ['tpm.pcrs.', 'tpm.eventLog.', VM_UNIQUE_ID];

/** Claims about the launched code, its signer, or the machine. */
const OF_LAUNCH: readonly string[] = [
  ...['snp.measurement', 'snp.idKeyDigest', 'snp.authorKeyDigest', 'snp.chipId'],
  ...['tdx.mrtd', 'tdx.ppid'],
];

const ALL_CHOSEN = 'is met by values that the launcher chooses: any VM on genuine hardware can have them';

/** Reports sets of reference values that only pin values of the launcher's choice. Without sets, reports such rules. */
export function lintLauncherPins(policy: Policy): readonly PolicyProblem[] {
  const pointers = policy.accepts.filter(isHardwareType).flatMap((type) => chosenPins(policy, type));
  return [...new Set(pointers)].map((pointer) => ({ code: 'launcher_word', pointer, message: ALL_CHOSEN }));
}

/** JSON pointers. */
function chosenPins(policy: Policy, type: EvidenceType): readonly string[] {
  const { referenceValues: sets, rules, require } = policy;
  // A pin of a provider (cspId) matches any machine that a customer rents there.
  const chips = require.snp?.machines?.cspId == null ? require.snp?.machines?.chipId : null;
  const machines = teeOf(type) === 'snp' ? chips : require.tdx?.machines?.ppid;
  if (machines != null) return [];
  const ofRules = rules.map((rule, index) => pinningOfRule(rule, type, policy, `/rules/${index}/${rule.language}`));
  // Another lint reports a rule that compares a runtime claim.
  if (sets.length === 0)
    return chosenOf(ofRules, type, policy).flatMap(({ claim, pointer }) => (claim === VM_UNIQUE_ID ? [] : pointer));
  return sets.flatMap((set, index) => {
    if (!couldMatch(set, type, policy)) return [];
    const pinning = pinningOfSet(set, `/referenceValues/${index}`);
    const pins = pinnedIn(pinning);
    return chosenOf([pinning, ...ofRules], type, policy).flatMap((pin) => (pins.includes(pin) ? pin.pointer : []));
  });
}

/** The pins of the launcher's choice among pins that must hold together; none if they also pin the launch. */
function chosenOf(pinnings: readonly Pinning[], type: EvidenceType, policy: Policy): readonly PinnedClaim[] {
  if (pinnings.some(showsLaunch)) return [];
  const pins = pinnings.flatMap(pinnedIn);
  const isBehindParavisor = hasParavisor(type) || pins.some(({ claim }) => claim === VM_UNIQUE_ID);
  if (isBehindParavisor && (policy.paravisor === 'known' || showsParavisor(policy))) return [];
  const chosen = isBehindParavisor ? [...CHOSEN, ...OF_PARAVISOR] : CHOSEN;
  return pins.filter(({ claim }) => chosen.some((beginning) => claim.startsWith(beginning)));
}

/** Whether pins identify the launched code, its signer or the machine. Each alternative must. */
function showsLaunch(pinning: Pinning): boolean {
  if (pinning.op === 'pin') return OF_LAUNCH.includes(pinning.claim);
  return pinning.op === 'any' ? pinning.parts.every(showsLaunch) : pinning.parts.some(showsLaunch);
}
