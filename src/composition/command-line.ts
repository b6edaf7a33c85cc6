import { EXIT_CODE } from '../cli/exit-code.js';
import { inspectCommand } from '../cli/inspect-command.js';
import { Notes } from '../cli/notes.js';
import { mayColour, type Output } from '../cli/output.js';
import { printable } from '../cli/printable.js';
import { type Actions, runProgram, type VerifyOptions } from '../cli/program.js';
import { UsageError } from '../cli/usage-error.js';
import { verifyCommand } from '../cli/verify-command.js';
import type { Configuration } from '../config/configuration.js';
import { maskSecrets } from '../config/effective-configuration.js';
import { loadConfiguration, readConfigurationFile } from '../config/load-configuration.js';
import { createLog } from '../http/log.js';
import { outputProblem } from '../model/file-problem.js';
import { TOKENS } from '../model/injection-tokens.js';
import type { Log } from '../model/ports.js';
import { InspectEvidence } from '../service/inspect-evidence.js';
import { InspectRaw } from '../service/inspect-raw.js';
import { requestLimits } from '../wire/request-limits.js';
import { commandLineVerification } from './command-line-verification.js';
import { createAppContainer } from './container.js';
import { type BundleWorld, exportEndorsements, importEndorsements } from './endorsement-bundles.js';
import { listenProblem } from './listen-problem.js';
import { readInput } from './read-input.js';
import { REPORT_FILES, reportOf } from './report-files.js';
import { startService } from './service.js';
import { StopSignals } from './stop-signals.js';
import { SYSTEM_CLOCK } from './system.js';
import { productVersion } from './version.js';

/**
 * Runs the `veritee` command and returns its exit code.
 * @param signals of the service, where somebody listens for them already
 */
export async function runCommandLine(args: readonly string[], signals: StopSignals | null): Promise<number> {
  const complain = (text: string) => void process.stderr.write(text);
  endWhereOutputIsLost(complain);
  return runProgram(
    args,
    await productVersion(),
    { ...ACTIONS, serve: (options) => serve(options, signals) },
    complain,
  );
}

/** A full disk, or a reader that has left: a decision that nobody could read must not end as an allow. */
function endWhereOutputIsLost(complain: (text: string) => void): void {
  process.stdout.on('error', (error) => {
    complain(`standard output: ${outputProblem(error)}\n`);
    process.exit(EXIT_CODE.indeterminate);
  });
  // Nobody is left who could be told.
  process.stderr.on('error', () => {});
}

const ACTIONS: Omit<Actions, 'serve'> = {
  verify: async (file, options) => {
    const configuration = await configurationOf(options);
    const input = await readInput(file, 'a file with a /verify body, or - for standard input');
    const output = outputOf(options);
    const notes = new Notes();
    const log = output.asTable ? notes : commandLineLog();
    const verification = await commandLineVerification(configuration, options.policy ?? null, log);
    try {
      const overrides = { policies: verification.policies, nonce: options.nonce ?? null, at: options.at ?? null };
      const { eventLogBytes } = configuration.limits;
      const raw = new InspectRaw(eventLogBytes);
      const limits = requestLimits(eventLogBytes);
      return await verifyCommand(input, overrides, verification.verifyEvidence, raw, output, limits);
    } finally {
      await verification.close();
      notes.release((text) => process.stderr.write(text));
    }
  },
  inspect: async (file, options) => {
    const { eventLogBytes } = (await configurationOf(options)).limits;
    const input = await readInput(
      file,
      'a file with evidence, a /verify body or a single structure, or - for standard input',
    );
    const inspections = {
      evidence: new InspectEvidence(eventLogBytes),
      raw: new InspectRaw(eventLogBytes),
      limits: requestLimits(eventLogBytes),
    };
    return inspectCommand(input, inspections, outputOf(options));
  },
  config: async (options) => {
    write(`${JSON.stringify(maskSecrets(await configurationOf(options)), null, 2)}\n`);
    return EXIT_CODE.allow;
  },
  exportEndorsements: async (folder, options) => {
    const reports = await Promise.all(
      options.report.map(async (file) => reportOf(await readInput(file, REPORT_FILES))),
    );
    return withNotes(async (world) => exportEndorsements(folder, reports, await configurationOf(options), world));
  },
  importEndorsements: (folder, options) =>
    withNotes(async (world) => importEndorsements(folder, await configurationOf(options), world)),
  checkWiring: async () => {
    const container = createAppContainer(await configurationOf({}));
    container.resolve(TOKENS.evidenceVerifiers);
    container.resolve(TOKENS.inspectEvidence);
    return EXIT_CODE.allow;
  },
};

async function serve(options: Parameters<Actions['serve']>[0], early: StopSignals | null): Promise<number> {
  const signals = early ?? new StopSignals();
  const configuration = await configurationOf(options);
  const log = createLog(configuration.log.level);
  const readConfiguration = () => configurationOf(options);
  const service = await startService(configuration, { log, readConfiguration }).catch((error: unknown) => {
    const problem = listenProblem(error, configuration.listen);
    throw problem === null ? error : new UsageError([problem], { cause: error });
  });
  if (Object.keys(configuration.callers).length === 0) sayWhoIsLetIn(configuration, log);
  // Whatever the log level: scripts wait for this line.
  write(
    `${JSON.stringify({ level: 'info', time: SYSTEM_CLOCK.now().toISOString(), msg: 'listening', url: service.url })}\n`,
  );
  await signals.serve(service, log);
  return EXIT_CODE.allow;
}

function sayWhoIsLetIn({ listen }: Configuration, log: Log): void {
  if (listen.insecure) {
    log.warn({}, 'no callers are configured, and listen.insecure is set: everybody who can connect may verify');
  } else log.info({}, 'no callers are configured: everybody on this machine may verify, nobody else');
}

async function configurationOf({ config }: { readonly config?: string }): Promise<Configuration> {
  const text = config === undefined ? null : await readConfigurationFile(config);
  return loadConfiguration({ text, file: config, environment: process.env });
}

function outputOf(options: Pick<VerifyOptions, 'json'>): Output {
  return {
    asTable: process.stdout.isTTY === true && options.json !== true,
    inColour: mayColour(process.stdout, process.env),
    write,
  };
}

function write(text: string): void {
  process.stdout.write(text);
}

/** A line for people. Names of files come from whoever made the folder. */
function writeLine(line: string): void {
  write(`${printable(line)}\n`);
}

/** Runs a command whose answer is lines for people. What its parts have to say comes behind them. */
async function withNotes(run: (world: BundleWorld) => Promise<number>): Promise<number> {
  const notes = new Notes();
  try {
    return await run({ clock: SYSTEM_CLOCK, log: notes, inBackground: false, writeLine });
  } finally {
    notes.release((text) => process.stderr.write(text));
  }
}

/** Standard output belongs to the answer. */
function commandLineLog(): Log {
  return createLog('warn', process.stderr);
}
