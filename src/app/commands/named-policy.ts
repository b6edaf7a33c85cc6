import { UsageError } from '../../cli/input.js';
import type { Configuration } from '../../config/configuration.js';
import { ConfigurationError } from '../../core/errors.js';
import { fileProblem, isSystemError } from '../../core/file-problem.js';
import { POLICY_ID } from '../../core/request.js';
import { PolicyFileError, policyTextOptions, readNamedPolicyFile } from '../../files/policy-file.js';
import { type Policy, parsePolicy } from '../../policy/document/policy-document.js';
import type { PolicySet } from '../../stores/policy-files.js';
import { servedLines } from '../amd-lines.js';

/**
 * The policy with this id, or else the policy in this file.
 *
 * @param option the option that named it, for error messages
 * @throws {UsageError} if it is neither, or the file is not a policy
 */
export async function namedPolicy(
  option: string,
  policy: string,
  known: PolicySet<Policy>,
  configuration: Configuration,
): Promise<Policy> {
  const there = known.get(policy);
  if (there !== undefined) return there;
  const text = await readNamedPolicyFile(policy).catch((cause: unknown) => {
    if (cause instanceof PolicyFileError) throw new UsageError([`${option}: ${policy}: ${cause.message}`], { cause });
    const ids = known.list().map(({ id }) => id);
    throw new UsageError(
      POLICY_ID.test(policy) && isSystemError(cause) && cause.code === 'ENOENT'
        ? [`${option}: there is no policy ${policy}; there are ${ids.join(', ')}, or name a policy file`]
        : [
            `${option}: ${policy === '' ? 'is empty' : `${policy}: ${fileProblem(cause)}`}`,
            `expected a policy file, or an id: ${ids.join(', ')}`,
          ],
      { cause },
    );
  });
  try {
    return parsePolicy(text, { ...policyTextOptions(policy), lines: servedLines(configuration) });
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new UsageError(
      error.problems.map((problem) => `${policy}: ${problem}`),
      { cause: error },
    );
  }
}
