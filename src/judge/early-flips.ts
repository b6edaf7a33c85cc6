import { LRUCache } from 'lru-cache';
import type { Decision, ShadowResult } from '../core/decision.js';
import type { Clock, Log } from '../core/ports.js';

/** Maximum of flips in memory: one for each kind of platform, tenant and policy. An evicted flip is logged again. */
const REMEMBERED = 4096;

/**
 * How long no machine of a kind may be affected before the log reports the end. Machines of one kind can have different
 * firmware. An updated machine among others must not end and begin the flip with each request.
 */
const QUIET_MS = 60 * 60_000;

/** Ids of the policies that allow, and would deny with Intel's early collateral. */
export function flippedPolicies({ policies, shadow }: Pick<Decision, 'policies' | 'shadow'>): readonly string[] {
  const allowing = new Set(policies.filter(({ outcome }) => outcome === 'allow').map(({ id }) => id));
  return shadow
    .filter(({ id, outcome, collateral }) => collateral === 'early' && outcome === 'deny' && allowing.has(id))
    .map(({ id }) => id);
}

/**
 * Logs platforms that a policy allows and will deny with Intel's early collateral. Logs each kind of platform and
 * policy once, and logs the end once.
 */
export class EarlyFlips {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #log: Log;
  /** Monotonic time at which a machine was last affected. */
  readonly #lastAt = new LRUCache<string, number>({ max: REMEMBERED });

  constructor(clock: Pick<Clock, 'monotonicMs'>, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * @param of the kind of platform (FMSPC, hex) and the tenant of the policy
   * @param result with early collateral, under a policy that allows the machine
   */
  note(
    { fmspc, tenant }: { readonly fmspc: string; readonly tenant: string },
    { id: policy, outcome, reasons, expectedFrom }: ShadowResult,
  ): void {
    const key = `${fmspc} ${tenant} ${policy}`;
    const now = this.#clock.monotonicMs();
    const lastAt = this.#lastAt.get(key);
    if (outcome === 'deny') {
      this.#lastAt.set(key, now);
      if (lastAt !== undefined) return;
      const fields = { fmspc, tenant, policy, reasons, expectedFrom };
      this.#log.info(fields, 'allowed now, and denied by early TDX collateral');
    } else if (outcome === 'allow' && lastAt !== undefined && now - lastAt >= QUIET_MS) {
      this.#lastAt.delete(key);
      this.#log.info({ fmspc, tenant, policy }, 'no longer denied by early TDX collateral');
    }
  }
}
