import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { answersIn, call, post } from './exchange.js';
import { ALLOW, fakeServices, VERIFY_BODY } from './fake-service.js';
import { occasion } from './occasion.js';

const start = fakeServices();

/** A keep-alive connection that collects what it is sent. */
function connection(port: number): { socket: Socket; received: () => string; closed: Promise<void> } {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.on('data', (data) => {
    received += data.toString('latin1');
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  return { socket, received: () => received, closed };
}

const STOPPING = { code: 'stopping', reason: 'the service is stopping' };

const VERIFY = [
  'POST /verify HTTP/1.1',
  'Host: localhost',
  'Content-Type: application/json',
  `Content-Length: ${VERIFY_BODY.length}`,
  '',
  VERIFY_BODY,
].join('\r\n');

describe('a service that stops', () => {
  it('answers every request that it accepted, each as the last of its connection, and then is gone', async () => {
    const service = await start();
    const [arrived, released] = [occasion(), occasion()];
    service.verifyEvidence.answer = async () => {
      if (service.verifyEvidence.asked.length === 5) arrived.happen();
      await released.happened;
      return ALLOW;
    };
    const clients = Array.from({ length: 5 }, () => connection(service.port));
    for (const { socket } of clients) socket.write(VERIFY);
    await arrived.happened;
    const closed = service.close();
    released.happen();
    await Promise.all([closed, ...clients.map((client) => client.closed)]);
    for (const client of clients) {
      expect(answersIn(client.received())).toMatchObject([{ status: 200, body: { decision: 'allow' } }]);
      expect(client.received()).toMatch(/^connection: close\r$/im);
    }
    await expect(call(service.url, '/livez')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('is not ready first, while it still answers', async () => {
    const service = await start({ listen: { stop: { noticeMs: 2_000, drainMs: 5_000 } } });
    expect((await call(service.url, '/readyz')).status).toBe(200);
    const closed = service.close();
    const ready = await call(service.url, '/readyz');
    expect([ready.status, ready.body]).toEqual([503, { ready: false, problems: [STOPPING] }]);
    expect((await post(service.url, '/verify', VERIFY_BODY)).status).toBe(200);
    expect((await call(service.url, '/livez')).status).toBe(200);
    await closed;
  });

  it('does not wait for connections that ask nothing, or not all of it', async () => {
    const service = await start({ listen: { stop: { noticeMs: 0, drainMs: 600_000 } } });
    const [silent, idle, halfway] = [connection(service.port), connection(service.port), connection(service.port)];
    idle.socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
    halfway.socket.write('GET /livez HTTP/1.1\r\nHost: loc');
    await new Promise((resolve) => idle.socket.once('data', resolve));
    await Promise.all([service.close(), silent.closed, idle.closed, halfway.closed]);
    expect(answersIn(idle.received()).map((answer) => answer.status)).toEqual([200]);
    expect(silent.received() + halfway.received()).toBe('');
  });

  it('does not wait longer than its limit for what is never answered', async () => {
    const service = await start({ listen: { stop: { noticeMs: 0, drainMs: 50 } } });
    const arrived = occasion();
    service.verifyEvidence.answer = () => {
      arrived.happen();
      return new Promise(() => {});
    };
    const client = connection(service.port);
    client.socket.write(VERIFY);
    await arrived.happened;
    await Promise.all([service.close(), client.closed]);
    expect(client.received()).toBe('');
  });

  it('does not count a client that went away', async () => {
    const service = await start({ listen: { stop: { noticeMs: 0, drainMs: 600_000 } } });
    const arrived = occasion();
    service.verifyEvidence.answer = () => {
      arrived.happen();
      return new Promise(() => {});
    };
    const client = connection(service.port);
    client.socket.write(VERIFY);
    await arrived.happened;
    client.socket.destroy();
    await service.close();
    expect(service.verifyEvidence.asked).toHaveLength(1);
  });

  it('stops once, however often it is told to', async () => {
    const service = await start();
    const first = service.close();
    expect(service.close()).toBe(first);
    await first;
    expect(service.close()).toBe(first);
  });

  it('was never one where the port is taken', async () => {
    const service = await start();
    await expect(start({ listen: { port: service.port } })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect((await call(service.url, '/livez')).status).toBe(200);
  });

  it('leaves no timer or handle of its own behind', async () => {
    const before = activeResources();
    const service = await start();
    await call(service.url, '/livez');
    await service.close();
    // Resources of earlier tests may end meanwhile; none may be added.
    const left = [...activeResources()].filter(([name, count]) => count > (before.get(name) ?? 0));
    expect(left).toEqual([]);
  });
});

/** How many resources of each kind keep the process alive. Sockets end a moment after what they were for. */
function activeResources(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) {
    if (name !== 'TCPSocketWrap') counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
