import type { Command } from 'commander';
import type { JsonDifference } from '../core/json-differences.js';
import { CONFIG, type Handlers, JSON_TOO } from './command-group.js';
import { UsageError } from './input.js';
import { EXIT_CODE, type Output, printable, shownValue, styledFor } from './output.js';

const DIFF_HELP = `
Members are compared with every default filled in. With --since, decisions that were recorded under the id of <old> are
replayed under <old> and under <new>, regardless of the id of <new>. The exit code is 0 without --since; with it, it is that
of veritee replay.`;

export interface PolicyDiffOptions {
  readonly since?: string;
  readonly tenant?: string;
  readonly config?: string;
  readonly json?: boolean;
}

export interface PolicyDiffActions {
  diffPolicies(before: string, after: string, options: PolicyDiffOptions): Promise<number>;
}

/** Adds `veritee policy diff`. */
export function addPolicyDiff(policy: Command, run: Handlers<PolicyDiffActions>): void {
  policy
    .command('diff')
    .description('show the differences between two policies, and the recorded decisions that they change')
    .argument('<old>', 'id of a policy, or a policy file')
    .argument('<new>', 'the same')
    .option('--since <time>', 'appraise decisions from this time on under both, RFC 3339 in UTC')
    .option('--tenant <name>', 'with --since: only those of this tenant')
    .option(...CONFIG)
    .option(...JSON_TOO)
    .addHelpText('after', DIFF_HELP)
    .action(run('diffPolicies'));
}

/** @throws {UsageError} if an option selects decisions, but none are replayed */
export function requireSince({ since, tenant }: PolicyDiffOptions): void {
  if (tenant === undefined || since !== undefined) return;
  throw new UsageError(['--tenant goes with --since: without it, no decisions are judged']);
}

/** Two policies that are compared. */
export interface ComparedPolicies {
  readonly old: NamedPolicy;
  readonly new: NamedPolicy;
  /** Members that differ. */
  readonly members: readonly JsonDifference[];
}

interface NamedPolicy {
  readonly id: string;
  readonly version: number;
  readonly sha256: string;
}

/**
 * Shows which members of two policies differ.
 * @returns the exit code, which does not depend on the differences
 */
export function policyDiff(compared: ComparedPolicies, output: Output): number {
  output.write(output.asTable ? diffTable(compared, output) : `${JSON.stringify(diffJson(compared))}\n`);
  return EXIT_CODE.allow;
}

function diffJson({ members, ...policies }: ComparedPolicies) {
  return {
    old: namedPolicyAnswer(policies.old),
    new: namedPolicyAnswer(policies.new),
    members: members.map(({ pointer, before = null, after = null }) => ({ pointer, old: before, new: after })),
  };
}

function namedPolicyAnswer({ id, version, sha256 }: NamedPolicy): NamedPolicy {
  return { id, version, sha256 };
}

function diffTable({ members, ...policies }: ComparedPolicies, output: Output): string {
  const styled = styledFor(output);
  const [old, young] = [styled('red', '-'), styled('green', '+')];
  const name = ({ id, version, sha256 }: NamedPolicy) => `${id} version ${version}, SHA-256 ${sha256}`;
  return [
    `${old} ${name(policies.old)}`,
    `${young} ${name(policies.new)}`,
    ...(members.length === 0 ? ['', 'every member is the same'] : []),
    ...members.flatMap(({ pointer, before, after }) => [
      '',
      printable(pointer),
      ...(before === undefined ? [] : [`${old} ${shownValue(before)}`]),
      ...(after === undefined ? [] : [`${young} ${shownValue(after)}`]),
    ]),
    '',
    '',
  ].join('\n');
}
