import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { isSystemError } from '../core/file-problem.js';
import { CollectError } from './collect-error.js';

/** The result of a program. */
export interface ToolEnd {
  readonly exitCode: number | null;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/** Runs a program in a folder, without a shell. @throws {CollectError} `tools_missing`, `permission`, `tool_failed` */
export type RunTool = (program: string, args: readonly string[], folder: string) => Promise<ToolEnd>;

/** Limits of a program. */
export interface ToolBounds {
  readonly timeoutMs: number;
  readonly outputBytes: number;
}

/** A vTPM answers within milliseconds; a quote of a slow discrete TPM takes a second. The largest NV index is 4 KiB. */
export const TOOL_BOUNDS: ToolBounds = { timeoutMs: 30_000, outputBytes: 64 * 1024 };

/** The only environment variables for a program: the search path, and the TPM of the operator. */
const PASSED = ['PATH', 'TPM2TOOLS_TCTI'];

/** The resource manager of the kernel. Without it tpm2-tools would first search for a daemon, and report an error. */
export const TPM_DEVICE = '/dev/tpmrm0';

/** Runs programs of the system. */
export function toolRunner(environment: NodeJS.ProcessEnv, bounds: ToolBounds = TOOL_BOUNDS): RunTool {
  const passed = PASSED.map((name) => [name, environment[name]] as const).filter(([, value]) => value !== undefined);
  const env = { TPM2TOOLS_TCTI: `device:${TPM_DEVICE}`, LC_ALL: 'C', ...Object.fromEntries(passed) };
  return (program, args, folder) => runTool(program, args, { cwd: folder, env }, bounds);
}

interface Place {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Runs the program in its own process group. So Ctrl-C only ends the collector, which lets a running program end and cleans
 * up. After a timeout, the program is killed with all its child processes.
 */
function runTool(
  program: string,
  args: readonly string[],
  place: Place,
  { timeoutMs, outputBytes }: ToolBounds,
): Promise<ToolEnd> {
  return new Promise((resolve, reject) => {
    const child = start(program, args, place);
    const [stdout, stderr] = [new BoundedOutput(outputBytes), new BoundedOutput(outputBytes)];
    let excess: string | null = null;
    const giveUp = (why: string) => {
      excess ??= why;
      if (child.pid !== undefined) killGroup(child.pid);
    };
    const timer = setTimeout(() => giveUp(`took longer than ${timeoutMs / 1000} s`), timeoutMs);
    const tooMuch = () => giveUp(`wrote more than ${outputBytes} bytes`);
    child.stdout.on('data', (chunk: Uint8Array) => stdout.add(chunk) || tooMuch());
    child.stderr.on('data', (chunk: Uint8Array) => stderr.add(chunk) || tooMuch());
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(startProblem(program, error));
    });
    child.on('close', (exitCode) => {
      clearTimeout(timer);
      if (excess !== null) reject(new CollectError('tool_failed', `${program} ${excess}`));
      else resolve({ exitCode, stdout: stdout.bytes, stderr: Buffer.from(stderr.bytes).toString('utf8') });
    });
  });
}

/** Starts a program. Some errors are thrown, others are events. */
function start(program: string, args: readonly string[], place: Place): ChildProcessByStdio<null, Readable, Readable> {
  try {
    return spawn(program, args, { ...place, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  } catch (error) {
    throw startProblem(program, error);
  }
}

/** Kills the group. The process may have ended meanwhile. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!isSystemError(error) || error.code !== 'ESRCH') throw error;
  }
}

function startProblem(program: string, error: unknown): CollectError {
  const code = isSystemError(error) ? error.code : null;
  if (code === 'ENOENT') return new CollectError('tools_missing', `${program} is not on the PATH`, { cause: error });
  if (code === 'EACCES') return new CollectError('permission', `${program} may not be run`, { cause: error });
  return new CollectError('tool_failed', `${program} cannot be started (${code ?? 'unknown'})`, { cause: error });
}

class BoundedOutput {
  readonly #maximum: number;
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** @returns whether the output is still within the limit */
  add(chunk: Uint8Array): boolean {
    this.#length += chunk.byteLength;
    if (this.#length <= this.#maximum) this.#chunks.push(chunk);
    return this.#length <= this.#maximum;
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }
}
