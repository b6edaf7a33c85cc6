import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { builtPages } from '../../../src/app/pages.js';
import { makePipe } from '../../make-pipe.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { call, LabService } from './lab-service.js';

const CALLERS = {
  ci: { apiKeySha256: createHash('sha256').update('key').digest('hex'), expires: '2099-01-01', roles: ['verify'] },
};

/** Whatever a page loads comes from the service, and no text becomes script. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/** As pages.json lists it. */
const PAGE = { path: '/docs', file: 'docs.html', lasting: false, part: 'docs' } as const;

let lab: LabService;

beforeAll(async () => {
  lab = await LabService.create();
});

afterEach(() => lab.stop());

afterAll(() => lab.close());

describe('pages', () => {
  it('are served to everybody, under a policy that lets in nothing from elsewhere', async () => {
    const { url } = await lab.start({ callers: CALLERS });
    const { status, body, headers } = await call(url, '/');
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(headers).toMatchObject({
      'content-security-policy': POLICY,
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    });
    const loaded = [...String(body).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, target]) => String(target));
    expect(loaded.map((target) => /\.\w+$/.exec(target)?.[0]).sort()).toEqual(['.css', '.js', '.svg']);
    for (const target of loaded) {
      const file = await fetch(url + target);
      expect([file.status, file.headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable']);
      expect(file.headers.get('content-security-policy')).toBe(POLICY);
    }
  });

  it('are compressed for who takes that', async () => {
    const { url } = await lab.start();
    const [script = ''] = /\/inspector\/[^"]+\.js/.exec(String((await call(url, '/')).body)) ?? [];
    for (const encoding of ['br', 'gzip']) {
      const { headers } = await fetch(url + script, { headers: { 'accept-encoding': encoding } });
      expect(headers.get('content-encoding')).toBe(encoding);
      expect(headers.get('vary')).toContain('accept-encoding');
    }
  });

  it('are offered as one file, with its digest beside', async () => {
    const { url } = await lab.start();
    const file = Buffer.from(await (await fetch(`${url}/inspector/veritee-inspector.html`)).arrayBuffer());
    const beside = await fetch(`${url}/inspector/veritee-inspector.html.sha256`);
    const digest = createHash('sha256').update(file).digest('hex');
    expect(await beside.text()).toBe(`${digest}  veritee-inspector.html\n`);
    expect(beside.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(file.toString()).not.toMatch(/\b(?:src|href)="(?!data:)[^"#]/);
  });

  it('are under a policy of their own in the one file, which lets in its script and style and contacts nobody', async () => {
    const { url } = await lab.start();
    const file = await (await fetch(`${url}/inspector/veritee-inspector.html`)).text();
    const [script, ...otherScripts] = [...file.matchAll(/<script[^>]*>(.*?)<\/script>/gs)].map(digestOfContent);
    const [style, ...otherStyles] = [...file.matchAll(/<style[^>]*>(.*?)<\/style>/gs)].map(digestOfContent);
    expect([otherScripts, otherStyles]).toEqual([[], []]);
    const policies = [...file.matchAll(/<meta http-equiv="Content-Security-Policy" content="([^"]*)">/gi)];
    expect(policies.map(([, policy]) => policy)).toEqual([
      `default-src 'none'; script-src '${script}'; style-src '${style}'; img-src data:; base-uri 'none'; ` +
        "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    ]);
    // The part before it is outside of it.
    expect(file.slice(0, policies[0]?.index)).not.toMatch(/<(?:script|style|link|img|base)\b/i);
  });

  it.each([
    '/inspector/',
    '/inspector/pages.json',
    '/inspector/index.html',
    '/inspector/../package.json',
    '/inspector/%2e%2e/main.js',
  ])('are all that is served of their folder, and not %s', async (path) => {
    const { url } = await lab.start();
    expect((await call(url, path)).status).toBe(404);
  });

  it('are not served where they are switched off, but for /docs and the files that it loads', async () => {
    const { url } = await lab.start({ inspector: false });
    const loaded = [...String((await call(url, '/docs')).body).matchAll(/<link rel="\w+" href="([^"]+)"/g)];
    const docs = ['/docs', ...loaded.map(([, target]) => String(target))];
    expect(await Promise.all(docs.map(statusOf(url)))).toEqual([200, 200, 200]);
    const inspector = ['/', '/inspector/veritee-inspector.html'];
    expect(await Promise.all(inspector.map(statusOf(url)))).toEqual([404, 404]);
  });
});

describe('pages on the disk', () => {
  let folder: string;
  let log: RecordingLog;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'veritee-pages-'));
    log = new RecordingLog();
  });

  afterEach(() => rm(folder, { recursive: true }));

  it('are missed in the log where they were not built', () => {
    expect(builtPages({ inspector: true }, log, folder)).toEqual({ folder, files: [] });
    expect(log.of(/are not built/)).toEqual([{ folder }]);
  });

  // Verification does not depend on the pages.
  it('are missed in the log where their list cannot be read', async () => {
    await writeFile(join(folder, 'pages.json'), '[{"name": "ind');
    expect(builtPages({ inspector: true }, log, folder)).toEqual({ folder, files: [] });
    expect(log.of(/cannot be read/)).toEqual([{ folder, err: expect.any(SyntaxError) }]);
  });

  it.each([
    ['an object', {}],
    ['no objects', [null]],
    ['a path that is no text', [PAGE, { ...PAGE, path: 1 }]],
    ['a path that is none of a URL', [PAGE, { ...PAGE, path: 'docs' }]],
    ['a path of another route', [PAGE, { ...PAGE, path: '/openapi.json' }]],
    ['a path of another route, with a parameter', [PAGE, { ...PAGE, path: '/endorsements/x' }]],
    ['a path with a wildcard', [PAGE, { ...PAGE, path: '/inspector/x*y' }]],
    ['a path of two folders', [PAGE, { ...PAGE, path: '/inspector/x/y' }]],
    ['no page', []],
    ['a file that is no text', [PAGE, { ...PAGE, file: null }]],
    ['what is neither lasting nor not', [PAGE, { ...PAGE, lasting: 'false' }]],
    ['a part that there is not', [PAGE, { ...PAGE, part: 'other' }]],
  ])('are missed in the log where their list is of another shape: %s', async (_, listed) => {
    await writeFile(join(folder, PAGE.file), 'page');
    await writeFile(join(folder, 'pages.json'), JSON.stringify(listed));
    expect(builtPages({ inspector: true }, log, folder)).toEqual({ folder, files: [] });
    expect(log.of(/is no list of pages/)).toEqual([{ folder }]);
    expect(log.entries).toHaveLength(1);
  });

  it('are missed in the log where their list is longer than any list, or no file', async () => {
    const list = join(folder, 'pages.json');
    await writeFile(list, JSON.stringify([PAGE]).padEnd(2 ** 20 + 1));
    expect(builtPages({ inspector: true }, log, folder)).toEqual({ folder, files: [] });
    await rm(list);
    makePipe(list);
    expect(builtPages({ inspector: true }, log, folder)).toEqual({ folder, files: [] });
    const [tooLong, pipe] = log.of(/cannot be read/).map((fields) => String((fields as { readonly err: unknown }).err));
    expect(tooLong).toBe('Error: it is 1048577 bytes, at most 1048576 are allowed');
    expect(pipe).toBe('Error: it is not a regular file');
    await rm(list);
    await writeFile(list, JSON.stringify([PAGE]).padEnd(2 ** 20));
    await writeFile(join(folder, PAGE.file), 'page');
    expect(builtPages({ inspector: true }, log, folder)).toEqual({ folder, files: [PAGE] });
  });

  describe('and files that are listed and not there', () => {
    const list = async (...files: readonly string[]) => {
      const listed = files.map((file) => ({ ...PAGE, path: `/inspector/${file.replace('/', '-')}`, file }));
      await writeFile(join(folder, 'pages.json'), JSON.stringify(listed));
      return listed;
    };

    it('are named in the log, once, and the others are served', async () => {
      const [first, , , last] = await list('a.html', 'b.html', 'folder/c.html', 'd.html');
      for (const file of ['a.html', 'd.html']) await writeFile(join(folder, file), 'page');
      expect(builtPages({ inspector: true }, log, folder)).toEqual({ folder, files: [first, last] });
      const fields = { folder, missing: ['b.html', 'folder/c.html'], count: 2 };
      const message =
        'pages are missing or cannot be read, so that they are not served: install the package or image again';
      expect(log.entries).toEqual([{ level: 'warn', fields, message }]);
    });

    it('are five in the log at most, with how many there are', async () => {
      await list(...Array.from({ length: 300 }, (_, index) => `${index}.html`));
      builtPages({ inspector: true }, log, folder);
      const missing = ['0.html', '1.html', '2.html', '3.html', '4.html'];
      expect(log.entries.map(({ fields }) => fields)).toEqual([{ folder, missing, count: 300 }]);
    });

    it('are missed, too, where the page at / cannot be read', async () => {
      await mkdir(join(folder, 'index.html'));
      const listed = [{ ...PAGE, path: '/', file: 'index.html', part: 'inspector' }];
      await writeFile(join(folder, 'pages.json'), JSON.stringify(listed));
      expect(builtPages({ inspector: true }, log, folder)).toEqual({ folder, files: [] });
      expect(log.entries.map(({ fields }) => fields)).toEqual([{ folder, missing: ['index.html'], count: 1 }]);
    });

    it('are missed, too, where a pipe stands in the place of one', async () => {
      await list('a.html');
      makePipe(join(folder, 'a.html'));
      expect(builtPages({ inspector: true }, log, folder)).toEqual({ folder, files: [] });
      expect(log.entries.map(({ fields }) => fields)).toEqual([{ folder, missing: ['a.html'], count: 1 }]);
    });

    it('are not missed where the inspector is switched off', async () => {
      const listed = [{ ...PAGE, path: '/', file: 'index.html', part: 'inspector' }, PAGE];
      await writeFile(join(folder, 'pages.json'), JSON.stringify(listed));
      await writeFile(join(folder, PAGE.file), 'page');
      expect(builtPages({ inspector: false }, log, folder)).toEqual({ folder, files: [PAGE] });
      expect(log.entries).toEqual([]);
    });

    it('are not missed where all are there', async () => {
      await list('a.html');
      await writeFile(join(folder, 'a.html'), 'page');
      builtPages({ inspector: true }, log, folder);
      expect(log.entries).toEqual([]);
    });
  });
});

const digestOfContent = ([, content = '']: RegExpMatchArray) =>
  `sha256-${createHash('sha256').update(content).digest('base64')}`;
const statusOf = (url: string) => async (path: string) => (await fetch(url + path)).status;
