import type { Policy } from '../policy/document/policy-document.js';
import type { ResetTracking } from './reset-tracking.js';

/** One immutable view of the policies, so that a request uses one set throughout. */
export interface PolicyView {
  get(id: string): Policy | undefined;
  keys(): Iterable<string>;
}

/** The settings of one tenant for its requests. Tenants share none of them. */
export interface Tenant {
  /** The policies in use now. */
  readonly policies: () => PolicyView;
  /** Id of the policy of requests that name none. */
  readonly defaultPolicy: string;
  /** Ids of the shadow policies. They are appraised, but do not change the decision. */
  readonly shadowPolicies: readonly string[];
  /** Memory of reset counts of its vTPMs. */
  readonly resets: Pick<ResetTracking, 'remembered' | 'advance'>;
}

/** Returns the tenant with this name. @throws {Error} if it does not exist: no configured caller belongs to it */
export type Tenants = (name: string) => Tenant;
