import type { Command } from 'commander';
import { refuseUnknownCommand } from './command-help.js';

/** Options shared by several commands. */
export const CONFIG = ['--config <file>', 'configuration file (YAML)'] as const;
export const JSON_TOO = ['--json', 'write JSON on a terminal too'] as const;

/** Makes the handler of a command, which runs the action of this name. The actions are loaded when a command is called. */
export type Handlers<T> = (name: keyof T) => (...given: readonly unknown[]) => Promise<void>;

/** Adds a command that only has subcommands. */
export function addGroup(above: Command, name: string, description: string): Command {
  const group = above
    .command(name)
    .description(description)
    .allowExcessArguments()
    .action(() => {
      refuseUnknownCommand(group);
      group.help({ error: true });
    });
  return group;
}
