export const ROLES = ['verify', 'release', 'policy:read', 'audit:read', 'metrics'] as const;
export type Role = (typeof ROLES)[number];

/** Who asks, after authentication. */
export interface Caller {
  /** Name from the configuration, or `local` where no callers are configured. */
  readonly principal: string;
  readonly tenant: string;
  readonly roles: ReadonlySet<Role>;
  /** Policies the caller may name; null: any. */
  readonly policies: ReadonlySet<string> | null;
  /** Audiences the caller may name; null: any. */
  readonly audiences: ReadonlySet<string> | null;
}
