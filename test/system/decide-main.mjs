import { createECDH, createPrivateKey, randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { newDecisionId } from '../../src/app/decision-id.ts';
import { DecisionLog } from '../../src/log/decision-log.ts';
import { LocalSigningKey } from '../../src/receipts/signing-key.ts';
import { SqliteChallengeStore } from '../../src/stores/sqlite/sqlite-challenge-store.ts';
import { SqliteStore } from '../../src/stores/sqlite/sqlite-store.ts';

/**
 * A replica that uses up challenges and stores decisions, as fast as it can and as it was compiled, until it is killed or has
 * made as many as it was told. Each line of its output is told once the store has promised it: `head <JWS>`,
 * `used <challenge>`, `told <decision id>`. Argument: options as JSON.
 */
const { file, count = Number.MAX_SAFE_INTEGER, atOnce = 4 } = JSON.parse(process.argv[2] ?? '');
const clock = { now: () => new Date(), monotonicMs: () => performance.now() };
const tell = (line) => writeSync(1, `${line}\n`);
const log = {
  info: ({ head }) => head !== undefined && tell(`head ${head}`),
  warn: () => {},
  error: (fields, message) => tell(`error ${message} ${fields.err?.message}`),
  debug: () => {},
};
// All of them sign with the same key, as replicas do: a start says of chains that another key signed.
const secret = Buffer.alloc(32, 7);
const ecdh = createECDH('prime256v1');
ecdh.setPrivateKey(secret);
const point = ecdh.getPublicKey();
const [d, x, y] = [secret, point.subarray(1, 33), point.subarray(33)].map((part) => part.toString('base64url'));
const key = new LocalSigningKey(createPrivateKey({ key: { kty: 'EC', crv: 'P-256', d, x, y }, format: 'jwk' }));
const store = await SqliteStore.open(file);
// All of them have the same key.
const challenges = await SqliteChallengeStore.open(store, { key: new Uint8Array(32), clock, lifetimeMs: 300_000 });
const decisions = await DecisionLog.open(
  {
    store,
    clock,
    log,
    chain: randomUUID(),
    version: '0.1.0',
    signer: { sign: (header, payload) => key.sign(header, payload), keys: () => [key.jwk] },
    copy: null,
    retentionMs: 86_400_000,
  },
  { configuration: 'c'.repeat(64), policies: [] },
);
tell('ready');

const SCOPE = { tenant: 'default', audience: null, policy: null, evidenceType: null };
const REQUEST = { audience: null, policies: null, nonce: null, attestationResults: [] };

async function decide() {
  const decidedAt = clock.now();
  const decisionId = newDecisionId(decidedAt);
  const expiresAt = new Date(decidedAt.getTime() + 300_000);
  await challenges.put(decisionId, SCOPE, { issuedAt: decidedAt, expiresAt });
  const { state } = await challenges.consume(decisionId, SCOPE);
  tell(`${state === 'consumed' ? 'used' : state} ${decisionId}`);
  const decision = {
    decisionId,
    decidedAt,
    at: decidedAt,
    validUntil: decidedAt,
    decision: 'allow',
    reasons: [],
    evidence: { type: 'snp', sha256: 'ab'.repeat(32) },
    trust: { status: 'affirming', submods: {} },
    policies: [{ id: 'payments', version: 1, sha256: 'cd'.repeat(32), outcome: 'allow', matched: [], unmatched: [] }],
    checks: [],
    claims: {},
    crossCheck: null,
    endorsements: [],
    obtainedTokens: [],
    freshness: { nonce: 'challenge', bound: [], clockSkewSeconds: null },
    binding: null,
    shadow: [],
    historical: false,
    retryable: false,
  };
  await decisions.record({ decision, request: REQUEST, caller: { principal: 'gate', tenant: 'default' } });
  tell(`told ${decisionId}`);
}

let left = count;
async function work() {
  while (left-- > 0) await decide();
}

await Promise.all(Array.from({ length: atOnce }, work));
await decisions.close();
await store.close();
