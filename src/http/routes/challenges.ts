import type { RouteOptions } from 'fastify';
import type { IssueChallengeUseCase } from '../../service/use-cases.js';
import { readChallengeRequest } from '../../wire/read-challenge-request.js';
import { callerOf } from '../access.js';
import { bodyOf, requireJsonBody } from '../request-body.js';

/** `POST /challenges`: a nonce that this service accepts once. */
export function challengesRoute(issueChallenge: IssueChallengeUseCase): RouteOptions {
  return {
    method: 'POST',
    url: '/challenges',
    config: { access: 'verify' },
    onRequest: (request, _reply, done) => {
      requireJsonBody(request);
      done();
    },
    handler: async (request, reply) => {
      const { nonce, expiresAt } = await issueChallenge.execute(
        readChallengeRequest(bodyOf(request)),
        callerOf(request),
      );
      return reply.send({ nonce: Buffer.from(nonce).toString('base64url'), expiresAt: expiresAt.toISOString() });
    },
  };
}
