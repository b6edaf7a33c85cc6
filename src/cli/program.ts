import { Command, CommanderError } from 'commander';
import { EVIDENCE_FILES } from '../collector/evidence-files.js';
import { ConfigurationError, FormatError, RefusedError } from '../model/errors.js';
import { listedNames, nearNames, quotedName } from '../model/names-in-messages.js';
import { sayFormatError, UsageError } from './input.js';
import { EXIT_CODE, printable } from './output.js';

const HELP = 'help';

const GATE_HELP =
  '\nA script that gates by the exit code must pass --policy and --nonce: without them those in <file> count.';

const REQUEST_HELP = `
Files of the folder:
${Object.values(EVIDENCE_FILES)
  .map(({ name, what }) => `  ${name.padEnd(18)} ${what}`)
  .join('\n')}`;

const INSPECT_HELP = `
--pcrs reads the SHA-256 values of PCR 0 to 23 as 768 bytes, or JSON: {"sha256": {"7": "hex of 32 bytes"}}.
Of a CCEL the indices 1 to 4 are RTMR 0 to 3, under "sha384".

inspect --compare BEFORE AFTER takes event logs, quotes, reports, tokens, evidence or /verify bodies, and says what
differs between the two boots, and which PCRs (RTMRs) moved. What only one of them has is not compared. The exit code
is 0 whether anything differs or not.`;

export interface VerifyOptions {
  readonly policy?: string;
  readonly nonce?: string;
  readonly at?: string;
  readonly config?: string;
  readonly json?: boolean;
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
  readonly dryRun?: boolean;
}

/** What the commands do, given their arguments. Each returns the exit code. */
export interface Actions {
  serve(options: { readonly config?: string }): Promise<number>;
  verify(file: string, options: VerifyOptions): Promise<number>;
  inspect(file: string, options: InspectOptions): Promise<number>;
  request(folder: string, options: RequestOptions): Promise<number>;
  collect(options: CollectOptions): Promise<number>;
  config(options: { readonly config?: string }): Promise<number>;
  exportEndorsements(folder: string, options: ExportOptions): Promise<number>;
  importEndorsements(folder: string, options: { readonly config?: string }): Promise<number>;
  checkWiring(): Promise<number>;
}

/**
 * Runs the command line.
 * @param complain writes for people: usage and errors
 * @returns the exit code: 0 allow or done, 1 usage or malformed, 2 deny, 3 indeterminate
 */
export async function runProgram(
  args: readonly string[],
  version: string,
  actions: Actions,
  complain: (text: string) => void,
): Promise<number> {
  let exitCode = EXIT_CODE.allow;
  const program = programOf(version, actions, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODE.allow : EXIT_CODE.usage;
    complain(`${explain(error).map(printable).join('\n')}\n`);
    return isUsage(error) ? EXIT_CODE.usage : EXIT_CODE.indeterminate;
  }
}

/** What the person at the terminal has to know: code and place, never a stack. */
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

/** A file that cannot be used, or an address that cannot be listened on: both are what somebody named. */
function isRefusedBySystem(error: unknown): boolean {
  if (!(error instanceof Error && 'syscall' in error)) return false;
  const isFolder = 'code' in error && error.code === 'EISDIR';
  return isFolder || 'path' in error || error.syscall === 'listen' || error.syscall === 'getaddrinfo';
}

function programOf(version: string, actions: Actions, done: (exitCode: number) => void): Command {
  const program = new Command('veritee')
    .description('Tells whether a confidential VM is what it claims to be, with the reasons and the endorsements used')
    .version(version)
    .option('--check-wiring', 'resolve every part of the service once, and exit')
    .allowExcessArguments()
    .action(async ({ checkWiring }: { checkWiring?: boolean }) => {
      if (checkWiring === true) return done(await actions.checkWiring());
      refuseUnknownCommand(program);
      program.help({ error: true });
    });
  const config: readonly [string, string] = ['--config <file>', 'configuration file (YAML)'];
  program
    .command('serve')
    .description('run the service; without --config, with its defaults')
    .option(...config)
    .action(async (options) => done(await actions.serve(options)));
  program
    .command('verify')
    .description(
      'verify and appraise a /verify body; exit code 0 allow, 1 usage or malformed, 2 deny, 3 indeterminate or failed',
    )
    .argument('<file>', 'the body, or - for standard input')
    .option('--policy <id or file>', 'policy to use instead of the one in the body')
    .option('--nonce <base64url>', 'nonce to use instead of the one in the body')
    .option('--at <time>', 'verification time, RFC 3339 in UTC')
    .option(...config)
    .option('--json', 'write JSON on a terminal too')
    .addHelpText('after', GATE_HELP)
    .action(async (file, options) => done(await actions.verify(file, options)));
  program
    .command('inspect')
    .description('show what evidence says, field by field; verifies nothing')
    .argument(
      '<file>',
      'evidence, a /verify body or a single structure (report, quote, certificate, event log …), or - for standard input',
    )
    .option('--compare <before>', 'say what differs between the boot of this file and that of <file>')
    .option('--pcrs <file>', 'values of registers to compare an event log with')
    .option(...config)
    .option('--json', 'write JSON on a terminal too')
    .addHelpText('after', INSPECT_HELP)
    .action(async (file, options) => done(await actions.inspect(file, options)));
  addGuestCommands(program, actions, done);
  program
    .command('config')
    .description('print the effective configuration, secrets masked')
    .option(...config)
    .action(async (options) => done(await actions.config(options)));
  addEndorsements(program, config, actions, done);
  addHelp(program);
  // The others name an unknown command: of arguments too many they would say less.
  for (const command of withBelow(program)) if (command.commands.length === 0) command.allowExcessArguments(false);
  for (const command of withBelow(program)) {
    command.exitOverride();
    sayWhatThereIs(command);
    refuseRepeatedOptions(command);
  }
  return program;
}

/** The last would win unsaid: of two policies that would be whichever stands behind. Lists can go on. */
function refuseRepeatedOptions(command: Command): void {
  const given = new Set<string>();
  for (const { long, variadic, name } of command.options.map((option) => ({ ...option, name: option.name() }))) {
    if (variadic) continue;
    command.on(`option:${name}`, () => {
      if (given.has(name)) throw new UsageError([`${long} is given twice: leave one out`]);
      given.add(name);
    });
  }
}

/** The library's own help command shows the help of the whole program for a name that it does not know. */
function addHelp(above: Command): void {
  above
    .helpCommand(false)
    .command(HELP)
    .description('show the help of a command')
    .argument('[command...]')
    .action((names: readonly string[]) => commandAt(above, names).help());
}

/** The command that names lead to, each below the one before. */
function commandAt(above: Command, [name, ...below]: readonly string[]): Command {
  if (name === undefined) return above;
  const command = above.commands.find((candidate) => candidate.name() === name);
  if (command === undefined) throw unknownCommand(above, name);
  return commandAt(command, below);
}

function refuseUnknownCommand(command: Command): void {
  const [name] = command.args;
  if (name !== undefined) throw unknownCommand(command, name);
}

/** The nearest of the commands that there are, else all. */
function unknownCommand({ commands }: Command, name: string): UsageError {
  const known = commands.map((command) => command.name()).filter((each) => each !== HELP);
  const [near] = nearNames(name, known);
  if (known.length === 0)
    return new UsageError([`unknown command ${quotedName(name)}: this command has no subcommands`]);
  const instead = near === undefined ? `there are ${listedNames(known)}` : `did you mean ${near}?`;
  return new UsageError([`unknown command ${quotedName(name)}; ${instead}`]);
}

/** Lists options behind a complaint about one that has nothing near it, and says how a command is called. */
function sayWhatThereIs(command: Command): void {
  const options = command.options.map(({ long }) => long ?? '').join(', ');
  command.configureOutput({
    outputError: (text, write) => {
      write(text);
      const isUnknown = text.startsWith('error: unknown option') && !text.includes('Did you mean');
      if (isUnknown) write(`(${options === '' ? 'There are none' : `There are ${options}`})\n`);
      else if (/^error: (missing required|too many) argument/.test(text)) write(`(Usage: ${usageOf(command)})\n`);
    },
  });
}

function withBelow(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withBelow)];
}

function usageOf(command: Command): string {
  const above = command.parent === null ? '' : `${usageOf(command.parent).replace(/ \[.*$/, '')} `;
  return `${above}${command.name()} ${command.usage()}`;
}

function addGuestCommands(program: Command, actions: Actions, done: (exitCode: number) => void): void {
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
    .option('--type <type>', 'type that the evidence is meant to be; otherwise it follows from the files')
    .option(...output)
    .addHelpText('after', REQUEST_HELP)
    .action(async (folder, options) => done(await actions.request(folder, options)));
  program
    .command('collect')
    .description('in the guest: collect its evidence with tpm2-tools, and write a /verify body; exit code 0 or 1')
    .requiredOption('--nonce <base64url>', 'nonce of the verifier, such as a challenge')
    .option(...output)
    .option('--pcrs <list>', 'PCRs to quote, such as 0-7,11 (default: all 24)')
    .option('--bind <key file>', 'private key of this guest to bind; a P-256 key is made if the file does not exist')
    .option('--ak-certificate', 'send the AK certificate of a confidential VM too, if the verifier knows its issuers')
    .option('--ak-chain <file>', 'send the AK certificate, and its issuers from this PEM file')
    .option('--no-event-log', 'leave the event logs out; the evidence then says nothing of Secure Boot and the boot')
    .option('--dry-run', 'only print a shell script that does the same without veritee')
    .action(async (options) => done(await actions.collect(options)));
}

function addEndorsements(
  program: Command,
  config: readonly [string, string],
  actions: Actions,
  done: (exitCode: number) => void,
): void {
  const endorsements = program
    .command('endorsements')
    .description('carry endorsements to machines without a network')
    .allowExcessArguments()
    .action(() => {
      refuseUnknownCommand(endorsements);
      endorsements.help({ error: true });
    });
  endorsements
    .command('export')
    .description('write certificate chains, CRLs, key certificates and TDX collateral into a folder')
    .argument('<folder>', 'a new or empty folder')
    .option('--report <file...>', 'reports, quotes or bodies that are to be verified: raw files or JSON', [])
    .option(...config)
    .action(async (folder, options) => done(await actions.exportEndorsements(folder, options)));
  endorsements
    .command('import')
    .description('verify the contents of a folder and import them')
    .argument('<folder>', 'a folder that export wrote')
    .option(...config)
    .action(async (folder, options) => done(await actions.importEndorsements(folder, options)));
  addHelp(endorsements);
}
