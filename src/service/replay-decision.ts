import type { Decision } from '../model/decision.js';
import type { RecordedDecision } from '../model/decision-log.js';
import { RefusedError } from '../model/errors.js';
import { isObject, type JsonObject, type JsonValue } from '../model/json.js';
import type { Caller } from '../model/request.js';
import type { RecordedDecisionsUseCase } from './recorded-decisions.js';
import { withhold } from './withheld-decision.js';

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
  /** Why, as it is replayed; where there is no such check now, as it was recorded. */
  readonly detail: string;
}

export interface Replay {
  readonly at: ReplayTime;
  readonly decisionId: string;
  /**
   * `then`: whether both are the same in canonical form, ids apart. `now`: whether decision, reasons, policies and the results of
   * checks are; what they compared depends on the time.
   */
  readonly equal: boolean;
  readonly decision: { readonly recorded: string; readonly replayed: string };
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
  /** What is kept of a decision. @throws {RefusedError} `evidence_not_kept` where something of it is gone */
  open(inputsSha256: string): Promise<KeptCase>;
}

export interface KeptCase {
  /** Judges by the answers of then. */
  asThen(): Promise<Decision>;
  /** Judges by the policies, endorsements, roots and the time of now. */
  asNow(): Promise<Decision>;
}

export interface ReplayDecisionParts {
  readonly recorded: Pick<RecordedDecisionsUseCase, 'get'>;
  readonly again: JudgeAgain;
  /** The decision as it is recorded. */
  readonly present: (decision: Decision) => JsonObject;
  /** Version of veritee. */
  readonly version: string;
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
   * @throws {RefusedError} `not_found`, `overloaded` as `RecordedDecisions.get`; `evidence_not_kept` where it cannot be
   *   judged again
   */
  async execute(decisionId: string, at: ReplayTime, caller: Pick<Caller, 'tenant'>): Promise<Replay> {
    return this.replay(await this.#parts.recorded.get(decisionId, caller), at);
  }

  /** @throws {RefusedError} `evidence_not_kept` */
  async replay({ record }: Pick<RecordedDecision, 'record'>, at: ReplayTime): Promise<Replay> {
    const { decision: recorded, inputs, version } = contentOf(record.content);
    const again = await this.#parts.again.open(requireKept(recorded, inputs));
    const judged = at === 'then' ? await again.asThen() : await again.asNow();
    return this.#compare(recorded, judged, at, version);
  }

  #compare(recorded: JsonObject, judged: Decision, at: ReplayTime, version: string): Replay {
    const { present, version: running } = this.#parts;
    // Receipts are signed by the world: that one could not be is part of what happened.
    const reasons = recorded['reasons'] as readonly string[];
    const withheld = at === 'then' && reasons.includes('receipt_unavailable');
    const replayed = present(withheld ? withhold(judged, 'receipt_unavailable') : judged);
    const differences = differencesOf(recorded, replayed, '', NOT_COMPARED.get(at) ?? NOTHING);
    const checks = changedChecks(recorded, replayed);
    return {
      at,
      decisionId: String(recorded['decisionId']),
      equal: at === 'then' ? differences.length === 0 : checks.length === 0 && !differences.some(decides),
      decision: { recorded: String(recorded['decision']), replayed: String(replayed['decision']) },
      version: { recorded: version, running },
      checks,
      differences: differences.slice(0, MOST_DIFFERENCES),
      differencesOmitted: Math.max(0, differences.length - MOST_DIFFERENCES),
      replayed,
    };
  }
}

export type ReplayDecisionUseCase = Pick<ReplayDecision, 'execute'>;

/** @throws {RefusedError} `evidence_not_kept` */
function requireKept(recorded: JsonObject, inputs: JsonValue | undefined): string {
  if (typeof inputs !== 'string') {
    throw new RefusedError(
      'evidence_not_kept',
      'the evidence of this decision was not kept: decisions.keepEvidence was hash when it was made',
    );
  }
  const [reason] = (recorded['reasons'] as readonly string[]).filter((code) => NOT_REPLAYED.includes(code));
  if (reason === undefined) return inputs;
  throw new RefusedError(
    'evidence_not_kept',
    `a decision with ${reason} is not judged again: it depended on the moment`,
  );
}

function contentOf(content: string | null) {
  const { decision, inputs, version }: JsonObject = JSON.parse(content ?? '{}');
  if (!isObject(decision)) throw new RefusedError('evidence_not_kept', 'the content of this decision was dropped');
  return { decision, inputs, version: String(version) };
}

/** Places where two values differ, members in the order of the recorded one. */
function differencesOf(
  recorded: JsonValue | undefined,
  replayed: JsonValue | undefined,
  pointer: string,
  without: ReadonlySet<string>,
): readonly ReplayDifference[] {
  if (isObject(recorded) && isObject(replayed)) {
    const names = [...new Set([...Object.keys(recorded), ...Object.keys(replayed)])].filter(
      (name) => !without.has(name),
    );
    return names.flatMap((name) =>
      differencesOf(recorded[name], replayed[name], `${pointer}/${escaped(name)}`, NOTHING),
    );
  }
  if (Array.isArray(recorded) && Array.isArray(replayed) && recorded.length === replayed.length) {
    return recorded.flatMap((value, index) => differencesOf(value, replayed[index], `${pointer}/${index}`, NOTHING));
  }
  if (JSON.stringify(recorded) === JSON.stringify(replayed)) return [];
  return [{ pointer, recorded: recorded ?? null, replayed: replayed ?? null }];
}

const NOTHING: ReadonlySet<string> = new Set();

/** Whether a place is of the decision itself, and not of what it was compared with. */
function decides({ pointer }: ReplayDifference): boolean {
  return /^\/(?:decision|reasons|policies)(?:\/|$)/.test(pointer);
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

type ShownCheck = { readonly id: string; readonly about: string; readonly policy: string | null } & {
  readonly result: string;
  readonly detail: string;
};

function changedChecks(recorded: JsonObject, replayed: JsonObject): readonly ReplayedCheck[] {
  const [before, after] = [checksOf(recorded), checksOf(replayed)];
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  return keys.flatMap((key): ReplayedCheck[] => {
    const [was, is] = [before.get(key), after.get(key)];
    const check = is ?? was;
    if (check === undefined || was?.result === is?.result) return [];
    const { id, about, policy, detail } = check;
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
