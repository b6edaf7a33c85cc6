import type { CERTIFICATE_CHECKS } from './certificates.js';
import type { EVENT_LOG_CHECKS } from './event-log.js';
import type { FRESHNESS_CHECKS } from './freshness.js';
import type { CRL_OUT_OF_REACH, OUT_OF_REACH_CHECKS } from './out-of-reach.js';
import type { POLICY_CHECKS } from './policy.js';
import type { RELEASE_CHECKS } from './release.js';
import type { RESULT_CHECKS } from './results.js';
import type { CheckRow } from './row.js';
import type { SERVICE_CHECKS } from './service.js';
import type { TOKEN_CHECKS } from './tokens.js';
import type { WARNING_CHECKS } from './warnings.js';

/**
 * Tables of rows by name: rows of no TEE are here, rows of a TEE are added by its folder (`declare module`), since
 * src/core imports nothing. `tee/catalogue.ts` joins the tables, and does not compile if one is missing.
 */
export interface CheckTables {
  readonly service: typeof SERVICE_CHECKS;
  readonly certificates: typeof CERTIFICATE_CHECKS;
  readonly eventLog: typeof EVENT_LOG_CHECKS;
  readonly tokens: typeof TOKEN_CHECKS;
  readonly results: typeof RESULT_CHECKS;
  readonly freshness: typeof FRESHNESS_CHECKS;
  readonly policy: typeof POLICY_CHECKS;
  readonly release: typeof RELEASE_CHECKS;
  readonly crlOutOfReach: typeof CRL_OUT_OF_REACH;
  readonly outOfReach: typeof OUT_OF_REACH_CHECKS;
  readonly warnings: typeof WARNING_CHECKS;
}

/** Ids of the rows of a kind. */
export type IdsOf<Rows, Kind> = Rows extends unknown
  ? { [id in keyof Rows]: Rows[id] extends Kind ? id : never }[keyof Rows]
  : never;

type Rows = CheckTables[keyof CheckTables];

/** Id of a check; the reason code when it fails. */
export type CheckId = IdsOf<Rows, CheckRow>;

export type Waiver = NonNullable<CheckRow['waiver']>;

/** Id of a check that a waiver can name, by the required value of the waiver. */
export type WaivableCheck<Value extends Waiver> = IdsOf<Rows, { readonly waiver: Value }>;
