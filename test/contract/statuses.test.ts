import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { LocalCaller } from '../../src/callers/local-caller.js';
import { RefusedError } from '../../src/core/errors.js';
import { isObject } from '../../src/core/json.js';
import { type Caller, ROLES } from '../../src/core/request.js';
import { answersIn, call, exchange, post } from '../integration/http/exchange.js';
import {
  type FakeService,
  type FakeServiceOptions,
  KNOWN_DECISION,
  KNOWN_ENDORSEMENT,
  KNOWN_GATE,
  KNOWN_POLICY,
  KNOWN_RECEIPT,
  oneCaller,
  startFakeService,
  VERIFY_BODY,
} from '../integration/http/fake-service.js';
import { requireConforming, type SeenAnswer } from './conforms.js';
import { OPENAPI_DOCUMENT } from './openapi-document.js';
import { DOCUMENT } from './openapi-schemas.js';
import { problemExamplesOf } from './problem-examples.js';

interface Operation {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** The path with a value in the place of its parameter. */
  readonly target: string;
  /** That openapi.yaml lists. */
  readonly statuses: readonly string[];
}

/** Ids that there are, by the first part of the path. */
const KNOWN_IDS: Readonly<Record<string, string>> = {
  decisions: KNOWN_DECISION,
  inspector: 'veritee-inspector.html',
  guide: 'getting-started',
};

const OPERATIONS = Object.entries(DOCUMENT.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { responses }]): Operation => {
    const target = path
      .replace('{id}', KNOWN_IDS[path.split('/')[1] ?? ''] ?? KNOWN_POLICY)
      .replace('{keyId}', 'db-key')
      .replace('{sha256}', KNOWN_ENDORSEMENT)
      .replace('{gate}', KNOWN_GATE)
      .replace('{path}', 'page');
    return { path, target, method: method === 'post' ? 'POST' : 'GET', statuses: Object.keys(responses) };
  }),
);

/** One way to bring a status about, at the operations where it does. */
interface Cause {
  readonly service?: FakeServiceOptions;
  readonly ask: (service: FakeService, operation: Operation) => Promise<SeenAnswer>;
}

/** Members of a release beside the evidence. */
function releaseBody() {
  const { evidence } = JSON.parse(VERIFY_BODY);
  const jwk = { kty: 'OKP', crv: 'X25519', x: Buffer.alloc(32, 7).toString('base64url') };
  return { evidence, nonce: Buffer.alloc(32, 7).toString('base64url'), binding: { jwk } };
}

const BODIES: ReadonlyMap<string, string> = new Map([
  ['/verify', VERIFY_BODY],
  ['/keys/{keyId}/release', JSON.stringify(releaseBody())],
  ['/inspect', JSON.stringify(JSON.parse(VERIFY_BODY).evidence)],
  ['/challenges', '{}'],
  ['/decisions/{id}:replay', JSON.stringify({ at: 'then' })],
  ['/policies:lint', JSON.stringify({ text: 'id: one' })],
  ['/policies:evaluate', JSON.stringify({ text: 'id: one', claims: {} })],
]);

/** A member that no body has, in the place of one that bodies of this operation may have. */
const misspelt = (body: string) => JSON.stringify({ ...JSON.parse(body), nonse: 'q83vASNFZ4mrze8BI0VniQ' });

/** As the contract has it, with the headers given. */
function ask(headers: Readonly<Record<string, string>> = {}): Cause['ask'] {
  return ({ url }, { method, path, target }) => {
    const json = method === 'POST' ? { 'content-type': 'application/json' } : {};
    return call(url, target, { method, body: BODIES.get(path) ?? null, headers: { ...json, ...headers } });
  };
}

/** The first line of the request, and then what is given. */
function askInBytes(...lines: readonly string[]): Cause['ask'] {
  return async ({ port }, { method, target }) => {
    const [answer] = answersIn(await exchange(port, [`${method} ${target} HTTP/1.1`, ...lines].join('\r\n')));
    if (answer === undefined) throw new Error('no answer');
    return answer;
  };
}

const asContracted = ask();

/** One byte more than a body may have by default. */
function askAtLength({ url }: FakeService, { method, target }: Operation): Promise<SeenAnswer> {
  const body = method === 'POST' ? ' '.repeat(2 * 1024 * 1024 + 1) : null;
  return call(url, target, { method, body, headers: body === null ? {} : { 'content-type': 'application/json' } });
}

async function askTwice(service: FakeService, operation: Operation): Promise<SeenAnswer> {
  await asContracted(service, operation);
  return asContracted(service, operation);
}

/** The delay is measured every second: many times over before this gives up. */
async function askUnderLoad(service: FakeService, operation: Operation): Promise<SeenAnswer> {
  for (let tries = 0; tries < 500; tries++) {
    if ((await call(service.url, '/openapi.json')).status === 503) return asContracted(service, operation);
    await sleep(20);
  }
  throw new Error('no request was refused, although the event loop is late');
}

async function askDead(service: FakeService, operation: Operation): Promise<SeenAnswer> {
  service.liveness.problems = [{ code: 'clock', reason: 'the clock was set back' }];
  return asContracted(service, operation);
}

async function askUnready(service: FakeService, operation: Operation): Promise<SeenAnswer> {
  service.readiness.problems = [{ code: 'policies', reason: 'no policy is loaded' }];
  return asContracted(service, operation);
}

/** Everybody on this machine may do all that there is to do. Without configured callers nobody has keys released. */
class Everybody extends LocalCaller {
  override async identify(): Promise<Caller> {
    return { ...(await super.identify()), roles: new Set(ROLES) };
  }
}
const auditor = () => new Everybody({ historical: true, insecure: false });

async function askWithoutEvidence(service: FakeService, operation: Operation): Promise<SeenAnswer> {
  service.replayDecision.isKept = false;
  return asContracted(service, operation);
}

/** Nobody knows who asks: the keys of an issuer are out of reach. */
class UnknowableCallers extends LocalCaller {
  override async identify(): Promise<never> {
    throw new RefusedError('caller_keys_unavailable', 'the key set of the issuer: no answer yet');
  }
}

class FaultyCallers extends LocalCaller {
  override serves(): boolean {
    throw new Error('a fault');
  }
}

const CAUSES: readonly Cause[] = [
  { ask: asContracted },
  { ask: ask({ 'x-veritee-receipt': KNOWN_RECEIPT }) },
  {
    ask: ({ url }, { method, path, target }) => {
      const body = BODIES.get(path);
      return body === undefined ? call(url, target, { method }) : post(url, target, misspelt(body));
    },
  },
  // No Host.
  { ask: askInBytes('Connection: close', '', '') },
  { ask: asContracted, service: { callers: oneCaller('a key', ['verify']) } },
  { ask: ask({ 'x-api-key': 'a key' }), service: { callers: oneCaller('a key', ['metrics']) } },
  { ask: ask({ host: 'attacker.example' }) },
  { ask: ask({ 'if-modified-since': 'Thu, 01 Jan 2099 00:00:00 GMT' }) },
  { ask: ({ url }, { method, target }) => call(url, `${target}/nothing`, { method }) },
  { ask: ({ url }, { target }) => call(url, target, { method: 'DELETE' }) },
  { ask: ask({ accept: 'application/eat+jwt' }) },
  // Headers that do not end.
  {
    ask: askInBytes('Host: localhost', ''),
    service: { settings: { connections: { headersMs: 100, requestMs: 200, checkMs: 20 } } },
  },
  { ask: askAtLength },
  { ask: ask({ 'content-type': 'text/plain' }) },
  { ask: askTwice, service: { settings: { rates: { perPrincipal: 1, perAddress: 1 } } } },
  { ask: ask({ 'x-long': 'x'.repeat(20_000) }) },
  {
    ask: asContracted,
    service: { callers: () => new FaultyCallers({ historical: false, insecure: false }) },
  },
  // Every event loop is late by more than this, as soon as it has been measured.
  { ask: askUnderLoad, service: { settings: { eventLoopDelayMs: 0.0001, rates: { perAddress: 100_000 } } } },
  { ask: askWithoutEvidence },
  { ask: askUnready },
  {
    ask: asContracted,
    service: { callers: () => new UnknowableCallers({ historical: false, insecure: false }) },
  },
  { ask: askDead },
];

/** Every answer of each operation, all of them answers that openapi.yaml has for it. */
async function answersOfAll(): Promise<ReadonlyMap<Operation, readonly SeenAnswer[]>> {
  const answered = new Map(OPERATIONS.map((operation) => [operation, [] as SeenAnswer[]]));
  for (const cause of CAUSES) {
    const service = await startFakeService({ callers: auditor, ...cause.service });
    try {
      for (const [operation, answers] of answered) {
        const answer = await cause.ask(service, operation);
        requireConforming(operation.method, operation.path, answer);
        answers.push(answer);
      }
    } finally {
      await service.close();
    }
  }
  return answered;
}

let answered: ReadonlyMap<Operation, readonly SeenAnswer[]>;

beforeAll(async () => {
  answered = await answersOfAll();
});

describe('statuses', () => {
  it.each(OPERATIONS)('of $method $path are those that it answers, no more and no fewer', (operation) => {
    const statuses = new Set(answered.get(operation)?.map(({ status }) => String(status)));
    expect([...statuses].sort()).toEqual(operation.statuses);
  });
});

describe('examples of problem documents', () => {
  const withFixedId = (problem: unknown) =>
    isObject(problem) && 'requestId' in problem ? { ...problem, requestId: 'id' } : problem;

  // The operations of a status share its examples, so each is an answer of one of them.
  it.each(problemExamplesOf(OPENAPI_DOCUMENT))('$status $name is an answer', ({ status, value }) => {
    const answers = [...answered.values()].flat().filter((answer) => String(answer.status) === status);
    expect(answers.map(({ body }) => withFixedId(body))).toContainEqual(withFixedId(value));
  });
});
