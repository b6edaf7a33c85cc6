import { once } from 'node:events';
import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, expect, it } from 'vitest';
import { Connections } from '../../../src/http/connections.js';
import { occasion } from './occasion.js';

let application: FastifyInstance;

afterEach(() => application.close());

it('answers all that was asked on a connection where one answer had begun before it was ended', async () => {
  const connections = new Connections();
  const begun = new PassThrough();
  const [asked, judged] = [occasion(), occasion()];
  application = Fastify();
  connections.watch(application);
  application.get('/begun', async () => begun);
  application.get('/later', async () => {
    asked.happen();
    await judged.happened;
    return 'the second answer';
  });
  const url = await application.listen({ host: '127.0.0.1', port: 0 });
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let received = '';
  socket.setEncoding('latin1').on('data', (text) => {
    received += text;
  });
  const ended = once(socket, 'close');
  socket.write('GET /begun HTTP/1.1\r\nHost: localhost\r\n\r\nGET /later HTTP/1.1\r\nHost: localhost\r\n\r\n');
  begun.write('the first ');
  await Promise.all([once(socket, 'data'), asked.happened]);
  connections.endAll();
  begun.end('answer');
  await expect.poll(() => received).toMatch(/^0\r$/m);
  judged.happen();
  await ended;
  expect(received).toContain('the second answer');
  expect(received.match(/^connection: close\r$/gim)).toHaveLength(1);
});
