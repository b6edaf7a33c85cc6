import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

/** A listener that blocks its thread as soon as it listens, so that nothing is ever accepted. */
const LISTENER = `
const { createServer } = require('node:net');
const { parentPort, workerData } = require('node:worker_threads');
const server = createServer((socket) => socket.destroy());
server.listen({ host: '127.0.0.1', port: workerData.port, backlog: 1 }, () => {
  parentPort.postMessage('listening');
  Atomics.wait(workerData.gate, 0, 0);
  server.close();
});
`;

/** How long a connection on this machine may take before it counts as one that does not come. */
const CONNECT_MS = 250;
/** More than a queue of one holds. */
const MOST_CONNECTIONS = 16;

/**
 * A port of this machine to which nobody can connect, and that refuses nobody: the queue of connections that wait to be accepted
 * is full, so that the system drops each further attempt without a word, as a network does that loses all packets.
 */
export class FullBacklog {
  readonly #worker: Worker;
  readonly #gate: Int32Array;
  readonly #queued: readonly Socket[];

  private constructor(worker: Worker, gate: Int32Array, queued: readonly Socket[]) {
    this.#worker = worker;
    this.#gate = gate;
    this.#queued = queued;
  }

  /** @param port that nobody listens on */
  static async open(port: number): Promise<FullBacklog> {
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(LISTENER, { eval: true, workerData: { port, gate } });
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    const queued: Socket[] = [];
    while (queued.length < MOST_CONNECTIONS) {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      queued.push(socket);
      if (!(await isConnected(socket))) return new FullBacklog(worker, gate, queued);
    }
    throw new Error('the queue of connections does not fill: this system does not drop attempts to connect');
  }

  /** Frees the port. */
  async close(): Promise<void> {
    for (const socket of this.#queued) socket.destroy();
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve));
    Atomics.store(this.#gate, 0, 1);
    Atomics.notify(this.#gate, 0);
    await ended;
  }
}

function isConnected(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), CONNECT_MS);
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
