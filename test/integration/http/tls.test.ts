import { once } from 'node:events';
import { connect } from 'node:tls';
import { Agent, request } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { TlsAuthority, type TlsIdentity } from '../../lab/tls-authority.js';
import { type FakeService, startFakeService } from './fake-service.js';

const authority = new TlsAuthority();
const server = authority.issueForLoopback();

let service: FakeService | null = null;

afterEach(async () => {
  await service?.close();
  service = null;
});

async function live(url: string, client?: TlsIdentity): Promise<{ status: number; transportSecurity: unknown }> {
  const dispatcher = new Agent({ connect: { ca: authority.pem, ...client } });
  try {
    const answer = await request(`${url}/livez`, { dispatcher });
    await answer.body.dump();
    return { status: answer.statusCode, transportSecurity: answer.headers['strict-transport-security'] };
  } finally {
    await dispatcher.destroy();
  }
}

describe('TLS', () => {
  it('serves with the certificate given, and says that it is here to stay', async () => {
    service = await startFakeService({ settings: { tls: { ...server, clientCa: null, clientCrl: [] } } });
    expect(service.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(await live(service.url)).toEqual({ status: 200, transportSecurity: 'max-age=31536000' });
  });

  it('with an authority for clients, lets no client in that has no certificate of it', async () => {
    service = await startFakeService({ settings: { tls: { ...server, clientCa: authority.pem, clientCrl: [] } } });
    await expect(live(service.url)).rejects.toThrow();
    await expect(live(service.url, new TlsAuthority().issueForLoopback())).rejects.toThrow();
    expect((await live(service.url, authority.issueForLoopback())).status).toBe(200);
  });

  it('does not let a client renegotiate by TLS 1.2: it is who it was', async () => {
    service = await startFakeService({ settings: { tls: { ...server, clientCa: null, clientCrl: [] } } });
    const socket = connect({
      port: Number(new URL(service.url).port),
      host: '127.0.0.1',
      ca: authority.pem,
      maxVersion: 'TLSv1.2',
    });
    await once(socket, 'secureConnect');
    const renegotiated = new Promise((resolve) => {
      socket.once('error', resolve);
      socket.renegotiate({}, (error) => resolve(error ?? 'renegotiated'));
    });
    expect(await renegotiated).toMatchObject({ code: 'ERR_SSL_NO_RENEGOTIATION' });
    socket.destroy();
  });

  it('does not start with a key that is not the certificate’s', async () => {
    const tls = { cert: server.cert, key: authority.issueForLoopback().key, clientCa: null, clientCrl: [] };
    await expect(startFakeService({ settings: { tls } })).rejects.toThrow('key values mismatch');
  });
});
