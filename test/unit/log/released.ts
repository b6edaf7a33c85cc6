import { createHash } from 'node:crypto';
import type { Decision } from '../../../src/core/decision.js';
import type { DecidedRequest } from '../../../src/core/decision-log.js';
import type { AskedVaultKey, ReleaseAttempt, ReleaseResult } from '../../../src/core/key-release-record.js';
import type { DecisionLog } from '../../../src/log/decision-log.js';
import { ALLOW } from '../../integration/http/fake-service.js';
import { judged } from './recorded.js';

const TOKEN = { type: 'maa-token', token: 'token of Azure Attestation' } as const;

export const VAULT_KEY: AskedVaultKey = {
  type: 'vault',
  host: 'keys.vault.example',
  name: 'db-key',
  version: null,
  enc: 'RSA_AES_KEY_WRAP_384',
  targetSha256: createHash('sha256').update(TOKEN.token).digest('hex'),
  jkt: 'Zk9qcXJzdHV2d3h5ejAxMjM0NTY3ODlBQkNERUZHSEk',
};

/** The checks that each allow of a release by a vault has passed. */
const OF_VAULT: Decision['checks'][number] = {
  id: 'release_other_vm',
  result: 'pass',
  about: '/attestationResults/0/token',
  expected: null,
  actual: null,
  detail: 'both are about the same TEE',
  policy: null,
};

/** An allow by which a key is to be released, unless something else is said. */
export function releasing(
  decision: Parameters<typeof judged>[0] = {},
  release: Partial<NonNullable<DecidedRequest['release']>> = {},
): DecidedRequest {
  const binding = { jkt: VAULT_KEY.jkt };
  const checks = [...ALLOW.checks, OF_VAULT];
  const decided = judged({ binding, checks, ...decision }, { attestationResults: [TOKEN] });
  return { ...decided, release: { keyId: 'db-key', dryRun: false, ...release } };
}

export function attemptOf({ decision, caller }: DecidedRequest, attempt: Partial<ReleaseAttempt> = {}): ReleaseAttempt {
  return { decisionId: decision.decisionId, keyId: 'db-key', caller, key: VAULT_KEY, ...attempt };
}

export function resultOf({ decision }: DecidedRequest, result: Partial<ReleaseResult> = {}): ReleaseResult {
  return {
    decisionId: decision.decisionId,
    outcome: 'released',
    keyVersion: '78deebed173b48e48f55abf87ed4cf71',
    valueSha256: 'cd'.repeat(32),
    code: null,
    detail: 'the vault released the key',
    ...result,
  };
}

/** Records a decision, the attempt to release a key by it, and what came of it. */
export async function release(log: DecisionLog, decided: DecidedRequest = releasing()): Promise<DecidedRequest> {
  await log.record(decided);
  await log.releaseAttempt(attemptOf(decided));
  await log.releaseResult(resultOf(decided));
  return decided;
}
