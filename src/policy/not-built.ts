import { isVerified } from '../model/evidence-traits.js';
import type { PolicyMembers } from './policy-members.js';

/** A member that loads although this version does not judge what it asks for. */
export interface MemberNotBuilt {
  /** JSON pointer. */
  readonly pointer: string;
  readonly message: string;
}

/** What of a policy waits for a later version. None of it makes this version allow what it would not. */
export function membersNotBuilt({ accepts, require: { tpm } }: PolicyMembers): readonly MemberNotBuilt[] {
  const found: MemberNotBuilt[] = [];
  const add = (pointer: string, message: string) => found.push({ pointer, message });
  for (const type of accepts.filter((accepted) => !isVerified(accepted))) {
    add('/accepts', `evidence of type ${type} cannot be judged by this version`);
  }
  if (tpm?.trackResets === true) {
    add('/require/tpm/trackResets', 'this version keeps no reset counters: every decision is indeterminate');
  }
  if ((tpm?.runtimePcrs ?? []).length > 0) {
    add('/require/tpm/runtimePcrs', 'this version does not replay the event log of a vTPM, so this decides nothing');
  }
  return found;
}
