import { once } from 'node:events';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RefusedError } from '../core/errors.js';
import { PROBLEM_MEDIA_TYPE, presentProblem } from '../wire/problem.js';
import { createListener, DEFAULT_CONNECTION_LIMITS, type TlsMaterial } from './listener.js';

const ANSWER_SECONDS = 1;

/** An open port before the service can answer: requests get 503. */
export interface BoundPort {
  /** The port number; a free port if 0 was configured. */
  readonly port: number;
  /** Passes the port to another server, which does not listen yet. It accepts the connections from now on. */
  handOver(server: Server): Promise<void>;
  /** Closes the port; does nothing once another server has it. */
  close(): Promise<void>;
}

/**
 * Opens the port.
 * @throws {Error} the system error if it cannot be opened
 */
export async function bindPort(
  { host, port }: { readonly host: string; readonly port: number },
  tls: TlsMaterial | null,
): Promise<BoundPort> {
  const starting = createListener(answerStarting, DEFAULT_CONNECTION_LIMITS, { tls, deadlineSeconds: ANSWER_SECONDS });
  starting.listen({ host, port });
  await once(starting, 'listening');
  let isHandedOver = false;
  const { port: picked } = starting.address() as AddressInfo;
  return {
    port: picked,
    handOver: async (server) => {
      server.listen(starting);
      await once(server, 'listening');
      isHandedOver = true;
      // The other server does not own these connections.
      starting.closeAllConnections();
    },
    close: async () => {
      if (isHandedOver) return;
      const closed = new Promise((resolve) => starting.close(resolve));
      starting.closeAllConnections();
      await closed;
    },
  };
}

const answerStarting: RequestListener = (request, response) => {
  const refused = new RefusedError('overloaded', 'the service is starting', { retryAfterSeconds: 1 });
  const { status, retryAfterSeconds, document } = presentProblem(refused, null);
  request.resume();
  response.writeHead(status, {
    'content-type': PROBLEM_MEDIA_TYPE,
    'retry-after': String(retryAfterSeconds),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    connection: 'close',
  });
  response.end(JSON.stringify(document));
};
