import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answersIn, call, exchange, exchangeWithoutAnswer, post } from '../integration/http/exchange.js';
import { base64Url } from '../integration/service/lab-service.js';
import { createAzureAkPki, der } from '../lab/index.js';
import { Client, verdictFor, verdictOf } from './client.js';
import { Lab, type Question } from './lab.js';
import { ServiceProcess } from './service-process.js';

/** Requests that abuse HTTP, JSON or an encoding, at the service as a process. Nothing but the last test is judged. */

/** The default of `limits.bodyBytes`. */
const BODY_BYTES = 2 * 1024 * 1024;

let lab: Lab;
let service: ServiceProcess;
let genuine: Question;

beforeAll(async () => {
  lab = await Lab.create();
  service = await ServiceProcess.start(await lab.command(), { cwd: lab.workFolder });
  const [question] = lab.questions;
  if (question === undefined) throw new Error('the lab has no questions');
  genuine = question;
});

afterAll(async () => {
  await service.close();
  await lab.close();
});

function head(requestLine: string, ...lines: readonly string[]): string {
  return [requestLine, 'Host: localhost', ...lines, '', ''].join('\r\n');
}

const JSON_LINE = 'Content-Type: application/json';
const LAST = 'Connection: close';

/** The result for a body: status and code. */
async function refused(body: string | Buffer, headers: Readonly<Record<string, string>> = {}) {
  const answer = await post(service.url, '/verify', body, headers);
  return [answer.status, answer.body.code];
}

/** The genuine body, changed as an object. */
// biome-ignore lint/suspicious/noExplicitAny: bodies are spoilt on purpose
function changed(change: (request: any) => void): string {
  const request = JSON.parse(genuine.body);
  change(request);
  return JSON.stringify(request);
}

/** The genuine body with another text in the place of its first brace. */
const beginning = (text: string) => text + genuine.body.slice(1);

/** Status and code of the one answer to raw bytes. */
async function rawly(...parts: readonly string[]) {
  const [answer, ...more] = answersIn(await exchange(service.port, ...parts));
  expect(more).toEqual([]);
  return [answer?.status, (answer?.body as { code?: string } | undefined)?.code];
}

describe('a body', () => {
  it('REQ-01 over the limit is 413, with its length told and without', async () => {
    const told = head('POST /verify HTTP/1.1', JSON_LINE, `Content-Length: ${BODY_BYTES + 1}`, LAST);
    expect(await rawly(told)).toEqual([413, 'body_too_large']);
    const chunk = `100000\r\n${'x'.repeat(0x100000)}\r\n`;
    const chunked = [
      head('POST /verify HTTP/1.1', JSON_LINE, 'Transfer-Encoding: chunked'),
      chunk,
      chunk,
      '1\r\nx\r\n',
    ];
    expect(await rawly(...chunked)).toEqual([413, 'body_too_large']);
  });

  it('REQ-02 of another type is 415', async () => {
    for (const type of ['text/plain', 'application/json\tx', 'application/json garbage', 'application/jsonx', '']) {
      const lines = [`Content-Type: ${type}`, `Content-Length: ${Buffer.byteLength(genuine.body)}`, LAST];
      expect(await rawly(head('POST /verify HTTP/1.1', ...lines), genuine.body)).toEqual([
        415,
        'unsupported_media_type',
      ]);
    }
  });

  it('REQ-03 that is compressed is 415', async () => {
    for (const encoding of ['gzip', 'br']) {
      const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
      expect(await refused(bomb, { 'content-encoding': encoding })).toEqual([415, 'unsupported_media_type']);
    }
  });

  it('REQ-04 with an unknown member at any depth is 400', async () => {
    const outer = changed((request) => Object.assign(request, { requireX: true }));
    const inner = changed((request) => Object.assign(request.evidence, { url: 'x' }));
    for (const body of [outer, inner]) expect(await refused(body)).toEqual([400, 'unknown_property']);
  });

  it('REQ-05 with a value of another type is 400', async () => {
    const policies = [null, 7, true, { id: 'x' }, []];
    for (const policy of policies) {
      expect(await refused(changed((request) => Object.assign(request, { policy })))).toEqual([400, 'schema']);
    }
  });

  it('REQ-06 with a key twice, also in an escaped spelling, is 400', async () => {
    for (const text of ['{"nonce":"AAAAAAAAAAA",', '{"\\u006eonce":"AAAAAAAAAAA",']) {
      expect(await refused(beginning(text))).toEqual([400, 'duplicate_key']);
    }
  });

  it('REQ-07 with a key that names a prototype is 400', async () => {
    for (const key of ['__proto__', 'constructor', 'prototype']) {
      expect(await refused(beginning(`{"${key}":{"polluted":true},`))).toEqual([400, 'forbidden_key']);
    }
  });

  it('REQ-08 without measure in depth, length or number is 400', async () => {
    const deep = `{"x":${'['.repeat(40)}${']'.repeat(40)},`;
    const long = `{"x":[${'0,'.repeat(10_001)}0],`;
    const many = `{"x":[${`[${'0,'.repeat(5_000)}0],`.repeat(5)}0],`;
    const key = `{"${'k'.repeat(300)}":0,`;
    for (const text of [deep, long, many, key]) expect(await refused(beginning(text))).toEqual([400, 'too_complex']);
  });

  it('REQ-09 with a number that is no safe integer is 400', async () => {
    for (const number of ['1e400', '9007199254740993', '-0', '1.5']) {
      const body = changed((request) => Object.assign(request, { policy: 'NUMBER' })).replace('"NUMBER"', number);
      expect(await refused(body)).toEqual([400, 'schema']);
    }
  });

  it('REQ-10 with bytes in no encoding is 400', async () => {
    for (const spoil of [(text: string) => `${text} `, (text: string) => `${text}*`, (text: string) => `+-${text}`]) {
      const body = changed((request) => Object.assign(request.evidence, { report: spoil(request.evidence.report) }));
      expect(await refused(body)).toEqual([400, 'encoding']);
    }
    const [azure = ''] = lab.bodies('az-snp-vtpm');
    for (const hex of ['0', 'zz'.repeat(32)]) {
      const request = JSON.parse(azure);
      request.evidence.tpmQuote.pcrs.sha256['0'] = hex;
      expect(await refused(JSON.stringify(request))).toEqual([400, 'encoding']);
    }
  });

  it('REQ-11 that is not clean UTF-8 is 400', async () => {
    const bytes = Buffer.from(genuine.body);
    const invalid = Buffer.from(bytes);
    invalid[bytes.indexOf('nonce')] = 0xff;
    const mark = Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), bytes]);
    const surrogate = beginning('{"x":"\\ud800",');
    const nul = beginning('{"x":"\\u0000",');
    for (const body of [invalid, mark, surrogate, nul]) expect(await refused(body)).toEqual([400, 'encoding']);
  });

  it('REQ-12 with evidence of another type than stated is 400', async () => {
    const [quote = ''] = lab.bodies('tdx');
    const body = changed((request) => Object.assign(request.evidence, { report: JSON.parse(quote).evidence.quote }));
    expect(await refused(body)).toEqual([400, 'type_mismatch']);
  });

  it('REQ-13 with evidence of a simulated TEE is 400', async () => {
    for (const type of ['sample', 'simulated', 'test', 'toy']) {
      const body = changed((request) => Object.assign(request.evidence, { type }));
      expect(await refused(body)).toEqual([400, 'type_unsupported']);
    }
  });

  it('REQ-14 that names a place to fetch from is 400', async () => {
    const member = changed((request) => Object.assign(request.evidence, { vcekUrl: 'http://169.254.169.254/' }));
    expect(await refused(member)).toEqual([400, 'unknown_property']);
    const vek = changed((request) => Object.assign(request.evidence.endorsements, { vek: 'https://kdsintf.amd.com/' }));
    expect(await refused(vek)).toEqual([400, 'encoding']);
  });
});

describe('headers, paths and methods', () => {
  it('REQ-15 that are too large, too many or ambiguous are refused', async () => {
    const large = head('GET /livez HTTP/1.1', `X-Large: ${'x'.repeat(65_536)}`);
    expect(await rawly(large)).toEqual([431, 'headers_too_large']);
    const many = Array.from({ length: 200 }, (_, index) => `X-${index}: x`);
    expect(await rawly(head('GET /livez HTTP/1.1', ...many, LAST))).toEqual([431, 'headers_too_large']);
    const both = head('POST /verify HTTP/1.1', JSON_LINE, 'Content-Length: 3', 'Transfer-Encoding: chunked');
    expect(await rawly(both)).toEqual([400, 'schema']);
    expect(await rawly(head('GET /..%2fverify HTTP/1.1', LAST))).toEqual([404, 'not_found']);
  });

  it('REQ-15 with an X-Forwarded-For of nobody known say nothing about the address', async () => {
    const id = 'forwarded';
    const headers = { 'x-forwarded-for': '203.0.113.9', 'x-request-id': id };
    expect((await call(service.url, '/nothing', { headers })).status).toBe(404);
    const logged = () => service.logged('request').filter(({ requestId }) => requestId === id);
    await expect.poll(logged).toMatchObject([{ address: '127.0.0.1' }]);
    expect(service.output).not.toContain('203.0.113.9');
  });

  it('REQ-17 that are not served do no work', async () => {
    for (const method of ['GET', 'OPTIONS', 'PUT', 'DELETE']) {
      expect(await rawly(head(`${method} /verify HTTP/1.1`, LAST))).toEqual([405, 'method_not_allowed']);
    }
    expect((await call(service.url, '/verify', { method: 'HEAD' })).status).toBe(405);
    const old = head('POST /verify HTTP/1.0', JSON_LINE, `Content-Length: ${genuine.body.length}`);
    expect(await rawly(old, genuine.body)).toEqual([405, 'method_not_allowed']);
    expect(await exchangeWithoutAnswer(service.port, head('CONNECT localhost:443 HTTP/1.1'))).toBe('');
    const pipelined = head('OPTIONS /verify HTTP/1.1') + head('GET /livez HTTP/1.1', LAST);
    expect(answersIn(await exchange(service.port, pipelined)).map(({ status }) => status)).toEqual([405, 200]);
  });

  it('REQ-18 that name a request as they should not are in no answer and no log', async () => {
    for (const id of ['a b', 'x'.repeat(10_240), '{"level":"fatal"}']) {
      const { headers } = await call(service.url, '/nothing', { headers: { 'x-request-id': id } });
      expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    }
    expect(await rawly(head('GET /nothing HTTP/1.1', 'X-Request-Id: \u001b[31mred'))).toEqual([400, 'schema']);
    expect(service.output).not.toMatch(/31m|x{100}|"level":"fatal"/);
  });
});

describe('material of the greatest size', () => {
  it('REQ-19 that no parser gets to the end of is refused', async () => {
    const chain = changed((request) => {
      request.evidence.endorsements = { chain: `-----BEGIN CERTIFICATE-----${'\n'.repeat(770_000)}` };
    });
    expect(await refused(chain)).toEqual([400, 'cert_format']);
    // An object identifier, and nothing else.
    const vek = base64Url(der(0x30, der(0x06, Buffer.alloc(700_000, 0x2a))));
    const identified = changed((request) => Object.assign(request.evidence, { endorsements: { vek } }));
    expect(await refused(identified)).toEqual([400, 'cert_format']);
  });

  it('REQ-19 of which a certificate has 230 000 key purposes is not shown', async () => {
    const value = der(0x30, Buffer.alloc(3 * 230_000, Buffer.from('06012a', 'hex')));
    const authorities = createAzureAkPki();
    const leaf = authorities.issueLeaf({
      key: authorities.authority('root').key.spki,
      extensions: (all) => [...all.filter(({ oid }) => oid !== '2.5.29.37'), { oid: '2.5.29.37', value }],
    });
    const [azure = ''] = lab.bodies('az-snp-vtpm');
    const evidence = { ...JSON.parse(azure).evidence, akCertificate: base64Url(leaf) };
    const { status, body } = await post(service.url, '/inspect', JSON.stringify(evidence));
    expect([status, body.code, body.pointer]).toEqual([400, 'cert_format', '/akCertificate']);
  });
});

describe('after all that', () => {
  it('the service is the same process, has judged nothing of it, and judges as ever', async () => {
    const judged = () => service.logged('request').filter((record) => record['decision'] !== undefined);
    expect(judged()).toEqual([]);
    const client = new Client(service.url, 1);
    expect(verdictOf(await client.ask(genuine))).toEqual(verdictFor(genuine));
    client.close();
    await expect.poll(() => judged().length).toBe(1);
    service.signal('SIGTERM');
    expect(await service.end()).toEqual({ exitCode: 0, signal: null, stderr: '' });
  });
});
