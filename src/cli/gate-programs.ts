import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { isSystemError } from '../core/file-problem.js';

/** A program of a gate failed. The message is a sentence for the operator, without the output of the program. */
export class GateProgramError extends Error {
  override readonly name = 'GateProgramError';
}

export interface CollectBounds {
  readonly timeoutMs: number;
  readonly maximumBytes: number;
  /** Ends the program and its child processes. */
  readonly signal: AbortSignal;
  /** Called with each line of its standard error. */
  readonly tell: (line: string) => void;
}

/**
 * Runs the program that collects evidence, without a shell and without input. Its standard error is passed on: it may
 * come from the guest, as with ssh.
 *
 * @returns its standard output
 * @throws {GateProgramError} if it cannot be started, fails, takes too long or writes too much
 */
export function collectedOutput(
  program: string,
  environment: NodeJS.ProcessEnv,
  { timeoutMs, maximumBytes, signal, tell }: CollectBounds,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    // A separate process group, so that its children end with it.
    const child = started('--collect', () =>
      spawn(program, [], { env: environment, stdio: ['ignore', 'pipe', 'pipe'], detached: true }),
    );
    const output = child.stdout;
    tellLines(child.stderr, tell);
    let problem: string | null = null;
    const giveUp = (why: string) => {
      problem ??= why;
      killGroup(child);
      output.destroy();
      child.stderr.destroy();
    };
    const written = keptOutput(output, maximumBytes, giveUp);
    const forget = endErrorsAfterExit(child);
    const timer = setTimeout(() => giveUp('took too long (--timeout)'), timeoutMs);
    const abort = () => giveUp('was ended by a signal to the gate');
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    const end = (settle: () => void) => {
      clearTimeout(timer);
      forget();
      signal.removeEventListener('abort', abort);
      settle();
    };
    child.on('error', (error) => end(() => reject(startError('--collect', error))));
    child.on('close', (exitCode, killedBy) => {
      if (exitCode !== 0) problem ??= `ended with ${exitCode ?? killedBy}`;
      end(() =>
        problem === null ? resolve(written()) : reject(new GateProgramError(`The program of --collect ${problem}.`)),
      );
    });
  });
}

/** @returns a function that gives the output so far */
function keptOutput(output: Readable, maximumBytes: number, giveUp: (why: string) => void): () => Uint8Array {
  const chunks: Uint8Array[] = [];
  let length = 0;
  output.on('data', (chunk: Uint8Array) => {
    length += chunk.byteLength;
    if (length > maximumBytes) giveUp(`wrote more than ${maximumBytes} bytes`);
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks);
}

/** The wait for the rest of standard error. */
const LAST_WORDS_MS = 1_000;

/**
 * Stops waiting for standard error after the exit. An ssh connection that is kept open holds standard error open.
 * @returns a function that ends the wait
 */
function endErrorsAfterExit(child: ChildProcessByStdio<null, Readable, Readable>): () => void {
  let leaving: NodeJS.Timeout | undefined;
  child.on('exit', () => {
    leaving = setTimeout(() => child.stderr.destroy(), LAST_WORDS_MS);
  });
  return () => clearTimeout(leaving);
}

/** A longer output is reported as more than one body. */
const LONGEST_LINE = 4_096;

function tellLines(stream: Readable, tell: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (rest + text).split(/\r\n|[\r\n]/);
    rest = lines.pop() ?? '';
    for (const line of lines) tell(line);
    if (rest.length > LONGEST_LINE) {
      tell(rest);
      rest = '';
    }
  });
  stream.on('close', () => {
    if (rest !== '') tell(rest);
  });
}

/** Signals that a supervisor or a terminal sends. */
const FORWARDED = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

/**
 * Runs the command after an allow, without a shell, with the streams of this process. Forwards signals to it.
 *
 * @returns its exit code, or 128 and the number of the signal that ended it
 * @throws {GateProgramError} if it cannot be started
 */
export function ranCommand(
  [program, ...args]: readonly [string, ...string[]],
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const forward = (signal: NodeJS.Signals) => void child.kill(signal);
    // Before the start: the command may send a signal to this process at once.
    for (const signal of FORWARDED) process.on(signal, forward);
    const end = (settle: () => void) => {
      for (const signal of FORWARDED) process.off(signal, forward);
      settle();
    };
    const child = started('--exec', () => spawn(program, args, { env: environment, stdio: 'inherit' }), end);
    child.on('error', (error) => {
      // Without a pid, the start failed. Other errors are signals that could not be sent, and do not end the command.
      if (child.pid === undefined) end(() => reject(startError('--exec', error)));
    });
    child.on('exit', (exitCode, signal) => {
      end(() => resolve(exitCode ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    });
  });
}

/** Starts a program. Some errors are thrown, others are events. */
function started<T extends ChildProcess>(option: string, start: () => T, end = (settle: () => void) => settle()): T {
  try {
    return start();
  } catch (error) {
    end(() => {});
    throw startError(option, error);
  }
}

/** Kills the group. The process may have ended already, or never started. */
function killGroup({ pid }: ChildProcess): void {
  try {
    process.kill(-Number(pid), 'SIGKILL');
  } catch {
    // The output is not used after a fault.
  }
}

const START_PROBLEMS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such program'],
  ['EACCES', 'the user of this process may not run it'],
]);

function startError(option: string, error: unknown): GateProgramError {
  const code = isSystemError(error) ? error.code : 'unknown';
  const why = START_PROBLEMS.get(code) ?? `it cannot be started (${code})`;
  return new GateProgramError(`The program of ${option} does not run: ${why}.`, { cause: error });
}
