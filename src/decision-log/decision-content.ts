import { createHash } from 'node:crypto';
import { canonicalJson } from '../formats/canonical-json.js';
import type { Outcome } from '../model/decision.js';
import type { DecisionEntry, JudgedRequest } from '../model/decision-log.js';
import type { TokenEvidence } from '../model/evidence.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import { CONTENT_VERSION } from '../model/recorded-decision.js';
import { Redaction } from './redaction.js';

/** A decision to be recorded. */
export interface DecisionToRecord extends JudgedRequest {
  /** The decision as it is answered. */
  readonly presented: JsonObject;
}

/**
 * What is recorded of a decision: who asked, what for, on which bytes by their digests, and what was decided, without remedies,
 * receipt and `maaView`, which say nothing more. Identifiers, user data and nonce are digests under the salt, unless evidence is
 * kept.
 */
export function decisionContent(
  { decision, presented, request, caller, release, inputs }: DecisionToRecord,
  { salt, time, version }: { readonly salt: Uint8Array; readonly time: Date; readonly version: string },
): RecordContent {
  const redaction = new Redaction(salt);
  // Where evidence is kept, there is nothing left to withhold.
  const withheld = inputs === undefined;
  if (withheld && request.nonce !== null) redaction.addBytes(request.nonce);
  const recorded = recordedDecision(decision, presented);
  // First, since it collects what must not stand elsewhere.
  const written = withheld ? redacted(recorded, redaction) : recorded;
  const content = {
    v: CONTENT_VERSION,
    kind: 'decision',
    time: time.toISOString(),
    version,
    principal: caller.principal,
    tenant: caller.tenant,
    request: {
      audience: request.audience === null ? null : redaction.text(request.audience),
      policies: request.policies,
      nonceSha256: request.nonce === null ? null : sha256(request.nonce),
      attestationResults: request.attestationResults.map(named),
      obtainedTokens: decision.obtainedTokens.map(named),
      ...(release === undefined ? {} : { release: { keyId: release.keyId, dryRun: release.dryRun } }),
    },
    decision: written,
    ...(inputs === undefined ? {} : { inputs: inputs.sha256 }),
  };
  return { content: canonicalJson(content), entry: entryOf(content) };
}

/** What is recorded of an answer: without remedies, receipt and `maaView`, and endorsements by their digests. */
export function recordedDecision(
  { endorsements }: Pick<DecisionToRecord['decision'], 'endorsements'>,
  { receipt: _, maaView: __, checks, ...rest }: JsonObject,
): JsonObject {
  return {
    ...rest,
    checks: (checks as readonly JsonObject[]).map(withoutRemedy),
    endorsements: endorsements.map(({ kind, sha256, source }) => ({ kind, sha256, source })),
  };
}

/** Content of a record, canonical JSON, and by what it is found. */
export interface RecordContent {
  readonly content: string;
  readonly entry: DecisionEntry;
}

/** By what a decision is found, and what lists show of it: nothing that its content does not say. */
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

/** Only what evidence or caller may have written: who asked, ids, codes and digests of ours stay what they are. */
function redacted(recorded: JsonObject, redaction: Redaction): JsonObject {
  const { claims = null, checks, crossCheck = null } = recorded;
  const once = redaction.claims(claims);
  const compared = redaction.crossCheck(crossCheck);
  const checked = (checks as readonly JsonObject[]).map((check) => redaction.check(check));
  return {
    ...recorded,
    claims: redaction.claimsAgain(once),
    checks: checked.map((check) => redaction.checkAgain(check)),
    crossCheck: redaction.claimsAgain(compared),
  };
}

function withoutRemedy({ remedy: _, ...check }: JsonObject): JsonValue {
  return check;
}

function named({ type, token }: TokenEvidence): JsonObject {
  return { type, sha256: sha256(token) };
}

function sha256(value: Uint8Array | string): string {
  return createHash('sha256').update(value).digest('hex');
}
