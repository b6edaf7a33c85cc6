import type { Outcome } from '../core/decision.js';
import type { DecidedRequest, DecisionEntry } from '../core/decision-log.js';
import type { TokenEvidence } from '../core/evidence.js';
import type { JsonObject } from '../core/json.js';
import { CONTENT_VERSION } from '../core/recorded-decision.js';
import { canonicalJson } from '../formats/canonical-json.js';
import { digestOf } from './kept-values.js';
import { recordOf } from './record-of.js';
import { NO_REDACTION, SaltedRedaction } from './redaction.js';

/**
 * Writes the record of a decision: caller, purpose, digests of the bytes, and the decision. Identifiers, user
 * data and nonce are salted digests, unless evidence is kept.
 */
export function decisionContent(
  { decision, request, caller, release, inputs }: DecidedRequest,
  { salt, time, version }: { readonly salt: Uint8Array; readonly time: Date; readonly version: string },
): RecordContent {
  const redaction = inputs === undefined ? new SaltedRedaction(salt) : NO_REDACTION;
  if (request.nonce !== null) redaction.withholdBytes(request.nonce);
  const content = {
    v: CONTENT_VERSION,
    kind: 'decision',
    time: time.toISOString(),
    version,
    principal: caller.principal,
    tenant: caller.tenant,
    request: {
      audience: redaction.scrub(request.audience),
      policies: request.policies,
      nonceSha256: request.nonce === null ? null : digestOf(request.nonce),
      attestationResults: request.attestationResults.map(named),
      obtainedTokens: decision.obtainedTokens.map(named),
      ...(release === undefined ? {} : { release: { keyId: release.keyId, dryRun: release.dryRun } }),
    },
    decision: recordOf(decision, redaction),
    ...(inputs === undefined ? {} : { inputs: inputs.sha256 }),
  };
  return { content: canonicalJson(content), entry: entryOf(content) };
}

/** Content of a record, canonical JSON, and its index fields. */
export interface RecordContent {
  readonly content: string;
  readonly entry: DecisionEntry;
}

/** Returns the index fields of a decision, which lists also show. Its content states all of them. */
export function entryOf({ principal, tenant, request, decision }: JsonObject): DecisionEntry {
  const { decisionId, decidedAt, decision: outcome, reasons, evidence, policies, historical } = decision as JsonObject;
  const { audience } = request as JsonObject;
  const summarised = (policies as readonly JsonObject[]).map(({ id, version, sha256, outcome }) => ({
    id,
    version,
    sha256,
    outcome,
  }));
  const summary = {
    decisionId,
    decidedAt,
    decision: outcome,
    reasons,
    evidence,
    policies: summarised,
    audience,
    principal,
    tenant,
    historical,
  };
  return {
    decisionId: String(decisionId),
    tenant: String(tenant),
    outcome: outcome as Outcome,
    policies: summarised.map(({ id }) => String(id)),
    summary: canonicalJson(summary),
  };
}

function named({ type, token }: TokenEvidence): JsonObject {
  return { type, sha256: digestOf(token) };
}
