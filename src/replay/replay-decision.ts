import type { Decision } from '../core/decision.js';
import type { RecordedDecision } from '../core/decision-log.js';
import { RefusedError } from '../core/errors.js';
import type { JsonObject, JsonValue } from '../core/json.js';
import { type JsonDifference, jsonDifferences } from '../core/json-differences.js';
import { LaterVersionError, readDecisionContent } from '../core/recorded-decision.js';
import type { Caller } from '../core/request.js';
import { withhold } from '../judge/withheld-decision.js';
import type { Policy } from '../policy/document/policy-document.js';

/** When a decision is judged again: as it was, or as the service would decide today. */
export type ReplayTime = 'then' | 'now';

/** A place where a decision that was judged again differs. */
export interface ReplayDifference {
  /** JSON pointer in the decision. */
  readonly pointer: string;
  /** Null where it has no such member. */
  readonly recorded: JsonValue;
  readonly replayed: JsonValue;
}

/** A check that came out otherwise. */
export interface ReplayedCheck {
  readonly id: string;
  readonly about: string;
  readonly policy: string | null;
  /** Null where there is no such check. */
  readonly recorded: string | null;
  readonly replayed: string | null;
  /** Why, as it is replayed, else as it was recorded. Empty where neither has more than a result. */
  readonly detail: string;
}

export interface Replay {
  readonly at: ReplayTime;
  readonly decisionId: string;
  /** Whether nobody was told of the decision: it was stored too late, and an answer without it left. */
  readonly withdrawn: boolean;
  /**
   * `then`: whether both are the same in canonical form, ids apart. `now`: whether decision, reasons, policies and the results of
   * checks are; what they compared depends on the time. Under another policy: whether decision and reasons are, and the
   * checks that speak against the evidence.
   */
  readonly equal: boolean;
  readonly decision: { readonly recorded: string; readonly replayed: string };
  /** Codes. */
  readonly reasons: { readonly recorded: readonly string[]; readonly replayed: readonly string[] };
  /** Versions of veritee: under another one, a difference is no sign of tampering. */
  readonly version: { readonly recorded: string; readonly running: string };
  readonly checks: readonly ReplayedCheck[];
  readonly differences: readonly ReplayDifference[];
  readonly differencesOmitted: number;
  /** The decision as it came out. */
  readonly replayed: JsonObject;
}

/** Judges by what was kept of a decision. */
export interface JudgeAgain {
  /** The kept inputs of a decision. @throws {RefusedError} `evidence_not_kept` if one is gone */
  open(inputsSha256: string): Promise<KeptCase>;
}

/**
 * Each takes policies in the place of those with the same ids, and rejects with `RefusedError` `evidence_not_kept` where more
 * is asked for than was then.
 */
export interface KeptCase {
  /** Judges by the answers of then. */
  asThen(instead?: readonly Policy[]): Promise<Decision>;
  /** Judges by the policies, endorsements, roots and the time of now. */
  asNow(instead?: readonly Policy[]): Promise<Decision>;
}

export interface ReplayDecisionParts {
  readonly again: JudgeAgain;
  /** The decision as it is recorded. */
  readonly present: (decision: Decision) => JsonObject;
  /** Version of veritee. */
  readonly version: string;
}

/** How a decision is judged again. */
interface Judging {
  readonly at: ReplayTime;
  /** Whether it is under other policies than those of that time. */
  readonly isTrial: boolean;
  readonly withdrawn: boolean;
  readonly version: string;
}

/** A decision is not judged again, since it depended on the moment: its time was over, or the service failed. */
export class MomentaryDecisionError extends RefusedError {
  constructor(reason: string) {
    super('evidence_not_kept', `a decision with ${reason} is not judged again: it depended on the moment`);
  }
}

/** Not the decision's own: what they say depends on the moment. */
const NOT_REPLAYED = ['deadline', 'internal_error'];

/** Members that differ each time: of a decision as it was, its id alone. */
const NOT_COMPARED: ReadonlyMap<ReplayTime, ReadonlySet<string>> = new Map([
  ['then', new Set(['decisionId'])],
  ['now', new Set(['decisionId', 'decidedAt', 'at', 'validUntil'])],
]);

const MOST_DIFFERENCES = 100;

/** Judges a recorded decision again, and says what differs. */
export class ReplayDecision {
  readonly #parts: ReplayDecisionParts;

  constructor(parts: ReplayDecisionParts) {
    this.#parts = parts;
  }

  /**
   * @param instead policies in the place of those with the same ids
   * @throws {RefusedError} `evidence_not_kept`
   */
  async replay(
    { record, withdrawn }: Pick<RecordedDecision, 'record' | 'withdrawn'>,
    at: ReplayTime,
    instead: readonly Policy[] = [],
  ): Promise<Replay> {
    const { decision: recorded, inputs, version } = contentOf(record.content);
    const again = await this.#parts.again.open(requireKept(recorded, inputs));
    const judged = at === 'then' ? await again.asThen(instead) : await again.asNow(instead);
    const replayed = this.#presented(recorded, judged, at);
    return this.#compare(recorded, replayed, { at, version, withdrawn, isTrial: instead.length > 0 });
  }

  /**
   * Judges a decision twice, as it was but for one policy: what it was under the first counts as recorded.
   * @param policies with the same id
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

  /** Receipts are signed by the world: that one could not be is part of what happened. */
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

/** Judges a decision of the caller's tenant again. */
export interface ReplayDecisionUseCase {
  /**
   * @throws {RefusedError} `not_found`, `overloaded` as `RecordedDecisions.get`; `evidence_not_kept` where it cannot be
   *   judged again, also since its record was changed
   * @throws {FormatError} where its request is refused today
   */
  execute(decisionId: string, at: ReplayTime, caller: Pick<Caller, 'tenant'>): Promise<Replay>;
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

/** Whether a check speaks against the evidence, or did: not one that passes, or that nobody made. */
export function speaks({ recorded, replayed }: Pick<ReplayedCheck, 'recorded' | 'replayed'>): boolean {
  return [recorded, replayed].some((result) => result !== null && SPEAKING.includes(result));
}

const SPEAKING = ['fail', 'warn', 'unavailable'];

function replayDifference({ pointer, before = null, after = null }: JsonDifference): ReplayDifference {
  return { pointer, recorded: before, replayed: after };
}

/** Whether a place is of the decision itself, and not of what it was compared with. */
function decides({ pointer }: JsonDifference): boolean {
  return isOutcome({ pointer }) || /^\/policies(?:\/|$)/.test(pointer);
}

function isOutcome({ pointer }: Pick<JsonDifference, 'pointer'>): boolean {
  return /^\/(?:decision|reasons)(?:\/|$)/.test(pointer);
}

type ShownCheck = { readonly id: string; readonly about: string; readonly policy: string | null } & {
  readonly result: string;
  /** Absent where the check passed or did not run. */
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

/** Checks by what tells them apart. Of several that nothing does, the first. */
function checksOf({ checks }: JsonObject): ReadonlyMap<string, ShownCheck> {
  const byKey = new Map<string, ShownCheck>();
  for (const check of checks as unknown as readonly ShownCheck[]) {
    const key = `${check.id} ${check.about} ${check.policy}`;
    if (!byKey.has(key)) byKey.set(key, check);
  }
  return byKey;
}
