import type { Log } from '../../core/ports.js';
import type { Policy } from '../../policy/document/policy-document.js';

type Named = Pick<Policy, 'id' | 'version' | 'sha256'>;

/** The identity of a policy, as in decisions. */
export function policyName({ id, version, sha256 }: Named): Named {
  return { id, version, sha256 };
}

/**
 * Logs the policies of a tenant that a reload has added, changed and removed. A change under the same version is a
 * warning, since the version then names two texts. A lower version is a warning too: an old file may have come back.
 */
export function sayPoliciesReloaded(
  before: readonly Named[],
  inForce: readonly Named[],
  whose: { readonly tenant?: string },
  log: Log,
): void {
  const earlier = new Map(before.map((policy) => [policy.id, policy]));
  const later = new Set(inForce.map(({ id }) => id));
  const changed = inForce.flatMap((policy) => {
    const was = earlier.get(policy.id);
    return was === undefined || was.sha256 === policy.sha256 ? [] : [{ was, policy }];
  });
  const fields = {
    ...whose,
    policies: inForce.map(policyName),
    added: inForce.filter(({ id }) => !earlier.has(id)).map(({ id }) => id),
    changed: changed.map(({ policy }) => policy.id),
    removed: before.filter(({ id }) => !later.has(id)).map(({ id }) => id),
  };
  log.info(fields, 'policies reloaded');
  for (const { was, policy } of changed) warnOfVersion(was, policy, whose, log);
}

function warnOfVersion(
  was: Named,
  { id, version, sha256 }: Named,
  whose: { readonly tenant?: string },
  log: Log,
): void {
  const fields = { ...whose, policy: id, version, sha256, before: { version: was.version, sha256: was.sha256 } };
  if (version === was.version) log.warn(fields, 'policy has changed, and its version has not');
  if (version < was.version) log.warn(fields, 'policy has a lower version than before');
}
