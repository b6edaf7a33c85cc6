import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CommandLine, type Ended } from '../integration/cli/command-line.js';
import { runInProcess } from '../integration/cli/command-line-in-process.js';
import type { CommandAction } from './mistake.js';

/** Commands that handle signals or start programs. All others run in the process of the test. */
const IN_A_PROCESS: readonly unknown[] = ['serve', 'collect', 'gate'];

/** Runs the command in a new folder that holds the files of the action and nothing else. */
export async function runCommand({ args, files = {}, environment = {}, input = '' }: CommandAction): Promise<Ended> {
  const cli = await CommandLine.create();
  try {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(content === null ? cli.path(name) : dirname(cli.path(name)), { recursive: true });
      if (content !== null) await cli.write(name, content);
    }
    if (IN_A_PROCESS.includes(args[0])) return await cli.run(args, input, environment);
    return await runInProcess(cli, args, { input, environment });
  } finally {
    await cli.close();
  }
}
