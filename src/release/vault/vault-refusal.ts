import { nullIfMalformed } from '../../core/errors.js';
import { type JsonValue, memberOf } from '../../core/json.js';
import { parseStrictJson } from '../../formats/strict-json.js';
import type { BoundedAnswer } from '../../outside/bounded-agent.js';
import { FetchError } from '../../outside/fetch-error.js';

/** The reason in a vault's sentence, which has no documented code. */
export type VaultReason = 'no_permission' | 'token_not_verified' | 'policy_not_met' | 'no_release_policy';

/** Parts of these sentences in Microsoft's documentation, SDKs and samples. */
const SENTENCES: readonly (readonly [RegExp, VaultReason])[] = [
  [/target environment attestation statement cannot be verified/i, 'token_not_verified'],
  [/target environment attestation does not meet key release policy/i, 'policy_not_met'],
  [/exportable keys must have release policy/i, 'no_release_policy'],
  [/does not have \S+ \S+ permission|not authorized to perform action/i, 'no_permission'],
];

const CODES: ReadonlyMap<string, VaultReason> = new Map([
  ['ForbiddenByRbac', 'no_permission'],
  ['ForbiddenByPolicy', 'no_permission'],
]);

/**
 * A vault refuses. Its sentence names the caller, so it is only read here and never passed on. `cause`
 * is its code, such as `ForbiddenByRbac`.
 */
export class VaultRefusal extends FetchError {
  /** Null if its sentence is unknown. */
  readonly reason: VaultReason | null;

  constructor(status: number, code: string | null, reason: VaultReason | null) {
    super('status', `answered with status ${status}`, { status, ...(code === null ? {} : { cause: code }) });
    this.reason = reason;
  }
}

/** The refusal in an unsuccessful answer. The body may have any form, or be empty. */
export function readVaultRefusal({ status, body }: BoundedAnswer): VaultRefusal {
  const error = memberOf(nullIfMalformed(() => parseStrictJson(body)) ?? undefined, 'error');
  const code = codeOf(error);
  const message = memberOf(error, 'message');
  const reason =
    (code === null ? undefined : CODES.get(code)) ?? (typeof message === 'string' ? reasonOf(message) : null);
  return new VaultRefusal(status, code, reason);
}

/**
 * Requires a usable answer: vaults answer every request with JSON.
 * @throws {VaultRefusal} for a status other than success
 * @throws {FetchError} `content_type` if it is not JSON, or is JSON that parsers may read differently
 */
export function requireUse(answer: BoundedAnswer): void {
  if (answer.status >= 300) throw readVaultRefusal(answer);
  if (nullIfMalformed(() => [parseStrictJson(answer.body)]) === null) throw unusable();
}

/** The error for an unusable answer. */
export function unusable(): FetchError {
  return new FetchError('content_type', 'answered with something that cannot be used');
}

/** The innermost code of an error. */
function codeOf(error: JsonValue | undefined): string | null {
  const inner = memberOf(error, 'innererror') ?? memberOf(error, 'innerError');
  const code = memberOf(inner, 'code') ?? memberOf(error, 'code');
  return typeof code === 'string' && /^[A-Za-z]{1,64}$/.test(code) ? code : null;
}

function reasonOf(message: string): VaultReason | null {
  return SENTENCES.find(([sentence]) => sentence.test(message))?.[1] ?? null;
}
