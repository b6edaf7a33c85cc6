import type { NonceStanding } from '../model/challenge.js';
import type { Check } from '../model/check.js';
import type { EndorsementSource, FetchContext } from '../model/endorsement.js';
import { FormatError } from '../model/errors.js';
import type { EvidenceType, TokenEvidence, TokenRoute } from '../model/evidence.js';
import { isHardwareType, tokenRouteOf, tokenTypeOf } from '../model/evidence-traits.js';
import type { JsonObject } from '../model/json.js';
import type {
  AttestationService,
  ExpectedBinding,
  OpenedToken,
  Submission,
  TokenVerification,
  TokenVerifier,
  Verification,
} from '../model/verification.js';
import { relaxed } from '../policy/base-checks.js';
import type { Policy } from '../policy/policy-document.js';
import { nonceChecks } from './nonces.js';

/** A token of another verifier, verified or not. */
export interface RouteToken {
  readonly route: TokenRoute;
  readonly verification: TokenVerification;
  /** JSON pointer of the token, or of the place where it could have been. */
  readonly about: string;
  /** Whether this service had it made, of the very evidence of the request. */
  readonly submitted: boolean;
}

/** What came of a submission that brought no token to rely on. */
export type RouteFault =
  | {
      readonly state: 'unavailable';
      readonly detail: string;
      readonly retryable: boolean;
      readonly retryAfterSeconds: number | null;
    }
  /** The other verifier judged the evidence, and does not vouch for it. */
  | { readonly state: 'not vouched for'; readonly detail: string }
  /** It was not asked, because evidence or challenge fail a base check here, which says why. */
  | { readonly state: 'not asked' }
  /** It is never asked about such evidence or such an instant, even if they pass every check here. `because`: why. */
  | { readonly state: 'held back'; readonly because: string };

/** What other verifiers' routes came to. */
export interface RouteResults {
  readonly tokens: readonly RouteToken[];
  readonly faults: ReadonlyMap<TokenRoute, RouteFault>;
}

/** What of a request other verifiers' tokens are judged by. */
export interface RouteContext {
  readonly fetch: FetchContext;
  readonly binding: ExpectedBinding | null;
}

/** A token that was read. */
interface SentToken {
  readonly evidence: TokenEvidence;
  /** JSON pointer of the token in the request. */
  readonly about: string;
  readonly opened: OpenedToken;
}

const RESULTS = '/attestationResults';

/** Other verifiers: tokens that a request brings, and tokens that are made of its evidence where that is configured. */
export class AttestationRoutes {
  readonly #verifiers: ReadonlyMap<string, TokenVerifier>;
  readonly #services: ReadonlyMap<TokenRoute, AttestationService>;
  readonly #endorsements: EndorsementSource;

  constructor(
    verifiers: ReadonlyMap<string, TokenVerifier>,
    services: ReadonlyMap<TokenRoute, AttestationService>,
    endorsements: EndorsementSource,
  ) {
    this.#verifiers = verifiers;
    this.#services = services;
    this.#endorsements = endorsements;
  }

  /** @throws {FormatError} where a token is malformed, before anything is fetched for one */
  verifySent(tokens: readonly TokenEvidence[], context: RouteContext): Promise<readonly RouteToken[]> {
    const read = tokens.map((evidence, index) => this.#read(evidence, `${RESULTS}/${index}/token`));
    return Promise.all(
      read.map(async (token) => ({
        route: tokenRouteOf(token.evidence.type),
        about: token.about,
        submitted: false,
        verification: await this.#verify(token, context),
      })),
    );
  }

  /** Whether evidence of some kind may be sent to another verifier. */
  isConfigured(route: TokenRoute): boolean {
    return this.#services.has(route);
  }

  /** Whether evidence may be sent to another verifier: only where that is configured, and it judges such evidence. */
  canSubmit(route: TokenRoute, submission: Submission): boolean {
    return this.#services.get(route)?.accepts(submission) === true;
  }

  /** Requests a token. A malformed one is a problem of the route, not of the request. */
  async submit(route: TokenRoute, submission: Submission, context: RouteContext): Promise<RouteToken | RouteFault> {
    const service = this.#services.get(route);
    if (service === undefined) throw new Error(`nothing is configured for the route ${route}`);
    const result = await service.attest(submission, context.fetch.signal);
    if ('refused' in result) return { state: 'not vouched for', detail: result.refused };
    if ('code' in result)
      return { ...result, state: 'unavailable', retryAfterSeconds: result.retryAfterSeconds ?? null };
    const verification = await this.#verifyMade(route, result.token, context);
    const problem =
      verification === null ? 'it answered with no token' : problemOf(verification, route, result.answersCall);
    if (verification === null || problem !== null) {
      const detail = `the token of ${route} cannot be relied on: ${problem}`;
      return { state: 'unavailable', detail, retryable: true, retryAfterSeconds: null };
    }
    return { route, about: RESULTS, submitted: true, verification };
  }

  /** @throws {FormatError} where the token is malformed */
  #read(evidence: TokenEvidence, about: string): SentToken {
    const verifier = this.#verifiers.get(evidence.type);
    if (verifier === undefined) throw new Error(`no verifier for ${evidence.type}`);
    return { evidence, about, opened: verifier.openResult(evidence, about) };
  }

  async #verify({ opened }: SentToken, { fetch, binding }: RouteContext): Promise<TokenVerification> {
    const endorsements = await this.#endorsements.fetch(opened.needs, fetch);
    return opened.verify({ at: fetch.at, endorsements, binding });
  }

  /** Null for what is no token at all: then it is no fault of the request's bytes. */
  async #verifyMade(route: TokenRoute, token: string, context: RouteContext): Promise<TokenVerification | null> {
    try {
      return await this.#verify(this.#read({ type: tokenTypeOf(route), token }, RESULTS), context);
    } catch (error) {
      if (error instanceof FormatError) return null;
      throw error;
    }
  }
}

/** Why a token that the service obtained cannot be relied on; null where it can. */
function problemOf(
  verification: TokenVerification,
  route: TokenRoute,
  answersCall: (claims: JsonObject) => boolean,
): string | null {
  if (!isReliable(verification)) {
    const failed = verification.checks.filter(({ result }) => result === 'fail' || result === 'unavailable');
    return failed.map(({ id }) => id).join(', ');
  }
  const claims = verification.claims[route]?.claims;
  return claims !== undefined && answersCall(claims) ? null : 'it does not answer this submission';
}

/** Whether signature, issuer and times of a token hold. */
export function isReliable({ validUntil }: TokenVerification): boolean {
  return validUntil !== null;
}

export const SUBMITTED_ROUTES: readonly TokenRoute[] = ['maa', 'ita'];

/** What of a request says whose opinion is wanted. */
interface Wanting {
  readonly request: { readonly evidence: { readonly type: EvidenceType } };
  readonly policies: readonly Policy[];
  readonly historical: boolean;
  readonly nonce: NonceStanding;
  readonly binding: ExpectedBinding | null;
}

/**
 * Requests tokens that a policy for this evidence wants and the request does not bring. Evidence that fails here, or whose
 * challenge fails, is not sent. Neither is any for a past instant: another verifier judges the present. A genuine report
 * whose revocation status is unknown is sent: policies decide whether that matters.
 *
 * @param sent tokens that the request brings
 */
export async function submitWhereWanted(
  attestationRoutes: AttestationRoutes,
  { request, policies, historical, nonce, binding }: Wanting,
  own: Verification,
  sent: readonly RouteToken[],
  fetch: FetchContext,
): Promise<RouteResults> {
  const wanted = SUBMITTED_ROUTES.filter(
    (route) =>
      policies.some(({ routes, accepts }) => routes[route] !== 'off' && accepts.includes(request.evidence.type)) &&
      !sent.some((token) => token.route === route) &&
      attestationRoutes.isConfigured(route),
  );
  const submission = own.submission ?? null;
  const heldBack = (because: string): RouteResults => {
    const takers = wanted.filter((route) =>
      submission === null ? isHardwareType(request.evidence.type) : attestationRoutes.canSubmit(route, submission),
    );
    return { tokens: sent, faults: new Map(takers.map((route) => [route, { state: 'held back', because }])) };
  };
  if (historical) return heldBack('another verifier judges the present, and the instant is past');
  const challengeFailed = nonceChecks(nonce).some(hasFailed);
  const failed = own.checks.filter(hasFailed);
  if (submission === null || challengeFailed || failed.length > 0) {
    if (challengeFailed || !policies.some((policy) => holdsUnder(policy, own))) {
      return { tokens: sent, faults: new Map(wanted.map((route) => [route, { state: 'not asked' }])) };
    }
    // A policy may turn the failed check into a warning; then only the route's own check says why there is no token.
    if (failed.length === 0) return { tokens: sent, faults: new Map() };
    const ids = failed.map(({ id }) => id).join(', ');
    return heldBack(`evidence that fails ${ids} goes to no other verifier, whatever a policy tolerates`);
  }
  const made = await Promise.all(
    wanted
      .filter((route) => attestationRoutes.canSubmit(route, submission))
      .map(async (route) => [route, await attestationRoutes.submit(route, submission, { fetch, binding })] as const),
  );
  return {
    tokens: [...sent, ...made.flatMap(([, result]) => ('state' in result ? [] : [result]))],
    faults: new Map(made.flatMap(([route, result]) => ('state' in result ? [[route, result] as const] : []))),
  };
}

function hasFailed({ result }: Check): boolean {
  return result === 'fail';
}

function holdsUnder(policy: Policy, { checks }: Verification): boolean {
  return checks
    .map((check) => relaxed(check, policy))
    .every(({ result }) => result !== 'fail' && result !== 'unavailable');
}
