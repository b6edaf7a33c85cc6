import type { FastifyReply, RouteOptions } from 'fastify';
import { RefusedError } from '../../core/errors.js';
import type { ReceiptKeysUseCase } from '../../judge/receipt-keys.js';

/** Relying parties anywhere read these, and cache the answer for as long as a new key does not sign. */
const PUBLIC = { method: 'GET', config: { access: 'public', anyHost: true } } as const;
const HEADERS = {
  'access-control-allow-origin': '*',
  'cache-control': 'max-age=300',
  'cross-origin-resource-policy': 'cross-origin',
} as const;

/** `GET /.well-known/jwks.json` and, if an issuer is configured, `GET /.well-known/openid-configuration`. */
export function receiptKeyRoutes(receiptKeys: ReceiptKeysUseCase): readonly RouteOptions[] {
  return [
    {
      ...PUBLIC,
      url: '/.well-known/jwks.json',
      handler: async (_request, reply) => publicly(reply).send(receiptKeys.keySet()),
    },
    {
      ...PUBLIC,
      url: '/.well-known/openid-configuration',
      handler: async (_request, reply) => {
        const found = receiptKeys.discovery();
        if (found === null) {
          throw new RefusedError('not_found', 'there is no discovery, because receipts.issuer is not configured');
        }
        return publicly(reply).send(found);
      },
    },
  ];
}

function publicly(reply: FastifyReply): FastifyReply {
  return reply.headers(HEADERS);
}
