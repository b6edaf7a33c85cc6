import type { EvidenceType, TokenRoute } from '../../core/evidence.js';
import { hasTdEventLog, isTokenType, teeOf, traitsOf } from '../../core/evidence-traits.js';
import type { Known } from '../cel/foresee.js';
import type { PolicyMembers } from './policy-grammar.js';
import type { Rule } from './rule.js';

const TD_EVENT_LOG = 'tdx.eventLog';

/** The members of a policy that decide which claims rules can use, and which of these a guest can write. */
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

/** Routes that can have a token for evidence of a type. Trust Authority appraises TDs only. */
function routesFor(type: EvidenceType, { routes }: RuledPolicy): readonly TokenRoute[] {
  const canBeOfTd = teeOf(type) === 'tdx' || isTokenType(type);
  return [
    ...(routes.maa === 'off' ? [] : (['maa'] as const)),
    ...(routes.ita === 'off' || !canBeOfTd ? [] : (['ita'] as const)),
  ];
}
