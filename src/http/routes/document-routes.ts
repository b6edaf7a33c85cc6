import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, FastifyPluginAsync, RouteOptions } from 'fastify';
import { stringify } from 'yaml';
import { OPENAPI_DOCUMENT } from '../../wire/generated/openapi-document.js';
import { JSON_TYPE } from '../json-bodies.js';

/** `GET /openapi.json`: the contract. */
export function openapiRoute(): RouteOptions {
  const text = JSON.stringify(OPENAPI_DOCUMENT);
  return {
    method: 'GET',
    url: '/openapi.json',
    config: { access: 'public' },
    handler: (_request, reply) => reply.type(JSON_TYPE).send(text),
  };
}

/** Name of the product, as the page's title and heading have it. The heading is the title of openapi.yaml. */
const PRODUCT = 'veritee';

const FAVICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" fill="#1f2a37"/><path d="M8 10l8 14 8-14" fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round" stroke-linejoin="round"/></svg>`;

/** Files of the library that the page loads. The others, its logos among them, are not served. */
const LOADED_FILES: ReadonlySet<string> = new Set([
  'index.css',
  'swagger-ui.css',
  'swagger-ui-bundle.js',
  'swagger-ui-standalone-preset.js',
]);

/** Route under which the library serves every file of its folder. */
const FILES_ROUTE = '/docs/static/*';

/** For pages: scripts, styles and data of this service only. Pictures may be inline; styles are set by the page's script. */
const PAGE_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * The page asks for the document of a plugin that derives one from the schemas of routes. Ours is written by hand and
 * comes first; under that plugin's name it is what the page shows.
 */
const documentSource: FastifyPluginAsync = Object.assign(
  async (scope: FastifyInstance) => {
    scope.decorate('swagger', (options?: { readonly yaml?: boolean }) =>
      options?.yaml === true ? stringify(OPENAPI_DOCUMENT) : OPENAPI_DOCUMENT,
    );
  },
  { [Symbol.for('skip-override')]: true, [Symbol.for('plugin-meta')]: { name: '@fastify/swagger' } },
);

/** `GET /docs`: the contract as a page for people. Everything that it loads comes from this service. */
export const docsRoutes: FastifyPluginAsync = async (scope) => {
  scope.addHook('onRoute', (route) => {
    route.config = { ...route.config, access: 'public' };
  });
  scope.addHook('onRequest', async (request, reply) => {
    const { '*': file } = request.params as { readonly '*'?: string };
    if (request.routeOptions.url !== FILES_ROUTE || LOADED_FILES.has(file ?? '')) return;
    reply.callNotFound();
    return reply;
  });
  await scope.register(documentSource);
  await scope.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: PAGE_SECURITY_POLICY,
    // The layout without a top bar, which would have the library's logo and name. The logo is not shown; left out, the
    // script of the page would hold the library's.
    logo: { type: 'image/svg+xml', content: FAVICON },
    uiConfig: { layout: 'BaseLayout', tryItOutEnabled: false, validatorUrl: null },
    theme: {
      title: PRODUCT,
      favicon: [{ filename: 'favicon.svg', rel: 'icon', type: 'image/svg+xml', sizes: 'any', content: FAVICON }],
    },
  });
};
