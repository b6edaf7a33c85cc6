import type { RouteOptions } from 'fastify';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ApiDocument, roleOf } from '../../../scripts/pages/api-page.js';
import { ROLES, type Role } from '../../../src/core/request.js';
import type { Access } from '../../../src/http/access.js';
import { createApplication } from '../../../src/http/application.js';
import { servedPath } from '../../../src/http/request-log.js';
import { readProjectFile } from '../../architecture/project-files.js';
import { requireConforming } from '../../contract/conforms.js';
import { OPENAPI_DOCUMENT } from '../../contract/openapi-document.js';
import { answersIn, exchange } from './exchange.js';
import { type FakeService, fakeDependencies, oneCaller, startFakeService } from './fake-service.js';

const KEY = 'k'.repeat(43);
const API = OPENAPI_DOCUMENT as unknown as ApiDocument;
const PARAMETER = /:(id|keyId|sha256)/;

interface AuditedRoute {
  readonly method: string;
  readonly url: string;
  readonly access: Access | undefined;
}

/** Every route that an instance has, whoever added it. */
async function routesOfInstance(): Promise<readonly AuditedRoute[]> {
  const seen: { readonly route: RouteOptions; readonly method: string; readonly url: string }[] = [];
  const application = createApplication(fakeDependencies());
  application.addHook('onRoute', (route) => {
    for (const method of [route.method].flat()) seen.push({ route, method, url: servedPath(route.url) });
  });
  await application.ready();
  await application.close();
  return seen.map(({ route, method, url }) => ({ method, url, access: route.config?.access }));
}

/** The roles that each call asks for. What is not here is public, and has to be listed below. */
const ROLE_OF: ReadonlyMap<string, Role> = new Map([
  ['POST /verify', 'verify'],
  ['POST /keys/:keyId/release', 'release'],
  ['POST /challenges', 'verify'],
  ['POST /inspect', 'verify'],
  ['GET /endorsements/:sha256', 'verify'],
  ['HEAD /endorsements/:sha256', 'verify'],
  ['POST /policies:lint', 'verify'],
  ['POST /policies:evaluate', 'verify'],
  ['GET /policies', 'policy:read'],
  ['HEAD /policies', 'policy:read'],
  ['GET /policies/:id', 'policy:read'],
  ['HEAD /policies/:id', 'policy:read'],
  ['GET /decisions', 'audit:read'],
  ['HEAD /decisions', 'audit:read'],
  ['GET /decisions/:id', 'audit:read'],
  ['HEAD /decisions/:id', 'audit:read'],
  ['POST /decisions/:id:replay', 'audit:read'],
  ['GET /metrics', 'metrics'],
  ['HEAD /metrics', 'metrics'],
]);

const PUBLIC = [
  '/',
  '/inspector/:id',
  '/livez',
  '/readyz',
  '/openapi.json',
  '/docs',
  '/.well-known/jwks.json',
  '/.well-known/openid-configuration',
  '/authorize',
];

describe('docs/configuration.md', () => {
  it('names each call under the role that it needs, and each call that needs none', () => {
    const text = readProjectFile('docs/configuration.md');
    for (const [call, role] of ROLE_OF) {
      if (!call.startsWith('HEAD')) expect(text).toMatch(new RegExp(`^\\| \`${role}\` \\|.*\`${call}\``, 'm'));
    }
    for (const url of PUBLIC) {
      const named = url.replace(':id', '{id}');
      expect(text).toMatch(new RegExp(`\`${named}(?:/{gate}/\\*)?\`.* need no role`));
    }
    for (const role of ROLES) expect(text).toContain(`| \`${role}\` |`);
  });
});

describe('/docs', () => {
  it('names the role of each call as the service demands it', () => {
    const calls = Object.entries(API.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => {
        const url = path.replaceAll(/\{(\w+)\}/g, ':$1');
        return [`${method.toUpperCase()} ${url}`, roleOf(operation)] as const;
      }),
    );
    expect(calls.length).toBeGreaterThan(20);
    for (const [call, role] of calls) expect([call, role]).toEqual([call, ROLE_OF.get(call) ?? null]);
    expect([...ROLE_OF.keys()].filter((call) => !call.startsWith('HEAD')).sort()).toEqual(
      calls
        .filter(([, role]) => role !== null)
        .map(([call]) => call)
        .sort(),
    );
  });
});

describe('route audit', () => {
  let routes: readonly AuditedRoute[] = [];
  const open: FakeService[] = [];

  beforeAll(async () => {
    routes = await routesOfInstance();
  });

  afterEach(async () => {
    await Promise.all(open.splice(0).map((service) => service.close()));
  });

  /** Sends the headers of a request with a body, and never the body. */
  async function answerToHeaders(route: AuditedRoute, roles: readonly Role[], key: string | null): Promise<string> {
    const service = await startFakeService({ callers: oneCaller(KEY, roles) });
    open.push(service);
    const received = await exchange(
      service.port,
      [
        `${route.method} ${route.url.replace(PARAMETER, '$1')} HTTP/1.1`,
        'Host: veritee.example',
        ...(key === null ? [] : [`Authorization: Bearer ${key}`]),
        ...(route.method === 'POST' ? ['Content-Type: application/json', 'Content-Length: 1000'] : []),
        'Connection: close',
        '',
        '',
      ].join('\r\n'),
    );
    if (route.method === 'HEAD') return /^HTTP\/1\.1 (\d{3})/.exec(received)?.[1] ?? '';
    const [answer] = answersIn(received);
    if (answer === undefined) throw new Error('no answer');
    requireConforming(route.method, route.url.replace(PARAMETER, '{$1}'), answer);
    return `${answer.status} ${(answer.body as { code?: string }).code}`;
  }

  it('finds every route of the contract', () => {
    const found = routes.map((route) => `${route.method} ${route.url}`);
    expect(found).toEqual(expect.arrayContaining([...ROLE_OF.keys(), ...PUBLIC.map((path) => `GET ${path}`)]));
  });

  it('every route says who may use it: a role, or that it is public', () => {
    for (const route of routes) {
      const expected = ROLE_OF.get(`${route.method} ${route.url}`) ?? 'public';
      expect([route.method, route.url, route.access]).toEqual([route.method, route.url, expected]);
      if (expected === 'public') {
        expect([route.url, PUBLIC.includes(route.url)]).toEqual([route.url, true]);
      }
    }
  });

  it('a route that does not say it does not start', async () => {
    const application = createApplication(fakeDependencies());
    application.get('/forgotten', (_request, reply) => reply.send('secret'));
    await expect(application.ready()).rejects.toThrow('route /forgotten does not say who may use it');
    await application.close();
  });

  it('without a caller every route that is not public is 401, before its body', async () => {
    for (const route of routes.filter((one) => one.access !== 'public')) {
      const expected = route.method === 'HEAD' ? '401' : '401 unauthorized';
      expect([route.url, await answerToHeaders(route, ROLES, null)]).toEqual([route.url, expected]);
      expect([route.url, await answerToHeaders(route, ROLES, `${KEY}k`)]).toEqual([route.url, expected]);
    }
  });

  it('with every role but the right one it is 403, before its body', async () => {
    for (const route of routes.filter((one) => one.access !== 'public')) {
      const others = ROLES.filter((role) => role !== route.access);
      const expected = route.method === 'HEAD' ? '403' : '403 forbidden';
      expect([route.url, await answerToHeaders(route, others, KEY)]).toEqual([route.url, expected]);
    }
  });
});
