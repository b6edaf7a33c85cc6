import { FormatError } from '../core/errors.js';
import type { Evidence, Inspected, TokenEvidence } from '../core/evidence.js';
import { EVIDENCE_TYPES, traitsOf } from '../core/evidence-traits.js';
import { hexLook } from '../core/hex-like.js';
import { isObject, type JsonObject, type JsonValue } from '../core/json.js';
import { listedNames, quotedName } from '../core/names-in-messages.js';
import type { ChallengeRequest, VerifyRequest } from '../core/request.js';
import type { StrictJsonLimits } from '../formats/strict-json.js';
import { guestHint } from '../tee/azure/format/guest-evidence.js';
import { readBytes } from './encoded-members.js';
import { evidenceForm, requireEvidenceType } from './evidence-form.js';
import { parseBody } from './read-body.js';
import { readEventLogFile, readEvidence, readStructureFile } from './read-evidence.js';
import { readPublicJwk, refusePrivateKey, requireOneKey } from './read-public-jwk.js';
import { readPublicPem } from './read-public-pem.js';
import {
  type BodyWithEvidence,
  type BodyWithEvidenceOf,
  checkBodyWithEvidence,
  checkSchema,
  type EvidenceForm,
  type Schemas,
} from './schema-check.js';
import { INSTANT_FORM, MISSING_MEMBER, missingOr, misspeltMember } from './schema-message.js';

const EVIDENCE = '/evidence';
const NONCE = '/nonce';

const NONCE_LENGTH = { from: 8, to: 64 } as const;
/** SHA-256 of `azure-cleanroom`: the nonce of every quote of that agent, which thus does not prove freshness. */
const PUBLISHED_NONCE = Buffer.from('0a61737b0e754c910af72d704d60b1ff35a813d403215559da7dd46e597f6081', 'hex');
/** The prefix of a nonce bound to a key. A caller could pass off a nonce with this prefix as such a value. */
const BOUND_VALUE_START = Buffer.from('veritee1', 'ascii');

/**
 * Reads a /verify body: strict JSON, then type and dialect of the evidence, then the schema of exactly that form,
 * then the encodings. Verifies nothing. Evidence keeps its original bytes.
 *
 * @throws {FormatError} codes of `parseStrictJson`, `type_unsupported`, `type_mismatch`, `unknown_property`,
 *   `schema`, `encoding`, `nonce`
 */
export function readVerifyRequest(body: Uint8Array, limits?: StrictJsonLimits): VerifyRequest {
  return verifyRequestOf(parseBody(body, limits));
}

/** Reads a request from parsed JSON. @throws {FormatError} as `readVerifyRequest` */
export function verifyRequestOf(json: JsonValue): VerifyRequest {
  const { body, asked } = readBodyWithEvidence('VerifyRequest', json);
  return { ...asked, policies: readPolicies(body.policy), audience: body.audience ?? null };
}

/** Members of all bodies with evidence. */
export function readBodyWithEvidence<B extends BodyWithEvidence>(
  name: B,
  json: JsonValue,
): {
  readonly body: BodyWithEvidenceOf<B, EvidenceForm>;
  readonly asked: Omit<VerifyRequest, 'policies' | 'audience'>;
} {
  if (!isObject(json)) throw new FormatError('schema', missingOr(json, 'an object'), { pointer: '' });
  refuseBareEvidence(json);
  refusePrivateKey(json['binding']);
  requireOneKey(json['binding']);
  const form = evidenceForm(json['evidence'], EVIDENCE);
  const body = checkBodyWithEvidence(name, form, json);
  const evidence = readEvidence(form, body.evidence, EVIDENCE);
  const { jwk, pem }: Schemas['Binding'] = body.binding ?? {};
  const bindingJwk = jwk === undefined ? null : readPublicJwk(jwk, '/binding/jwk');
  refuseUnboundKey(evidence, bindingJwk);
  const ofPem = pem === undefined ? {} : { bindingPem: readPublicPem(pem, evidence.type) };
  const nonce = body.nonce === undefined ? null : readNonce(body.nonce);
  // a bound key makes X 40 bytes, regardless of the nonce
  if (nonce !== null && bindingJwk === null) requireFits(nonce, evidence);
  const attestationResults = readAttestationResults(body.attestationResults ?? [], evidence);
  const at = body.at === undefined ? null : readInstant(body.at, '/at');
  return { body, asked: { evidence, attestationResults, nonce, bindingJwk, ...ofPem, at } };
}

/** Rejects evidence at the top of the body, without its member. */
function refuseBareEvidence(body: JsonObject): void {
  if (body['evidence'] !== undefined) return;
  const looks = 'this body looks like evidence, which goes into the member evidence';
  const hint = guestHint(body) ?? (body['type'] === undefined ? null : looks);
  const said = hint === null ? misspeltMember('evidence', body) : `: ${hint}`;
  if (said !== '') throw new FormatError('schema', `${MISSING_MEMBER}${said}`, { pointer: EVIDENCE });
}

/**
 * Requires at most one token of each type, including the evidence. With two, the request could
 * choose which token policies see.
 */
function readAttestationResults(
  results: readonly TokenEvidence[],
  evidence: Pick<Evidence, 'type'>,
): readonly TokenEvidence[] {
  const types = results.map(({ type }) => type);
  const again = types.findIndex((type, index) => type === evidence.type || types.indexOf(type) < index);
  if (again >= 0) {
    throw new FormatError('schema', 'only one token of each type can be sent, the evidence included', {
      pointer: `/attestationResults/${again}/type`,
    });
  }
  return results;
}

/** @throws {FormatError} `encoding`, `nonce` */
export function readNonce(text: string): Uint8Array {
  const nonce = readBytes(text, NONCE);
  const look = hexLook(text);
  const hint = look === null ? '' : `; it looks like ${look}, expected base64url`;
  const { from, to } = NONCE_LENGTH;
  if (nonce.byteLength < from || nonce.byteLength > to) {
    throw new FormatError('nonce', `nonce is ${nonce.byteLength} bytes, expected ${from} to ${to}${hint}`, {
      pointer: NONCE,
    });
  }
  if (BOUND_VALUE_START.equals(nonce.subarray(0, BOUND_VALUE_START.byteLength))) {
    throw new FormatError('nonce', 'nonce starts with veritee1, which is reserved for values that bind a key', {
      pointer: NONCE,
    });
  }
  if (PUBLISHED_NONCE.equals(nonce)) {
    const message =
      'this nonce is the SHA-256 of azure-cleanroom, which everybody knows: send one that was made at random';
    throw new FormatError('nonce', message, { pointer: NONCE });
  }
  return nonce;
}

/** @throws {FormatError} `schema` for a key beside evidence of a guest without key binding */
function refuseUnboundKey(evidence: Evidence, jwk: JsonObject | null): void {
  if (jwk === null || exactNonceOf(evidence) === null) return;
  throw new FormatError('schema', 'evidence of this dialect binds no key', { pointer: '/binding/jwk' });
}

function exactNonceOf(evidence: Evidence): number | null {
  return 'exactNonce' in evidence ? (evidence.exactNonce ?? null) : null;
}

/** @throws {FormatError} `nonce` if the evidence only has space for another length */
function requireFits(nonce: Uint8Array, evidence: Evidence): void {
  const exact = exactNonceOf(evidence);
  if (exact !== null && nonce.byteLength !== exact) {
    const message = `nonce is ${nonce.byteLength} bytes, nonces of this dialect have exactly ${exact}`;
    throw new FormatError('nonce', message, { pointer: NONCE });
  }
  const { longestNonce } = traitsOf(evidence.type);
  if (longestNonce === null || nonce.byteLength <= longestNonce.bytes) return;
  const message = `nonce is ${nonce.byteLength} bytes, ${longestNonce.holder} holds ${longestNonce.bytes}`;
  throw new FormatError('nonce', message, { pointer: NONCE });
}

function readPolicies(policy: Schemas['PolicySelection'] | undefined): readonly string[] | null {
  if (policy === undefined) return null;
  return typeof policy === 'string' ? [policy] : policy;
}

/** Options of the command line that replace members of the body; null if absent. */
export interface RequestOverrides {
  readonly policies: readonly string[] | null;
  /** base64url, as in the body. */
  readonly nonce: string | null;
  /** RFC 3339 in UTC. */
  readonly at: string | null;
}

/**
 * Applies options of the command line to a body. Only an option sets the verification time: the attester often writes
 * the body, and must not turn back the clock of a gate.
 *
 * @throws {FormatError} `at_not_enabled` if the body has an `at` itself; else as `readVerifyRequest`, for the
 *   replaced members
 */
export function overrideRequest(request: VerifyRequest, overrides: RequestOverrides): VerifyRequest {
  if (request.at !== null && overrides.at === null) {
    throw new FormatError(
      'at_not_enabled',
      'the command line takes the verification time from --at only, never from the body',
      {
        pointer: '/at',
      },
    );
  }
  const nonce = overrides.nonce === null ? request.nonce : readNonce(overrides.nonce);
  if (nonce !== null && request.bindingJwk === null) requireFits(nonce, request.evidence);
  return {
    ...request,
    nonce,
    policies: overrides.policies ?? request.policies,
    at: overrides.at === null ? null : readInstant(overrides.at, '/at'),
  };
}

/**
 * Reads an /inspect body: evidence as in /verify, a whole /verify body, of which only the evidence is inspected,
 * an event log, or another structure.
 * Of the other members of a /verify body only the schema is checked.
 *
 * @throws {FormatError} as `readVerifyRequest`
 */
export function readInspectRequest(body: Uint8Array, limits?: StrictJsonLimits): Inspected {
  const json = parseBody(body, limits);
  if (!isObject(json)) throw new FormatError('schema', missingOr(json, 'an object'), { pointer: '' });
  if (json['evidence'] !== undefined) {
    refusePrivateKey(json['binding']);
    const form = evidenceForm(json['evidence'], '/evidence');
    return readEvidence(form, checkBodyWithEvidence('VerifyRequest', form, json).evidence, '/evidence');
  }
  if (json['type'] === undefined) {
    const message = 'neither evidence, which has the member type, nor a /verify body, which has the member evidence';
    throw new FormatError('schema', guestHint(json) ?? message, { pointer: '' });
  }
  if (json['type'] === 'event-log') return readEventLogFile(checkSchema('EventLogInspectionRequest', json));
  if (json['type'] === 'bytes') return readStructureFile(checkSchema('StructureInspectionRequest', json));
  requireInspectedType(json['type']);
  const form = evidenceForm(json, '');
  return readEvidence(form, checkSchema(form, json), '');
}

/** @throws {FormatError} `type_unsupported` */
function requireInspectedType(type: JsonValue): void {
  if (typeof type !== 'string' || EVIDENCE_TYPES.some((known) => known === type)) return;
  const message = `this version does not inspect ${quotedName(type)}; it inspects ${listedNames([...EVIDENCE_TYPES, 'event-log', 'bytes'])}`;
  throw new FormatError('type_unsupported', message, { pointer: '/type' });
}

/**
 * Reads a /challenges body. A missing member does not limit the challenge.
 *
 * @throws {FormatError} codes of `parseStrictJson`, `unknown_property`, `schema`
 * @throws {FormatError} `type_unsupported` for a type that no later request could use
 */
export function readChallengeRequest(body: Uint8Array, limits?: StrictJsonLimits): ChallengeRequest {
  const json = parseBody(body, limits);
  const type = isObject(json) ? json['evidenceType'] : undefined;
  if (typeof type === 'string') requireEvidenceType(type, '/evidenceType');
  const request = checkSchema('ChallengeRequest', json);
  return {
    audience: request.audience ?? null,
    policy: request.policy ?? null,
    evidenceType: request.evidenceType ?? null,
  };
}

/** @throws {FormatError} codes of `parseStrictJson`, `unknown_property`, `schema` */
export function readReplayRequest(body: Uint8Array): { readonly at: 'then' | 'now' } {
  const { at } = checkSchema('ReplayRequest', parseBody(body));
  return { at };
}

const INSTANT = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z$/;

/**
 * Reads a time: RFC 3339 in UTC. Digits after the millisecond are dropped.
 *
 * @throws {FormatError} `schema` for another form; for a day or time that does not exist, a leap second included
 */
export function readInstant(text: string, pointer: string): Date {
  if (!INSTANT.test(text)) throw new FormatError('schema', INSTANT_FORM, { pointer });
  const instant = new Date(text);
  // Date reads 30 February as 2 March, and 24:00 as the next day
  if (Number.isNaN(instant.getTime()) || instant.toISOString().slice(0, 19) !== text.slice(0, 19)) {
    throw new FormatError('schema', 'there is no such day or time', { pointer });
  }
  return instant;
}
