import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createListener, DEFAULT_CONNECTION_LIMITS } from '../../../src/http/listener.js';

const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

function open(port: number): { readonly socket: Socket; readonly ended: Promise<unknown> } {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  sockets.push(socket);
  return { socket, ended: new Promise((resolve) => socket.once('close', resolve)) };
}

describe('a listener', () => {
  it('ends connections beyond its limit at once', async () => {
    const limits = { ...DEFAULT_CONNECTION_LIMITS, connections: 2 };
    const server = createListener((_request, response) => response.end(), limits, { deadlineSeconds: 1, tls: null });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const [first, second] = [open(port), open(port)];
    await Promise.all([once(first.socket, 'connect'), once(second.socket, 'connect')]);
    await open(port).ended;
    expect([first.socket.destroyed, second.socket.destroyed]).toEqual([false, false]);
    first.socket.destroy();
    await expect
      .poll(async () => {
        const next = open(port);
        next.socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
        const answered = once(next.socket, 'data').then(
          () => true,
          () => false,
        );
        return Promise.race([answered, next.ended.then(() => false)]);
      })
      .toBe(true);
    server.closeAllConnections();
    server.close();
  });
});
