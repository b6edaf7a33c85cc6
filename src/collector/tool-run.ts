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

/** How much a program may take. */
export interface ToolBounds {
  readonly timeoutMs: number;
  readonly outputBytes: number;
}

/** A vTPM answers within milliseconds; a quote of a slow discrete TPM takes a second. The largest NV index is 4 KiB. */
export const TOOL_BOUNDS: ToolBounds = { timeoutMs: 30_000, outputBytes: 64 * 1024 };

/** All that a program sees of the environment: where it is, and which TPM the operator means. */
const PASSED = ['PATH', 'TPM2TOOLS_TCTI'];

/** The resource manager of the kernel. Without it tpm2-tools would look for a daemon first, and complain. */
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
 * The program has a process group of its own: Ctrl-C ends the collector, which lets what is under way end and tidies
 * up, and a program that takes too long is killed with all that it started.
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

/** Some problems are thrown, others are events. */
function start(program: string, args: readonly string[], place: Place): ChildProcessByStdio<null, Readable, Readable> {
  try {
    return spawn(program, args, { ...place, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  } catch (error) {
    throw startProblem(program, error);
  }
}

/** It may have ended by itself meanwhile. */
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

  /** Whether it still fits. */
  add(chunk: Uint8Array): boolean {
    this.#length += chunk.byteLength;
    if (this.#length <= this.#maximum) this.#chunks.push(chunk);
    return this.#length <= this.#maximum;
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }
}
