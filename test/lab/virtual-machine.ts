import type {
  AkCertificateInput,
  AzSnpVtpmEvidence,
  EventLogInput,
  SnpEndorsementInput,
  SnpEvidence,
} from '../../src/core/evidence.js';
import type { JsonObject } from '../../src/core/json.js';
import { boundValue } from './bound-value.js';
import { buildHclReport, type HclReportFields } from './hcl-report-builder.js';
import type { Native } from './native.js';
import { bindReportData, type ReportDataOptions, reportDataOver } from './report-data.js';
import { buildRuntimeClaims, type RuntimeClaimsFields } from './runtime-claims-builder.js';
import { type ReportMaking, SnpPlatform, type SnpPlatformOptions } from './snp-platform.js';
import { type QuoteOptions, VirtualTpm } from './vtpm.js';
import { wireEvidence } from './wire-evidence.js';

export interface VirtualMachineOptions extends SnpPlatformOptions {
  /** A platform that other guests share. */
  readonly platform?: SnpPlatform;
  /** A vTPM that is there already: making its key takes some hundred milliseconds. */
  readonly vtpm?: VirtualTpm;
  /** The content of every report of the VM. */
  readonly report?: ReportMaking;
  /** The content of all runtime claims of the VM. */
  readonly claims?: Partial<RuntimeClaimsFields>;
  /** Certificate of the attestation key that comes with all evidence; none if left out. */
  readonly ak?: AkCertificateInput;
}

/** The content of one piece of evidence, and its faults. */
export interface AzureEvidenceOptions {
  readonly nonce?: Uint8Array;
  /** Public JWK to bind, together with the nonce. */
  readonly jwk?: JsonObject | null;
  readonly report?: ReportMaking;
  readonly claims?: Partial<RuntimeClaimsFields>;
  /** Runtime claims as they stand, in place of those that are built. */
  readonly runtimeClaims?: Uint8Array | string;
  readonly hcl?: Partial<HclReportFields>;
  readonly quote?: QuoteOptions;
  readonly endorsements?: Partial<SnpEndorsementInput>;
  /** Certificate of the attestation key, in place of the VM's. */
  readonly ak?: AkCertificateInput | null;
  /** None if left out. */
  readonly eventLog?: EventLogInput;
}

/** An Azure confidential VM on SEV-SNP: platform, paravisor and vTPM. */
export class VirtualMachine {
  readonly platform: SnpPlatform;
  readonly vtpm: VirtualTpm;
  readonly #options: VirtualMachineOptions;
  readonly #ek: JsonObject;

  constructor(options: VirtualMachineOptions, platform: SnpPlatform, vtpm: VirtualTpm) {
    this.platform = platform;
    this.vtpm = vtpm;
    this.#options = options;
    // Nothing reads the endorsement key: any modulus of the right length will do.
    this.#ek = { kty: 'RSA', e: 'AQAB', n: Buffer.alloc(256, 0xe7).toString('base64url') };
  }

  /** Native `az-snp-vtpm` evidence, decoded: X is in extraData of the quote and in user-data of the claims. */
  evidence(options: AzureEvidenceOptions = {}): Native<AzSnpVtpmEvidence> {
    const x = boundValue(options.nonce ?? new Uint8Array(), options.jwk ?? null);
    return {
      type: 'az-snp-vtpm',
      hclReport: this.hclReport(options),
      tpmQuote: this.vtpm.quote({ extraData: x, ...options.quote }),
      endorsements: this.platform.endorsements(options.endorsements),
      ak: options.ak === undefined ? (this.#options.ak ?? null) : options.ak,
      eventLog: options.eventLog ?? null,
    };
  }

  /** The same as the member `evidence` of a request. */
  wireEvidence(options: AzureEvidenceOptions = {}): JsonObject {
    return wireEvidence(this.evidence(options));
  }

  /** The report as the guest reads it from NV index 0x01400001. */
  hclReport(options: AzureEvidenceOptions = {}): Uint8Array {
    const runtimeClaims = this.runtimeClaims(options);
    const { report: ofVm = {} } = this.#options;
    const { report = {} } = options;
    const fields = { reportData: reportDataOver(runtimeClaims), ...ofVm.fields, ...report.fields };
    const hardwareReport = this.platform.report({ ...ofVm, ...report, fields });
    return buildHclReport({ hardwareReport, runtimeClaims, ...options.hcl });
  }

  /** The runtime claims as they are hashed. */
  runtimeClaims(options: AzureEvidenceOptions = {}): Uint8Array {
    const { runtimeClaims } = options;
    if (runtimeClaims !== undefined) return Uint8Array.from(Buffer.from(runtimeClaims));
    const x = boundValue(options.nonce ?? new Uint8Array(), options.jwk ?? null);
    return buildRuntimeClaims({
      ak: this.vtpm.publicJwk,
      ek: this.#ek,
      userData: x,
      ...this.#options.claims,
      ...options.claims,
    });
  }
}

/** An Azure confidential VM whose key certificate, chain and CRL are of the PKI given. */
export async function createVirtualMachine(options: VirtualMachineOptions): Promise<VirtualMachine> {
  const platform = options.platform ?? new SnpPlatform(options);
  return new VirtualMachine(options, platform, options.vtpm ?? (await VirtualTpm.create()));
}

export interface SnpGuestEvidenceOptions extends ReportDataOptions {
  readonly report?: ReportMaking;
  readonly endorsements?: Partial<SnpEndorsementInput>;
}

/** A guest that asks the firmware itself, without a paravisor. */
export class SnpGuest {
  readonly platform: SnpPlatform;

  constructor(platform: SnpPlatform) {
    this.platform = platform;
  }

  /** Native `snp` evidence, decoded. */
  evidence(options: SnpGuestEvidenceOptions = {}): SnpEvidence {
    const { report = {} } = options;
    const { reportData, runtimeData } = bindReportData(options);
    return {
      type: 'snp',
      report: this.platform.report({ ...report, fields: { reportData, ...report.fields } }),
      runtimeData,
      endorsements: this.platform.endorsements(options.endorsements),
    };
  }

  /** The same as the member `evidence` of a request. */
  wireEvidence(options: SnpGuestEvidenceOptions = {}): JsonObject {
    return wireEvidence(this.evidence(options));
  }
}

/** A bare SEV-SNP guest on a platform of the PKI given. */
export function createSnpGuest(options: SnpPlatformOptions & { readonly platform?: SnpPlatform }): SnpGuest {
  return new SnpGuest(options.platform ?? new SnpPlatform(options));
}
