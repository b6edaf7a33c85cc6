import { describe, expect, it } from 'vitest';
import {
  type AkIssuersRequest,
  type EndorsementRequest,
  type FetchContext,
  NO_ENDORSEMENTS,
  type SnpEndorsementRequest,
  type SnpEndorsementSet,
  type TdxCollateralRequest,
  type TokenKeysRequest,
  type Unavailable,
} from '../../../src/core/endorsement.js';
import { AllEndorsements, MOST_WAITING } from '../../../src/endorsements/all-endorsements.js';
import { NO_ROOM } from '../../../src/outside/fetch-error.js';

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
  chipIdBytes: () => 64,
  reportedTcb: () => ({ bootloader: 0, tee: 0, snp: 0, microcode: 0 }),
  supplied: { vek: null, chain: false, crls: false },
  hasPath: () => true,
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

  const VENDORS = {
    amd: { request: SNP, answer: { snp: SNP_SET } },
    intel: { request: QUOTE, answer: { tdx: STALE } },
    tokenKeys: { request: TOKEN, answer: { tokenKeys: KEYS } },
  };
  type Vendor = keyof typeof VENDORS;

  /** One vendor has requests wait until they are released, unless they have no time; the others answer. */
  function hanging(vendor: Vendor) {
    const waiting: (() => void)[] = [];
    const answer = async <T>(of: Vendor, found: T, { signal }: FetchContext): Promise<T> => {
      if (of === vendor && signal.reason !== NO_ROOM) await new Promise<void>((resolve) => waiting.push(resolve));
      return found;
    };
    const all = new AllEndorsements({
      amd: {
        fetch: async ([first], context) =>
          first?.kind === 'amd-snp' ? answer('amd', { ...NO_ENDORSEMENTS, snp: SNP_SET }, context) : NO_ENDORSEMENTS,
      },
      intel: { find: (_, context) => answer('intel', STALE, context) },
      tokenKeys: { find: (_, context) => answer('tokenKeys', KEYS, context) },
      akIssuers: { find: async () => [] },
    });
    return { waiting, all };
  }

  it.each<[Vendor, Vendor]>([
    ['amd', 'intel'],
    ['intel', 'tokenKeys'],
    ['tokenKeys', 'amd'],
  ])(
    '(%s) holds so many requests; the next has what is held at once, and one that needs %s is not touched',
    async (vendor, other) => {
      const { all, waiting } = hanging(vendor);
      const context = contextOf(new AbortController().signal);
      const ask = (of: Vendor) => all.fetch([VENDORS[of].request], context);
      const first = Array.from({ length: MOST_WAITING }, () => ask(vendor));
      expect(waiting).toHaveLength(MOST_WAITING);
      const next = ask(vendor);
      // Nobody releases it: it has to end by itself.
      expect(waiting).toHaveLength(MOST_WAITING);
      expect(await next).toMatchObject(VENDORS[vendor].answer);
      expect(await ask(other)).toMatchObject(VENDORS[other].answer);
      for (const release of waiting.splice(0)) release();
      for (const found of await Promise.all(first)) expect(found).toMatchObject(VENDORS[vendor].answer);
      const later = ask(vendor);
      expect(waiting).toHaveLength(1);
      waiting[0]?.();
      await later;
    },
  );
});
