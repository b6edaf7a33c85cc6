import type { Configuration } from '../config/configuration.js';
import { configurationDigest } from '../config/effective-configuration.js';
import type { Log } from '../core/ports.js';
import type { Metrics } from '../telemetry/metrics.js';
import { gateWarnings, logWarnings, placedWarning, policyWarnings, settingWarnings } from './check/load-warnings.js';
import type { CallerOptions } from './open-callers.js';
import type { OpenParts } from './open-parts.js';
import { ReloadedAccess } from './reload/reloaded-access.js';
import { TenantPolicies } from './reload/tenant-policies.js';
import { productVersion } from './system.js';

/** Policies and callers, with the callbacks of policy reloads. */
export type OpenRules = Awaited<ReturnType<typeof openRules>>;

/** Loads policies and callers, and logs warnings about unusual settings. @throws {ConfigurationError} */
export async function openRules(
  configuration: Configuration,
  { metrics, ...outside }: CallerOptions & { readonly metrics: Metrics },
  opened: OpenParts,
) {
  const { log } = outside;
  // Later steps of the start add callbacks. No reload happens before they are complete.
  const onReloaded: ((tenant: string) => void)[] = [
    // The reload of another tenant's policies may have failed.
    () => {
      if (policies.isCurrent) metrics.reloaded('policies');
    },
  ];
  const onRefused: ((problems: readonly string[]) => void)[] = [() => metrics.policyReloadFailed()];
  const policies = opened.add(
    await TenantPolicies.open(configuration, {
      log,
      reloaded: (tenant) => {
        for (const hear of onReloaded) hear(tenant);
      },
      failed: (problems) => {
        for (const hear of onRefused) hear(problems);
      },
    }),
  );
  await sayWhatStarts(configuration, policies, log);
  const access = opened.add(await ReloadedAccess.open(configuration, outside));
  metrics.watchState('policies', () => policies.isCurrent);
  logWarnings(await settingWarnings(configuration), log);
  const warn = (reloaded: string) => {
    const inForce = policies.list().filter(({ tenant }) => tenant === reloaded);
    const ofGates = gateWarnings(configuration, inForce, reloaded).map(placedWarning);
    logWarnings([...policyWarnings(inForce, configuration), ...ofGates], log);
  };
  for (const tenant of policies.tenants) warn(tenant);
  onReloaded.push(warn);
  return { policies, access, onReloaded, onRefused };
}

/** Writes the first line of the log: version, configuration and policies. */
async function sayWhatStarts(configuration: Configuration, policies: TenantPolicies, log: Log): Promise<void> {
  const fields = {
    version: await productVersion(),
    configuration: configurationDigest(configuration),
    policies: policies.names(),
  };
  log.info(fields, 'starting');
}
