import { createContainer } from '../../../src/app/container.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { type EndorsementSet, NO_ENDORSEMENTS } from '../../../src/core/endorsement.js';
import { FormatError } from '../../../src/core/errors.js';
import type { Evidence } from '../../../src/core/evidence.js';
import type { JsonObject } from '../../../src/core/json.js';
import type { EvidenceVerifier } from '../../../src/core/verification.js';
import { appraisalInput, appraise, decide, mergeChecks, type Policy } from '../../../src/library/policy.js';
import { expectedBinding, open, type VerifierOptions, verify } from '../../../src/library/verifier.js';
import { judge } from '../../judge.js';

/** The same evidence by the library, and by the service with the verifiers of its container. */

type Verifiers = ReadonlyMap<string, EvidenceVerifier>;

/** The verifiers of the service under a configuration. */
export function verifiersOfService(configuration: object = {}, change: VerifierOptions = {}): Verifiers {
  const values = {
    configuration: loadConfiguration({ text: JSON.stringify(configuration), environment: {} }),
  };
  const { verifierOptions } = createContainer(values);
  return createContainer(values, { verifierOptions: { ...verifierOptions, ...change } }).verifiers;
}

/** What is verified and appraised, and with what. */
export interface Asked {
  readonly evidence: Evidence;
  readonly nonce: Uint8Array | null;
  readonly jwk?: JsonObject;
  readonly at: Date;
  readonly endorsements?: EndorsementSet;
  readonly policies: readonly Policy[];
}

/** What a decision rests on, as JSON, or the code, place and text of malformed evidence. */
export async function byService(asked: Asked, verifiers: Verifiers): Promise<JsonObject> {
  const { evidence, nonce, jwk = null, at, endorsements = NO_ENDORSEMENTS, policies } = asked;
  const request = { nonce, bindingJwk: jwk };
  return resultOf(async () => {
    const found = await judge(evidence, request, { verifiers, endorsements, at, policies });
    const { decision, reasons, checks, claims, endorsements: used, freshness } = found;
    return { decision, reasons, checks, claims, endorsements: used, bound: freshness.bound };
  });
}

export async function byLibrary(asked: Asked, options?: VerifierOptions): Promise<JsonObject> {
  const { evidence, nonce, jwk = null, at, endorsements = NO_ENDORSEMENTS, policies } = asked;
  return resultOf(async () => {
    const binding = nonce === null ? null : expectedBinding(nonce, jwk);
    const verification = await verify(open(evidence, options), { at, endorsements, binding });
    const input = appraisalInput(verification);
    const appraisals = policies.map((policy) => appraise(policy, input));
    const { claims, endorsements: used, bound } = verification;
    return { ...decide(appraisals), checks: mergeChecks(appraisals), claims, endorsements: used, bound };
  });
}

async function resultOf(run: () => Promise<object>): Promise<JsonObject> {
  try {
    return JSON.parse(JSON.stringify(await run()));
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const { code, pointer, message } = error;
    return { code, pointer, message };
  }
}
