import { EXIT_CODE } from '../../cli/output.js';
import { type Actions, runProgram } from '../../cli/program.js';
import { outputProblem } from '../../core/file-problem.js';
import type { StopSignals } from '../reload/stop-signals.js';
import { productVersion, SYSTEM_CLOCK } from '../system.js';

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
    { ...COMMANDS, serve: async (options) => (await import('./serve-command.js')).serve(options, signals), ...others },
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

const evidence = async () => (await import('./evidence-commands.js')).evidenceCommands;
const endorsements = async () => (await import('./endorsement-commands.js')).endorsementCommands;
const guest = async () => (await import('./guest-commands.js')).guestCommands();
const policies = async () => (await import('./policy-commands.js')).policyCommands;
const decisions = async () => (await import('./decisions-commands.js')).decisionsCommands;
const stores = async () => (await import('./stores-commands.js')).storesCommands;
const kept = async () => (await import('./replay-commands.js')).replayCommands();

/** Each command loads what it needs once it is called: `veritee --version` and a script's `veritee inspect` wait for nothing else. */
const COMMANDS: Omit<Actions, 'serve'> = {
  verify: async (...given) => (await evidence()).verify(...given),
  inspect: async (...given) => (await evidence()).inspect(...given),
  request: async (...given) => (await guest()).request(...given),
  collect: async (...given) => (await guest()).collect(...given),
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
  exportEndorsements: async (...given) => (await endorsements()).exportEndorsements(...given),
  importEndorsements: async (...given) => (await endorsements()).importEndorsements(...given),
  lintPolicies: async (...given) => (await policies()).lintPolicies(...given),
  showPolicies: async (...given) => (await policies()).showPolicies(...given),
  learnPolicy: async (...given) => (await policies()).learnPolicy(...given),
  testPolicies: async (...given) => (await policies()).testPolicies(...given),
  diffPolicies: async (...given) => (await kept()).diffPolicies(...given),
  replay: async (...given) => (await kept()).replay(...given),
  listDecisions: async (...given) => (await decisions()).listDecisions(...given),
  showDecision: async (...given) => (await decisions()).showDecision(...given),
  verifyDecisions: async (...given) => (await decisions()).verifyDecisions(...given),
  exportDecisions: async (...given) => (await decisions()).exportDecisions(...given),
  backUpDecisions: async (...given) => (await decisions()).backUpDecisions(...given),
  importDecisions: async (...given) => (await decisions()).importDecisions(...given),
  pruneDecisions: async (...given) => (await decisions()).pruneDecisions(...given),
  migrateStores: async (...given) => (await stores()).migrateStores(...given),
  gate: async (...given) => (await import('./gate-command.js')).gateCommands.gate(...given),
  checkWiring: async () => {
    const { configurationOf } = await import('./command-line-io.js');
    const { createAppContainer } = await import('../container.js');
    const { TOKENS } = await import('../injection-tokens.js');
    const container = createAppContainer(await configurationOf({}));
    container.resolve(TOKENS.evidenceVerifiers);
    container.resolve(TOKENS.inspectEvidence);
    return EXIT_CODE.allow;
  },
};
