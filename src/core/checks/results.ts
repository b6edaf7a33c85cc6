import type { CheckRows } from './row.js';

/** Tokens of other verifiers, beside the evidence. */
export const RESULT_CHECKS = {
  disagreement: {
    holds: 'hardware evidence and tokens agree, and are about the same TEE',
    fails: 'hardware evidence and tokens disagree, or are about different TEEs',
    trust: { token: { hardware: 96 } },
  },
  route_missing: {
    holds: 'a token was verified for the required route',
    fails: 'no token was sent for the required route, and none could be fetched',
    members: ['routes.maa', 'routes.ita'],
  },
} satisfies CheckRows;
