import { describe, expect, it } from 'vitest';
import { base64 } from '../../../src/core/bytes.js';
import type { JsonObject } from '../../../src/core/json.js';
import { hashed } from '../../../src/crypto/digest.js';
import { parsePemCertificates } from '../../../src/formats/pem.js';
import { parseCertificate } from '../../../src/formats/x509-certificate.js';
import { fetchEndorsements } from '../../../src/inspector/fetched-endorsements.js';
import { verifyHardware } from '../../../src/inspector/hardware-signature.js';
import type { Decision } from '../../../src/inspector/service.js';
import { findBytes, readBytes } from '../../../src/inspector/structures.js';
import { createAmdPki, createVirtualMachine } from '../../lab/index.js';
import { TDX_VM } from '../tee/azure/tdx-fixture.js';
import { NONCE } from '../tee/fixture.js';

const { subtle } = globalThis.crypto;
type Used = Decision['endorsements'][number];

const pki = createAmdPki();
const vm = await createVirtualMachine({ pki });
const [ask = new Uint8Array(), ark = new Uint8Array()] = parsePemCertificates(pki.chainPem('Milan'), 'cert_format');
const vcek = vm.platform.vek.der;
const pinOf = (der: Uint8Array) => hashed(parseCertificate(der).spki).sha256;
const PINS = { amd: new Set([pinOf(ark)]), intel: new Set<string>() };

/** Evidence without any certificate. */
const bare = findBytes({
  evidence: { ...(vm.wireEvidence({ nonce: NONCE }) as unknown as JsonObject), endorsements: {} },
});

const used = (kind: Used['kind'], der: Uint8Array, source: Used['source'] = 'network'): Used => ({
  kind,
  sha256: hashed(der).sha256,
  source,
  notAfter: null,
  fetchedAt: null,
  revocation: 'good',
});
const ENDORSEMENTS = [used('vcek', vcek), used('ask', ask, 'store'), used('ark', ark, 'cache')];

/** A service that has these, and notes what it is asked for. */
function holding(...ders: readonly Uint8Array[]) {
  const asked: string[] = [];
  const held = new Map(ders.map((der) => [hashed(der).sha256, der]));
  const endorsement = async (sha256: string) => {
    asked.push(sha256);
    const der = held.get(sha256);
    if (der === undefined) throw new Error('not found');
    return { value: base64(der, 'base64url') };
  };
  return { asked, endorsement };
}

describe('certificates that the service fetched', () => {
  it('verify evidence that has none', async () => {
    expect((await verifyHardware(bare, subtle, PINS)).state).toBe('open');
    const fetched = await fetchEndorsements({ endorsements: ENDORSEMENTS }, holding(vcek, ask, ark), subtle);
    if (fetched.state === 'failed') throw new Error('failed');
    expect(fetched.found.map(({ pointer, kind }) => [pointer, kind])).toEqual([
      ['VCEK given by the service', 'certificate'],
      ['ASK given by the service', 'certificate'],
      ['ARK given by the service', 'certificate'],
    ]);
    expect((await verifyHardware([...bare, ...fetched.found], subtle, PINS)).state).toBe('verified');
    // They are no better than their signatures.
    expect((await verifyHardware([...bare, ...fetched.found], subtle)).state).toBe('failed');
  });

  it.each([
    ['other bytes', { value: base64(ask, 'base64url') }],
    ['no bytes', { value: '!' }],
  ])('have failed where the service gives %s for a digest', async (_what, answer) => {
    const service = { endorsement: async () => answer };
    const fetched = await fetchEndorsements({ endorsements: ENDORSEMENTS }, service, subtle);
    expect(fetched).toEqual({
      state: 'failed',
      verdict: {
        state: 'failed',
        steps: [{ what: 'the service gave the VCEK that its decision names', holds: false }],
      },
    });
  });

  it('leave it open where the service does not have them any more', async () => {
    const fetched = await fetchEndorsements({ endorsements: ENDORSEMENTS }, holding(vcek), subtle);
    const found = fetched.state === 'fetched' ? fetched.found : [];
    expect(await verifyHardware([...bare, ...found], subtle, PINS)).toMatchObject({ state: 'open' });
  });

  it.each<Used['kind']>(['vcek', 'vlek', 'ask', 'asvk', 'ark', 'pck', 'pck-ca', 'sgx-root'])(
    'are of the kind %s, from everywhere but the evidence',
    async (kind) => {
      const service = holding(vcek);
      for (const source of ['network', 'store', 'cache'] as const) {
        const fetched = await fetchEndorsements({ endorsements: [used(kind, vcek, source)] }, service, subtle);
        const found = fetched.state === 'fetched' ? fetched.found : [];
        expect(found.map(({ pointer }) => pointer)).toEqual([`${kind.toUpperCase()} given by the service`]);
      }
      await fetchEndorsements({ endorsements: [used(kind, vcek, 'evidence')] }, service, subtle);
      expect(service.asked).toEqual(Array(3).fill(hashed(vcek).sha256));
    },
  );

  it('are neither those of the evidence nor anything but certificates of the hardware', async () => {
    const service = holding(vcek);
    const endorsements = [used('vcek', vcek, 'evidence'), used('crl', ask), used('token-key', ark)];
    await fetchEndorsements({ endorsements }, service, subtle);
    expect(service.asked).toEqual([]);
  });

  it('are 16 at the most, whatever a decision names', async () => {
    const service = holding();
    const ders = Array.from({ length: 17 }, (_, number) => Uint8Array.of(number));
    const named = (count: number) => ({ endorsements: ders.slice(0, count).map((der) => used('vcek', der)) });
    await fetchEndorsements(named(16), service, subtle);
    expect(service.asked).toEqual(ders.slice(0, 16).map((der) => hashed(der).sha256));
    await fetchEndorsements(named(17), service, subtle);
    expect(service.asked).toHaveLength(2 * 16);
  });

  it('complete the chain of a TD quote that ends below the root', async () => {
    const quote = TDX_VM.evidence().tdQuote;
    const text = Buffer.from(quote).toString('latin1');
    const rootAt = text.lastIndexOf('-----BEGIN CERTIFICATE-----');
    const rootEnd = text.indexOf('-----END CERTIFICATE-----', rootAt) + 25;
    const [root = new Uint8Array()] = parsePemCertificates(text.slice(rootAt, rootEnd), 'cert_chain');
    // Blanks where the root was, so that no length changes.
    const shortened = Buffer.concat([quote.subarray(0, rootAt), Buffer.alloc(quote.byteLength - rootAt)]);
    const found = readBytes(shortened);
    if (found === null) throw new Error('no quote');
    const pins = { amd: new Set<string>(), intel: new Set([pinOf(root)]) };
    expect((await verifyHardware([found], subtle, pins)).state).toBe('open');
    const fetched = await fetchEndorsements({ endorsements: [used('sgx-root', root)] }, holding(root), subtle);
    const all = [found, ...(fetched.state === 'fetched' ? fetched.found : [])];
    expect((await verifyHardware(all, subtle, pins)).state).toBe('verified');
  });
});
