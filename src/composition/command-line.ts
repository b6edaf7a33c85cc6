import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { EXIT_CODE } from '../cli/exit-code.js';
import { inspectCommand } from '../cli/inspect-command.js';
import type { Output } from '../cli/output.js';
import { printable } from '../cli/printable.js';
import { type Actions, runProgram, type VerifyOptions } from '../cli/program.js';
import { verifyCommand } from '../cli/verify-command.js';
import type { Configuration } from '../config/configuration.js';
import { loadConfiguration } from '../config/load-configuration.js';
import { maskSecrets } from '../config/mask-secrets.js';
import { readConfigurationFile } from '../config/read-configuration-file.js';
import { createLog } from '../http/log.js';
import type { Log } from '../model/ports.js';
import { InspectEvidence } from '../service/inspect-evidence.js';
import { commandLineVerification } from './command-line-verification.js';
import { createAppContainer } from './container.js';
import { type BundleWorld, exportEndorsements, importEndorsements } from './endorsement-bundles.js';
import { startService } from './service.js';
import { serveUntilStopped } from './stop-signals.js';
import { SYSTEM_CLOCK } from './system.js';
import { TOKENS } from './tokens.js';
import { productVersion } from './version.js';

/** Runs the `veritee` command and returns its exit code. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const complain = (text: string) => void process.stderr.write(text);
  return runProgram(args, await productVersion(), ACTIONS, complain);
}

const ACTIONS: Actions = {
  serve: async (options) => {
    const configuration = await configurationOf(options);
    const log = createLog(configuration.log.level);
    const service = await startService(configuration, { log, readConfiguration: () => configurationOf(options) });
    if (Object.keys(configuration.callers).length === 0) sayWhoIsLetIn(configuration, log);
    // Before anybody is told of the service: who is may stop it at once.
    const stopped = serveUntilStopped(service, log);
    // Whatever the log level: scripts wait for this line.
    write(
      `${JSON.stringify({ level: 'info', time: SYSTEM_CLOCK.now().toISOString(), msg: 'listening', url: service.url })}\n`,
    );
    await stopped;
    return EXIT_CODE.allow;
  },
  verify: async (file, options) => {
    const configuration = await configurationOf(options);
    const verification = await commandLineVerification(configuration, options.policy ?? null, commandLineLog());
    try {
      const overrides = { policies: verification.policies, nonce: options.nonce ?? null, at: options.at ?? null };
      return await verifyCommand(await readInput(file), overrides, verification.verifyEvidence, outputOf(options));
    } finally {
      await verification.close();
    }
  },
  inspect: async (file, options) => {
    const { limits } = await configurationOf(options);
    return inspectCommand(await readInput(file), new InspectEvidence(limits.eventLogBytes), outputOf(options));
  },
  config: async (options) => {
    write(`${JSON.stringify(maskSecrets(await configurationOf(options)), null, 2)}\n`);
    return EXIT_CODE.allow;
  },
  exportEndorsements: async (folder, options) => {
    const reports = await Promise.all(options.report.map(async (name) => ({ name, bytes: await readInput(name) })));
    return exportEndorsements(folder, reports, await configurationOf(options), world());
  },
  importEndorsements: async (folder, options) => importEndorsements(folder, await configurationOf(options), world()),
  checkWiring: async () => {
    const container = createAppContainer(await configurationOf({}));
    container.resolve(TOKENS.evidenceVerifiers);
    container.resolve(TOKENS.inspectEvidence);
    return EXIT_CODE.allow;
  },
};

function sayWhoIsLetIn({ listen }: Configuration, log: Log): void {
  if (listen.insecure) {
    log.warn({}, 'no callers are configured, and listen.insecure is set: everybody who can connect may verify');
  } else log.info({}, 'no callers are configured: everybody on this machine may verify, nobody else');
}

async function configurationOf({ config }: { readonly config?: string }): Promise<Configuration> {
  const text = config === undefined ? null : await readConfigurationFile(config);
  return loadConfiguration({ text, file: config, environment: process.env });
}

async function readInput(file: string): Promise<Uint8Array> {
  return file === '-' ? buffer(process.stdin) : readFile(file);
}

function outputOf(options: Pick<VerifyOptions, 'json'>): Output {
  return { asTable: process.stdout.isTTY === true && options.json !== true, write };
}

function write(text: string): void {
  process.stdout.write(text);
}

/** A line for people. Names of files come from whoever made the folder. */
function writeLine(line: string): void {
  write(`${printable(line)}\n`);
}

function world(): BundleWorld {
  return { clock: SYSTEM_CLOCK, log: commandLineLog(), inBackground: false, writeLine };
}

/** Standard output belongs to the answer. */
function commandLineLog(): Log {
  return createLog('warn', process.stderr);
}
