import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { newDecisionId } from '../../../src/app/decision-id.js';
import type { Decision } from '../../../src/core/decision.js';
import type { DecidedRequest, LogStore, PrunedDecision } from '../../../src/core/decision-log.js';
import type { Log } from '../../../src/core/ports.js';
import { DecisionLog, type DecisionLogParts } from '../../../src/log/decision-log.js';
import type { HeadSigner } from '../../../src/log/heads.js';
import { LocalSigningKey } from '../../../src/receipts/signing-key.js';
import { ALLOW } from '../../integration/http/fake-service.js';

export const NONCE = Uint8Array.from({ length: 32 }, (_, index) => 0xa0 + index);

const CALLER = { principal: 'gate', tenant: 'default' } as const;

/** A decision on a request, at a time. */
export function judged(
  decision: Partial<Decision> = {},
  request: Partial<DecidedRequest['request']> = {},
  tenant: string = CALLER.tenant,
): DecidedRequest {
  const { decidedAt = ALLOW.decidedAt } = decision;
  return {
    decision: { ...ALLOW, decisionId: newDecisionId(decidedAt), ...decision },
    request: {
      evidence: { type: 'tpm' } as never,
      attestationResults: [],
      nonce: NONCE,
      bindingJwk: null,
      policies: null,
      audience: null,
      at: null,
      ...request,
    },
    caller: { ...CALLER, tenant },
  };
}

export const policy = (id: string, outcome: Decision['decision'] = 'allow') => ({
  id,
  version: 1,
  sha256: 'ab'.repeat(32),
  outcome,
  matched: [],
  unmatched: [],
});

export const SIGNER = new LocalSigningKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);

/** Signs with a key that stays. */
export function signerOf(...keys: readonly LocalSigningKey[]): HeadSigner {
  return {
    sign: async (header, payload) => keys[0]?.sign(header, payload) ?? null,
    keys: () => keys.map(({ jwk }) => jwk),
  };
}

export class KeptLog implements Log {
  readonly lines: { readonly level: string; readonly fields: object; readonly message: string }[] = [];
  info = (fields: object, message: string) => this.#keep('info', fields, message);
  warn = (fields: object, message: string) => this.#keep('warn', fields, message);
  error = (fields: object, message: string) => this.#keep('error', fields, message);
  debug = () => undefined;

  messages(level: string): readonly string[] {
    return this.lines.filter((line) => line.level === level).map(({ message }) => message);
  }

  #keep(level: string, fields: object, message: string): void {
    this.lines.push({ level, fields, message });
  }
}

/** A clock that stands until it is moved. */
export class SetClock {
  at = new Date('2026-01-15T12:00:00Z');
  isInDoubt = false;
  now = () => this.at;
  monotonicMs = () => this.at.getTime();
}

/** Marks that content was last dropped a day before the clock of `openLog`, so that it is dropped when the log is watched. */
export async function makePruningDue(store: LogStore): Promise<void> {
  const dayBefore = new Date('2026-01-14T12:00:00Z');
  await store.claimPruning(dayBefore, 86_400_000);
}

/** Decisions of a chain as they are dropped. @param through of each, the last place of its release; left out, its own place */
export async function dropping(
  store: Pick<LogStore, 'entries'>,
  chain: string,
  [from, to]: readonly [number, number],
  through?: number,
): Promise<readonly PrunedDecision[]> {
  const entries = await store.entries(chain, from, to);
  return entries.map(({ decisionId, seq }) => ({ decisionId, chain, seq, through: through ?? seq }));
}

/** A log with a chain of its own on a store. */
export async function openLog(
  store: LogStore,
  parts: Partial<DecisionLogParts> = {},
): Promise<{ readonly log: DecisionLog; readonly lines: KeptLog; readonly clock: SetClock; readonly chain: string }> {
  const lines = new KeptLog();
  const clock = new SetClock();
  const chain = randomUUID();
  const opened = await DecisionLog.open(
    {
      store,
      clock,
      isClockInDoubt: () => clock.isInDoubt,
      log: lines,
      chain,
      version: '0.1.0',
      signer: signerOf(SIGNER),
      copy: null,
      retentionMs: 86_400_000,
      onDropped: () => {},
      ...parts,
    },
    { configuration: 'c'.repeat(64), policies: [] },
  );
  return { log: opened, lines, clock, chain };
}
