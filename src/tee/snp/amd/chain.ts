import type { SnpProduct } from '../../../core/claims.js';
import type { DerChain } from '../../../core/endorsement.js';
import { UnfitError, unfitIfMalformed } from '../../../core/errors.js';
import { memoized } from '../../../core/memoized.js';
import { hashed } from '../../../crypto/digest.js';
import { algorithmFitsKey, verifyIssuedSignature } from '../../../crypto/issued-signature.js';
import { spkiDigest } from '../../../crypto/key-cache.js';
import { keyProblem } from '../../../crypto/path-profile.js';
import { isSameName } from '../../../formats/distinguished-name.js';
import { parsePemCertificates } from '../../../formats/pem.js';
import { parseCertificate, type X509Certificate } from '../../../formats/x509-certificate.js';
import { lineName, lineOfIssuer, rootName, type SnpLine } from './issuers.js';
import {
  AMD_ROOT_PINS,
  type AmdRootPins,
  ANCHORED,
  CARRIED_CERTIFICATES,
  type CarriedCertificates,
  productOfPin,
} from './roots.js';

/** An ASK or ASVK, and the pinned ARK that signed it. */
export interface AmdChain extends SnpLine {
  readonly intermediate: X509Certificate;
  readonly ark: X509Certificate;
  readonly ders: DerChain;
}

/**
 * Verifies that an ARK is pinned and self-signed, and that its name is that of the pinned product line.
 * @throws {UnfitError}
 */
export function verifyArk(ark: X509Certificate, pins: AmdRootPins): SnpProduct {
  const product = productOfPin(pins, spkiDigest(ark));
  if (product === null) throw new UnfitError('root is not pinned');
  if (ark.subject.commonName !== rootName(product)) throw new UnfitError(`root is not named as that of ${product}`);
  requireSignedBy(ark, ark);
  return product;
}

/**
 * Verifies a chain: the ARK is pinned, it signed the intermediate, and both have AMD's names. Does not check validity,
 * extensions and key usage, because the verifier verifies every chain in full.
 *
 * @throws {UnfitError}
 */
export function verifyChain(intermediate: X509Certificate, ark: X509Certificate, pins: AmdRootPins): AmdChain {
  const product = verifyArk(ark, pins);
  const line = lineOfIssuer(intermediate.subject.commonName, pins);
  if (line?.product !== product) throw new UnfitError(`certificate is not an intermediate of ${product}`);
  requireSignedBy(intermediate, ark);
  return { ...line, intermediate, ark, ders: [hashed(intermediate.der), hashed(ark.der)] };
}

/**
 * Reads the chain of a line from PEM, in the order of KDS and the cache: ASK or ASVK, then ARK.
 * @throws {UnfitError}
 */
export function readChain(pem: string, line: SnpLine, pins: AmdRootPins): AmdChain {
  const [intermediate, ark] = readChainCertificates(pem);
  const chain = verifyChain(intermediate, ark, pins);
  if (lineName(chain) !== lineName(line)) throw new UnfitError('chain is for another product line');
  return chain;
}

/**
 * Reads the built-in chains: ASK and ASVK of each product line with a pinned ARK. Omits lines with other pins, as in
 * tests. Verified once for each set of pins.
 * @throws {UnfitError} if a built-in chain does not verify up to its pin
 */
export const carriedChains: (pins: AmdRootPins) => readonly AmdChain[] = memoized((pins) =>
  [...CARRIED_CERTIFICATES]
    .filter(([product]) =>
      [...(AMD_ROOT_PINS.get(product) ?? [])].every((digest) => pins.get(product)?.has(digest) === true),
    )
    .flatMap(([product, certificates]) => carriedChainsOf(product, certificates, pins)),
);

/**
 * The built-in chains of one product line: for VCEKs, then for VLEKs.
 * @throws {UnfitError} if one does not verify up to the pin of this product line
 */
export function carriedChainsOf(
  product: SnpProduct,
  { ark, ask, asvk }: CarriedCertificates,
  pins: AmdRootPins,
): readonly [AmdChain, AmdChain] {
  return [
    readChain(ask + ark, { product, signingKey: 'vcek' }, pins),
    readChain(asvk + ark, { product, signingKey: 'vlek' }, pins),
  ];
}

/**
 * Reads the two certificates of a chain. Verifies nothing.
 * @throws {UnfitError}
 */
export function readChainCertificates(pem: string): readonly [X509Certificate, X509Certificate] {
  const [intermediate, ark, ...more] = unfitIfMalformed(() =>
    parsePemCertificates(pem, 'cert_chain').map((der) => parseCertificate(der)),
  );
  if (intermediate === undefined || ark === undefined || more.length > 0) {
    throw new UnfitError('chain is not two certificates');
  }
  return [intermediate, ark];
}

/**
 * Whether the intermediate of a chain signed a VEK. AMD can re-issue an ASK or ASVK with a new key. A line then has two
 * chains with the same names. Verifies nothing else of the path.
 */
export function hasSigned(
  { intermediate }: AmdChain,
  { certificate }: { readonly certificate: X509Certificate },
): boolean {
  const { name } = certificate.outerAlgorithm;
  return (
    name !== null &&
    algorithmFitsKey(name, intermediate.publicKey) &&
    verifyIssuedSignature(certificate, name, intermediate)
  );
}

/** Whether two chains of a line are the same. Their root is pinned, so the intermediates decide. */
export function isSameChain(a: AmdChain, b: AmdChain): boolean {
  return a.ders[0].sha256 === b.ders[0].sha256;
}

/** Selects for each line the chain with the newest intermediate. */
export function newestChains(chains: readonly AmdChain[]): ReadonlyMap<string, AmdChain> {
  const issuedAt = ({ intermediate }: AmdChain) => intermediate.notBefore?.getTime() ?? 0;
  const newest = new Map<string, AmdChain>();
  for (const chain of chains) {
    const before = newest.get(lineName(chain));
    if (before === undefined || issuedAt(chain) > issuedAt(before)) newest.set(lineName(chain), chain);
  }
  return newest;
}

function requireSignedBy(certificate: X509Certificate, issuer: X509Certificate): void {
  const { name } = certificate.outerAlgorithm;
  const isSound =
    name !== null &&
    ANCHORED.signatureAlgorithms.has(name) &&
    algorithmFitsKey(name, issuer.publicKey) &&
    keyProblem(issuer.publicKey, ANCHORED.issuerKeys) === null;
  if (!isSound) throw new UnfitError('key or signature algorithm is not one that AMD uses');
  if (!isSameName(certificate.issuer, issuer.subject)) throw new UnfitError('certificate is from another issuer');
  if (!verifyIssuedSignature(certificate, name, issuer)) throw new UnfitError('signature does not verify');
}
