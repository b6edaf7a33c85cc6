import type { SnpProduct } from '../../core/claims.js';
import type { DerChain, SnpEndorsementSet, SnpSigningKey, Sourced, Unavailable } from '../../core/endorsement.js';
import { FormatError, within } from '../../core/errors.js';
import type { CertificateInput, SnpEndorsementInput } from '../../core/evidence.js';
import { hashed } from '../../crypto/digest.js';
import { parsePemCertificates } from '../../formats/pem.js';
import type { Vek } from './amd/vek.js';
import type { VekPaths } from './amd/vek-path.js';
import { parseSnpCertificateTable, type SnpCertificateTable } from './format/snp-certificate-table.js';

/** Certificates that a request supplies: the parsed VEK, and the chain as DER. */
export interface SuppliedCertificates {
  readonly vek: Vek | null;
  readonly chain: DerChain | null;
}

interface SuppliedDer {
  readonly vek: Uint8Array | null;
  readonly chain: readonly [Uint8Array, Uint8Array] | null;
}

/**
 * Reads the certificates that a request supplies.
 *
 * @param about JSON pointer of the endorsements
 * @throws {FormatError} `cert_format` if one is malformed, `cert_chain` if the chain is not ASK or ASVK, then ARK
 */
export function readSuppliedCertificates(
  input: SnpEndorsementInput,
  signingKey: SnpSigningKey,
  paths: VekPaths,
  about: string,
): SuppliedCertificates {
  const { vek, chain } = derOfSupplied(input, signingKey, about);
  return {
    vek: vek === null ? null : within(`${about}/vek`, () => paths.readVek(hashed(vek))),
    chain: chain === null ? null : [hashed(chain[0]), hashed(chain[1])],
  };
}

function derOfSupplied(input: SnpEndorsementInput, signingKey: SnpSigningKey, about: string): SuppliedDer {
  if (input.certificateTable !== null) {
    const bytes = input.certificateTable;
    return within(`${about}/certificateTable`, () => fromTable(parseSnpCertificateTable(bytes), signingKey));
  }
  const { vek, chain } = input;
  return {
    vek: vek === null ? null : within(`${about}/vek`, () => derOf(vek)),
    chain: chain === null ? null : within(`${about}/chain`, () => chainOf(chain)),
  };
}

/** Selects the VCEK or VLEK of the table by the signing key in the report. A check rejects a VEK of the wrong kind. */
function fromTable(table: SnpCertificateTable, signingKey: SnpSigningKey): SuppliedDer {
  const [wanted, other] = signingKey === 'vcek' ? [table.vcek, table.vlek] : [table.vlek, table.vcek];
  const { ask, ark } = table;
  return { vek: wanted ?? other ?? null, chain: ask != null && ark != null ? [ask, ark] : null };
}

function derOf(certificate: CertificateInput): Uint8Array {
  if ('der' in certificate) return certificate.der;
  const [der, ...more] = parsePemCertificates(certificate.pem, 'cert_format');
  if (der === undefined || more.length > 0) throw new FormatError('cert_format', 'expected exactly one certificate');
  return der;
}

function chainOf(pem: string): readonly [Uint8Array, Uint8Array] {
  const [intermediate, root, ...more] = parsePemCertificates(pem, 'cert_chain');
  if (intermediate === undefined || root === undefined || more.length > 0) {
    throw new FormatError('cert_chain', 'expected two certificates: ASK or ASVK, then ARK');
  }
  return [intermediate, root];
}

/** Selects the chain: the one in the request, else the one for the product line that the VEK names. */
export function chooseChain(
  supplied: SuppliedCertificates,
  found: SnpEndorsementSet | null,
  product: SnpProduct | null,
): Sourced<DerChain> | Unavailable {
  if (supplied.chain !== null) return { value: supplied.chain, origin: 'evidence' };
  const held = product === null ? undefined : found?.chains.get(product);
  if (held !== undefined) return held;
  return (
    found?.chainProblem ?? { code: 'vcek_unavailable', detail: 'no source for ASK, ASVK and ARK', retryable: false }
  );
}
