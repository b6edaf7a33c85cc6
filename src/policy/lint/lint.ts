import type { TokenRoute } from '../../core/evidence.js';
import { isObject, type JsonValue, jsonPointer, pathOf } from '../../core/json.js';
import type { LintProblem } from '../../core/lint-problem.js';
import { lintReleasePolicy, type ReleaseLintOptions } from '../akv/lint-release-policy.js';
import { daysOf, endingWaivers } from '../appraise/waivers.js';
import {
  isReleasePolicyText,
  type Policy,
  type PolicyTextOptions,
  parsePolicyValue,
  policyOf,
  readBareReleasePolicy,
  withLines,
} from '../document/policy-document.js';
import {
  POLICY_PROBLEMS,
  PolicyError,
  type PolicyProblem,
  type PolicyProblemCode,
} from '../document/policy-problem.js';
import { scopeOf } from '../document/policy-scope.js';
import { lintIssuers } from '../lint-issuers.js';
import { lintLauncherPins } from '../lint-launcher-pins.js';
import { lintHostData, lintHostDataOf, lintRelease, type ParavisorOptions } from '../lint-release.js';
import { lintBoot } from './lint-boot.js';
import { lintEventLogs } from './lint-event-logs.js';
import { lintFloors } from './lint-floors.js';
import { lintLauncherWords } from './lint-launcher-words.js';
import { lintRules } from './lint-rules.js';

/** A problem in the output of lint. */
export type LintedProblem = LintProblem & { readonly code: PolicyProblemCode };

export interface LintOptions extends PolicyTextOptions, ReleaseLintOptions, ParavisorOptions {
  /** The time for the check of expiries; if absent, lint does not check them. */
  readonly at?: Date;
  /** Routes for which the configuration accepts more than one issuer. */
  readonly manyIssuers: readonly TokenRoute[];
}

/** Facts of the configuration that lint compares policies with. */
export type LintFacts = Omit<LintOptions, 'at' | keyof PolicyTextOptions> & Required<Pick<PolicyTextOptions, 'lines'>>;

/**
 * Lints a policy text. Returns errors if it does not load; otherwise warnings if it enforces less than it appears to.
 * Also lints a release policy. A text without problems can still have mistakes that lint does not find.
 */
export function lintPolicy(text: string, options: LintOptions): readonly LintedProblem[] {
  return problemsIn(text, options).map(linted);
}

/** Lints a policy file, as `lintPolicy` does for a text. */
export function lintPolicyFile(file: string, text: string, options: LintOptions): readonly LintedProblem[] {
  return withLines(problemsIn(text, options), text, options).map((problem) => lintedIn(file, problem));
}

/** A problem of a file, with the text of its code. The message begins with the file and, if known, the line. */
export function lintedIn(file: string, { line, ...problem }: PolicyProblem): LintedProblem {
  const place = line === undefined ? file : `${file}:${line}`;
  // Names the member, because "is missing" after a file name would be about the file.
  const member = problem.message.startsWith('is missing') ? pathOf(problem.pointer).at(-1) : undefined;
  return { ...linted(problem), message: `${place}: ${member === undefined ? '' : `${member} `}${problem.message}` };
}

function problemsIn(text: string, options: LintOptions): readonly PolicyProblem[] {
  try {
    const value = parsePolicyValue(text, options);
    return isReleasePolicyText(value)
      ? lintBareReleasePolicy(value, text, options)
      : remarksOn(policyOf(value, text, options), options).map((problem) => withExistingPointer(problem, value));
  } catch (error) {
    if (error instanceof PolicyError) return error.policyProblems;
    throw error;
  }
}

function lintBareReleasePolicy(value: JsonValue, text: string, options: LintOptions) {
  const { policy, problems } = readBareReleasePolicy(value, text);
  return policy === null ? problems : [...lintReleasePolicy(policy, options), ...lintHostDataOf(policy)];
}

/** Warnings about a policy that loads. */
function remarksOn(policy: Policy, options: Omit<LintOptions, keyof PolicyTextOptions>) {
  return [
    ...lintEventLogs(policy),
    ...lintFloors(policy),
    ...lintBoot(policy),
    ...lintRules(policy),
    ...lintLauncherWords(policy),
    ...lintIssuers(policy, options.manyIssuers),
    ...lintLauncherPins(policy),
    ...lintHostData(policy),
    ...lintRelease(policy, options),
    ...releaseRules(policy, options),
    ...(options.at === undefined ? [] : endingWaivers([policy], options.at).map(ending)),
  ];
}

/** Moves a pointer to a place in the text, where a word such as `any` can replace several members. */
function withExistingPointer(problem: PolicyProblem, text: JsonValue): PolicyProblem {
  const path = pathOf(problem.pointer);
  let value: JsonValue | undefined = text;
  let depth = 0;
  for (; depth < path.length; depth++) {
    value = jsonMember(value, path[depth] ?? '');
    if (value === undefined) break;
  }
  return { ...problem, pointer: jsonPointer(path.slice(0, depth)) };
}

function jsonMember(value: JsonValue, name: string): JsonValue | undefined {
  if (Array.isArray(value)) return value[Number(name)];
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Lints the rules `akv` of a policy, with pointers into its text. */
function releaseRules(policy: Policy, options: ReleaseLintOptions): readonly PolicyProblem[] {
  const scope = scopeOf(policy);
  const sight = { routes: (['maa', 'ita'] as const).filter((route) => scope[route]), isRule: true };
  return policy.rules.flatMap((rule) =>
    rule.language === 'akv' ? lintReleasePolicy(rule.policy, options, sight) : [],
  );
}

function ending({
  pointer,
  check,
  expires,
  hasEnded,
  daysLeft,
}: ReturnType<typeof endingWaivers>[number]): PolicyProblem {
  const when = hasEnded ? 'ended' : `ends in ${daysOf(daysLeft)}`;
  return { code: 'expiry_near', pointer, message: `the waiver of ${check} ${when}, on ${expires}` };
}

/** Adds the text of its code to a problem. The message names the line if there is no pointer. */
function linted({ code, pointer, line, message, severity, remedy }: PolicyProblem): LintedProblem {
  const row = POLICY_PROBLEMS[code];
  const place = line === undefined || pointer !== '' ? '' : `line ${line}: `;
  return {
    code,
    pointer,
    message: `${place}${message}`,
    remedy: remedy ?? row.remedy,
    severity: severity ?? row.severity,
  };
}
