import type { EndorsementSet } from '../../src/core/endorsement.js';
import type { TdxCollateral } from '../../src/core/evidence.js';
import { buildCollateral, type CollateralOptions } from './collateral-builder.js';
import type { IntelPki, IssuePckOptions, LabPck } from './intel-pki.js';
import { type LabKey, newEcKey } from './lab-keys.js';
import type { QeReportFields } from './qe-report-builder.js';
import { PCE_CURRENT_SVN, type PckCaKind, SGX_CURRENT_SVNS } from './sgx-extension-builder.js';
import { linuxTdFields, type TdBodyFields, TEE_CURRENT_TCB_SVN } from './td-body-builder.js';
import { buildTdQuote, type TdQuoteMaking } from './td-quote-builder.js';

/** A server with TDX. What is left out is one of several packages that is up to date. */
export interface TdxPlatformOptions {
  readonly pki: IntelPki;
  readonly ca?: PckCaKind;
  /** 6 and 2 bytes, hex. */
  readonly fmspc?: string;
  readonly pceId?: string;
  /** 16 bytes. */
  readonly ppid?: Uint8Array;
  /** SVNs of the 16 SGX TCB components. */
  readonly sgxSvns?: readonly number[];
  readonly pceSvn?: number;
  /** 16 bytes: SVN of the TDX module, its major version, SVN of the microcode, … */
  readonly teeTcbSvn?: Uint8Array;
  /** The content of every QE report of the platform. */
  readonly qe?: Partial<QeReportFields>;
  readonly pck?: Partial<IssuePckOptions>;
  /** One that is there already, in place of one that is issued. */
  readonly pckCertificate?: LabPck;
  readonly attestationKey?: LabKey;
}

/** A server with TDX: it makes quotes, Intel has certified its key, and publishes collateral for its kind. */
export class TdxPlatform {
  readonly pki: IntelPki;
  readonly ca: PckCaKind;
  readonly fmspc: string;
  readonly pceId: string;
  readonly sgxSvns: readonly number[];
  readonly pceSvn: number;
  readonly teeTcbSvn: Uint8Array;
  readonly pck: LabPck;
  readonly attestationKey: LabKey;
  readonly #qe: Partial<QeReportFields>;

  constructor(options: TdxPlatformOptions) {
    this.pki = options.pki;
    this.ca = options.ca ?? 'platform';
    this.fmspc = options.fmspc ?? '00806f050000';
    this.pceId = options.pceId ?? '0000';
    this.sgxSvns = options.sgxSvns ?? SGX_CURRENT_SVNS;
    this.pceSvn = options.pceSvn ?? PCE_CURRENT_SVN;
    this.teeTcbSvn = options.teeTcbSvn ?? TEE_CURRENT_TCB_SVN;
    this.attestationKey = options.attestationKey ?? newEcKey('prime256v1');
    this.#qe = options.qe ?? {};
    this.pck = options.pckCertificate ?? this.#issuePck(options);
  }

  collateral(options: CollateralOptions = {}): TdxCollateral {
    return buildCollateral(this, options);
  }

  /** The same as a source that holds it gives it. */
  endorsementSet(options: CollateralOptions = {}): EndorsementSet {
    return { snp: null, tdx: { value: this.collateral(options), origin: 'store' } };
  }

  /** Fields of a TD on this platform, as of Linux on bare metal. */
  bodyFields(): TdBodyFields {
    return { ...linuxTdFields(), teeTcbSvn: this.teeTcbSvn, teeTcbSvn2: this.teeTcbSvn };
  }

  quote(making: TdQuoteMaking = {}): Uint8Array {
    const { attestationKey, pck } = this;
    return buildTdQuote(
      { attestationKey, pckKey: pck.key.privateKey, pckChain: pck.chainPem },
      {
        ...making,
        fields: { ...this.bodyFields(), ...making.fields },
        qeReport: { cpuSvn: Uint8Array.from(this.sgxSvns), ...this.#qe, ...making.qeReport },
      },
    );
  }

  #issuePck({ ppid, pck = {} }: TdxPlatformOptions): LabPck {
    const fields = {
      svns: this.sgxSvns,
      cpuSvn: Uint8Array.from(this.sgxSvns),
      pceSvn: this.pceSvn,
      pceId: Uint8Array.from(Buffer.from(this.pceId, 'hex')),
      fmspc: Uint8Array.from(Buffer.from(this.fmspc, 'hex')),
      ...(ppid === undefined ? {} : { ppid }),
      ...pck.fields,
    };
    return this.pki.issuePck({ ca: this.ca, ...pck, fields });
  }
}
