import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, FastifyPluginAsync, RouteOptions } from 'fastify';
import { stringify } from 'yaml';
import { OPENAPI_DOCUMENT } from '../../wire/generated/openapi-document.js';
import { JSON_TYPE } from '../json-bodies.js';
import { PAGE_SECURITY_POLICY } from '../security-headers.js';

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
  await scope.register(documentSource);
  await scope.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: PAGE_SECURITY_POLICY,
    uiConfig: { tryItOutEnabled: false, validatorUrl: null },
  });
};
