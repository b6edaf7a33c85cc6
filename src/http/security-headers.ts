import type { FastifyReply } from 'fastify';

/**
 * Headers of every answer. They never change, so they are kept ready: a general middleware that builds them anew
 * for each request costs more than the rest of the HTTP layer.
 */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

const STRICT_TRANSPORT_SECURITY = 'max-age=31536000';

/** For pages: scripts, styles and data of this service only. Pictures may be inline; styles are set by the page's script. */
export const PAGE_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Sets the headers of an answer. No CORS header is among them: no page of another origin may read an answer. */
export function securityHeaders(options: { readonly tls: boolean }): (reply: FastifyReply) => void {
  const headers = options.tls ? { ...HEADERS, 'strict-transport-security': STRICT_TRANSPORT_SECURITY } : HEADERS;
  return (reply) => {
    reply.headers(headers);
  };
}
