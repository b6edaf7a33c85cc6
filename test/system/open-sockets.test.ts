import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLacking } from '../requirements.js';
import { Client, verdictFor, verdictOf } from './client.js';
import { Lab } from './lab.js';
import { ServiceProcess } from './service-process.js';

const SOCKETS = 2_000;
/** The rights that the unit in deploy/ grants the service. */
const SERVICE_FILES = 8_192;
/** Connects that are under way at a time: fewer than the queue of a listening port holds. */
const CONNECTS = 100;

/** Kinds of clients that keep a socket and ask for nothing, or never for all of it. */
const KINDS = [
  'silent',
  'half-sent headers',
  'half-sent body',
  'headers, a byte a second',
  'a body, a byte a second',
  'idle',
] as const;
type Kind = (typeof KINDS)[number];

const HEADERS =
  'POST /verify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n';
const FIRST_BYTES: { readonly [kind in Kind]: string } = {
  silent: '',
  'half-sent headers': HEADERS,
  'half-sent body': `${HEADERS}\r\n{"evidence":`,
  'headers, a byte a second': `${HEADERS}X-Slow: `,
  'a body, a byte a second': `${HEADERS}\r\n`,
  idle: 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n',
};

/** A client that holds a socket. */
class Holder {
  readonly kind: Kind;
  readonly socket: Socket;
  received = '';
  #drip: NodeJS.Timeout | undefined;

  private constructor(kind: Kind, socket: Socket) {
    this.kind = kind;
    this.socket = socket;
    socket.setEncoding('latin1').on('data', (data) => {
      this.received += data;
    });
    socket.on('error', () => {});
    socket.on('close', () => clearInterval(this.#drip));
    socket.write(FIRST_BYTES[kind]);
    if (kind.endsWith('a byte a second')) this.#drip = setInterval(() => socket.write('1'), 1_000);
  }

  static open(kind: Kind, port: number): Promise<Holder> {
    const socket = connect(port, '127.0.0.1');
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', () => resolve(new Holder(kind, socket)));
    });
  }

  get status(): number {
    return Number(/^HTTP\/1\.1 (\d{3}) /.exec(this.received)?.[1]);
  }
}

async function openAll(port: number): Promise<readonly Holder[]> {
  const holders: Holder[] = [];
  while (holders.length < SOCKETS) {
    const kinds = Array.from({ length: CONNECTS }, (_, index) => KINDS[index % KINDS.length] ?? 'silent');
    holders.push(...(await Promise.all(kinds.map((kind) => Holder.open(kind, port)))));
  }
  return holders;
}

const isOpen = ({ socket }: Holder) => !socket.destroyed;

function openFilesAllowed(pid: number | 'self'): number {
  const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
  return Number(/^Max open files +(\d+)/m.exec(limits)?.[1]);
}

const LIMIT = 'ulimit -n "$0" && exec "$@"';

const REQUIREMENTS = [
  {
    what: `a shell that may allow ${SERVICE_FILES} open files`,
    command: ['sh', '-c', LIMIT, `${SERVICE_FILES}`, 'true'],
  },
  { what: `${SOCKETS} open files of this process`, command: ['sh', '-c', `test $(ulimit -Hn) -gt ${SOCKETS + 200}`] },
] as const;

describe.skipIf(isLacking('2 000 open sockets', REQUIREMENTS))('a service with 2 000 open sockets', () => {
  let lab: Lab;
  let service: ServiceProcess;
  let holders: readonly Holder[] = [];

  beforeAll(async () => {
    lab = await Lab.create();
    const command = ['sh', '-c', LIMIT, `${SERVICE_FILES}`, ...(await lab.command({ log: { level: 'warn' } }))];
    service = await ServiceProcess.start(command, { cwd: lab.workFolder });
  });

  afterAll(async () => {
    for (const { socket } of holders) socket.destroy();
    await service.close();
    await lab.close();
  });

  /** Judges a few requests over connections of their own, and leaves none open. */
  async function verifySome(count: number): Promise<void> {
    const client = new Client(service.url, 2);
    for (const question of lab.questions.slice(0, count)) {
      expect(verdictOf(await client.ask(question))).toEqual(verdictFor(question));
    }
    client.close();
  }

  it('REQ-16 decides for others as ever, closes each slow one at its limit, and leaks no file', async () => {
    expect(openFilesAllowed(service.pid)).toBe(SERVICE_FILES);
    await verifySome(20);
    const before = service.openFiles;
    holders = await openAll(service.port);
    await expect.poll(() => service.openFiles).toBeGreaterThan(before + SOCKETS / 2);

    const slow = holders.filter(({ kind }) => kind !== 'idle');
    let rounds = 0;
    for (; slow.some(isOpen); rounds++) await verifySome(20);
    expect(rounds).toBeGreaterThan(1);
    for (const { kind, received, status } of slow) {
      expect([kind, status]).toEqual([kind, 408]);
      expect(received).toMatch(/^connection: close\r$/im);
    }

    const idle = holders.filter(({ kind }) => kind === 'idle');
    for (; idle.some(isOpen); await sleep(500)) await verifySome(4);
    expect(new Set(idle.map(({ status }) => status))).toEqual(new Set([200]));
    await expect.poll(() => service.openFiles, { timeout: 20_000 }).toBeLessThanOrEqual(before);
    await verifySome(20);
    service.signal('SIGTERM');
    expect(await service.end()).toEqual({ exitCode: 0, signal: null, stderr: '' });
  });
});
