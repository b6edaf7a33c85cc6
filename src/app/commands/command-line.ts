import { EXIT_CODE } from '../../cli/output.js';
import { type Actions, runProgram, type ServiceActions } from '../../cli/program.js';
import { outputProblem } from '../../core/file-problem.js';
import type { StopSignals } from '../reload/stop-signals.js';
import { productVersion, SYSTEM_CLOCK } from '../system.js';

/**
 * Runs the `veritee` command and returns its exit code.
 * @param signals of the service, if the process already listens for them
 * @param others actions that replace those of the product, for a lab
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
    { ...COMMANDS, service: async () => serviceCommands(signals), ...others },
    complain,
  );
}

/**
 * Handles a full disk, or a reader that has closed the pipe. A decision that could not be written must not end as an
 * allow.
 */
function endWhereOutputIsLost(complain: (text: string) => void): void {
  process.stdout.on('error', (error) => {
    complain(`standard output: ${outputProblem(error)}\n`);
    process.exit(EXIT_CODE.indeterminate);
  });
  // No output is left for a report.
  process.stderr.on('error', () => {});
}

/**
 * Each command loads its modules when it is called. `veritee --version` and a script's `veritee inspect` load nothing
 * else.
 */
const COMMANDS: Omit<Actions, 'service'> = {
  evidence: async () => (await import('./evidence-commands.js')).evidenceCommands,
  guest: async () => (await import('./guest-commands.js')).guestCommands(),
  policies: async () => (await import('./policy-commands.js')).policyCommands,
  endorsements: async () => (await import('./endorsement-commands.js')).endorsementCommands,
  decisions: async () => (await import('./decisions-commands.js')).decisionsCommands,
  replays: async () => (await import('./replay-commands.js')).replayCommands(),
  stores: async () => (await import('./stores-commands.js')).storesCommands,
  gate: async () => (await import('./gate-command.js')).gateCommands,
};

/** The modules are loaded one by one, since each of these commands needs others. */
const serviceCommands = (signals: StopSignals | null): ServiceActions => ({
  serve: async (options) => (await import('./serve-command.js')).serve(options, signals),
  config: async (options) => {
    const { configurationOf, write } = await import('./command-line-io.js');
    const { maskSecrets } = await import('../../config/effective-configuration.js');
    write(`${JSON.stringify(maskSecrets(await configurationOf(options)), null, 2)}\n`);
    return EXIT_CODE.allow;
  },
  check: async (options) => {
    const { checkCommand } = await import('../../cli/check-command.js');
    const { checkConfiguration } = await import('../check/check-configuration.js');
    const { outputOf } = await import('./command-line-io.js');
    const input = { file: options.config ?? null, environment: process.env, clock: SYSTEM_CLOCK };
    return checkCommand(await checkConfiguration(input), outputOf(options));
  },
  checkWiring: async () => {
    const { configurationOf } = await import('./command-line-io.js');
    const { createContainer } = await import('../container.js');
    const app = createContainer({ configuration: await configurationOf({}) });
    void [app.verifiers, app.inspectEvidence];
    return EXIT_CODE.allow;
  },
});
