import type { Caller } from '../../../src/model/request.js';

/** A caller with the role `verify`, who may name one policy. */
export const callerOf = (principal: string): Caller => ({
  principal,
  tenant: 'default',
  roles: new Set(['verify']),
  policies: new Set(['payments']),
  audiences: new Set(),
  keys: new Set(),
});
