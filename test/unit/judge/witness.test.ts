import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { NonceStanding } from '../../../src/core/challenge.js';
import type { EndorsementRequest, EndorsementSet, FetchContext, SuppliedCrl } from '../../../src/core/endorsement.js';
import type { TokenRoute } from '../../../src/core/evidence.js';
import type { AttestationService, SubmissionResult } from '../../../src/core/verification.js';
import type { Tenant } from '../../../src/judge/tenants.js';
import { Witness, type WorldParts } from '../../../src/judge/witness.js';
import { NotAskedThenError, WorldAnswers } from '../../../src/judge/world-answers.js';
import { decodeValue, encodeValue, KeptBytes } from '../../../src/log/kept-values.js';

const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const SNP: EndorsementRequest = {
  kind: 'amd-snp',
  signingKey: 'vcek',
  products: ['Milan'],
  chipId: new Uint8Array(64).fill(1),
  chipIdBytes: () => 64,
  reportedTcb: () => ({}) as never,
  supplied: { vek: null, chain: false, crls: false },
  hasPath: () => true,
};
const TDX: EndorsementRequest = { kind: 'intel-tdx', fmspc: '00806f050000', ca: 'platform', supplied: null };
const KEYS: EndorsementRequest = { kind: 'token-keys', type: 'maa-token', issuer: 'https://a', kid: 'k' };
const AK: EndorsementRequest = { kind: 'ak-issuers', issuer: Uint8Array.of(0x30) };

const CONTEXT: FetchContext = { at: new Date(), historical: false, signal: new AbortController().signal };
const CRL: SuppliedCrl = { number: 7n, thisUpdate: new Date(), der: Uint8Array.of(9) };
const OTHER: SuppliedCrl = { ...CRL, der: Uint8Array.of(8) };

const SET: EndorsementSet = {
  snp: {
    vek: null,
    chains: new Map(),
    chainProblem: null,
    crls: new Map(),
    otherCrls: new Map(),
    crlProblems: new Map([
      ['Milan', { code: 'crl_unavailable', detail: 'none', retryable: true, mayStandIn: ({ der }) => der[0] === 9 }],
    ]),
  },
};

const TENANT: Tenant = {
  policies: () => new Map(),
  defaultPolicy: 'payments',
  shadowPolicies: [],
  resets: { remembered: async () => ({ state: 'none' }), advance: async () => null },
};

function world(parts: Partial<WorldParts> = {}): WorldParts {
  return {
    tenants: () => TENANT,
    nonces: { standing: async () => ({ origin: 'caller' }) },
    endorsements: { fetch: async (requests) => (requests[0]?.kind === 'amd-snp' ? SET : { snp: null, tdx: null }) },
    clock: { now: () => new Date(0), monotonicMs: () => 5, doubt: () => null },
    services: new Map(),
    early: null,
    ...parts,
  };
}

const vtpm = { akThumbprint: 'ak', counts: { resetCount: 1, restartCount: 0 } };

describe('what the world answered', () => {
  it('is given again, each by what was asked for', async () => {
    const witness = new Witness(digestOf);
    const early = { ask: () => undefined, held: () => null };
    const parts = witness.watched(world({ early }));
    const ask = async (asked: WorldParts) => [
      asked.clock.doubt(),
      await asked.nonces.standing(null, {} as never, {} as never),
      await asked.tenants('a').resets.remembered(vtpm),
      await asked.tenants('a').resets.advance(vtpm),
      await asked.endorsements.fetch([TDX], CONTEXT),
      await asked.endorsements.fetch([KEYS, AK], CONTEXT),
      asked.early?.held({ fmspc: 'f', ca: 'platform' }, new Date()),
    ];
    const { value, answers } = await witness.watch(() => ask(parts));
    expect(answers.map(({ what, key }) => `${what} ${key}`)).toEqual([
      'clock ',
      'nonce ',
      'remembered ak',
      'advanced ak',
      'endorsements intel-tdx 00806f050000 platform',
      'endorsements token-keys maa-token https://a k; ak-issuers 30',
      'early f platform',
    ]);
    const again = new WorldAnswers(answers, digestOf);
    const replayed: WorldParts = {
      ...parts,
      clock: again.clock(new Date(0)),
      nonces: again.nonces(),
      tenants: () => ({ ...TENANT, resets: again.resets() }),
      endorsements: again.endorsements(),
      early: again.early(),
    };
    expect(await ask(replayed)).toEqual(value);
    again.early().ask({ fmspc: 'f', ca: 'platform' });
    expect([parts.clock.now(), parts.clock.monotonicMs()]).toEqual([new Date(0), 5]);
    expect(again.clock(new Date(7)).monotonicMs()).toBe(7);
  });

  it('has when a challenge was issued, also through what is kept of it', async () => {
    const standing: NonceStanding = {
      origin: 'challenge',
      state: 'consumed',
      issuedAt: new Date('2026-06-01T00:00:00Z'),
    };
    const witness = new Witness(digestOf);
    const parts = witness.watched(world({ nonces: { standing: async () => standing } }));
    const { answers } = await witness.watch(() => parts.nonces.standing(null, {} as never, {} as never));
    const kept = new KeptBytes();
    const known = decodeValue(encodeValue(answers, kept), () => new Uint8Array()) as typeof answers;
    const again = new WorldAnswers(known, digestOf).nonces();
    expect(await again.standing(null, {} as never, {} as never)).toEqual(standing);
  });

  it.each<[object, object]>([
    [
      { origin: 'challenge', state: 'consumed' },
      { origin: 'challenge', state: 'consumed', issuedAt: null },
    ],
    [
      { origin: 'challenge', state: 'used' },
      { origin: 'challenge', state: 'used' },
    ],
    [{ origin: 'caller' }, { origin: 'caller' }],
  ])('of a nonce as an earlier version noted it, %j, is %j', async (noted, expected) => {
    const again = new WorldAnswers([{ what: 'nonce', key: '', answer: noted }], digestOf).nonces();
    expect(await again.standing(null, {} as never, {} as never)).toEqual(expected);
  });

  it('is noted of the request that is watched, whatever else is judged', async () => {
    const witness = new Witness(digestOf);
    const parts = witness.watched(world());
    const [one, other] = await Promise.all([
      witness.watch(() => parts.endorsements.fetch([TDX], CONTEXT)),
      witness.watch(() => parts.endorsements.fetch([KEYS], CONTEXT)),
      parts.endorsements.fetch([SNP], CONTEXT),
    ]);
    expect(one?.answers).toHaveLength(1);
    expect(other?.answers.map(({ key }) => key)).toEqual(['token-keys maa-token https://a k']);
  });

  it('has whether a CRL of the request could stand in, as it was said', async () => {
    const witness = new Witness(digestOf);
    const parts = witness.watched(world());
    const mayStandIn = (set: EndorsementSet, list: SuppliedCrl) => set.snp?.crlProblems.get('Milan')?.mayStandIn(list);
    const { answers } = await witness.watch(async () => {
      const set = await parts.endorsements.fetch([SNP], CONTEXT);
      return [mayStandIn(set, CRL), mayStandIn(set, OTHER)];
    });
    const set = await new WorldAnswers(answers, digestOf).endorsements().fetch([SNP], CONTEXT);
    expect([mayStandIn(set, CRL), mayStandIn(set, OTHER)]).toEqual([true, false]);
    expect(mayStandIn(set, { ...CRL, der: Uint8Array.of(7) })).toBe(false);
  });

  it('has tokens that were obtained, and whether they answered', async () => {
    const results: SubmissionResult[] = [
      { token: 'a.b.c', answersCall: () => true },
      { token: 'd.e.f', answersCall: () => false },
      { refused: 'no' },
    ];
    const service: AttestationService = {
      route: 'maa',
      issues: (issuer) => issuer === 'own',
      accepts: () => true,
      attest: async () => results.shift() ?? { refused: 'none' },
    };
    const witness = new Witness(digestOf);
    const parts = witness.watched(world({ services: new Map<TokenRoute, AttestationService>([['maa', service]]) }));
    const ask = async (services: WorldParts['services']) => {
      const maa = services.get('maa');
      if (maa === undefined) throw new Error('no service');
      const attest = () => maa.attest({} as never, CONTEXT.signal);
      const said = [];
      for (let count = 0; count < 3; count++) {
        const result = await attest();
        said.push('token' in result ? [result.token, result.answersCall({})] : result);
      }
      return [maa.route, maa.issues('own'), maa.issues('other'), maa.accepts({} as never), ...said];
    };
    const { value, answers } = await witness.watch(() => ask(parts.services));
    expect(await ask(new WorldAnswers(answers, digestOf).services(['maa']))).toEqual(value);
  });

  it('has the texts of the policies that were asked for', async () => {
    const policy = { id: 'payments', text: 'id: payments' } as never;
    const witness = new Witness(digestOf);
    const parts = witness.watched(
      world({ tenants: () => ({ ...TENANT, policies: () => new Map([['payments', policy]]) }) }),
    );
    const { answers } = await witness.watch(async () => {
      const view = parts.tenants('a').policies();
      return [view.get('payments'), view.get('none'), [...view.keys()]];
    });
    expect(answers).toEqual([{ what: 'policy', key: 'payments', answer: { text: 'id: payments' } }]);
  });

  it('is given in its order, and the last of it however often it is asked for', () => {
    const [first, last] = ['jumped', null];
    const answers = [first, last].map((answer) => ({ what: 'clock', key: '', answer }) as const);
    const again = new WorldAnswers(answers, digestOf);
    const clock = again.clock(new Date(0));
    expect([clock.doubt(), clock.doubt(), clock.doubt()]).toEqual([first, last, last]);
    expect(again.notAsked).toBeNull();
  });

  it('does not say what was not asked for', async () => {
    const again = new WorldAnswers([], digestOf);
    await expect(again.endorsements().fetch([TDX], CONTEXT)).rejects.toThrow(NotAskedThenError);
  });
});
