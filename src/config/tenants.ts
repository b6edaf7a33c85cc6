import type { KeyPath } from '../core/places.js';
import { POLICY_ID } from '../core/request.js';
import { optional, type Place, type Read } from '../schema/schema.js';
import { list, object } from '../schema/structures.js';
import { pattern } from '../schema/values.js';
import { path } from './values.js';

/** The default tenant. */
export const DEFAULT_TENANT = 'default';
export const DEFAULT_POLICY_DIRECTORY = './policies';

const DEFAULT_POLICY = 'azure-cvm-baseline';

const policyId = pattern(POLICY_ID, 'a policy id');

const choices = {
  default: optional(policyId, DEFAULT_POLICY),
  /** Policies that are evaluated beside each decision, and never decide. */
  shadow: optional(list(policyId, 'distinct'), []),
};

/** Policies of the tenant `default`, unless `tenants` has them. */
export const policies = { directory: optional(path(), DEFAULT_POLICY_DIRECTORY), ...choices };

/** A group of callers with separate policies, challenges, decisions, gates and keys. */
export const tenant = object({ policies: object({ directory: path(), ...choices }) });

export type PoliciesConfiguration = Read<typeof tenant>['policies'];

/** Policies of one tenant, and their place in the configuration. */
export interface TenantPoliciesConfiguration extends PoliciesConfiguration {
  readonly path: KeyPath;
}

interface WithTenants {
  readonly policies: PoliciesConfiguration;
  readonly tenants: Readonly<Record<string, { readonly policies: PoliciesConfiguration }>>;
}

/** The policies of every tenant, by its name. `default` always exists. */
export function policiesByTenant({ policies: ofDefault, tenants }: WithTenants) {
  const others = Object.entries(tenants).map(
    ([name, own]) => [name, { ...own.policies, path: ['tenants', name, 'policies'] }] as const,
  );
  return new Map<string, TenantPoliciesConfiguration>([
    [DEFAULT_TENANT, { ...ofDefault, path: ['policies'] }],
    ...others,
  ]);
}

/** @throws {Error} if the tenant does not exist */
export function policiesOf(configuration: WithTenants, tenant: string): TenantPoliciesConfiguration {
  const own = policiesByTenant(configuration).get(tenant);
  if (own === undefined) throw new Error('no such tenant');
  return own;
}

type NamingTenants = Readonly<Record<string, { readonly tenant: string }>>;

interface WithNames extends WithTenants {
  readonly callers: NamingTenants;
  readonly keys: NamingTenants;
  readonly gates: NamingTenants;
}

/** Rejects unknown tenants, whose callers would have no policies, and policies of `default` in two places. */
export function checkTenants(configuration: WithNames, at: Place): void {
  const { policies: ofDefault, tenants, callers, keys, gates } = configuration;
  const known = policiesByTenant(configuration);
  for (const [section, entries] of Object.entries({ callers, keys, gates })) {
    for (const [name, { tenant: named }] of Object.entries(entries)) {
      if (known.has(named)) continue;
      const there = [...known.keys()].join(', ');
      at.member(section, name, 'tenant').refuse(`there is no tenant ${named} in tenants; there are ${there}`);
    }
  }
  if (tenants[DEFAULT_TENANT] === undefined || isAsByDefault(ofDefault)) return;
  at.member('policies').refuse(`is of the tenant ${DEFAULT_TENANT}, which tenants.${DEFAULT_TENANT} has too`);
}

function isAsByDefault({ directory, default: standard, shadow }: PoliciesConfiguration): boolean {
  return directory === DEFAULT_POLICY_DIRECTORY && standard === DEFAULT_POLICY && shadow.length === 0;
}
