import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { inject } from 'vitest';

/** The result of a command. */
export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The `veritee` command, run in a folder of its own, where it finds no configuration, policies or data. */
export class CommandLine {
  readonly folder: string;
  readonly #entry: string;
  readonly #children = new Set<ChildProcess>();

  private constructor(folder: string, entry: string) {
    this.folder = folder;
    this.#entry = entry;
  }

  /** @throws {Error} if the project does not compile: the last build would be another version */
  static async create(): Promise<CommandLine> {
    const entry = inject('entry');
    if ('problem' in entry) throw new Error(entry.problem);
    return new CommandLine(await mkdtemp(join(tmpdir(), 'veritee-cli-')), entry.path);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  async write(name: string, content: string | Uint8Array): Promise<string> {
    await writeFile(this.path(name), content);
    return this.path(name);
  }

  /** Starts a command; its output is read by the caller. */
  start(
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    output: 'pipe' | number = 'pipe',
  ): ChildProcess {
    const { PATH = '', HOME = '' } = process.env;
    const child = spawn(process.execPath, [this.#entry, ...args], {
      cwd: this.folder,
      env: { PATH, HOME, ...environment },
      stdio: ['pipe', output, 'pipe'],
    });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }

  /** Runs a command to its end. */
  async run(
    args: readonly string[],
    input: string | Uint8Array = '',
    environment: Readonly<Record<string, string>> = {},
  ): Promise<Ended> {
    const child = this.start(args, environment);
    if (child.stdout === null || child.stderr === null) throw new Error('the command has no output');
    child.stdin?.on('error', () => {}).end(input);
    const [stdout, stderr, [exitCode]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit'),
    ]);
    return { exitCode, stdout, stderr };
  }

  /** Runs a command whose standard output goes to a file that is there. */
  async runInto(file: string, args: readonly string[]): Promise<Omit<Ended, 'stdout'>> {
    const output = await open(file, 'w');
    try {
      const child = this.start(args, {}, output.fd);
      if (child.stderr === null) throw new Error('the command has no output');
      const [stderr, [exitCode]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
      return { exitCode, stderr };
    } finally {
      await output.close();
    }
  }

  async close(): Promise<void> {
    for (const child of this.#children) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}
