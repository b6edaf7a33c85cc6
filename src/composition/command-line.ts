import { stat } from 'node:fs/promises';
import { checkCommand } from '../cli/check-command.js';
import { compareCommand } from '../cli/compare-command.js';
import { type NamedInput, UsageError } from '../cli/input.js';
import { inspectCommand } from '../cli/inspect-command.js';
import { EXIT_CODE, Notes, printable } from '../cli/output.js';
import { type Actions, type InspectOptions, runProgram, type VerifyOptions } from '../cli/program.js';
import { bodyOfFile, bodyOfFolder } from '../cli/raw-evidence.js';
import { type VerifyDetail, verifyCommand } from '../cli/verify-command.js';
import type { Configuration, ListenConfiguration } from '../config/configuration.js';
import { maskSecrets } from '../config/effective-configuration.js';
import { createLog } from '../http/log.js';
import { RAW_RECOGNISER } from '../inspect/raw-structures.js';
import { outputProblem } from '../model/file-problem.js';
import { TOKENS } from '../model/injection-tokens.js';
import type { Log } from '../model/ports.js';
import { bootComparisons, InspectEvidence, rawInspections } from '../service/inspections.js';
import { requestLimits } from '../wire/read-body.js';
import { checkConfiguration } from './check-configuration.js';
import { commandLineLog, configurationOf, outputOf, readInput, write } from './command-line-io.js';
import { commandLineVerification } from './command-line-verification.js';
import { createAppContainer } from './container.js';
import { decisionsCommands } from './decisions-commands.js';
import { type BundleWorld, exportEndorsements, importEndorsements } from './endorsement-bundles.js';
import { FileWatch } from './file-watch.js';
import { gateCommands } from './gate-command.js';
import { guestCommands, warnOnStderr } from './guest-commands.js';
import { openAccessWarning } from './load-warnings.js';
import { ManagementPortError } from './open-management.js';
import { policyCommands } from './policy-commands.js';
import { replayCommands } from './replay-commands.js';
import { REPORT_FILES, reportOf } from './report-files.js';
import { type RunningService, startService, type World } from './service.js';
import { StopSignals } from './stop-signals.js';
import { productVersion, SYSTEM_CLOCK } from './system.js';

/**
 * Runs the `veritee` command and returns its exit code.
 * @param signals of the service, where somebody listens for them already
 * @param others commands in the place of those of the product, for another world
 */
export async function runCommandLine(
  args: readonly string[],
  signals: StopSignals | null,
  others: Partial<Actions> = {},
): Promise<number> {
  const complain = (text: string) => void process.stderr.write(text);
  endWhereOutputIsLost(complain);
  return runProgram(
    args,
    await productVersion(),
    { ...ACTIONS, serve: (options) => serve(options, signals), ...others },
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
  ...guestCommands(),
  ...policyCommands,
  ...decisionsCommands,
  ...replayCommands(),
  ...gateCommands,
  verify: async (file, options) => {
    const configuration = await configurationOf(options);
    const input = await verifyInput(file, options.vek);
    const output = outputOf(options);
    const notes = new Notes();
    const log = output.asTable ? notes : commandLineLog();
    const verification = await commandLineVerification(configuration, options.policy ?? null, log);
    try {
      const overrides = { policies: verification.policies, nonce: options.nonce ?? null, at: options.at ?? null };
      const { eventLogBytes } = configuration.limits;
      const parts = {
        verifyEvidence: verification.verifyEvidence,
        raw: rawInspections(eventLogBytes),
        limits: requestLimits(eventLogBytes),
      };
      return await verifyCommand(input, overrides, parts, output, detailOf(options));
    } finally {
      await verification.close();
      notes.release((text) => process.stderr.write(text));
    }
  },
  inspect: async (file, options) => {
    const { eventLogBytes } = (await configurationOf(options)).limits;
    if (options.compare !== undefined) return compare(options.compare, file, options, eventLogBytes);
    refuseTwice('--pcrs', file, options.pcrs);
    const input = await readInput(file, INSPECTED_FILE);
    const inspections = {
      evidence: new InspectEvidence(eventLogBytes),
      raw: rawInspections(eventLogBytes),
      limits: requestLimits(eventLogBytes),
    };
    const pcrs = options.pcrs === undefined ? null : await readInput(options.pcrs, PCRS_FILE);
    return inspectCommand(input, pcrs, inspections, outputOf(options));
  },
  config: async (options) => {
    write(`${JSON.stringify(maskSecrets(await configurationOf(options)), null, 2)}\n`);
    return EXIT_CODE.allow;
  },
  check: async (options) => {
    const input = { file: options.config ?? null, environment: process.env, clock: SYSTEM_CLOCK };
    return checkCommand(await checkConfiguration(input), outputOf(options));
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

/** A body, or raw files of a guest, which their content tells apart: a person named them (decision 0028). */
async function verifyInput(path: string, vek: string | undefined): Promise<NamedInput> {
  const recognition = { ...RAW_RECOGNISER, warn: warnOnStderr };
  const status = path === '-' ? null : await stat(path).catch(() => null);
  if (status?.isDirectory() !== true) {
    refuseTwice('--vek', path, vek);
    const certificate = vek === undefined ? null : await readInput(vek, 'a VCEK or VLEK, DER or PEM');
    return bodyOfFile(await readInput(path, VERIFIED_FILE), certificate, recognition);
  }
  if (vek !== undefined) throw new UsageError(['--vek: goes with a report; put the file into the folder instead']);
  return bodyOfFolder(path, recognition);
}

function detailOf({ explain = false, explainAll = false }: VerifyOptions): VerifyDetail {
  if (explainAll) return 'everything';
  return explain ? 'explanation' : 'checks';
}

async function serve(options: Parameters<Actions['serve']>[0], early: StopSignals | null): Promise<number> {
  const signals = early ?? new StopSignals();
  // The service is there by the time that something has changed.
  const watch = new FileWatch({ onChange: () => void service.reload() });
  const readConfiguration = async () => {
    if (options.config !== undefined) await watch.note(options.config);
    return configurationOf(options);
  };
  const configuration = await readConfiguration();
  const log = createLog(configuration.log.level);
  const service = await start(configuration, { log, readConfiguration, readBytes: watch.readBytes });
  watch.watch();
  if (Object.keys(configuration.callers).length === 0) sayWhoIsLetIn(configuration, log);
  const { url, managementUrl } = service;
  const management = managementUrl === null ? {} : { management: managementUrl };
  const line = { level: 'info', time: SYSTEM_CLOCK.now().toISOString(), msg: 'listening', url, ...management };
  // Whatever the log level: scripts wait for this line.
  write(`${JSON.stringify(line)}\n`);
  const close = async () => {
    // What changes from now on is for the next start.
    await watch.close();
    await service.close();
  };
  await signals.serve({ reload: () => service.reload(), close }, log);
  return EXIT_CODE.allow;
}

/** @throws {UsageError} where a port cannot be opened */
async function start(configuration: Configuration, world: World): Promise<RunningService> {
  try {
    return await startService(configuration, world);
  } catch (error) {
    const problem = listenProblem(error, configuration.listen);
    throw problem === null ? error : new UsageError([problem], { cause: error });
  }
}

function sayWhoIsLetIn(configuration: Configuration, log: Log): void {
  const open = openAccessWarning(configuration);
  if (open === null) log.info({}, 'no callers are configured: anyone on this machine may verify, and no one else');
  else log.warn({}, open.what);
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

async function compare(before: string, after: string, options: InspectOptions, eventLogBytes: number): Promise<number> {
  if (options.pcrs !== undefined) throw new UsageError(['--pcrs and --compare do not go together: leave one out']);
  refuseTwice('--compare', before, after);
  const [old, young] = [await readInput(before, INSPECTED_FILE), await readInput(after, INSPECTED_FILE)];
  const comparisons = {
    boots: bootComparisons(eventLogBytes),
    raw: rawInspections(eventLogBytes),
    limits: requestLimits(eventLogBytes),
  };
  return compareCommand(old, young, comparisons, outputOf(options));
}

/** @throws {UsageError} where both files are standard input, which can be read once */
function refuseTwice(option: string, file: string, other: string | undefined): void {
  if (file !== '-' || other !== '-') return;
  throw new UsageError([`${option}: standard input is one file, and two are due`]);
}

const VERIFIED_FILE = 'a file with a /verify body or raw evidence, a folder of raw files, or - for standard input';
const INSPECTED_FILE = 'a file with evidence, a /verify body or a single structure, or - for standard input';
const PCRS_FILE = 'the SHA-256 values of PCR 0 to 23 as 768 bytes, or values of registers in JSON';

/** Why a port could not be opened, in words and with the key to change; null for any other error. */
function listenProblem(error: unknown, listen: ListenConfiguration): string | null {
  if (!(error instanceof ManagementPortError)) return portProblem(error, 'listen', listen);
  return listen.management === null ? null : portProblem(error.cause, 'listen.management', listen.management);
}

/** @param key of the configuration in which host and port are */
function portProblem(
  error: unknown,
  key: 'listen' | 'listen.management',
  { host, port }: Pick<ListenConfiguration, 'host' | 'port'>,
): string | null {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) return null;
  if (!['listen', 'getaddrinfo'].includes(String(error.syscall))) return null;
  const variable = `VERITEE__${key.toUpperCase().replaceAll('.', '__')}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return `${key}.port: port ${port} of ${host} is in use; stop the process that uses it, or choose another port (${variable}__PORT; 0 picks a free one)`;
    case 'EACCES':
      return `${key}.port: the user of this process may not open port ${port}; choose one from 1024 on (${variable}__PORT)`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${key}.host: ${host} is not an address of this machine; 127.0.0.1 and 0.0.0.0 always are (${variable}__HOST)`;
    default:
      return `${key}: port ${port} of ${host} cannot be opened (${String(error.code)})`;
  }
}
