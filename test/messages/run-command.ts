import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CommandLine, type Ended } from '../integration/cli/command-line.js';
import type { CommandAction } from './mistake.js';

/** Runs the command in a new folder that holds the files of the action and nothing else. */
export async function runCommand({ args, files = {}, environment = {}, input = '' }: CommandAction): Promise<Ended> {
  const cli = await CommandLine.create();
  try {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(content === null ? cli.path(name) : dirname(cli.path(name)), { recursive: true });
      if (content !== null) await cli.write(name, content);
    }
    return await cli.run(args, input, environment);
  } finally {
    await cli.close();
  }
}
