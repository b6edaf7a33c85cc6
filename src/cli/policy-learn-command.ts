import { FormatError } from '../core/errors.js';
import { meantOr, quotedName } from '../core/names-in-messages.js';
import type { VerifyRequest } from '../core/request.js';
import type { RequestLimits } from '../wire/read-body.js';
import { overrideRequest, type RequestOverrides, readVerifyRequest } from '../wire/read-requests.js';
import type { RawInspections } from '../workbench/inspections.js';
import {
  ACCEPTABLE_CODES,
  type LearnPolicyUseCase,
  type LearnRequest,
  type SomethingLearned,
} from '../workbench/learn-policy.js';
import { type NamedInput, UsageError } from './input.js';
import { EXIT_CODE, printable } from './output.js';
import { malformedRequest, requireJson } from './verify-command.js';

export interface PolicyLearnOptions {
  readonly from?: string;
  readonly id?: string;
  readonly output: string;
  readonly accept: readonly string[];
  readonly chips?: boolean;
  readonly at?: string;
  readonly config?: string;
}

/** The evidence, and the options of the command. */
export interface PolicyLearnParts {
  readonly learnPolicy: LearnPolicyUseCase;
  readonly raw: Pick<RawInspections, 'recognise' | 'nameOf'>;
  readonly limits: RequestLimits;
  /** All options except evidence and codes. */
  readonly asked: Omit<LearnRequest, 'evidence' | 'accepted'>;
}

export interface PolicyLearnOutput {
  /** Writes the policy to its target: a file with the same content stays. Returns notes about the file. */
  deliver(learned: Pick<SomethingLearned, 'id' | 'text' | 'isNew' | 'test'>): Promise<readonly string[]>;
  /** Writes one line for the operator. */
  tell(line: string): void;
}

/**
 * Learns a policy from /verify bodies, and shows the changes.
 * @returns the exit code: 0 with a policy, 2 or 3 if evidence is not allowed or not usable
 * @throws {UsageError} if a body or an option is malformed
 */
export async function policyLearnCommand(
  inputs: readonly NamedInput[],
  { accept, at }: Pick<PolicyLearnOptions, 'accept' | 'at'>,
  { learnPolicy, raw, limits, asked }: PolicyLearnParts,
  output: PolicyLearnOutput,
): Promise<number> {
  const accepted = acceptedCodes(accept);
  const evidence = inputs.map((input) => {
    requireJson(input, raw);
    const overrides = { policies: null, nonce: null, at: at ?? null };
    return { name: input.name, request: { ...readRequest(input, overrides, limits), policies: null } };
  });
  const learned = await learnPolicy.execute({ ...asked, evidence, accepted });
  const tell = (lines: readonly string[]) => {
    for (const line of lines) output.tell(printable(line));
  };
  if (learned.outcome !== 'allow') {
    tell([...learned.refusals, 'nothing is learned']);
    return EXIT_CODE[learned.outcome];
  }
  const { id, changes, notes } = learned;
  const remarks = await output.deliver(learned);
  tell([`policy ${id}`, ...changes, ...[...remarks, ...notes].map((note) => `note: ${note}`)]);
  return EXIT_CODE.allow;
}

/** @throws {UsageError} if the body or an option is malformed */
function readRequest(input: NamedInput, overrides: RequestOverrides, limits: RequestLimits | undefined): VerifyRequest {
  try {
    return overrideRequest(readVerifyRequest(input.bytes, limits), overrides);
  } catch (error) {
    throw error instanceof FormatError ? malformedRequest(error, input, overrides) : error;
  }
}

/** @throws {UsageError} for a code that is no reason of a refusal */
function acceptedCodes(codes: readonly string[]): ReadonlySet<string> {
  for (const code of codes.filter((each) => !ACCEPTABLE_CODES.includes(each))) {
    const instead = meantOr(code, ACCEPTABLE_CODES, `there are ${likelyFirst(code).join(', ')}`);
    throw new UsageError([`--accept: ${quotedName(code)} cannot be accepted; ${instead}`]);
  }
  return new Set(codes);
}

/** All codes: those that contain the input come first. */
function likelyFirst(written: string): readonly string[] {
  const rank = (code: string) => (written !== '' && code.includes(written.toLowerCase()) ? 0 : 1);
  return ACCEPTABLE_CODES.toSorted((a, b) => rank(a) - rank(b));
}
