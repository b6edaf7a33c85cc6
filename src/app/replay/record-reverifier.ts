import { LRUCache } from 'lru-cache';
import type { Configuration } from '../../config/configuration.js';
import type { Decision } from '../../core/decision.js';
import type { LogStore } from '../../core/decision-log.js';
import { FormatError, RefusedError } from '../../core/errors.js';
import type { TokenRoute } from '../../core/evidence.js';
import type { AttestationService } from '../../core/verification.js';
import { jwkThumbprint } from '../../crypto/jwk-thumbprint.js';
import { EarlyCollateralShadow } from '../../judge/early-collateral.js';
import { KeptInquiry, type Question } from '../../judge/inquiry.js';
import type { PolicyView } from '../../judge/tenants.js';
import type { VerifyEvidence, VerifyEvidenceParts } from '../../judge/verify-evidence.js';
import type { TrackedVtpm } from '../../policy/appraise/vtpm-resets.js';
import { type Policy, parsePolicy } from '../../policy/document/policy-document.js';
import type { RecordedCase, Reverifier } from '../../replay/replay-decision.js';
import { SILENT } from '../commands/silent-log.js';
import type { ConfiguredRoots } from '../reload/configured-roots.js';
import { configurationOfThen, type Facts, KeptObjects, readFacts, requestOf } from './facts.js';

/** The verification of a replay. It neither signs nor records. */
interface Replayed {
  readonly verifiers: VerifyEvidenceParts['verifiers'];
  readonly verifyEvidence: Pick<VerifyEvidence, 'decideBy'>;
}

/** The registrations that a replay replaces. */
type ReplayedValues = Partial<Omit<VerifyEvidenceParts, 'remembered' | 'recordTimeoutMs'>> & {
  readonly configuration: Configuration;
  readonly roots?: ConfiguredRoots;
};

export interface ReverifierParts {
  readonly store: Pick<LogStore, 'object'>;
  readonly configuration: Configuration;
  readonly create: (values: ReplayedValues) => Replayed;
  /** The present registrations for decisions. */
  readonly current: Pick<VerifyEvidenceParts, 'verifiers' | 'endorsements' | 'tenants' | 'clock' | 'waits'>;
}

/** Maximum of configurations whose verifiers are cached. */
const MOST_VERIFIERS = 4;

/** Deadline of a replay, which may take longer than a request. */
const DEADLINE_SECONDS = 60;

/**
 * Repeats decisions with the stored inputs and the verifiers of this version. Logs nothing, since the events are past.
 */
export class RecordReverifier implements Reverifier {
  readonly #parts: ReverifierParts;
  readonly #objects: KeptObjects;
  /** Verifiers of recorded configurations, by digest. They cache the certificates that they have verified. */
  readonly #verifiers = new LRUCache<string, Replayed['verifiers']>({ max: MOST_VERIFIERS });

  constructor(parts: ReverifierParts) {
    this.#parts = parts;
    this.#objects = new KeptObjects(parts.store);
  }

  async open(inputsSha256: string): Promise<RecordedCase> {
    const facts = await readFacts(this.#objects, inputsSha256);
    return {
      asThen: (instead = []) => {
        const inquiry = new KeptInquiry(facts.answers);
        const judged = this.#then(facts, instead).decideBy(inquiry, requestOf(facts), facts.caller);
        return requireRecordedInputs(judged, inquiry, 'this version of veritee');
      },
      asNow: (slot, instead = []) => {
        const inquiry = new KeptInquiry(facts.answers, KEPT_NOW, this.#parts.current.waits.within(slot));
        // Ignores the verification time of the request.
        const today = { ...requestOf(facts), at: null };
        const judged = this.#now(facts, instead).decideBy(inquiry, today, facts.caller);
        return requireRecordedInputs(judged, inquiry, 'the configuration of today');
      },
    };
  }

  /** Every answer comes from the facts. A call to a source fails. */
  #then(facts: Facts, instead: readonly Policy[]): Replayed['verifyEvidence'] {
    const { configuration: then, configurationSha256, now } = facts;
    const configuration = configurationOfThen(this.#parts.configuration, then);
    const clock = { now: () => now, monotonicMs: () => now.getTime(), doubt: notASource };
    const early = { ask: () => undefined, held: notASource };
    const view = withPolicies(policiesOf(facts), instead);
    const { default: defaultPolicy, shadow: shadowPolicies } = configuration.policies;
    const resets = { remembered: notASource, advance: notASource };
    const tenant = { policies: () => view, defaultPolicy, shadowPolicies, resets };
    return this.#parts.create({
      configuration: { ...configuration, deadlineSeconds: DEADLINE_SECONDS },
      verifiers: this.#verifiersOf(configurationSha256, configuration, then.roots),
      endorsements: { fetch: notASource },
      services: servicesOfThen(then.submitted),
      tenants: () => tenant,
      nonces: { standing: notASource },
      early: then.early ? new EarlyCollateralShadow(early, jwkThumbprint, clock, SILENT) : null,
      clock,
      log: SILENT,
    }).verifyEvidence;
  }

  #verifiersOf(sha256: string, configuration: Configuration, roots: ConfiguredRoots): Replayed['verifiers'] {
    const known = this.#verifiers.get(sha256);
    if (known !== undefined) return known;
    const { verifiers } = this.#parts.create({ configuration, roots });
    this.#verifiers.set(sha256, verifiers);
    return verifiers;
  }

  /**
   * The nonce and the tokens keep their recorded results, since each could be used or obtained only once. Advances no
   * reset count.
   */
  #now({ configuration: then, caller }: Facts, instead: readonly Policy[]): Replayed['verifyEvidence'] {
    const { configuration, create, current } = this.#parts;
    const { clock } = current;
    const { resets, policies, ...others } = current.tenants(caller.tenant);
    const view = withPolicies(policies(), instead);
    const tenant = {
      ...others,
      policies: () => view,
      resets: { remembered: (vtpm: TrackedVtpm) => resets.remembered(vtpm), advance: async () => null },
    };
    return create({
      configuration,
      verifiers: current.verifiers,
      endorsements: current.endorsements,
      tenants: () => tenant,
      services: servicesOfThen(then.submitted),
      nonces: { standing: notASource },
      clock: { now: () => clock.now(), monotonicMs: () => clock.monotonicMs(), doubt: () => null },
      log: SILENT,
    }).verifyEvidence;
  }
}

/** Questions that the facts answer if a decision is made as of today. */
const KEPT_NOW: ReadonlySet<Question> = new Set(['nonce', 'issues', 'accepts', 'token']);

/** Replaces a source. The facts must answer before it is called. */
function notASource(): never {
  throw new Error('a replay called a source instead of reading a recorded answer');
}

function servicesOfThen(routes: readonly TokenRoute[]): ReadonlyMap<TokenRoute, AttestationService> {
  const service = { issues: notASource, accepts: notASource, attest: notASource };
  return new Map(routes.map((route) => [route, { route, ...service }]));
}

/**
 * Throws if an input was missing. Another policy, or another version of veritee, may need an input that was not
 * recorded.
 * @param by the version or configuration that rejects a request which was accepted then
 * @throws {RefusedError} `evidence_not_kept` if an answer was missing: there is no decision, or only one caused by an
 *   error
 * @throws {FormatError} of the recorded request, without a pointer: the user of the replay did not send the request
 */
async function requireRecordedInputs(judged: Promise<Decision>, inquiry: KeptInquiry, by: string): Promise<Decision> {
  const [outcome] = await Promise.allSettled([judged]);
  const { notAsked } = inquiry;
  if (notAsked !== null) {
    throw new RefusedError(
      'evidence_not_kept',
      `the decision needs an input that the record lacks: ${ASKED[notAsked]}`,
    );
  }
  if (outcome.status === 'rejected') throw saidOfRecorded(outcome.reason, by);
  return outcome.value;
}

function saidOfRecorded(error: unknown, by: string): unknown {
  if (!(error instanceof FormatError)) return error;
  return new FormatError(error.code, `the recorded request is refused by ${by}: ${error.message}`, { cause: error });
}

const ASKED: Readonly<Record<Question, string>> = {
  clock: 'the state of the clock',
  policy: 'a policy',
  nonce: 'the standing of the nonce',
  endorsements: 'endorsements',
  accepts: 'an attestation service',
  issues: 'the issuers of an attestation service',
  token: 'a token',
  remembered: 'the reset counts of a vTPM',
  advanced: 'the reset counts of a vTPM',
  early: 'early collateral',
};

function withPolicies(view: PolicyView, instead: readonly Policy[]): PolicyView {
  if (instead.length === 0) return view;
  const others = new Map(instead.map((policy) => [policy.id, policy]));
  return { get: (id) => others.get(id) ?? view.get(id), keys: () => view.keys() };
}

function policiesOf({ answers }: Facts): ReadonlyMap<string, Policy> {
  const texts = answers.filter(({ what }) => what === 'policy');
  return new Map(
    texts.map(({ key, answer }) => {
      const text = Buffer.from(answer as Uint8Array).toString('utf8');
      return [key, parsePolicy(text, { releasePolicyId: key })];
    }),
  );
}
