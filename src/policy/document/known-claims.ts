import type { EvidenceType } from '../../core/evidence.js';
import {
  hasTdEventLog,
  hasVtpm,
  isHardwareType,
  isTokenType,
  teeOf,
  tokenRouteOf,
} from '../../core/evidence-traits.js';
import type { Known } from '../cel/foresee.js';
import type { PolicyMembers } from './policy-grammar.js';
import type { Rule } from './rule.js';

const TD_EVENT_LOG = 'tdx.eventLog';

/** The parts of a policy that decide which claims its rules can see, and which of them the guest can have written. */
export type RuledPolicy = Pick<PolicyMembers, 'accepts' | 'routes' | 'secureBoot'> & {
  readonly rules: readonly Rule[];
};

/** The claims of evidence of one type under a policy. Static: independent of configuration and evidence. */
export function knownOf(type: EvidenceType, policy: RuledPolicy): Known {
  const sections = new Set(possibleSections(type, policy));
  return {
    canHave: ({ path: [section = '', member] }) =>
      `${section}.${member}` === TD_EVENT_LOG ? hasTdEventLog(type) : sections.has(section),
    valueOf: ({ path: [section] }) => (section === 'evidence' ? type : undefined),
  };
}

/** Sections of claims that evidence of a type can have. Bare evidence can carry the runtime claims of a paravisor. */
function possibleSections(type: EvidenceType, { routes }: RuledPolicy): readonly string[] {
  const ofToken = isTokenType(type);
  const ofTds = teeOf(type) === 'tdx' || ofToken;
  return [
    'evidence',
    ...(teeOf(type) === null ? [] : [String(teeOf(type))]),
    ...(isHardwareType(type) ? ['hcl'] : []),
    ...(hasVtpm(type) ? ['tpm'] : []),
    ...(tokenRouteOf(type) === 'maa' || routes.maa !== 'off' ? ['maa'] : []),
    // Trust Authority judges TDs alone.
    ...(tokenRouteOf(type) === 'ita' || (routes.ita !== 'off' && ofTds) ? ['ita'] : []),
  ];
}
