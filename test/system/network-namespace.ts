import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** A user who is not root gets a namespace where he is. */
const IS_ROOT = process.getuid?.() === 0;
const NEW_NETWORK = ['unshare', ...(IS_ROOT ? [] : ['--user', '--map-root-user']), '--net', 'sh', '-ec'];
const JOIN_USER = IS_ROOT ? [] : ['--user', '--preserve-credentials'];

const LOOPBACK_UP = 'ip link set lo up';

/** Makes such a network, and leaves it. */
export const NETWORK_TRIAL: readonly string[] = [...NEW_NETWORK, `${LOOPBACK_UP}; nsenter --version`];

/** The result of a command. */
export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A network that is nothing but a loopback interface. Ends with this process, or when told. */
export class NetworkNamespace {
  readonly #keeper: ChildProcess;

  private constructor(keeper: ChildProcess) {
    this.#keeper = keeper;
  }

  static async open(): Promise<NetworkNamespace> {
    // `cat` ends with the pipe that it reads from.
    const [program = '', ...args] = [...NEW_NETWORK, `${LOOPBACK_UP}; echo up; exec cat`];
    const keeper = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    if (keeper.stdout === null) throw new Error('the namespace says nothing');
    await once(keeper.stdout, 'data');
    return new NetworkNamespace(keeper);
  }

  /** A command, to be run in the namespace. */
  inside(...command: readonly string[]): readonly string[] {
    return ['nsenter', '--target', `${this.#keeper.pid}`, ...JOIN_USER, '--net', '--', ...command];
  }

  async run(folder: string, command: readonly string[], input = ''): Promise<Ended> {
    const [program = '', ...args] = this.inside(...command);
    const { PATH = '', HOME = '' } = process.env;
    const child = spawn(program, args, { cwd: folder, env: { PATH, HOME }, stdio: ['pipe', 'pipe', 'pipe'] });
    const ended = once(child, 'close');
    child.stdin.on('error', () => {}).end(input);
    const [stdout, stderr, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { exitCode, stdout, stderr };
  }

  async close(): Promise<void> {
    const ended = once(this.#keeper, 'close');
    this.#keeper.stdin?.end();
    await ended;
  }
}
