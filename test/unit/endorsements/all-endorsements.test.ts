import { describe, expect, it } from 'vitest';
import { AllEndorsements } from '../../../src/endorsements/all-endorsements.js';
import type {
  AkIssuersRequest,
  EndorsementRequest,
  SnpEndorsementRequest,
  SnpEndorsementSet,
  TdxCollateralRequest,
  TokenKeysRequest,
  Unavailable,
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
