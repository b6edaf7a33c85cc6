import { v7 as uuidv7 } from 'uuid';
import type { Configuration } from '../config/configuration.js';

/** A UUID version 7 of this instant. */
export function newId(at: Date): string {
  return uuidv7({ msecs: at.getTime() });
}

/** How requests are judged; only the service itself uses challenges up. */
export function verifyOptions(configuration: Configuration, consumesChallenges: boolean) {
  return {
    defaultPolicy: configuration.policies.default,
    historical: configuration.historical,
    deadlineMs: configuration.deadlineSeconds * 1000,
    lifetimeMs: configuration.receipts.lifetimeSeconds * 1000,
    consumesChallenges,
  };
}
