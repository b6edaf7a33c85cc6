import { type CheckOwner, Checks } from '../core/check.js';
import { CERTIFICATE_CHECKS } from '../core/checks/certificates.js';
import { EVENT_LOG_CHECKS } from '../core/checks/event-log.js';
import { FRESHNESS_CHECKS } from '../core/checks/freshness.js';
import { CRL_OUT_OF_REACH, OUT_OF_REACH_CHECKS } from '../core/checks/out-of-reach.js';
import { POLICY_CHECKS } from '../core/checks/policy.js';
import { RELEASE_CHECKS } from '../core/checks/release.js';
import { RESULT_CHECKS } from '../core/checks/results.js';
import type { CheckRow, CheckRows } from '../core/checks/row.js';
import { SERVICE_CHECKS } from '../core/checks/service.js';
import type { CheckId, CheckTables, IdsOf, WaivableCheck, Waiver } from '../core/checks/tables.js';
import { TOKEN_CHECKS } from '../core/checks/tokens.js';
import { WARNING_CHECKS } from '../core/checks/warnings.js';
import { AZURE_CHECKS, AZURE_WARNINGS } from './azure/checks/rows.js';
import { ITA_CHECKS } from './ita/checks/rows.js';
import { MAA_CHECKS } from './maa/checks/rows.js';
import { SNP_CHECKS, SNP_OUT_OF_REACH, SNP_WARNINGS } from './snp/checks/rows.js';
import { TDX_CHECKS, TDX_OUT_OF_REACH, TDX_WARNINGS } from './tdx/checks/rows.js';
import { TPM_CHECKS } from './tpm/checks/rows.js';

/** The effect of a check that does not pass: deny, indeterminate, or a warning. */
export type CheckClass = 'deny' | 'indeterminate' | 'warning';

interface CheckFamily {
  readonly name: string;
  readonly class: CheckClass;
  readonly rows: CheckRows;
}

/** Every check in the order of importance, which is the order of `reasons` in a decision. */
export const CHECK_FAMILIES = [
  { name: 'The service itself', class: 'indeterminate', rows: SERVICE_CHECKS },
  // The checks that every other statement about hardware rests on.
  { name: 'Certificates and revocation', class: 'deny', rows: CERTIFICATE_CHECKS },
  { name: 'AMD SEV-SNP', class: 'deny', rows: SNP_CHECKS },
  { name: 'Intel TDX', class: 'deny', rows: TDX_CHECKS },
  { name: 'Azure paravisor', class: 'deny', rows: AZURE_CHECKS },
  { name: 'vTPM', class: 'deny', rows: TPM_CHECKS },
  { name: 'Event log', class: 'deny', rows: EVENT_LOG_CHECKS },
  {
    name: 'Attestation Results',
    class: 'deny',
    rows: { ...TOKEN_CHECKS, ...MAA_CHECKS, ...ITA_CHECKS, ...RESULT_CHECKS },
  },
  { name: 'Freshness', class: 'deny', rows: FRESHNESS_CHECKS },
  { name: 'Policy', class: 'deny', rows: POLICY_CHECKS },
  { name: 'Key release', class: 'deny', rows: RELEASE_CHECKS },
  {
    name: 'Out of reach',
    class: 'indeterminate',
    rows: { ...SNP_OUT_OF_REACH, ...CRL_OUT_OF_REACH, ...TDX_OUT_OF_REACH, ...OUT_OF_REACH_CHECKS },
  },
  {
    name: 'Warnings',
    class: 'warning',
    rows: { ...SNP_WARNINGS, ...AZURE_WARNINGS, ...TDX_WARNINGS, ...WARNING_CHECKS },
  },
] as const satisfies readonly CheckFamily[];

type Listed = (typeof CHECK_FAMILIES)[number]['rows'];

type KeysOf<Rows> = Rows extends unknown ? keyof Rows : never;

/** Ids that two tables have. In a joined table, the later row would replace the earlier one. */
type Repeated = {
  [name in keyof CheckTables]: keyof CheckTables[name] & KeysOf<CheckTables[Exclude<keyof CheckTables, name>]>;
}[keyof CheckTables];

/** Makes compilation fail if a table is in no family, or an id is in two tables. */
type Joined = [Exclude<CheckId, IdsOf<Listed, CheckRow>> | Repeated] extends [never]
  ? CheckRow & { readonly class: CheckClass }
  : never;

const CLASSED = CHECK_FAMILIES.flatMap(({ class: ofFamily, rows }) =>
  Object.entries<CheckRow>(rows).map(([id, row]) => [id, { ...row, class: ofFamily }] as const),
);

/** Every check by its id. */
export const CHECKS = Object.fromEntries(CLASSED) as {
  readonly [id in CheckId]: Joined;
};

/** Creates the checks of one place in the request. @param about JSON pointer of the place */
export function checksAt(about = '', owner?: CheckOwner): Checks {
  return new Checks(CHECKS, about, owner);
}

/** Ids of all checks, most important first. */
export const CHECK_IDS = CLASSED.map(([id]) => id as CheckId);

/** Ids of the checks that a waiver can name, by the kind of its value. */
export function waivableChecks<Value extends Waiver>(value: Value): readonly WaivableCheck<Value>[] {
  return CHECK_IDS.filter((id): id is WaivableCheck<Value> => CHECKS[id].waiver === value);
}

const IMPORTANCE: ReadonlyMap<CheckId, number> = new Map(CHECK_IDS.map((id, index) => [id, index]));

/** Orders check ids, most important first. */
export function byImportance(a: CheckId, b: CheckId): number {
  return (IMPORTANCE.get(a) ?? 0) - (IMPORTANCE.get(b) ?? 0);
}
