import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { isLacking } from '../../requirements.js';

/** Whether a suite over real servers has to be left out. */
export function isWithoutValkey(suite: string): boolean {
  return isLacking(suite, [{ what: 'valkey-server', command: ['valkey-server', '--version'] }]);
}

const HOST = '127.0.0.1';
const ATTEMPTS = 5;

type Kind = 'server' | 'sentinel';

/** Kills a process as soon as nobody holds its input any more: a server must not outlive a test that was broken off. */
const GUARD = 'cat >/dev/null; kill -9 "$0"';

/** A server of Valkey, or a Sentinel, in a process and a folder of its own. */
export class Valkey {
  readonly port: number;
  readonly #folder: string;
  readonly #kind: Kind;
  readonly #settings: readonly string[];
  #process: ChildProcess | null = null;
  #admin: Redis | null = null;

  private constructor(kind: Kind, port: number, folder: string, settings: readonly string[]) {
    this.#kind = kind;
    this.port = port;
    this.#folder = folder;
    this.#settings = settings;
  }

  /** @param settings lines of its configuration, beside those that every server of these tests has */
  static async start(...settings: readonly string[]): Promise<Valkey> {
    return Valkey.#start('server', settings);
  }

  /** @param settings lines of its configuration; `sentinel monitor` is one of them */
  static async startSentinel(...settings: readonly string[]): Promise<Valkey> {
    return Valkey.#start('sentinel', settings);
  }

  static async #start(kind: Kind, settings: readonly string[]): Promise<Valkey> {
    const folder = await mkdtemp(join(tmpdir(), 'veritee-valkey-'));
    for (let attempt = 1; ; attempt++) {
      // Somebody else may take the port before the server does.
      const valkey = new Valkey(kind, await freePort(), folder, settings);
      try {
        await valkey.run();
        return valkey;
      } catch (error) {
        if (attempt < ATTEMPTS) continue;
        await rm(folder, { recursive: true, force: true });
        throw error;
      }
    }
  }

  get url(): string {
    return `redis://${HOST}:${this.port}`;
  }

  get pid(): number {
    if (this.#process?.pid === undefined) throw new Error('the server does not run');
    return this.#process.pid;
  }

  /** Everything that it has on the disk: its append-only files, and snapshots. */
  async filesText(): Promise<string> {
    const found = await readdir(this.#folder, { recursive: true, withFileTypes: true });
    const files = found.filter((each) => each.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    return (await Promise.all(files.map((file) => readFile(file, 'latin1')))).join('\n');
  }

  /** Starts the process with what is in its folder, and waits until it answers. */
  async run(): Promise<void> {
    const configuration = join(this.#folder, 'valkey.conf');
    const own = [`port ${this.port}`, `bind ${HOST}`, `dir ${this.#folder}`, 'save ""', 'repl-diskless-sync-delay 0'];
    await writeFile(configuration, [...own, ...this.#settings, ''].join('\n'));
    const args = [configuration, ...(this.#kind === 'sentinel' ? ['--sentinel'] : [])];
    const child = spawn('valkey-server', args, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#process = child;
    const guard = spawn('sh', ['-c', GUARD, String(child.pid)], { stdio: ['pipe', 'ignore', 'ignore'] });
    child.once('exit', () => {
      guard.kill('SIGKILL');
      guard.stdin.destroy();
    });
    const said: string[] = [];
    const ready = new Promise<void>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        said.push(line);
        if (/Ready to accept connections|Sentinel ID is/.test(line)) resolve();
      });
    });
    const died = once(child, 'exit').then(() => Promise.reject(new Error(`no server: ${said.slice(-3).join('; ')}`)));
    died.catch(() => undefined);
    await Promise.race([ready, died]);
  }

  /** Sends a command, over a connection of the test's own. */
  async command(name: string, ...args: readonly (string | number)[]): Promise<unknown> {
    this.#admin ??= new Redis({ host: HOST, port: this.port, retryStrategy: () => 50 }).on('error', () => undefined);
    return this.#admin.call(name, [...args]);
  }

  /** A value of INFO. */
  async info(name: string): Promise<string | undefined> {
    const lines = String(await this.command('info')).split('\r\n');
    return lines.find((line) => line.startsWith(`${name}:`))?.slice(name.length + 1);
  }

  /** Stops the process as it is: it answers nothing, and its connections stay open. */
  pause(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** Ends the process at once, as the loss of power would. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Copies what it has on the disk now. @returns puts that back, once the process has ended */
  async copyOfFiles(): Promise<() => Promise<void>> {
    const copy = await mkdtemp(join(this.#folder, '.copy-'));
    const files = 'appendonlydir';
    await cp(join(this.#folder, files), copy, { recursive: true });
    return async () => {
      await rm(join(this.#folder, files), { recursive: true });
      await cp(copy, join(this.#folder, files), { recursive: true });
    };
  }

  async close(): Promise<void> {
    this.#admin?.disconnect();
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
