import { ConfigurationError } from '../../core/errors.js';
import type { JsonObject } from '../../core/json.js';
import { type Policy, parsePolicy, parseStrictYaml } from '../document/policy-document.js';
import { type LearnedHeader, readHeader } from './learned-header.js';
import { learnedMembers, listedMachines } from './learned-members.js';

/** The request to learn, without the evidence. */
export interface LearningInput {
  /** The policy to appraise the evidence under, and the name that the user typed. */
  readonly from: { readonly name: string; readonly policy: Policy };
  /** The existing content of the output file, if there is any. */
  readonly output: { readonly name: string; readonly text: string } | null;
  /** Id of the learned policy; null if the user gave none. */
  readonly id: string | null;
  /** Whether machines are learned. */
  readonly chips: boolean;
}

/** A learned policy that is widened. */
export interface LearnedBefore {
  readonly policy: Policy;
  readonly header: LearnedHeader;
}

/** The learned values, and the document to write them into. */
export interface LearningPlan {
  readonly id: string;
  readonly version: number;
  /** The policy for the evidence. */
  readonly base: Policy;
  /** The source of all members but reference values, and machines if they are learned. */
  readonly members: Policy;
  readonly before: LearnedBefore | null;
  /** The policy to appraise under, if the output replaces its file. */
  readonly replaced: { readonly name: string; readonly version: number } | null;
  readonly header: Pick<LearnedHeader, 'from' | 'fromPins' | 'chips'>;
}

/**
 * Plans a new policy, or the widening of a learned one. If `from` is a learned policy, evidence is appraised without
 * its learned values, which would allow no other machine.
 *
 * @throws {ConfigurationError} if the two policies do not fit together
 */
export function planLearning(input: LearningInput): LearningPlan {
  const { from, output } = input;
  const learnedFrom = readHeader(from.policy.text);
  const isReplaced = output !== null && output.text === from.policy.text;
  if (learnedFrom !== null) {
    if (output !== null && !isReplaced) refuse(output.name, `is another file than ${from.name}, which is widened`);
    if (learnedFrom.fromPins) {
      const { id } = learnedFrom.from;
      refuse(
        from.name,
        `was learned from ${id}, which has reference values or machines of its own: name ${id} with --from, and this file with -o`,
      );
    }
    return widening(input, { policy: from.policy, header: learnedFrom }, from.name);
  }
  if (output !== null && !isReplaced) {
    const before = readBefore(output, from);
    return { ...widening(input, before, output.name), base: from.policy, members: from.policy };
  }
  return newPolicy(input, isReplaced ? output.name : null);
}

/** @param file to replace, if it has the policy that the evidence is appraised under */
function newPolicy(input: LearningInput, file: string | null): LearningPlan {
  const { from, chips } = input;
  const { id, version, sha256, referenceValues, require } = from.policy;
  const isReplaced = file !== null;
  const pinsMachines = chips && (require.snp?.machines != null || require.tdx?.machines != null);
  return {
    id: input.id ?? (isReplaced ? id : learnedId(id)),
    version: isReplaced ? version + 1 : 1,
    base: from.policy,
    members: from.policy,
    before: null,
    replaced: isReplaced ? { name: file, version } : null,
    header: { from: { id, version, sha256 }, fromPins: referenceValues.length > 0 || pinsMachines, chips },
  };
}

const LONGEST_ID = 64;
const SUFFIX = '-learned';

function learnedId(id: string): string {
  return `${id.slice(0, LONGEST_ID - SUFFIX.length)}${SUFFIX}`;
}

function widening(input: LearningInput, before: LearnedBefore, name: string): LearningPlan {
  const { policy, header } = before;
  if (input.id !== null && input.id !== policy.id) refuse(name, `has the id ${policy.id}, and --id names another`);
  if (input.chips && !header.chips) {
    refuse(
      name,
      `was learned without --chips: machines that it allows today would be refused; ${otherWay(input, before)}`,
    );
  }
  const base = header.chips ? withoutMachines(policy) : policy;
  return {
    id: policy.id,
    version: policy.version + 1,
    base: { ...base, referenceValues: [] },
    members: policy,
    before,
    replaced: null,
    header,
  };
}

/** Says how to learn machines all the same: from the source policy of this one, into another file. */
function otherWay({ from, output }: LearningInput, { policy, header }: LearnedBefore): string {
  if (policy !== from.policy) return 'write another file';
  return `name ${header.from.id} with --from${output === null ? '' : ', and another file with -o'}`;
}

function withoutMachines(policy: Policy): Policy {
  const { snp, tdx } = policy.require;
  const require = {
    ...policy.require,
    snp: snp === null ? null : { ...snp, machines: null },
    tdx: tdx === null ? null : { ...tdx, machines: null },
  };
  return { ...policy, require };
}

/** Returns the existing learned policy, if it was learned from the same policy and not changed since. */
function readBefore({ name, text }: NonNullable<LearningInput['output']>, from: LearningInput['from']): LearnedBefore {
  const header = readHeader(text);
  if (header === null) {
    return refuse(name, 'is there already, and policy learn did not write it: name another file, or it with --from');
  }
  if (header.from.sha256 !== from.policy.sha256) {
    const { id, version } = header.from;
    const other = `was learned from ${id} version ${version}, which is not ${from.name} as it is now`;
    return refuse(name, `${other}: name that with --from, or this file itself`);
  }
  const policy = parsed(name, text);
  if (isChanged(policy, from.policy, header)) {
    return refuse(name, 'has other members than it was learned with: to keep them, name it with --from');
  }
  return { policy, header };
}

/** Whether a policy was changed. Ignores reference values: sets that an author changed or removed stay so. */
function isChanged(policy: Policy, from: Policy, { chips }: LearnedHeader): boolean {
  const { id, version, description, accepts } = policy;
  const parts = { id, version, description: description ?? '', accepts };
  const expected = learnedMembers(from, { ...parts, machines: chips ? listedMachines(policy) : null });
  const { referenceValues: _, ...found } = parseStrictYaml(policy.text) as JsonObject;
  return JSON.stringify(found) !== JSON.stringify(expected);
}

function parsed(name: string, text: string): Policy {
  try {
    return parsePolicy(text);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new ConfigurationError(
      error.problems.map((problem) => `${name}: ${problem}`),
      { cause: error },
    );
  }
}

function refuse(name: string, what: string): never {
  throw new ConfigurationError([`${name}: ${what}`]);
}
