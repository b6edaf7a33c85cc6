import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../../../src/core/errors.js';
import { readCollectorHeaders } from '../../../../src/telemetry/traces/collector-headers.js';

let folder = '';
let file = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veritee-headers-'));
  file = join(folder, 'headers');
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(text: string) {
  await writeFile(file, text);
  return readCollectorHeaders(file);
}

async function refusalOf(text: string): Promise<string> {
  const error = await read(text).catch((thrown: unknown) => thrown);
  if (!(error instanceof ConfigurationError)) throw new Error('no refusal');
  return error.message;
}

describe('the file of headers', () => {
  it('has a header a line, whose value may hold colons, commas and blanks', async () => {
    expect(await read('Authorization: Bearer abc,def==\r\n\n  \nx-tenant:a: b  \n')).toEqual({
      Authorization: 'Bearer abc,def==',
      'x-tenant': 'a: b',
    });
  });

  it.each([
    ['without a colon', 'authorization secret-42', 'line 1 is not of the form Name: value'],
    ['without a value', 'a: b\nauthorization:', 'line 2 is not of the form Name: value'],
    ['with a blank in its name', 'secret-42 : b', 'line 1 is not of the form Name: value'],
    ['with a control character', 'a: secret\u000042', 'line 1 is not of the form Name: value'],
    ['with a lone carriage return', 'a: secret\r42', 'line 1 is not of the form Name: value'],
    ['beyond ASCII', 'a: secrét-42', 'line 1 is not of the form Name: value'],
    ['that says how long the body is', 'Content-Length: 42', 'line 1 names a header that the service sets itself'],
    ['that says whom it is for', 'host: secret-42', 'line 1 names a header that the service sets itself'],
    ['that is there already', 'a: b\nA: secret-42', 'line 2 names a header again'],
  ])('is refused with a line %s, and not quoted', async (_title, text, why) => {
    expect(await refusalOf(text)).toBe(`traces.headersFile: ${file}: ${why}`);
  });

  it('is refused where there is none in it, or more than 16, or more than 16 384 characters', async () => {
    const headers = (count: number) => Array.from({ length: count }, (_, index) => `x-${index}: v`).join('\n');
    const long = (characters: number) => `a: ${'x'.repeat(characters - 3)}`;
    expect(await refusalOf(' \n')).toBe(
      `traces.headersFile: ${file}: has no header; write them as Name: value, one a line`,
    );
    expect(await refusalOf(headers(17))).toBe(`traces.headersFile: ${file}: has more than 16 headers`);
    expect(Object.keys(await read(headers(16)))).toHaveLength(16);
    expect(await refusalOf(long(16_385))).toBe(`traces.headersFile: ${file}: is over 16384 characters`);
    expect(Object.keys(await read(long(16_384)))).toEqual(['a']);
  });

  it('is refused where it is missing', async () => {
    const missing = join(folder, 'missing');
    await expect(readCollectorHeaders(missing)).rejects.toThrow(
      new ConfigurationError([{ path: ['traces', 'headersFile'], what: `${missing}: there is no such file` }]),
    );
  });
});
