import { existsSync, readFileSync } from 'node:fs';
import type { RouteOptions } from 'fastify';
import { JSON_TYPE } from './json-bodies.js';

/** The path of the built contract, relative to src/http and to dist/modules. */
const FILE = new URL('../../dist/inspector/openapi.json', import.meta.url);

/** `GET /openapi.json`: the contract. Like the pages, it is missing before the build. */
export function openapiRoute(): RouteOptions {
  const text = existsSync(FILE) ? readFileSync(FILE) : null;
  return {
    method: 'GET',
    url: '/openapi.json',
    config: { access: 'public' },
    handler: (_request, reply) => (text === null ? reply.callNotFound() : reply.type(JSON_TYPE).send(text)),
  };
}
