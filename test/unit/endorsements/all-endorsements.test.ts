import { describe, expect, it } from 'vitest';
import { AllEndorsements, MOST_WAITING } from '../../../src/endorsements/all-endorsements.js';
import {
  type AkIssuersRequest,
  type EndorsementRequest,
  NO_ENDORSEMENTS,
  type SnpEndorsementRequest,
  type SnpEndorsementSet,
  type TdxCollateralRequest,
  type TokenKeysRequest,
  type Unavailable,
} from '../../../src/model/endorsement.js';

const CONTEXT = { at: new Date(0), historical: false, signal: new AbortController().signal };
const SNP_SET: SnpEndorsementSet = {
  vek: null,
  chains: new Map(),
  chainProblem: null,
  crls: new Map(),
  otherCrls: new Map(),
  crlProblems: new Map(),
};
const KEYS: Unavailable = { code: 'jwks_unavailable', detail: 'down', retryable: true };
const TOKEN: TokenKeysRequest = { kind: 'token-keys', type: 'maa-token', issuer: 'https://issuer.example', kid: 'a' };
const STALE: Unavailable = { code: 'collateral_stale', detail: 'ended', retryable: true };
const QUOTE: TdxCollateralRequest = { kind: 'intel-tdx', fmspc: '00806f050000', ca: 'platform', supplied: null };
const AK: AkIssuersRequest = { kind: 'ak-issuers', issuer: Uint8Array.of(0x30, 0) };
const SNP: SnpEndorsementRequest = {
  kind: 'amd-snp',
  signingKey: 'vcek',
  products: ['Milan'],
  chipId: new Uint8Array(64),
  reportedTcb: () => ({ bootloader: 0, tee: 0, snp: 0, microcode: 0 }),
  supplied: { vek: null, chain: false, crls: false },
};

function setUp() {
  const asked: unknown[] = [];
  const amd = {
    fetch: async (requests: readonly EndorsementRequest[]) => ({
      snp: requests.some(({ kind }) => kind === 'amd-snp') ? SNP_SET : null,
    }),
  };
  const tokenKeys = {
    find: async (...args: readonly unknown[]) => {
      asked.push(args);
      return KEYS;
    },
  };
  const intel = {
    find: async (...args: readonly unknown[]) => {
      asked.push(args);
      return STALE;
    },
  };
  const akIssuers = {
    find: async (...args: readonly unknown[]) => {
      asked.push(args);
      return [];
    },
  };
  return { asked, all: new AllEndorsements({ amd, intel, tokenKeys, akIssuers }) };
}

describe('AllEndorsements', () => {
  it('asks each source for what it has, and gives all of it', async () => {
    const { all, asked } = setUp();
    const found = { snp: SNP_SET, tdx: STALE, tokenKeys: KEYS, akIssuers: [] };
    expect(await all.fetch([SNP, QUOTE, TOKEN, AK], CONTEXT)).toEqual(found);
    expect(asked).toEqual([[QUOTE, CONTEXT], [TOKEN, CONTEXT], [AK]]);
  });

  it.each([
    ['a report alone', [SNP], SNP_SET],
    ['nothing', [], null],
  ])('asks for neither keys nor collateral for %s', async (_what, requests, snp) => {
    const { all, asked } = setUp();
    expect(await all.fetch(requests, CONTEXT)).toEqual({ snp, tdx: null, tokenKeys: null });
    expect(asked).toEqual([]);
  });

  it('asks for keys alone for a token', async () => {
    expect(await setUp().all.fetch([TOKEN], CONTEXT)).toEqual({ snp: null, tdx: null, tokenKeys: KEYS });
  });

  it('refuses to take the keys of one token for those of another', async () => {
    await expect(setUp().all.fetch([TOKEN, { ...TOKEN, issuer: 'https://b.example' }], CONTEXT)).rejects.toThrow(
      'more than one token',
    );
  });

  it('refuses to take the issuers of one attestation key for those of another', async () => {
    await expect(setUp().all.fetch([AK, AK], CONTEXT)).rejects.toThrow('more than one attestation key');
  });

  it('refuses to take the collateral of one quote for that of another', async () => {
    await expect(setUp().all.fetch([QUOTE, { ...QUOTE, ca: 'processor' }], CONTEXT)).rejects.toThrow(
      'more than one quote',
    );
  });
});

describe('a vendor that hangs', () => {
  const contextOf = (signal: AbortSignal) => ({ at: new Date(0), historical: true, signal });

  /** Requests for collateral that wait until they are released, or have no time. */
  function hanging() {
    const waiting: (() => void)[] = [];
    const intel = {
      find: (_: TdxCollateralRequest, { signal }: typeof CONTEXT) =>
        signal.aborted
          ? Promise.resolve(STALE)
          : new Promise<Unavailable>((resolve) => waiting.push(() => resolve(KEYS))),
    };
    const amd = { fetch: async () => NO_ENDORSEMENTS };
    const sources = { amd, intel, tokenKeys: { find: async () => KEYS }, akIssuers: { find: async () => [] } };
    return { waiting, all: new AllEndorsements(sources) };
  }

  it('holds so many requests; the next has what is held at once, and one that needs another vendor is not touched', async () => {
    const { all, waiting } = hanging();
    const context = contextOf(new AbortController().signal);
    const first = Array.from({ length: MOST_WAITING }, () => all.fetch([QUOTE], context));
    expect(waiting).toHaveLength(MOST_WAITING);
    expect(await all.fetch([QUOTE], context)).toMatchObject({ tdx: STALE });
    expect(await all.fetch([TOKEN], context)).toMatchObject({ tokenKeys: KEYS });
    for (const release of waiting.splice(0)) release();
    expect(new Set((await Promise.all(first)).map(({ tdx }) => tdx))).toEqual(new Set([KEYS]));
    const next = all.fetch([QUOTE], context);
    expect(waiting).toHaveLength(1);
    waiting[0]?.();
    await next;
  });
});
