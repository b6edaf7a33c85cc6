import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Answered, Client, type Outcome, type Unanswered, verdictFor, verdictOf } from './client.js';
import { Lab, type Question } from './lab.js';
import { ServiceProcess } from './service-process.js';

const CLIENTS = 16;

let lab: Lab;
let service: ServiceProcess;

beforeAll(async () => {
  lab = await Lab.create();
});

afterEach(() => service.close());
afterAll(() => lab.close());

interface Exchange {
  readonly question: Question;
  readonly outcome: Outcome;
}

const isAnswered = (outcome: Outcome): outcome is Answered => 'status' in outcome;
const isUnanswered = (outcome: Outcome): outcome is Unanswered => 'error' in outcome;

/** Clients that ask without a pause until nobody listens any more. */
async function askUntilGone(exchanges: Exchange[]): Promise<void> {
  const client = new Client(service.url, CLIENTS);
  let turn = 0;
  const askInTurn = async () => {
    for (;;) {
      const question = lab.questions[turn++ % lab.questions.length];
      if (question === undefined) throw new Error('the lab has no questions');
      const outcome = await client.post('/verify', question.body);
      exchanges.push({ question, outcome });
      if (isUnanswered(outcome) && outcome.error === 'ECONNREFUSED') return;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, askInTurn));
  client.close();
}

/** The answers of /readyz, over one new connection after the other, until nobody listens any more. */
async function watchReadiness(): Promise<readonly Answered[]> {
  const seen: Answered[] = [];
  for (;;) {
    const client = new Client(service.url, 1);
    const outcome = await client.get('/readyz');
    client.close();
    if (isAnswered(outcome)) seen.push(outcome);
    else if (outcome.error === 'ECONNREFUSED') return seen;
  }
}

/** Decisions in the log, by the id of their request. */
function decisionsLogged(): ReadonlyMap<unknown, unknown> {
  const decided = service.logged('request').filter((record) => record['decision'] !== undefined);
  return new Map(decided.map((record) => [record['requestId'], record['decision']]));
}

const PARTS = ['POST /verify HTTP/1.1', 'Host: localhost', 'Content-Type: application/json'];

/** Sends a request but for its last byte. */
async function sendAllButOneByte({ body }: Question): Promise<Socket> {
  const socket = connect(service.port, '127.0.0.1');
  const text = [...PARTS, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
  await new Promise<void>((resolve) => socket.write(text.slice(0, -1), () => resolve()));
  return socket;
}

async function isListening(): Promise<boolean> {
  const client = new Client(service.url, 1);
  const outcome = await client.get('/livez');
  client.close();
  return isAnswered(outcome);
}

/** A client without an answer found no listener, except for unavoidable cases. No answer ended half way. */
function expectNobodyCutOff(exchanges: readonly Exchange[]): void {
  const unanswered = exchanges.map(({ outcome }) => outcome).filter(isUnanswered);
  expect(unanswered.filter(({ begun }) => begun)).toEqual([]);
  // Between the last look at the port and its end a connection can slip in that nobody accepts any more.
  expect(unanswered.filter(({ error }) => error !== 'ECONNREFUSED').length).toBeLessThanOrEqual(1);
  expect(unanswered.filter(({ error }) => error === 'ECONNREFUSED')).toHaveLength(CLIENTS);
}

describe('a service that gets SIGTERM under load', () => {
  it('answers everything that it accepted, is not ready first, and ends with 0 and nothing left', async () => {
    service = await ServiceProcess.start(await lab.command(), { cwd: lab.workFolder });
    const exchanges: Exchange[] = [];
    const asking = askUntilGone(exchanges);
    await expect.poll(() => exchanges.length, { timeout: 60_000 }).toBeGreaterThan(300);
    const before = exchanges.length;
    service.signal('SIGTERM');
    const [readiness] = await Promise.all([watchReadiness(), asking]);
    expect(await service.end()).toEqual({ exitCode: 0, signal: null, stderr: '' });
    expect(await service.leavesNothing()).toBe(true);

    expectNobodyCutOff(exchanges);
    const logged = decisionsLogged();
    const answers = exchanges.flatMap(({ question, outcome }) => (isAnswered(outcome) ? [{ question, outcome }] : []));
    const judged = answers.filter(({ outcome }) => outcome.status === 200);
    for (const { question, outcome } of answers) {
      if (outcome.status === 503) expect(outcome.body.code).toBe('overloaded');
      else expect(verdictOf(outcome)).toEqual(verdictFor(question));
    }
    // Nothing was decided that nobody has got, and nobody got anything else than what was decided.
    expect(new Map(judged.map(({ outcome }) => [outcome.id, outcome.body.decision]))).toEqual(logged);
    expect(answers.length).toBeGreaterThan(before);
    expect(answers.at(-1)?.outcome.headers.connection).toBe('close');

    const said = readiness.map(({ status, body }) => ({ status, body }));
    const firstNo = said.findIndex(({ status }) => status !== 200);
    expect(firstNo).toBeGreaterThanOrEqual(0);
    const stopping = { code: 'stopping', reason: 'the service is stopping' };
    for (const { status, body } of said.slice(firstNo)) {
      expect([status, body]).toEqual([503, { ready: false, problems: [stopping] }]);
    }
  });
});

describe('a service that is already stopping', () => {
  it.each<NodeJS.Signals>(['SIGTERM', 'SIGINT'])(
    'is not hurried by another %s: what it has begun it ends',
    async (again) => {
      service = await ServiceProcess.start(await lab.command(), { cwd: lab.workFolder });
      const [question] = lab.questions;
      if (question === undefined) throw new Error('the lab has no questions');
      const socket = await sendAllButOneByte(question);
      let received = '';
      socket.setEncoding('utf8').on('data', (data) => {
        received += data;
      });
      const closed = new Promise((resolve) => socket.once('close', resolve));
      service.signal('SIGTERM');
      await expect.poll(isListening, { timeout: 20_000 }).toBe(false);
      service.signal(again);
      service.signal(again);
      socket.write(question.body.slice(-1));
      await closed;
      const [head = '', body = ''] = received.split('\r\n\r\n');
      expect(head).toMatch(/^HTTP\/1\.1 200 /);
      expect(JSON.parse(body)).toMatchObject({ decision: question.decision, reasons: question.reasons });
      expect(await service.end()).toEqual({ exitCode: 0, signal: null, stderr: '' });
      expect(service.logged('stopping')).toHaveLength(1);
    },
  );
});
