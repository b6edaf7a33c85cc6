import type { HealthProblem, Liveness, Readiness } from '../core/health.js';

/** Readiness: whether the service should get traffic, and what stands against it. */
export interface ReadinessUseCase {
  execute(): Promise<Readiness>;
}

/** Liveness: whether the process must be restarted. */
export interface LivenessUseCase {
  execute(): Promise<Liveness>;
}

/** The reason against traffic for the service; null: nothing of this kind. Must not throw. */
export type ReadinessCheck = () => Promise<HealthProblem | null>;

/**
 * Ready where nothing stands against it. Sources of endorsements, vaults and other verifiers are deliberately not asked: what
 * they give is cached, may come with the request, and another replica has the same of them.
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

/** A reload that would leave the default policy out is refused, so this finds what went wrong in the service itself. */
export function policiesLoaded(isDefaultLoaded: () => boolean): ReadinessCheck {
  return async () => (isDefaultLoaded() ? null : { code: 'policies', reason: 'the default policy is not loaded' });
}

/** A service that is not, or no longer, to be asked, whatever else holds. */
export const STARTING: Readiness = {
  ready: false,
  problems: [{ code: 'starting', reason: 'the service is starting' }],
};
export const STOPPING: Readiness = {
  ready: false,
  problems: [{ code: 'stopping', reason: 'the service is stopping' }],
};
