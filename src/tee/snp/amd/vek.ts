import type { KeyObject } from 'node:crypto';
import { hex, isSameBytes } from '../../../core/bytes.js';
import { SNP_TCB_COMPONENTS, type SnpProduct, type SnpTcb } from '../../../core/claims.js';
import type { SnpSigningKey } from '../../../core/endorsement.js';
import { UnfitError, unfitIfMalformed } from '../../../core/errors.js';
import { describePathProblem, verifyCertificatePath } from '../../../crypto/certificate-path.js';
import { sha256 } from '../../../crypto/digest.js';
import { keptKey } from '../../../crypto/key-cache.js';
import { parseCertificate, type X509Certificate } from '../../../formats/x509-certificate.js';
import type { AmdChain } from './chain.js';
import { certificateRoles, issuerName, lineOfIssuer, type SnpLine } from './issuers.js';
import { type AmdRootPins, profileOf } from './roots.js';
import { parseVekExtensions, type VekExtensions } from './vek-extensions.js';

/** A parsed VEK certificate. */
export interface Vek {
  readonly certificate: X509Certificate;
  /** SHA-256 of the certificate, lower-case hex. */
  readonly sha256: string;
  readonly extensions: VekExtensions;
  /** A VCEK has a hardware id and no provider id, a VLEK the opposite. Null if the certificate is neither. */
  readonly kind: SnpSigningKey | null;
  /** The line in its issuer name; null if the name has no pinned line. */
  readonly product: SnpProduct | null;
  /** The public key. @throws {Error} if it is not a point on its curve */
  readonly publicKey: () => KeyObject;
}

/** A VEK of the kind and product line that its issuer certifies. */
export type AmdVek = Vek & SnpLine;

/** The subject of a VCEK. */
export interface VcekSubject {
  readonly product: SnpProduct;
  /** The chip id in the length of the line's certificates: 8 or 64 bytes. */
  readonly chipId: Uint8Array;
  readonly tcb: SnpTcb;
}

const HW_ID = '1.3.6.1.4.1.3704.1.4';
const CSP_ID = '1.3.6.1.4.1.3704.1.5';

/**
 * Reads a VEK. Verifies nothing: kind and line are the certificate's own statements.
 * @throws {FormatError} `cert_format`
 */
export function parseVek(der: Uint8Array, pins: AmdRootPins, digest: string = hex(sha256(der))): Vek {
  const certificate = parseCertificate(der, { allowZeroSerial: true });
  const has = (oid: string) => certificate.extensions.some((extension) => extension.oid === oid);
  return {
    certificate,
    sha256: digest,
    extensions: parseVekExtensions(certificate),
    kind: has(HW_ID) === has(CSP_ID) ? null : has(HW_ID) ? 'vcek' : 'vlek',
    product: lineOfIssuer(certificate.issuer.commonName, pins)?.product ?? null,
    publicKey: keptKey(certificate),
  };
}

/** The line in the issuer name of a VEK, if that issuer certifies keys of its kind; else null. */
export function lineOfVek({ certificate, kind, product }: Vek): SnpLine | null {
  if (kind === null || product === null) return null;
  return issuerName(product, kind) === certificate.issuer.commonName ? { product, signingKey: kind } : null;
}

/**
 * Reads the VCEK or VLEK of a line. Verifies nothing.
 * @throws {UnfitError}
 */
export function readVek(der: Uint8Array, pins: AmdRootPins): AmdVek {
  const vek = unfitIfMalformed(() => parseVek(der, pins));
  const line = lineOfVek(vek);
  if (line === null) throw new UnfitError('certificate is not a VCEK or VLEK of AMD');
  return { ...vek, ...line };
}

/**
 * Verifies a VEK under the chain of its line, except validity and revocation.
 * @throws {UnfitError}
 */
export function verifyVek(vek: AmdVek, chain: AmdChain, pins: AmdRootPins): void {
  const path = [vek.certificate, chain.intermediate, chain.ark];
  const [problem] = verifyCertificatePath(path, profileOf(pins, chain.product));
  if (problem !== undefined) throw new UnfitError(describePathProblem(problem, certificateRoles(vek.signingKey)));
}

/** The start of a VEK's validity, in milliseconds since 1970; 0 if it has none. */
export function issuedAt({ certificate: { notBefore } }: AmdVek): number {
  return notBefore?.getTime() ?? 0;
}

/** Whether a VEK is for a TCB, in each component of the line. */
export function isForTcb({ extensions }: AmdVek, tcb: SnpTcb): boolean {
  return SNP_TCB_COMPONENTS.every(
    (component) => tcb[component] === undefined || extensions.tcb[component] === tcb[component],
  );
}

/** Whether a VEK is the VCEK of a chip, line and TCB. */
export function isVcekOf(vek: AmdVek, { product, chipId, tcb }: VcekSubject): boolean {
  const { hwId } = vek.extensions;
  const isOfChip = hwId !== null && isSameBytes(hwId, chipId);
  return vek.signingKey === 'vcek' && vek.product === product && isOfChip && isForTcb(vek, tcb);
}
