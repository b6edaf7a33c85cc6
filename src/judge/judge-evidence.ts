import type { NonceStanding } from '../core/challenge.js';
import type { EndorsementRequest, EndorsementSet, EndorsementSource, FetchContext } from '../core/endorsement.js';
import type { VerifyRequest } from '../core/request.js';
import { NO_TRACER, type Tracer } from '../core/traces.js';
import type { EvidenceVerifier, ExpectedBinding, OpenedEvidence, Verification } from '../core/verification.js';
import type { Policy } from '../policy/document/policy-document.js';
import { withHexNoncesNamed } from '../tee/shared/binding/nonce-in-hex.js';
import type { KeyThumbprint } from './cross-check/paravisor-statements.js';
import { type FetchTime, RequestFetch } from './fetch-time.js';
import { type Judged, judgeResults } from './judge-results.js';
import type { OtherVerifiers } from './other-verifiers.js';
import { submitWhereWanted } from './submit-where-wanted.js';
import type { Tenant } from './tenants.js';

/** What is known of a request before its evidence is looked at. */
export interface Case {
  readonly request: VerifyRequest;
  /** Name of the caller. */
  readonly principal: string;
  readonly tenant: string;
  readonly at: Date;
  readonly historical: boolean;
  readonly policies: readonly Policy[];
  /** Policies that are judged beside, and never decide. */
  readonly shadow: readonly Policy[];
  /** Whether a policy is only tried: then nothing is used up or noted. */
  readonly trial: boolean;
  readonly nonce: NonceStanding;
  readonly binding: ExpectedBinding | null;
  /** Memory of the vTPMs of whoever asks. */
  readonly resets: Tenant['resets'];
}

/** What evidence and tokens are judged with. */
export interface EvidenceParts {
  readonly endorsements: EndorsementSource;
  readonly otherVerifiers: OtherVerifiers;
  /** Thumbprint of a JWK, by which attestation keys are compared. */
  readonly keyThumbprint: KeyThumbprint;
  /** Left out: nothing is traced. */
  readonly tracer?: Tracer;
}

/** Evidence and tokens that were judged, and how the evidence can be judged by other endorsements. */
export interface JudgedEvidence {
  readonly judged: Judged;
  /** Null where it did not come to an end. */
  readonly again: Rejudging | null;
}

/** The same evidence and tokens, judged by other endorsements: for what stands beside a decision, and never for one. */
export interface Rejudging {
  /** The endorsements that the evidence needs. */
  readonly needs: readonly EndorsementRequest[];
  /**
   * Verifies the evidence again. Nothing is fetched or sent, and what was found of the tokens stays: they were compared
   * with what the evidence said by its own endorsements.
   */
  by(change: (fetched: EndorsementSet) => EndorsementSet): Promise<Judged>;
}

/**
 * Judges the evidence and every token of a request, each step once.
 * @throws {FormatError} where something of the request is malformed
 */
export async function judgeEvidence(
  { endorsements, otherVerifiers, keyThumbprint, tracer = NO_TRACER }: EvidenceParts,
  verifier: EvidenceVerifier,
  asked: Case,
  fetching: FetchTime,
): Promise<JudgedEvidence> {
  const { request, at, binding } = asked;
  const fetch = new RequestFetch(asked, fetching);
  // Malformed evidence is refused before anything is fetched.
  const opened = verifier.open(request.evidence);
  const tokens = request.attestationResults;
  const verifySent = () => otherVerifiers.verifySent(tokens, { fetch, binding });
  const verifyingSent = tokens.length === 0 ? verifySent() : tracer.span('verify tokens', verifySent);
  const verifyingOwn = verifyOwn(opened, endorsements, asked, { fetch, tracer });
  const [own, sent] = tokens.length === 0 ? [await verifyingOwn, []] : await bothEnded(verifyingOwn, verifyingSent);
  const { verification, fetched } = own;
  const results = await submitWhereWanted(otherVerifiers, asked, verification, sent, fetch);
  const { type } = request.evidence;
  return {
    judged: judgeResults(type, verification, results, keyThumbprint),
    again: {
      needs: opened.needs,
      by: async (change) => {
        const other = await verified(opened, { at, endorsements: change(fetched), binding }, tracer);
        return judgeResults(type, other, results, keyThumbprint, verification);
      },
    },
  };
}

async function verifyOwn(
  opened: OpenedEvidence,
  source: EndorsementSource,
  { at, binding }: Case,
  { fetch, tracer }: { readonly fetch: FetchContext; readonly tracer: Tracer },
): Promise<{ readonly verification: Verification; readonly fetched: EndorsementSet }> {
  const fetched = await tracer.span('fetch endorsements', (span) => {
    span.set({ 'veritee.endorsements': opened.needs.map(({ kind }) => kind) });
    return source.fetch(opened.needs, fetch);
  });
  return { verification: await verified(opened, { at, endorsements: fetched, binding }, tracer), fetched };
}

async function verified(
  opened: OpenedEvidence,
  context: Parameters<OpenedEvidence['verify']>[0],
  tracer: Tracer,
): Promise<Verification> {
  const result: unknown = await tracer.span('verify evidence', () => opened.verify(context));
  if (!isVerification(result)) throw new TypeError('the verifier returned no verification');
  return { ...result, checks: withHexNoncesNamed(result.checks, context.binding) };
}

/** What both come to, once both have ended: a fault of one must not end half-way what is fetched for the other. */
async function bothEnded<A, B>(a: Promise<A>, b: Promise<B>): Promise<readonly [A, B]> {
  await Promise.allSettled([a, b]);
  return Promise.all([a, b]);
}

/** What a verifier answers is looked at where it comes in: what is no verification must not get as far as a policy. */
function isVerification(result: unknown): result is Verification {
  if (typeof result !== 'object' || result === null) return false;
  const { checks, required, claims } = result as { readonly [member in keyof Verification]?: unknown };
  return Array.isArray(checks) && Array.isArray(required) && typeof claims === 'object' && claims !== null;
}
