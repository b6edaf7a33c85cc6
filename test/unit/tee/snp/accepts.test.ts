import { describe, expect, it } from 'vitest';
import type { SnpPart } from '../../../../src/core/claims.js';
import type { SnpEndorsementRequest } from '../../../../src/core/endorsement.js';
import type { SnpEndorsementInput } from '../../../../src/core/evidence.js';
import { hashed } from '../../../../src/crypto/digest.js';
import {
  type AmdPki,
  amdName,
  buildCertificateTable,
  createSnpGuest,
  processorOfPart,
  SNP_PROCESSORS,
  SnpGuest,
  type VcekOptions,
  type VekKind,
} from '../../../lab/index.js';
import { AT, expectVerified, FOREIGN_PKI, JWK, NONCE, PKI, snpVerifier, verifySnp } from '../fixture.js';

const VERSIONS = [2, 3, 4, 5] as const;
const KINDS: readonly VekKind[] = ['vcek', 'vlek'];
const PARTS = Object.keys(SNP_PROCESSORS);
const SIGNERS = PARTS.flatMap((part) => KINDS.map((signingKey) => [part, signingKey] as const));

/** The processor in a report, which depends on the report's version; undefined if there is none. */
function ofProcessor(part: SnpPart, version: (typeof VERSIONS)[number]) {
  const { product, cpuid } = processorOfPart(part);
  const mitigation = version === 5 ? { launch: '0x1', current: '0x3' } : undefined;
  return version === 2 ? { product, part: product, mitigation } : { product, part, cpuid, mitigation };
}

describe('SEV-SNP reports that verify', () => {
  it.each(SIGNERS)('accepts reports of all versions by a %s that signs with its %s', async (part, signingKey) => {
    for (const version of VERSIONS) {
      const guest = createSnpGuest({ pki: PKI, part, signingKey, version });
      const found = await verifySnp(guest.evidence({ nonce: NONCE }), { nonce: NONCE });
      expectVerified(found);
      const { cpuid, mitigation, ...processor } = ofProcessor(part, version);
      const { tcb } = guest.platform;
      expect(found.claims.snp).toMatchObject({
        version,
        ...processor,
        signingKey,
        tcb: { reported: tcb, launch: tcb },
      });
      expect(found.claims.snp?.cpuid).toEqual(cpuid);
      expect(found.claims.snp?.mitigation).toEqual(mitigation);
    }
  });

  it('accepts endorsements of a source, and says where they are from', async () => {
    const guest = createSnpGuest({ pki: PKI });
    const none = { vek: null, chain: null, crls: [] };
    const found = await verifySnp(guest.evidence({ endorsements: none }), {
      endorsements: guest.platform.endorsementSet(),
    });
    expectVerified(found);
    expect(found.endorsements.map(({ kind, source, revocation }) => [kind, source, revocation])).toEqual([
      ['vcek', 'store', 'not_applicable'],
      ['ask', 'store', 'good'],
      ['ark', 'store', 'not_applicable'],
      ['crl', 'store', 'not_applicable'],
    ]);
  });

  it('names what a VLEK rests on, and when each of it ends', async () => {
    const notAfter = new Date('2026-12-31T00:00:00Z');
    const nextUpdate = new Date('2026-07-01T00:00:00Z');
    const asvk = PKI.issueIntermediate('Milan', 'vlek', { notAfter: new Date('2030-01-01T00:00:00Z') });
    const ark = PKI.issueRoot('Milan', { notAfter: new Date('2031-01-01T00:00:00Z') });
    const guest = createSnpGuest({
      pki: PKI,
      signingKey: 'vlek',
      vlek: { overrides: { notAfter } },
      crl: { overrides: { nextUpdate } },
    });
    const found = await verifySnp(guest.evidence({ endorsements: { chain: asvk.pem + ark.pem } }));
    expectVerified(found);
    expect(found.endorsements.map(({ kind, source, notAfter: end }) => [kind, source, end?.toISOString()])).toEqual([
      ['vlek', 'evidence', '2026-12-31T00:00:00.000Z'],
      ['asvk', 'evidence', '2030-01-01T00:00:00.000Z'],
      ['ark', 'evidence', '2031-01-01T00:00:00.000Z'],
      ['crl', 'evidence', '2026-07-01T00:00:00.000Z'],
    ]);
  });

  it('SNP-30 claims the cloud provider of a VLEK, and none of a VCEK', async () => {
    const guest = createSnpGuest({ pki: PKI, signingKey: 'vlek', vlek: { cspId: 'CN=provider.example' } });
    expect((await verifySnp(guest.evidence())).claims.snp).toMatchObject({
      signingKey: 'vlek',
      cspId: 'CN=provider.example',
    });
    expect((await verifySnp(createSnpGuest({ pki: PKI }).evidence())).claims.snp).not.toHaveProperty('cspId');
  });

  it('is valid until the first of what it rests on ends', async () => {
    const crl = { overrides: { nextUpdate: new Date('2026-06-08T00:00:00Z') } };
    const found = await verifySnp(createSnpGuest({ pki: PKI, crl }).evidence());
    expect(found.validUntil).toEqual(new Date('2026-06-08T00:00:00Z'));
    const long = { overrides: { nextUpdate: new Date('2099-01-01T00:00:00Z') } };
    const notAfter = new Date('2027-01-01T00:00:00Z');
    const guest = createSnpGuest({ pki: PKI, crl: long, vcek: { overrides: { notAfter } } });
    expect((await verifySnp(guest.evidence())).validUntil).toEqual(notAfter);
  });

  it('accepts a PEM key certificate, and a hwID wrapped in an OCTET STRING', async () => {
    const guest = createSnpGuest({ pki: PKI, vcek: { wrapHwId: true } });
    expectVerified(await verifySnp(guest.evidence({ endorsements: { vek: { pem: guest.platform.vek.pem } } })));
  });

  it('accepts a certificate table, of which the report says whether VCEK or VLEK counts', async () => {
    const guests = (['vcek', 'vlek'] as const).map((signingKey) => createSnpGuest({ pki: PKI, signingKey }));
    const [vcek, vlek] = guests.map(({ platform }) => platform.vek.der);
    for (const { platform } of guests) {
      const [ask, ark] = PKI.chainDer('Milan', platform.signingKey);
      const certificateTable = buildCertificateTable([
        ['vcek', vcek ?? new Uint8Array()],
        ['vlek', vlek ?? new Uint8Array()],
        ['ask', ask],
        ['ark', ark],
      ]);
      const evidence = new SnpGuest(platform).evidence({ endorsements: { vek: null, chain: null, certificateTable } });
      expectVerified(await verifySnp(evidence));
    }
  });

  it('names what it needs for a report without endorsements', () => {
    const guest = createSnpGuest({ pki: PKI, part: 'Turin' });
    const evidence = guest.evidence({ endorsements: { vek: null, chain: null } });
    const [request] = snpVerifier().open(evidence).needs;
    expect(request).toMatchObject({
      kind: 'amd-snp',
      signingKey: 'vcek',
      products: ['Turin'],
      supplied: { vek: null, chain: false, crls: true },
    });
    if (request?.kind !== 'amd-snp') throw new Error('something else is needed');
    expect(request.reportedTcb('Turin')).toEqual(guest.platform.tcb);
    const supplied = (endorsements: Partial<SnpEndorsementInput>) => {
      const [wanted] = snpVerifier().open(guest.evidence({ endorsements })).needs;
      return wanted?.kind === 'amd-snp' ? wanted.supplied : null;
    };
    const vek = expect.objectContaining({ sha256: hashed(guest.platform.vek.der).sha256, namesIssuer: true });
    expect(supplied({})).toEqual({ vek, chain: true, crls: true });
    expect(supplied({ vek: null })).toEqual({ vek: null, chain: true, crls: true });
    expect(supplied({ chain: null })).toEqual({ vek, chain: false, crls: true });
    expect(supplied({ crls: [] })).toEqual({ vek, chain: true, crls: false });
  });

  it('CRT-40 tells whether the path of a key certificate holds, with what the request supplies in the first place', () => {
    const guest = createSnpGuest({ pki: PKI });
    const chainDers = PKI.chainDer('Milan');
    const chain = [hashed(chainDers[0]), hashed(chainDers[1])] as const;
    const [ask, ark] = FOREIGN_PKI.chainDer('Milan');
    const foreign = [hashed(ask), hashed(ark)] as const;
    const vek = hashed(guest.platform.vek.der);
    const hasPath = (
      endorsements: Partial<SnpEndorsementInput>,
      ...found: Parameters<SnpEndorsementRequest['hasPath']>
    ) => {
      const [wanted] = snpVerifier().open(guest.evidence({ endorsements })).needs;
      return wanted?.kind === 'amd-snp' && wanted.hasPath(...found);
    };
    const none = { vek: null, chain: null };
    expect(hasPath({}, null, null)).toBe(true);
    expect(hasPath({}, null, foreign)).toBe(true);
    expect(hasPath({ chain: null }, null, chain)).toBe(true);
    expect(hasPath({ vek: null }, vek, null)).toBe(true);
    expect(hasPath(none, vek, chain)).toBe(true);
    expect(hasPath({ chain: FOREIGN_PKI.chainPem('Milan') }, null, chain)).toBe(false);
    expect(hasPath(none, vek, foreign)).toBe(false);
    expect(hasPath(none, null, chain)).toBe(false);
    expect(hasPath(none, vek, null)).toBe(false);
    expect(hasPath(none, hashed(Uint8Array.of(1)), chain)).toBe(false);
    expect(hasPath(none, vek, [chain[1], chain[0]])).toBe(false);
  });

  it('tells of the key certificate of a request which chain signed it', () => {
    const suppliedBy = (vcek: Partial<VcekOptions>) => {
      const guest = createSnpGuest({ pki: PKI, vcek });
      const [wanted] = snpVerifier().open(guest.evidence({ endorsements: { chain: null } })).needs;
      return wanted?.kind === 'amd-snp' ? wanted.supplied.vek : null;
    };
    const chainOf = (pki: AmdPki, signingKey: 'vcek' | 'vlek' = 'vcek') => {
      const [intermediate, ark] = pki.chainDer('Milan', signingKey);
      return [hashed(intermediate), hashed(ark)] as const;
    };
    const vek = suppliedBy({});
    expect(vek?.isIssuedBy(chainOf(PKI))).toBe(true);
    expect(vek?.isIssuedBy(chainOf(PKI, 'vlek'))).toBe(false);
    expect(vek?.isIssuedBy(chainOf(FOREIGN_PKI))).toBe(false);
    // Another fault of it does not change its signer.
    const critical = { oid: '1.2.3.4', critical: true, value: Uint8Array.of(5, 0) };
    expect(suppliedBy({ extensions: (genuine) => [...genuine, critical] })?.isIssuedBy(chainOf(PKI))).toBe(true);
    expect(suppliedBy({ overrides: { issuer: amdName('SEV-VLEK-Milan') } })?.namesIssuer).toBe(false);
  });
});

describe('the expected value in a bare report', () => {
  const guest = createSnpGuest({ pki: PKI });

  it.each([
    ['without a key', null],
    ['with a key', JWK],
  ])('is found in report data %s', async (_, jwk) => {
    const found = await verifySnp(guest.evidence({ nonce: NONCE, jwk }), { nonce: NONCE, jwk });
    expectVerified(found);
    expect(found.bound).toEqual(['snp.reportData']);
  });

  it.each([
    ['without a key', null],
    ['with a key', JWK],
  ])('is found in runtime data %s', async (_, jwk) => {
    const evidence = guest.evidence({ nonce: NONCE, jwk, runtimeData: 'nonce' });
    const found = await verifySnp(evidence, { nonce: NONCE, jwk });
    expectVerified(found);
    expect(found.bound).toEqual(['runtimeData.nonce']);
  });

  it('is not looked for where the caller sent no nonce', async () => {
    const found = await verifySnp(guest.evidence({ nonce: NONCE }), { at: AT });
    expectVerified(found);
    expect(found.bound).toEqual([]);
    expect(found.required).not.toContain('nonce_mismatch');
  });
});
