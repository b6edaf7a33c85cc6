import { describe, expect, it } from 'vitest';
import type {
  EndorsementOrigin,
  EndorsementRequest,
  EndorsementSet,
  FetchContext,
  SnpSigningKey,
  TokenKey,
} from '../../../src/core/endorsement.js';
import type { TdxCollateral } from '../../../src/core/evidence.js';
import { hashed } from '../../../src/crypto/digest.js';
import { RememberedEndorsements } from '../../../src/endorsements/remembered-endorsements.js';
import { createIntelPki, TdxPlatform } from '../../lab/index.js';

const CONTEXT = { at: new Date(0), historical: false, signal: new AbortController().signal, tenant: 'red' };
const bytes = (text: string) => Uint8Array.from(Buffer.from(text));
const sourced = <T>(value: T, origin: EndorsementOrigin = 'cache') => ({ value, origin });
const digestOf = (text: string | Uint8Array) => hashed(typeof text === 'string' ? bytes(text) : text).sha256;

const snpRequest = (signingKey: SnpSigningKey = 'vcek'): EndorsementRequest => ({
  kind: 'amd-snp',
  signingKey,
  products: ['Milan'],
  chipId: new Uint8Array(64),
  chipIdBytes: () => 64,
  reportedTcb: () => ({ bootloader: 0, tee: 0, snp: 0, microcode: 0 }),
  supplied: { vek: null, chain: false, crls: false },
  hasPath: () => true,
});
const TDX: EndorsementRequest = { kind: 'intel-tdx', fmspc: '00806f050000', ca: 'platform', supplied: null };
const TOKEN: EndorsementRequest = { kind: 'token-keys', type: 'maa-token', issuer: 'https://i.example', kid: 'a' };

const snpSet = (origin: EndorsementOrigin = 'cache'): EndorsementSet => ({
  snp: {
    vek: sourced(hashed(bytes('vek')), origin),
    chains: new Map([['Milan', sourced([hashed(bytes('ask')), hashed(bytes('ark'))] as const, origin)]]),
    chainProblem: null,
    crls: new Map([['Milan', sourced(hashed(bytes('crl')), origin)]]),
    otherCrls: new Map([['Genoa', [sourced(hashed(bytes('other crl')), origin)]]]),
    crlProblems: new Map(),
  },
});
const SNP_TEXTS = ['vek', 'ask', 'ark', 'crl', 'other crl'];

/** The remembered endorsements after sources gave a set. */
async function given(set: EndorsementSet, requests = [snpRequest()], context: Partial<FetchContext> = {}) {
  const remembered = new RememberedEndorsements();
  remembered.remember(requests, set, { ...CONTEXT, ...context });
  const kindOf = async (text: string | Uint8Array, tenant = 'red') =>
    remembered.find(tenant, digestOf(text))?.kind ?? null;
  return { remembered, kindOf };
}

const kindsOf = (texts: readonly string[], kindOf: (text: string) => Promise<string | null>) =>
  Promise.all(texts.map((text) => kindOf(text)));

describe('endorsements of AMD', () => {
  it('are found by digest, each under its kind and with its bytes', async () => {
    const { remembered, kindOf } = await given(snpSet());
    expect(await kindsOf(SNP_TEXTS, kindOf)).toEqual(['vcek', 'ask', 'ark', 'crl', 'crl']);
    const sha256 = digestOf('vek');
    expect(remembered.find('red', sha256)).toEqual({ kind: 'vcek', sha256, value: bytes('vek') });
    expect(await kindOf('something else')).toBeNull();
  });

  it('are a VLEK and an ASVK where the report says so', async () => {
    const { kindOf } = await given(snpSet(), [snpRequest('vlek')]);
    expect(await kindsOf(['vek', 'ask'], kindOf)).toEqual(['vlek', 'asvk']);
  });

  it('are not remembered where the request brought them', async () => {
    const { kindOf } = await given(snpSet('evidence'));
    expect(await kindsOf(SNP_TEXTS, kindOf)).toEqual([null, null, null, null, null]);
  });

  it('are not remembered of a request about the past', async () => {
    const { kindOf } = await given(snpSet(), [snpRequest()], { historical: true });
    expect(await kindOf('vek')).toBeNull();
  });

  it("are no other tenant's, and nobody's where the service itself asked", async () => {
    const { kindOf } = await given(snpSet());
    expect(await kindOf('vek', 'blue')).toBeNull();
    const { tenant: _, ...ofService } = CONTEXT;
    const remembered = new RememberedEndorsements();
    remembered.remember([snpRequest()], snpSet(), ofService);
    expect(remembered.find('red', digestOf('vek'))).toBeNull();
  });

  it('are copies, whatever becomes of the bytes of the source', async () => {
    const answer = bytes('a vek in a longer answer');
    const vek = hashed(answer.subarray(2, 5));
    const { remembered } = await given({ snp: { ...snpSet().snp, vek: sourced(vek) } as EndorsementSet['snp'] });
    answer.fill(0);
    const found = remembered.find('red', vek.sha256);
    expect(found?.value).toEqual(bytes('vek'));
    expect(found?.value.buffer.byteLength).toBe(3);
  });

  it('are none where nothing was found', async () => {
    const problem = { code: 'vcek_unavailable', detail: 'none', retryable: false } as const;
    const set = { snp: { ...snpSet().snp, vek: problem } as EndorsementSet['snp'] };
    const { kindOf } = await given(set);
    expect(await kindsOf(['vek', 'ask'], kindOf)).toEqual([null, 'ask']);
    expect((await given({ snp: null, tdx: problem, tokenKeys: problem }, [])).remembered.find('red', 'ab')).toBeNull();
  });
});

describe('collateral of Intel', () => {
  const collateral = new TdxPlatform({ pki: createIntelPki() }).collateral();
  const first = (pem: string) => Buffer.from(pem.split('-----')[2]?.replaceAll(/\s/g, '') ?? '', 'base64');
  const parts = ({ tcbInfo, qeIdentity, pckCrl, rootCaCrl, ...chains }: TdxCollateral) => [
    bytes(tcbInfo),
    bytes(qeIdentity),
    pckCrl,
    rootCaCrl,
    first(chains.tcbInfoIssuerChain),
    first(chains.pckCrlIssuerChain),
  ];
  const kinds = async (set: EndorsementSet) => {
    const { kindOf } = await given(set, [TDX]);
    return Promise.all(parts(collateral).map((part) => kindOf(part)));
  };

  it('is found part by part, to the byte, with those who signed it', async () => {
    expect(await kinds({ snp: null, tdx: sourced(collateral) })).toEqual([
      'tcb-info',
      'qe-identity',
      'crl',
      'crl',
      'tcb-signing',
      'pck-ca',
    ]);
  });

  it('is not remembered where the request brought it', async () => {
    expect(await kinds({ snp: null, tdx: sourced(collateral, 'evidence') })).toEqual(Array(6).fill(null));
  });

  it('is remembered without the parts that the request brought', async () => {
    const partOrigins = { tcbInfo: 'evidence', qeIdentity: 'cache', pckCrl: 'evidence', rootCaCrl: 'network' } as const;
    expect(await kinds({ snp: null, tdx: { ...sourced(collateral, 'evidence'), partOrigins } })).toEqual([
      null,
      'qe-identity',
      null,
      'crl',
      'tcb-signing',
      null,
    ]);
  });
});

it('the key of a token is found, and no other of its set', async () => {
  const keyOf = (spki: string) => ({ spki: bytes(spki) }) as unknown as TokenKey;
  const keys = new Map([
    ['a', [keyOf('key a')]],
    ['b', [keyOf('key b')]],
  ]);
  const { kindOf } = await given({ snp: null, tokenKeys: sourced({ keys, crls: [] }, 'network') }, [TOKEN]);
  expect(await kindsOf(['key a', 'key b'], kindOf)).toEqual(['token-key', null]);
});

it('issuers of attestation keys are found', async () => {
  const { kindOf } = await given({ snp: null, akIssuers: [sourced(hashed(bytes('issuer')), 'store')] }, []);
  expect(await kindOf('issuer')).toBe('ak-ca');
});

describe('what is remembered', () => {
  const watch = (remembered: RememberedEndorsements, text: string, tenant = 'red') =>
    remembered.remember([], { snp: null, akIssuers: [sourced(hashed(bytes(text)), 'store')] }, { ...CONTEXT, tenant });

  it('is bounded in number, and what was used last stays', async () => {
    const remembered = new RememberedEndorsements({ entries: 2, bytes: 100 });
    for (const text of ['one', 'two', 'one', 'three']) await watch(remembered, text);
    const found = ['one', 'two', 'three'].map((text) => remembered.find('red', digestOf(text)) !== null);
    expect(found).toEqual([true, false, true]);
  });

  it('is bounded in bytes, those of one endorsement included', async () => {
    const remembered = new RememberedEndorsements({ entries: 100, bytes: 10 });
    for (const text of ['a'.repeat(6), 'b'.repeat(6), 'c'.repeat(11)]) await watch(remembered, text);
    const found = ['a'.repeat(6), 'b'.repeat(6), 'c'.repeat(11)].map((text) => remembered.find('red', digestOf(text)));
    expect(found.map((each) => each !== null)).toEqual([false, true, false]);
  });

  it('of one tenant is not put out by another', async () => {
    const remembered = new RememberedEndorsements({ entries: 1, bytes: 100 });
    await watch(remembered, 'one');
    await watch(remembered, 'two', 'blue');
    expect(remembered.find('red', digestOf('one'))).not.toBeNull();
  });
});

it.each([
  ['other bytes', { der: bytes('vex'), sha256: digestOf('vek') }],
  ['another name for them', { der: bytes('vek'), sha256: digestOf('vex') }],
])('what a source gives is not given out where it has %s', async (_what, issuer) => {
  const { remembered } = await given({ snp: null, akIssuers: [sourced(issuer, 'store')] }, []);
  expect(remembered.find('red', issuer.sha256)).toBeNull();
});
