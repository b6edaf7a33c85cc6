import { describe, expect, it } from 'vitest';
import { NO_ENDORSEMENTS } from '../../../src/core/endorsement.js';
import { FormatError } from '../../../src/core/errors.js';
import type { TokenEvidence } from '../../../src/core/evidence.js';
import { NO_TRACER } from '../../../src/core/traces.js';
import type { EvidenceVerifier, TokenVerification, VerificationContext } from '../../../src/core/verification.js';
import { openAll, verifyAll } from '../../../src/judge/open.js';
import { isReliable } from '../../../src/judge/route-tokens.js';
import { END, maaToken, ownVerification, tokenVerification } from './route-fixture.js';

const KEYS = { kind: 'token-keys', type: 'maa-token', issuer: 'https://a.example', kid: 'k' } as const;
const SET = { snp: null, tokenKeys: null };

function opened(verify: () => TokenVerification = () => tokenVerification({}), withVerifier = true) {
  const verified: { evidence: TokenEvidence; about: string; context: VerificationContext }[] = [];
  const ofTokens = {
    evidenceType: 'maa-token',
    openResult: (evidence: TokenEvidence, about: string) => ({
      needs: [KEYS],
      verify: async (context: VerificationContext) => {
        verified.push({ evidence, about, context });
        return verify();
      },
    }),
  };
  const verifier = {
    evidenceType: 'az-snp-vtpm',
    open: () => ({ needs: [], verify: async () => ownVerification() }),
  } as unknown as EvidenceVerifier;
  const request = { evidence: {}, attestationResults: [{ type: 'maa-token', token: 'sent' }] };
  const verifiers = new Map(withVerifier ? [['maa-token', ofTokens as never]] : []);
  return { open: () => openAll({ request, verifier } as never, verifiers), verified };
}

describe('tokens of a request', () => {
  it('are verified with their own endorsements, at the time of the request, each with its place', async () => {
    const { open, verified } = opened();
    const read = open();
    expect(read.needs).toEqual([[], [KEYS]]);
    const binding = { nonce: Uint8Array.of(1), value: Uint8Array.of(1), jkt: null };
    const { tokens } = await verifyAll(read, [NO_ENDORSEMENTS, SET], { at: END, binding }, NO_TRACER);
    expect(tokens).toMatchObject([{ route: 'maa', about: '/attestationResults/0/token', obtained: null }]);
    expect(verified).toEqual([
      {
        evidence: { type: 'maa-token', token: 'sent' },
        about: '/attestationResults/0/token',
        context: { at: END, binding, endorsements: SET },
      },
    ]);
  });

  it('are malformed as the request is', async () => {
    const { open } = opened(() => {
      throw new FormatError('token_format', 'no token');
    });
    const verifying = verifyAll(open(), [NO_ENDORSEMENTS, SET], { at: END, binding: null }, NO_TRACER);
    await expect(verifying).rejects.toMatchObject({ code: 'token_format' });
  });

  it('end the request where no verifier is there for them', () => {
    expect(() => opened(undefined, false).open()).toThrow('no verifier for maa-token');
  });

  it('are not verified without their endorsements', async () => {
    const verifying = verifyAll(opened().open(), [NO_ENDORSEMENTS], { at: END, binding: null }, NO_TRACER);
    await expect(verifying).rejects.toThrow('endorsements are missing');
  });
});

describe('a token that can be relied on', () => {
  it('is one whose end is known', () => {
    const { verification } = maaToken();
    expect([{ verification }, { verification: { ...verification, validUntil: null } }].map(isReliable)).toEqual([
      true,
      false,
    ]);
  });
});
