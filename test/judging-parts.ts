import { NO_ENDORSEMENTS } from '../src/core/endorsement.js';
import type { Log } from '../src/core/ports.js';
import { NO_TRACER } from '../src/core/traces.js';
import { jwkThumbprint } from '../src/crypto/jwk-thumbprint.js';
import type { VerifyEvidenceOptions, VerifyEvidenceParts } from '../src/judge/verify-evidence.js';
import { NO_WAITS } from '../src/judge/waits.js';

const SILENT: Log = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} };

/** Parts that judge without network, stores and receipts; a test replaces those that it is about. */
export function judgingParts(
  parts: Pick<VerifyEvidenceParts, 'verifiers' | 'tenants'> & Partial<VerifyEvidenceParts>,
): VerifyEvidenceParts {
  return {
    endorsements: { fetch: async () => NO_ENDORSEMENTS },
    services: new Map(),
    keyThumbprint: jwkThumbprint,
    nonces: { standing: async (nonce) => ({ origin: nonce === null ? 'none' : 'caller' }) },
    early: null,
    clock: { now: () => new Date(), monotonicMs: () => 0, doubt: () => null },
    waits: NO_WAITS,
    log: SILENT,
    receipts: null,
    recorder: null,
    keep: null,
    tracer: NO_TRACER,
    newId: () => '019ac000-0000-7000-8000-000000000000',
    ...parts,
  };
}

/** As the service judges, with time for a busy machine. */
export const JUDGING_OPTIONS: VerifyEvidenceOptions = {
  historical: true,
  deadlineMs: 20_000,
  lifetimeMs: 300_000,
  consumesChallenges: true,
};
