import type { EvidenceType } from '../model/evidence.js';
import { hasParavisor, isHardwareType, teeOf } from '../model/evidence-traits.js';
import { showsParavisor } from './lint-launcher-words.js';
import { type PinnedClaim, pinnedIn, pinningOfRule, pinningOfSet, VM_UNIQUE_ID } from './pinned-claims.js';
import type { Policy } from './policy-document.js';
import type { PolicyProblem } from './policy-problem.js';
import { couldMatch } from './reference-use.js';

/** Claims, by the beginnings of their names, that the launcher sets, or the firmware that it chooses. */
const CHOSEN: readonly string[] = [
  ...['snp.hostData', 'snp.familyId', 'snp.imageId'],
  ...['tdx.mrConfigId', 'tdx.mrOwner', 'tdx.rtmr'],
];
/** Beside them, what a paravisor writes, or reports of the vTPM that it is. */
const OF_PARAVISOR: readonly string[] = ['tpm.pcrs.', 'tpm.eventLog.', VM_UNIQUE_ID];

/** Claims that show what was launched, who signed it, or where. */
const OF_LAUNCH: readonly string[] = [
  ...['snp.measurement', 'snp.idKeyDigest', 'snp.authorKeyDigest', 'snp.chipId'],
  ...['tdx.mrtd', 'tdx.ppid'],
];

const ALL_CHOSEN = 'pins only values that the launcher chooses: any VM on genuine hardware can have them';

/** Sets of reference values, or rules where there are none, whose pins are all the launcher's choice. */
export function lintLauncherPins(policy: Policy): readonly PolicyProblem[] {
  const pointers = policy.accepts.filter(isHardwareType).flatMap((type) => chosenPins(policy, type));
  return [...new Set(pointers)].map((pointer) => ({ code: 'launcher_word', pointer, message: ALL_CHOSEN }));
}

/** JSON pointers. */
function chosenPins(policy: Policy, type: EvidenceType): readonly string[] {
  const { referenceValues: sets, rules, require } = policy;
  const machines = teeOf(type) === 'snp' ? require.snp?.machines : require.tdx?.machines;
  if (machines != null) return [];
  const ofRules = rules.flatMap((rule, index) =>
    pinnedIn(pinningOfRule(rule, type, policy, `/rules/${index}/${rule.language}`)),
  );
  // A rule that compares a runtime claim has a remark of its own.
  if (sets.length === 0)
    return chosenOf(ofRules, type, policy)
      .filter((pin) => pin.claim !== VM_UNIQUE_ID)
      .map(pointerOf);
  return sets.flatMap((set, index) => {
    const pinning = pinningOfSet(set, `/referenceValues/${index}`);
    const pins = couldMatch(set, type, policy) ? pinnedIn(pinning) : [];
    return chosenOf([...pins, ...ofRules], type, policy)
      .filter((pin) => pins.includes(pin))
      .map(pointerOf);
  });
}

function pointerOf({ pointer }: PinnedClaim): string {
  return pointer;
}

/** The pins that the launcher chooses; none where one of the others shows the launch. */
function chosenOf(pins: readonly PinnedClaim[], type: EvidenceType, policy: Policy): readonly PinnedClaim[] {
  if (pins.some(({ claim }) => OF_LAUNCH.includes(claim))) return [];
  const isBehindParavisor = hasParavisor(type) || pins.some(({ claim }) => claim === VM_UNIQUE_ID);
  if (isBehindParavisor && (policy.paravisor === 'known' || showsParavisor(policy))) return [];
  const chosen = isBehindParavisor ? [...CHOSEN, ...OF_PARAVISOR] : CHOSEN;
  return pins.filter(({ claim }) => chosen.some((beginning) => claim.startsWith(beginning)));
}
