import { AsyncLocalStorage } from 'node:async_hooks';
import type { NonceStanding } from '../core/challenge.js';
import type { EarlyCollateralSource } from '../core/early-collateral.js';
import type { EndorsementRequest, EndorsementSet, EndorsementSource, MissingCrl } from '../core/endorsement.js';
import type { TokenRoute } from '../core/evidence.js';
import type { AttestationService } from '../core/verification.js';
import type { WatchedClock } from './clock-watch.js';
import type { PolicyView, Tenant } from './tenants.js';
import type { VerifyEvidenceParts } from './verify-evidence.js';

/** What the world answered once. */
export interface WorldAnswer {
  readonly what:
    | 'clock'
    | 'policy'
    | 'nonce'
    | 'endorsements'
    | 'accepts'
    | 'issues'
    | 'token'
    | 'remembered'
    | 'advanced'
    | 'early';
  /** What was asked for. */
  readonly key: string;
  readonly answer: unknown;
}

/** Parts of judging that ask the world. */
export interface WorldParts extends Pick<VerifyEvidenceParts, 'tenants' | 'nonces' | 'endorsements' | 'clock'> {
  readonly services: ReadonlyMap<TokenRoute, AttestationService>;
  /** Null: nothing is judged by early collateral. */
  readonly early: EarlyCollateralSource | null;
}

/** The digest of a CRL, by which is kept what was said of it. */
export type DigestOf = (der: Uint8Array) => string;

/**
 * Notes what the world answers while a request is judged: the same request and the same answers give the same decision. Only
 * the request that is watched is noted, whatever is judged at the same time.
 */
export class Witness {
  readonly #noting = new AsyncLocalStorage<WorldAnswer[]>();
  readonly #digestOf: DigestOf;

  constructor(digestOf: DigestOf) {
    this.#digestOf = digestOf;
  }

  /** Does work, and lists what the world answered meanwhile, in that order. */
  async watch<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly answers: readonly WorldAnswer[] }> {
    const answers: WorldAnswer[] = [];
    return { value: await this.#noting.run(answers, work), answers };
  }

  /** The same parts, whose answers are noted. */
  watched(parts: WorldParts): WorldParts {
    return {
      tenants: (name) => this.#tenant(parts.tenants(name)),
      nonces: {
        standing: async (nonce, scope, use) =>
          this.#note('nonce', '', await parts.nonces.standing(nonce, scope, use)) as NonceStanding,
      },
      endorsements: this.#endorsements(parts.endorsements),
      clock: this.#clock(parts.clock),
      services: new Map([...parts.services].map(([route, service]) => [route, this.#service(service)])),
      early: parts.early === null ? null : this.#early(parts.early),
    };
  }

  #note<T>(what: WorldAnswer['what'], key: string, answer: T): T {
    this.#noting.getStore()?.push({ what, key, answer });
    return answer;
  }

  #tenant({ policies, resets, ...others }: Tenant): Tenant {
    return {
      ...others,
      policies: () => this.#policies(policies()),
      resets: {
        remembered: async (vtpm) => this.#note('remembered', vtpm.akThumbprint, await resets.remembered(vtpm)),
        advance: async (vtpm) => this.#note('advanced', vtpm.akThumbprint, await resets.advance(vtpm)),
      },
    };
  }

  #policies(view: PolicyView): PolicyView {
    return {
      keys: () => view.keys(),
      get: (id) => {
        const policy = view.get(id);
        if (policy !== undefined) this.#note('policy', id, { text: policy.text });
        return policy;
      },
    };
  }

  #clock(clock: WatchedClock): WatchedClock {
    return {
      now: () => clock.now(),
      monotonicMs: () => clock.monotonicMs(),
      doubt: () => this.#note('clock', '', clock.doubt()),
    };
  }

  #endorsements(source: EndorsementSource): EndorsementSource {
    return {
      fetch: async (requests, context) => {
        const set = await source.fetch(requests, context);
        if (this.#noting.getStore() === undefined) return set;
        const watched = this.#watchedSet(set);
        this.#note('endorsements', keyOf(requests), watched.noted);
        return watched.set;
      },
    };
  }

  /** Whether a CRL of the request may stand in is asked later: what is said then is noted as it is said. */
  #watchedSet(set: EndorsementSet): { readonly set: EndorsementSet; readonly noted: unknown } {
    if (set.snp === null || set.snp.crlProblems.size === 0) return { set, noted: set };
    const noted = new Map<string, object>();
    const watched = new Map<string, MissingCrl>();
    for (const [product, problem] of set.snp.crlProblems) {
      const stoodIn = new Map<string, boolean>();
      noted.set(product, { ...problem, stoodIn });
      const mayStandIn: MissingCrl['mayStandIn'] = (list) => {
        const may = problem.mayStandIn(list);
        stoodIn.set(this.#digestOf(list.der), may);
        return may;
      };
      watched.set(product, { ...problem, mayStandIn });
    }
    const withProblems = (crlProblems: unknown) => ({ ...set, snp: { ...set.snp, crlProblems } });
    return { set: withProblems(watched) as EndorsementSet, noted: withProblems(noted) };
  }

  #service(service: AttestationService): AttestationService {
    const { route } = service;
    return {
      route,
      issues: (issuer) => this.#note('issues', `${route} ${issuer}`, service.issues(issuer)),
      accepts: (submission) => this.#note('accepts', route, service.accepts(submission)),
      attest: async (...asked) => {
        const result = await service.attest(...asked);
        if (!('token' in result)) return this.#note('token', route, result);
        const said: { answers?: boolean } = {};
        this.#note('token', route, { token: result.token, said });
        const answersCall: typeof result.answersCall = (claims) => {
          said.answers = result.answersCall(claims);
          return said.answers;
        };
        return { token: result.token, answersCall };
      },
    };
  }

  #early(source: EarlyCollateralSource): EarlyCollateralSource {
    return {
      ask: (key) => source.ask(key),
      held: (key, at) => this.#note('early', `${key.fmspc} ${key.ca}`, source.held(key, at)),
    };
  }
}

/** What a set of endorsements is found by again: what was asked for, and not what the request supplied. */
export function keyOf(requests: readonly EndorsementRequest[]): string {
  return requests.map(keyOfOne).join('; ');
}

function keyOfOne(request: EndorsementRequest): string {
  switch (request.kind) {
    case 'amd-snp':
      return `${request.kind} ${request.signingKey} ${request.products.join()} ${hex(request.chipId)}`;
    case 'intel-tdx':
      return `${request.kind} ${request.fmspc} ${request.ca}`;
    case 'token-keys':
      return `${request.kind} ${request.type} ${request.issuer} ${request.kid}`;
    case 'ak-issuers':
      return `${request.kind} ${hex(request.issuer)}`;
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
