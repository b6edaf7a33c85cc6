import type { Configuration } from '../config/configuration.js';
import { BUILT_IN_POLICIES } from '../policy/built-in-policies.js';
import { type Policy, parsePolicy } from '../policy/policy-document.js';
import { lackingForRelease } from '../policy/release-fitness.js';
import { policyTextOptions } from '../stores/policy-file.js';
import type { PolicySources } from '../stores/policy-files.js';

/** Where policies come from, and how their files are read. */
export function policySources({ policies, keys, gates }: Configuration): PolicySources<Policy> {
  return {
    directory: policies.directory,
    builtIns: BUILT_IN_POLICIES,
    parse: (text, name) => parsePolicy(text, policyTextOptions(name)),
    needed: [
      { id: policies.default, path: ['policies', 'default'] },
      ...policies.shadow.map((id, index) => ({ id, path: ['policies', 'shadow', index] })),
      ...Object.entries(keys).map(([key, { policy: id }]) => ({
        id,
        path: ['keys', key, 'policy'],
        whyUnfit: whyUnfitForRelease,
      })),
      ...Object.entries(gates).map(([name, { policy }]) => ({ id: policy, path: ['gates', name, 'policy'] })),
    ],
  };
}

function whyUnfitForRelease(policy: Policy): string | null {
  const lacking = lackingForRelease(policy);
  return lacking.length === 0
    ? null
    : `no key is released by the policy ${policy.id}, which lacks ${lacking.join(', ')}`;
}
