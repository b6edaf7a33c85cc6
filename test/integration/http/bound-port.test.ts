import { createServer } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { bindPort } from '../../../src/http/bound-port.js';

const LOOPBACK = { host: '127.0.0.1', port: 0 };

describe('a port that is bound before the service answers', () => {
  it('DLG-04 answers 503 with a problem document, until another server has it', async () => {
    const bound = await bindPort(LOOPBACK, null);
    const server = createServer((_request, response) => response.end('ready'));
    try {
      const url = `http://127.0.0.1:${bound.port}`;
      const starting = await fetch(`${url}/verify`, { method: 'POST', body: '{}' });
      expect([starting.status, starting.headers.get('retry-after')]).toEqual([503, '1']);
      expect(starting.headers.get('content-type')).toBe('application/problem+json');
      expect(await starting.json()).toMatchObject({ code: 'overloaded', detail: 'the service is starting' });
      await bound.handOver(server);
      const answer = await fetch(url);
      expect([answer.status, await answer.text()]).toEqual([200, 'ready']);
      // The other server has the port.
      await bound.close();
      expect((await fetch(url)).status).toBe(200);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    const again = await bindPort({ ...LOOPBACK, port: bound.port }, null);
    await again.close();
  });

  it('is free again once it is closed, whoever is connected', async () => {
    const bound = await bindPort(LOOPBACK, null);
    const socket = connect(bound.port, '127.0.0.1');
    const ended = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.once('connect', resolve));
    await bound.close();
    await ended;
    const again = await bindPort({ ...LOOPBACK, port: bound.port }, null);
    expect(again.port).toBe(bound.port);
    await expect(bindPort({ ...LOOPBACK, port: bound.port }, null)).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    await again.close();
  });
});
