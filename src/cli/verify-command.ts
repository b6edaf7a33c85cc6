import type { Decision } from '../core/decision.js';
import { FormatError } from '../core/errors.js';
import type { Caller, VerifyRequest } from '../core/request.js';
import { NO_SLOT } from '../judge/verification-slots.js';
import type { VerifyEvidenceUseCase } from '../judge/verify-evidence.js';
import { presentDecision } from '../wire/present-decision.js';
import type { RequestLimits } from '../wire/read-body.js';
import { overrideRequest, type RequestOverrides, readVerifyRequest } from '../wire/read-requests.js';
import type { RawInspections } from '../workbench/inspections.js';
import { decisionTable, explainedDecision } from './decision-table.js';
import { isMeantAsJson, malformedFile, type NamedInput, readingInput, UsageError } from './input.js';
import { EXIT_CODE, type Output } from './output.js';

/** The user of the command line owns its inputs, so this caller has every role and name. */
export const COMMAND_LINE_CALLER: Caller = {
  principal: 'command-line',
  tenant: 'default',
  roles: new Set(['verify', 'policy:read', 'audit:read']),
  policies: null,
  audiences: null,
  keys: new Set(),
};

/** Options that replace a member of the body, by its pointer. */
const OPTIONS = [
  { pointer: '/nonce', option: '--nonce', member: 'nonce' },
  { pointer: '/at', option: '--at', member: 'at' },
  { pointer: '/policy', option: '--policy', member: 'policies' },
] as const;

/** Everything that the verification of a body needs. */
export interface VerifyCommandParts {
  readonly verifyEvidence: VerifyEvidenceUseCase;
  readonly raw: Pick<RawInspections, 'recognise' | 'nameOf'>;
  readonly limits?: RequestLimits;
}

/** The extent of the explanation: the checks; the checks as a tree, with their endorsements; or each step. */
export type VerifyDetail = 'checks' | 'explanation' | 'everything';

/**
 * Verifies a /verify body, and shows the decision.
 * @returns the exit code
 * @throws {UsageError} if the body or an option is malformed, or the body sets a verification time and no option does
 */
export async function verifyCommand(
  input: NamedInput,
  overrides: RequestOverrides,
  parts: VerifyCommandParts,
  output: Output,
  detail: VerifyDetail = 'checks',
): Promise<number> {
  const { body, decision } = await decideBody(input, overrides, parts);
  const presented = presentDecision(decision, { allChecks: true, explain: detail !== 'checks' });
  if (output.asTable)
    output.write(forPeople(decision, presented, detail, { ...output, chosen: chosenByBody(body, overrides) }));
  else output.write(`${JSON.stringify(presented, null, 2)}\n`);
  return EXIT_CODE[decision.decision];
}

/**
 * Verifies a /verify body without output.
 * @throws {UsageError} as `verifyCommand`
 */
export async function decideBody(
  input: NamedInput,
  overrides: RequestOverrides,
  { verifyEvidence, raw, limits }: VerifyCommandParts,
): Promise<{ readonly body: VerifyRequest; readonly decision: Decision }> {
  requireJson(input, raw);
  const body = readingInput(input, () => readVerifyRequest(input.bytes, limits));
  return { body, decision: await judge(body, input, overrides, verifyEvidence) };
}

function forPeople(
  decision: Decision,
  presented: ReturnType<typeof presentDecision>,
  detail: VerifyDetail,
  options: Pick<Output, 'inColour'> & { readonly chosen: readonly string[] },
): string {
  const { explanation } = presented;
  if (explanation !== undefined) {
    return explainedDecision(presented, explanation, { ...options, everything: detail === 'everything' });
  }
  // The presentation has all checks, in their order.
  const rules = new Map(presented.checks.map((check, index) => [check, decision.checks[index]?.explain]));
  return decisionTable(presented, { ...options, ruleOf: (check) => rules.get(check)?.() ?? null });
}

/** The body may come from the machine under appraisal, so the output shows the values that it chose. */
function chosenByBody({ policies, nonce }: VerifyRequest, overrides: RequestOverrides): readonly string[] {
  return [
    ...(policies !== null && overrides.policies === null ? ['policy (--policy chooses another)'] : []),
    ...(nonce !== null && overrides.nonce === null ? ['nonce (--nonce chooses another)'] : []),
  ];
}

/** Runs the verification. A fault of a replaced member refers to its option, others refer to the body. */
async function judge(
  body: VerifyRequest,
  input: NamedInput,
  overrides: RequestOverrides,
  verifyEvidence: VerifyEvidenceUseCase,
): Promise<Decision> {
  try {
    return await verifyEvidence.execute(overrideRequest(body, overrides), COMMAND_LINE_CALLER, NO_SLOT);
  } catch (error) {
    throw error instanceof FormatError ? malformedRequest(error, input, overrides) : error;
  }
}

/** Converts an error of a body with options. An error in a member that an option set names the option. */
export function malformedRequest(error: FormatError, input: NamedInput, overrides: RequestOverrides): UsageError {
  const given = OPTIONS.find(({ pointer, member }) => error.pointer === pointer && overrides[member] !== null);
  if (given === undefined) return malformedFile(input, error);
  return new UsageError([`${given.option}: ${error.code}: ${error.message}`], { cause: error });
}

/** Requires a body in JSON: users often pass the report itself instead. */
export function requireJson({ name, bytes }: NamedInput, raw: Pick<RawInspections, 'recognise' | 'nameOf'>): void {
  if (isMeantAsJson(bytes)) return;
  const [kind = null, ...others] = raw.recognise(bytes);
  const isKnown = kind !== null && others.length === 0;
  // The parser of the list reports its errors.
  if (kind === null && isMeantAsJson(bytes, '[')) return;
  throw new UsageError([
    isKnown
      ? `${name}: is ${raw.nameOf(kind)}, and a /verify body in JSON is expected, which has such bytes in base64url`
      : `${name}: is neither JSON nor a structure that is recognised, and a /verify body is expected`,
    'a body looks like this: {"evidence": {"type": "az-snp-vtpm", …}, "nonce": "…"}',
    'veritee request FOLDER makes one from the files of a guest',
    ...(isKnown ? [`veritee inspect ${name} shows what it says`] : []),
  ]);
}
