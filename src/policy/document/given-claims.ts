import type { Claims } from '../../core/claims.js';
import { isObject, type JsonObject, type JsonValue } from '../../core/json.js';
import { nearNames, quotedName } from '../../core/names-in-messages.js';
import { type Path, Place } from '../../schema/schema.js';
import { isList } from '../../schema/structures.js';
import type { ClaimType, ObjectType, ScalarType } from '../cel/claim-type.js';
import { RULE_CLAIMS } from '../cel/claim-types.js';

/** Given claims in the form of answers, and their problems. */
export interface ReadClaims {
  /** Null if there are problems. */
  readonly claims: Claims | null;
  readonly problems: readonly { readonly path: Path; readonly what: string }[];
}

/**
 * Reads claims in the form of answers, by section. A claim that is null or missing is absent. Rejects unknown names and
 * wrong types, so that a misspelt claim never counts as absent.
 *
 * If the claims of a token have `iss` and no issuer is given, `iss` is the issuer, because they are equal in answers.
 */
export function readGivenClaims(value: JsonValue): ReadClaims {
  const at = new Place();
  const sections = [...RULE_CLAIMS].filter(([name]) => name !== 'evidence');
  const known: ObjectType = { kind: 'object', members: new Map(sections), others: null };
  const read = readByType(value, known, at);
  const isSound = isObject(read) && at.problems.length === 0;
  return { claims: isSound ? completed(read) : null, problems: at.problems };
}

/** A member of answers that is not a claim for rules. */
const KEY_OF_BINDING = 'tpm.certifiedKey.jwk';

/** Adds members that the code requires and that authors can omit. */
function completed(sections: JsonObject): Claims {
  const { tpm, maa, ita, ...rest } = sections;
  const ofVtpm = isObject(tpm) ? { tpm: { pcrs: {}, ...tpm } } : {};
  const ofTokens = Object.entries({ maa, ita }).flatMap(([route, token]) =>
    isObject(token) ? [[route, { issuer: issuerIn(token), claims: {}, ...token }]] : [],
  );
  return { ...rest, ...ofVtpm, ...Object.fromEntries(ofTokens) } as unknown as Claims;
}

function issuerIn({ claims }: JsonObject): string | null {
  const issuer = isObject(claims) ? claims['iss'] : undefined;
  return typeof issuer === 'string' ? issuer : null;
}

function readByType(value: JsonValue, type: ClaimType, at: Place): JsonValue | undefined {
  if (value === null) return undefined;
  switch (type.kind) {
    case 'object':
      return isObject(value) ? readMembers(value, type, at) : at.refuse('must be an object');
    case 'list':
      if (!isList(value)) return at.refuse('must be a list');
      return value.map((item, index) => readScalar(item, type.item, at.member(index)) ?? null);
    default:
      return readScalar(value, type, at);
  }
}

function readMembers(given: JsonObject, of: ObjectType, at: Place): JsonObject {
  const read = new Map<string, JsonValue>();
  for (const [name, value] of Object.entries(given)) {
    if (at.member(name).path.join('.') === KEY_OF_BINDING) continue;
    const type = of.members.get(name);
    const member = type === undefined ? readUndeclared(name, value, of, at) : readByType(value, type, at.member(name));
    if (member !== undefined) read.set(name, member);
  }
  return Object.fromEntries(read);
}

function readUndeclared(name: string, value: JsonValue, { members, others }: ObjectType, at: Place) {
  const written = others?.spelling(name) ?? name;
  if (others !== null && written === name) return value;
  const [near] = written === name ? nearNames(name, [...members.keys()]) : [written];
  const hint = near === undefined ? hintFor(name, at) : `; did you mean ${near}?`;
  return at.refuse(`has no claim ${quotedName(name)}${hint}`);
}

/** Claims of a token of Azure Attestation or Trust Authority. No section has such a name. */
const OF_TOKEN = /^(?:iss|exp|nbf|iat|jti|secureboot|x-ms-.+|attester_.+|tdx_.+)$/;

/** The hint for token claims without their section. Given once, because a token has many claims. */
function hintFor(name: string, { path: [section, ...inside], problems }: Place): string {
  const isToken = section === 'maa' || section === 'ita';
  if (!OF_TOKEN.test(name) || inside.length > 0 || (section !== undefined && !isToken)) return '';
  const where = isToken ? section : 'maa';
  const hint = `; the claims of a token stand in ${where}.claims, and its issuer in ${where}.issuer`;
  return problems.some(({ what }) => what.endsWith(hint)) ? '' : hint;
}

function readScalar(value: JsonValue, { kind, form }: ScalarType, at: Place): JsonValue | undefined {
  const isOfType = kind === 'int' ? Number.isSafeInteger(value) : typeof value === (kind === 'bool' ? 'boolean' : kind);
  if (!isOfType) return at.refuse(`must be of type ${kind}`);
  return form === null || form.fits(String(value)) ? value : at.refuse(`must be ${form.what}`);
}
