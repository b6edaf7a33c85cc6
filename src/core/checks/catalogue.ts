import { AZURE_CHECKS } from './azure.js';
import { CERTIFICATE_CHECKS } from './certificates.js';
import { EVENT_LOG_CHECKS } from './event-log.js';
import { FRESHNESS_CHECKS } from './freshness.js';
import { OUT_OF_REACH_CHECKS } from './out-of-reach.js';
import { POLICY_CHECKS } from './policy.js';
import { RELEASE_CHECKS } from './release.js';
import type { CheckRow, CheckRows, Finding } from './row.js';
import { SERVICE_CHECKS } from './service.js';
import { SNP_CHECKS } from './snp.js';
import { TDX_CHECKS } from './tdx.js';
import { TOKEN_CHECKS } from './tokens.js';
import { TPM_CHECKS } from './tpm.js';
import { WARNING_CHECKS } from './warnings.js';

/** What a check that does not pass leads to: deny, indeterminate because nothing could be judged, or only a warning. */
export type CheckClass = 'deny' | 'indeterminate' | 'warning';

interface CheckFamily {
  readonly name: string;
  readonly class: CheckClass;
  readonly rows: CheckRows;
}

/** Every check, in the order of importance: `reasons` of a decision are listed in it. */
export const CHECK_FAMILIES = [
  { name: 'The service itself', class: 'indeterminate', rows: SERVICE_CHECKS },
  // What every other statement about hardware rests on.
  { name: 'Certificates and revocation', class: 'deny', rows: CERTIFICATE_CHECKS },
  { name: 'AMD SEV-SNP', class: 'deny', rows: SNP_CHECKS },
  { name: 'Intel TDX', class: 'deny', rows: TDX_CHECKS },
  { name: 'Azure paravisor', class: 'deny', rows: AZURE_CHECKS },
  { name: 'vTPM', class: 'deny', rows: TPM_CHECKS },
  { name: 'Event log', class: 'deny', rows: EVENT_LOG_CHECKS },
  { name: 'Attestation Results', class: 'deny', rows: TOKEN_CHECKS },
  { name: 'Freshness', class: 'deny', rows: FRESHNESS_CHECKS },
  { name: 'Policy', class: 'deny', rows: POLICY_CHECKS },
  { name: 'Key release', class: 'deny', rows: RELEASE_CHECKS },
  { name: 'Out of reach', class: 'indeterminate', rows: OUT_OF_REACH_CHECKS },
  { name: 'Warnings', class: 'warning', rows: WARNING_CHECKS },
] as const satisfies readonly CheckFamily[];

/** Ids of the rows that are of a kind. */
type IdsOf<Rows, Kind> = Rows extends unknown
  ? { [id in keyof Rows]: Rows[id] extends Kind ? id : never }[keyof Rows]
  : never;
type Rows = (typeof CHECK_FAMILIES)[number]['rows'];

/** Ids that an earlier family has too. */
type Repeated<Families, Seen = never> = Families extends readonly [infer First extends CheckFamily, ...infer Rest]
  ? (keyof First['rows'] & Seen) | Repeated<Rest, Seen | keyof First['rows']>
  : never;

/** Id of a check; the reason code when it fails. An id in two families does not compile where it is used. */
export type CheckId = Exclude<IdsOf<Rows, CheckRow>, Repeated<typeof CHECK_FAMILIES>>;

type Waiver = NonNullable<CheckRow['waiver']>;

/** Id of a check that a waiver can name, by what the value of the waiver has to say. */
export type WaivableCheck<Value extends Waiver> = IdsOf<Rows, { readonly waiver: Value }>;

const CLASSED = CHECK_FAMILIES.flatMap(({ class: ofFamily, rows }) =>
  Object.entries<CheckRow>(rows).map(([id, row]) => [id, { ...row, class: ofFamily }] as const),
);

/** Every check by its id: these are exactly the ids of the rows. */
export const CHECKS = Object.fromEntries(CLASSED) as {
  readonly [id in CheckId]: CheckRow & { readonly class: CheckClass };
};

/** Ids of all checks, most important first. */
export const CHECK_IDS = CLASSED.map(([id]) => id as CheckId);

/** Ids of the checks that a waiver can name, by what its value has to say. */
export function waivableChecks<Value extends Waiver>(value: Value): readonly WaivableCheck<Value>[] {
  return CHECK_IDS.filter((id): id is WaivableCheck<Value> => CHECKS[id].waiver === value);
}

const IMPORTANCE: ReadonlyMap<CheckId, number> = new Map(CHECK_IDS.map((id, index) => [id, index]));

/** Orders check ids, most important first. */
export function byImportance(a: CheckId, b: CheckId): number {
  return (IMPORTANCE.get(a) ?? 0) - (IMPORTANCE.get(b) ?? 0);
}

/**
 * What the operator, the guest's owner or the caller can do about a check that did not pass: one sentence.
 * Null where it passed or did not run.
 */
export function remedyOf(check: Finding & { readonly id: CheckId }): string | null {
  if (check.result !== 'fail' && check.result !== 'warn' && check.result !== 'unavailable') return null;
  if (check.remedy !== undefined) return check.remedy;
  const { remedy } = CHECKS[check.id];
  return typeof remedy === 'string' ? remedy : remedy(check);
}
