import { openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/core/errors.js';
import { createLog, outputTo } from '../../../src/telemetry/log.js';
import { LogLines } from '../../integration/http/fake-service.js';

const SECRET = 'c2VjcmV0LXNlY3JldC1zZWNyZXQ';

function written(fields: object): string {
  const lines = new LogLines();
  createLog('trace', lines).trace(fields, 'message');
  return lines.text;
}

describe('log', () => {
  it.each([
    ['a header', { headers: { authorization: `Bearer ${SECRET}` } }],
    ['a header in another case', { req: { headers: { Authorization: SECRET, 'X-Api-Key': SECRET } } }],
    ['a cookie', { res: { headers: { 'set-cookie': [SECRET] } } }],
    ['a nonce', { nonce: SECRET }],
    ['a nonce, deep down', { a: { b: { nonce: SECRET } } }],
    ['evidence', { request: { evidence: { type: 'snp', report: SECRET } } }],
    ['a body', { body: { any: SECRET } }],
    ['something in a list', { requests: [{ hclReport: SECRET }] }],
    ['something below the depth that is written', { a: { b: { c: { d: { e: { f: { g: SECRET } } } } } } }],
    ['bytes', { x: Buffer.from(SECRET) }],
    ['a path and user of a URL', { url: new URL(`https://${SECRET}@host.example/${SECRET}?k=${SECRET}`) }],
    ['the message of an error that is not ours', { err: new SyntaxError(`unexpected token in ${SECRET}`) }],
    ['a message of several lines', { err: new Error(`first\n  at ${SECRET}\n${SECRET}`) }],
    ['a cause', { err: new FormatError('encoding', 'not base64', { cause: new Error(SECRET) }) }],
    ['a text that was thrown', { err: SECRET }],
    ['an object that was thrown', { err: { any: SECRET } }],
    ['a member of an error', { err: Object.assign(new Error('x'), { body: SECRET, input: SECRET }) }],
  ])('LOG-01 never holds %s', (_title, fields) => {
    expect(written({ kept: 'kept', ...fields })).not.toContain(SECRET);
    expect(written({ kept: 'kept', ...fields })).toContain('"kept":"kept"');
  });

  it('holds what is no secret: ids, numbers, codes, instants, and the messages of our own errors', () => {
    const err = new FormatError('encoding', 'not base64url or base64');
    const at = new Date('2026-01-15T12:00:00Z');
    const record = JSON.parse(written({ requestId: 'r1', status: 400, at, list: [1, 'two'], none: null, err }));
    expect(record).toMatchObject({
      level: 'trace',
      msg: 'message',
      requestId: 'r1',
      status: 400,
      at: '2026-01-15T12:00:00.000Z',
      list: [1, 'two'],
      none: null,
      err: { type: 'FormatError', code: 'encoding', message: 'not base64url or base64' },
    });
    expect(record.err.frames[0]).toMatch(/^at .+log\.test\.ts:\d+:\d+\)?$/);
  });

  it('tells kind, code and place of an error that is not ours, and of its causes', () => {
    const cause = Object.assign(new Error('secret'), { code: 'ECONNREFUSED' });
    const record = JSON.parse(written({ err: new TypeError('secret', { cause }) }));
    expect(record.err).toMatchObject({ type: 'TypeError', cause: { type: 'Error', code: 'ECONNREFUSED' } });
    expect(record.err).not.toHaveProperty('message');
  });

  it('REQ-18 is one line a record, whatever stands in it', () => {
    const text = written({ requestId: 'a\r\n{"level":"fatal"}\u001b[31m\u2028' });
    expect(text.split('\n')).toEqual([expect.any(String), '']);
    expect(text).not.toContain('\u001b');
    expect(text).not.toContain('\r');
  });

  it('writes nothing below its level', () => {
    const lines = new LogLines();
    createLog('warn', lines).info({}, 'message');
    expect(lines.text).toBe('');
  });
});

describe.runIf(process.platform === 'linux')('the output of a log on a full disk', () => {
  it('is told of once, and does not keep the process from ending', async () => {
    const descriptor = openSync('/dev/full', 'w');
    const said: string[] = [];
    const output = outputTo(descriptor, (problem) => said.push(problem));
    const log = createLog('info', output);
    for (let record = 0; record < 3; record++) {
      log.info({}, 'message');
      await new Promise((resolve) => output.once('error', resolve));
    }
    expect(said).toEqual(['cannot be written: no space is left']);
    // It would wait for space for ever.
    output.flushSync();
    output.destroy();
  });
});
