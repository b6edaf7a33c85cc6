import type { Checks } from '../core/check.js';
import type { Claims } from '../core/claims.js';
import type { CrossCheck } from '../core/decision.js';
import type { EvidenceType, TokenRoute } from '../core/evidence.js';
import { isTpmType, tokenRouteOf } from '../core/evidence-traits.js';
import type { Verification } from '../core/verification.js';
import type { Verified } from '../core/verified.js';
import { checksAt } from '../tee/catalogue.js';
import { crossCheck, unmetIdentity } from './cross-check/cross-check.js';
import { hardwareView } from './cross-check/hardware-view.js';
import type { KeyThumbprint } from './cross-check/paravisor-statements.js';
import { AK, TEE, type TeeView } from './cross-check/statement.js';
import { itaTokenView, maaTokenView } from './cross-check/token-views.js';
import { isReliable, type RouteToken } from './route-tokens.js';

/** A token and its statements about the TEE. */
interface StatedToken {
  readonly token: RouteToken;
  readonly view: TeeView;
}

/** The result of comparing tokens with the evidence. */
export interface ResultComparison {
  /** Checks with id `disagreement`. This is a base check, so no policy can relax it. */
  readonly checks: Checks;
  readonly crossCheck: CrossCheck | null;
  /** Tokens that are about the TEE of the evidence. */
  readonly ofSameTee: readonly RouteToken[];
  /** The tokens of `ofSameTee` whose statements agree with the evidence. */
  readonly agreeing: readonly RouteToken[];
}

/** Compares tokens with the evidence, and with each other, claim by claim. */
export function compareResults(
  evidenceType: EvidenceType,
  own: Verification,
  tokens: readonly RouteToken[],
  thumbprint: KeyThumbprint,
): ResultComparison {
  const checks = checksAt('/attestationResults');
  const stated = tokens
    .filter(isReliable)
    .flatMap((token) => viewed(token, viewOf(token.verification.claims, token.route, thumbprint)));
  if (stated.length === 0) return { checks, crossCheck: null, ofSameTee: [], agreeing: [] };
  const first = firstView(evidenceType, own.claims, thumbprint);
  if (first === null) {
    for (const { token } of stated)
      recordUnproven(checks.ofRoute(token.route).at(token.about), own, token.route, evidenceType);
    return { checks, crossCheck: null, ofSameTee: [], agreeing: [] };
  }
  const others = stated.map(({ token, view }) => ({ view, sameReport: token.obtained !== null }));
  const all = crossCheck(first, others);
  const found = stated.map((one, index) => {
    const compared = stated.length === 1 ? all : crossCheck(first, others.slice(index, index + 1));
    const { token } = one;
    // If a token is the evidence, either of the two tokens can be wrong.
    const ofToken = first.route === 'hardware' ? checks.ofRoute(token.route) : checks;
    return { token, ...recordAgreement(ofToken.at(token.about), first, one, compared) };
  });
  const ofSameTee = found.filter(({ isSameTee }) => isSameTee).map(({ token }) => token);
  const agreeing = found.filter(({ agrees }) => agrees).map(({ token }) => token);
  // Each agrees with the first view, but they differ in claims that the first does not state.
  if (agreeing.length === stated.length) recordDifferences(checks, all);
  return { checks, crossCheck: all, ofSameTee, agreeing };
}

function recordDifferences(checks: Checks, compared: CrossCheck): void {
  for (const { claim, values } of compared.differences) {
    const names = Object.keys(values).join(' and ');
    const detail = `${names} state different values of ${claim}`;
    checks.fail('disagreement', { actual: values, detail, faults: [claim] });
  }
  recordOmitted(checks, compared);
}

/** Records one check for all differences that are not listed. */
function recordOmitted(checks: Checks, { routes, differencesOmitted: omitted }: CrossCheck): void {
  if (omitted === 0) return;
  const detail = `${routes.join(' and ')} state different values of ${omitted} more claims`;
  checks.fail('disagreement', { expected: 0, actual: omitted, detail });
}

function viewed(token: RouteToken, view: TeeView | null): readonly StatedToken[] {
  return view === null ? [] : [{ token, view }];
}

function firstView(type: EvidenceType, claims: Verified<Claims>, thumbprint: KeyThumbprint): TeeView | null {
  const route = tokenRouteOf(type);
  return route === null ? hardwareView(claims, type) : viewOf(claims, route, thumbprint);
}

function viewOf(claims: Verified<Claims>, route: 'maa' | 'ita', thumbprint: KeyThumbprint): TeeView | null {
  return route === 'maa' ? maaTokenView(claims, thumbprint) : itaTokenView(claims, thumbprint);
}

/**
 * A verifier that accepts evidence which this service rejects disagrees with it. Evidence that could not be appraised
 * is no disagreement. Evidence of a vTPM alone cannot be compared with a token, so a token beside it always fails.
 */
function recordUnproven(checks: Checks, own: Verification, route: TokenRoute, evidenceType: EvidenceType): void {
  if (isTpmType(evidenceType)) {
    const detail = `nothing shows that the token of ${route} is about the same machine: ${evidenceType} evidence states no TEE`;
    checks.fail('disagreement', { actual: route, detail });
  } else if (own.checks.some(({ result }) => result === 'fail')) {
    const detail = `${route} vouches for evidence that is refused here`;
    checks.fail('disagreement', { actual: route, detail });
  } else {
    checks.skip(['disagreement'], 'there is nothing verified to compare the token with');
  }
}

/** @param compared the comparison of this token alone with the first view */
function recordAgreement(
  checks: Checks,
  first: TeeView,
  { token: { route }, view }: StatedToken,
  compared: CrossCheck,
): { readonly isSameTee: boolean; readonly agrees: boolean } {
  const claim = unmetIdentity(first, view);
  if (claim !== null) {
    const [expected = null, actual = null] = [first, view].map(({ statements }) => statements.get(claim)?.value);
    checks.fail('disagreement', { expected, actual, detail: whyNotSameTee(first, view, claim), faults: [claim] });
    return { isSameTee: false, agrees: false };
  }
  const { agree, differences, equal } = compared;
  for (const { claim, values } of differences) {
    const detail = `${first.route} and ${route} state different values of ${claim}`;
    checks.fail('disagreement', {
      expected: values[first.route] ?? null,
      actual: values[route] ?? null,
      detail,
      faults: [claim],
    });
  }
  recordOmitted(checks, compared);
  if (agree) {
    const detail = `${first.route} and ${route} agree on ${equal.length} claims`;
    checks.pass('disagreement', { expected: equal, actual: equal, detail });
  }
  return { isSameTee: true, agrees: agree };
}

/**
 * Explains why the two are not known to be about the same TEE. A token that does not identify its TEE may still be
 * about the same one. So may a token whose statements cannot be compared.
 *
 * @param claim identifying claim that the two do not share
 */
function whyNotSameTee(first: TeeView, { route, statements }: TeeView, claim: string): string {
  const [ofFirst, ofToken] = [first.statements.get(claim), statements.get(claim)];
  const cannotBeKnown = `nothing shows that the token of ${route} is about the same TEE`;
  if (ofFirst === undefined) return `${cannotBeKnown}: ${first.route} does not state ${claim}`;
  const unclear = !ofFirst.sound ? first.route : ofToken?.sound === false ? route : null;
  if (unclear !== null) {
    return `${cannotBeKnown}: ${unclear} states ${claim} more than once, or not in the form that it has`;
  }
  if (ofToken !== undefined) {
    return `the token of ${route} is about another ${claim === TEE ? 'kind of TEE' : `TEE: ${claim}`}`;
  }
  if (claim !== AK) return `the token of ${route} does not say which TEE it is about: it does not state ${claim}`;
  return `the token of ${route} does not name the attestation key (${AK}), as it shows no runtime claims with HCLAkPub among their keys; ask for it with the runtime data as JSON`;
}
