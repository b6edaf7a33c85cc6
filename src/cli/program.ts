import { Command, CommanderError } from 'commander';
import { ConfigurationError, FormatError, RefusedError } from '../model/errors.js';
import { EXIT_CODE } from './exit-code.js';
import { printable } from './printable.js';

export interface VerifyOptions {
  readonly policy?: string;
  readonly nonce?: string;
  readonly at?: string;
  readonly config?: string;
  readonly json?: boolean;
}

export interface InspectOptions {
  readonly config?: string;
  readonly json?: boolean;
}

export interface ExportOptions {
  readonly config?: string;
  readonly report: readonly string[];
}

/** What the commands do, given their arguments. Each returns the exit code. */
export interface Actions {
  serve(options: { readonly config?: string }): Promise<number>;
  verify(file: string, options: VerifyOptions): Promise<number>;
  inspect(file: string, options: InspectOptions): Promise<number>;
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
  let exitCode: number = EXIT_CODE.allow;
  const program = programOf(version, actions, (code) => {
    exitCode = code;
  });
  try {
    await program.exitOverride().parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODE.allow : EXIT_CODE.usage;
    complain(`${explain(error).map(printable).join('\n')}\n`);
    return error instanceof FormatError ||
      error instanceof ConfigurationError ||
      error instanceof RefusedError ||
      isRefusedBySystem(error)
      ? EXIT_CODE.usage
      : EXIT_CODE.indeterminate;
  }
}

/** What the person at the terminal has to know: code and place, never a stack. */
function explain(error: unknown): readonly string[] {
  if (error instanceof FormatError)
    return [`${error.code}: ${error.message}${error.pointer === null ? '' : ` (at ${error.pointer || '/'})`}`];
  if (error instanceof ConfigurationError) return error.problems;
  return [error instanceof Error ? error.message : 'failed'];
}

/** A file that cannot be used, or an address that cannot be listened on: both are what somebody named. */
function isRefusedBySystem(error: unknown): boolean {
  if (!(error instanceof Error && 'syscall' in error)) return false;
  const isFolder = 'code' in error && error.code === 'EISDIR';
  return isFolder || 'path' in error || error.syscall === 'listen' || error.syscall === 'getaddrinfo';
}

function programOf(version: string, actions: Actions, done: (exitCode: number) => void): Command {
  const program = new Command('veritee')
    .description('Tells whether a confidential VM is what it claims to be, why, and what it rests on')
    .version(version)
    .option('--check-wiring', 'resolve every part of the service once, and exit')
    .action(async ({ checkWiring }: { checkWiring?: boolean }) => {
      if (checkWiring === true) return done(await actions.checkWiring());
      program.help({ error: true });
    });
  const config: readonly [string, string] = ['--config <file>', 'configuration file (YAML)'];
  program
    .command('serve')
    .description('run the service')
    .option(...config)
    .action(async (options) => done(await actions.serve(options)));
  program
    .command('verify')
    .description('judge a /verify body; exit code 0 allow, 1 malformed, 2 deny, 3 indeterminate')
    .argument('<file>', 'the body, or - for standard input')
    .option('--policy <id or file>', 'policy instead of that of the body')
    .option('--nonce <base64url>', 'nonce instead of that of the body')
    .option('--at <instant>', 'judge as of this instant, RFC 3339 in UTC')
    .option(...config)
    .option('--json', 'write JSON on a terminal too')
    .action(async (file, options) => done(await actions.verify(file, options)));
  program
    .command('inspect')
    .description('show what evidence says, field by field; verifies nothing')
    .argument('<file>', 'evidence or a /verify body, or - for standard input')
    .option(...config)
    .option('--json', 'write JSON on a terminal too')
    .action(async (file, options) => done(await actions.inspect(file, options)));
  program
    .command('config')
    .description('print the configuration in force, secrets masked')
    .option(...config)
    .action(async (options) => done(await actions.config(options)));
  addEndorsements(program, config, actions, done);
  return program;
}

function addEndorsements(
  program: Command,
  config: readonly [string, string],
  actions: Actions,
  done: (exitCode: number) => void,
): void {
  const endorsements = program.command('endorsements').description('carry endorsements to machines without network');
  endorsements
    .command('export')
    .description('write chains, revocation lists, key certificates and TDX collateral into a folder')
    .argument('<folder>', 'a new or empty folder')
    .option('--report <file...>', 'SNP reports and TD quotes that are to be verified', [])
    .option(...config)
    .action(async (folder, options) => done(await actions.exportEndorsements(folder, options)));
  endorsements
    .command('import')
    .description('verify what a folder holds and take it over')
    .argument('<folder>', 'what export wrote')
    .option(...config)
    .action(async (folder, options) => done(await actions.importEndorsements(folder, options)));
}
