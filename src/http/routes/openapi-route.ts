import { existsSync, readFileSync } from 'node:fs';
import type { RouteOptions } from 'fastify';
import { JSON_TYPE } from '../json-bodies.js';

/** Where the build puts the contract, as seen from src and from dist. */
const FILE = new URL('../../../dist/inspector/openapi.json', import.meta.url);

/** `GET /openapi.json`: the contract. There is none before the build, as there are no pages. */
export function openapiRoute(): RouteOptions {
  const text = existsSync(FILE) ? readFileSync(FILE) : null;
  return {
    method: 'GET',
    url: '/openapi.json',
    config: { access: 'public' },
    handler: (_request, reply) => (text === null ? reply.callNotFound() : reply.type(JSON_TYPE).send(text)),
  };
}
