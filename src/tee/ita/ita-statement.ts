import type { Checks } from '../../core/check.js';
import { isObject, type JsonObject, type JsonValue } from '../../core/json.js';
import { isListOf, type Shape, shapeProblem, TDX_SHAPES } from '../shared/tokens/claim-shapes.js';

/** The attested facts in a token, each member read from its exact path (Intel Trust Authority, attestation tokens). */
export interface ItaStatement {
  /** Claims about the TD: the token itself in version 1, its member `tdx` in version 2. */
  readonly td: JsonObject;
  /** `attester_runtime_data`: JSON that the hardware vouches for; null if absent. */
  readonly runtime: JsonObject | null;
  /** `attester_held_data`, base64: other bytes that the hardware vouches for; null if absent. */
  readonly heldData: string | null;
  /** `verifier_nonce.val`, base64. */
  readonly verifierNonce: string | null;
  /** Ids of `policy_ids_matched`, in lower case. */
  readonly matchedPolicyIds: readonly string[];
  /** Ids of `policy_ids_unmatched`, in lower case. */
  readonly unmatchedPolicyIds: readonly string[];
}

/**
 * Types of the claims about the TD. Trust Authority writes no other type, so a claim of another type is rejected. The
 * debug claims are not listed: `verifyDebug` rejects every value but one.
 */
const TD_SHAPES: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ...TDX_SHAPES,
  ['attester_type', 'string'],
  ['attester_tcb_date', 'string'],
  ['attester_advisory_ids', 'strings'],
  ['attester_held_data', 'string'],
  ['attester_runtime_data', 'object'],
  ['dbgstat', 'any'],
  ['tdx_collateral', 'object'],
  ['tdx_is_debuggable', 'any'],
  ['tdx_is_migratable', 'boolean'],
  ['tdx_td_attributes_debug', 'any'],
  ['tdx_td_attributes_key_locker', 'boolean'],
  ['tdx_td_attributes_migratable', 'boolean'],
  ['tdx_td_attributes_perfmon', 'boolean'],
  ['tdx_td_attributes_protection_keys', 'boolean'],
  ['tdx_td_attributes_septve_disable', 'boolean'],
]);

/** Claims that every token about a TD has. */
const TD_MEMBERS = ['tdx_mrtd', 'tdx_report_data'] as const;

/**
 * Reads the claims about the TD. Fails for a token without a TD (SGX, TPM or GPU alone), for an unknown version, for a
 * claim of a wrong type, and for a claim about the TD outside the object that its version prescribes.
 */
export function readStatement(checks: Checks, claims: JsonObject): ItaStatement | null {
  const statement = statementOf(claims);
  const problem = typeof statement === 'string' ? statement : null;
  checks.require(problem === null, 'token_claim_type', {
    expected: 'TDX',
    actual: attesterTypeOf(claims),
    detail: 'the token is about a TD, and its claims have their places and types',
    otherwise: problem ?? '',
    faults: problem === null ? [] : [problem],
  });
  return typeof statement === 'string' ? null : statement;
}

/** `attester_type`; null if it is not a string, or if the token is about several attesters without a TD. */
export function attesterTypeOf(claims: JsonObject): string | null {
  const td = claims['tdx'] ?? claims;
  const type = isObject(td) ? td['attester_type'] : null;
  return typeof type === 'string' ? type : null;
}

function statementOf(claims: JsonObject): ItaStatement | string {
  const td = tdClaimsOf(claims);
  if (typeof td === 'string') return td;
  const problem = tdProblem(td);
  if (problem !== null) return problem;
  const { policy_ids_matched: matched = null, policy_ids_unmatched: unmatched = null } = claims;
  if (!isPolicyList(matched)) return 'policy_ids_matched has the wrong type';
  if (!isPolicyList(unmatched)) return 'policy_ids_unmatched has the wrong type';
  const verifierNonce = verifierNonceOf(claims, td);
  if (verifierNonce === undefined) return 'verifier_nonce has the wrong type, or appears twice';
  const { attester_runtime_data: runtime, attester_held_data: heldData } = td;
  return {
    td,
    runtime: isObject(runtime) ? runtime : null,
    heldData: typeof heldData === 'string' ? heldData : null,
    verifierNonce,
    matchedPolicyIds: idsOf(matched),
    unmatchedPolicyIds: idsOf(unmatched),
  };
}

/**
 * Selects the claims about the TD by version. Fails if there are claims about the TD at the place of the other
 * version.
 */
function tdClaimsOf(claims: JsonObject): JsonObject | string {
  const { ver, tdx } = claims;
  if (ver === '1.0.0') return tdx === undefined ? claims : 'a token of version 1 has tdx';
  if (ver !== '2.0.0') return 'the token version is not known';
  const astray = Object.keys(claims).find((name) => TD_SHAPES.has(name));
  if (astray !== undefined) return `${astray} is outside of tdx`;
  return isObject(tdx) ? tdx : 'the token is not about a TD';
}

function tdProblem(td: JsonObject): string | null {
  if (td['attester_type'] !== 'TDX') return 'the attester is not a TD';
  const missing = TD_MEMBERS.find((name) => td[name] === undefined);
  if (missing !== undefined) return `${missing} is missing`;
  return shapeProblem(td, TD_SHAPES);
}

/** A list of objects with an `id`. Null stands for an empty list. */
type PolicyList = readonly { readonly id: string }[] | null;

function isPolicyList(value: JsonValue): value is JsonValue & PolicyList {
  return value === null || isListOf(value, (element) => isObject(element) && typeof element['id'] === 'string');
}

/** Returns the ids in lower case, because UUIDs are compared without case. */
function idsOf(policies: PolicyList): readonly string[] {
  return (policies ?? []).map(({ id }) => id.toLowerCase());
}

/**
 * Reads `verifier_nonce` from the top level, or in version 2 from the claims about the TD, as in the request.
 * @returns null if absent; undefined if it is malformed or present at both places
 */
function verifierNonceOf(claims: JsonObject, td: JsonObject): string | null | undefined {
  const places = td === claims ? [claims] : [claims, td];
  const [nonce, ...more] = places.map((place) => place['verifier_nonce']).filter((value) => value !== undefined);
  if (nonce === undefined) return null;
  if (more.length > 0 || !isObject(nonce) || typeof nonce['val'] !== 'string') return undefined;
  return nonce['val'];
}
