import type { CrossCheck, Difference } from '../../core/decision.js';
import { CURRENT_TIME, USER_DATA, VM_CONFIGURATION } from './paravisor-statements.js';
import { AK, isSameStatement, REPORT_DATA, type Statements, TEE, type TeeView } from './statement.js';

/** A view that is compared with the first one. */
export interface OtherView {
  readonly view: TeeView;
  /** Whether that verifier appraised the same report as the first view, which it did if this service submitted it. */
  readonly sameReport: boolean;
}

type Verdict = 'equal' | 'different' | 'notComparable';

/** Maximum of listed differences; the rest are counted. One denies, and a token can contain thousands. */
const LISTED_DIFFERENCES = 64;

/**
 * Compares the statements of several Attestation Results about a TEE, claim by claim. A claim that only one of them
 * makes is not comparable. The exceptions are identifying claims: without them a result is not known to be about this
 * TEE.
 *
 * @param first the hardware if it was verified, else the token that is the evidence
 */
export function crossCheck(first: TeeView, others: readonly OtherView[]): CrossCheck {
  const views = [first, ...others.map((other) => ({ ...other.view, statements: statementsOfMoment(first, other) }))];
  const needed = identifyingClaims(first);
  const made = [first, ...others.map(({ view }) => view)].flatMap(({ statements }) => [...statements.keys()]);
  const claims = [...new Set([...needed, ...made])];
  const found: { readonly [verdict in Verdict]: string[] } = { equal: [], different: [], notComparable: [] };
  for (const claim of claims) found[verdict(views, claim, needed.includes(claim))].push(claim);
  const { different, equal, notComparable } = found;
  const listed = different.slice(0, LISTED_DIFFERENCES);
  return {
    routes: [...new Set(views.map(({ route }) => route))],
    agree: different.length === 0,
    differences: listed.map((claim) => difference(views, claim)),
    differencesOmitted: different.length - listed.length,
    equal,
    notComparable,
  };
}

function verdict(views: readonly TeeView[], claim: string, needed: boolean): Verdict {
  const said = views.flatMap(({ statements }) => statements.get(claim) ?? []);
  if (said.some(({ sound }) => !sound)) return 'different';
  if (needed && said.length < views.length) return 'different';
  if (said.length < 2) return 'notComparable';
  return said.every((statement) => isSameStatement(said[0], statement)) ? 'equal' : 'different';
}

function difference(views: readonly TeeView[], claim: string): Difference {
  const values = views.map(({ route, statements }) => [route, statements.get(claim)?.value ?? null] as const);
  return { claim, values: Object.fromEntries(values) };
}

/**
 * The statements of the other view about the same moment. A paravisor makes a report for each caller's `user-data`. So
 * two genuine reports of one VM differ in `user-data`, in the time, and in the hash in the report data. Statements that
 * are not sound stay in the comparison: another moment does not explain them.
 */
function statementsOfMoment(first: TeeView, { view, sameReport }: OtherView): Statements {
  if (sameReport) return view.statements;
  const left = [
    ...[USER_DATA, CURRENT_TIME].filter((claim) => !agreesOn(claim, first.statements, view.statements)),
    ...(reportDataIsComparable(first, view) ? [] : REPORT_DATA),
  ];
  return new Map([...view.statements].filter(([claim, { sound }]) => !(sound && left.includes(claim))));
}

/**
 * Bare reports are always comparable. Reports of a paravisor are comparable if their runtime claims are known to be
 * equal.
 */
function reportDataIsComparable(first: TeeView, other: TeeView): boolean {
  if (first.identity !== AK) return true;
  const claims = [first, other].map(({ statements }) => [...statements.keys()].filter(isRuntimeClaim));
  const [ofFirst = [], ofOther = []] = claims;
  const configured = ofFirst.some((claim) => claim !== USER_DATA);
  return configured && [...ofFirst, ...ofOther].every((claim) => agreesOn(claim, first.statements, other.statements));
}

function isRuntimeClaim(claim: string): boolean {
  return claim === USER_DATA || claim.startsWith(VM_CONFIGURATION);
}

function agreesOn(claim: string, a: Statements, b: Statements): boolean {
  return isSameStatement(a.get(claim), b.get(claim));
}

/** Claims that each Attestation Result must make, with equal values, to be about the TEE of the first. */
function identifyingClaims(first: TeeView): readonly string[] {
  return [TEE, first.identity];
}

/**
 * Whether another Attestation Result is about the same TEE. The attestation key identifies a TEE with a vTPM, and all
 * 64 bytes of report data any other. They may still disagree on other claims. Nonce and VM id are not compared: both
 * can be obtained for another TEE.
 */
export function isSameTee(first: TeeView, other: TeeView): boolean {
  return unmetIdentity(first, other) === null;
}

/** The first identifying claim that the two do not both make with equal values; null if there is none. */
export function unmetIdentity(first: TeeView, other: TeeView): string | null {
  const isMet = (claim: string) => isSameStatement(first.statements.get(claim), other.statements.get(claim));
  return identifyingClaims(first).find((claim) => !isMet(claim)) ?? null;
}
