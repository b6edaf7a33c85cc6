import { type ExpectedBinding, type ExpectedPolicy, subjectOf } from './expectations.js';
import { fetchedKeySet } from './fetched-keys.js';
import { isObject } from './json-text.js';
import { fixedKeySet, type ReceiptKeySource } from './key-source.js';
import { decodeBase64Url } from './receipt-form.js';

/** The configuration of a relying party. Texts are compared exactly, character by character. */
export interface ReceiptVerifierOptions {
  /** `iss`: the value of `receipts.issuer` of the service. Its keys are fetched from there unless `keys` is given. */
  readonly issuer: string;
  /** Your own unique name: `audience` of the request. */
  readonly audience: string;
  /**
   * The required policies: exactly these, 1 to 8. Without `sha256` (hex, lower case, over the text of the
   * policy) everyone who can change the policy at the service decides about access.
   */
  readonly policies: readonly { readonly id: string; readonly sha256?: string }[];
  /** The accepted types of evidence, at least one: `az-snp-vtpm`. */
  readonly evidenceTypes: readonly string[];
  /** The tenant of the caller at the service; `default` unless the service has tenants. This or `subject`. */
  readonly tenant?: string;
  /** The whole `sub`: the tenant, a colon, and the ids of the policies, sorted, with a space between two. */
  readonly subject?: string;
  /** A constant JWK Set, or your own source. Defaults to the issuer's key set, fetched. */
  readonly keys?: ReceiptKeySource | { readonly keys: readonly object[] };
  /** Defaults to that of the machine. */
  readonly clock?: () => Date;
  /** Defaults to that of the platform. */
  readonly fetch?: typeof globalThis.fetch;
}

/** The configuration, validated. */
export interface VerifierSettings {
  readonly issuer: string;
  readonly audience: string;
  readonly subject: string;
  readonly policies: readonly ExpectedPolicy[];
  readonly evidenceTypes: readonly string[];
  readonly keys: ReceiptKeySource;
  readonly clock: () => Date;
  readonly fetch: typeof globalThis.fetch | undefined;
}

export const VERIFIER_OPTIONS = [
  'issuer',
  'audience',
  'policies',
  'evidenceTypes',
  'tenant',
  'subject',
  'keys',
  'clock',
  'fetch',
] as const;

const POLICY_ID = /^[a-z0-9][a-z0-9-]{0,63}$/;
const SHA256 = /^[0-9a-f]{64}$/;
const MAXIMUM_POLICIES = 8;

/** @throws {TypeError} with the remedy, if anything is missing, empty, or unknown */
export function readVerifierOptions(options: unknown, known: readonly string[] = VERIFIER_OPTIONS): VerifierSettings {
  const given = knownMembers(options, known, 'options');
  const issuer = text(given['issuer'], 'issuer', 'the URL that the service has in receipts.issuer');
  const policies = readPolicies(given['policies']);
  const clock = optionalFunction<() => Date>(given['clock'], 'clock') ?? (() => new Date());
  const fetch = optionalFunction<typeof globalThis.fetch>(given['fetch'], 'fetch');
  return {
    issuer,
    audience: readAudience(given['audience']),
    subject: readSubject(given, policies),
    policies,
    evidenceTypes: readEvidenceTypes(given['evidenceTypes']),
    keys: readKeys(given['keys'], () => fetchedKeySet({ issuer, fetch, clock })),
    clock,
    fetch,
  };
}

/** The values that the relying party issued for one receipt, and whether a bound key is required. */
export interface ReceiptDemand {
  /** base64url, as POST /challenges returned it. */
  readonly nonce: string;
  /** Step 13 of docs/receipts.md. If it is left out, no key is required. */
  readonly boundKey?: ExpectedBinding;
}

/** @throws {TypeError} with the remedy */
export function readDemand(demand: unknown, known: readonly string[]): ReceiptDemand {
  const given = knownMembers(demand, known, 'the second argument');
  const nonce = text(given['nonce'], 'nonce', 'the nonce that was given out for this request, in base64url');
  const length = decodeBase64Url(nonce)?.length ?? 0;
  if (length < 8 || length > 64)
    throw new TypeError('nonce is not base64url of 8 to 64 bytes: pass it as it was given out');
  if (!('boundKey' in given)) return { nonce };
  return { nonce, boundKey: readBinding(given['boundKey']) };
}

/** Options of `verifyAll`. */
export interface VerifyAllOptions {
  /** Most requests in flight. Defaults to 4. */
  readonly atOnce?: number;
  /** Ends the requests in flight, and starts no further one. */
  readonly signal?: AbortSignal;
}

const AT_ONCE = 4;

/** @throws {TypeError} with the remedy */
export function readAllOptions(options: unknown): {
  readonly atOnce: number;
  readonly signal: AbortSignal | undefined;
} {
  const { atOnce = AT_ONCE, signal } = knownMembers(options, ['atOnce', 'signal'], 'the second argument');
  if (typeof atOnce !== 'number' || !Number.isSafeInteger(atOnce) || atOnce < 1) {
    throw new TypeError('atOnce is not a positive integer: pass how many requests may be in flight, or leave it out');
  }
  if (signal === undefined || signal instanceof AbortSignal) return { atOnce, signal };
  throw new TypeError('signal is not an AbortSignal: pass that of an AbortController, or leave it out');
}

/** @throws {TypeError} for an unknown member: a misspelt name would silently drop a requirement */
export function knownMembers(
  value: unknown,
  known: readonly string[],
  what: string,
): Readonly<Record<string, unknown>> {
  if (!isObject(value)) throw new TypeError(`${what}: expected an object with ${known.join(', ')}`);
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new TypeError(`${what}: ${JSON.stringify(unknown)} is not known; expected ${known.join(', ')}`);
  }
  return value;
}

function text(value: unknown, name: string, expected: string): string {
  if (typeof value === 'string' && value !== '' && value.trim() === value) return value;
  throw new TypeError(`${name} is missing, or no text: pass ${expected}`);
}

function readAudience(value: unknown): string {
  const audience = text(value, 'audience', 'your own name, which the request has as audience');
  if (!/^urn:veritee:/i.test(audience)) return audience;
  throw new TypeError('audience begins with urn:veritee:, which is for the service: pass your own name');
}

function readPolicies(value: unknown): readonly ExpectedPolicy[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAXIMUM_POLICIES) {
    throw new TypeError(`policies is no list of 1 to ${MAXIMUM_POLICIES}: pass [{ id, sha256 }]`);
  }
  const policies = Array.from(value, readPolicy);
  const ids = new Set(policies.map(({ id }) => id));
  if (ids.size < policies.length) throw new TypeError('policies names an id twice: pass each once');
  return Object.freeze(policies);
}

function readPolicy(value: unknown): ExpectedPolicy {
  const policy = knownMembers(value, ['id', 'sha256'], 'policies');
  const [id, sha256] = [policy['id'], policy['sha256']];
  if (typeof id !== 'string' || !POLICY_ID.test(id)) throw new TypeError('policies: id is not the id of a policy');
  // With an unset variable, any text would silently be accepted.
  if (!('sha256' in policy)) return Object.freeze({ id });
  if (typeof sha256 === 'string' && SHA256.test(sha256)) return Object.freeze({ id, sha256 });
  throw new TypeError(
    'policies: sha256 is not 64 digits of hex in lower case; leave it out to take whatever text has the id',
  );
}

function readEvidenceTypes(value: unknown): readonly string[] {
  const isList = Array.isArray(value) && value.length > 0;
  if (isList && Array.from(value).every((type) => typeof type === 'string' && type !== ''))
    return Object.freeze([...value]);
  throw new TypeError("evidenceTypes is no list of at least one type: pass for example ['az-snp-vtpm']");
}

function readSubject(given: Readonly<Record<string, unknown>>, policies: readonly ExpectedPolicy[]): string {
  const [tenant, subject] = [given['tenant'], given['subject']];
  if ((tenant === undefined) === (subject === undefined)) {
    throw new TypeError("tenant and subject: pass one of the two, tenant: 'default' unless the service has tenants");
  }
  const ids = policies.map(({ id }) => id);
  if (subject === undefined)
    return subjectOf(text(tenant, 'tenant', "the tenant of the caller, such as 'default'"), ids);
  const whole = text(subject, 'subject', "the sub of receipts, such as 'default:azure-cvm-baseline'");
  if (whole.endsWith(subjectOf('', ids)) && whole.length > subjectOf('', ids).length) return whole;
  throw new TypeError(
    'subject does not fit policies: expected the tenant, a colon, and the ids, sorted, with a space between',
  );
}

function readKeys(value: unknown, fetched: () => ReceiptKeySource): ReceiptKeySource {
  if (value === undefined) return fetched();
  const isSource = typeof value === 'object' && value !== null && 'find' in value && typeof value.find === 'function';
  return isSource ? (value as ReceiptKeySource) : fixedKeySet(value);
}

export function optionalFunction<T>(value: unknown, name: string): T | undefined {
  if (value === undefined || typeof value === 'function') return value as T | undefined;
  throw new TypeError(`${name} is no function: pass one, or leave it out`);
}

function readBinding(value: unknown): ExpectedBinding {
  if (value === 'required') return value;
  const { jkt } = knownMembers(value, ['jkt'], "boundKey: expected 'required' or { jkt }");
  const isThumbprint = typeof jkt === 'string' && decodeBase64Url(jkt)?.length === 32;
  if (!isThumbprint) throw new TypeError('boundKey: jkt is not an RFC 7638 SHA-256 thumbprint in base64url');
  return Object.freeze({ jkt });
}
