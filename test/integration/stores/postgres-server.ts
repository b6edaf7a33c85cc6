import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { appendFile, chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { isLacking } from '../../requirements.js';
import { freePort } from '../free-port.js';

const execute = promisify(execFile);

/** Debian puts the programs of a server outside of the path. */
const PACKAGES = '/usr/lib/postgresql';
const HOST = '127.0.0.1';
const ATTEMPTS = 5;

/** The superuser, and owner of every database of these tests. */
const OWNER = 'veritee';

/** Ends a server as soon as nobody holds its input any more, so that it does not outlive a test that was broken off. */
const GUARD = 'cat >/dev/null; kill -QUIT "$0"; while kill -0 "$0" 2>/dev/null; do sleep 0.1; done; rm -rf "$1"';

/** Lines of the configuration. Durability is that of production, since the service refuses less. */
const DEFAULTS: Readonly<Record<string, string>> = {
  listen_addresses: HOST,
  shared_buffers: '16MB',
  max_connections: '100',
  max_wal_senders: '4',
  wal_keep_size: '64MB',
  autovacuum: 'off',
  log_checkpoints: 'off',
};

export interface ServerOptions {
  /** Lines of the configuration, by name. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Replaces pg_hba.conf; by default everybody on this machine is trusted. */
  readonly hba?: readonly string[];
  /** The size that no file of it may exceed, as on a disk that is full: blocks of 512 bytes, a segment of WAL has 2048. */
  readonly fileBlocks?: number;
}

/** Whether a suite over real servers has to be left out. */
export function isWithoutPostgres(suite: string): boolean {
  return isLacking(suite, [{ what: 'postgres', command: [program('postgres'), '--version'] }]);
}

/** A server of PostgreSQL, in a folder of its own. */
export class PostgresServer {
  readonly host = HOST;
  readonly user = OWNER;
  readonly database = OWNER;
  readonly port: number;
  readonly #folder: string;
  readonly #options: ServerOptions;
  /** The latest lines of its log. */
  #lines: string[] = [];
  #process: ChildProcess | null = null;

  private constructor(folder: string, port: number, options: ServerOptions) {
    this.#folder = folder;
    this.port = port;
    this.#options = options;
  }

  /** Starts a server with an empty database. */
  static async start(options: ServerOptions = {}): Promise<PostgresServer> {
    const server = await PostgresServer.#make(async (folder) => {
      await run('cp', ['-a', await template(), join(folder, 'data')], folder);
    }, options);
    await server.sql(`CREATE DATABASE ${OWNER}`, 'postgres');
    return server;
  }

  /** Starts a standby of this server, which streams from it under the name `standby`. */
  standby(options: ServerOptions = {}): Promise<PostgresServer> {
    const from = `host=${this.host} port=${this.port} user=${OWNER} application_name=standby`;
    return PostgresServer.#make(async (folder) => {
      const args = ['-D', join(folder, 'data'), '-d', from, '-R', '-X', 'stream', '-c', 'fast', '--no-sync'];
      await run(program('pg_basebackup'), args, folder);
    }, options);
  }

  static async #make(fill: (folder: string) => Promise<void>, options: ServerOptions): Promise<PostgresServer> {
    const folder = await newFolder();
    try {
      await fill(folder);
      for (let attempt = 1; ; attempt++) {
        // Another program may take the port before the server does.
        const server = new PostgresServer(folder, await freePort(), options);
        if (options.hba !== undefined) await server.writeFile('pg_hba.conf', `${options.hba.join('\n')}\n`);
        try {
          await server.run();
          return server;
        } catch (error) {
          if (attempt === ATTEMPTS) throw error;
        }
      }
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get #data(): string {
    return join(this.#folder, 'data');
  }

  /** Folder of its Unix socket. */
  get socketFolder(): string {
    return this.#folder;
  }

  /** Process id of the postmaster. */
  get pid(): number {
    if (this.#process?.pid === undefined) throw new Error('the server does not run');
    return this.#process.pid;
  }

  /** The latest lines of its log. */
  get log(): readonly string[] {
    return this.#lines;
  }

  /** Starts the process with the files in its folder, and waits until it accepts connections. */
  async run(): Promise<void> {
    const { settings, fileBlocks } = this.#options;
    const own = { port: String(this.port), unix_socket_directories: this.#folder };
    const lines = Object.entries({ ...DEFAULTS, ...settings, ...own });
    const args = ['-D', this.#data, ...lines.flatMap(([name, value]) => ['-c', `${name}=${value}`])];
    const limit = fileBlocks === undefined ? '' : `ulimit -f ${fileBlocks};`;
    const child = spawn('sh', ['-c', `${limit} exec "$0" "$@"`, program('postgres'), ...args], {
      ...account(),
      cwd: this.#folder,
      env: cleanEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process = child;
    guard(child, this.#folder);
    this.#lines = [];
    const output = createInterface({ input: child.stderr });
    const ready = new Promise<void>((resolve) => {
      output.on('line', (line) => {
        this.#lines = [...this.#lines.slice(-200), line];
        if (line.includes('ready to accept')) resolve();
      });
    });
    const died = once(child, 'exit').then(() => {
      throw new Error(`PostgreSQL did not start: ${this.#lines.slice(-5).join('; ')}`);
    });
    died.catch(() => undefined);
    await Promise.race([ready, died]);
  }

  /** Stops the process: `fast` ends connections in order, `immediate` leaves the rest to the recovery of the next start. */
  async stop(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await exited;
  }

  async restart(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.stop(mode);
    await this.run();
  }

  /** Makes a standby a primary. Returns once it accepts writes. */
  async promote(): Promise<void> {
    await this.sql('SELECT pg_promote()');
  }

  /** Runs statements with psql, over a connection of their own. @returns rows a line, columns split by `|` */
  async sql(text: string, database: string = OWNER, user: string = OWNER): Promise<string> {
    const args = [...this.#target(database, user), '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-c', text];
    return (await run(program('psql'), args, this.#folder)).trim();
  }

  /** Makes another database. @param like the database that it is a copy of; nobody may be connected to that one */
  async newDatabase(like = 'template1'): Promise<string> {
    const name = `d${randomUUID().replaceAll('-', '')}`;
    await this.sql(`CREATE DATABASE ${name} TEMPLATE ${like}`, 'postgres');
    return name;
  }

  /** Dumps a database. @param args of pg_dump @returns the SQL of the dump */
  dump(database: string = OWNER, args: readonly string[] = []): Promise<string> {
    return run(program('pg_dump'), [...this.#target(database, OWNER), ...args], this.#folder);
  }

  /** Runs a dump in a database. */
  async restore(dump: string, database: string = OWNER): Promise<void> {
    const file = join(this.#folder, `${randomUUID()}.sql`);
    await writeFile(file, dump);
    const args = [...this.#target(database, OWNER), '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', file];
    await run(program('psql'), args, this.#folder);
    await rm(file);
  }

  /** Copies the files of a server that is stopped. @returns puts them back, once it is stopped again */
  async copyOfFiles(): Promise<() => Promise<void>> {
    const copy = join(this.#folder, `copy-${randomUUID()}`);
    await run('cp', ['-a', this.#data, copy], this.#folder);
    return async () => {
      await rm(this.#data, { recursive: true });
      await run('cp', ['-a', copy, this.#data], this.#folder);
    };
  }

  /** Writes a file into its data folder, such as a key. @returns its path */
  async writeFile(name: string, content: string): Promise<string> {
    const path = join(this.#data, name);
    await writeFile(path, content);
    await chmod(path, 0o600);
    await own(path);
    return path;
  }

  /** Sets lines of the configuration, from the next start on, or at once with `pg_reload_conf()`. */
  async configure(settings: Readonly<Record<string, string>>): Promise<void> {
    const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'\n`);
    await appendFile(join(this.#data, 'postgresql.conf'), lines.join(''));
  }

  /** Stops a process of the server as it is, and lets it go on: its backend type is as `pg_stat_activity` has it. */
  async pause(backendType: string): Promise<() => void> {
    const pids = await this.sql(`SELECT pid FROM pg_stat_activity WHERE backend_type = '${backendType}'`);
    const found = pids.split('\n').filter(Boolean).map(Number);
    if (found.length === 0) throw new Error(`the server has no ${backendType}`);
    for (const pid of found) process.kill(pid, 'SIGSTOP');
    return () => {
      for (const pid of found) process.kill(pid, 'SIGCONT');
    };
  }

  /** Ends the server at once and removes its files. */
  async close(): Promise<void> {
    await this.stop('immediate');
    await rm(this.#folder, { recursive: true, force: true });
  }

  #target(database: string, user: string): readonly string[] {
    return ['-h', this.#folder, '-p', String(this.port), '-U', user, '-d', database];
  }
}

let files: Promise<string> | null = null;

/** Data folder of an empty server, made once a process. */
function template(): Promise<string> {
  files ??= makeTemplate();
  return files;
}

async function makeTemplate(): Promise<string> {
  const folder = await newFolder();
  removeAtExit(folder);
  const data = join(folder, 'data');
  const args = ['-D', data, '-U', OWNER, '-A', 'trust', '-E', 'UTF8', '--locale=C', '--wal-segsize=1', '--no-sync'];
  await run(program('initdb'), args, folder);
  return data;
}

/** Removes a folder as soon as this process ends, however it ends. */
function removeAtExit(folder: string): void {
  const child = spawn('sh', ['-c', 'cat >/dev/null; rm -rf "$0"', folder], { stdio: ['pipe', 'ignore', 'ignore'] });
  child.unref();
  (child.stdin as Socket).unref();
}

/** A folder that the account of the server owns. */
async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'veritee-postgres-'));
  await own(folder);
  return folder;
}

async function own(path: string): Promise<void> {
  const { uid, gid } = account();
  if (uid !== undefined && gid !== undefined) await chown(path, uid, gid);
}

/** The account for the programs of the server, which refuse to run as root: that of the package. */
function account(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const accounts = readFileSync('/etc/passwd', 'utf8').split('\n');
  const [, , uid, gid] = accounts.find((line) => line.startsWith('postgres:'))?.split(':') ?? [];
  if (uid === undefined || gid === undefined) throw new Error('PostgreSQL does not run as root: add a user "postgres"');
  return { uid: Number(uid), gid: Number(gid) };
}

/** Path of a program of the newest server that is installed, or its name, for the path. */
function program(name: string): string {
  let versions: readonly string[] = [];
  try {
    versions = readdirSync(PACKAGES);
  } catch {
    // It is not installed as a package of Debian.
  }
  const [newest] = [...versions].sort((one, other) => Number(other) - Number(one));
  return newest === undefined ? name : join(PACKAGES, newest, 'bin', name);
}

/** Runs a program to its end, under the account of the server. @returns its output */
async function run(name: string, args: readonly string[], folder: string): Promise<string> {
  const options = { ...account(), cwd: folder, env: cleanEnvironment(), maxBuffer: 256 * 1024 * 1024 };
  return (await execute(name, args, options)).stdout;
}

/** The environment without what PostgreSQL's clients read from it. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PG')));
}

function guard(server: ChildProcess, folder: string): void {
  const child = spawn('sh', ['-c', GUARD, String(server.pid), folder], { stdio: ['pipe', 'ignore', 'ignore'] });
  server.once('exit', () => {
    child.kill('SIGKILL');
    child.stdin?.destroy();
  });
}
