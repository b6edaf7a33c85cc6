import { Command, CommanderError } from 'commander';
import { ConfigurationError, FormatError, RefusedError } from '../core/errors.js';
import { addGroup, CONFIG, type Handlers, JSON_TOO } from './command-group.js';
import {
  addHelp,
  GATE_HELP,
  INSPECT_HELP,
  REQUEST_HELP,
  refuseRepeatedOptions,
  refuseUnknownCommand,
  sayWhatThereIs,
  withBelow,
} from './command-help.js';
import {
  addDecisionsCommands,
  addReplayCommand,
  type DecisionsActions,
  type ReplayActions,
} from './decisions-commands.js';
import { addGateCommand, EXEC_FAILURE, type GateActions, isGateWithExec } from './gate-options.js';
import { sayFormatError, UsageError } from './input.js';
import { EXIT_CODE, printable } from './output.js';
import { addPolicyCommands, type PolicyActions } from './policy-commands.js';
import type { PolicyDiffActions } from './policy-diff-command.js';
import { addStoresCommands, type StoresActions } from './stores-commands.js';

export interface VerifyOptions {
  readonly vek?: string;
  readonly policy?: string;
  readonly nonce?: string;
  readonly at?: string;
  readonly config?: string;
  readonly json?: boolean;
  readonly explain?: boolean;
  readonly explainAll?: boolean;
}

export interface InspectOptions {
  readonly compare?: string;
  readonly pcrs?: string;
  readonly config?: string;
  readonly json?: boolean;
}

export interface ExportOptions {
  readonly config?: string;
  readonly report: readonly string[];
}

export interface RequestOptions {
  readonly nonce?: string;
  readonly type?: string;
  readonly output: string;
}

export interface CollectOptions {
  readonly nonce: string;
  readonly output: string;
  readonly pcrs?: string;
  readonly bind?: string;
  readonly akCertificate?: boolean;
  readonly akChain?: string;
  readonly eventLog?: boolean;
}

export interface ServeOptions {
  readonly config?: string;
}

/** The commands about the service. Each returns the exit code. */
export interface ServiceActions {
  serve(options: ServeOptions): Promise<number>;
  config(options: { readonly config?: string }): Promise<number>;
  check(options: { readonly config?: string; readonly json?: boolean }): Promise<number>;
  checkWiring(): Promise<number>;
}

/** The commands about evidence. Each returns the exit code. */
export interface EvidenceActions {
  verify(file: string, options: VerifyOptions): Promise<number>;
  inspect(file: string, options: InspectOptions): Promise<number>;
}

/** The commands for a guest. Each returns the exit code. */
export interface GuestActions {
  request(folder: string, options: RequestOptions): Promise<number>;
  collect(options: CollectOptions): Promise<number>;
}

/** The commands about endorsements. Each returns the exit code. */
export interface EndorsementActions {
  exportEndorsements(folder: string, options: ExportOptions): Promise<number>;
  importEndorsements(folder: string, options: { readonly config?: string }): Promise<number>;
}

/** Loads the actions of commands, so that each command loads only its own. */
export interface Actions {
  service(): Promise<ServiceActions>;
  evidence(): Promise<EvidenceActions>;
  guest(): Promise<GuestActions>;
  policies(): Promise<PolicyActions>;
  endorsements(): Promise<EndorsementActions>;
  decisions(): Promise<DecisionsActions>;
  replays(): Promise<ReplayActions & PolicyDiffActions>;
  stores(): Promise<StoresActions>;
  gate(): Promise<GateActions>;
}

/**
 * Runs the command line.
 * @param complain writes usage and errors
 * @returns the exit code: 0 allow or done, 1 usage or malformed, 2 deny, 3 indeterminate; a gate with a command returns its
 * exit code, or 125
 */
export async function runProgram(
  args: readonly string[],
  version: string,
  actions: Actions,
  complain: (text: string) => void,
): Promise<number> {
  let exitCode: number = EXIT_CODE.indeterminate;
  const failure = (code: number) => (isGateWithExec(args) ? EXEC_FAILURE : code);
  const program = programOf(version, actions, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode !== 0) return failure(EXIT_CODE.usage);
      const shown = failure(EXIT_CODE.allow);
      if (shown !== EXIT_CODE.allow) complain(`${NO_HELP_BESIDE_EXEC}\n`);
      return shown;
    }
    complain(`${explain(error).map(printable).join('\n')}\n`);
    return failure(isUsage(error) ? EXIT_CODE.usage : EXIT_CODE.indeterminate);
  }
}

/** With `--exec`, 0 would mean that the command ran. */
const NO_HELP_BESIDE_EXEC =
  '--help and --version do not go together with --exec: the command did not run; leave one of them out';

/** The message for the terminal: code and place, never a stack. */
function explain(error: unknown): readonly string[] {
  if (error instanceof UsageError) return error.lines;
  if (error instanceof FormatError) return [sayFormatError(error)];
  if (error instanceof ConfigurationError) return error.problems;
  return [error instanceof Error ? error.message : 'failed'];
}

function isUsage(error: unknown): boolean {
  return (
    error instanceof UsageError ||
    error instanceof FormatError ||
    error instanceof ConfigurationError ||
    error instanceof RefusedError ||
    isRefusedBySystem(error)
  );
}

/** Whether the system rejected a file or an address of an option. */
function isRefusedBySystem(error: unknown): boolean {
  if (!(error instanceof Error && 'syscall' in error)) return false;
  const isFolder = 'code' in error && error.code === 'EISDIR';
  return isFolder || 'path' in error || error.syscall === 'listen' || error.syscall === 'getaddrinfo';
}

function programOf(version: string, actions: Actions, done: (exitCode: number) => void): Command {
  const from =
    <T>(load: () => Promise<T>): Handlers<T> =>
    (name) =>
    async (...given) => {
      const action = (await load())[name] as (...given: readonly unknown[]) => Promise<number>;
      done(await action(...given));
    };
  const [service, replays] = [from(actions.service), from(actions.replays)];
  const program = addProgram(version, service);
  addEvidenceCommands(program, from(actions.evidence));
  addGuestCommands(program, from(actions.guest));
  addConfigurationCommands(program, service);
  addPolicyCommands(program, from(actions.policies), replays);
  addEndorsements(program, from(actions.endorsements));
  addDecisionsCommands(program, from(actions.decisions));
  addReplayCommand(program, replays);
  addStoresCommands(program, from(actions.stores));
  addGateCommand(program, from(actions.gate));
  for (const command of withBelow(program)) if (command.commands.length > 0) addHelp(command);
  // The other commands report an unknown subcommand: a message about too many arguments would say less.
  for (const command of withBelow(program)) if (command.commands.length === 0) command.allowExcessArguments(false);
  for (const command of withBelow(program)) {
    command.exitOverride();
    sayWhatThereIs(command);
    refuseRepeatedOptions(command);
  }
  return program;
}

/** The program itself, and `veritee serve`. */
function addProgram(version: string, run: Handlers<ServiceActions>): Command {
  const program = new Command('veritee')
    .description('Verifies the evidence of confidential VMs, with the reasons and the endorsements of each decision')
    // Without -V: the program would read it in a nonce that begins with these characters, after a command as well.
    .version(version, '--version', 'show the version')
    .option('--check-wiring', 'resolve every part of the service once, and exit')
    .allowExcessArguments()
    .action(async ({ checkWiring }: { checkWiring?: boolean }) => {
      if (checkWiring === true) return run('checkWiring')();
      refuseUnknownCommand(program);
      program.help({ error: true });
    });
  program
    .command('serve')
    .description('run the service; without --config, with its defaults')
    .option(...CONFIG)
    .action(run('serve'));
  return program;
}

function addEvidenceCommands(program: Command, run: Handlers<EvidenceActions>): void {
  program
    .command('verify')
    .description(
      'verify and appraise evidence; exit code 0 allow, 1 usage or malformed, 2 deny, 3 indeterminate or failed',
    )
    .argument('<file>', 'a /verify body, a raw report, quote or token, a folder of raw files, or - for standard input')
    .option('--vek <file>', 'VCEK or VLEK of a report, DER or PEM')
    .option('--policy <id or file>', 'policy to use instead of the one in the body')
    .option('--nonce <base64url>', 'nonce to use instead of the one in the body')
    .option('--at <time>', 'verification time, RFC 3339 in UTC')
    .option(...CONFIG)
    .option(...JSON_TOO)
    .option('--explain', 'explain the decision step by step, with the certificates up to the root')
    .option('--explain-all', 'the same, with each check that passes')
    .addHelpText('after', GATE_HELP)
    .action(run('verify'));
  program
    .command('inspect')
    .description('show evidence field by field; verifies nothing')
    .argument(
      '<file>',
      'evidence, a /verify body or a single structure (report, quote, certificate, event log …), or - for standard input',
    )
    .option('--compare <before>', 'show the differences between the boots of this file and of <file>')
    .option('--pcrs <file>', 'values of registers to compare an event log with')
    .option(...CONFIG)
    .option(...JSON_TOO)
    .addHelpText('after', INSPECT_HELP)
    .action(run('inspect'));
}

function addGuestCommands(program: Command, run: Handlers<GuestActions>): void {
  const output: readonly [string, string, string] = [
    '-o, --output <file>',
    'file to write the body to, which only its owner can read; - for standard output',
    '-',
  ];
  program
    .command('request')
    .description('make a /verify body from raw files that other tools wrote; verifies nothing')
    .argument('<folder>', 'folder with the files')
    .option('--nonce <base64url>', 'nonce that the evidence was requested with; without it, the body has none')
    .option('--type <type>', 'expected type of the evidence; otherwise it follows from the files')
    .option(...output)
    .addHelpText('after', REQUEST_HELP)
    .action(run('request'));
  program
    .command('collect')
    .description('in the guest: collect its evidence with tpm2-tools, and write a /verify body; exit code 0 or 1')
    .requiredOption('--nonce <base64url>', 'nonce of the verifier, such as a challenge')
    .option(...output)
    .option('--pcrs <list>', 'PCRs to quote, such as 0-7,11 (default: all 24)')
    .option('--bind <key file>', 'private key of this guest to bind; a P-256 key is made if the file does not exist')
    .option('--ak-certificate', 'send the AK certificate of a confidential VM too, if the verifier knows its issuers')
    .option('--ak-chain <file>', 'send the AK certificate, and its issuers from this PEM file')
    .option('--no-event-log', 'leave out the event logs; the evidence then does not show Secure Boot and the boot')
    .action(run('collect'));
}

function addConfigurationCommands(program: Command, run: Handlers<ServiceActions>): void {
  program
    .command('config')
    .description('print the effective configuration, secrets masked')
    .option(...CONFIG)
    .action(run('config'));
  program
    .command('check')
    .description(
      'check the configuration and the files it names, contacting nothing; exit code 1 if the service would not start with them',
    )
    .option(...CONFIG)
    .option(...JSON_TOO)
    .action(run('check'));
}

function addEndorsements(program: Command, run: Handlers<EndorsementActions>): void {
  const endorsements = addGroup(program, 'endorsements', 'carry endorsements to machines without a network');
  endorsements
    .command('export')
    .description('write certificate chains, CRLs, key certificates and TDX collateral into a folder')
    .argument('<folder>', 'a new or empty folder')
    .option('--report <file...>', 'reports, quotes or bodies that are to be verified: raw files or JSON', [])
    .option(...CONFIG)
    .action(run('exportEndorsements'));
  endorsements
    .command('import')
    .description('verify the contents of a folder and import them')
    .argument('<folder>', 'a folder that export wrote')
    .option(...CONFIG)
    .action(run('importEndorsements'));
}
