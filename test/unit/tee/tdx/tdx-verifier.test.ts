import { describe, expect, it } from 'vitest';
import type { CheckId } from '../../../../src/core/codes.js';
import type { TdxEvidence } from '../../../../src/core/evidence.js';
import type { JsonObject } from '../../../../src/core/json.js';
import type { Verification } from '../../../../src/core/verification.js';
import { sha512 } from '../../../../src/crypto/digest.js';
import { expectedBinding } from '../../../../src/tee/shared/binding/expected-binding.js';
import { PARAVISOR_CHECKS } from '../../../../src/tee/shared/paravisor/paravisor-claims.js';
import { TdxVerifier } from '../../../../src/tee/tdx/tdx-verifier.js';
import { flipBit } from '../../../lab/byte-patch.js';
import { azureKey, azureVmConfiguration } from '../../../lab/runtime-claims-builder.js';
import { TdxGuest, type TdxGuestEvidenceOptions } from '../../../lab/tdx-guest.js';
import {
  AT,
  endorsing,
  expectFailed,
  expectUndecided,
  expectVerified,
  idsWith,
  newVerifier,
  PLATFORM,
} from './fixture.js';

const NONCE = Uint8Array.from({ length: 32 }, (_, index) => 0x40 + index);
const OTHER = Uint8Array.from({ length: 32 }, (_, index) => 0x80 + index);
const JWK: JsonObject = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
};
const MRTD = 'd1'.repeat(48);
const EVENT_LOG_BYTES = 2 ** 20;
const guest = new TdxGuest({ platform: PLATFORM });

interface Asked {
  readonly nonce?: Uint8Array;
  readonly jwk?: JsonObject;
  readonly mrtds?: readonly string[];
  readonly collateral?: boolean;
}

async function verifyEvidence(evidence: TdxEvidence, asked: Asked = {}): Promise<Verification> {
  const { nonce, jwk = null, mrtds = [], collateral = true } = asked;
  const endorsements = collateral ? endorsing(PLATFORM.collateral()) : { snp: null };
  const binding = nonce === undefined ? null : expectedBinding(nonce, jwk);
  return new TdxVerifier(newVerifier(), new Set(mrtds), EVENT_LOG_BYTES).open(evidence).verify({
    at: AT,
    endorsements,
    binding,
  });
}

const verify = (options: TdxGuestEvidenceOptions, asked: Asked = {}) => verifyEvidence(guest.evidence(options), asked);

describe('a bare TD quote', () => {
  it('verifies without a nonce, and is what other verifiers take', async () => {
    const evidence = guest.evidence();
    const found = await verifyEvidence(evidence);
    expectVerified(found);
    expect(found.bound).toEqual([]);
    expect(found.claims.tdx?.mrtd).toBe(MRTD);
    expect(found.submission).toEqual({ tee: 'tdx', quote: evidence.quote, runtimeData: null });
    expect(found.tcbShortfalls).toEqual([]);
  });

  it('holds the nonce in REPORTDATA, followed by zeros', async () => {
    const found = await verify({ nonce: NONCE }, { nonce: NONCE });
    expectVerified(found);
    expect(found.bound).toEqual(['tdx.reportData']);
  });

  it('holds nonce and key in REPORTDATA', async () => {
    const found = await verify({ nonce: NONCE, jwk: JWK }, { nonce: NONCE, jwk: JWK });
    expectVerified(found);
    expect(found.bound).toEqual(['tdx.reportData']);
    expectFailed(await verify({ nonce: NONCE, jwk: JWK }, { nonce: NONCE }), 'nonce_mismatch');
    expectFailed(await verify({ nonce: NONCE }, { nonce: NONCE, jwk: JWK }), 'nonce_mismatch');
  });

  it('denies another nonce, one that is followed by something else, and REPORTDATA that was never set', async () => {
    expectFailed(await verify({ nonce: OTHER }, { nonce: NONCE }), 'nonce_mismatch');
    const reportData = new Uint8Array(64).fill(1);
    reportData.set(NONCE);
    expectFailed(await verify({ quote: { fields: { reportData } } }, { nonce: NONCE }), 'nonce_mismatch');
    const unset = await verify({}, { nonce: new Uint8Array(32) });
    expectFailed(unset, 'nonce_mismatch');
    expect(unset.bound).toEqual([]);
  });

  it('HCL-15 does not know a paravisor by its MRTD where a VM inside of the TD requested the report', async () => {
    const requestedBy = async (vmId: number) => {
      const quote = { version: 5, body: 'td15Extended', fields: { extension: { vmId: Uint8Array.of(vmId) } } } as const;
      const found = await verify({ runtimeData: claimsText(NONCE), quote }, { mrtds: [MRTD] });
      expectVerified(found);
      return found.claims.hcl?.paravisor;
    };
    expect(await requestedBy(0)).toEqual({ known: true, by: 'mrtd' });
    expect(await requestedBy(1)).toEqual({ known: false, by: null });
  });

  it('judges the nonce although there is no collateral, and claims nothing', async () => {
    const found = await verify({ nonce: NONCE }, { nonce: NONCE, collateral: false });
    expectUndecided(found, 'collateral_unavailable');
    expect(found.bound).toEqual(['tdx.reportData']);
    expect(found.claims).toEqual({});
    expect(found.submission).toBeNull();
    expectFailed(await verify({ nonce: OTHER }, { nonce: NONCE, collateral: false }), 'nonce_mismatch');
  });

  it.each<[string, TdxGuestEvidenceOptions, Asked, readonly CheckId[]]>([
    ['nothing more of a bare quote', {}, {}, []],
    ['the nonce', { nonce: NONCE }, { nonce: NONCE }, ['nonce_mismatch']],
    ['runtime data', { runtimeData: { text: '{}' } }, {}, ['hcl_binding', ...PARAVISOR_CHECKS]],
  ])('leaves unjudged, where the quote does not hold, %s', async (_, options, asked, ids) => {
    const signature = (genuine: Uint8Array) => flipBit(genuine, 0);
    const found = await verify({ ...options, quote: { signature } }, asked);
    expectFailed(found, 'tdx_signature');
    const skipped = found.checks.filter(({ result, id }) => result === 'skipped' && !id.startsWith('tdx_'));
    expect(skipped.map(({ id }) => id)).toEqual(ids);
  });

  it('judges no nonce of a quote whose signature does not hold', async () => {
    const signature = (genuine: Uint8Array) => flipBit(genuine, 0);
    const found = await verify({ nonce: NONCE, quote: { signature } }, { nonce: NONCE });
    expectFailed(found, 'tdx_signature');
    expect(found.bound).toEqual([]);
    expect(idsWith(found, 'skipped')).toContain('nonce_mismatch');
    expect(found.submission).toBeNull();
  });

  it('asks for the collateral of its platform, with what the request brings', () => {
    const evidence = guest.evidence();
    const verifier = new TdxVerifier(newVerifier(), new Set(), EVENT_LOG_BYTES);
    expect(verifier.open(evidence).needs).toEqual([
      { kind: 'intel-tdx', fmspc: '00806f050000', ca: 'platform', supplied: evidence.collateral },
    ]);
  });
});

describe('a TD quote with runtime data', () => {
  it('holds the nonce, and the bound key, in JSON whose hash is REPORTDATA', async () => {
    const found = await verify({ nonce: NONCE, runtimeData: 'nonce' }, { nonce: NONCE });
    expectVerified(found);
    expect(found.bound).toEqual(['runtimeData.nonce']);
    const bound = await verify({ nonce: NONCE, jwk: JWK, runtimeData: 'nonce' }, { nonce: NONCE, jwk: JWK });
    expectVerified(bound);
    expectFailed(await verify({ nonce: NONCE, runtimeData: 'nonce' }, { nonce: NONCE, jwk: JWK }), 'nonce_mismatch');
    expectFailed(await verify({ nonce: OTHER, runtimeData: 'nonce' }, { nonce: NONCE }), 'nonce_mismatch');
  });

  it('denies runtime data that REPORTDATA is not the hash of', async () => {
    const evidence = guest.evidence({ nonce: NONCE, runtimeData: 'nonce' });
    const found = await verifyEvidence({ ...evidence, runtimeData: Uint8Array.of(1) }, { nonce: NONCE });
    expectFailed(found, 'hcl_binding');
    expect(found.submission?.runtimeData).toBeNull();
    expect(idsWith(found, 'skipped')).toEqual(expect.arrayContaining(['nonce_mismatch', 'hcl_claims']));
  });

  it('denies data with a member that stands there twice', async () => {
    const runtimeData = { text: '{"nonce":"AAAA","nonce":"AAAA"}' };
    const found = await verify({ runtimeData });
    expectFailed(found, 'hcl_duplicate');
    expect(found.checks.find(({ id }) => id === 'hcl_duplicate')?.detail).toBe(
      'a member of the runtime claims appears twice',
    );
  });

  it('leaves data that is no JSON at its hash', async () => {
    expectVerified(await verify({ runtimeData: { text: 'not json' } }));
    expectFailed(await verify({ runtimeData: { text: 'not json' } }, { nonce: NONCE }), 'nonce_mismatch');
  });
});

describe('a TD quote of a body for Intel Trust Authority', () => {
  const INTEL = Buffer.from('val and iat');
  const held = (data: Uint8Array, verifierNonce: Uint8Array = INTEL): TdxEvidence => {
    const reportData = sha512(verifierNonce, data);
    return { ...guest.evidence({ quote: { fields: { reportData } } }), runtimeData: data, verifierNonce };
  };
  const data = Buffer.from(JSON.stringify({ nonce: Buffer.from(NONCE).toString('base64url') }));

  it.each([
    ['SHA-512 of Intel’s nonce and the data', held(data), sha512(INTEL, data)],
    ['SHA-512 of the data alone', held(data, new Uint8Array()), sha512(data)],
  ])('holds %s, which the caller knows: it is the nonce', async (_what, evidence, nonce) => {
    expectVerified(await verifyEvidence(evidence));
    const found = await verifyEvidence(evidence, { nonce });
    expectVerified(found);
    expect(found.checks.find(({ id }) => id === 'hcl_binding')?.actual).toBe(Buffer.from(nonce).toString('hex'));
    expect(found.bound).toEqual(['tdx.reportData']);
    expect(found.submission).toEqual({ tee: 'tdx', quote: evidence.quote, runtimeData: null });
  });

  it('holds no nonce inside of such data: where it begins is not known', async () => {
    expectFailed(await verifyEvidence(held(data), { nonce: NONCE }), 'nonce_mismatch');
    const tagged = {
      ...held(data),
      runtimeData: data.subarray(1),
      verifierNonce: Buffer.concat([INTEL, data.subarray(0, 1)]),
    };
    expectFailed(await verifyEvidence(tagged, { nonce: NONCE }), 'nonce_mismatch');
  });

  it('takes SHA-256 too, as Azure’s paravisor makes it, and gives that to other verifiers', async () => {
    const evidence = { ...guest.evidence({ runtimeData: claimsText(NONCE) }), verifierNonce: INTEL };
    const found = await verifyEvidence(evidence, { nonce: NONCE });
    expectVerified(found);
    expect(found.bound).toEqual(['hcl.userData']);
    expect(found.submission).toMatchObject({ runtimeData: evidence.runtimeData });
  });

  it('denies data under SHA-512 of another nonce or other data, and in every other form of evidence', async () => {
    const { verifierNonce: _, ...native } = held(data);
    const others = [
      { ...held(data), verifierNonce: Buffer.from('val') },
      { ...held(data), runtimeData: INTEL },
      native,
    ];
    for (const evidence of others) expectFailed(await verifyEvidence(evidence), 'hcl_binding');
  });

  it('denies claims of a paravisor under SHA-512', async () => {
    const evidence = held(Buffer.from(claimsText(NONCE).text));
    expectFailed(await verifyEvidence(evidence, { mrtds: [MRTD] }), 'hcl_binding');
  });
});

const AK = { kty: 'RSA', e: 'AQAB', n: Buffer.from(new Uint8Array(256).fill(0xc1)).toString('base64url') };

function claimsText(userData: Uint8Array, ak: JsonObject = AK): { readonly text: string } {
  const padded = new Uint8Array(64);
  padded.set(userData);
  return {
    text: JSON.stringify({
      keys: [azureKey('HCLAkPub', ['sign'], ak)],
      'vm-configuration': azureVmConfiguration(),
      'user-data': Buffer.from(padded).toString('hex').toUpperCase(),
    }),
  };
}

describe('a TD quote with runtime claims of a paravisor', () => {
  it('holds the nonce in user-data, and claims the vTPM key', async () => {
    const found = await verify({ runtimeData: claimsText(NONCE) }, { nonce: NONCE });
    expectVerified(found);
    expect(found.bound).toEqual(['hcl.userData']);
    expect(found.claims.hcl).toMatchObject({ reportType: 'tdx', paravisor: { known: false, by: null } });
  });

  it('knows the paravisor by its MRTD', async () => {
    const found = await verify({ runtimeData: claimsText(NONCE) }, { mrtds: [MRTD] });
    expectVerified(found);
    expect(found.claims.hcl?.paravisor).toEqual({ known: true, by: 'mrtd' });
  });

  it('judges the nonce although there is no collateral, and claims nothing', async () => {
    const found = await verify({ runtimeData: claimsText(NONCE) }, { nonce: NONCE, mrtds: [MRTD], collateral: false });
    expectUndecided(found, 'collateral_unavailable');
    expect(found.bound).toEqual(['hcl.userData']);
    expect(found.claims).toEqual({});
  });

  it('denies another nonce, and user-data that was never set', async () => {
    expectFailed(await verify({ runtimeData: claimsText(OTHER) }, { nonce: NONCE }), 'nonce_mismatch');
    expectFailed(await verify({ runtimeData: claimsText(new Uint8Array()) }, { nonce: NONCE }), 'nonce_mismatch');
  });

  it('denies a weak key of the vTPM, and makes no claims of it', async () => {
    const weak = { ...AK, n: Buffer.from(new Uint8Array(128).fill(0xc1)).toString('base64url') };
    const found = await verify({ runtimeData: claimsText(NONCE, weak) }, { nonce: NONCE });
    expectFailed(found, 'hcl_ak_weak');
    expect(found.claims.hcl).toBeUndefined();
    expect(idsWith(found, 'skipped')).toEqual(['nonce_mismatch']);
  });
});
