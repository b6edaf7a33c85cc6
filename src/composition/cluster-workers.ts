import cluster, { type Worker } from 'node:cluster';
import type { WorkerProcess } from '../workers/running-worker.js';

const NEWLINE = 0x0a;

/**
 * Forks workers of this program, among which the system's connections go round. Values go to them as the structured clone
 * algorithm copies them.
 * @param args of the program, which does what its parent says
 */
export function forkWorkers(args: readonly string[] = ['serve']): (worker: number) => WorkerProcess {
  cluster.schedulingPolicy = cluster.SCHED_RR;
  cluster.setupPrimary({ serialization: 'advanced', stdio: ['ignore', 'pipe', 'inherit', 'ipc'], args: [...args] });
  return () => processOf(cluster.fork());
}

function processOf(worker: Worker): WorkerProcess {
  const { stdout } = worker.process;
  if (stdout !== null) passLines(stdout);
  endUnaccepted(worker);
  // A message to a worker that has just ended: its exit is what tells.
  worker.on('error', () => {});
  return {
    send: (message) => {
      if (worker.isConnected()) worker.send(message, undefined, () => {});
    },
    onMessage: (hear) => void worker.on('message', hear),
    onExit: (hear) => void worker.once('exit', (code, signal) => hear(signal ?? `exit code ${code}`)),
    kill: () => void worker.process.kill('SIGKILL'),
  };
}

/** A connection on its way to a worker, as node sends it. */
interface PassedConnection {
  readonly seq: unknown;
  readonly handle: { close(): void };
}

/**
 * A connection that was passed to a worker which ended before it took it stays open in this process, and its client would wait for
 * ever: node forgets it. It passes one at a time to each worker, and the worker acknowledges it by its number.
 */
function endUnaccepted(worker: Worker): void {
  let passed: PassedConnection | null = null;
  const { process: child } = worker;
  const send = child.send.bind(child) as (...given: readonly unknown[]) => boolean;
  child.send = (...given: readonly unknown[]) => {
    const [message, handle] = given;
    if (isConnection(message) && isCloseable(handle)) passed = { seq: message.seq, handle };
    return send(...given);
  };
  child.on('internalMessage', (message: { readonly ack?: unknown }) => {
    if (message.ack !== undefined && message.ack === passed?.seq) passed = null;
  });
  worker.once('exit', () => passed?.handle.close());
}

function isConnection(message: unknown): message is { readonly seq: unknown } {
  return typeof message === 'object' && message !== null && 'act' in message && message.act === 'newconn';
}

function isCloseable(handle: unknown): handle is PassedConnection['handle'] {
  return typeof handle === 'object' && handle !== null && 'close' in handle && typeof handle.close === 'function';
}

/** Lines of several processes at one pipe could be mixed where they are long. */
function passLines(from: NodeJS.ReadableStream): void {
  let rest: Buffer = Buffer.alloc(0);
  from.on('data', (chunk: Buffer) => {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end > 0) process.stdout.write(Buffer.concat([rest, chunk.subarray(0, end)]));
    rest = Buffer.concat(end > 0 ? [chunk.subarray(end)] : [rest, chunk]);
  });
  from.on('end', () => {
    if (rest.length > 0) process.stdout.write(Buffer.concat([rest, Buffer.from('\n')]));
  });
}
