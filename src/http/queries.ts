import type { FastifyRequest } from 'fastify';
import { requireNoQuery } from '../wire/read-query.js';

const NO_QUERY = new URLSearchParams();

/** Parses the query of a request, including repeated parameters. */
export function queryOf({ url }: FastifyRequest): URLSearchParams {
  const start = url.indexOf('?');
  return start < 0 ? NO_QUERY : new URLSearchParams(url.slice(start + 1));
}

/**
 * Rejects every query parameter, before a byte of the body is read.
 *
 * @throws {FormatError} `unknown_property`
 */
export function requireNoParameters(request: FastifyRequest): void {
  requireNoQuery(queryOf(request));
}
