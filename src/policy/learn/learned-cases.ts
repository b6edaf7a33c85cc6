import type { Claims } from '../../core/claims.js';
import type { EvidenceType } from '../../core/evidence.js';
import { hasVtpm, teeOf } from '../../core/evidence-traits.js';
import type { JsonObject, JsonValue } from '../../core/json.js';
import type { ClaimsAppraisal } from '../appraise/appraise-claims.js';
import { readGivenClaims } from '../document/given-claims.js';
import type { Policy } from '../document/policy-document.js';
import type { Combination } from './combination.js';
import { merged, nested } from './nested-objects.js';
import { ruleChanges, ruleClaims } from './rule-claims.js';
import { type ClaimChanges, claimsOfSet, otherClaim, withClaims } from './set-claims.js';

/** A case of the test of a policy: claims, their changes, and the expected result. */
export interface LearnedCase {
  readonly name: string;
  readonly type: EvidenceType;
  readonly claims: JsonObject;
  readonly set?: ClaimChanges;
  readonly expect: { readonly outcome: string; readonly reasons?: readonly string[] };
}

/** A set to generate cases for. */
export interface TestedSet {
  readonly combination: Combination;
  /** Claims of evidence for the rules of the policy, those of the set's own evidence first; empty if there are none. */
  readonly claims: readonly Claims[];
}

/** Cases of all sets, in the order of the sets, then of the rules. */
export interface LearnedCases {
  readonly cases: readonly LearnedCase[];
  /** Numbers, from 1, of sets without a case, because the rules need claims that are not available. */
  readonly untested: readonly number[];
}

/** Whether each member is changed in its own case, or all of a set in one, if there would be too many cases. */
export type Detail = 'each' | 'together';

/** Name of a case, as `Trials` generates it below. */
const GENERATED =
  /^set [0-9]+, (?:as it is|with another \S+|with other values|against rule \S+)(?:, which another set has)?$/;

/** Whether a case with this name was generated, and not written by an author of the test. */
export function isGeneratedName(name: string): boolean {
  return GENERATED.test(name);
}

/** Tries a policy on unverified claims. The result cannot release anything. */
export type TryClaims = (policy: Policy, type: EvidenceType, claims: Claims) => ClaimsAppraisal;

/**
 * Makes the cases of each set: an allow with its own values, and a deny with another value of each member. If another
 * set then matches, the name of the case says so. A rule gets a case in which it is not met, if one is found.
 */
export function learnedCases(
  policy: Policy,
  sets: readonly TestedSet[],
  detail: Detail,
  tryClaims: TryClaims,
): LearnedCases {
  const trials = sets.map((set, index) => trialsOf(policy, set, `set ${index + 1}`, tryClaims));
  const tested = trials.filter((each) => each.isMet);
  const [first] = tested;
  return {
    cases: [...tested.flatMap((each) => each.ofSet(detail)), ...(first === undefined ? [] : first.ofRules())],
    untested: trials.flatMap((each, index) => (each.isMet ? [] : [index + 1])),
  };
}

/** Selects the first claims that meet the rules. They can be those of another machine. */
function trialsOf(policy: Policy, { combination, claims }: TestedSet, name: string, tryClaims: TryClaims): Trials {
  const without = new Trials(policy, { combination, claims: null }, name, tryClaims);
  for (const each of claims) {
    const trials = new Trials(policy, { combination, claims: each }, name, tryClaims);
    if (trials.isMet) return trials;
  }
  return without;
}

interface TriedSet extends Pick<TestedSet, 'combination'> {
  readonly claims: Claims | null;
}

/** Tries claims of one set on the policy. */
class Trials {
  readonly #policy: Policy;
  readonly #combination: Combination;
  readonly #name: string;
  readonly #try: TryClaims;
  readonly #type: EvidenceType | null;
  readonly #claims: JsonObject;

  constructor(policy: Policy, { combination, claims }: TriedSet, name: string, tryClaims: TryClaims) {
    this.#policy = policy;
    this.#combination = combination;
    this.#name = name;
    this.#try = tryClaims;
    this.#type = combinationType(combination, policy);
    this.#claims = merged(claims === null ? {} : ruleClaims(policy, claims), claimsOfSet(combination));
  }

  get isMet(): boolean {
    return this.#appraised(this.#claims)?.outcome === 'allow';
  }

  ofSet(detail: Detail): readonly LearnedCase[] {
    const { members } = this.#combination;
    const changes = members.map((member) => [`another ${member.path}`, otherClaim(member, this.#claims)] as const);
    const others = detail === 'each' ? changes : [['other values', this.#allOthers()] as const];
    return [
      ...this.#caseOf('as it is', null, this.#claims),
      ...others.flatMap(([what, set]) => this.#caseOf(`with ${what}`, set, withClaims(this.#claims, set))),
    ];
  }

  #allOthers(): ClaimChanges {
    const changes = new Map<string, JsonValue>();
    for (const member of this.#combination.members) {
      const changed = withClaims(this.#claims, Object.fromEntries(changes));
      for (const [path, value] of Object.entries(otherClaim(member, changed))) changes.set(path, value);
    }
    return Object.fromEntries(changes);
  }

  /** Makes a case for each rule, with the first change after which the rule is not met. */
  ofRules(): readonly LearnedCase[] {
    return this.#policy.rules.flatMap((rule) => {
      const tried = ruleChanges(rule, this.#claims).flatMap(({ text, path, value }) => {
        const changed = merged(this.#claims, nested([[path, value]]));
        const found = this.#appraised(changed);
        const isUnmet = found?.outcome === 'deny' && found.unmatched.includes(rule.id);
        return isUnmet ? this.#caseOf(`against rule ${rule.id}`, { [text]: value }, changed) : [];
      });
      return tried.slice(0, 1);
    });
  }

  #caseOf(what: string, set: ClaimChanges | null, claims: JsonObject): readonly LearnedCase[] {
    const found = this.#appraised(claims);
    if (found === null || this.#type === null) return [];
    const { outcome, reasons } = found;
    const name = `${this.#name}, ${what}${set !== null && outcome === 'allow' ? ', which another set has' : ''}`;
    const changes = set === null ? {} : { set };
    const expect = outcome === 'allow' ? { outcome } : { outcome, reasons };
    return [{ name, type: this.#type, claims: this.#claims, ...changes, expect }];
  }

  #appraised(given: JsonObject): ClaimsAppraisal | null {
    const { claims } = readGivenClaims(given);
    if (claims === null || this.#type === null) return null;
    return this.#try(this.#policy, this.#type, claims);
  }
}

/** Returns the accepted type of a set, by its sections. */
function combinationType({ product, members }: Combination, { accepts }: Policy): EvidenceType | null {
  const has = (section: string) => members.some(({ path }) => path.startsWith(`${section}.`));
  const tee = has('tdx') ? 'tdx' : has('snp') || product !== null ? 'snp' : null;
  const ofTee = accepts.filter((type) => teeOf(type) === tee);
  return ofTee.find((type) => hasVtpm(type) === has('tpm')) ?? ofTee[0] ?? null;
}
