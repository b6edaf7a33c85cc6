import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { Decision } from '../../../src/core/decision.js';
import {
  type ReceiptIssuer,
  type ReceiptRequest,
  ReceiptUnavailableError,
  type RemainingTime,
} from '../../../src/core/receipt.js';
import type { Caller, VerifyRequest } from '../../../src/core/request.js';
import { NO_TRACER } from '../../../src/core/traces.js';
import { FetchTime } from '../../../src/judge/fetch-time.js';
import { signOrWithhold } from '../../../src/judge/sign.js';
import { NO_SLOT } from '../../../src/judge/verification-slots.js';
import { VerifyEvidence } from '../../../src/judge/verify-evidence.js';
import { NO_WAITS } from '../../../src/judge/waits.js';
import { JUDGING_OPTIONS, judgingParts } from '../../judging-parts.js';
import { createSnpGuest, SnpPlatform } from '../../lab/index.js';
import { RecordingLog } from '../endorsements/recording-log.js';
import { NONCE, PKI } from '../tee/fixture.js';
import { DECISION } from '../wire/sample-decision.js';

const CALLER: Caller = {
  principal: 'ci',
  tenant: 'red',
  roles: new Set(['verify']),
  policies: null,
  audiences: null,
  keys: new Set(),
};
const JWK = { kty: 'OKP' };
const REQUEST = {
  audience: 'https://gate.example',
  nonce: new Uint8Array(8),
  bindingJwk: JWK,
} as unknown as VerifyRequest;
const EVIDENCE = createSnpGuest({ pki: PKI, platform: new SnpPlatform({ pki: PKI }) }).evidence({ nonce: NONCE });
const ALLOW: Decision = { ...DECISION, decision: 'allow', reasons: [], retryable: false };

function deciding(decision: Decision, issue: ReceiptIssuer['issue']) {
  const log = new RecordingLog();
  const parts = { receipts: { issue }, waits: NO_WAITS, log, tracer: NO_TRACER };
  const decided = async () => {
    const time = new FetchTime(30, CALLER.principal);
    try {
      return await signOrWithhold(parts, decision, REQUEST, CALLER, time);
    } finally {
      time.end();
    }
  };
  return { log, decided };
}

/** The whole way of a request, whose evidence is not judged: it ends as soon as its clock is asked. */
function answering(issue: ReceiptIssuer['issue'], deadlineMs: number, onJudging = () => {}) {
  const doubt = { detail: 'in doubt', retryAfterSeconds: 1 };
  const parts = judgingParts({
    verifiers: new Map([['snp', {} as never]]),
    tenants: () => ({ policies: () => new Map(), defaultPolicy: '', shadowPolicies: [], resets: {} as never }),
    clock: {
      now: () => new Date(),
      monotonicMs: () => 0,
      doubt: () => {
        onJudging();
        return doubt;
      },
    },
    receipts: { issue },
  });
  const request = { ...REQUEST, evidence: EVIDENCE, bindingJwk: null, policies: [], at: null };
  return new VerifyEvidence(parts, { ...JUDGING_OPTIONS, deadlineMs }).execute(request, CALLER, NO_SLOT);
}

const failing: ReceiptIssuer['issue'] = async () => {
  throw new ReceiptUnavailableError('the vault does not answer');
};

describe('signOrWithhold', () => {
  it('gives the decision its receipt, made of the decision, the request and the tenant', async () => {
    const asked: (readonly [Decision, ReceiptRequest])[] = [];
    const { decided } = deciding(ALLOW, async (decision, request) => {
      asked.push([decision, request]);
      return 'a.b.c';
    });
    expect(await decided()).toEqual({ ...ALLOW, receipt: 'a.b.c' });
    const { audience, nonce } = REQUEST;
    expect(asked).toEqual([[ALLOW, { audience, nonce, bindingJwk: JWK, tenant: 'red' }]]);
  });

  it('signing ends with the time of the request', async () => {
    const { decided } = deciding(ALLOW, async (_decision, _request, { signal }) => {
      await once(signal, 'abort');
      throw new ReceiptUnavailableError('late');
    });
    expect(await decided()).toMatchObject({ decision: 'indeterminate', reasons: ['receipt_unavailable'] });
  });

  it('signing has no time left where judging took all of it', async () => {
    const now = vi.spyOn(performance, 'now').mockReturnValue(0);
    const ended: boolean[] = [];
    const issue: ReceiptIssuer['issue'] = async (_decision, _request, { signal }) => {
      ended.push(await Promise.race([once(signal, 'abort').then(() => true), setTimeout(5_000, false)]));
      throw new ReceiptUnavailableError('late');
    };
    try {
      const decision = await answering(issue, 60_000, () => now.mockReturnValue(60_000));
      expect(decision.reasons).toContain('receipt_unavailable');
    } finally {
      now.mockRestore();
    }
    expect(ended).toEqual([true]);
  });

  it('REL-08 what is still being signed ends where the request does, and is asked for by the principal of its caller', async () => {
    let time: RemainingTime | null = null;
    await answering(async (_decision, _request, given) => {
      time = given;
      expect(given.signal.aborted).toBe(false);
      return 'a.b.c';
    }, 60_000);
    expect(time).toHaveProperty('signal.aborted', true);
    expect(time).toHaveProperty('principal', CALLER.principal);
  });

  it('REC-05 an allow that cannot be signed is indeterminate with receipt_unavailable', async () => {
    const { decided, log } = deciding(ALLOW, failing);
    const decision = await decided();
    expect(decision).toMatchObject({
      decision: 'indeterminate',
      reasons: ['receipt_unavailable'],
      retryable: true,
      receipt: null,
      trust: { status: 'none', submods: ALLOW.trust.submods },
    });
    expect(decision.checks.at(-1)).toMatchObject({ id: 'receipt_unavailable', result: 'unavailable', policy: null });
    expect(log.of(/^a receipt was not signed$/)).toMatchObject([
      { decisionId: ALLOW.decisionId, reason: 'the vault does not answer' },
    ]);
  });

  it('is not retryable where the challenge is used up', async () => {
    const { decided } = deciding({ ...ALLOW, repeatable: false }, failing);
    expect(await decided()).toMatchObject({ decision: 'indeterminate', retryable: false });
  });

  it('a deny that cannot be signed stays a deny with its reasons', async () => {
    const deny: Decision = { ...DECISION, decision: 'deny', reasons: ['snp_signature'], retryable: false };
    const { decided } = deciding(deny, failing);
    expect(await decided()).toMatchObject({
      decision: 'deny',
      reasons: ['snp_signature', 'receipt_unavailable'],
      retryable: false,
      receipt: null,
      trust: deny.trust,
    });
  });

  it.each([true, false])(
    'an indeterminate decision that cannot be signed stays as retryable as it was: %s',
    async (retryable) => {
      const open: Decision = { ...DECISION, decision: 'indeterminate', reasons: ['vcek_unavailable'], retryable };
      const { decided } = deciding(open, failing);
      expect(await decided()).toMatchObject({
        decision: 'indeterminate',
        reasons: ['vcek_unavailable', 'receipt_unavailable'],
        retryable,
      });
    },
  );

  it('any other error is the caller of the use case to answer: it is never an allow', async () => {
    const { decided } = deciding(ALLOW, async () => {
      throw new Error('bug');
    });
    await expect(decided()).rejects.toThrow('bug');
  });
});
