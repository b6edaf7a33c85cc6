import { type Configuration, isPolicyDirectoryRequired } from '../../config/configuration.js';
import { DEFAULT_TENANT, policiesByTenant, policiesOf } from '../../config/tenants.js';
import { allOrProblems, RefusedError } from '../../core/errors.js';
import type { Log } from '../../core/ports.js';
import type { PartOutcome } from '../../core/reload.js';
import type { Tenant, Tenants } from '../../judge/tenants.js';
import type { Policy } from '../../policy/document/policy-document.js';
import { PolicyDirectory } from '../../stores/policy-directory.js';
import { policySources } from '../commands/policy-sources.js';
import { policyName, sayPoliciesReloaded } from './policy-changes.js';

/** A policy and its tenant. */
export interface TenantPolicy {
  readonly tenant: string;
  readonly policy: Policy;
}

const POLICIES = 'policies';

export interface TenantPoliciesOptions {
  readonly log: Log;
  /** Called after the policies of a tenant were reloaded. */
  readonly reloaded?: (tenant: string) => void;
  /** Called if the policies of a tenant could not be reloaded. */
  readonly failed?: (problems: readonly string[]) => void;
}

/** The policies of every tenant. Each tenant's are read, replaced and watched separately. */
export class TenantPolicies {
  readonly #directories: ReadonlyMap<string, PolicyDirectory<Policy>>;

  private constructor(directories: ReadonlyMap<string, PolicyDirectory<Policy>>) {
    this.#directories = directories;
  }

  /** @throws {ConfigurationError} if a policy does not load, or a directory is missing */
  static async open(configuration: Configuration, options: TenantPoliciesOptions): Promise<TenantPolicies> {
    const tenants = [...policiesByTenant(configuration).keys()];
    const opened = await allOrProblems(tenants.map((tenant) => openDirectory(configuration, tenant, options)));
    return new TenantPolicies(
      new Map(tenants.map((tenant, index) => [tenant, opened[index] as PolicyDirectory<Policy>])),
    );
  }

  /**
   * @throws {RefusedError} `forbidden` if the tenant does not exist: its callers do not load, but records of it may
   *   remain
   */
  of(tenant: string): PolicyDirectory<Policy> {
    const directory = this.#directories.get(tenant);
    if (directory === undefined) throw new RefusedError('forbidden', `the tenant ${tenant} is not configured`);
    return directory;
  }

  get tenants(): readonly string[] {
    return [...this.#directories.keys()];
  }

  /** All policies in force. */
  list(): readonly TenantPolicy[] {
    return [...this.#directories].flatMap(([tenant, directory]) =>
      directory
        .snapshot()
        .list()
        .map((policy) => ({ tenant, policy })),
    );
  }

  /** The policies in force, as logs and records name them. */
  names(): readonly ReturnType<typeof namesOf>[] {
    return this.list().map(namesOf);
  }

  get isCurrent(): boolean {
    return [...this.#directories.values()].every((directory) => directory.isCurrent);
  }

  /** Reloads the policies of every tenant. Never rejects. */
  reload(): Promise<readonly PartOutcome[]> {
    const reading = [...this.#directories].map(async ([tenant, directory]) => ({
      name: policiesPart(tenant),
      isTaken: await directory.reload(),
    }));
    return Promise.all(reading);
  }

  watch(): void {
    for (const directory of this.#directories.values()) directory.watch();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#directories.values()].map((directory) => directory.close()));
  }
}

/** Whether reloads use this name for policies of a tenant. */
export function isPoliciesPart(name: string): boolean {
  return name === POLICIES || name.startsWith(`${POLICIES} of `);
}

/** The name of a tenant's policies in reloads. */
function policiesPart(tenant: string): string {
  return tenant === DEFAULT_TENANT ? POLICIES : `${POLICIES} of ${tenant}`;
}

function namesOf({ tenant, policy }: TenantPolicy) {
  return { ...namedTenant(tenant), ...policyName(policy) };
}

/** The settings of each tenant for its requests: its policies, and its memory of reset counts. */
export function tenantsOf(
  configuration: Configuration,
  policies: Pick<TenantPolicies, 'of'>,
  resets: ReadonlyMap<string, Tenant['resets']>,
): Tenants {
  const tenants = new Map<string, Tenant>();
  for (const [name, own] of resets) {
    const inForce = policies.of(name);
    const { default: defaultPolicy, shadow: shadowPolicies } = policiesOf(configuration, name);
    tenants.set(name, { policies: () => inForce.snapshot(), defaultPolicy, shadowPolicies, resets: own });
  }
  return (name) => {
    const tenant = tenants.get(name);
    // Its callers do not load, but records of it may remain.
    if (tenant === undefined) throw new RefusedError('forbidden', `the tenant ${name} is not configured`);
    return tenant;
  };
}

/** The tenant field of logs and records. Omitted for `default`, so it never appears without tenants. */
export function namedTenant(tenant: string): { readonly tenant?: string } {
  return tenant === DEFAULT_TENANT ? {} : { tenant };
}

async function openDirectory(
  configuration: Configuration,
  tenant: string,
  { log, reloaded, failed }: TenantPoliciesOptions,
): Promise<PolicyDirectory<Policy>> {
  const sources = policySources(configuration, tenant);
  let before: readonly Policy[] = [];
  const directory = await PolicyDirectory.open<Policy>({
    ...sources,
    required: isPolicyDirectoryRequired(sources.directory),
    onReloaded: (inForce) => {
      sayPoliciesReloaded(before, inForce, namedTenant(tenant), log);
      before = inForce;
      reloaded?.(tenant);
    },
    onReloadFailed: (problems) => {
      failed?.(problems);
      log.error({ ...namedTenant(tenant), problems }, 'policies not reloaded: the previous ones stay in force');
    },
  });
  before = directory.snapshot().list();
  return directory;
}
