import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyAnswerText } from '../../scripts/documents.js';
import { type DefaultService, startDefaultService } from '../../scripts/pages/default-service.js';
import { objectAt, requestExamplesOf } from '../../scripts/pages/openapi-examples.js';
import type { JsonObject, JsonValue } from '../../src/core/json.js';
import { OPENAPI_SCHEMAS } from '../../src/wire/generated/openapi-schemas.js';
import { call, post } from '../integration/service/lab-service.js';
import { LabKds } from '../lab/kds.js';
import { OPENAPI_DOCUMENT } from './openapi-document.js';

const EXAMPLES = requestExamplesOf(OPENAPI_DOCUMENT);

/** Members of an answer that are ids or times. */
const OF_THE_MOMENT = ['decisionId', 'decidedAt', 'at', 'validUntil', 'nonce', 'expiresAt'];

/** The answer without what differs each time; of that it has to have the same members, and each of the same type. */
function lasting(answer: JsonValue | undefined): unknown {
  const members = Object.entries(answer as JsonObject);
  return Object.fromEntries(
    members.map(([name, value]) => [name, OF_THE_MOMENT.includes(name) ? typeof value : value]),
  );
}

class SetClock {
  wall = Date.parse('2026-11-27T12:00:00Z');
  monotonic = 0;
  readonly now = () => new Date(this.wall);
  readonly monotonicMs = () => this.monotonic;
}

/** Example of the answer of an operation without body, by its name. */
function answerExample(path: string, status: string, mediaType: string, name: string): JsonValue | undefined {
  const examples = objectAt(OPENAPI_DOCUMENT, [
    'paths',
    path,
    'get',
    'responses',
    status,
    'content',
    mediaType,
    'examples',
  ]);
  return objectAt(examples, [name])['value'];
}

it('the committed answer is what a service of today says of the committed request', async () => {
  expect(readFileSync('examples/verify-answer.json', 'utf8'), 'run npm run generate').toBe(await verifyAnswerText());
});

it('every operation with a body has an example', () => {
  const paths = Object.entries(objectAt(OPENAPI_DOCUMENT, ['paths'])).flatMap(([path, operations]) =>
    'post' in (operations as JsonObject) && !path.includes('{') ? [path] : [],
  );
  expect([...new Set(EXAMPLES.map(({ path }) => path))]).toEqual(paths);
});

describe.each([
  ['when it was recorded', '2026-11-27T12:00:00Z'],
  ['years later, when its certificates have ended', '2050-01-01T00:00:00Z'],
])('a service with default configuration, %s', (_title, at) => {
  const clock = new SetClock();
  let service: DefaultService;

  beforeAll(async () => {
    clock.wall = Date.parse(at);
    service = await startDefaultService(clock);
  });

  afterAll(() => service.close());

  it.each(EXAMPLES)(
    'answers the example $name of POST $path as openapi.yaml says',
    async ({ path, request, answer }) => {
      const { status, body } = await post(service.url, path, JSON.stringify(request.value));
      expect(status).toBe(200);
      expect(lasting(body)).toEqual(lasting(answer.value));
    },
  );

  it('denies the VM of the lab because of its root alone, and so with enforce=true', async () => {
    const [lab] = EXAMPLES.filter(({ path }) => path === '/verify');
    const { status, body } = await post(service.url, '/verify?enforce=true', JSON.stringify(lab?.request.value));
    expect([status, body.decision, body.reasons]).toEqual([403, 'deny', ['cert_untrusted']]);
  });

  it('counts that decision as the example of GET /metrics has it', async () => {
    const { body } = await call(service.url, '/metrics');
    const line = String(answerExample('/metrics', '200', 'text/plain', 'decisions')).replace(/ 1\n$/, '');
    expect(body).toContain(line);
  });
});

it('a key service of the vendor that answers changes nothing about the example of POST /verify', async () => {
  const kds = await LabKds.start();
  const service = await startDefaultService(new SetClock(), { amd: { kds: kds.origin } });
  try {
    const [lab] = EXAMPLES.filter(({ path }) => path === '/verify');
    const { body } = await post(service.url, '/verify', JSON.stringify(lab?.request.value));
    expect(lasting(body)).toEqual(lasting(lab?.answer.value));
  } finally {
    await service.close();
    await kds.close();
  }
});

it('probes answer as their examples say, also once the clock has jumped or was set back', async () => {
  const clock = new SetClock();
  const service = await startDefaultService(clock);
  const probe = async (path: string) => (await call(service.url, path)).body;
  try {
    expect(await probe('/livez')).toEqual(answerExample('/livez', '200', 'application/json', 'live'));
    expect(await probe('/readyz')).toEqual(answerExample('/readyz', '200', 'application/json', 'ready'));
    clock.wall += 3_600_000;
    expect(await probe('/readyz')).toEqual(answerExample('/readyz', '503', 'application/json', 'clock'));
    clock.wall -= 7_200_000;
    await probe('/livez');
    clock.monotonic += 11 * 60_000;
    clock.wall += 11 * 60_000;
    expect(await probe('/livez')).toEqual(answerExample('/livez', '503', 'application/json', 'clock'));
  } finally {
    await service.close();
  }
});

it('the report that is inspected is that of the VM whose evidence is verified', () => {
  const first = (path: string) => EXAMPLES.find((example) => example.path === path)?.request.value as JsonObject;
  const [verify, report] = [first('/verify'), first('/inspect')];
  const azure = Buffer.from(String(objectAt(verify ?? {}, ['evidence'])['hclReport']), 'base64url');
  const signed = Buffer.from(String(report?.['report']), 'base64url');
  expect(signed.equals(azure.subarray(32, 32 + 1184))).toBe(true);
});

it('the endorsement that is given out is the VCEK of that VM, under its digest', () => {
  const example = objectAt(OPENAPI_DOCUMENT, ['paths', '/endorsements/{sha256}', 'get']);
  const { value } = objectAt(example, ['responses', '200', 'content', 'application/json', 'examples', 'vcek']);
  const { kind, sha256, value: text } = value as JsonObject;
  const der = Buffer.from(String(text), 'base64url');
  const vcek = createHash('sha256').update(der).digest('hex');
  expect([kind, sha256]).toEqual(['vcek', vcek]);
  expect((example['parameters'] as JsonObject[])[0]?.['example']).toBe(vcek);
  const verify = EXAMPLES.find(({ path }) => path === '/verify')?.request.value as JsonObject;
  const { vek } = objectAt(verify, ['evidence', 'endorsements']);
  expect(Buffer.from(String(vek), 'base64').equals(der)).toBe(true);
});

it('what Ajv reads has neither descriptions nor examples, and is otherwise what the document has', () => {
  const whole = objectAt(OPENAPI_DOCUMENT, ['components', 'schemas']);
  const keywords = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value), (name, member) =>
      (name === 'description' && typeof member === 'string') || (name === 'examples' && Array.isArray(member))
        ? undefined
        : member,
    );
  expect(OPENAPI_SCHEMAS).toEqual(keywords(whole));
  expect(JSON.stringify(OPENAPI_SCHEMAS).length).toBeLessThan(JSON.stringify(whole).length);
});
