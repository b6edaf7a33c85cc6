import type { EndorsementSource, FetchContext } from '../core/endorsement.js';
import { FormatError } from '../core/errors.js';
import type { TokenEvidence, TokenRoute } from '../core/evidence.js';
import { tokenRouteOf, tokenTypeOf } from '../core/evidence-traits.js';
import type { JsonObject } from '../core/json.js';
import { NO_TRACER, type Tracer } from '../core/traces.js';
import type {
  AttestationService,
  ExpectedBinding,
  OpenedToken,
  Submission,
  TokenVerification,
  TokenVerifier,
} from '../core/verification.js';

/** A token of another verifier, verified or not. */
export interface RouteToken {
  readonly route: TokenRoute;
  readonly verification: TokenVerification;
  /** JSON pointer of the token, or of the place where it could have been. */
  readonly about: string;
  /** The text of it, where this service obtained it for the evidence of the request; null where the request has it. */
  readonly obtained: string | null;
}

/** What came of a submission that gave no token to rely on. */
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
  /** It is never asked about such evidence or verification time, even if every check here passes. `because`: why. */
  | { readonly state: 'held back'; readonly because: string };

/** What of a request is needed to judge other verifiers' tokens. */
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

/** Attestation Results of other verifiers: supplied with a request, or obtained for its evidence where configured. */
export class OtherVerifiers {
  readonly #verifiers: ReadonlyMap<string, TokenVerifier>;
  readonly #services: ReadonlyMap<TokenRoute, AttestationService>;
  readonly #endorsements: EndorsementSource;
  readonly #tracer: Tracer;

  constructor(
    verifiers: ReadonlyMap<string, TokenVerifier>,
    services: ReadonlyMap<TokenRoute, AttestationService>,
    endorsements: EndorsementSource,
    tracer: Tracer = NO_TRACER,
  ) {
    this.#tracer = tracer;
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
        obtained: null,
        verification: await this.#verify(token, context),
      })),
    );
  }

  /** Whether evidence of some kind may be sent to another verifier. */
  isConfigured(route: TokenRoute): boolean {
    return this.#services.has(route);
  }

  /** Whether a token is of an endpoint that would be asked, and holds the nonce of the request: then nothing is to be asked. */
  isOwn({ route, verification }: RouteToken): boolean {
    const issuer = verification.claims[route]?.issuer;
    if (issuer === undefined || verification.bound.length === 0) return false;
    return this.#services.get(route)?.issues(issuer) === true;
  }

  /** Whether evidence may be sent to another verifier: only where that is configured, and it judges such evidence. */
  canSubmit(route: TokenRoute, submission: Submission): boolean {
    return this.#services.get(route)?.accepts(submission) === true;
  }

  /** Requests a token. A malformed one is a problem of the route, not of the request. */
  async submit(route: TokenRoute, submission: Submission, context: RouteContext): Promise<RouteToken | RouteFault> {
    const service = this.#services.get(route);
    if (service === undefined) throw new Error(`nothing is configured for the route ${route}`);
    const result = await this.#tracer.span('submit evidence', (span) => {
      span.set({ 'veritee.token_route': route });
      return service.attest(submission, context.fetch.signal, context.fetch.principal);
    });
    if ('refused' in result) return { state: 'not vouched for', detail: result.refused };
    if ('code' in result)
      return { ...result, state: 'unavailable', retryAfterSeconds: result.retryAfterSeconds ?? null };
    const verification = await this.#verifyMade(route, result.token, context);
    const problem =
      verification === null ? 'it answered with no token' : problemOf(verification, route, result.answersCall);
    if (verification === null || problem !== null) {
      const detail = `the token for the route ${route} cannot be relied on: ${problem}`;
      return { state: 'unavailable', detail, retryable: true, retryAfterSeconds: null };
    }
    return { route, about: RESULTS, obtained: result.token, verification };
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

  /** Null for what is not a token: its bytes are not the request's, so it is no malformed request. */
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

/** Whether signature, issuer and times of a token verify. */
export function isReliable({ validUntil }: TokenVerification): boolean {
  return validUntil !== null;
}
