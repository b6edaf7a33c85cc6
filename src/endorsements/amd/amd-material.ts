import { describePathProblem, type PathProblem, verifyCertificatePath } from '../../crypto/certificate-path.js';
import { algorithmFitsKey, verifyIssuedSignature } from '../../crypto/issued-signature.js';
import { spkiDigest } from '../../crypto/key-cache.js';
import { keyProblem } from '../../crypto/path-profile.js';
import { verifyRevocationList } from '../../crypto/revocation-list.js';
import { isSameName } from '../../formats/distinguished-name.js';
import { parsePemCertificates } from '../../formats/pem.js';
import { parseCertificate, type X509Certificate } from '../../formats/x509-certificate.js';
import { type CrlFrame, parseCrlFrame, type X509Crl } from '../../formats/x509-crl.js';
import { SNP_PRODUCTS, SNP_TCB_COMPONENTS, type SnpProduct } from '../../model/claims.js';
import type { SnpSigningKey } from '../../model/endorsement.js';
import { UnfitError, unfitIfMalformed } from '../../model/errors.js';
import { amdVekProfile } from '../../vendors/amd/certificate-profile.js';
import { certificateRoles, lineOfIssuer } from '../../vendors/amd/issuers.js';
import { parseVekExtensions, type VekExtensions } from '../../vendors/amd/vek-extensions.js';
import { certifiedChipId, type SnpLine, type VcekSubject } from './amd-keys.js';

/** SHA-256 of the SubjectPublicKeyInfo of each ARK that is trusted, hex, by product line. */
export type AmdRootPins = ReadonlyMap<SnpProduct, ReadonlySet<string>>;

/** ASK or ASVK, and the pinned ARK that signed it. */
export interface AmdChain extends SnpLine {
  readonly intermediate: X509Certificate;
  readonly ark: X509Certificate;
}

/** A VCEK or VLEK, read. */
export interface AmdVek extends SnpLine {
  readonly certificate: X509Certificate;
  readonly extensions: VekExtensions;
}

/** A revocation list that a line's ARK signed. */
export interface AmdCrl {
  readonly product: SnpProduct;
  readonly list: X509Crl;
  readonly number: bigint;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
}

const NO_ANCHORS: ReadonlySet<string> = new Set();
const PROFILE = amdVekProfile(NO_ANCHORS);

/**
 * The product line of a pinned, self-signed ARK.
 * @throws {UnfitError}
 */
export function verifyArk(ark: X509Certificate, pins: AmdRootPins): SnpProduct {
  const digest = spkiDigest(ark);
  const product = SNP_PRODUCTS.find((candidate) => pins.get(candidate)?.has(digest) === true);
  if (product === undefined) throw new UnfitError('root is not pinned');
  requireSignedBy(ark, ark);
  return product;
}

/**
 * A chain: the intermediate is signed by the ARK, which is pinned, and is named as AMD names it.
 * Dates, extensions and use are for the verifier, which judges every path in full.
 *
 * @throws {UnfitError}
 */
export function verifyChain(intermediate: X509Certificate, ark: X509Certificate, pins: AmdRootPins): AmdChain {
  const product = verifyArk(ark, pins);
  const line = lineOfIssuer(intermediate.subject.commonName);
  if (line?.product !== product) throw new UnfitError(`certificate is no intermediate of ${product}`);
  requireSignedBy(intermediate, ark);
  return { ...line, intermediate, ark };
}

/**
 * The chain of a line as KDS and the cache have it, PEM: ASK or ASVK, then ARK.
 * @throws {UnfitError}
 */
export function readChain(pem: string, line: SnpLine, pins: AmdRootPins): AmdChain {
  const [intermediate, ark] = readChainCertificates(pem);
  const chain = verifyChain(intermediate, ark, pins);
  if (chain.product !== line.product || chain.signingKey !== line.signingKey) {
    throw new UnfitError('chain is one of another line');
  }
  return chain;
}

/**
 * The two certificates of a chain. Verifies nothing.
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
 * Reads a VCEK or VLEK. Verifies nothing: kind and line are what it says of itself.
 * @throws {UnfitError}
 */
export function readVek(der: Uint8Array): AmdVek {
  const certificate = unfitIfMalformed(() => parseCertificate(der, { allowZeroSerial: true }));
  const extensions = unfitIfMalformed(() => parseVekExtensions(certificate));
  const line = lineOfIssuer(certificate.issuer.commonName);
  const kind = kindOf(extensions);
  if (line === null || kind !== line.signingKey) throw new UnfitError('certificate is no VCEK or VLEK of AMD');
  return { ...line, certificate, extensions };
}

/** A VCEK has a hardware id and no provider, a VLEK the opposite. */
function kindOf({ hwId, cspId }: VekExtensions): SnpSigningKey | null {
  if ((hwId === null) === (cspId === null)) return null;
  return hwId === null ? 'vlek' : 'vcek';
}

/**
 * Verifies a VEK under the chain of its line, in everything but time and revocation.
 * @throws {UnfitError}
 */
export function verifyVek(vek: AmdVek, chain: AmdChain, pins: AmdRootPins): void {
  const path = [vek.certificate, chain.intermediate, chain.ark];
  const [problem]: readonly PathProblem[] = verifyCertificatePath(
    path,
    amdVekProfile(pins.get(chain.product) ?? NO_ANCHORS),
  );
  if (problem !== undefined) throw new UnfitError(describePathProblem(problem, certificateRoles(vek.signingKey)));
}

/**
 * Whether the intermediate of a chain signed a VEK. AMD can re-issue an ASK or ASVK with a new key: then a line has two
 * chains of the same names. Nothing else of the path is established.
 */
export function hasSigned({ intermediate }: AmdChain, { certificate }: AmdVek): boolean {
  const { name } = certificate.outerAlgorithm;
  return (
    name !== null &&
    algorithmFitsKey(name, intermediate.publicKey) &&
    verifyIssuedSignature(certificate, name, intermediate)
  );
}

/** Whether two chains of a line are one: their root is pinned. */
export function isSameChain(a: AmdChain, b: AmdChain): boolean {
  return Buffer.compare(a.intermediate.der, b.intermediate.der) === 0;
}

/** When a VEK was issued, in milliseconds since 1970; 0 where it does not say. */
export function issuedAt({ certificate: { notBefore } }: AmdVek): number {
  return notBefore?.getTime() ?? 0;
}

/** Whether a VEK was made for a TCB: each component that the line has. */
export function isForTcb({ extensions }: AmdVek, tcb: VcekSubject['tcb']): boolean {
  return SNP_TCB_COMPONENTS.every(
    (component) => tcb[component] === undefined || extensions.tcb[component] === tcb[component],
  );
}

/** Whether a VEK is the VCEK of a chip, line and TCB. */
export function isVcekOf(vek: AmdVek, { product, chipId, tcb }: VcekSubject): boolean {
  const { hwId } = vek.extensions;
  const isOfChip = hwId !== null && Buffer.compare(hwId, certifiedChipId(product, chipId)) === 0;
  return vek.signingKey === 'vcek' && vek.product === product && isOfChip && isForTcb(vek, tcb);
}

/**
 * Reads a revocation list but for its entries. Verifies nothing.
 * @throws {UnfitError}
 */
export function readCrl(der: Uint8Array): CrlFrame {
  return unfitIfMalformed(() => parseCrlFrame(der));
}

/**
 * Verifies a revocation list under a line's ARK, in everything but time.
 * @throws {UnfitError}
 */
export function verifyCrl(crl: CrlFrame, ark: X509Certificate, product: SnpProduct): AmdCrl {
  const reading = unfitIfMalformed(() => verifyRevocationList(crl, ark, PROFILE));
  if (!reading.ok) throw new UnfitError(reading.problem.detail);
  const { list } = reading;
  const { crlNumber: number, thisUpdate, nextUpdate } = list;
  if (number === null || thisUpdate === null || nextUpdate === null) {
    throw new UnfitError('revocation list does not say when it counts');
  }
  return { product, list, number, thisUpdate, nextUpdate };
}

function requireSignedBy(certificate: X509Certificate, issuer: X509Certificate): void {
  const { name } = certificate.outerAlgorithm;
  const isSound =
    name !== null &&
    PROFILE.signatureAlgorithms.has(name) &&
    algorithmFitsKey(name, issuer.publicKey) &&
    keyProblem(issuer.publicKey, PROFILE.issuerKeys) === null;
  if (!isSound) throw new UnfitError('key or signature algorithm is none of AMD');
  if (!isSameName(certificate.issuer, issuer.subject)) throw new UnfitError('certificate is of another issuer');
  if (!verifyIssuedSignature(certificate, name, issuer)) throw new UnfitError('signature does not verify');
}
