import { connect, type Socket } from 'node:net';
import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { ApiKeyCallers } from '../../../src/callers/api-keys.js';
import { ConfiguredCallers } from '../../../src/callers/configured-callers.js';
import { LocalCaller } from '../../../src/callers/local-caller.js';
import type { CredentialClock } from '../../../src/core/clock-doubt.js';
import { SERVICE } from '../../../src/core/fair-queue.js';
import { BodyBudget, readBodiesWithin } from '../../../src/http/body-budget.js';
import { apiKeyCaller } from '../../unit/callers/caller-of.js';
import { FakeLog } from '../../unit/judge/fakes.js';
import { answersIn, call, exchange, post } from './exchange.js';
import { ALLOW, type FakeService, fakeServices, VERIFY_BODY } from './fake-service.js';

const start = fakeServices();

const KIB = 1024;
const HELD = 2 * 64 * KIB;
const SMALL = { bodyBytes: 64 * KIB, bodyBytesInFlight: HELD };

const head = (...lines: readonly string[]) =>
  ['POST /verify HTTP/1.1', 'Host: localhost', 'Content-Type: application/json', ...lines, '', ''].join('\r\n');
const withLength = (bytes: number, ...lines: readonly string[]) => head(`Content-Length: ${bytes}`, ...lines);
const ofUnknownLength = head('Transfer-Encoding: chunked');

/** A client that has sent a part of its request, and waits. */
async function silent({ port }: FakeService, sent: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  socket.write(sent);
  return socket;
}

/** The answer to a request of that many bytes whose connection ends with it. @returns status, code and Retry-After */
async function asks({ port }: FakeService, bytes: number, ...lines: readonly string[]) {
  const received = await exchange(
    port,
    withLength(bytes, 'Connection: close', ...lines),
    VERIFY_BODY.padEnd(bytes, ' '),
  );
  const [answer] = answersIn(received);
  const { code = null } = (answer?.body ?? {}) as { code?: string };
  return [answer?.status, code, /^retry-after: (.*)$/im.exec(received)?.[1]?.trim() ?? null];
}

const OK = [200, null, null];
const FULL = [503, 'overloaded', '1'];

/** A verification that goes on until it is let go. */
function hanging(service: FakeService): () => void {
  let letGo = () => {};
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  service.verifyEvidence.answer = async () => {
    await gate;
    return ALLOW;
  };
  return letGo;
}

describe('bytes of bodies in flight', () => {
  it('REQ-40 are reserved by Content-Length before a byte comes, and given back where the client leaves', async () => {
    const service = await start({ settings: SMALL });
    const sockets = [await silent(service, withLength(64 * KIB)), await silent(service, `${withLength(64 * KIB)}{`)];
    await expect.poll(() => asks(service, 1_000)).toEqual(FULL);
    expect(service.lines.records).toContainEqual(
      expect.objectContaining({ code: 'overloaded', why: 'too many bytes of bodies are held' }),
    );
    expect((await call(service.url, '/livez')).status).toBe(200);
    expect((await call(service.url, '/readyz')).status).toBe(200);
    sockets[0]?.destroy();
    await expect.poll(() => asks(service, 64 * KIB)).toEqual(OK);
    sockets[1]?.destroy();
  });

  it('REQ-40 are reserved in steps of 64 KiB where the length is unknown', async () => {
    const service = await start({ settings: { ...SMALL, bodyBytes: HELD } });
    const socket = await silent(service, `${ofUnknownLength}1\r\n{\r\n`);
    await expect.poll(() => asks(service, 64 * KIB + 1)).toEqual(FULL);
    expect(await asks(service, 64 * KIB)).toEqual(OK);
    socket.write(`${(64 * KIB).toString(16)}\r\n${' '.repeat(64 * KIB)}\r\n`);
    await expect.poll(() => asks(service, 1_000)).toEqual(FULL);
    socket.destroy();
    await expect.poll(() => asks(service, HELD)).toEqual(OK);
  });

  it('REQ-40 are refused in the middle of a body of unknown length, which is dropped then', async () => {
    const service = await start({ settings: { ...SMALL, bodyBytes: HELD } });
    const socket = await silent(service, withLength(64 * KIB));
    await expect.poll(() => asks(service, 64 * KIB + 1)).toEqual(FULL);
    const chunk = `${(40 * KIB).toString(16)}\r\n${' '.repeat(40 * KIB)}\r\n`;
    const [answer, ...others] = answersIn(
      await exchange(service.port, head('Transfer-Encoding: chunked', 'Connection: close'), chunk, chunk, '0\r\n\r\n'),
    );
    expect([answer?.status, others]).toEqual([503, []]);
    socket.destroy();
    await expect.poll(() => asks(service, HELD)).toEqual(OK);
  });

  it('REQ-40 are held until the answer is there and its work is done, also where the client has left', async () => {
    const service = await start({ settings: SMALL });
    const letGo = hanging(service);
    const sockets = await Promise.all(
      [1, 2].map(() => silent(service, withLength(64 * KIB) + VERIFY_BODY.padEnd(64 * KIB, ' '))),
    );
    await expect.poll(() => service.verifyEvidence.asked.length).toBe(2);
    expect(await asks(service, 1_000)).toEqual(FULL);
    const gone = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of sockets) socket.destroy();
    await Promise.all(gone);
    expect(await asks(service, 1_000)).toEqual(FULL);
    letGo();
    await expect.poll(() => asks(service, 64 * KIB)).toEqual(OK);
  });

  it('REQ-40 are not held for a client that had left before its caller was known', async () => {
    let asked = 0;
    let letGo = () => {};
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const local = new LocalCaller({ historical: false, insecure: false });
    const slow = async () => {
      asked += 1;
      if (asked <= 2) await gate;
      return local.identify();
    };
    const callers = () => ({ asksForCredentials: false, serves: () => true, identify: slow });
    const service = await start({ callers, settings: { ...SMALL, bodyBytes: HELD } });
    const sockets = await Promise.all([1, 2].map(() => silent(service, `${withLength(64 * KIB)}{`)));
    await expect.poll(() => asked).toBe(2);
    for (const socket of sockets) socket.destroy();
    // The service has seen them go once it answers somebody who came later.
    await call(service.url, '/livez');
    letGo();
    await expect.poll(() => asks(service, HELD)).toEqual(OK);
  });

  it('REQ-40 are those of every request that waits on one connection', async () => {
    const service = await start({ settings: { ...SMALL, bodyBytes: HELD } });
    const letGo = hanging(service);
    const one = withLength(60 * KIB) + VERIFY_BODY.padEnd(60 * KIB, ' ');
    const socket = await silent(service, one + one);
    await expect.poll(() => service.verifyEvidence.asked.length).toBe(2);
    expect(await asks(service, 10 * KIB)).toEqual(FULL);
    socket.destroy();
    letGo();
    await expect.poll(() => asks(service, HELD)).toEqual(OK);
  });

  it.each([
    ['while the answer waits behind another on its connection', 'ends'],
    ['no longer once its client has left', 'leaves'],
  ])('REQ-40 are held %s', async (_, first) => {
    const service = await start({ settings: SMALL });
    const letGo = hanging(service);
    const one = withLength(60 * KIB) + VERIFY_BODY.padEnd(60 * KIB, ' ');
    const socket = await silent(service, one);
    await expect.poll(() => service.verifyEvidence.asked.length).toBe(1);
    service.verifyEvidence.answer = async () => ALLOW;
    socket.write(one);
    await expect.poll(() => service.verifyEvidence.asked.length).toBe(2);
    expect(await asks(service, 10 * KIB)).toEqual(FULL);
    if (first === 'ends') letGo();
    else socket.destroy();
    await expect.poll(() => asks(service, 64 * KIB)).toEqual(OK);
    letGo();
    socket.destroy();
  });

  it('REQ-40 are of one caller up to a third, so that others are served', async () => {
    const callers = (clock: CredentialClock) =>
      new ConfiguredCallers({
        apiKeys: new ApiKeyCallers([apiKeyCaller('many'), apiKeyCaller('few')], clock, new FakeLog()),
        tokens: null,
        certificates: null,
      });
    const service = await start({ callers, settings: { bodyBytes: 64 * KIB, bodyBytesInFlight: 3 * 64 * KIB } });
    const socket = await silent(service, withLength(60 * KIB, 'X-API-Key: many'));
    await expect.poll(() => asks(service, 5 * KIB, 'X-API-Key: many')).toEqual(FULL);
    expect(await asks(service, 4 * KIB, 'X-API-Key: many')).toEqual(OK);
    expect(await asks(service, 64 * KIB, 'X-API-Key: few')).toEqual(OK);
    socket.destroy();
  });

  it('REQ-40 are of all callers together up to the budget, though each has less than a third', async () => {
    const names = ['one', 'two', 'three', 'four'];
    const callers = (clock: CredentialClock) =>
      new ConfiguredCallers({
        apiKeys: new ApiKeyCallers(names.map(apiKeyCaller), clock, new FakeLog()),
        tokens: null,
        certificates: null,
      });
    const service = await start({ callers, settings: { bodyBytes: 64 * KIB, bodyBytesInFlight: 3 * 64 * KIB } });
    const sockets = await Promise.all(
      names.slice(0, 3).map((name) => silent(service, withLength(60 * KIB, `X-API-Key: ${name}`))),
    );
    await expect.poll(() => asks(service, 13 * KIB, 'X-API-Key: four')).toEqual(FULL);
    expect(await asks(service, 12 * KIB, 'X-API-Key: four')).toEqual(OK);
    for (const socket of sockets) socket.destroy();
  });

  it('REQ-40 are no more than came, however small the pieces', async () => {
    const service = await start({ settings: { ...SMALL, bodyBytes: HELD } });
    const body = VERIFY_BODY.padEnd(66 * KIB, ' ');
    const pieces = [...body].map((byte) => `1\r\n${byte}\r\n`).join('');
    const socket = head('Transfer-Encoding: chunked', 'Connection: close');
    const [answer] = answersIn(await exchange(service.port, socket, pieces, '0\r\n\r\n'));
    expect([answer?.status, service.verifyEvidence.asked.length]).toEqual([200, 1]);
  });

  it('twin: a body that is longer than bodies may be is too large, whatever room there is', async () => {
    const service = await start({ settings: SMALL });
    expect((await post(service.url, '/verify', ' '.repeat(HELD + 1))).body.code).toBe('body_too_large');
  });

  it('are not kept by the listeners of a request once its body has arrived', async () => {
    const application = fastify();
    application.decorateRequest('sharer', SERVICE);
    readBodiesWithin(application, new BodyBudget(HELD));
    application.post('/', async ({ raw, body }) => [(body as Buffer).length, raw.listenerCount('data')]);
    const answer = await application.inject({ method: 'POST', url: '/', payload: { some: 'body' } });
    expect(answer.json()).toEqual([15, 0]);
  });
});
