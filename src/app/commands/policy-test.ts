import { readdir, writeFile } from 'node:fs/promises';
import { UsageError } from '../../cli/input.js';
import { junitErrorReport, junitReport } from '../../cli/junit-report.js';
import type { Output } from '../../cli/output.js';
import { policyTestCommand } from '../../cli/policy-test-command.js';
import { decideBody } from '../../cli/verify-command.js';
import type { Configuration } from '../../config/configuration.js';
import { ConfigurationError, FormatError } from '../../core/errors.js';
import { folderProblem, outputProblem } from '../../core/file-problem.js';
import type { Log } from '../../core/ports.js';
import type { VerifyEvidenceUseCase } from '../../judge/verify-evidence.js';
import { requestLimits } from '../../wire/read-body.js';
import { rawInspections } from '../../workbench/inspections.js';
import { type JudgeRequest, type PolicySuite, runSuite, type SuiteResult } from '../../workbench/policy-tests.js';
import { servedLines } from '../amd-lines.js';
import { SYSTEM_CLOCK } from '../system.js';
import { readInput } from './command-line-io.js';
import { type CommandLineVerification, commandLineVerification } from './command-line-verification.js';
import { readPolicySuites } from './policy-suites.js';

/**
 * Runs the tests of policies. Runs nothing if a policy or a test is malformed. The report is written even then:
 * otherwise an earlier report would look like that of this run.
 *
 * @param files policies, tests or folders; none for the policy directory
 * @param junit file that JUnit XML is written to; null for none
 * @returns the exit code
 * @throws {UsageError} if a file cannot be read, is malformed, or cannot be written
 * @throws {ConfigurationError} if the configuration, or a file that it names, is wrong
 */
export async function testPolicies(
  files: readonly string[],
  junit: string | null,
  readConfiguration: () => Promise<Configuration>,
  { output, log }: { readonly output: Output; readonly log: Log },
): Promise<number> {
  if (junit === '') throw new UsageError(['--junit: is empty, and the name of a file is expected']);
  let results: readonly SuiteResult[];
  try {
    const configuration = await readConfiguration();
    const places = files.length > 0 ? files : [await policyDirectory(configuration)];
    const suites = await readPolicySuites(places, servedLines(configuration));
    results = await runSuites(suites, configuration, log);
  } catch (error) {
    if (junit !== null) await writeErrorReport(junit, error);
    throw error;
  }
  if (junit !== null) await writeReport(junit, junitReport(results));
  return policyTestCommand(results, output);
}

/** Reads the directory, since a plain file of this name would count as a policy. */
async function policyDirectory({ policies: { directory } }: Configuration): Promise<string> {
  await readdir(directory).catch((cause: unknown) => {
    const problem = `policies.directory: ${directory}: ${folderProblem(cause)}`;
    throw new UsageError([problem, 'name the policies, tests or folders that are meant'], { cause });
  });
  return directory;
}

/** Tests on claims need no verification, so the first request opens it. */
async function runSuites(
  suites: readonly PolicySuite[],
  configuration: Configuration,
  log: Log,
): Promise<readonly SuiteResult[]> {
  let opened = null as Promise<CommandLineVerification> | null;
  const judge: JudgeRequest = async (request, suite) => {
    opened ??= commandLineVerification(configuration, null, log);
    return decideRequest(request, suite, await opened, configuration);
  };
  const results: SuiteResult[] = [];
  try {
    for (const suite of suites) results.push(await runSuite(suite, judge, SYSTEM_CLOCK));
  } finally {
    await (await opened)?.close();
  }
  return results;
}

/**
 * Verifies a body as `veritee verify` does, under the policy of the suite and at the time of the case. Records nothing.
 */
async function decideRequest(
  { file, at }: Parameters<JudgeRequest>[0],
  { policy }: PolicySuite,
  { verifyEvidence }: CommandLineVerification,
  { limits: { eventLogBytes } }: Configuration,
): ReturnType<JudgeRequest> {
  const trial: VerifyEvidenceUseCase = {
    execute: (request, caller, slot) => verifyEvidence.tryPolicy(policy, request, caller, slot),
  };
  const reading = { raw: rawInspections(eventLogBytes), limits: requestLimits(eventLogBytes) };
  try {
    const input = await readInput(file, 'a file with a /verify body, as veritee request makes it from a folder');
    const overrides = { policies: [policy.id], nonce: null, at };
    return (await decideBody(input, overrides, { verifyEvidence: trial, ...reading })).decision;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { problem: sayTime(error, at) ?? error.lines.join('; ') };
  }
}

/** Translates an error about a `verify` option into one about the member of the case. */
function sayTime({ cause }: UsageError, at: string | null): string | null {
  if (!(cause instanceof FormatError) || cause.code !== 'at_not_enabled') return null;
  return at === null
    ? 'the request has a verification time, which counts only as at of the case'
    : 'at of the case is in the future';
}

async function writeReport(file: string, report: string): Promise<void> {
  await writeFile(file, report).catch((cause: unknown) => {
    throw new UsageError([`--junit: ${file}: ${outputProblem(cause)}`], { cause });
  });
}

/** If the report cannot be written either, throws both errors. */
async function writeErrorReport(file: string, error: unknown): Promise<void> {
  const lines = problemsOf(error);
  await writeReport(file, junitErrorReport(lines)).catch((failed: unknown) => {
    throw failed instanceof UsageError ? new UsageError([...lines, ...failed.lines], { cause: error }) : failed;
  });
}

function problemsOf(error: unknown): readonly string[] {
  if (error instanceof UsageError) return error.lines;
  return error instanceof ConfigurationError ? error.problems : ['the tests could not be run'];
}
