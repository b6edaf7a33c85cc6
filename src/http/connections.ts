import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { RefusedError } from '../core/errors.js';

interface Connection {
  /** Below TLS: a handshake under way is a connection too. */
  readonly socket: Socket;
  /** Requests that are not answered yet. */
  open: number;
  /** Whether it ends with the answers to these. */
  ending: boolean;
}

/** Addresses of both ends: what a request knows of the connection that it came over, with TLS or without. */
type Ends = Pick<Socket, 'remoteAddress' | 'remotePort' | 'localAddress'>;

/**
 * The connections of a server, to be ended once those who hold them may have lost the right to. A certificate is
 * looked at when a connection begins, so that without this a client could keep what it has been let in by.
 */
export class Connections {
  readonly #connections = new Map<string, Connection>();

  /** Follows the connections of an application that does not listen yet. */
  watch(application: FastifyInstance): void {
    application.server.on('connection', (socket: Socket) => this.#add(socket));
    application.addHook('onRequest', async (request, reply) => {
      const connection = this.#of(request.raw.socket);
      if (connection === undefined) return;
      if (connection.ending) throw new RefusedError('unauthorized', 'who may connect has changed: connect again');
      connection.open += 1;
      reply.raw.once('close', () => {
        connection.open -= 1;
        // An answer that had begun before does not say that it is the last.
        if (connection.ending && connection.open === 0) request.raw.socket.destroySoon();
      });
    });
    application.addHook('onSend', async (request, reply) => {
      if (this.#of(request.raw.socket)?.ending === true) reply.header('connection', 'close');
    });
  }

  /** Ends every connection: at once, or with the answer to what it has asked. */
  endAll(): void {
    for (const connection of this.#connections.values()) {
      connection.ending = true;
      if (connection.open === 0) connection.socket.destroy();
    }
  }

  #add(socket: Socket): void {
    const key = connectionKey(socket);
    const connection: Connection = { socket, open: 0, ending: false };
    this.#connections.set(key, connection);
    socket.once('close', () => {
      // The same client may have connected from the same port again.
      if (this.#connections.get(key) === connection) this.#connections.delete(key);
    });
  }

  #of(socket: Ends): Connection | undefined {
    return this.#connections.get(connectionKey(socket));
  }
}

function connectionKey({ remoteAddress, remotePort, localAddress }: Ends): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
