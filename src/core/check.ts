import type { CheckResult, CheckRow, Finding } from './checks/row.js';
import type { CheckId } from './checks/tables.js';
import type { TokenRoute } from './evidence.js';
import type { ExplainedPart } from './explanation.js';
import type { JsonValue } from './json.js';

export { type CheckResult, isOfToken } from './checks/row.js';

/** The result of one comparison. */
export interface Check extends Finding {
  readonly id: CheckId;
  /** One sentence as message: lower case, no period. */
  readonly detail: string;
  /** For `unavailable`: whether a retry can help. */
  readonly retryable?: boolean;
  /** For `skipped`: checks skipped for the same reason share this text, and are listed as one line. */
  readonly group?: string;
  /** For `unavailable`: no policy requires it, so the decision does not depend on it. */
  readonly optional?: boolean;
  /** For a `warn` that an unexpired waiver covers. */
  readonly waived?: boolean;
  /** The rule of a policy that it concerns. */
  readonly rule?: string;
  /** Computes the result of each part of the rule, on request. */
  readonly explain?: () => ExplainedPart;
  /** The type of the token, where `about` does not identify it: fetched tokens share one pointer. */
  readonly route?: TokenRoute;
}

/** Checks about the token of one other verifier. */
export function ofRoute(route: TokenRoute, checks: readonly Check[]): readonly Check[] {
  return checks.map((check) => ({ ...check, route }));
}

interface Compared {
  readonly expected?: JsonValue;
  readonly actual?: JsonValue;
  /** Replaces the sentence of the catalogue: `holds` for a pass, `fails` for any other result. */
  readonly detail?: string;
  readonly explain?: () => ExplainedPart;
  /** The name of the missing object, for the remedy. It may come from unverified bytes. */
  readonly missing?: string;
  /** The deciding member of the policy or key of the configuration, for the remedy. */
  readonly setting?: string;
  /** The exact fault, for the remedy. Like `expected` and `actual`, only from verified bytes. */
  readonly faults?: readonly string[];
  /** Replaces the remedy of the catalogue. */
  readonly remedy?: string;
}

interface Required extends Compared {
  /** Replaces `fails` of the catalogue if the check fails; `detail` replaces `holds` if it passes. */
  readonly otherwise?: string;
}

/** For `unavailable`: the unreachable object, and whether a retry can help. */
interface OutOfReach extends Compared {
  readonly retryable: boolean;
}

/** The text of a check if it passes, and if it does not. */
type Texts = Pick<CheckRow, 'holds' | 'fails'>;

/** The texts of a catalogue. */
export type CheckTexts = { readonly [id in CheckId]?: Texts };

/** The route of the checks, at any place. */
export interface CheckOwner {
  readonly policy: string | null;
  readonly route?: TokenRoute;
  readonly rule?: string;
}

/**
 * Checks about one place in the request, recorded in the order of execution.
 * A verifier only records findings; the decision is made elsewhere.
 */
export class Checks {
  readonly #texts: CheckTexts;
  readonly #all: Check[];
  readonly #about: string;
  readonly #owner: CheckOwner;

  /**
   * @param texts of every check that may be recorded
   * @param about JSON pointer of the place
   */
  constructor(texts: CheckTexts, about = '', owner: CheckOwner = { policy: null }, all: Check[] = []) {
    this.#texts = texts;
    this.#about = about;
    this.#owner = owner;
    this.#all = all;
  }

  /** All recorded checks, at any place. */
  get all(): readonly Check[] {
    return this.#all;
  }

  /** JSON pointer of the place. */
  get about(): string {
    return this.#about;
  }

  /** Returns the same record for another place. */
  at(about: string): Checks {
    return new Checks(this.#texts, about, this.#owner, this.#all);
  }

  /** Returns the same record for a place inside this one: `/crls/0`. */
  inside(path: string): Checks {
    return this.at(`${this.#about}${path}`);
  }

  /** Returns the same record for the token of one other verifier. */
  ofRoute(route: TokenRoute): Checks {
    return new Checks(this.#texts, this.#about, { policy: this.#owner.policy, route }, this.#all);
  }

  /** Returns the same record for one rule of the policy. */
  ofRule(rule: string): Checks {
    return new Checks(this.#texts, this.#about, { ...this.#owner, rule }, this.#all);
  }

  pass(id: CheckId, compared: Compared = {}): void {
    this.#add(id, 'pass', compared);
  }

  fail(id: CheckId, compared: Compared = {}): void {
    this.#add(id, 'fail', compared);
  }

  warn(id: CheckId, compared: Compared = {}): void {
    this.#add(id, 'warn', compared);
  }

  notConfigured(id: CheckId, detail: string): void {
    this.#add(id, 'not_configured', { detail });
  }

  unavailable(id: CheckId, { retryable, ...compared }: OutOfReach): void {
    this.#add(id, 'unavailable', compared, { retryable });
  }

  /** Records that an object was unreachable which no policy requires. */
  unavailableOptional(id: CheckId, detail: string): void {
    this.#add(id, 'unavailable', { detail }, { optional: true });
  }

  /** Records `pass` or `fail`, and returns it, so that the caller can stop if the rest depends on it. */
  require(holds: boolean, id: CheckId, compared: Required = {}): boolean {
    if (holds) this.pass(id, compared);
    else this.fail(id, { ...compared, detail: compared.otherwise ?? this.#textsOf(id).fails });
    return holds;
  }

  /** Records checks as skipped, for one reason. */
  skip(ids: readonly CheckId[], because: string): void {
    for (const id of ids) this.#add(id, 'skipped', { detail: because }, { group: because });
  }

  /** Records the checks without a result as skipped, for one reason. */
  skipRest(ids: readonly CheckId[], because: string): void {
    const rest = ids.filter((id) => !this.ran(id));
    this.skip(rest, because);
  }

  addAll(checks: readonly Check[]): void {
    this.#all.push(...checks);
  }

  /** Removes compared values from checks, once their bytes turn out to be unverified. */
  withhold(ids: readonly CheckId[]): void {
    for (const [index, check] of this.#all.entries()) {
      if (ids.includes(check.id)) this.#all[index] = withoutValues(check);
    }
  }

  /** Whether a check has a result other than `skipped`, at any place. */
  ran(id: CheckId): boolean {
    return this.#all.some((check) => check.id === id && check.result !== 'skipped');
  }

  /** Whether a check ran, each time with `pass` or `warn`, at any place. */
  holds(id: CheckId): boolean {
    const found = this.#all.filter((check) => check.id === id);
    return found.length > 0 && found.every(({ result }) => result === 'pass' || result === 'warn');
  }

  #textsOf(id: CheckId): Texts {
    const texts = this.#texts[id];
    if (texts === undefined) throw new Error(`${id} has no row in this catalogue`);
    return texts;
  }

  #add(id: CheckId, result: CheckResult, compared: Compared, more?: Partial<Check>): void {
    const { holds, fails } = this.#textsOf(id);
    const { expected = null, actual = null, detail = result === 'pass' ? holds : fails } = compared;
    const { policy, route, rule } = this.#owner;
    const check: NewCheck = { id, result, about: this.#about, expected, actual, detail, policy };
    if (route !== undefined) check.route = route;
    if (rule !== undefined) check.rule = rule;
    if (compared.explain !== undefined) check.explain = compared.explain;
    if (result !== 'pass') addForRemedy(check, compared);
    this.#all.push(more === undefined ? check : Object.assign(check, more));
  }
}

/** A check under construction. */
type NewCheck = { -readonly [member in keyof Check]: Check[member] };

/** Adds the values for the remedy. A check that passed has none. */
function addForRemedy(check: NewCheck, { missing, setting, faults, remedy }: Compared): void {
  if (missing !== undefined) check.missing = missing;
  if (setting !== undefined) check.setting = setting;
  if (faults !== undefined) check.faults = faults;
  if (remedy !== undefined) check.remedy = remedy;
}

function withoutValues({ faults: _, ...check }: Check): Check {
  return { ...check, expected: null, actual: null };
}
