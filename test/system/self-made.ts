import { generateKeyPairSync, randomBytes } from 'node:crypto';
import {
  ATTRIBUTE,
  buildCertificate,
  buildCertificateTable,
  type CertificateOptions,
  createAmdPki,
  createIntelPki,
  createTdxGuest,
  createVirtualMachine,
  ecSpki,
  namedRsaKey,
  nameOf,
  octetString,
  oid,
  pemOf,
  rsaSpki,
  SnpPlatform,
  TdxPlatform,
  wireCollateral,
} from '../lab/index.js';

/** The bytes that differ in each request: these 64 octets are found and replaced. */
const MARK = Buffer.from('6d'.repeat(64), 'hex');
const CERTIFICATE_BYTES = 16 * 1024;
const PEM_BYTES = 32 * 1024;
/** In base64 nearly as long as a text may be. */
const TABLE_BYTES = 960 * 1024;
const CHALLENGE_BYTES = 256 * 1024;

/** Makes requests that nobody vouches for: each has keys and certificates of its own, as large as they may be. */
export type MakeBody = () => string;

/** A VEK within a table of the greatest size, an AK certificate and its chain with keys of 8192 bits, and a bound key. */
export async function selfMadeAzure(): Promise<MakeBody> {
  const pki = createAmdPki();
  const platform = new SnpPlatform({ pki });
  const machine = await createVirtualMachine({ pki, platform });
  const evidence = machine.wireEvidence();
  const vek = padded((filler) => {
    const { product, tcb, chipId } = platform;
    return pki.issueVcek({ product, tcb, chipId, extensions: (genuine) => [...genuine, filler] }).der;
  });
  const [intermediate, root] = pki.chainDer(platform.product);
  const large = new Uint8Array(1024).fill(0x6d);
  const issuer = certificate({
    spki: rsaSpki(Uint8Array.of(0, 0x80, ...large.subarray(1)), 65_537),
    issuer: name('Up'),
  });
  const leaf = padded((filler) => certificate({ extensions: [filler], issuer: name('Up') }));
  return () => {
    const table = buildCertificateTable([
      ['vcek', another(vek)],
      ['ask', intermediate],
      ['ark', root],
      ['ecae0c0f-9502-43b1-afa2-0ae2e0d565b6', randomBytes(TABLE_BYTES)],
    ]);
    const nonce = randomBytes(32);
    const chain = chainOf(() => another(issuer));
    const jwk = { kty: 'RSA', n: Buffer.concat([Buffer.of(0x80), randomBytes(1023)]).toString('base64url'), e: 'AQAB' };
    return JSON.stringify({
      evidence: {
        ...evidence,
        endorsements: { certificateTable: base64(table) },
        akCertificate: base64(another(leaf)),
        akChain: chain,
      },
      nonce: base64(nonce),
      binding: { jwk },
    });
  };
}

/** A PCK chain with keys of its own, as large as it may be. */
export function selfMadePckChain(): MakeBody {
  const td = createTdxGuest({ platform: new TdxPlatform({ pki: createIntelPki() }) });
  const make = selfMadeChain();
  return () => JSON.stringify({ evidence: td.wireEvidence({ quote: { pckChain: make() } }), policy: 'tdx' });
}

/**
 * Issuer chains of collateral with keys of their own, as large as they may be, beside a text of half a megabyte.
 *
 * @param genuine a body with a quote whose PCK chain holds
 */
export function selfMadeIssuerChains(genuine: string): MakeBody {
  const collateral = wireCollateral(new TdxPlatform({ pki: createIntelPki() }).collateral());
  const make = selfMadeChain();
  const { evidence, ...members } = JSON.parse(genuine);
  return () => {
    const chains = { tcb_info_issuer_chain: make(), qe_identity_issuer_chain: make(), pck_crl_issuer_chain: make() };
    const tcbInfo = `${collateral['tcb_info']}${'A'.repeat(512 * 1024)}${randomBytes(32).toString('hex')}`;
    return JSON.stringify({
      ...members,
      evidence: { ...evidence, collateral: { ...collateral, ...chains, tcb_info: tcbInfo } },
    });
  };
}

/** Two certificates, PEM, which fill a text as far as they can. */
function selfMadeChain(): () => string {
  const leaf = padded((filler) =>
    certificate({ extensions: [filler], spki: P256_MARK, subject: name('Leaf'), issuer: name('Up') }),
  );
  const above = certificate({ spki: P256_MARK, subject: name('Up'), issuer: name('Up') });
  return () => pemOf(another(withPoint(leaf)), withPoint(above));
}

/** A challenge for a relying party whose name is a small part of the body. */
export function challengeBody(): string {
  const audience = `https://${randomBytes(200).toString('hex')}.example`;
  const body = JSON.stringify({ audience });
  return `${body.slice(0, -1)}${' '.repeat(CHALLENGE_BYTES - body.length)}}`;
}

const KEY = namedRsaKey('self-made', 2048);
const P256_MARK = ecSpki(oid('1.2.840.10045.3.1.7'), Buffer.concat([Buffer.of(4), MARK]));

function name(commonName: string): Uint8Array {
  return nameOf([[ATTRIBUTE.commonName, commonName]]);
}

function certificate(options: Partial<CertificateOptions> = {}): Uint8Array {
  return buildCertificate({
    signer: KEY,
    algorithm: { scheme: 'pkcs1', hash: 'sha256' },
    serial: 1,
    issuer: name('Root'),
    subject: name('Up'),
    notBefore: new Date('2025-01-01T00:00:00Z'),
    notAfter: new Date('2045-01-01T00:00:00Z'),
    spki: KEY.spki,
    extensions: null,
    ...options,
  });
}

/** The certificate with an extension that makes it as large as one may be, and that has the mark in it. */
function padded(make: (filler: { oid: string; value: Uint8Array }) => Uint8Array): Uint8Array {
  const filler = (bytes: number) => ({
    oid: '1.2.3.4',
    value: octetString(Buffer.concat([MARK, Buffer.alloc(bytes)])),
  });
  const overhead = make(filler(10_000)).byteLength - 10_000;
  return make(filler(CERTIFICATE_BYTES - overhead));
}

/** The same bytes, but for what is in the place of each mark. */
function another(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes);
  for (let at = copy.indexOf(MARK); at >= 0; at = copy.indexOf(MARK, at + MARK.byteLength)) {
    const random = randomBytes(MARK.byteLength).map((octet) => octet | 1);
    copy.set(random, at);
  }
  return copy;
}

/** With a key on the curve in the place of the first mark. */
function withPoint(bytes: Uint8Array): Uint8Array {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const copy = Buffer.from(bytes);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  copy.set(spki.subarray(-MARK.byteLength), copy.indexOf(MARK));
  return copy;
}

/** As many certificates as a text may have. */
function chainOf(make: () => Uint8Array): string {
  const one = pemOf(make());
  const count = Math.floor(PEM_BYTES / one.length);
  return Array.from({ length: count }, () => pemOf(make())).join('');
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
