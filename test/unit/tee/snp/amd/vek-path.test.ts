import { describe, expect, it } from 'vitest';
import type { SnpProduct } from '../../../../../src/core/claims.js';
import type { DerChain } from '../../../../../src/core/endorsement.js';
import { hashed } from '../../../../../src/crypto/digest.js';
import { pathEnd, VekPaths } from '../../../../../src/tee/snp/amd/vek-path.js';
import { chooseChain } from '../../../../../src/tee/snp/supplied-certificates.js';
import { type AmdPki, amdName, createSnpGuest } from '../../../../lab/index.js';
import { FOREIGN_PKI, PKI } from '../../fixture.js';

const { platform } = createSnpGuest({ pki: PKI });
const hashedChain = ([first, second]: readonly [Uint8Array, Uint8Array]): DerChain => [hashed(first), hashed(second)];
const chainOf = (pki: AmdPki, product: SnpProduct = 'Milan') => hashedChain(pki.chainDer(product));
const chain = chainOf(PKI);

describe('path of a VEK', () => {
  it('REQ-20 keeps a VEK, and its path, once the path holds', () => {
    const paths = new VekPaths(PKI.pins());
    const vek = paths.readVek(hashed(platform.vek.der));
    expect(paths.verify(vek, chainOf(FOREIGN_PKI)).problems).not.toEqual([]);
    expect(paths.readVek(hashed(platform.vek.der))).not.toBe(vek);
    paths.verify(vek, chain);
    expect(paths.readVek(hashed(platform.vek.der))).toBe(vek);
  });

  it('REQ-20 keeps copies: nothing of the request stays with them', () => {
    const paths = new VekPaths(PKI.pins());
    const within = (der: Uint8Array) => Buffer.concat([new Uint8Array(9000), der]).subarray(9000);
    const [intermediate, root] = chain;
    const vek = paths.readVek(hashed(within(platform.vek.der)));
    const path = paths.verify(vek, hashedChain([within(intermediate.der), within(root.der)]));
    expect(path.problems).toEqual([]);
    for (const { der, tbs, spki, issuer } of [path.vek, path.intermediate, path.root]) {
      for (const part of [der, tbs, spki, issuer.der]) expect(part.buffer.byteLength).toBe(der.byteLength);
    }
  });

  it('has no problems under a pinned root, and is kept by its contents', () => {
    const paths = new VekPaths(PKI.pins());
    const vek = paths.readVek(hashed(platform.vek.der));
    const path = paths.verify(vek, chain);
    expect(path).toMatchObject({ product: 'Milan', problems: [] });
    expect(paths.readVek(hashed(Uint8Array.from(platform.vek.der)))).toBe(vek);
    expect(paths.verify(vek, hashedChain([Uint8Array.from(chain[0].der), Uint8Array.from(chain[1].der)]))).toBe(path);
  });

  it('has the chain of other VEKs, read and verified once, where that holds', () => {
    const paths = new VekPaths(PKI.pins());
    const other = createSnpGuest({ pki: PKI, vcek: { chipId: new Uint8Array(64).fill(7) } }).platform;
    const of = (der: Uint8Array, issuers = chain) => paths.verify(paths.readVek(hashed(der)), issuers);
    const [first, second] = [of(platform.vek.der), of(other.vek.der)];
    expect(second.vek).not.toBe(first.vek);
    expect([second.intermediate, second.root]).toEqual([first.intermediate, first.root]);
    expect(second.intermediate).toBe(first.intermediate);
    expect(second.problems).toEqual([]);
    const foreign = chainOf(FOREIGN_PKI);
    expect(of(other.vek.der, foreign).intermediate).not.toBe(of(platform.vek.der, foreign).intermediate);
  });

  it('does not hold where the chain of other VEKs does, and another key signed this one', () => {
    const paths = new VekPaths(PKI.pins());
    paths.verify(paths.readVek(hashed(platform.vek.der)), chain);
    const foreign = createSnpGuest({ pki: FOREIGN_PKI }).platform.vek.der;
    expect(paths.verify(paths.readVek(hashed(foreign)), chain).problems).toMatchObject([
      { code: 'cert_signature', index: 0 },
    ]);
  });

  it('is not driven out by paths that do not hold', () => {
    const paths = new VekPaths(PKI.pins(), 1);
    const vek = paths.readVek(hashed(platform.vek.der));
    const path = paths.verify(vek, chain);
    expect(paths.verify(vek, chainOf(FOREIGN_PKI)).problems).not.toEqual([]);
    expect(paths.verify(vek, chain)).toBe(path);
  });

  it('ends where its first certificate ends', () => {
    const notAfter = new Date('2026-08-01T00:00:00Z');
    const paths = new VekPaths(PKI.pins());
    const vek = paths.readVek(hashed(platform.vek.der));
    const short = PKI.issueIntermediate('Milan', 'vcek', { notAfter }).der;
    expect(pathEnd(paths.verify(vek, [hashed(short), chain[1]]))).toEqual(notAfter);
    expect(pathEnd(paths.verify(vek, chain)).getTime()).toBeGreaterThan(notAfter.getTime());
  });

  it('SNP-25 ends at no pinned root where the issuer of the VEK names no line, or one without pins', () => {
    const unnamed = createSnpGuest({ pki: PKI, vcek: { overrides: { issuer: amdName('SEV-Unknown') } } });
    const paths = new VekPaths(PKI.pins());
    const untrusted = expect.arrayContaining([expect.objectContaining({ code: 'cert_untrusted' })]);
    expect(paths.verify(paths.readVek(hashed(unnamed.platform.vek.der)), chain)).toMatchObject({
      product: null,
      problems: untrusted,
    });
    const genoaOnly = new VekPaths(PKI.pins(['Genoa']));
    expect(genoaOnly.verify(genoaOnly.readVek(hashed(platform.vek.der)), chain).problems).toEqual(untrusted);
  });

  it('is told from the chain of another line; not where it names none that has pins', () => {
    const otherLine = (der: Uint8Array, lines?: Parameters<typeof PKI.pins>[0]) => {
      const paths = new VekPaths(PKI.pins(lines));
      return paths.verify(paths.readVek(hashed(der)), chainOf(PKI, 'Genoa')).otherLine;
    };
    const unnamed = createSnpGuest({ pki: PKI, vcek: { overrides: { issuer: amdName('SEV-Unknown') } } });
    expect(otherLine(platform.vek.der)).toBe('Genoa');
    expect(otherLine(platform.vek.der, ['Genoa'])).toBeNull();
    expect(otherLine(platform.vek.der, ['Milan'])).toBeNull();
    expect(otherLine(unnamed.platform.vek.der)).toBeNull();
  });
});

describe('the chain that counts', () => {
  const found = platform.endorsementSet().snp;
  const nothing = { vek: null, chain: null };

  it("is the request's own, else the one that is held for the line", () => {
    const own = chainOf(PKI, 'Genoa');
    expect(chooseChain({ vek: null, chain: own }, found, 'Milan')).toEqual({ value: own, origin: 'evidence' });
    expect(chooseChain(nothing, found, 'Milan')).toEqual({ value: chain, origin: 'store' });
  });

  it('is out of reach for another line, and where the VEK names none', () => {
    for (const product of ['Genoa', null] as const) {
      expect(chooseChain(nothing, found, product)).toMatchObject({ code: 'vcek_unavailable', retryable: false });
    }
  });

  it('is out of reach for the reason that the source gives', () => {
    const chainProblem = { code: 'deadline', detail: 'too slow', retryable: true } as const;
    expect(chooseChain(nothing, found && { ...found, chainProblem }, 'Genoa')).toEqual(chainProblem);
  });
});
