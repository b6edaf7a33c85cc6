import type { RouteOptions } from 'fastify';
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
