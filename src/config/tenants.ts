import type { KeyPath } from '../model/places.js';
import { POLICY_ID } from '../model/request.js';
import type { Place } from '../schema/schema.js';
import { optional, type Read } from '../schema/schema.js';
import { list, object } from '../schema/structures.js';
import { pattern } from '../schema/values.js';
import { path } from './values.js';

/** Whose everything is that names no tenant. */
export const DEFAULT_TENANT = 'default';
export const DEFAULT_POLICY_DIRECTORY = './policies';

const policyId = pattern(POLICY_ID, 'a policy id');

const named = {
  default: optional(policyId, 'azure-cvm-baseline'),
  /** Policies that are judged beside each decision, and never decide. */
  shadow: optional(list(policyId, 'distinct'), []),
};

/** Of the tenant `default`, unless `tenants` has it. */
export const policies = { directory: optional(path(), DEFAULT_POLICY_DIRECTORY), ...named };

/** Callers whose policies, challenges, decisions, gates and keys are their own. */
export const tenant = object({ policies: object({ directory: path(), ...named }) });

export type PoliciesConfiguration = Read<typeof tenant>['policies'];

/** Policies of one tenant, and where the configuration has them. */
export interface TenantPoliciesConfiguration extends PoliciesConfiguration {
  readonly path: KeyPath;
}

interface WithTenants {
  readonly policies: PoliciesConfiguration;
  readonly tenants: Readonly<Record<string, { readonly policies: PoliciesConfiguration }>>;
}

/** The policies of every tenant, by its name. There is always one named `default`. */
export function policiesByTenant({ policies: ofDefault, tenants }: WithTenants) {
  const others = Object.entries(tenants).map(
    ([name, own]) => [name, { ...own.policies, path: ['tenants', name, 'policies'] }] as const,
  );
  return new Map<string, TenantPoliciesConfiguration>([
    [DEFAULT_TENANT, { ...ofDefault, path: ['policies'] }],
    ...others,
  ]);
}

/** @throws {Error} where there is no such tenant */
export function policiesOf(configuration: WithTenants, tenant: string): TenantPoliciesConfiguration {
  const own = policiesByTenant(configuration).get(tenant);
  if (own === undefined) throw new Error('no such tenant');
  return own;
}

/** Refuses a tenant that is not there. */
export function checkTenant(configuration: WithTenants, tenant: string, at: Place): void {
  const known = policiesByTenant(configuration);
  if (!known.has(tenant))
    at.refuse(`there is no tenant ${tenant} in tenants; there are ${[...known.keys()].join(', ')}`);
}
