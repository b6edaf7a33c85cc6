import { fromUtf8 } from '../../../core/bytes.js';
import type { CheckId } from '../../../core/codes.js';
import { FormatError, within } from '../../../core/errors.js';
import type { TdxCollateral } from '../../../core/evidence.js';
import {
  describePathProblem,
  type PathProblem,
  verifyCertificatePath,
  verifyIssuerPath,
} from '../../../crypto/certificate-path.js';
import { PemChains, requireRootLast } from '../../../crypto/pem-chains.js';
import { isSameName } from '../../../formats/distinguished-name.js';
import type { X509Certificate } from '../../../formats/x509-certificate.js';
import type { X509Crl } from '../../../formats/x509-crl.js';
import { type EvaluationNumbers, parseEvaluationNumbers } from './evaluation-numbers.js';
import { parseQeIdentity, type QeIdentity } from './qe-identity.js';
import { intelSgxProfile } from './roots.js';
import { type PartReading, type Signed, SignedParts, signedCrl, signedText } from './signed-part.js';
import { parseTcbInfo, type TcbInfo } from './tcb-info.js';

/** Collateral with valid chains and signatures. Validity and platform are checked at each verification. */
export interface SignedCollateral {
  readonly tcbInfo: Signed<TcbInfo>;
  readonly qeIdentity: Signed<QeIdentity>;
  readonly pckCrl: Signed<X509Crl>;
  readonly rootCrl: Signed<X509Crl>;
}

/** A time-independent fault. */
export interface CollateralProblem {
  readonly code: CheckId;
  /** Member of the collateral, by its name in the contract. */
  readonly member: string;
  readonly detail: string;
}

export type CollateralReading =
  | { readonly ok: true; readonly value: SignedCollateral }
  | { readonly ok: false; readonly problems: readonly CollateralProblem[] };

/** The certificates of a key that signs collateral, its own first, with their time-independent properties. */
interface IssuerChain {
  /** One to three certificates. A chain of three never verifies. */
  readonly certificates: readonly X509Certificate[];
  /** Empty if the chain verifies. */
  readonly problems: readonly PathProblem[];
}

type Chain = readonly [X509Certificate, ...X509Certificate[]];

/** A CRL contains its signature, so there is none beside it. */
const UNSIGNED = new Uint8Array();

const TCB_SIGNING = 'Intel SGX TCB Signing';

/**
 * Reads collateral, and verifies chains and signatures, with a cache by content. The caller checks validity,
 * revocation and TCB at each verification. Only valid parts are cached, so forged ones evict none. If the cache is
 * full, genuine parts are evicted and read again.
 *
 * Does not verify that the CRL is from the CA of a certain PCK certificate.
 */
export class CollateralReader {
  readonly #signerChains: PemChains<IssuerChain>;
  readonly #listChains: PemChains<IssuerChain>;
  readonly #tcbInfos = new SignedParts(signedText(parseTcbInfo), 256);
  readonly #qeIdentities = new SignedParts(signedText(parseQeIdentity), 256);
  readonly #evaluationNumbers = new SignedParts(signedText(parseEvaluationNumbers), 8);
  readonly #crls: SignedParts<X509Crl>;

  /** @param pins SHA-256 of the SubjectPublicKeyInfo of each root that is trusted, lower-case hex */
  constructor(pins: ReadonlySet<string>) {
    const profile = intelSgxProfile(pins);
    this.#signerChains = issuerChains((path) => verifyCertificatePath(path, profile));
    this.#listChains = issuerChains((path) => verifyIssuerPath(path, profile));
    this.#crls = new SignedParts(signedCrl(profile), 64);
  }

  /**
   * @throws {FormatError} `cert_chain`, `cert_format` if a chain or CRL is malformed; pointers are members of the
   * collateral
   */
  read(collateral: TdxCollateral): CollateralReading {
    const problems: CollateralProblem[] = [];
    const { tcbInfoIssuerChain, qeIdentityIssuerChain } = collateral;
    const tcbSigner = this.#signerOf(problems, tcbInfoIssuerChain, 'tcb_info', 'tdx_tcb_info');
    const qeSigner = this.#signerOf(problems, qeIdentityIssuerChain, 'qe_identity', 'tdx_qe_identity');
    const tcbInfo = taken(problems, 'tdx_tcb_info', 'tcb_info', tcbSigner, (chain) =>
      this.#tcbInfos.read(fromUtf8(collateral.tcbInfo), collateral.tcbInfoSignature, chain),
    );
    const qeIdentity = taken(problems, 'tdx_qe_identity', 'qe_identity', qeSigner, (chain) =>
      this.#qeIdentities.read(fromUtf8(collateral.qeIdentity), collateral.qeIdentitySignature, chain),
    );
    const [ca, root] = this.#listIssuers(problems, collateral.pckCrlIssuerChain);
    const pckCrl = taken(problems, 'crl_invalid', 'pck_crl', ca, (chain) =>
      this.#crls.read(collateral.pckCrl, UNSIGNED, chain),
    );
    const rootCrl = taken(problems, 'crl_invalid', 'root_ca_crl', root, (chain) =>
      this.#crls.read(collateral.rootCaCrl, UNSIGNED, chain),
    );
    if (tcbInfo === null || qeIdentity === null || pckCrl === null || rootCrl === null) return { ok: false, problems };
    return { ok: true, value: { tcbInfo, qeIdentity, pckCrl, rootCrl } };
  }

  /**
   * Reads Intel's list of TCB evaluation data numbers in the same way.
   *
   * @throws {FormatError} `cert_chain`, `cert_format` if the chain is malformed
   */
  readEvaluationNumbers(
    text: string,
    signature: Uint8Array,
    issuerChain: string,
  ): PartReading<Signed<EvaluationNumbers>> {
    const problems: CollateralProblem[] = [];
    const signer = this.#signerOf(problems, issuerChain, 'tcb_evaluation_data_numbers', 'tdx_tcb_info');
    if (signer !== null) return this.#evaluationNumbers.read(fromUtf8(text), signature, signer);
    return { ok: false, detail: problems.map(({ detail }) => detail).join('; ') };
  }

  /** Verifies the chain of a text's signer, and that Intel certified the signer for collateral. */
  #signerOf(
    problems: CollateralProblem[],
    pem: string,
    member: 'tcb_info' | 'qe_identity' | 'tcb_evaluation_data_numbers',
    code: CheckId,
  ): Chain | null {
    const place = `${member}_issuer_chain`;
    const chain = within(`/${place}`, () => this.#signerChains.read(pem));
    const [signer, ...above] = chain.certificates;
    if (signer === undefined || above.length === 0) {
      problems.push({ code, member, detail: 'the issuer chain is short' });
      return null;
    }
    const faults = [...pathFaults(chain, place, TCB_SIGNING), ...roleFaults(chain, signer, place)];
    problems.push(...faults);
    return faults.length === 0 ? [signer, ...above] : null;
  }

  /**
   * The issuers of the CRLs: the CA of the chain issues the PCK CRL, and the root of the same chain the root CA CRL.
   */
  #listIssuers(problems: CollateralProblem[], pem: string): readonly [Chain | null, Chain | null] {
    const member = 'pck_crl_issuer_chain';
    const chain = within(`/${member}`, () => this.#listChains.read(pem));
    const [ca, ...above] = chain.certificates;
    const root = above.at(-1);
    const refuse = (faults: readonly CollateralProblem[]): readonly [null, null] => {
      problems.push(...faults);
      return [null, null];
    };
    const invalid = (detail: string) => refuse([{ code: 'crl_invalid', member, detail }]);
    if (ca === undefined || root === undefined) return invalid('the issuer chain is short');
    // The missing cRLSign usage is the reported problem, even if the certificate is not a CA either.
    if (ca.keyUsage?.crlSign !== true) return invalid('the issuer may not sign CRLs');
    const faults = pathFaults(chain, member, 'PCK CA');
    return faults.length > 0 ? refuse(faults) : [[ca, ...above], [root]];
  }
}

/** Reads a part with a valid signer, and records a fault as a problem. */
function taken<T>(
  problems: CollateralProblem[],
  code: CheckId,
  member: string,
  chain: Chain | null,
  read: (chain: Chain) => PartReading<Signed<T>>,
): Signed<T> | null {
  if (chain === null) return null;
  const reading = within(`/${member}`, () => read(chain));
  if (reading.ok) return reading.value;
  problems.push({ code, member, detail: reading.detail });
  return null;
}

/** @param signer Intel's name for the first certificate of the chain, which only the root may follow */
function pathFaults(
  { certificates, problems }: IssuerChain,
  member: string,
  signer: string,
): readonly CollateralProblem[] {
  const roles = certificates.length === 2 ? [signer, 'Intel SGX root CA'] : [];
  return problems.map((problem) => ({ code: problem.code, member, detail: describePathProblem(problem, roles) }));
}

/** Verifies the role in the name of the signer. Records nothing if the chain already failed for its role. */
function roleFaults({ problems }: IssuerChain, signer: X509Certificate, member: string): readonly CollateralProblem[] {
  if (signer.subject.commonName === TCB_SIGNING || problems.some(({ code }) => code === 'cert_role')) return [];
  return [{ code: 'cert_role', member, detail: 'the signer is not certified for collateral' }];
}

/** Intel's root certifies every signer of collateral directly. A chain of three belongs to another role. */
const [EXPECTED_CHAIN, MAXIMUM_CHAIN] = [2, 3];

const NOT_OF_ROOT: PathProblem = {
  code: 'cert_role',
  index: 0,
  detail: 'the signer is not certified by the root itself',
};

/**
 * Reads issuer chains (the signer's certificate, then the root) and verifies their paths. Intel uses two or three of
 * them. The caller checks validity and revocation at each verification. A chain whose names do not link, or in another
 * order, is malformed (`cert_chain`).
 *
 * @param verify returns the time-independent problems of a path
 */
function issuerChains(verify: (path: readonly X509Certificate[]) => readonly PathProblem[]): PemChains<IssuerChain> {
  return new PemChains({
    maximum: MAXIMUM_CHAIN,
    capacity: 64,
    verify: (certificates) => {
      requireShape(certificates);
      const problems = verify(certificates);
      return { certificates, problems: certificates.length > EXPECTED_CHAIN ? [NOT_OF_ROOT, ...problems] : problems };
    },
  });
}

/**
 * Requires the order of an issuer chain. Accepts a single certificate, because the caller reports that the chain is
 * short.
 */
function requireShape(certificates: readonly X509Certificate[]): void {
  if (certificates.length === 1) return;
  requireRootLast(certificates);
  const follows = certificates.every((certificate, index) => {
    const issuer = certificates[index + 1];
    return issuer === undefined || isSameName(certificate.issuer, issuer.subject);
  });
  if (certificates.length > EXPECTED_CHAIN && !follows) {
    throw new FormatError('cert_chain', 'the chain has certificates that it does not need');
  }
}
