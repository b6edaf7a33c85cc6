import type { HealthProblem, Liveness, Readiness } from '../core/health.js';

/** Readiness: whether the service should get traffic, and the problems if not. */
export interface ReadinessUseCase {
  execute(): Promise<Readiness>;
}

/** Liveness: whether the process must be restarted. */
export interface LivenessUseCase {
  execute(): Promise<Liveness>;
}

/** Returns a reason to send no traffic to the service; null if there is none. Must not throw. */
export type ReadinessCheck = () => Promise<HealthProblem | null>;

/**
 * Ready if no check finds a problem. Sources of endorsements, vaults and other verifiers are deliberately not checked.
 * Their material is cached, or may come with the request, and the other replicas depend on the same sources.
 */
export function readinessOf(checks: readonly ReadinessCheck[]): ReadinessUseCase {
  return {
    execute: async () => {
      const found = await Promise.all(checks.map((check) => check()));
      const problems = found.filter((problem) => problem !== null);
      return { ready: problems.length === 0, problems };
    },
  };
}

/** A reload without the default policy is rejected, so this check detects faults of the service itself. */
export function policiesLoaded(isDefaultLoaded: () => boolean): ReadinessCheck {
  return async () => (isDefaultLoaded() ? null : { code: 'policies', reason: 'the default policy is not loaded' });
}

/** Readiness of a service that must get no traffic, whatever the checks say. */
export const STARTING: Readiness = {
  ready: false,
  problems: [{ code: 'starting', reason: 'the service is starting' }],
};
export const STOPPING: Readiness = {
  ready: false,
  problems: [{ code: 'stopping', reason: 'the service is stopping' }],
};
