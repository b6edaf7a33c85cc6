import { createHash } from 'node:crypto';
import type { ApiKeyCaller } from '../../../src/callers/api-keys.js';
import type { Caller } from '../../../src/core/request.js';

/** A caller with the role `verify`, who may name one policy. */
export const callerOf = (principal: string): Caller => ({
  principal,
  tenant: 'default',
  roles: new Set(['verify']),
  policies: new Set(['payments']),
  audiences: new Set(),
  keys: new Set(),
});

/** The same, whose API key is its name. */
export const apiKeyCaller = (principal: string): ApiKeyCaller => ({
  caller: callerOf(principal),
  keys: [
    { apiKeySha256: createHash('sha256').update(principal).digest('hex'), expires: new Date('2099-01-01T00:00:00Z') },
  ],
});
