import { gateCommand } from '../../cli/gate-command.js';
import type { GateActions } from '../../cli/gate-options.js';
import { SYSTEM_CLOCK } from '../system.js';
import { outputOf, readInput } from './command-line-io.js';
import { untilSignal } from './until-signal.js';

/**
 * Runs the gate on this machine. A signal before the start of the command ends the gate. A later signal is passed on to
 * the command.
 */
export const gateCommands: GateActions = {
  gate: (command, options) =>
    untilSignal(
      (signal) =>
        gateCommand(
          command,
          options,
          {
            environment: process.env,
            clock: SYSTEM_CLOCK.now,
            monotonicMs: SYSTEM_CLOCK.monotonicMs,
            fetch,
            readInput,
            signal,
          },
          { ...outputOf(options), complain },
        ),
      (signal) => complain(`${signal}: the gate was ended, and nothing was let through\n`),
    ),
};

/** Writes a line for people. The text is already free of terminal control characters. */
function complain(text: string): void {
  process.stderr.write(text);
}
