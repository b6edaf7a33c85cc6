import type { EvidenceType, TokenRoute } from '../../core/evidence.js';
import { hasTdEventLog, isTokenType, teeOf, traitsOf } from '../../core/evidence-traits.js';
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
  const sections = new Set<string>(['evidence', ...traitsOf(type).possible, ...routesFor(type, policy)]);
  return {
    canHave: ({ path: [section = '', member] }) =>
      `${section}.${member}` === TD_EVENT_LOG ? hasTdEventLog(type) : sections.has(section),
    valueOf: ({ path: [section] }) => (section === 'evidence' ? type : undefined),
  };
}

/** Routes from which a token may come with evidence of a type. Trust Authority judges TDs alone. */
function routesFor(type: EvidenceType, { routes }: RuledPolicy): readonly TokenRoute[] {
  const canBeOfTd = teeOf(type) === 'tdx' || isTokenType(type);
  return [
    ...(routes.maa === 'off' ? [] : (['maa'] as const)),
    ...(routes.ita === 'off' || !canBeOfTd ? [] : (['ita'] as const)),
  ];
}
