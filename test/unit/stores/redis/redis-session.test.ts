import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { RedisSession } from '../../../../src/stores/redis/redis-session.js';

const MIB = 1024 * 1024;

it('a session ends where a server sends more than any answer has, whatever a command may take', async () => {
  let sent = 0;
  const server = createServer((socket) => {
    socket
      .on('error', () => {})
      .once('data', () => {
        socket.write('$2000000000\r\n');
        const chunk = Buffer.alloc(MIB);
        const sendOn = () => {
          while (!socket.destroyed && socket.write(chunk)) sent += 1;
        };
        socket.on('drain', sendOn);
        sendOn();
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  // Long enough that the bound ends the session, and not the time.
  const options = { tls: null, commandTimeoutMs: 60_000, signal: new AbortController().signal };
  const session = await RedisSession.open({ host: '127.0.0.1', port }, options);
  await expect(session.call('get', 'key')).rejects.toThrow('Connection is closed');
  expect((await session.ended).message).toBe(`sent over ${64 * MIB} bytes without an answer`);
  expect(sent).toBeLessThan(256);
  server.close();
});
