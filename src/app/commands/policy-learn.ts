import { lstat } from 'node:fs/promises';
import { basename } from 'node:path';
import { type NamedInput, UsageError } from '../../cli/input.js';
import { type PolicyLearnOptions, type PolicyLearnOutput, policyLearnCommand } from '../../cli/policy-learn-command.js';
import { COMMAND_LINE_CALLER } from '../../cli/verify-command.js';
import type { Configuration } from '../../config/configuration.js';
import { fileProblem, isSystemError, outputProblem } from '../../core/file-problem.js';
import type { Log } from '../../core/ports.js';
import { POLICY_ID } from '../../core/request.js';
import { PolicyFileError, readNamedPolicyFile } from '../../files/policy-file.js';
import { writeAtomically } from '../../files/whole-files.js';
import { NO_SLOT } from '../../judge/verification-slots.js';
import { requestLimits } from '../../wire/read-body.js';
import { rawInspections } from '../../workbench/inspections.js';
import { isLearned, LearnPolicy } from '../../workbench/learn-policy.js';
import { productVersion } from '../system.js';
import { commandLineVerification } from './command-line-verification.js';

/** The default policy for evidence. */
const BASELINE = 'azure-cvm-baseline';

/** Outputs for the policy text and for lines to people. */
interface Streams {
  readonly write: (text: string) => void;
  readonly tell: (line: string) => void;
}

/**
 * Learns a policy from /verify bodies, which are verified as `veritee verify` does.
 *
 * @returns the exit code
 * @throws {UsageError} if a file or an option cannot be used
 */
export async function learnFromFiles(
  inputs: readonly NamedInput[],
  options: PolicyLearnOptions,
  configuration: Configuration,
  log: Log,
  { write, tell }: Streams,
): Promise<number> {
  const { from = BASELINE, id = null, chips = false } = options;
  if (id !== null && !POLICY_ID.test(id)) {
    throw new UsageError(['--id: must be up to 64 letters a to z, digits and hyphens, not starting with a hyphen']);
  }
  const target = options.output === '-' ? null : await openTarget(options.output);
  const verification = await commandLineVerification(configuration, from, log, '--from');
  try {
    const { policy, under } = verification;
    const learnPolicy = new LearnPolicy(
      (request, policies) =>
        under(policies).execute({ ...request, policies: policies.map(({ id }) => id) }, COMMAND_LINE_CALLER, NO_SLOT),
      await productVersion(),
    );
    const { eventLogBytes } = configuration.limits;
    const parts = {
      learnPolicy,
      raw: rawInspections(eventLogBytes),
      limits: requestLimits(eventLogBytes),
      asked: {
        from: { name: from, policy },
        output: target?.there ?? null,
        id,
        chips,
        file: target?.name ?? '',
        testBefore: target?.testBefore ?? null,
      },
    };
    const widened = isLearned(policy.text) ? from : null;
    return await policyLearnCommand(inputs, options, parts, { tell, deliver: deliverTo(target, widened, write) });
  } finally {
    await verification.close();
  }
}

/** The output file of the policy, and its test in the same folder. */
interface Target {
  readonly path: string;
  readonly testPath: string;
  readonly name: string;
  /** The existing policy file; null if there is none. */
  readonly there: { readonly name: string; readonly text: string } | null;
  readonly testBefore: { readonly name: string; readonly text: string } | null;
}

/** Checks the output before any verification, which takes time. */
async function openTarget(path: string): Promise<Target> {
  const [, stem] = /^(.+)\.ya?ml$/.exec(path) ?? [];
  if (stem === undefined || stem.endsWith('.test') || basename(stem).startsWith('.')) {
    throw new UsageError([`-o: ${path}: a policy is written as YAML: name it NAME.yaml; its test is NAME.test.yaml`]);
  }
  const testPath = `${stem}.test${path.slice(stem.length)}`;
  const text = await readTextIfThere(path);
  const test = await readTextIfThere(testPath);
  if (test !== null && !isLearned(test)) {
    throw new UsageError([`-o: ${testPath}: is there already, and policy learn did not write it: name another file`]);
  }
  const found = (name: string, text: string | null) => (text === null ? null : { name, text });
  return { path, testPath, name: basename(path), there: found(path, text), testBefore: found(testPath, test) };
}

/** Text of a regular file; null if it does not exist. */
async function readTextIfThere(path: string): Promise<string | null> {
  try {
    if (!(await lstat(path)).isFile()) throw new UsageError([`-o: ${path}: is not a regular file`]);
    return await readNamedPolicyFile(path);
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return null;
    if (error instanceof UsageError) throw error;
    throw new UsageError([`-o: ${path}: ${targetProblem(error)}`], { cause: error });
  }
}

/** A missing folder is created later. A file in the place of a folder prevents the output. */
function targetProblem(error: unknown): string {
  if (error instanceof PolicyFileError) return error.message;
  return isSystemError(error) && error.code === 'ENOTDIR' ? outputProblem(error) : fileProblem(error);
}

/**
 * Writes the test first: a policy without its test looks as if it had not been learned.
 * @param widened name of the learned policy that the evidence is appraised under
 */
function deliverTo(
  target: Target | null,
  widened: string | null,
  write: Streams['write'],
): PolicyLearnOutput['deliver'] {
  return async ({ id, text, isNew, test }) => {
    if (target === null) {
      write(text);
      return [];
    }
    if (!isNew && target.there?.text === text) return [];
    if (test !== null) await written(target.testPath, test);
    await written(target.path, text);
    if (widened === null || target.there !== null) return [];
    const what = isNew ? 'is written, and' : 'is a copy;';
    return [`${target.path} ${what} ${widened} stays as it is: a policy directory takes only one with the id ${id}`];
  };
}

async function written(path: string, text: string): Promise<void> {
  try {
    await writeAtomically(path, text, 'everybody');
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new UsageError([`-o: ${path}: ${outputProblem(error)}`], { cause: error });
  }
}
