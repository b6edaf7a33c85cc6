import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answersIn } from '../integration/http/exchange.js';
import { Client, verdictFor, verdictOf } from './client.js';
import { Lab } from './lab.js';
import { ServiceProcess } from './service-process.js';

const MIB = 1024 * 1024;
/** `--memory` and `MemoryMax` of the examples, here as what the process may allocate (setrlimit(2), RLIMIT_DATA). */
const LIMIT = 512 * MIB;
const CONNECTIONS = 500;
/** All of a body of `limits.bodyBytes` but its last byte. */
const SENT = Buffer.alloc(2 * MIB - 1, ' ');
/** Bodies that `limits.bodyBytesInFlight` has room for. */
const HELD = 48;
/** Connects that are under way at a time: fewer than the queue of a listening port holds. */
const CONNECTS = 50;

let lab: Lab;
let service: ServiceProcess;

beforeAll(async () => {
  lab = await Lab.create();
});

beforeEach(async () => {
  const command = await lab.command({ log: { level: 'fatal' } });
  service = await ServiceProcess.start(['prlimit', `--data=${LIMIT}`, ...command], { cwd: lab.workFolder });
});

afterEach(() => service.close());
afterAll(() => lab.close());

/** A client that sends all of a body but its last byte, and then nothing. */
class Silent {
  readonly socket: Socket;
  received = '';

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1').on('data', (data) => {
      this.received += data;
    });
    socket.on('error', () => undefined);
  }

  static async open(head: string, body: Buffer): Promise<Silent> {
    const silent = new Silent(connect(service.port, '127.0.0.1'));
    await once(silent.socket, 'connect');
    silent.socket.write(head);
    await new Promise((resolve) => silent.socket.write(body, resolve));
    return silent;
  }
}

const HEAD = 'POST /verify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
const WITH_LENGTH = `${HEAD}Content-Length: ${2 * MIB}\r\n\r\n`;
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n${(2 * MIB).toString(16)}\r\n`;

async function openAll(head: string): Promise<readonly Silent[]> {
  const open: Silent[] = [];
  while (open.length < CONNECTIONS) {
    open.push(...(await Promise.all(Array.from({ length: CONNECTS }, () => Silent.open(head, SENT)))));
  }
  return open;
}

describe('a service with 512 MiB of memory', () => {
  it.each([
    ['of 2 MiB', WITH_LENGTH],
    ['of unknown length', CHUNKED],
  ])(
    'REQ-40 lives with 500 connections that send all of a body %s but its end',
    { timeout: 120_000 },
    async (_, head) => {
      const client = new Client(service.url, 4);
      const open = await openAll(head);
      const refused = () => open.filter(({ received }) => received !== '');
      // The others are held, or have had their time.
      await expect.poll(() => refused().length, { timeout: 60_000 }).toBeGreaterThanOrEqual(CONNECTIONS - HELD);
      const overloaded = refused().filter(({ received }) => received.startsWith('HTTP/1.1 503'));
      expect(overloaded.length).toBeGreaterThan(0);
      for (const { received } of overloaded) {
        expect(received.toLowerCase()).toContain('\r\nretry-after: 1\r\n');
        expect(answersIn(received)[0]?.body).toMatchObject({ code: 'overloaded' });
      }
      expect(await client.get('/livez')).toMatchObject({ status: 200, body: { live: true } });
      for (const { socket } of open) socket.destroy();
      for (const question of lab.questions.slice(0, 4)) {
        expect(verdictOf(await client.ask(question))).toEqual(verdictFor(question));
      }
      client.close();
    },
  );
});
