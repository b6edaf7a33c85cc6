import { describe, expect, it } from 'vitest';
import { type EndorsementSet, NO_ENDORSEMENTS } from '../../../src/core/endorsement.js';
import type { EvidenceVerifier, TokenVerifier } from '../../../src/core/verification.js';
import { jwkThumbprint } from '../../../src/crypto/jwk-thumbprint.js';
import { FetchTime } from '../../../src/judge/fetch-time.js';
import { type Case, judgeEvidence } from '../../../src/judge/judge-evidence.js';
import type { Judged } from '../../../src/judge/judge-results.js';
import { OtherVerifiers } from '../../../src/judge/other-verifiers.js';
import { tdxClaims, tdxTcb } from '../policy/fixture.js';
import { verified } from './cross-check/fixture.js';
import { itaToken, ownVerification } from './route-fixture.js';

const EARLY: EndorsementSet = { ...NO_ENDORSEMENTS, tdx: { value: {} as never, origin: 'network' } };

/** A TD whose TCB is out of date by other endorsements than its own. */
const VERIFIER: EvidenceVerifier<'tdx'> = {
  evidenceType: 'tdx',
  open: () => ({
    needs: [],
    verify: async ({ endorsements }) => {
      const tcb = tdxTcb({ status: endorsements === EARLY ? 'OutOfDate' : 'UpToDate' });
      return ownVerification({ claims: verified({ tdx: tdxClaims({ tcb }) }) });
    },
  }),
};

const TOKENS: TokenVerifier = {
  evidenceType: 'ita-token',
  openResult: () => ({ needs: [], verify: async () => itaToken().verification }),
} as never;

const ASKED: Case = {
  principal: 'ci',
  tenant: 'default',
  request: {
    evidence: { type: 'tdx' } as never,
    attestationResults: [{ type: 'ita-token', token: 'a.b.c' }],
    nonce: null,
    bindingJwk: null,
    policies: null,
    audience: null,
    at: null,
  },
  at: new Date('2026-06-01T12:00:00Z'),
  historical: false,
  policies: [],
  shadow: [],
  trial: false,
  nonce: { origin: 'none' },
  binding: null,
  resets: { remembered: async () => ({ state: 'none' }), advance: async () => null },
};

const disagreements = ({ verification: { checks } }: Judged) =>
  checks.filter(({ id }) => id === 'disagreement').map(({ result }) => result);

describe('evidence that is judged again by other endorsements', () => {
  it('has its tokens compared with what it said by its own', async () => {
    const nothing = { fetch: async () => NO_ENDORSEMENTS };
    const otherVerifiers = new OtherVerifiers(new Map([['ita-token', TOKENS]]), new Map(), nothing);
    const parts = { endorsements: nothing, otherVerifiers, keyThumbprint: jwkThumbprint };
    const fetching = new FetchTime(1000);
    const { judged, again } = await judgeEvidence(parts, VERIFIER as EvidenceVerifier, ASKED, fetching);
    fetching.end();
    const byEarly = await again?.by(() => EARLY);
    if (byEarly === undefined) throw new Error('it cannot be judged again');
    expect(byEarly.verification.claims.tdx?.tcb.status).toBe('OutOfDate');
    expect([disagreements(judged), disagreements(byEarly)]).toEqual([['pass'], ['pass']]);
  });
});
