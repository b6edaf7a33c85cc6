import { type Configuration, isPolicyDirectoryRequired } from '../../config/configuration.js';
import { configurationProblem } from '../../config/configuration-problem.js';
import { policiesByTenant } from '../../config/tenants.js';
import type { AmdLines } from '../../core/amd-lines.js';
import { allOrProblems, ConfigurationError } from '../../core/errors.js';
import type { LintProblem } from '../../core/lint-problem.js';
import type { KeyPath } from '../../core/places.js';
import { PolicyFileError, policyTextOptions } from '../../files/policy-file.js';
import type { Policy } from '../../policy/document/policy-document.js';
import { PolicyError } from '../../policy/document/policy-problem.js';
import { type LintFacts, lintedIn, lintPolicyFile } from '../../policy/lint/lint.js';
import { requireDirectory } from '../../stores/policy-directory.js';
import { type PolicyFiles, policyFingerprint, problemsOfNeeded, readPolicyFiles } from '../../stores/policy-files.js';
import { lintFacts, policySources } from '../commands/policy-sources.js';
import { isWarning } from './load-warnings.js';

/** Policies that load, with the names of their files, and the problems of the others. */
export interface CheckedPolicies {
  readonly files: readonly (PolicyFiles<Policy>['policies'][number] & { readonly tenant: string })[];
  /** Ids of the policies of each tenant, built-in ones included; null if some could not be read. */
  readonly ids: ReadonlyMap<string, ReadonlySet<string> | null>;
  readonly problems: readonly LintProblem[];
}

/**
 * Reads every policy file of every tenant.
 * @param lines product lines that policies may name; null: any
 * @throws {ConfigurationError} as `checkTenantPolicies`
 */
export async function checkPolicies(configuration: Configuration, lines: AmdLines | null): Promise<CheckedPolicies> {
  const tenants = [...policiesByTenant(configuration).keys()];
  const facts = { ...lintFacts(configuration), lines };
  const checked = await allOrProblems(tenants.map((tenant) => checkTenantPolicies(configuration, tenant, facts)));
  return {
    files: checked.flatMap(({ files }, index) => files.map((file) => ({ ...file, tenant: tenants[index] as string }))),
    ids: new Map(checked.map(({ ids }, index) => [tenants[index] as string, ids])),
    problems: checked.flatMap(({ problems }) => problems),
  };
}

/**
 * Reads every policy file of a directory. Pointers of a policy's problems are relative to that policy, and the message
 * names its file.
 * @throws {ConfigurationError} if the directory is missing and must exist, or cannot be read
 */
async function checkTenantPolicies(configuration: Configuration, tenant: string, facts: LintFacts) {
  const sources = policySources(configuration, tenant, facts.lines);
  requireDirectory(sources, isPolicyDirectoryRequired(sources.directory), await policyFingerprint(sources));
  const { policies, refused } = await readPolicyFiles(sources);
  const known = new Map([...sources.builtIns, ...policies.map(({ policy }) => policy)].map((each) => [each.id, each]));
  const ids = refused.length === 0 ? new Set(known.keys()) : null;
  // A named policy that was not found may be an unreadable one, so it is not reported.
  const needed = sources.needed.filter(({ id }) => ids !== null || known.has(id));
  const problems = [
    ...refused.flatMap(({ name, error }) => refusedPolicy(name, sources.directoryPath, error)),
    ...policies.flatMap(({ name, policy }) =>
      lintPolicyFile(name, policy.text, { ...policyTextOptions(name), ...facts })
        .filter((problem) => isWarning(problem, configuration, tenant, policy.id))
        // The policy loads, so its problems are not errors here.
        .map((problem) => ({ ...problem, severity: 'warning' as const })),
    ),
    ...problemsOfNeeded(needed, known).map((problem) => configurationProblem('config_schema', problem)),
  ];
  return { files: policies, ids, problems };
}

/** A problem of the text belongs to the policy. A problem of the file belongs to the configuration. */
function refusedPolicy(name: string, directoryPath: KeyPath, error: unknown): readonly LintProblem[] {
  if (error instanceof PolicyError) {
    return error.policyProblems.map((problem) => lintedIn(name, problem));
  }
  const faults = error instanceof ConfigurationError ? error.problems : [];
  const what = error instanceof PolicyFileError ? error.message : (faults[0] ?? 'cannot be read');
  return [configurationProblem('config_file', { path: directoryPath, what: `${name}: ${what}` })];
}
