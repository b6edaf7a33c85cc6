import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { builtPages } from '../../../src/app/pages.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { call } from './exchange.js';
import { type FakeService, oneCaller, startFakeService } from './fake-service.js';

/** Whatever a page loads comes from the service, and nothing is script. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

const LASTING = 'public, max-age=31536000, immutable';

/** Names in which a dot or a slash is hidden lead to no file of the disk. */
const OUTSIDE = [
  '/inspector/../pages.json',
  '/inspector/%2e%2e%2fpages.json',
  '/inspector/..%5cpages.json',
  '/inspector/%00',
];

let service: FakeService;
const others: FakeService[] = [];

beforeAll(async () => {
  service = await startFakeService({ callers: oneCaller('a key', ['verify']) });
});

afterAll(async () => {
  await Promise.all([service, ...others].map((each) => each.close()));
});

async function startOther(options: Parameters<typeof startFakeService>[0]): Promise<FakeService> {
  const other = await startFakeService(options);
  others.push(other);
  return other;
}

describe('GET /inspector/veritee-inspector.html', () => {
  it('is for the disk: the policy of the service would keep its script from running', async () => {
    const { status, headers } = await call(service.url, '/inspector/veritee-inspector.html');
    expect([status, headers['content-disposition']]).toEqual([200, 'attachment']);
    expect((await call(service.url, '/')).headers['content-disposition']).toBeUndefined();
  });
});

describe('GET /docs', () => {
  const path = '/docs';

  it('is a page for everybody, under the policy of the inspector, and not kept', async () => {
    const { status, headers, body } = await call(service.url, path);
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(headers).toMatchObject({
      'content-security-policy': POLICY,
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    });
    expect(body).toMatch(/^<!doctype html>/);
    expect(body).not.toContain('<script');
  });

  it('loads nothing but a style and an icon, which are kept', async () => {
    const { body } = await call(service.url, path);
    const loaded = [...String(body).matchAll(/<link rel="(\w+)" href="([^"]+)"/g)];
    expect(loaded.map(([, rel]) => rel)).toEqual(['icon', 'stylesheet']);
    for (const [, rel, target = ''] of loaded) {
      const { status, headers } = await call(service.url, target);
      const type = rel === 'icon' ? 'image/svg+xml' : 'text/css; charset=utf-8';
      expect([status, headers['content-type']]).toEqual([200, type]);
      expect(headers['cache-control']).toBe(LASTING);
      expect(headers['content-security-policy']).toBe(POLICY);
    }
  });

  it('has no body for HEAD', async () => {
    const head = await call(service.url, path, { method: 'HEAD' });
    const { headers } = await call(service.url, path);
    expect([head.status, head.body, head.headers['content-length']]).toEqual([200, '', headers['content-length']]);
  });

  it('has no other method', async () => {
    const { status, headers, body } = await call(service.url, path, { method: 'DELETE' });
    expect([status, headers['allow'], body.code]).toEqual([405, 'GET, HEAD', 'method_not_allowed']);
  });

  it.each(['br', 'gzip'])('is compressed for who takes that: %s', async (encoding) => {
    const answer = await fetch(service.url + path, { headers: { 'accept-encoding': encoding } });
    const named = ['content-encoding', 'vary', 'content-type'].map((name) => answer.headers.get(name));
    expect(named).toEqual([encoding, 'accept-encoding', 'text/html; charset=utf-8']);
    const { body, headers } = await call(service.url, path);
    expect(await answer.text()).toBe(body);
    expect(Number(answer.headers.get('content-length'))).toBeLessThan(Number(headers['content-length']));
  });
});

/** The digest of what is in a file, in its name. */
const HASHED = /-[0-9A-Z]{8}\.(?:js|css|json|svg|png)$/;

describe('what browsers keep', () => {
  const listed = builtPages({ inspector: true }, new RecordingLog()).files.map(({ path }) => path);

  it('is what has its digest in its name', async () => {
    const kept = new Map<string, unknown>();
    for (const path of listed) kept.set(path, (await call(service.url, path)).headers['cache-control']);
    const expected = listed.map((path) => [path, HASHED.test(path) ? LASTING : 'no-store'] as const);
    expect(kept).toEqual(new Map(expected));
    const named = ['/', '/docs', '/inspector/veritee-inspector.html'];
    expect(named.map((path) => kept.get(path))).toEqual(named.map(() => 'no-store'));
    expect([...kept.values()].filter((each) => each === LASTING).length).toBeGreaterThan(5);
  });

  it('is no answer that there is no such page', async () => {
    for (const path of ['/inspector/app-AAAAAAAA.js', '/inspector/nothing', '/docs/nothing']) {
      const { status, headers } = await call(service.url, path);
      expect([path, status, headers['cache-control']]).toEqual([path, 404, 'no-store']);
    }
  });
});

describe('a page that there is not', () => {
  it.each([
    '/docs/nothing',
    '/docs/',
    '/inspector/nothing',
    '/inspector/',
    '/inspector/pages.json',
    '/inspector/docs.html',
    ...OUTSIDE,
  ])('is 404: %s', async (path) => {
    const { status, body, headers } = await call(service.url, path);
    expect([status, body.code, headers['content-type']]).toEqual([
      404,
      'not_found',
      'application/problem+json; charset=utf-8',
    ]);
    expect((await call(service.url, path, { method: 'HEAD' })).status).toBe(404);
  });
});

describe('pages that were not built', () => {
  it('are 404, and the service answers all else', async () => {
    const { url } = await startOther({ pages: { folder: '/nonexistent', files: [] } });
    for (const path of ['/', '/docs']) {
      expect([path, (await call(url, path)).status]).toEqual([path, 404]);
    }
    expect((await call(url, '/openapi.json')).status).toBe(200);
    expect((await call(url, '/livez')).status).toBe(200);
  });
});

describe('a page that is asked for in part, or on a condition that is for changes', () => {
  const FILES = ['/docs', '/inspector/veritee-inspector.html'];
  const FIELDS = [
    { range: 'bytes=9999999-' },
    { range: 'bytes=-0' },
    { range: 'bytes=0-9' },
    { 'if-match': '"x"' },
    { 'if-unmodified-since': 'Mon, 01 Jan 2001 00:00:00 GMT' },
  ];

  it.each(FIELDS)('is answered as a whole: %j', async (headers) => {
    for (const path of FILES) {
      const whole = await call(service.url, path);
      const asked = await call(service.url, path, { headers });
      expect([path, asked.status, asked.body]).toEqual([path, 200, whole.body]);
      expect(asked.headers['accept-ranges']).toBeUndefined();
      expect(asked.headers['content-length']).toBe(whole.headers['content-length']);
    }
  });

  it('is not sent again where the caller has it', async () => {
    for (const path of FILES) {
      const { etag } = (await call(service.url, path)).headers;
      const { status } = await call(service.url, path, { headers: { 'if-none-match': String(etag) } });
      expect([path, status]).toEqual([path, 304]);
    }
  });
});

describe('a version that is unpacked over the one that runs', () => {
  let folder: string;
  let url: string;

  /** The output of the build, with another name of the script for each version. */
  async function unpack(version: string): Promise<void> {
    const script = `app-${version}.js`;
    const page = `<!doctype html><script type="module" src="/inspector/${script}"></script>`;
    const of = (path: string, file: string, lasting: boolean) => ({ path, file, lasting, part: 'inspector' });
    const listed = [of('/', 'index.html', false), of(`/inspector/${script}`, script, true)];
    await writeFile(join(folder, 'index.html'), page);
    await writeFile(join(folder, 'index.html.br'), brotliCompressSync(page));
    await writeFile(join(folder, script), '');
    await writeFile(join(folder, 'pages.json'), JSON.stringify(listed));
  }

  const scriptAt = async (path: string, headers = {}) =>
    /src="([^"]+)"/.exec(await (await fetch(url + path, { headers })).text())?.[1] ?? '';

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'veritee-pages-'));
    await unpack('AAAAAAAA');
    ({ url } = await startOther({ pages: builtPages({ inspector: true }, new RecordingLog(), folder) }));
  });

  afterEach(() => rm(folder, { recursive: true }));

  it.each([{}, { 'accept-encoding': 'br' }])('leaves the page with the script that is served: %j', async (headers) => {
    await unpack('BBBBBBBB');
    const script = await scriptAt('/', headers);
    expect(script).toBe('/inspector/app-AAAAAAAA.js');
    expect((await call(url, script)).status).toBe(200);
    expect((await call(url, '/inspector/app-BBBBBBBB.js')).status).toBe(404);
  });

  it('leaves the headers of the page, and those alone for HEAD', async () => {
    await unpack('a longer name');
    const [get, head] = [await call(url, '/'), await call(url, '/', { method: 'HEAD' })];
    for (const { status, headers } of [get, head]) {
      expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
      expect(headers).toMatchObject({ 'content-security-policy': POLICY, 'cache-control': 'no-store' });
      expect(headers['content-length']).toBe(String(String(get.body).length));
    }
    expect(head.body).toBe('');
  });

  it('leaves no answer in a cache that a later one would replace', async () => {
    await rm(join(folder, 'app-AAAAAAAA.js'));
    const { status, headers } = await call(url, '/inspector/app-AAAAAAAA.js');
    expect([status, headers['cache-control'], headers['etag']]).toEqual([404, 'no-store', undefined]);
    await writeFile(join(folder, 'app-AAAAAAAA.js'), '');
    const found = await call(url, '/inspector/app-AAAAAAAA.js');
    expect([found.status, found.headers['cache-control']]).toEqual([200, LASTING]);
  });

  it('gives no page to a service that started without it', async () => {
    await rm(join(folder, 'index.html'));
    const { url: other } = await startOther({ pages: builtPages({ inspector: true }, new RecordingLog(), folder) });
    await unpack('BBBBBBBB');
    expect((await call(other, '/')).status).toBe(404);
    expect((await call(other, '/inspector/app-AAAAAAAA.js')).status).toBe(200);
  });
});
