import { createHash, type KeyObject } from 'node:crypto';
import type { SnpPart, SnpProduct, SnpTcb } from '../../src/core/claims.js';
import type { EndorsementSet, HashedDer } from '../../src/core/endorsement.js';
import type { SnpEndorsementInput } from '../../src/core/evidence.js';
import { currentTcbOf, labLine, processorOfPart } from './amd-lines.js';
import type { AmdPki, IssueCrlOptions, LabVek, VcekOptions, VekKind, VlekOptions } from './amd-pki.js';
import type { BytePatch } from './byte-patch.js';
import {
  azureReportFields,
  buildSnpReport,
  encodeSnpTcb,
  type SnpReportFields,
  signSnpReport,
} from './snp-report-builder.js';

/** A server with SEV-SNP. What is left out is a Milan of today whose firmware signs with its VCEK. */
export interface SnpPlatformOptions {
  readonly pki: AmdPki;
  readonly part?: SnpPart;
  readonly signingKey?: VekKind;
  /** Version of the reports that the firmware makes: 2 to 5. */
  readonly version?: number;
  readonly tcb?: SnpTcb;
  /** 64 bytes; on Turin the first 8 count and zeros follow. */
  readonly chipId?: Uint8Array;
  readonly vcek?: Partial<VcekOptions>;
  readonly vlek?: Partial<VlekOptions>;
  readonly crl?: Partial<IssueCrlOptions>;
}

/** How one report is made beside its fields. */
export interface ReportMaking {
  readonly fields?: Partial<SnpReportFields>;
  /** Patches that the signature covers. */
  readonly patches?: readonly BytePatch[];
  /** Changes the signed report. */
  readonly afterSigning?: (report: Uint8Array) => Uint8Array;
  /** Another key than the platform's. */
  readonly key?: KeyObject;
}

/** A server with SEV-SNP: it makes reports, and AMD has certified its key. */
export class SnpPlatform {
  readonly part: SnpPart;
  readonly product: SnpProduct;
  readonly tcb: SnpTcb;
  readonly chipId: Uint8Array;
  readonly signingKey: VekKind;
  readonly vek: LabVek;
  /** PEM: ASK or ASVK, then ARK. */
  readonly chain: string;
  /** DER. */
  readonly crl: Uint8Array;
  readonly #version: number;
  readonly #chainDer: readonly [Uint8Array, Uint8Array];

  constructor(options: SnpPlatformOptions) {
    const { pki } = options;
    this.part = options.part ?? 'Milan';
    this.product = processorOfPart(this.part).product;
    this.tcb = options.tcb ?? currentTcbOf(this.part);
    this.chipId = options.chipId ?? chipIdOf(this.part);
    this.signingKey = options.signingKey ?? 'vcek';
    this.#version = options.version ?? 3;
    const certified = { product: this.product, tcb: this.tcb };
    this.vek =
      this.signingKey === 'vcek'
        ? pki.issueVcek({ ...certified, chipId: this.chipId, ...options.vcek })
        : pki.issueVlek({ ...certified, ...options.vlek });
    this.chain = pki.chainPem(this.product, this.signingKey);
    this.#chainDer = pki.chainDer(this.product, this.signingKey);
    this.crl = pki.issueCrl({ product: this.product, ...options.crl });
  }

  /** Fields of a report of this platform, as of a guest that Azure launches. */
  reportFields(): SnpReportFields {
    const tcb = encodeSnpTcb(this.tcb, this.product);
    return {
      ...azureReportFields(),
      version: this.#version,
      keyInfo: { authorKeyEn: false, maskChipKey: false, signingKey: this.signingKey === 'vcek' ? 0 : 1 },
      currentTcb: tcb,
      committedTcb: tcb,
      reportedTcb: tcb,
      launchTcb: tcb,
      cpuid: this.#version === 2 ? null : processorOfPart(this.part).cpuid,
      chipId: this.chipId,
      mitigation: this.#version < 5 ? null : { launch: 1n, current: 3n },
    };
  }

  /** A signed report. */
  report({ fields, patches, afterSigning, key }: ReportMaking = {}): Uint8Array {
    const report = buildSnpReport({ ...this.reportFields(), ...fields });
    const signed = signSnpReport(report, key ?? this.vek.key.privateKey, patches);
    return afterSigning?.(signed) ?? signed;
  }

  /** Key certificate, chain and CRL as a request brings them. */
  endorsements(overrides: Partial<SnpEndorsementInput> = {}): SnpEndorsementInput {
    return { vek: { der: this.vek.der }, chain: this.chain, certificateTable: null, crls: [this.crl], ...overrides };
  }

  /** The same as a source that holds them gives them. */
  endorsementSet(): EndorsementSet {
    const origin = 'store';
    return {
      snp: {
        vek: { value: hashed(this.vek.der), origin },
        chains: new Map([[this.product, { value: [hashed(this.#chainDer[0]), hashed(this.#chainDer[1])], origin }]]),
        chainProblem: null,
        crls: new Map([[this.product, { value: hashed(this.crl), origin }]]),
        otherCrls: new Map(),
        crlProblems: new Map(),
      },
    };
  }
}

/** A chip id without a zero byte within the length of the line. */
function chipIdOf(part: SnpPart): Uint8Array {
  const bytes = createHash('sha512')
    .update(`chip of a ${part}`)
    .digest()
    .map((byte) => byte | 1);
  const chipId = new Uint8Array(64);
  chipId.set(bytes.subarray(0, labLine(processorOfPart(part).product).hwIdBytes));
  return chipId;
}

function hashed(der: Uint8Array): HashedDer {
  return { der, sha256: createHash('sha256').update(der).digest('hex') };
}
