import type { Configuration } from '../config/configuration.js';
import { DEFAULT_TENANT, policiesOf } from '../config/tenants.js';
import { policyTextOptions } from '../files/policy-file.js';
import { BUILT_IN_POLICIES } from '../policy/built-in-policies.js';
import { type Policy, parsePolicy } from '../policy/policy-document.js';
import { lackingForRelease } from '../policy/release-fitness.js';
import type { PolicySources } from '../stores/policy-files.js';

/** Where the policies of a tenant come from, and how their files are read. */
export function policySources(configuration: Configuration, tenant: string = DEFAULT_TENANT): PolicySources<Policy> {
  const { keys, gates } = configuration;
  const { directory, default: standard, shadow, path } = policiesOf(configuration, tenant);
  const isOwn = ([, named]: readonly [string, { readonly tenant: string }]) => named.tenant === tenant;
  return {
    directory,
    directoryPath: [...path, 'directory'],
    builtIns: BUILT_IN_POLICIES,
    parse: (text, name) => parsePolicy(text, policyTextOptions(name)),
    needed: [
      { id: standard, path: [...path, 'default'] },
      ...shadow.map((id, index) => ({ id, path: [...path, 'shadow', index] })),
      ...Object.entries(keys)
        .filter(isOwn)
        .map(([key, { policy: id }]) => ({ id, path: ['keys', key, 'policy'], whyUnfit: whyUnfitForRelease })),
      ...Object.entries(gates)
        .filter(isOwn)
        .map(([name, { policy }]) => ({ id: policy, path: ['gates', name, 'policy'] })),
    ],
  };
}

function whyUnfitForRelease(policy: Policy): string | null {
  const lacking = lackingForRelease(policy);
  return lacking.length === 0
    ? null
    : `no key is released by the policy ${policy.id}, which lacks ${lacking.join(', ')}`;
}
