import type { Configuration } from '../../config/configuration.js';
import { DEFAULT_TENANT, policiesOf } from '../../config/tenants.js';
import type { AmdLines } from '../../core/amd-lines.js';
import { policyTextOptions } from '../../files/policy-file.js';
import { lackingForRelease } from '../../policy/appraise/release-fitness.js';
import { BUILT_IN_POLICIES } from '../../policy/document/built-in-policies.js';
import { type Policy, parsePolicy } from '../../policy/document/policy-document.js';
import type { LintFacts } from '../../policy/lint/lint.js';
import { releasePins } from '../../policy/release-pins.js';
import type { PolicySources } from '../../stores/policy-files.js';
import { servedLines } from '../amd-lines.js';
import { issuersForLint } from '../token-issuers.js';

/**
 * The sources of a tenant's policies, and the rules for reading their files.
 * @param lines product lines that policies may name; null: any
 */
export function policySources(
  configuration: Configuration,
  tenant: string = DEFAULT_TENANT,
  lines: AmdLines | null = servedLines(configuration),
): PolicySources<Policy> {
  const { keys, gates } = configuration;
  const { directory, default: standard, shadow, path } = policiesOf(configuration, tenant);
  const isOwn = ([, named]: readonly [string, { readonly tenant: string }]) => named.tenant === tenant;
  return {
    directory,
    directoryPath: [...path, 'directory'],
    builtIns: BUILT_IN_POLICIES,
    parse: (text, name) => parsePolicy(text, { ...policyTextOptions(name), lines }),
    needed: [
      { id: standard, path: [...path, 'default'] },
      ...shadow.map((id, index) => ({ id, path: [...path, 'shadow', index] })),
      ...Object.entries(keys)
        .filter(isOwn)
        .map(([key, { policy: id, anyMachine }]) => ({
          id,
          path: ['keys', key, 'policy'],
          whyUnfit: (policy: Policy) =>
            whyUnfitForRelease(policy, anyMachine ? null : listedParavisorKeys(configuration)),
        })),
      ...Object.entries(gates)
        .filter(isOwn)
        .map(([name, { policy }]) => ({ id: policy, path: ['gates', name, 'policy'] })),
    ],
  };
}

/** @param paravisorKeys ID_KEY_DIGESTs that pin nothing; null if the policy need not pin anything */
function whyUnfitForRelease(policy: Policy, paravisorKeys: ReadonlySet<string> | null): string | null {
  const lacking = lackingForRelease(policy);
  if (lacking.length > 0) return `no key is released by the policy ${policy.id}, which lacks ${lacking.join(', ')}`;
  const unpinned = paravisorKeys === null ? [] : releasePins(policy, paravisorKeys).unpinned;
  if (unpinned.length === 0) return null;
  const what = `the policy ${policy.id} pins neither code nor machine: see ${unpinned.join(', ')}`;
  return `${what}; pin one of those that docs/key-release.md lists, or write anyMachine: true, with which any VM gets the key`;
}

/** Facts of a configuration that lint compares policies with. */
export function lintFacts(configuration: Configuration): LintFacts {
  return {
    ...issuersForLint(configuration),
    paravisorKeys: listedParavisorKeys(configuration),
    lines: servedLines(configuration),
  };
}

/** ID_KEY_DIGESTs of the paravisors that the configuration lists. */
function listedParavisorKeys({ azure }: Configuration): ReadonlySet<string> {
  return new Set(azure.paravisors.idKeyDigests.map((entry) => (typeof entry === 'string' ? entry : entry.digest)));
}
