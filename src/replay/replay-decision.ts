import type { Decision } from '../core/decision.js';
import type { RecordedDecision } from '../core/decision-log.js';
import { RefusedError } from '../core/errors.js';
import type { JsonObject, JsonValue } from '../core/json.js';
import { type JsonDifference, jsonDifferences } from '../core/json-differences.js';
import { LaterVersionError, readDecisionContent } from '../core/recorded-decision.js';
import type { Caller } from '../core/request.js';
import type { Slot } from '../judge/verification-slots.js';
import { withhold } from '../judge/withheld-decision.js';
import type { Policy } from '../policy/document/policy-document.js';

/** How a decision is replayed: with its original inputs, or as the service would decide today. */
export type ReplayTime = 'then' | 'now';

/** A place where a replayed decision differs. */
export interface ReplayDifference {
  /** JSON pointer in the decision. */
  readonly pointer: string;
  /** Null if it has no such member. */
  readonly recorded: JsonValue;
  readonly replayed: JsonValue;
}

/** A check with another result. */
export interface ReplayedCheck {
  readonly id: string;
  readonly about: string;
  readonly policy: string | null;
  /** Null if there is no such check. */
  readonly recorded: string | null;
  readonly replayed: string | null;
  /** The detail of the replay, else of the record. Empty if both only have a result. */
  readonly detail: string;
}

export interface Replay {
  readonly at: ReplayTime;
  readonly decisionId: string;
  /** Whether the decision was withdrawn: it was stored too late, and the client got an answer without it. */
  readonly withdrawn: boolean;
  /**
   * `then`: whether both are equal in canonical form, except ids. `now`: whether decision, reasons, policies and the results of
   * checks are equal; compared values depend on the time. Under another policy: whether decision, reasons, and the
   * failed checks are equal.
   */
  readonly equal: boolean;
  readonly decision: { readonly recorded: string; readonly replayed: string };
  /** Codes. */
  readonly reasons: { readonly recorded: readonly string[]; readonly replayed: readonly string[] };
  /** Versions of veritee: with different versions, a difference is no sign of tampering. */
  readonly version: { readonly recorded: string; readonly running: string };
  readonly checks: readonly ReplayedCheck[];
  readonly differences: readonly ReplayDifference[];
  readonly differencesOmitted: number;
  /** The replayed decision. */
  readonly replayed: JsonObject;
}

/** Verifies with the kept inputs of a decision. */
export interface Reverifier {
  /** The kept inputs of a decision. @throws {RefusedError} `evidence_not_kept` if one is gone */
  open(inputsSha256: string): Promise<RecordedCase>;
}

/**
 * Each method takes policies that replace those with the same ids. It rejects with `RefusedError` `evidence_not_kept` if it needs
 * an input that was not recorded.
 */
export interface RecordedCase {
  /** Verifies with the original inputs. */
  asThen(instead?: readonly Policy[]): Promise<Decision>;
  /** Verifies with today's policies, endorsements, roots and time. */
  asNow(slot: Slot, instead?: readonly Policy[]): Promise<Decision>;
}

export interface ReplayDecisionParts {
  readonly again: Reverifier;
  /** Returns the decision in its recorded form. */
  readonly present: (decision: Decision) => JsonObject;
  /** Version of veritee. */
  readonly version: string;
}

/** How a decision is replayed. */
export interface ReplayOptions {
  readonly at: ReplayTime;
  /** Policies that replace those with the same ids. */
  readonly instead?: readonly Policy[];
  /** Slot of the request, released while the replay waits. */
  readonly slot: Slot;
}

/** The conditions of a replay. */
interface Judging {
  readonly at: ReplayTime;
  /** Whether it uses other policies than the original ones. */
  readonly isTrial: boolean;
  readonly withdrawn: boolean;
  readonly version: string;
}

/** A decision is not replayed, since it depended on the moment: its deadline had passed, or the service failed. */
export class MomentaryDecisionError extends RefusedError {
  constructor(reason: string) {
    super('evidence_not_kept', `a decision with ${reason} is not judged again: it depended on the moment`);
  }
}

/** Checks without meaning for a replay: their results depend on the moment. */
const NOT_REPLAYED = ['deadline', 'internal_error'];

/** Members that always differ: in a `then` replay, only the id. */
const NOT_COMPARED: ReadonlyMap<ReplayTime, ReadonlySet<string>> = new Map([
  ['then', new Set(['decisionId'])],
  ['now', new Set(['decisionId', 'decidedAt', 'at', 'validUntil'])],
]);

const MOST_DIFFERENCES = 100;

/** Replays a recorded decision, and returns the differences. */
export class ReplayDecision {
  readonly #parts: ReplayDecisionParts;

  constructor(parts: ReplayDecisionParts) {
    this.#parts = parts;
  }

  /** @throws {RefusedError} `evidence_not_kept` */
  async replay(
    { record, withdrawn }: Pick<RecordedDecision, 'record' | 'withdrawn'>,
    { at, instead = [], slot }: ReplayOptions,
  ): Promise<Replay> {
    const { decision: recorded, inputs, version } = contentOf(record.content);
    const again = await this.#parts.again.open(requireKept(recorded, inputs));
    const judged = at === 'then' ? await again.asThen(instead) : await again.asNow(slot, instead);
    const replayed = this.#presented(recorded, judged, at);
    return this.#compare(recorded, replayed, { at, version, withdrawn, isTrial: instead.length > 0 });
  }

  /**
   * Replays a decision twice, under two versions of one policy: the result under the first counts as recorded.
   * @param policies policies with the same id
   * @throws {RefusedError} `evidence_not_kept`
   */
  async compareUnder(
    { record, withdrawn }: Pick<RecordedDecision, 'record' | 'withdrawn'>,
    [before, after]: readonly [Policy, Policy],
  ): Promise<Replay> {
    const { decision: recorded, inputs, version } = contentOf(record.content);
    const again = await this.#parts.again.open(requireKept(recorded, inputs));
    const [first, second] = [await again.asThen([before]), await again.asThen([after])];
    const [old, replayed] = [first, second].map((judged) => this.#presented(recorded, judged, 'then'));
    return this.#compare(
      { ...(old as JsonObject), decisionId: recorded['decisionId'] as string },
      replayed as JsonObject,
      { at: 'then', version, withdrawn, isTrial: true },
    );
  }

  /** A receipt depends on its signer: a failure to sign is part of the recorded inputs. */
  #presented(recorded: JsonObject, judged: Decision, at: ReplayTime): JsonObject {
    const withheld = at === 'then' && codesOf(recorded).includes('receipt_unavailable');
    return this.#parts.present(withheld ? withhold(judged, 'receipt_unavailable') : judged);
  }

  #compare(recorded: JsonObject, replayed: JsonObject, { at, isTrial, withdrawn, version }: Judging): Replay {
    const differences = jsonDifferences(recorded, replayed, NOT_COMPARED.get(at));
    const checks = changedChecks(recorded, replayed);
    const decided = isTrial
      ? differences.some(isOutcome) || checks.some(speaks)
      : differences.some(decides) || checks.length > 0;
    return {
      at,
      decisionId: String(recorded['decisionId']),
      withdrawn,
      equal: at === 'then' && !isTrial ? differences.length === 0 : !decided,
      decision: { recorded: String(recorded['decision']), replayed: String(replayed['decision']) },
      reasons: { recorded: codesOf(recorded), replayed: codesOf(replayed) },
      version: { recorded: version, running: this.#parts.version },
      checks,
      differences: differences.slice(0, MOST_DIFFERENCES).map(replayDifference),
      differencesOmitted: Math.max(0, differences.length - MOST_DIFFERENCES),
      replayed,
    };
  }
}

/** Replays a decision of the caller's tenant. */
export interface ReplayDecisionUseCase {
  /**
   * @throws {RefusedError} `not_found`, `overloaded` as `RecordedDecisions.get`; `evidence_not_kept` if it cannot be
   *   replayed, for example since its record was changed
   * @throws {FormatError} if its request is rejected today
   */
  execute(decisionId: string, at: ReplayTime, caller: Pick<Caller, 'tenant'>, slot: Slot): Promise<Replay>;
}

/** @throws {RefusedError} `evidence_not_kept` */
function requireKept(recorded: JsonObject, inputs: JsonValue | undefined): string {
  if (typeof inputs !== 'string') {
    throw new RefusedError(
      'evidence_not_kept',
      'the evidence of this decision was not kept: decisions.keepEvidence was hash when it was made',
    );
  }
  const reason = codesOf(recorded).find((code) => NOT_REPLAYED.includes(code));
  if (reason === undefined) return inputs;
  throw new MomentaryDecisionError(reason);
}

function codesOf(decision: JsonObject): readonly string[] {
  return decision['reasons'] as readonly string[];
}

/** @throws {RefusedError} `evidence_not_kept` */
function contentOf(content: string | null) {
  if (content === null) throw new RefusedError('evidence_not_kept', 'the content of this decision was dropped');
  const { decision, inputs, version } = readOrRefused(content);
  return { decision: decision as JsonObject, inputs, version: String(version) };
}

function readOrRefused(content: string): JsonObject {
  try {
    const read = readDecisionContent(content);
    if (read !== null) return read;
  } catch (error) {
    if (!(error instanceof LaterVersionError)) throw error;
    throw new RefusedError('evidence_not_kept', error.message, { cause: error });
  }
  throw new RefusedError('evidence_not_kept', 'what is recorded of this decision does not have the form of a record');
}

/** Whether a check has, or had, a result against the evidence: it ran and did not pass. */
export function speaks({ recorded, replayed }: Pick<ReplayedCheck, 'recorded' | 'replayed'>): boolean {
  return [recorded, replayed].some((result) => result !== null && SPEAKING.includes(result));
}

const SPEAKING = ['fail', 'warn', 'unavailable'];

function replayDifference({ pointer, before = null, after = null }: JsonDifference): ReplayDifference {
  return { pointer, recorded: before, replayed: after };
}

/** Whether a place belongs to the decision itself, and not to the compared values. */
function decides({ pointer }: JsonDifference): boolean {
  return isOutcome({ pointer }) || /^\/policies(?:\/|$)/.test(pointer);
}

function isOutcome({ pointer }: Pick<JsonDifference, 'pointer'>): boolean {
  return /^\/(?:decision|reasons)(?:\/|$)/.test(pointer);
}

type ShownCheck = { readonly id: string; readonly about: string; readonly policy: string | null } & {
  readonly result: string;
  /** Absent if the check passed or did not run. */
  readonly detail?: string;
};

function changedChecks(recorded: JsonObject, replayed: JsonObject): readonly ReplayedCheck[] {
  const [before, after] = [checksOf(recorded), checksOf(replayed)];
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  return keys.flatMap((key): ReplayedCheck[] => {
    const [was, is] = [before.get(key), after.get(key)];
    const check = is ?? was;
    if (check === undefined || was?.result === is?.result) return [];
    const { id, about, policy } = check;
    const detail = is?.detail ?? was?.detail ?? '';
    return [{ id, about, policy, recorded: was?.result ?? null, replayed: is?.result ?? null, detail }];
  });
}

/** Checks by the members that identify them. Of several with the same members, the first. */
function checksOf({ checks }: JsonObject): ReadonlyMap<string, ShownCheck> {
  const byKey = new Map<string, ShownCheck>();
  for (const check of checks as unknown as readonly ShownCheck[]) {
    const key = `${check.id} ${check.about} ${check.policy}`;
    if (!byKey.has(key)) byKey.set(key, check);
  }
  return byKey;
}
