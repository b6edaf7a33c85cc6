import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { requireConforming } from '../../contract/conforms.js';
import { answersIn, call, exchange, exchangeWithoutAnswer, post } from './exchange.js';
import { fakeServices, VERIFY_BODY } from './fake-service.js';

const start = fakeServices();

/** The head of a request, with the lines given after Host. */
function head(requestLine: string, ...lines: readonly string[]): string {
  return [requestLine, 'Host: localhost', ...lines, '', ''].join('\r\n');
}

function chunk(bytes: number): string {
  return `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`;
}

/** The one answer to raw bytes. It is a problem document as openapi.yaml has it. */
function refusalIn(received: string): { status: number; code: string } {
  const answers = answersIn(received);
  expect(answers).toHaveLength(1);
  const [answer] = answers;
  if (answer === undefined) throw new Error('no answer');
  requireConforming('POST', '/verify', answer);
  const { code } = answer.body as { code: string };
  return { status: answer.status, code };
}

describe('body', () => {
  const settings = { bodyBytes: 2_048 };

  it('REQ-01 is 413 where it says to be too long, without a byte of it being read', async () => {
    const service = await start({ settings });
    const lines = ['Content-Type: application/json', 'Content-Length: 2049', 'Connection: close'];
    const received = await exchange(service.port, head('POST /verify HTTP/1.1', ...lines));
    expect(refusalIn(received)).toEqual({ status: 413, code: 'body_too_large' });
    expect(service.verifyEvidence.asked).toHaveLength(0);
  });

  it('REQ-01 is 413 where it is chunked and goes on, and not more than twice the limit again is read', async () => {
    const service = await start({ settings });
    const lines = ['Content-Type: application/json', 'Transfer-Encoding: chunked'];
    // The body never ends: the answer comes, and the connection is closed.
    const parts = [head('POST /verify HTTP/1.1', ...lines), ...Array.from({ length: 64 }, () => chunk(1024))];
    const received = await exchange(service.port, ...parts);
    expect(refusalIn(received)).toEqual({ status: 413, code: 'body_too_large' });
    expect(service.verifyEvidence.asked).toHaveLength(0);
  });

  it('REQ-01 that is a little too long does not cost the client its connection', async () => {
    const service = await start({ settings });
    const long = [
      head('POST /verify HTTP/1.1', 'Content-Type: application/json', 'Content-Length: 3000'),
      'x'.repeat(3000),
    ];
    const received = await exchange(service.port, ...long, head('GET /livez HTTP/1.1', 'Connection: close'));
    expect(answersIn(received).map((answer) => answer.status)).toEqual([413, 200]);
  });

  it('REQ-01 of exactly the limit is read', async () => {
    const service = await start({ settings: { bodyBytes: Buffer.byteLength(VERIFY_BODY) } });
    expect((await post(service.url, '/verify', VERIFY_BODY)).status).toBe(200);
    expect((await post(service.url, '/verify', `${VERIFY_BODY} `)).body.code).toBe('body_too_large');
  });

  it.each([
    'application/json',
    'Application/JSON',
    'application/json;charset=utf-8',
    'application/json; charset=UTF-8',
  ])('is read as %s', async (contentType) => {
    const service = await start();
    expect((await post(service.url, '/verify', VERIFY_BODY, { 'content-type': contentType })).status).toBe(200);
  });

  it.each([
    'text/plain',
    'application/json\tx',
    'application/json garbage',
    'application/jsonx',
    'application/json,text/plain',
    'application/json; charset=utf-16',
    'application/json; charset=utf-8; x=y',
    'application/merge-patch+json',
    'multipart/form-data; boundary=x',
    '',
  ])('REQ-02 is 415 as "%s"', async (contentType) => {
    const service = await start();
    const lines = [`Content-Type: ${contentType}`, `Content-Length: ${VERIFY_BODY.length}`, 'Connection: close'];
    const received = await exchange(service.port, head('POST /verify HTTP/1.1', ...lines), VERIFY_BODY);
    expect(refusalIn(received)).toEqual({ status: 415, code: 'unsupported_media_type' });
    expect(service.verifyEvidence.asked).toHaveLength(0);
  });

  it.each(['/verify', '/inspect', '/challenges'])('REQ-02 is 415 without a type, at %s', async (path) => {
    const service = await start();
    const answer = await call(service.url, path, { method: 'POST', body: VERIFY_BODY });
    expect([answer.status, answer.body.code]).toEqual([415, 'unsupported_media_type']);
    const empty = await call(service.url, path, { method: 'POST' });
    expect([empty.status, empty.body.code]).toEqual([415, 'unsupported_media_type']);
    expect(service.verifyEvidence.asked).toHaveLength(0);
    expect(service.challenges.asked).toHaveLength(0);
  });

  it.each(['gzip', 'br', 'deflate', 'identity, gzip', 'x'])('REQ-03 is 415 encoded as %s', async (encoding) => {
    const service = await start();
    const answer = await post(service.url, '/verify', VERIFY_BODY, { 'content-encoding': encoding });
    expect([answer.status, answer.body.code]).toEqual([415, 'unsupported_media_type']);
    expect(service.verifyEvidence.asked).toHaveLength(0);
  });

  it('REQ-03 is 415 compressed for the transfer', async () => {
    const service = await start();
    const lines = ['Content-Type: application/json', 'Transfer-Encoding: gzip, chunked', 'Connection: close'];
    const body = `${VERIFY_BODY.length.toString(16)}\r\n${VERIFY_BODY}\r\n0\r\n\r\n`;
    const received = await exchange(service.port, head('POST /verify HTTP/1.1', ...lines), body);
    expect(refusalIn(received)).toEqual({ status: 415, code: 'unsupported_media_type' });
    expect(service.verifyEvidence.asked).toHaveLength(0);
  });

  it('REQ-03 is read where it says to be encoded as identity', async () => {
    const service = await start();
    expect((await post(service.url, '/verify', VERIFY_BODY, { 'content-encoding': 'identity' })).status).toBe(200);
  });

  it.each([
    ['a member that is none', { vcekUrl: 'http://169.254.169.254/vcek' }, 'unknown_property'],
    ['the place of a certificate', { endorsements: { vek: 'https://kdsintf.amd.com/vcek/v1/Milan/x' } }, 'encoding'],
    ['the place of bytes', { report: 'file:///etc/passwd' }, 'encoding'],
  ])('REQ-14 that names a URL in %s is 400', async (_title, members, code) => {
    const service = await start();
    const request = JSON.parse(VERIFY_BODY);
    const body = JSON.stringify({ ...request, evidence: { ...request.evidence, ...members } });
    const answer = await post(service.url, '/verify', body);
    expect([answer.status, answer.body.code]).toEqual([400, code]);
    expect(service.verifyEvidence.asked).toHaveLength(0);
  });
});

describe('headers and path', () => {
  it('REQ-15 of 64 KiB are 431', async () => {
    const service = await start();
    const received = await exchange(service.port, head('GET /livez HTTP/1.1', `X-Long: ${'x'.repeat(65_536)}`));
    expect(refusalIn(received)).toEqual({ status: 431, code: 'headers_too_large' });
  });

  it('REQ-15 of 200 lines are 431, and 90 are read', async () => {
    const service = await start();
    const lines = (count: number) => Array.from({ length: count }, (_, i) => `X-${i}: y`);
    const many = await exchange(service.port, head('GET /livez HTTP/1.1', ...lines(200), 'Connection: close'));
    expect(refusalIn(many)).toEqual({ status: 431, code: 'headers_too_large' });
    const few = await exchange(service.port, head('GET /livez HTTP/1.1', ...lines(90), 'Connection: close'));
    expect(answersIn(few).map((answer) => answer.status)).toEqual([200]);
  });

  it.each([
    ['Transfer-Encoding with Content-Length', ['Transfer-Encoding: chunked', 'Content-Length: 4']],
    ['Content-Length twice', ['Content-Length: 4', 'Content-Length: 5']],
    ['a Content-Length that is none', ['Content-Length: -4']],
    ['an unknown Transfer-Encoding', ['Transfer-Encoding: chunked, gzip']],
    ['a line folded', ['X-A: b', ' c']],
    ['a blank before the colon', ['X-A : b']],
  ])('REQ-15 with %s is 400', async (_title, lines) => {
    const service = await start();
    const text = head('POST /verify HTTP/1.1', 'Content-Type: application/json', ...lines);
    const received = await exchange(service.port, text, '0\r\n\r\n');
    expect(refusalIn(received)).toEqual({ status: 400, code: 'schema' });
    expect(service.verifyEvidence.asked).toHaveLength(0);
  });

  it.each([
    ['Host', 'attacker.example'],
    ['Content-Type', 'text/plain'],
    ['Authorization', 'Bearer another'],
  ])('REQ-15 with %s twice are 400: another reader would take the other one', async (name, value) => {
    const service = await start();
    const lines = ['Content-Type: application/json', 'Authorization: Bearer one', 'Connection: close'];
    const text = head('POST /verify HTTP/1.1', ...lines, `Content-Length: ${VERIFY_BODY.length}`, `${name}: ${value}`);
    expect(refusalIn(await exchange(service.port, text, VERIFY_BODY))).toEqual({ status: 400, code: 'schema' });
    expect(service.verifyEvidence.asked).toHaveLength(0);
  });

  it('REQ-15 without Host is 400', async () => {
    const service = await start();
    const received = await exchange(service.port, 'GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n');
    expect(refusalIn(received)).toEqual({ status: 400, code: 'schema' });
  });

  it('that is not HTTP is 400', async () => {
    const service = await start();
    const received = await exchange(service.port, 'GET /livez SMTP/1.1\r\n\r\n');
    expect(refusalIn(received)).toEqual({ status: 400, code: 'schema' });
  });

  it.each(['/nothing', '/verify/', '/Verify', '//verify', '/%zz', '/..%2fverify', '/verify%00', '/docs/../verify'])(
    'REQ-15 to the path %s is 404',
    async (path) => {
      const service = await start();
      const lines = ['Content-Type: application/json', `Content-Length: ${VERIFY_BODY.length}`, 'Connection: close'];
      const received = await exchange(service.port, head(`POST ${path} HTTP/1.1`, ...lines), VERIFY_BODY);
      expect(refusalIn(received)).toEqual({ status: 404, code: 'not_found' });
      expect(service.verifyEvidence.asked).toHaveLength(0);
    },
  );

  it('REQ-15 with an X-Forwarded-For of nobody known say nothing about the address', async () => {
    const service = await start();
    await call(service.url, '/nothing', { headers: { 'x-forwarded-for': '203.0.113.9' } });
    expect(service.lines.records).toMatchObject([{ status: 404, address: '127.0.0.1' }]);
  });

  it('REQ-15 with an X-Forwarded-For of a configured proxy give the address that it saw', async () => {
    const service = await start({ settings: { trustedProxies: ['127.0.0.1'] } });
    await call(service.url, '/nothing', { headers: { 'x-forwarded-for': '198.51.100.1, 203.0.113.9' } });
    expect(service.lines.records).toMatchObject([{ status: 404, address: '203.0.113.9' }]);
  });

  it('with an unknown expectation are read as if there were none', async () => {
    const service = await start();
    const received = await exchange(service.port, head('GET /livez HTTP/1.1', 'Expect: wonders', 'Connection: close'));
    expect(answersIn(received).map((answer) => answer.status)).toEqual([200]);
  });
});

describe('slow and idle connections', () => {
  const connections = { headersMs: 100, requestMs: 200, keepAliveMs: 100, checkMs: 20 };

  it('REQ-16 whose headers do not come are closed, with 408', async () => {
    const service = await start({ settings: { connections } });
    const received = await exchange(service.port, 'POST /verify HTTP/1.1\r\nHost: localhost\r\n');
    expect(refusalIn(received)).toEqual({ status: 408, code: 'schema' });
  });

  it('REQ-16 that say nothing at all are closed', async () => {
    const service = await start({ settings: { connections } });
    expect(refusalIn(await exchange(service.port))).toMatchObject({ status: 408 });
  });

  it('REQ-16 whose body drips are closed, with 408', async () => {
    const service = await start({ settings: { connections } });
    const lines = ['Content-Type: application/json', 'Content-Length: 1000'];
    const drip = new Promise<string>((resolve) => {
      const socket = connect(service.port, '127.0.0.1');
      let received = '';
      socket.write(head('POST /verify HTTP/1.1', ...lines));
      const timer = setInterval(() => socket.write('x'), 10);
      socket.on('data', (data) => {
        received += data.toString('latin1');
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        clearInterval(timer);
        resolve(received);
      });
    });
    expect(refusalIn(await drip)).toEqual({ status: 408, code: 'schema' });
    expect(service.verifyEvidence.asked).toHaveLength(0);
  });

  it('REQ-16 that stay idle after an answer are closed', async () => {
    const service = await start({ settings: { connections } });
    const received = await exchange(service.port, head('GET /livez HTTP/1.1'));
    expect(answersIn(received).map((answer) => answer.status)).toEqual([200]);
  });

  it('REQ-16 whose refused body does not come are closed without a second answer', async () => {
    const service = await start({ settings: { connections } });
    const lines = ['Content-Type: text/plain', 'Content-Length: 1000'];
    const received = await exchange(service.port, head('POST /verify HTTP/1.1', ...lines));
    expect(refusalIn(received)).toEqual({ status: 415, code: 'unsupported_media_type' });
  });

  it('REQ-16 whose request is never answered are closed', async () => {
    const service = await start({
      settings: { connections: { headersMs: 100, requestMs: 100 }, deadlineSeconds: 0.1 },
    });
    service.verifyEvidence.answer = () => new Promise(() => {});
    const lines = ['Content-Type: application/json', `Content-Length: ${VERIFY_BODY.length}`];
    const received = await exchange(service.port, head('POST /verify HTTP/1.1', ...lines), VERIFY_BODY);
    expect(received).toBe('');
    expect(service.verifyEvidence.asked).toHaveLength(1);
  });

  it('REQ-16 in numbers do not keep another client from its answer', async () => {
    const service = await start();
    const silent = await Promise.all(Array.from({ length: 300 }, () => connected(service.port)));
    for (const [i, socket] of silent.entries()) if (i % 2 === 0) socket.write('POST /verify HTTP/1.1\r\n');
    expect((await post(service.url, '/verify', VERIFY_BODY)).status).toBe(200);
    for (const socket of silent) socket.destroy();
  });

  it('REQ-16 above the number that is held are closed at once, and those held are served', async () => {
    const service = await start({ settings: { connections: { connections: 2 } } });
    const held = [await connected(service.port), await connected(service.port)];
    expect(await exchangeWithoutAnswer(service.port)).toBe('');
    const [first] = held;
    const answer = new Promise<string>((resolve) => first?.once('data', (data) => resolve(data.toString('latin1'))));
    first?.write(head('GET /livez HTTP/1.1'));
    expect(await answer).toMatch(/^HTTP\/1\.1 200/);
    for (const socket of held) socket.destroy();
  });

  function connected(port: number): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(socket));
      socket.on('error', reject);
    });
  }
});

describe('methods', () => {
  it.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND', 'QUERY'])(
    'REQ-17 %s of /verify is 405 and says what is served',
    async (method) => {
      const service = await start();
      const received = await exchange(service.port, head(`${method} /verify HTTP/1.1`, 'Connection: close'));
      expect(received).toMatch(/^HTTP\/1\.1 405 /);
      expect(received).toMatch(/^allow: POST\r$/m);
      expect(service.verifyEvidence.asked).toHaveLength(0);
    },
  );

  it('REQ-17 that HTTP does not know is 405', async () => {
    const service = await start();
    const received = await exchange(service.port, head('VERIFY /verify HTTP/1.1'));
    expect(refusalIn(received)).toEqual({ status: 405, code: 'method_not_allowed' });
  });

  it('REQ-17 OPTIONS with a preflight gets no CORS header, and neither does an answer', async () => {
    const service = await start();
    const origin = { origin: 'https://attacker.example' };
    const preflight = { ...origin, 'access-control-request-method': 'POST' };
    const answers = [
      await call(service.url, '/verify', { method: 'OPTIONS', headers: preflight }),
      await post(service.url, '/verify', VERIFY_BODY, origin),
    ];
    for (const { headers } of answers) {
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
    expect(answers.map((answer) => answer.status)).toEqual([405, 200]);
  });

  it('REQ-17 CONNECT is answered by nobody', async () => {
    const service = await start();
    expect(await exchangeWithoutAnswer(service.port, head('CONNECT localhost:443 HTTP/1.1'))).toBe('');
  });

  it.each(['0.9', '1.0', '2.0'])(
    'REQ-17 over HTTP/%s is 405 where work would be done, and 200 at /livez',
    async (version) => {
      const service = await start();
      const lines = ['Content-Type: application/json', `Content-Length: ${VERIFY_BODY.length}`, 'Connection: close'];
      const verify = await exchange(service.port, head(`POST /verify HTTP/${version}`, ...lines), VERIFY_BODY);
      expect(refusalIn(verify)).toEqual({ status: 405, code: 'method_not_allowed' });
      expect(service.verifyEvidence.asked).toHaveLength(0);
      const live = await exchange(service.port, head(`GET /livez HTTP/${version}`, 'Connection: close'));
      expect(live).toMatch(/^HTTP\/1\.1 200/);
    },
  );

  it('REQ-17 pipelined are answered one by one in their order, and those that are not served do no work', async () => {
    const service = await start();
    const lines = ['Content-Type: application/json', `Content-Length: ${VERIFY_BODY.length}`];
    const received = await exchange(
      service.port,
      [
        head('OPTIONS /verify HTTP/1.1'),
        head('POST /verify HTTP/1.1', ...lines) + VERIFY_BODY,
        head('GET /verify HTTP/1.1'),
        head('GET /livez HTTP/1.1', 'Connection: close'),
      ].join(''),
    );
    expect(answersIn(received).map((answer) => answer.status)).toEqual([405, 200, 405, 200]);
    expect(service.verifyEvidence.asked).toHaveLength(1);
  });
});

describe('request ids', () => {
  it('REQ-18 that are plain are kept, in the answer and in the log', async () => {
    const service = await start();
    const { headers } = await call(service.url, '/nothing', { headers: { 'x-request-id': 'job_17-b' } });
    expect(headers['x-request-id']).toBe('job_17-b');
    expect(service.lines.records).toMatchObject([{ requestId: 'job_17-b' }]);
  });

  it('REQ-18 with escapes in them do not pass as HTTP, and are in no log', async () => {
    const service = await start({ level: 'trace' });
    const received = await exchange(service.port, head('GET /nothing HTTP/1.1', 'X-Request-Id: \u001b[31mred'));
    expect(refusalIn(received)).toEqual({ status: 400, code: 'schema' });
    expect(service.lines.text).not.toContain('31m');
  });

  it('REQ-18 with other signs or too long are replaced, and the log stays one line a record', async () => {
    const service = await start();
    for (const id of ['a b', 'x'.repeat(10_240), '{"level":"fatal"}']) {
      const { headers, body } = await call(service.url, '/nothing', { headers: { 'x-request-id': id } });
      expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
      expect(body.requestId).toBe(headers['x-request-id']);
    }
    expect(service.lines.records).toHaveLength(3);
  });
});
