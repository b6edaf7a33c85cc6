import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';

/** How long a supervisor waits after SIGTERM before it kills: `TimeoutStopSec` and `terminationGracePeriodSeconds`. */
const STOP_LIMIT_MS = 30_000;

/** How long a start may take, with a build before it. */
const START_LIMIT_MS = 90_000;

/** How long what a process has started may outlive it. */
const GROUP_LIMIT_MS = 20_000;

/** One record of the log. */
export type LogRecord = Readonly<Record<string, unknown>>;

export interface Launch {
  readonly cwd: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Opens a channel over which the process tells its memory (lab-main.mjs). */
  readonly measured?: boolean;
}

/** How a process ended. */
export interface End {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** A service as a real process, the leader of a process group of its own. */
export class ServiceProcess {
  readonly #child: ChildProcess;
  readonly #output: Interface;
  readonly #lines: string[] = [];
  readonly ended: Promise<End>;
  #url = '';
  #management: string | null = null;

  private constructor(command: readonly string[], launch: Launch) {
    const { PATH = '', HOME = '' } = process.env;
    const [program = '', ...args] = command;
    this.#child = spawn(program, args, {
      cwd: launch.cwd,
      env: { PATH, HOME, ...launch.environment },
      stdio: ['ignore', 'pipe', 'pipe', ...(launch.measured === true ? (['ipc'] as const) : [])],
      detached: true,
    });
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error('the process has no output');
    this.#output = createInterface({ input: stdout }).on('line', (line) => this.#lines.push(line));
    const said = text(stderr);
    this.ended = once(this.#child, 'close').then(async ([exitCode, signal]) => {
      return { exitCode, signal, stderr: await said };
    });
  }

  /** Starts a process, whether it is going to serve or not. */
  static launch(command: readonly string[], launch: Launch): ServiceProcess {
    return new ServiceProcess(command, launch);
  }

  /** Starts a service, and waits for the line that says where it listens. */
  static async start(command: readonly string[], launch: Launch): Promise<ServiceProcess> {
    const service = new ServiceProcess(command, launch);
    await service.#listening();
    return service;
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('the process did not start');
    return this.#child.pid;
  }

  get url(): string {
    return this.#url;
  }

  /** Where probes and metrics are, if not there. */
  get managementUrl(): string {
    if (this.#management === null) throw new Error('the service has no management listener');
    return this.#management;
  }

  get port(): number {
    return Number(new URL(this.#url).port);
  }

  async #listening(): Promise<void> {
    const line = new Promise<string>((resolve) => {
      this.#output.on('line', (text) => {
        if (text.includes('"msg":"listening"')) resolve(text);
      });
    });
    const died = this.ended.then(({ stderr }) => Promise.reject(new Error(`the service did not start: ${stderr}`)));
    const impatience = setTimeout(() => this.#killGroup(), START_LIMIT_MS);
    const told = JSON.parse(await Promise.race([line, died]).finally(() => clearTimeout(impatience)));
    this.#url = told.url;
    this.#management = told.management ?? null;
  }

  /** Records of that message so far. Other lines than those of the service, as npm writes them, are passed over. */
  logged(message: string): readonly LogRecord[] {
    const own = this.#lines.filter((line) => line.startsWith('{') && line.includes(`"msg":"${message}"`));
    return own.map((line): LogRecord => JSON.parse(line));
  }

  /** All that it wrote so far. */
  get output(): string {
    return this.#lines.join('\n');
  }

  /** To the process alone. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** To the whole group, as a terminal does it. */
  signalGroup(signal: NodeJS.Signals): void {
    process.kill(-this.pid, signal);
  }

  /** Waits for the end as a supervisor does: what takes longer than its limit is killed, and told by `signal`. */
  async end(): Promise<End> {
    const impatience = setTimeout(() => this.#killGroup(), STOP_LIMIT_MS);
    const end = await this.ended;
    clearTimeout(impatience);
    return end;
  }

  /** Whether everything ends that the process started. Some of it ends a moment later than the process, or is still to be reaped. */
  async leavesNothing(): Promise<boolean> {
    const limit = performance.now() + GROUP_LIMIT_MS;
    while (this.#groupRuns && performance.now() < limit) await pause(20);
    return !this.#groupRuns;
  }

  get #groupRuns(): boolean {
    try {
      process.kill(-this.pid, 0);
      return true;
    } catch {
      return false;
    }
  }

  get openFiles(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** After a garbage collection. Bytes. */
  async memory(): Promise<NodeJS.MemoryUsage> {
    const answered = once(this.#child, 'message');
    this.#child.send('memory');
    const [usage] = await answered;
    return usage;
  }

  async close(): Promise<void> {
    this.#killGroup();
    await this.ended;
  }

  #killGroup(): void {
    if (this.#groupRuns) this.signalGroup('SIGKILL');
  }
}
