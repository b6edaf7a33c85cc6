import { timingSafeEqual } from 'node:crypto';
import type { Check } from '../core/check.js';
import type { FetchContext } from '../core/endorsement.js';
import { FormatError } from '../core/errors.js';
import type { TokenRoute } from '../core/evidence.js';
import { isHardwareType, tokenTypeOf } from '../core/evidence-traits.js';
import type { JsonObject } from '../core/json.js';
import type { Tracer } from '../core/traces.js';
import type {
  AttestationService,
  CallAnswer,
  EvidenceVerifier,
  Submission,
  Verification,
} from '../core/verification.js';
import { relaxed } from '../policy/appraise/base-checks.js';
import type { Policy } from '../policy/document/policy-document.js';
import type { Terms } from './admit.js';
import { type GatherParts, gather } from './gather.js';
import type { Inquiry } from './inquiry.js';
import { type NoncedTerms, nonceChecks } from './nonces.js';
import { type OwnResults, openToken, RESULTS, verifyToken } from './open.js';
import { isReliable, type RouteFault, type RouteResults, type RouteToken } from './route-tokens.js';

export const SUBMITTED_ROUTES: readonly TokenRoute[] = ['maa', 'ita'];

const NO_FAULTS: RouteResults['faults'] = new Map();

export interface SubmitParts extends GatherParts {
  readonly verifiers: ReadonlyMap<string, EvidenceVerifier>;
  /** Routes on which evidence may be sent to another verifier. */
  readonly services: ReadonlyMap<TokenRoute, AttestationService>;
  readonly tracer: Tracer;
}

/** The members of a request that decide whether its evidence is sent. */
type Wanting = Pick<NoncedTerms, 'policies' | 'historical' | 'trial' | 'nonce' | 'binding' | 'at'> & {
  readonly request: Pick<Terms['request'], 'release'> & {
    readonly evidence: Pick<Terms['request']['evidence'], 'type'>;
  };
};

interface Asking {
  readonly fetch: FetchContext;
  readonly inquiry: Inquiry;
}

/**
 * Requests tokens that a policy for this evidence requires. Requests none if the request supplies one of the same
 * endpoints with its nonce, so the caller does not choose the issuer.
 *
 * Does not send:
 * - evidence that fails here
 * - evidence with a challenge that is not known to be unused
 * - evidence for a past verification time, since another verifier appraises the present
 * - evidence for a trial policy, since the caller wrote its text
 *
 * A genuine report with unknown revocation status is sent: policies decide whether that matters.
 */
export async function submit(
  parts: SubmitParts,
  terms: Wanting,
  { verification: own, tokens: sent }: OwnResults,
  asking: Asking,
): Promise<RouteResults> {
  const { services } = parts;
  const { type } = terms.request.evidence;
  const wanted = SUBMITTED_ROUTES.filter(
    (route) =>
      terms.policies.some(({ routes, accepts }) => routes[route] !== 'off' && accepts.includes(type)) &&
      services.has(route) &&
      !sent.some((token) => token.route === route && isOwn(token, services, asking.inquiry)),
  );
  if (wanted.length === 0) return { tokens: sent, faults: NO_FAULTS };
  const submission = own.submission ?? null;
  const takes = (route: TokenRoute) => submission !== null && accepts(route, submission, services, asking.inquiry);
  // A token in the request counts if none is requested.
  const unsent = wanted.filter((route) => !sent.some((token) => token.route === route));
  const obstacle = obstacleTo(terms, own);
  if (obstacle !== null) {
    const mayTake = submission === null ? () => isHardwareType(type) : takes;
    const routes = obstacle.state === 'not asked' ? unsent : unsent.filter(mayTake);
    return { tokens: sent, faults: new Map(routes.map((route) => [route, obstacle])) };
  }
  if (submission === null) return { tokens: sent, faults: NO_FAULTS };
  const answers = await Promise.all(
    wanted.filter(takes).map(async (route) => [route, await sendTo(parts, route, submission, terms, asking)] as const),
  );
  return withAnswers(sent, answers, terms.request.release?.kind === 'vault');
}

function withAnswers(
  sent: readonly RouteToken[],
  answers: readonly (readonly [TokenRoute, RouteToken | RouteFault])[],
  forVault: boolean,
): RouteResults {
  const obtained = answers.flatMap(([, answer]) => ('state' in answer ? [] : [answer]));
  return {
    // Of two tokens for one route, the claims of the last count. A release must target the token in the request.
    tokens: forVault ? [...obtained, ...sent] : [...sent, ...obtained],
    faults: new Map(answers.flatMap(([route, answer]) => ('state' in answer ? [[route, answer] as const] : []))),
  };
}

/** Why evidence is not sent to another verifier; null if it may be sent. */
function obstacleTo(
  { policies, historical, trial, nonce }: Wanting,
  own: Verification,
): Extract<RouteFault, { readonly state: 'not asked' | 'held back' }> | null {
  const heldBack = (because: string) => ({ state: 'held back', because }) as const;
  if (trial) return heldBack('a trial policy cannot send evidence to another verifier');
  if (historical) {
    return heldBack('another verifier appraises at the current time only, and the verification time is in the past');
  }
  // No policy allows without these checks. Otherwise old evidence would be sent again during an outage of the store.
  if (nonceChecks(nonce).some(preventsAllow)) return { state: 'not asked' };
  const failed = own.checks.filter(hasFailed);
  if (own.submission != null && failed.length === 0) return null;
  if (!policies.some((policy) => holdsUnder(policy, own))) return { state: 'not asked' };
  // A policy may turn the failed check into a warning. Then only the route's own check explains the missing token.
  if (failed.length === 0) return null;
  const ids = failed.map(({ id }) => id).join(', ');
  return heldBack(`evidence that fails ${ids} is sent to no other verifier, whatever a policy tolerates`);
}

/** Requests a token. A malformed token is a problem of the route, not of the request. */
async function sendTo(
  parts: SubmitParts,
  route: TokenRoute,
  submission: Submission,
  { at, binding }: Wanting,
  { fetch, inquiry }: Asking,
): Promise<RouteToken | RouteFault> {
  const result = await parts.tracer.span('submit evidence', (span) => {
    span.set({ 'veritee.token_route': route });
    return inquiry.ask(
      'token',
      () => route,
      () => serviceOf(parts.services, route).attest(submission, fetch.signal, fetch.principal),
    );
  });
  if ('refused' in result) return { state: 'not vouched for', detail: result.refused };
  if ('code' in result) return { ...result, state: 'unavailable', retryAfterSeconds: result.retryAfterSeconds ?? null };
  const token = await verifyObtained(parts, route, result.token, { at, binding }, { fetch, inquiry });
  const problem = token === null ? 'it answered with no token' : problemOf(token, result.expected);
  return token === null || problem !== null ? unreliable(route, problem) : token;
}

/** Returns null for a text that is not a token. It is not part of the request, so the request is not malformed. */
async function verifyObtained(
  parts: SubmitParts,
  route: TokenRoute,
  text: string,
  context: Pick<Wanting, 'at' | 'binding'>,
  { fetch, inquiry }: Asking,
): Promise<RouteToken | null> {
  try {
    const about = { about: RESULTS, obtained: text };
    const token = openToken(parts.verifiers, { type: tokenTypeOf(route), token: text }, about);
    const [endorsements] = await gather(parts, [token.opened.needs] as const, fetch, inquiry);
    return await verifyToken(token, { ...context, endorsements });
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}

function unreliable(route: TokenRoute, problem: string | null): RouteFault {
  const detail = `the token for the route ${route} cannot be relied on: ${problem}`;
  return { state: 'unavailable', detail, retryable: true, retryAfterSeconds: null };
}

/** Why a token that the service obtained is unreliable; null if it is reliable. */
function problemOf(token: RouteToken, expected: CallAnswer): string | null {
  const { route, verification } = token;
  if (!isReliable(token)) {
    const failed = verification.checks.filter(({ result }) => result === 'fail' || result === 'unavailable');
    return failed.map(({ id }) => id).join(', ');
  }
  const claims = verification.claims[route]?.claims;
  return claims !== undefined && answersCall(claims, expected) ? null : 'it does not answer this submission';
}

/**
 * Whether claims of a verified token show that it answers a call. An instance of Azure Attestation repeats the nonce.
 */
export function answersCall({ nonce, iat }: JsonObject, expected: CallAnswer): boolean {
  if ('issuedSince' in expected) return typeof iat === 'number' && iat >= expected.issuedSince;
  if (typeof nonce !== 'string') return false;
  const [given, sent] = [Buffer.from(nonce), Buffer.from(expected.nonce)];
  return given.byteLength === sent.byteLength && timingSafeEqual(given, sent);
}

/** Whether a token comes from a configured endpoint and holds the nonce of the request. Then none is requested. */
function isOwn({ route, verification }: RouteToken, services: SubmitParts['services'], inquiry: Inquiry): boolean {
  const issuer = verification.claims[route]?.issuer;
  if (issuer === undefined || verification.bound.length === 0) return false;
  return inquiry.look(
    'issues',
    () => `${route} ${issuer}`,
    () => serviceOf(services, route).issues(issuer),
  );
}

function accepts(
  route: TokenRoute,
  submission: Submission,
  services: SubmitParts['services'],
  inquiry: Inquiry,
): boolean {
  return inquiry.look(
    'accepts',
    () => route,
    () => serviceOf(services, route).accepts(submission),
  );
}

function serviceOf(services: SubmitParts['services'], route: TokenRoute): AttestationService {
  const service = services.get(route);
  if (service === undefined) throw new Error(`nothing is configured for the route ${route}`);
  return service;
}

function hasFailed({ result }: Check): boolean {
  return result === 'fail';
}

function preventsAllow({ result }: Check): boolean {
  return result === 'fail' || result === 'unavailable';
}

function holdsUnder(policy: Policy, { checks }: Verification): boolean {
  return !checks.map((check) => relaxed(check, policy)).some(preventsAllow);
}
