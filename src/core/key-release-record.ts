import type { CheckId } from './codes.js';
import { digest, either, members, oneOf, orNull, text, uuid } from './content-form.js';
import { tokenTypeOf } from './evidence-traits.js';
import { isObject, type JsonObject } from './json.js';
import { ChangedDecisionError, isOfLaterVersion, LaterVersionError, readRecordContent } from './recorded-decision.js';
import type { Caller } from './request.js';

/** The records of a release, beside the decision: the attempt, and its result. */
export const RELEASE_KINDS = ['release-attempt', 'release-result'] as const;
export type ReleaseKind = (typeof RELEASE_KINDS)[number];

/** `unavailable`: the vault did not answer, or was not contacted. */
export const RELEASE_OUTCOMES = ['released', 'refused', 'unavailable'] as const;
export type ReleaseOutcome = (typeof RELEASE_OUTCOMES)[number];

/** The key that a request wants released if its decision is an allow. */
export interface AskedRelease {
  /** Id of the key in the configuration. */
  readonly keyId: string;
  /** Whether the release is only simulated. */
  readonly dryRun: boolean;
}

/** A key of a vault, with the members of the request to the vault. */
export interface AskedVaultKey {
  readonly type: 'vault';
  /** Host of the vault. */
  readonly host: string;
  readonly name: string;
  /** Null: the current version. */
  readonly version: string | null;
  /** `enc` of the request to the vault. */
  readonly enc: string;
  /** SHA-256 of the target token, lower-case hex. */
  readonly targetSha256: string;
  /** RFC 7638 SHA-256 thumbprint of the bound key, base64url. */
  readonly jkt: string;
}

/** A release before its attempt. */
export interface ReleaseAttempt {
  readonly decisionId: string;
  /** Id of the key in the configuration. */
  readonly keyId: string;
  readonly caller: Pick<Caller, 'principal' | 'tenant'>;
  readonly key: AskedVaultKey | { readonly type: 'local' };
}

/** The members of an attempt that the decision must justify. */
export type AttemptedRelease = Pick<ReleaseAttempt, 'keyId' | 'key'> & ReleaseAttempt['caller'];

/** The result of an attempt. */
export interface ReleaseResult {
  readonly decisionId: string;
  readonly outcome: ReleaseOutcome;
  /** Version of the released key; null if there is none, or nothing was released. */
  readonly keyVersion: string | null;
  /** SHA-256 of the released value, lower-case hex; null if nothing was released. */
  readonly valueSha256: string | null;
  /** Why nothing was released, such as `release_refused`; null after a release. */
  readonly code: string | null;
  /** One sentence as message, without a secret. */
  readonly detail: string;
}

/** The shown state of a release. `unknown`: attempted without a recorded result, for example after the service was killed. */
export interface ShownRelease extends AskedRelease {
  readonly state: 'not_attempted' | 'unknown' | ReleaseOutcome;
  /** RFC 3339, by the clock of the service; null if it was not attempted. */
  readonly attemptedAt: string | null;
  /** Time of the result; null if there is none. */
  readonly endedAt: string | null;
  readonly keyVersion: string | null;
  readonly code: string | null;
}

const LOCAL_KEY = members({ type: oneOf(['local']) });
const VAULT_KEY = members({
  type: oneOf(['vault']),
  host: text,
  name: text,
  version: orNull(text),
  enc: text,
  targetSha256: digest,
  jkt: text,
});

const CONTENT = {
  'release-attempt': members({
    decisionId: uuid,
    time: text,
    keyId: text,
    principal: text,
    tenant: text,
    key: either(LOCAL_KEY, VAULT_KEY),
  }),
  'release-result': members({
    decisionId: uuid,
    time: text,
    outcome: oneOf(RELEASE_OUTCOMES),
    keyVersion: orNull(text),
    valueSha256: orNull(digest),
    code: orNull(text),
    detail: text,
  }),
} as const;

/** The kind of a release record; null for every other or malformed record. */
export function releaseKindOf(content: JsonObject): ReleaseKind | null {
  const kind = RELEASE_KINDS.find((known) => known === content['kind']);
  return kind !== undefined && CONTENT[kind](content) ? kind : null;
}

/** The key that a recorded decision requests; null if there is none. @param content of its record, in its form */
function askedIn({ request }: JsonObject): AskedRelease | null {
  const release = isObject(request) ? request['release'] : undefined;
  return isObject(release) ? (release as unknown as AskedRelease) : null;
}

/** The attempt in a record; null for a result. */
export function attemptIn(content: JsonObject): AttemptedRelease | null {
  return content['kind'] === 'release-attempt' ? (content as unknown as AttemptedRelease) : null;
}

/** Returns why a decision does not justify an attempt; null if it does. @param content of its record, in its form */
export function whyNotReleasable(
  content: JsonObject,
  { keyId, principal, tenant, key }: AttemptedRelease,
): string | null {
  const asked = askedIn(content);
  if ((content['decision'] as JsonObject)['decision'] !== 'allow') return 'the decision is no allow';
  if (asked === null) return 'nothing was to be released by the decision';
  if (asked.dryRun) return 'the decision was to release nothing: it is a dry run';
  if (asked.keyId !== keyId) return 'the decision is about another key';
  const isSameCaller = content['principal'] === principal && content['tenant'] === tenant;
  if (!isSameCaller) return 'another caller asked for the decision';
  if (isOfVault(content) !== (key.type === 'vault')) return 'the decision is about a key of another kind';
  return key.type === 'vault' ? whyNotByVault(content, key) : null;
}

/** Each allow of a release by a vault has passed this check, and no other allow has. */
const OF_VAULT = 'release_other_vm' satisfies CheckId;

/** Whether a decision is about a key of a vault: an attempt for a local key names neither bound key nor token. */
function isOfVault(content: JsonObject): boolean {
  const { checks } = content['decision'] as JsonObject;
  const listed: readonly unknown[] = Array.isArray(checks) ? checks : [];
  return listed.some((check) => isObject(check) && check['id'] === OF_VAULT && check['result'] === 'pass');
}

/** Compares bound key and token with those of the decision: the vault encrypts to the key that this token names. */
function whyNotByVault(content: JsonObject, { jkt, targetSha256 }: AskedVaultKey): string | null {
  const [{ binding }, { attestationResults }] = [content['decision'] as JsonObject, content['request'] as JsonObject];
  if (!isObject(binding) || binding['jkt'] !== jkt) return 'the decision is about another bound key';
  const tokens: readonly unknown[] = Array.isArray(attestationResults) ? attestationResults : [];
  const isOfRequest = tokens.some(
    (token) => isObject(token) && token['type'] === tokenTypeOf('maa') && token['sha256'] === targetSha256,
  );
  return isOfRequest ? null : 'the request of the decision had another token';
}

/**
 * The shown release of a recorded decision; null if it requests none.
 *
 * @param content content of the decision's record, in its form
 * @param records release records, in the order of their chain
 * @throws {ChangedDecisionError} if no service can have recorded them
 * @throws {LaterVersionError}
 */
export function shownRelease(
  content: JsonObject,
  records: readonly { readonly content: string | null }[],
): ShownRelease | null {
  const asked = askedIn(content);
  const [attempt, result, ...others] = records.map((record) => readRelease(record.content));
  const isSound =
    others.length === 0 &&
    (attempt === undefined || isAttemptBy(content, attempt)) &&
    (result?.['kind'] ?? 'release-result') === 'release-result';
  if (!isSound) throw new ChangedDecisionError(RELEASE, 'is not what a service records');
  if (asked === null) return null;
  const { keyId, dryRun } = asked;
  const ended = result as EndedRelease | undefined;
  return {
    keyId,
    dryRun,
    state: ended?.outcome ?? (attempt === undefined ? 'not_attempted' : 'unknown'),
    attemptedAt: attempt === undefined ? null : String(attempt['time']),
    endedAt: ended?.time ?? null,
    keyVersion: ended?.keyVersion ?? null,
    code: ended?.code ?? null,
  };
}

function isAttemptBy(content: JsonObject, record: JsonObject): boolean {
  const attempt = attemptIn(record);
  return attempt !== null && whyNotReleasable(content, attempt) === null;
}

const RELEASE = 'what is recorded of its release';

/** Members of the content of a result. */
type EndedRelease = Pick<ReleaseResult, 'outcome' | 'keyVersion' | 'code'> & { readonly time: string };

/** @throws {ChangedDecisionError} @throws {LaterVersionError} */
function readRelease(content: string | null): JsonObject {
  const found = readRecordContent(content);
  if (found === null) throw new ChangedDecisionError(RELEASE);
  if (isOfLaterVersion(found)) throw new LaterVersionError();
  if (releaseKindOf(found) === null) throw new ChangedDecisionError(RELEASE);
  return found;
}
