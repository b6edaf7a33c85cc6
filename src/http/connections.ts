import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { RefusedError } from '../core/errors.js';

interface Connection {
  /** The socket below TLS: a connection in its handshake counts too. */
  readonly socket: Socket;
  /** Requests without an answer yet. */
  open: number;
  /** Whether the connection closes after these answers. */
  ending: boolean;
}

/** Addresses of both ends, which a request knows with and without TLS. */
type Ends = Pick<Socket, 'remoteAddress' | 'remotePort' | 'localAddress'>;

/**
 * The connections of a server. They are closed once their clients may have lost access. The server verifies a certificate only
 * at the begin of a connection. Otherwise a client could keep its access.
 */
export class Connections {
  readonly #connections = new Map<string, Connection>();

  /** Watches the connections of an application that does not listen yet. */
  watch(application: FastifyInstance): void {
    application.server.on('connection', (socket: Socket) => this.#add(socket));
    application.addHook('onRequest', async (request, reply) => {
      const connection = this.#of(request.raw.socket);
      if (connection === undefined) return;
      if (connection.ending) throw new RefusedError('unauthorized', 'who may connect has changed: connect again');
      connection.open += 1;
      reply.raw.once('close', () => {
        connection.open -= 1;
        // The header of an answer that had begun before does not announce the end.
        if (connection.ending && connection.open === 0) request.raw.socket.destroySoon();
      });
    });
    application.addHook('onSend', async (request, reply) => {
      if (this.#of(request.raw.socket)?.ending === true) reply.header('connection', 'close');
    });
  }

  /** Closes every connection: at once, or after its running requests. */
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
