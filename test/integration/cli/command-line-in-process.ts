import { Readable } from 'node:stream';
import { vi } from 'vitest';
import { runCommandLine } from '../../../src/app/commands/command-line.js';
import type { Actions } from '../../../src/cli/program.js';
import type { CommandLine, Ended } from './command-line.js';

interface Surroundings {
  readonly input?: string | Uint8Array;
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether standard output is a terminal, which it never is of a process that a test starts. */
  readonly onTerminal?: boolean;
  /** Actions in the place of those of the product. */
  readonly actions?: Partial<Actions>;
}

/**
 * Runs the `veritee` command in the process of the test, where coverage sees it and nothing has to start. Paths are relative
 * to the folder of the command line, as for a process of its own. Not for commands that wait for a signal.
 * It changes the folder, environment and streams of the process: a worker of the runner runs one file and one test at a time.
 */
export async function runInProcess(
  { folder }: Pick<CommandLine, 'folder'>,
  args: readonly string[],
  { input = '', environment = {}, onTerminal = false, actions = {} }: Surroundings = {},
): Promise<Ended> {
  const [stdout, stderr] = [new Recorded(process.stdout), new Recorded(process.stderr)];
  // The service must not handle signals that are meant for the test runner.
  const listened = args[0] === 'serve' ? vi.spyOn(process, 'on').mockReturnThis() : null;
  const stdin = vi
    .spyOn(process, 'stdin', 'get')
    .mockReturnValue(Readable.from([Buffer.from(input)]) as typeof process.stdin);
  const { env, stdout: terminal } = process;
  const [before, { PATH = '', HOME = '' }, { isTTY }] = [process.cwd(), env, terminal];
  try {
    process.chdir(folder);
    process.env = { PATH, HOME, ...environment };
    terminal.isTTY = onTerminal;
    const exitCode = await runCommandLine(args, null, actions);
    return { exitCode, stdout: stdout.text, stderr: stderr.text };
  } finally {
    terminal.isTTY = isTTY;
    process.env = env;
    process.chdir(before);
    stdin.mockRestore();
    listened?.mockRestore();
    stdout.restore();
    stderr.restore();
  }
}

/** The writes to a stream, which are kept from it. */
class Recorded {
  text = '';
  readonly #spies: readonly { mockRestore(): void }[];

  constructor(stream: NodeJS.WriteStream) {
    const write = vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      this.text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
      return true;
    });
    // The command listens for lost output until its process ends, which this one does not.
    this.#spies = [write, vi.spyOn(stream, 'on').mockReturnThis()];
  }

  restore(): void {
    for (const spy of this.#spies) spy.mockRestore();
  }
}
