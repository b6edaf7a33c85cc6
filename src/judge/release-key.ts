import { createHash } from 'node:crypto';
import type { Decision } from '../core/decision.js';
import { type DecisionRecorder, StoreUnavailableError } from '../core/decision-log.js';
import type { AllowedRelease, HeldKey, ReleasedValue } from '../core/held-key.js';
import { ReleaseRefusedError, ReleaseUnavailableError } from '../core/key-release.js';
import type { ReleaseAttempt, ReleaseResult } from '../core/key-release-record.js';
import type { Log } from '../core/ports.js';
import type { Caller, ReleaseTerms, VerifyRequest } from '../core/request.js';
import type { Tracer } from '../core/traces.js';
import { forbiddenKey } from './caller-limits.js';
import { FetchTime } from './fetch-time.js';
import { RECORD_TIMEOUT_MS } from './record.js';
import type { Slot } from './verification-slots.js';
import type { VerifyEvidenceUseCase } from './verify-evidence.js';
import type { Waits } from './waits.js';
import { refuseRelease, withhold } from './withheld-decision.js';
import { LateError, withinTime } from './within-time.js';

/** A request for a key. It includes the key's policy and terms. */
export type ReleaseRequest = VerifyRequest & { readonly release: ReleaseTerms };

/** The result of a request for a key. */
export interface KeyRelease {
  readonly decision: Decision;
  readonly release: ReleasedValue | null;
  /** `not_attempted`: the decision is no allow, it was a dry run, or the attempt could not be stored. */
  readonly state: 'not_attempted' | ReleaseResult['outcome'];
}

type ReleaseRecorder = Pick<DecisionRecorder, 'releaseAttempt' | 'releaseResult'>;

export interface ReleaseKeyParts {
  readonly keys: ReadonlyMap<string, HeldKey>;
  /** Verifies evidence and stores the decision. Withholds an allow that is not stored. */
  readonly verifyEvidence: VerifyEvidenceUseCase;
  /** Null if decisions are not stored. There are no keys then. */
  readonly recorder: ReleaseRecorder | null;
  /** Time of a request. The vault gets the part that verification leaves. */
  readonly deadlineMs: number;
  readonly waits: Waits;
  readonly log: Log;
  /** Timeout of a record, in milliseconds. */
  readonly timeoutMs?: number;
  readonly tracer: Tracer;
}

/** An allowed request for a key. */
type AllowedRequest = AllowedRelease & { readonly request: ReleaseRequest };

/** How an attempt ended. */
type Ended =
  | { readonly outcome: 'released'; readonly released: ReleasedValue }
  | { readonly outcome: 'refused' | 'unavailable'; readonly decision: Decision; readonly result: ReleaseResult };

/**
 * Releases keys: verifies the evidence, records the decision, records the attempt, requests the key, records the
 * result. If a step fails, it stops and releases no key.
 */
export class ReleaseKey {
  readonly #parts: ReleaseKeyParts;

  constructor(parts: ReleaseKeyParts) {
    this.#parts = parts;
  }

  /**
   * The conditions of the release of a key.
   * @throws {RefusedError} `forbidden`, whether the key exists or not: a caller without access must not find out
   */
  wanted(keyId: string, caller: Caller): Pick<HeldKey, 'kind' | 'policy' | 'anyMachine'> {
    const { keys } = this.#parts;
    const own = [...caller.keys].filter((id) => keys.get(id)?.tenant === caller.tenant);
    const key = own.includes(keyId) ? keys.get(keyId) : undefined;
    if (key === undefined) throw forbiddenKey(keyId, own);
    return key;
  }

  /**
   * @throws {FormatError | RefusedError} as `VerifyEvidence.execute`; `schema` if the bound key is unfit for encryption
   */
  async execute(request: ReleaseRequest, caller: Caller, slot: Slot): Promise<KeyRelease> {
    const { keys, verifyEvidence, waits, deadlineMs } = this.#parts;
    const { keyId, dryRun } = request.release;
    const key = keys.get(keyId);
    if (key === undefined) throw new Error('a release of a key that is not configured');
    // This check precedes the use of the challenge.
    key.requireFit(request.bindingJwk ?? {});
    const time = new FetchTime(deadlineMs);
    try {
      // The policy comes from the key; the caller does not choose it.
      const decision = await verifyEvidence.execute(request, { ...caller, policies: null }, slot);
      if (decision.decision !== 'allow' || dryRun) return { decision, release: null, state: 'not_attempted' };
      const allowed = { request, decision, principal: caller.principal };
      const parts = { ...this.#parts, waits: waits.within(slot) };
      return await attemptRelease(parts, key, allowed, { caller, signal: time.signal });
    } finally {
      time.end();
    }
  }
}

async function attemptRelease(
  parts: ReleaseKeyParts,
  key: HeldKey,
  allowed: AllowedRequest,
  { caller, signal }: { readonly caller: Caller; readonly signal: AbortSignal },
): Promise<KeyRelease> {
  const { decision } = allowed;
  const { decisionId } = decision;
  const { keyId } = allowed.request.release;
  const isStored = await storeAttempt(parts, { decisionId, keyId, caller, key: key.describe(allowed) });
  const unstored = () => withhold(decision, 'audit_unavailable');
  if (!isStored) return { decision: unstored(), release: null, state: 'not_attempted' };
  const ended = await requestKey(parts, key, allowed, signal);
  if (ended.outcome !== 'released') {
    await storeResult(parts, ended.result);
    return { decision: ended.decision, release: null, state: ended.outcome };
  }
  const { value, keyVersion } = ended.released;
  const result = { decisionId, outcome: 'released', keyVersion, valueSha256: sha256(value), code: null } as const;
  // A key without a record of its release is not returned.
  if (await storeResult(parts, { ...result, detail: 'the key was released' })) {
    return { decision, release: ended.released, state: 'released' };
  }
  return { decision: unstored(), release: null, state: 'unavailable' };
}

/** Never throws. After any error, it returns no key. */
async function requestKey(
  { waits, log, tracer }: ReleaseKeyParts,
  key: HeldKey,
  allowed: AllowedRequest,
  signal: AbortSignal,
): Promise<Ended> {
  const { decision } = allowed;
  const { decisionId } = decision;
  const nothing = { decisionId, keyVersion: null, valueSha256: null };
  try {
    const released = await tracer.span('release key', () => waits.elsewhere(null, () => key.release(allowed, signal)));
    return { outcome: 'released', released };
  } catch (error) {
    // The log omits the messages of other errors, but an operator needs the reason here.
    const reason = isOfRelease(error) ? { reason: error.message } : {};
    log.error({ keyId: allowed.request.release.keyId, decisionId, ...reason, err: error }, 'a key was not released');
    if (error instanceof ReleaseRefusedError) {
      const { code, message: detail, remedy } = error;
      const result = { ...nothing, outcome: 'refused', code, detail } as const;
      return { outcome: 'refused', decision: refuseRelease(decision, { detail, remedy }), result };
    }
    const code = 'release_unavailable';
    const said = error instanceof ReleaseUnavailableError ? { detail: error.message, remedy: error.remedy } : {};
    const retryAfterSeconds = error instanceof ReleaseUnavailableError ? error.retryAfterSeconds : null;
    return {
      outcome: 'unavailable',
      decision: { ...withhold(decision, code, said), retryAfterSeconds },
      result: { ...nothing, outcome: 'unavailable', code, detail: said.detail ?? 'the attempt failed here' },
    };
  }
}

/** @returns whether it is stored; if not, the key is not requested */
function storeAttempt(parts: ReleaseKeyParts, attempt: ReleaseAttempt): Promise<boolean> {
  const late = () => storeResult(parts, notMade(attempt));
  return storeRecord(parts, attempt.decisionId, (recorder) => recorder.releaseAttempt(attempt), late);
}

function storeResult(parts: ReleaseKeyParts, result: ReleaseResult): Promise<boolean> {
  return storeRecord(parts, result.decisionId, (recorder) => recorder.releaseResult(result));
}

/**
 * @param late called if a record is stored after the timeout
 * @returns whether it is stored in time
 */
async function storeRecord(
  { recorder, waits, log, tracer, timeoutMs = RECORD_TIMEOUT_MS }: ReleaseKeyParts,
  decisionId: string,
  record: (recorder: ReleaseRecorder) => Promise<void>,
  late: () => unknown = () => undefined,
): Promise<boolean> {
  if (recorder === null) return false;
  // The async function turns an exception while making the record into a failed record.
  const storing = tracer.span('store release', () => waits.elsewhere(null, async () => record(recorder)));
  try {
    await withinTime(storing, timeoutMs);
    return true;
  } catch (error) {
    // The log reports an unreachable store once, not with each request.
    if (!(error instanceof StoreUnavailableError)) {
      log.error({ err: error, decisionId }, 'a release record was not stored');
    }
    if (error instanceof LateError) void storing.then(late).catch(() => undefined);
    return false;
  }
}

/** Results with these codes are shown in the answer too. */
function isOfRelease(error: unknown): error is Error {
  return error instanceof ReleaseRefusedError || error instanceof ReleaseUnavailableError;
}

/** The result of an attempt that was stored after its timeout. */
function notMade({ decisionId }: ReleaseAttempt): ReleaseResult {
  const detail = 'the attempt was stored after the timeout, so the key was not requested';
  return { decisionId, outcome: 'unavailable', keyVersion: null, valueSha256: null, code: 'audit_unavailable', detail };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

export type ReleaseKeyUseCase = Pick<ReleaseKey, 'wanted' | 'execute'>;
