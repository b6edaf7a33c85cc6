import type { Command } from 'commander';
import type { PolicyText } from '../workbench/policy-texts.js';
import { addGroup, CONFIG, type Handlers, JSON_TOO } from './command-group.js';
import { EXIT_CODE, type Output, printable, styledFor } from './output.js';
import { addPolicyDiff, type PolicyDiffActions } from './policy-diff-command.js';
import type { PolicyLearnOptions } from './policy-learn-command.js';

const LEARN_HELP = `
Each <file> is a /verify body, judged as veritee verify --policy judges it. Nothing is learned unless all are allowed, nor
from what a policy tolerates: hcl_paravisor_unknown, nonce_* warnings, waived findings, debug. --accept names what is
learned all the same. An output file that policy learn wrote is widened: its sets stay, and new ones are added.`;

const TEST_HELP = `
Each <file> is a policy, a test, or a folder of them. The test of NAME.yaml is NAME.test.yaml beside it. The exit code is 0
if every case is as expected, and each rule and reference value has a passing and a failing case; else it is 1.`;

export interface PolicyOptions {
  readonly config?: string;
  readonly json?: boolean;
}

export interface PolicyTestOptions extends PolicyOptions {
  readonly junit?: string;
}

/** The commands about policies. Each returns the exit code. */
export interface PolicyActions {
  lintPolicies(files: readonly string[], options: PolicyOptions): Promise<number>;
  showPolicies(policy: string | undefined, options: PolicyOptions): Promise<number>;
  learnPolicy(files: readonly string[], options: PolicyLearnOptions): Promise<number>;
  testPolicies(files: readonly string[], options: PolicyTestOptions): Promise<number>;
}

/** Adds `veritee policy`. */
export function addPolicyCommands(
  program: Command,
  run: Handlers<PolicyActions>,
  runDiff: Handlers<PolicyDiffActions>,
): void {
  const policy = addGroup(program, 'policy', 'lint, show, test, learn and compare policies');
  policy
    .command('lint')
    .description('lint policies or release policies; exit code 1 if one of them does not load')
    .argument('<file...>', 'policy files, folders of them, or - for standard input')
    .option(...CONFIG)
    .option(...JSON_TOO)
    .action(run('lintPolicies'));
  policy
    .command('show')
    .description('print the text of a policy and its digest; without an argument, list the policies')
    .argument('[id or file]', 'a built-in policy, one of the policy directory, or a policy file')
    .option(...CONFIG)
    .option(...JSON_TOO)
    .action(run('showPolicies'));
  addLearn(policy, run);
  policy
    .command('test')
    .description('run the cases of policies, and show which rules and reference values they cover; exit code 0 or 1')
    .argument('[file...]', 'policies, tests or folders (default: the policy directory of the configuration)')
    .option('--junit <file>', 'also write the results to this file, as JUnit XML')
    .option(...CONFIG)
    .option(...JSON_TOO)
    .addHelpText('after', TEST_HELP)
    .action(run('testPolicies'));
  addPolicyDiff(policy, runDiff);
}

function addLearn(policy: Command, run: Handlers<PolicyActions>): void {
  const collected = (code: string, codes: readonly string[]) => [...codes, code];
  policy
    .command('learn')
    .description('write a policy with reference values of evidence that is allowed today; exit code 0, 1, 2 or 3')
    .argument('<file...>', 'bodies, or - for standard input')
    .option(
      '--from <id or file>',
      'policy that allows the evidence, and whose members the new one has (default: azure-cvm-baseline)',
    )
    .option('--id <id>', 'id of the new policy (default: that of --from, and -learned)')
    .option('-o, --output <file>', 'file to write or to widen, with its test beside it; - for standard output', '-')
    .option('--accept <code>', 'learn in spite of this warning, and write that down; can be given again', collected, [])
    .option('--chips', 'also list the machines, by chip id, provider or PPID')
    .option('--at <time>', 'verification time, RFC 3339 in UTC')
    .option(...CONFIG)
    .addHelpText('after', LEARN_HELP)
    .action(run('learnPolicy'));
}

/** Writes one policy, with its text unchanged. */
export function showPolicy(policy: PolicyText, output: Output): number {
  const { id, version, sha256, text } = policy;
  const styled = styledFor(output);
  const head = `${styled('gray', `# ${id} version ${version}, SHA-256 ${sha256}`)}\n`;
  const shown = text.split('\n').map(printable).join('\n');
  output.write(output.asTable ? `${head}${shown.endsWith('\n') ? shown : `${shown}\n`}` : json(policy));
  return EXIT_CODE.allow;
}

/** Writes the list of policies. */
export function listPolicies(policies: readonly PolicyText[], output: Output): number {
  const width = Math.max(...policies.map(({ id }) => id.length), 0);
  const row = ({ id, version, sha256, description }: PolicyText) =>
    `${id.padEnd(width)}  version ${version}  ${sha256.slice(0, 16)}  ${printable(description ?? '')}`.trimEnd();
  output.write(output.asTable ? `${policies.map(row).join('\n')}\n` : json({ policies }));
  return EXIT_CODE.allow;
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
