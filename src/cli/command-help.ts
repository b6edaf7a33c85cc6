import type { Command } from 'commander';
import { EVIDENCE_FILES } from '../collector/evidence-files.js';
import { listedNames, meantOr, quotedName } from '../core/names-in-messages.js';
import { UsageError } from './input.js';

/** Name of the command that shows help. */
const HELP = 'help';

/** Text after the help of `verify`. */
export const GATE_HELP =
  '\nA script that gates by the exit code must pass --policy and --nonce: without them those in <file> count.';

/** Text after the help of `request`. */
export const REQUEST_HELP = `
Files of the folder, recognised by content, and by these names where several kinds of content look alike:
${Object.values(EVIDENCE_FILES)
  .map(({ name, what }) => `  ${name.padEnd(18)} ${what}`)
  .join('\n')}`;

/** Text after the help of `inspect`. */
export const INSPECT_HELP = `
--pcrs reads the SHA-256 values of PCR 0 to 23 as 768 bytes, or JSON: {"sha256": {"7": "hex of 32 bytes"}}.
Of a CCEL the indices 1 to 4 are RTMR 0 to 3, under "sha384".

inspect --compare BEFORE AFTER takes event logs, quotes, reports, tokens, evidence or /verify bodies, and says what
differs between the two boots, and which PCRs (RTMRs) moved. What only one of them has is not compared. The exit code
is 0 whether anything differs or not.`;

/** Rejects a repeated option: otherwise the last one would silently count, for example of two policies. Lists may repeat. */
export function refuseRepeatedOptions(command: Command): void {
  const given = new Set<string>();
  for (const option of command.options) {
    const { long, variadic, defaultValue } = option;
    const name = option.name();
    if (variadic || Array.isArray(defaultValue)) continue;
    command.on(`option:${name}`, () => {
      if (given.has(name)) throw new UsageError([`${long} is given twice: leave one out`]);
      given.add(name);
    });
  }
}

/** The library's own help command shows the help of the whole program for an unknown name. */
export function addHelp(above: Command): void {
  above
    .helpCommand(false)
    .command(HELP)
    .description('show the help of a command')
    .argument('[command...]')
    .action((names: readonly string[]) => commandAt(above, names).help());
}

/** The command at the end of a path of names. */
function commandAt(above: Command, [name, ...below]: readonly string[]): Command {
  if (name === undefined) return above;
  const command = above.commands.find((candidate) => candidate.name() === name);
  if (command === undefined) throw unknownCommand(above, name);
  return commandAt(command, below);
}

/** @throws {UsageError} if the first argument is an unknown command */
export function refuseUnknownCommand(command: Command): void {
  const [name] = command.args;
  if (name !== undefined) throw unknownCommand(command, name);
}

/** Suggests the nearest command, else all. */
function unknownCommand({ commands }: Command, name: string): UsageError {
  const known = commands.map((command) => command.name()).filter((each) => each !== HELP);
  if (known.length === 0)
    return new UsageError([`unknown command ${quotedName(name)}: this command has no subcommands`]);
  const instead = meantOr(name, known, `there are ${listedNames(known)}`);
  return new UsageError([`unknown command ${quotedName(name)}; ${instead}`]);
}

/**
 * Adds the list of options to an error about an option without a similar one, and shows how to call the command.
 * For an unknown command, reports only that the command does not exist.
 */
export function sayWhatThereIs(command: Command): void {
  const options = command.options.map((option) => `--${option.name()}`).join(', ');
  command.configureOutput({
    outputError: (text, write) => {
      const [, option] = /^error: unknown option '-*([^'=]*)/.exec(text) ?? [];
      const isUnknown = option !== undefined;
      const [name] = command.args;
      if (isUnknown && command.commands.length > 0 && name !== undefined && !name.startsWith('-')) {
        return write(`${unknownCommand(command, name).message}\n`);
      }
      write(text);
      const meant = command.commands.find((below) => below.name() === option);
      if (meant !== undefined) return write(`(Did you mean ${commandName(meant)}?)\n`);
      if (isUnknown && !text.includes('Did you mean')) {
        write(`(${options === '' ? 'There are none' : `There are ${options}`})\n`);
      } else if (/^error: (missing required|too many) argument/.test(text)) write(`(Usage: ${usageOf(command)})\n`);
    },
  });
}

/** A command and all its subcommands. */
export function withBelow(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withBelow)];
}

function usageOf(command: Command): string {
  return `${commandName(command)} ${command.usage()}`;
}

/** The name with those of its parents. */
function commandName(command: Command): string {
  return command.parent === null ? command.name() : `${commandName(command.parent)} ${command.name()}`;
}
