import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../integration/free-port.js';
import type { Requirement } from '../requirements.js';

const ATTEMPTS = 5;

/** In a file system where these names are this machine, and nowhere else. */
const WITH_NAMES = ['unshare', ...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']), '--mount'];

export const TINYPROXY: Requirement = {
  what: 'tinyproxy, and the right to mount (unshare)',
  command: [...WITH_NAMES, 'tinyproxy', '-v'],
};

export interface TinyproxyOptions {
  /** Names that it resolves to this machine. */
  readonly names: readonly string[];
  readonly user: string;
  readonly password: string;
  /** Ports that it opens tunnels to. */
  readonly ports: readonly number[];
}

/** Debian's tinyproxy as a process, which wants a password. */
export class Tinyproxy {
  readonly port: number;
  readonly lines: string[] = [];
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(port: number, child: ChildProcess, folder: string) {
    this.port = port;
    this.#process = child;
    this.#folder = folder;
  }

  static async start(options: TinyproxyOptions): Promise<Tinyproxy> {
    for (let attempt = 1; ; attempt++) {
      // Somebody else may take the port before the proxy does.
      const started = await Tinyproxy.#try(options, await freePort());
      if (started !== null) return started;
      if (attempt === ATTEMPTS) throw new Error('tinyproxy does not start');
    }
  }

  static async #try({ names, user, password, ports }: TinyproxyOptions, port: number): Promise<Tinyproxy | null> {
    const folder = await mkdtemp(join(tmpdir(), 'veritee-tinyproxy-'));
    const [hosts, configuration] = [join(folder, 'hosts'), join(folder, 'tinyproxy.conf')];
    await writeFile(hosts, names.map((name) => `127.0.0.1 ${name}\n`).join(''));
    const own = [`Port ${port}`, 'Listen 127.0.0.1', 'Allow 127.0.0.1', `BasicAuth ${user} ${password}`];
    await writeFile(configuration, [...own, ...ports.map((each) => `ConnectPort ${each}`), ''].join('\n'));
    const script = 'mount --bind "$0" /etc/hosts; exec tinyproxy -d -c "$1"';
    const [program = '', ...args] = [...WITH_NAMES, 'sh', '-ec', script, hosts, configuration];
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    const proxy = new Tinyproxy(port, child, folder);
    const ready = new Promise<boolean>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        proxy.lines.push(line);
        if (line.includes('Accepting connections')) resolve(true);
      });
    });
    if (await Promise.race([ready, once(child, 'exit').then(() => false)])) return proxy;
    await rm(folder, { recursive: true, force: true });
    return null;
  }

  async close(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exited = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await exited;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}
