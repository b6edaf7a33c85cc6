import { isObject, type JsonValue, jsonPointer } from '../../core/json.js';
import { deepFreeze, Place } from '../../schema/schema.js';
import { isList } from '../../schema/structures.js';
import { text } from '../../schema/values.js';
import { type PolicyProblem, releaseSchemaProblem } from '../document/policy-problem.js';
import { foreignDocument } from './foreign-document.js';
import { refuseUnknown, selectorMeant } from './member-names.js';
import { MAX_AUTHORITIES, type ReleaseAuthority, type ReleasePolicy, SELECTORS } from './policy-tree.js';
import { ConditionReader } from './read-conditions.js';

const VERSION = '1.0.0';
const ISSUER = text('the issuer of tokens');

export interface ReleasePolicyReading {
  /** Null if there are problems. Frozen. */
  readonly policy: ReleasePolicy | null;
  /** All have code `policy_schema`. */
  readonly problems: readonly PolicyProblem[];
}

/** Whether a document is meant as a release policy of Key Vault, and not as a policy of this product. */
export function looksLikeReleasePolicy(value: JsonValue): boolean {
  if (!isObject(value) || Object.hasOwn(value, 'apiVersion')) return false;
  return value['version'] === VERSION || Object.keys(value).some((name) => selectorMeant(name) !== null);
}

/**
 * Reads a release policy of Azure Key Vault or Managed HSM (grammar version 1.0.0). Rejects members outside the
 * grammar, and empty lists, which every token or none would meet. A policy that loads may still protect nothing: lint
 * reports that.
 *
 * @param prefix JSON pointer of the policy in its document; all pointers begin with it
 */
export function readReleasePolicy(value: JsonValue, prefix = ''): ReleasePolicyReading {
  const at = new Place();
  const authorities = at.unlessRefused(() => readDocument(value, new ConditionReader(prefix), at));
  const problems = at.problems.map(({ path, what }) => releaseSchemaProblem(prefix + jsonPointer(path), what));
  return { policy: authorities === undefined ? null : deepFreeze({ authorities }), problems };
}

function readDocument(value: JsonValue, reader: ConditionReader, at: Place): readonly ReleaseAuthority[] | undefined {
  const foreign = foreignDocument(value);
  if (foreign !== null) return at.refuse(foreign);
  if (!isObject(value)) return at.refuse('must be an object with version and anyOf');
  readVersion(value['version'], at.member('version'));
  const selectors = Object.keys(value).filter((name) => selectorMeant(name) !== null && name !== 'anyOf');
  for (const name of selectors) at.member(name).refuse(notAnyOf(name));
  refuseUnknown(value, ['version', 'anyOf', ...selectors], at);
  if (value['anyOf'] !== undefined) return readAuthorities(value['anyOf'], reader, at.member('anyOf'));
  return selectors.length > 0 ? undefined : at.member('anyOf').refuse('is missing: it is the list of authorities');
}

function readVersion(version: JsonValue | undefined, at: Place): void {
  if (version === undefined) at.refuse(`is missing: write "version": "${VERSION}"`);
  else if (version !== VERSION) at.refuse(`must be "${VERSION}"`);
}

function notAnyOf(name: string): string {
  return selectorMeant(name) === 'anyOf'
    ? 'must be spelt anyOf'
    : 'cannot stand at the top: write anyOf, since a token has one issuer and the authorities are alternatives';
}

function readAuthorities(raw: JsonValue, reader: ConditionReader, at: Place): readonly ReleaseAuthority[] | undefined {
  if (!isList(raw)) return at.refuse('must be a list of authorities');
  if (raw.length === 0) return at.refuse('must not be empty');
  if (raw.length > MAX_AUTHORITIES) return at.refuse(`has more than ${MAX_AUTHORITIES} authorities`);
  return raw.flatMap((each, index) => readAuthority(each, reader, at.member(index)) ?? []);
}

function readAuthority(raw: JsonValue, reader: ConditionReader, at: Place): ReleaseAuthority | undefined {
  if (!isObject(raw)) return at.refuse('must be an object with an authority, and with allOf or anyOf');
  if (Object.hasOwn(raw, 'claim')) {
    return at.refuse('is a condition: write it within allOf of an object that has the authority');
  }
  refuseUnknown(raw, ['authority', ...SELECTORS], at);
  const authority = ISSUER.read(raw['authority'], at.member('authority'));
  const group = reader.group(raw, at);
  return authority === undefined || group === undefined ? undefined : { pointer: reader.pointer(at), authority, group };
}
