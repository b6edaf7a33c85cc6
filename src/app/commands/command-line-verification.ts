import type { Configuration } from '../../config/configuration.js';
import { DEFAULT_TENANT } from '../../config/tenants.js';
import type { Log } from '../../core/ports.js';
import type { Tenant, Tenants } from '../../judge/tenants.js';
import type { VerifyEvidence } from '../../judge/verify-evidence.js';
import type { Policy } from '../../policy/document/policy-document.js';
import { openAttestationServices } from '../attestation-services.js';
import { logWarnings, policyWarnings } from '../check/load-warnings.js';
import { createContainer, type Registrations, type Replaced, UNRECORDED, verifyOptions } from '../container.js';
import { connectOptions } from '../egress.js';
import { openEndorsements } from '../endorsements.js';
import { type OpenParts, openAllOrNone } from '../open-parts.js';
import { readConfiguredRoots } from '../reload/configured-roots.js';
import { TenantPolicies, tenantsOf } from '../reload/tenant-policies.js';
import { memoriesOfCommand } from '../shared-memories.js';
import { productVersion, SYSTEM_CLOCK } from '../system.js';
import { openResets, trackingsOf } from '../tenant-resets.js';
import { commandLineNonces } from './command-line-nonces.js';
import { namedPolicy } from './named-policy.js';

/** Verification without a server. */
export interface CommandLineVerification {
  readonly verifyEvidence: Pick<VerifyEvidence, 'execute' | 'tryPolicy'>;
  /** The value of `--policy`; null if absent. */
  readonly policies: readonly string[] | null;
  /** The registrations of the verification. */
  readonly app: Registrations;
  /** The same verification under these policies, instead of those of the configuration. */
  under(policies: readonly Policy[]): Pick<VerifyEvidence, 'execute'>;
  close(): Promise<void>;
}

/** The policy is null if none was named. */
type NamedVerification<P = Policy | null> = CommandLineVerification & { readonly policy: P };

/**
 * Verifies with the same code as the service, with five differences:
 * - A past time is always allowed (by `--at`, never by the body), since the user of the command owns the machine.
 * - Challenges are never consumed.
 * - The clock is not watched, since the process ends with the command.
 * - Endorsements are not renewed in the background, for the same reason.
 * - Intel's early collateral is not used, for the same reason.
 *
 * Caches, rollback marks and reset counts are those of a service with the same data directory. Marks and counts are
 * also those of its replicas. If a part cannot be opened, the parts opened before are closed.
 *
 * @param policy id of a policy, or a policy file; null for the policies of the body
 * @param option the option that named it, for error messages
 * @param replaced values that replace registrations
 * @throws {ConfigurationError} if a policy does not load, or a file that the configuration names is wrong
 */
export function commandLineVerification(
  configuration: Configuration,
  policy: string,
  log: Log,
  option?: string,
): Promise<NamedVerification<Policy>>;
export function commandLineVerification(
  configuration: Configuration,
  policy: string | null,
  log: Log,
  option?: string,
  replaced?: Replaced,
): Promise<NamedVerification>;
export function commandLineVerification(
  configuration: Configuration,
  policy: string | null,
  log: Log,
  option = '--policy',
  replaced: Replaced = {},
): Promise<NamedVerification> {
  const named = policy === null ? null : { policy, option };
  return openAllOrNone(log, (opened) => openVerification(configuration, named, { ...replaced, log }, opened));
}

/** @param opened takes every part that must be closed, as it is opened */
async function openVerification(
  configuration: Configuration,
  named: { readonly policy: string; readonly option: string } | null,
  { log, ...replaced }: Replaced & { readonly log: Log },
  opened: OpenParts,
): Promise<NamedVerification> {
  const inForce = opened.add(await TenantPolicies.open(configuration, { log }));
  const ofDefault = inForce.of(DEFAULT_TENANT).snapshot();
  const policy = named === null ? null : await namedPolicy(named.option, named.policy, ofDefault, configuration);
  // The load of the directory has logged the warnings of its policies.
  if (policy !== null && ofDefault.get(policy.id) !== policy) {
    logWarnings(policyWarnings([{ tenant: DEFAULT_TENANT, policy }], configuration), log);
  }
  const { resets, ...parts } = await openParts(configuration, log, opened);
  const configured = tenantsOf(configuration, inForce, resets);
  /** The named policy replaces the configured policy with its id. */
  const tenants: Tenants = (name) => withPolicies(configured(name), (id) => (policy?.id === id ? policy : undefined));
  const app = createContainer(parts, replaced, { tenants });
  // A command has no shadow policies.
  const decidingBy = (by: Tenants) =>
    createContainer(parts, replaced, {
      verifiers: app.verifiers,
      tenants: (name) => ({ ...by(name), shadowPolicies: [] }),
    }).verifyEvidence;
  return {
    verifyEvidence: decidingBy(tenants),
    policies: policy === null ? null : [policy.id],
    policy,
    app,
    under: (policies) => {
      const only = new Map(policies.map((each) => [each.id, each]));
      return decidingBy((name) => ({ ...tenants(name), policies: () => only }));
    },
    close: () => opened.close(),
  };
}

/** Opens all dependencies of a command's verification, except policies. */
async function openParts(configuration: Configuration, log: Log, opened: OpenParts) {
  const options = { clock: SYSTEM_CLOCK, log, connect: connectOptions(configuration), inBackground: false };
  const shared = memoriesOfCommand(configuration, { clock: SYSTEM_CLOCK, log }, opened);
  const endorsements = opened.add(openEndorsements(configuration, { ...options, sharedMarks: shared?.marks }));
  await endorsements.ready;
  const services = opened.add(await openAttestationServices(configuration, options));
  return {
    // Early collateral would be fetched in the background, and the process ends with the command.
    ...UNRECORDED,
    configuration,
    version: await productVersion(),
    roots: await readConfiguredRoots(configuration),
    endorsements: endorsements.source,
    services: services.services,
    resets: trackingsOf(openResets(configuration, { log, shared: shared?.resets ?? null }, opened)),
    nonces: await commandLineNonces(configuration),
    // The process ends with the command: a jump of the clock is not detected.
    clock: { ...SYSTEM_CLOCK, doubt: () => null },
    log,
    verifyOptions: { ...verifyOptions(configuration, false), historical: true },
  } satisfies Replaced;
}

function withPolicies(tenant: Tenant, instead: (id: string) => Policy | undefined): Tenant {
  const policies = () => {
    const view = tenant.policies();
    return { get: (id: string) => instead(id) ?? view.get(id), keys: () => view.keys() };
  };
  return { ...tenant, policies };
}
