import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { TlsAuthority } from '../../lab/tls-authority.js';
import { answersIn, call } from './exchange.js';
import { fakeServices, VERIFY_BODY } from './fake-service.js';
import { occasion } from './occasion.js';
import { TlsClient } from './tls-client.js';

const authority = new TlsAuthority();
const server = authority.issueForLoopback();

const start = fakeServices();
const sockets: Socket[] = [];

async function open(port: number): Promise<{ socket: Socket; received: () => string; ended: Promise<unknown> }> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  let received = '';
  socket.setEncoding('latin1').on('data', (text) => {
    received += text;
  });
  socket.on('error', () => {});
  const ended = new Promise((resolve) => socket.once('close', resolve));
  await once(socket, 'connect');
  return { socket, received: () => received, ended };
}

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

const LIVE = 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n';
const VERIFY = `POST /verify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${VERIFY_BODY.length}\r\n\r\n${VERIFY_BODY}`;

describe('a server whose connections are ended', () => {
  it('closes those on which nothing was asked, or everything answered', async () => {
    const service = await start();
    const [silent, answered] = [await open(service.port), await open(service.port)];
    answered.socket.write(LIVE);
    await once(answered.socket, 'data');
    service.endConnections();
    await Promise.all([silent.ended, answered.ended]);
    expect(silent.received()).toBe('');
    const later = await open(service.port);
    later.socket.write(LIVE);
    await once(later.socket, 'data');
    expect(later.received()).toMatch(/^HTTP\/1\.1 200/);
  });

  it('closes one in the middle of the headers of a request', async () => {
    const service = await start();
    const { socket, received, ended } = await open(service.port);
    socket.write(LIVE);
    await once(socket, 'data');
    socket.write(LIVE.slice(0, 20));
    service.endConnections();
    await ended;
    expect(answersIn(received())).toHaveLength(1);
  });

  it('answers what was asked before, as the last of its connection, and nothing that comes after', async () => {
    const service = await start();
    const [asked, judged] = [occasion(), occasion()];
    const { answer } = service.verifyEvidence;
    service.verifyEvidence.answer = async () => {
      asked.happen();
      await judged.happened;
      return answer();
    };
    const { socket, received, ended } = await open(service.port);
    socket.write(VERIFY);
    await asked.happened;
    service.endConnections();
    socket.write(VERIFY);
    // Earlier bytes are read earlier.
    expect((await call(service.url, '/livez')).status).toBe(200);
    judged.happen();
    await ended;
    expect(answersIn(received())).toMatchObject([{ status: 200, body: { decision: 'allow' } }]);
    expect(received()).toMatch(/^connection: close\r$/im);
    expect(service.verifyEvidence.asked).toHaveLength(1);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('lets no session be resumed, in %s', async (version) => {
    const service = await start({ settings: { tls: { ...server, clientCa: authority.pem, clientCrl: [] } } });
    const options = { ca: authority.pem, identity: authority.issueForLoopback(), version };
    const first = await TlsClient.connect(service.port, options);
    expect(await first.ask()).toBe(200);
    const { session } = first;
    // A connection without a session could not be resumed, whatever the server does.
    expect(session).not.toBeNull();
    const second = await TlsClient.connect(service.port, { ...options, session });
    expect([await second.ask(), second.isResumed]).toEqual([200, true]);
    service.endConnections();
    await Promise.all([first.ended, second.ended]);
    const third = await TlsClient.connect(service.port, { ...options, session });
    expect([await third.ask(), third.isResumed]).toEqual([200, false]);
    third.close();
  });

  it('ends a TLS handshake that has begun', async () => {
    const service = await start({ settings: { tls: { ...server, clientCa: null, clientCrl: [] } } });
    const { ended } = await open(service.port);
    // The connection is accepted before one that asks something afterwards.
    const other = await TlsClient.connect(service.port, { ca: authority.pem });
    expect(await other.ask()).toBe(200);
    service.endConnections();
    await Promise.all([ended, other.ended]);
  });
});

describe('a server that takes other TLS material', () => {
  it('shows it to new clients, and keeps those that it has', async () => {
    const service = await start({ settings: { tls: { ...server, clientCa: null, clientCrl: [] } } });
    const before = await TlsClient.connect(service.port, { ca: authority.pem });
    service.exchangeTls({ ...authority.issueForLoopback(), clientCa: null, clientCrl: [] });
    const after = await TlsClient.connect(service.port, { ca: authority.pem });
    expect([await before.ask(), await after.ask()]).toEqual([200, 200]);
    expect(after.serverFingerprint).not.toBe(before.serverFingerprint);
    for (const client of [before, after]) client.close();
  });

  it('keeps what it has where the other cannot be used', async () => {
    const service = await start({ settings: { tls: { ...server, clientCa: null, clientCrl: [] } } });
    const { cert } = authority.issueForLoopback();
    expect(() => service.exchangeTls({ ...server, cert, clientCa: null, clientCrl: [] })).toThrow(
      'key values mismatch',
    );
    const client = await TlsClient.connect(service.port, { ca: authority.pem });
    expect(await client.ask()).toBe(200);
    client.close();
  });

  it('is refused where there is no TLS', async () => {
    const service = await start();
    expect(() => service.exchangeTls({ ...server, clientCa: null, clientCrl: [] })).toThrow('does not speak TLS');
  });
});
