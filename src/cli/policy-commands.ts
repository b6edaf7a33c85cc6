import type { Command } from 'commander';
import type { PolicyText } from '../workbench/policy-texts.js';
import { addHelp, refuseUnknownCommand } from './command-help.js';
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
export interface PolicyActions extends PolicyDiffActions {
  lintPolicies(files: readonly string[], options: PolicyOptions): Promise<number>;
  showPolicies(policy: string | undefined, options: PolicyOptions): Promise<number>;
  learnPolicy(files: readonly string[], options: PolicyLearnOptions): Promise<number>;
  testPolicies(files: readonly string[], options: PolicyTestOptions): Promise<number>;
}

/** Adds `veritee policy`. */
export function addPolicyCommands(
  program: Command,
  config: readonly [string, string],
  actions: PolicyActions,
  done: (exitCode: number) => void,
): void {
  const policy = program
    .command('policy')
    .description('lint, show, test, learn and compare policies')
    .allowExcessArguments()
    .action(() => {
      refuseUnknownCommand(policy);
      policy.help({ error: true });
    });
  const json: readonly [string, string] = ['--json', 'write JSON on a terminal too'];
  policy
    .command('lint')
    .description('lint policies or release policies; exit code 1 if one of them does not load')
    .argument('<file...>', 'policy files, folders of them, or - for standard input')
    .option(...config)
    .option(...json)
    .action(async (files, options) => done(await actions.lintPolicies(files, options)));
  policy
    .command('show')
    .description('print the text of a policy and its digest; without an argument, list the policies')
    .argument('[id or file]', 'a built-in policy, one of the policy directory, or a policy file')
    .option(...config)
    .option(...json)
    .action(async (name, options) => done(await actions.showPolicies(name, options)));
  addLearn(policy, config, actions, done);
  policy
    .command('test')
    .description('run the cases of policies, and show which rules and reference values they cover; exit code 0 or 1')
    .argument('[file...]', 'policies, tests or folders (default: the policy directory of the configuration)')
    .option('--junit <file>', 'also write the results to this file, as JUnit XML')
    .option(...config)
    .option(...json)
    .addHelpText('after', TEST_HELP)
    .action(async (files, options) => done(await actions.testPolicies(files, options)));
  addPolicyDiff(policy, config, actions, done);
  addHelp(policy);
}

function addLearn(
  policy: Command,
  config: readonly [string, string],
  actions: PolicyActions,
  done: (exitCode: number) => void,
): void {
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
    .option(...config)
    .addHelpText('after', LEARN_HELP)
    .action(async (files, options) => done(await actions.learnPolicy(files, options)));
}

/** Writes one policy, its text to the byte. */
export function showPolicy(policy: PolicyText, output: Output): number {
  const { id, version, sha256, text } = policy;
  const styled = styledFor(output);
  const head = `${styled('gray', `# ${id} version ${version}, SHA-256 ${sha256}`)}\n`;
  const shown = text.split('\n').map(printable).join('\n');
  output.write(output.asTable ? `${head}${shown.endsWith('\n') ? shown : `${shown}\n`}` : json(policy));
  return EXIT_CODE.allow;
}

/** Writes which policies there are. */
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
