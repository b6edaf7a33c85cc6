import type { TdxCollateral } from '../../src/core/evidence.js';
import type { JsonObject } from '../../src/core/json.js';
import type { IntelAuthority, IntelCrlOptions, IntelPki } from './intel-pki.js';
import { TD_QE_MRSIGNER } from './qe-report-builder.js';
import type { PckCaKind } from './sgx-extension-builder.js';
import { buildSignedDocument, type SignedDocumentMaking, windowOf } from './signed-document.js';
import {
  EVALUATION_NUMBER,
  type IsvLevelFields,
  isvLevel,
  type TcbInfoMaking,
  type TcbSubject,
  tcbInfoMembers,
} from './tcb-info-builder.js';

export interface QeIdentityMaking extends SignedDocumentMaking {
  /** Status of the level that a genuine quoting enclave meets. */
  readonly status?: string;
  /** All levels, in this order. */
  readonly levels?: readonly IsvLevelFields[];
}

/** How collateral is made. What is left out is genuine. */
export interface CollateralOptions {
  /** Everything is current then; the PKI's instant if left out. */
  readonly at?: Date;
  /** Of both documents. */
  readonly evaluationNumber?: number;
  readonly tcbInfo?: TcbInfoMaking;
  readonly qeIdentity?: QeIdentityMaking;
  /** `ca`: the list of that one. */
  readonly pckCrl?: IntelCrlOptions & { readonly ca?: PckCaKind };
  readonly rootCrl?: IntelCrlOptions;
  /** Another certificate, and its key, for both documents. */
  readonly tcbSigning?: IntelAuthority;
  /** Members as they stand. */
  readonly overrides?: Partial<TdxCollateral>;
}

/** A platform that collateral is about. */
export interface CollateralSubject extends TcbSubject {
  readonly pki: IntelPki;
  readonly ca: PckCaKind;
}

/** TCB info, QE identity, their chains and the CRLs, as Intel's service gives them. */
export function buildCollateral(subject: CollateralSubject, options: CollateralOptions = {}): TdxCollateral {
  const { pki } = subject;
  const { at = pki.at, evaluationNumber = EVALUATION_NUMBER, tcbSigning = pki.tcbSigning } = options;
  const forTcb = { evaluationNumber, ...options.tcbInfo };
  const forQe = { evaluationNumber, ...options.qeIdentity };
  const tcbInfo = buildSignedDocument(tcbInfoMembers(subject, at, forTcb), tcbSigning.key, forTcb);
  const qeIdentity = buildSignedDocument(qeIdentityMembers(at, forQe), tcbSigning.key, forQe);
  const { ca = subject.ca, ...pckCrl } = options.pckCrl ?? {};
  return {
    tcbInfo: tcbInfo.text,
    tcbInfoSignature: tcbInfo.signature,
    tcbInfoIssuerChain: pki.tcbIssuerChain(tcbSigning),
    qeIdentity: qeIdentity.text,
    qeIdentitySignature: qeIdentity.signature,
    qeIdentityIssuerChain: pki.tcbIssuerChain(tcbSigning),
    pckCrl: pki.pckCrl(ca, { at, ...pckCrl }),
    pckCrlIssuerChain: pki.pckCrlIssuerChain(ca),
    rootCaCrl: pki.rootCrl({ at, ...options.rootCrl }),
    ...options.overrides,
  };
}

/** Identity of Intel's quoting enclave for TDs, version 2, members in Intel's order. */
export function qeIdentityMembers(at: Date, making: QeIdentityMaking): JsonObject {
  const { status = 'UpToDate', levels = [{ isvSvn: 4, status }, OLD_QE_LEVEL] } = making;
  return {
    id: 'TD_QE',
    version: 2,
    ...windowOf(making, at),
    tcbEvaluationDataNumber: making.evaluationNumber ?? EVALUATION_NUMBER,
    miscselect: '00000000',
    miscselectMask: 'FFFFFFFF',
    attributes: '11000000000000000000000000000000',
    attributesMask: 'FBFFFFFFFFFFFFFF0000000000000000',
    mrsigner: TD_QE_MRSIGNER.toUpperCase(),
    isvprodid: 2,
    tcbLevels: levels.map(isvLevel),
  };
}

const OLD_QE_LEVEL: IsvLevelFields = { isvSvn: 2, status: 'OutOfDate', date: '2023-08-09T00:00:00Z' };
