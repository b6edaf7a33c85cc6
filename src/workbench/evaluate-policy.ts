import type { AmdLines } from '../core/amd-lines.js';
import { FormatError } from '../core/errors.js';
import type { Evaluation } from '../core/evaluation.js';
import type { EvidenceType } from '../core/evidence.js';
import { isHardwareType, traitsOf } from '../core/evidence-traits.js';
import { type JsonObject, type JsonValue, jsonPointer } from '../core/json.js';
import type { Clock } from '../core/ports.js';
import type { Caller, EvaluationRequest, VerifyRequest } from '../core/request.js';
import type { Slot } from '../judge/verification-slots.js';
import type { VerifyEvidence } from '../judge/verify-evidence.js';
import { couldBeMet } from '../policy/akv/could-be-met.js';
import { evaluateReleasePolicy } from '../policy/akv/evaluate-release-policy.js';
import type { ReleasePolicy } from '../policy/akv/policy-tree.js';
import { appraiseClaims } from '../policy/appraise/appraise-claims.js';
import { Asserted } from '../policy/appraise/asserted.js';
import { readGivenClaims } from '../policy/document/given-claims.js';
import {
  isReleasePolicyText,
  type Policy,
  parsePolicy,
  parsePolicyValue,
  policyOf,
  REQUEST_BOUNDS,
  readBareReleasePolicy,
} from '../policy/document/policy-document.js';
import { PolicyError } from '../policy/document/policy-problem.js';

export interface EvaluatePolicyParts {
  readonly verifyEvidence: Pick<VerifyEvidence, 'tryPolicy'>;
  readonly clock: Clock;
  /** The known product lines. */
  readonly lines: AmdLines;
}

/** The id of a release policy under evaluation. */
const TRIED = 'release-policy';

/** Evaluates a policy text. Nothing is stored, no challenge is used up, and no receipt is issued. */
export class EvaluatePolicy {
  readonly #parts: EvaluatePolicyParts;

  constructor(parts: EvaluatePolicyParts) {
    this.#parts = parts;
  }

  /**
   * @throws {FormatError} `schema` if the text does not load, or the claims are invalid; for evidence, as `VerifyEvidence`
   * @throws {RefusedError} `forbidden` for a past verification time that the caller may not use
   */
  async execute(request: EvaluationRequest, caller: Caller, slot: Slot): Promise<Evaluation> {
    const { text } = request;
    const { lines } = this.#parts;
    const value = reading('/text', () => parsePolicyValue(text, { bounds: REQUEST_BOUNDS }));
    if (isReleasePolicyText(value)) return this.#release(releasePolicyOf(value, text), request, caller, slot);
    const policy = reading('/text', () => policyOf(value, text, { bounds: REQUEST_BOUNDS, lines }));
    return request.on === 'evidence'
      ? this.#onEvidence(policy, request.request, caller, slot)
      : this.#onClaims(policy, request);
  }

  async #onEvidence(policy: Policy, request: VerifyRequest, caller: Caller, slot: Slot): Promise<Evaluation> {
    const { decision, policies, checks } = await this.#parts.verifyEvidence.tryPolicy(policy, request, caller, slot);
    const [{ matched, unmatched } = { matched: [], unmatched: [] }] = policies;
    return { outcome: decision, matched, unmatched, because: { checks } };
  }

  #onClaims(policy: Policy, { claims: given, type, at }: EvaluationRequest & { on: 'claims' }): Evaluation {
    const { claims, problems } = readGivenClaims(given);
    const [problem] = problems;
    if (claims === null) {
      const pointer = jsonPointer(['claims', ...(problem?.path ?? [])]);
      throw new FormatError('schema', problem?.what ?? 'are no claims', { pointer });
    }
    const ofType = type ?? likeliestType(policy, Object.keys(claims));
    const instant = at ?? this.#parts.clock.now();
    const tried = appraiseClaims(policy, { type: ofType, asserted: Asserted.of(claims), at: instant });
    const { outcome, matched, unmatched, checks } = tried;
    return { outcome, matched, unmatched, because: { checks } };
  }

  /** Evaluates a release policy on evidence: on the claims of a token, or on those of its hardware under the names of such a token. */
  async #release(policy: ReleasePolicy, request: EvaluationRequest, caller: Caller, slot: Slot): Promise<Evaluation> {
    if (request.on === 'claims') return onToken(policy, request.claims, request.comparison);
    const accepting = acceptingPolicy(request.request.evidence.type);
    const decision = await this.#parts.verifyEvidence.tryPolicy(accepting, request.request, caller, slot);
    const token = decision.claims.maa ?? decision.claims.ita;
    const claims = token?.claims ?? decision.maaView;
    if (decision.decision === 'allow' && claims !== null) return onToken(policy, claims, request.comparison);
    const outcome = decision.decision === 'allow' ? 'indeterminate' : decision.decision;
    return { outcome, matched: [], unmatched: [TRIED], because: { checks: decision.checks } };
  }
}

/** @throws {FormatError} `schema` if it is no release policy */
function releasePolicyOf(value: JsonValue, text: string): ReleasePolicy {
  const { policy, problems } = readBareReleasePolicy(value, text);
  if (policy === null) throw unloadablePolicy('/text', new PolicyError(problems));
  return policy;
}

export type EvaluatePolicyUseCase = Pick<EvaluatePolicy, 'execute'>;

/** Claims without `iss` are those of `maaView`: the real token may state other values. */
function onToken(policy: ReleasePolicy, claims: JsonObject, comparison: 'strict' | 'compatible'): Evaluation {
  const { iss } = claims;
  const issuer = typeof iss === 'string' ? iss : null;
  const { met, explanation } = evaluateReleasePolicy(policy, { issuer, claims }, comparison);
  const isOpen = issuer === null && couldBeMet(policy, claims, comparison);
  const outcome = met ? 'allow' : isOpen ? 'indeterminate' : 'deny';
  return {
    outcome,
    matched: met ? [TRIED] : [],
    unmatched: met ? [] : [TRIED],
    because: { part: explanation },
  };
}

/** A policy with only the base checks: the release policy has all other requirements. */
function acceptingPolicy(type: EvidenceType): Policy {
  const members = { apiVersion: 'veritee/v1', id: TRIED, version: 1, accepts: [type], minimums: 'any' };
  const relaxed = isHardwareType(type) ? { paravisor: 'any' } : { routes: { hardware: 'off' } };
  return parsePolicy(JSON.stringify({ ...members, freshness: 'none', ...relaxed }));
}

/** The accepted type with the most of these sections; else the first. */
function likeliestType({ accepts }: Policy, sections: readonly string[]): EvidenceType {
  const alwaysOf = (type: EvidenceType) => traitsOf(type).always;
  const fitting = accepts.filter((type) => alwaysOf(type).every((section) => sections.includes(section)));
  const [first = accepts[0]] = fitting.toSorted((a, b) => alwaysOf(b).length - alwaysOf(a).length);
  if (first === undefined) throw new TypeError('a policy accepts at least one type');
  return first;
}

/** @throws {FormatError} `schema` if a policy text does not load */
function reading<T>(pointer: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof PolicyError) throw unloadablePolicy(pointer, error);
    throw error;
  }
}

function unloadablePolicy(pointer: string, error: PolicyError): FormatError {
  const message = `the policy does not load: ${error.problems.join('; ')}`;
  return new FormatError('schema', message, { pointer, cause: error });
}
