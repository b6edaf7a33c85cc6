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

/** Collateral whose chains and signatures hold. Whether it is in time, and of this platform, is judged each time. */
export interface SignedCollateral {
  readonly tcbInfo: Signed<TcbInfo>;
  readonly qeIdentity: Signed<QeIdentity>;
  readonly pckCrl: Signed<X509Crl>;
  readonly rootCrl: Signed<X509Crl>;
}

/** The faults that do not depend on time. */
export interface CollateralProblem {
  readonly code: CheckId;
  /** Member of the collateral, as the contract names it. */
  readonly member: string;
  readonly detail: string;
}

export type CollateralReading =
  | { readonly ok: true; readonly value: SignedCollateral }
  | { readonly ok: false; readonly problems: readonly CollateralProblem[] };

/** Certificates of a key that signs collateral, its own first, with what of them does not change with time. */
interface IssuerChain {
  /** One, two, or three certificates; a chain of three never verifies. */
  readonly certificates: readonly X509Certificate[];
  /** Empty where the chain verifies. */
  readonly problems: readonly PathProblem[];
}

type Chain = readonly [X509Certificate, ...X509Certificate[]];

/** A CRL has no signature beside it. */
const UNSIGNED = new Uint8Array();

const TCB_SIGNING = 'Intel SGX TCB Signing';

/**
 * Reads collateral, and verifies chains and signatures, each part once for its content. Times, revocation and TCB are
 * for whoever relies on it, each time. Only what holds is kept: what somebody makes up drives none of it out. More genuine
 * parts than there is room for do, and are read again.
 *
 * Not established: that the CRL is that of the CA of some PCK certificate.
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
   * @throws {FormatError} `cert_chain`, `cert_format` where a chain or CRL is malformed; pointers are
   *   members of the collateral
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
   * Reads Intel's list of TCB evaluation data numbers, which comes beside collateral, in the same way.
   *
   * @throws {FormatError} `cert_chain`, `cert_format` where the chain is malformed
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

  /** Verifies the certificates of a text's signer: their chain, and that Intel certified the first for collateral. */
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

  /** The PCK CRL is from the CA of its chain, the root CA CRL from the root of the same chain. */
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
    // a certificate that may not sign CRLs is refused for that, although it may not be a CA either
    if (ca.keyUsage?.crlSign !== true) return invalid('the issuer may not sign CRLs');
    const faults = pathFaults(chain, member, 'PCK CA');
    return faults.length > 0 ? refuse(faults) : [[ca, ...above], [root]];
  }
}

/** Reads a part whose signer holds; what is wrong with it is one more problem. */
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

/** @param signer what Intel calls the first certificate of such a chain; above it is the root, and nothing else */
function pathFaults(
  { certificates, problems }: IssuerChain,
  member: string,
  signer: string,
): readonly CollateralProblem[] {
  const roles = certificates.length === 2 ? [signer, 'Intel SGX root CA'] : [];
  return problems.map((problem) => ({ code: problem.code, member, detail: describePathProblem(problem, roles) }));
}

/** The name too says what Intel has certified the key for. A chain that fails for the role has said so. */
function roleFaults({ problems }: IssuerChain, signer: X509Certificate, member: string): readonly CollateralProblem[] {
  if (signer.subject.commonName === TCB_SIGNING || problems.some(({ code }) => code === 'cert_role')) return [];
  return [{ code: 'cert_role', member, detail: 'the signer is not certified for collateral' }];
}

/** All that Intel certifies for collateral is certified by its root itself. A chain of three is that of another role. */
const [EXPECTED_CHAIN, MAXIMUM_CHAIN] = [2, 3];

const NOT_OF_ROOT: PathProblem = {
  code: 'cert_role',
  index: 0,
  detail: 'the signer is not certified by the root itself',
};

/**
 * Reads issuer chains (the signer's certificate, then the root) and verifies their paths. Intel has two or three in use.
 * The relying code checks validity and revocation each time. A chain that is no path by its names, or has another
 * order, is malformed (`cert_chain`).
 *
 * @param verify says what of a path does not hold, whatever the time
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

/** Requires the order of an issuer chain. A single certificate passes: the relying code reports that the chain is short. */
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
