import type { NonceStanding } from '../core/challenge.js';
import type { ClockDoubt } from '../core/clock-doubt.js';
import type { EarlyCollateral } from '../core/early-collateral.js';
import type { EndorsementSet, EndorsementSource, MissingCrl, SnpEndorsementSet } from '../core/endorsement.js';
import type { TokenRoute } from '../core/evidence.js';
import type { AttestationService, SubmissionResult } from '../core/verification.js';
import type { RememberedResets } from '../core/vtpm-resets.js';
import type { Tenant } from './tenants.js';
import { type DigestOf, keyOf, type WorldAnswer, type WorldParts } from './witness.js';

/** Something was asked for that was not asked for then. */
export class NotAskedThenError extends Error {
  override readonly name = 'NotAskedThenError';
}

/** What the world answered while a request was judged, given again in the order in which it was asked. */
export class WorldAnswers {
  readonly #answers = new Map<string, unknown[]>();
  #notAsked: WorldAnswer['what'] | null = null;
  readonly #digestOf: DigestOf;

  constructor(answers: readonly WorldAnswer[], digestOf: DigestOf) {
    this.#digestOf = digestOf;
    for (const { what, key, answer } of answers) {
      const name = `${what} ${key}`;
      const known = this.#answers.get(name);
      if (known === undefined) this.#answers.set(name, [answer]);
      else known.push(answer);
    }
  }

  /** What was asked for though it was not asked for then: the last of it; null where nothing was. */
  get notAsked(): WorldAnswer['what'] | null {
    return this.#notAsked;
  }

  nonces(): WorldParts['nonces'] {
    // Without a nonce nothing was asked, and before the clock was relied on neither.
    return { standing: async () => standingOf(this.#next<NonceStanding>('nonce', '')) };
  }

  resets(): Tenant['resets'] {
    return {
      remembered: async ({ akThumbprint }) => this.#next<RememberedResets>('remembered', akThumbprint),
      advance: async ({ akThumbprint }) => this.#next<RememberedResets | null>('advanced', akThumbprint),
    };
  }

  endorsements(): EndorsementSource {
    return { fetch: async (requests) => this.#setOf(this.#next('endorsements', keyOf(requests))) };
  }

  early(): NonNullable<WorldParts['early']> {
    return {
      ask: () => undefined,
      held: ({ fmspc, ca }) => this.#next<EarlyCollateral | null>('early', `${fmspc} ${ca}`),
    };
  }

  /** At a time that stands. */
  clock(now: Date): WorldParts['clock'] {
    return {
      now: () => now,
      monotonicMs: () => now.getTime(),
      doubt: () => this.#next<ClockDoubt | null>('clock', ''),
    };
  }

  services(routes: readonly TokenRoute[]): WorldParts['services'] {
    return new Map(routes.map((route) => [route, this.#service(route)]));
  }

  #service(route: TokenRoute): AttestationService {
    return {
      route,
      issues: (issuer) => this.#next<boolean>('issues', `${route} ${issuer}`),
      accepts: () => this.#next<boolean>('accepts', route),
      attest: async () => {
        const result = this.#next<SubmissionResult & { readonly said?: { readonly answers?: boolean } }>(
          'token',
          route,
        );
        if (!('token' in result)) return result;
        return { token: result.token, answersCall: () => result.said?.answers === true };
      },
    };
  }

  #setOf(noted: EndorsementSet): EndorsementSet {
    if (noted.snp === null || noted.snp.crlProblems.size === 0) return noted;
    const problems = [...noted.snp.crlProblems].map(([product, problem]) => [product, this.#missing(problem)] as const);
    const crlProblems: SnpEndorsementSet['crlProblems'] = new Map(problems);
    return { ...noted, snp: { ...noted.snp, crlProblems } };
  }

  #missing(noted: MissingCrl & { readonly stoodIn?: ReadonlyMap<string, boolean> }): MissingCrl {
    const { stoodIn, ...problem } = noted;
    return { ...problem, mayStandIn: ({ der }) => stoodIn?.get(this.#digestOf(der)) === true };
  }

  /** The last one is given however often it is asked for. */
  #next<T>(what: WorldAnswer['what'], key: string): T {
    const answers = this.#answers.get(`${what} ${key}`);
    if (answers === undefined || answers.length === 0) {
      this.#notAsked = what;
      throw new NotAskedThenError(`${what} was not asked for then`);
    }
    return (answers.length === 1 ? answers[0] : answers.shift()) as T;
  }
}

/** What an earlier version noted of a challenge does not say when it was issued. */
function standingOf(noted: NonceStanding): NonceStanding {
  if (noted.origin !== 'challenge' || noted.state !== 'consumed') return noted;
  return { ...noted, issuedAt: noted.issuedAt ?? null };
}
