import { stat, writeFile } from 'node:fs/promises';
import { UsageError } from '../cli/input.js';
import { junitReport } from '../cli/junit-report.js';
import type { Output } from '../cli/output.js';
import { policyTestCommand } from '../cli/policy-test-command.js';
import { judgeBody } from '../cli/verify-command.js';
import type { Configuration } from '../config/configuration.js';
import { FormatError } from '../model/errors.js';
import { folderProblem, outputProblem } from '../model/file-problem.js';
import type { Log } from '../model/ports.js';
import { rawInspections } from '../service/inspections.js';
import { type JudgeRequest, type PolicySuite, runSuite, type SuiteResult } from '../service/policy-tests.js';
import type { VerifyEvidenceUseCase } from '../service/verify-evidence.js';
import { requestLimits } from '../wire/read-body.js';
import { readInput } from './command-line-io.js';
import { type CommandLineVerification, commandLineVerification } from './command-line-verification.js';
import { besideTest, readPolicySuites } from './policy-suites.js';
import { SYSTEM_CLOCK } from './system.js';

/**
 * Runs the tests of policies. Nothing is run where a policy or a test is malformed.
 *
 * @param files policies, tests or folders; none for the policy directory
 * @param junit file that JUnit XML is written to; null for none
 * @returns the exit code
 * @throws {UsageError} where a file cannot be read, is malformed, or cannot be written
 */
export async function testPolicies(
  files: readonly string[],
  junit: string | null,
  configuration: Configuration,
  { output, log }: { readonly output: Output; readonly log: Log },
): Promise<number> {
  const suites = await readPolicySuites(files.length > 0 ? files : [await policyDirectory(configuration)]);
  const results = await runSuites(suites, configuration, log);
  if (junit !== null) await writeReport(junit, results);
  return policyTestCommand(results, output);
}

async function policyDirectory({ policies: { directory } }: Configuration): Promise<string> {
  await stat(directory).catch((cause: unknown) => {
    const problem = `policies.directory: ${directory}: ${folderProblem(cause)}`;
    throw new UsageError([problem, 'name the policies, tests or folders that are meant'], { cause });
  });
  return directory;
}

/** Claims need no verifier: it is opened only where there are requests. */
async function runSuites(
  suites: readonly PolicySuite[],
  configuration: Configuration,
  log: Log,
): Promise<readonly SuiteResult[]> {
  const hasRequests = suites.some(({ cases }) => cases.some(({ input }) => input.kind === 'request'));
  if (!hasRequests) return runAll(suites, async () => ({ problem: 'no verifier is open' }));
  const verification = await commandLineVerification(configuration, null, log);
  try {
    return await runAll(suites, requestJudge(verification, configuration));
  } finally {
    await verification.close();
  }
}

async function runAll(suites: readonly PolicySuite[], judge: JudgeRequest): Promise<readonly SuiteResult[]> {
  const results: SuiteResult[] = [];
  for (const suite of suites) results.push(await runSuite(suite, judge, SYSTEM_CLOCK));
  return results;
}

/** Judges a body as `veritee verify` does, under the policy of the suite and at the time of the case. Nothing is noted. */
function requestJudge(
  { verifyEvidence }: CommandLineVerification,
  { limits: { eventLogBytes } }: Configuration,
): JudgeRequest {
  const reading = { raw: rawInspections(eventLogBytes), limits: requestLimits(eventLogBytes) };
  return async ({ file, at }, { policy, testFile }) => {
    const trial: VerifyEvidenceUseCase = {
      execute: (request, caller) => verifyEvidence.tryPolicy(policy, request, caller),
    };
    try {
      const input = await readInput(besideTest(testFile ?? '', file), 'a file with a /verify body');
      const overrides = { policies: [policy.id], nonce: null, at };
      const { decision } = await judgeBody({ ...input, name: file }, overrides, { verifyEvidence: trial, ...reading });
      return decision;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      return { problem: sayTime(error, at) ?? error.lines.join('; ') };
    }
  };
}

/** What `verify` says of its option is said of the member of the case. */
function sayTime({ cause }: UsageError, at: string | null): string | null {
  if (!(cause instanceof FormatError) || cause.code !== 'at_not_enabled') return null;
  return at === null
    ? 'the request has a verification time, which counts only as at of the case'
    : 'at of the case is in the future';
}

async function writeReport(file: string, results: readonly SuiteResult[]): Promise<void> {
  await writeFile(file, junitReport(results)).catch((cause: unknown) => {
    throw new UsageError([`--junit: ${file}: ${outputProblem(cause)}`], { cause });
  });
}
