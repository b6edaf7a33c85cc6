import type { AkCertificateInput, AzTdxVtpmEvidence, EventLogInput } from '../../src/core/evidence.js';
import type { JsonObject } from '../../src/core/json.js';
import { boundValue } from './bound-value.js';
import type { CollateralOptions } from './collateral-builder.js';
import { buildHclReport, type HclReportFields } from './hcl-report-builder.js';
import type { Native } from './native.js';
import { reportDataOver } from './report-data.js';
import { buildRuntimeClaims, type RuntimeClaimsFields } from './runtime-claims-builder.js';
import { azureTdFields, type TdBodyFields } from './td-body-builder.js';
import type { TdQuoteMaking } from './td-quote-builder.js';
import { buildTdReport, type TdReportMaking } from './td-report-builder.js';
import type { TdxPlatform } from './tdx-platform.js';
import { type QuoteOptions, VirtualTpm } from './vtpm.js';
import { wireEvidence } from './wire-evidence.js';

export interface TdxVirtualMachineOptions {
  readonly platform: TdxPlatform;
  /** A vTPM that is there already: making its key takes some hundred milliseconds. */
  readonly vtpm?: VirtualTpm;
  /** Deviations of the TD from Azure's TDs. */
  readonly td?: Partial<TdBodyFields>;
  /** The content of all runtime claims of the VM. */
  readonly claims?: Partial<RuntimeClaimsFields>;
  /** A VM whose vTPM is made anew at each boot: `tpm-persisted` is false. */
  readonly nonPersistedTpm?: boolean;
  /** Certificate of the attestation key that comes with all evidence; none if left out. */
  readonly ak?: AkCertificateInput;
}

/** The content of one piece of evidence, and its faults. */
export interface AzureTdxEvidenceOptions {
  readonly nonce?: Uint8Array;
  /** Public JWK to bind, together with the nonce. */
  readonly jwk?: JsonObject | null;
  /** Fields of TDREPORT and quote alike. */
  readonly td?: Partial<TdBodyFields>;
  /** The quote alone: its `fields` are not those of the TDREPORT. */
  readonly tdQuote?: TdQuoteMaking;
  /** The TDREPORT alone. */
  readonly tdReport?: TdReportMaking & { readonly fields?: Partial<TdBodyFields> };
  readonly claims?: Partial<RuntimeClaimsFields>;
  /** Runtime claims as they stand, in place of those that are built. */
  readonly runtimeClaims?: Uint8Array | string;
  readonly hcl?: Partial<HclReportFields>;
  /** The TPM's quote. */
  readonly quote?: QuoteOptions;
  /** Collateral that comes with the quote; null: none. */
  readonly collateral?: CollateralOptions | null;
  /** Certificate of the attestation key, in place of the VM's. */
  readonly ak?: AkCertificateInput | null;
  /** None if left out. */
  readonly eventLog?: EventLogInput;
}

/** Report type of an HCL report with a TDREPORT. */
const HCL_REPORT_TYPE_TDX = 4;
/** Size of a quote as Azure gives it, zeros at its end. */
const AZURE_QUOTE_SIZE = 5006;

/** An Azure confidential VM on TDX: platform, paravisor and vTPM. */
export class TdxVirtualMachine {
  readonly platform: TdxPlatform;
  readonly vtpm: VirtualTpm;
  readonly #options: TdxVirtualMachineOptions;
  readonly #ek: JsonObject;

  constructor(options: TdxVirtualMachineOptions, vtpm: VirtualTpm) {
    this.platform = options.platform;
    this.vtpm = vtpm;
    this.#options = options;
    // Nothing reads the endorsement key: any modulus of the right length will do.
    this.#ek = { kty: 'RSA', e: 'AQAB', n: Buffer.alloc(256, 0xe7).toString('base64url') };
  }

  /** Native `az-tdx-vtpm` evidence, decoded: X is in extraData of the TPM's quote and in user-data of the claims. */
  evidence(options: AzureTdxEvidenceOptions = {}): Native<AzTdxVtpmEvidence> {
    const { collateral = {} } = options;
    return {
      type: 'az-tdx-vtpm',
      hclReport: this.hclReport(options),
      tdQuote: this.tdQuote(options),
      tpmQuote: this.vtpm.quote({ extraData: boundBy(options), ...options.quote }),
      collateral: collateral === null ? null : this.platform.collateral(collateral),
      ak: options.ak === undefined ? (this.#options.ak ?? null) : options.ak,
      eventLog: options.eventLog ?? null,
    };
  }

  /** The same as the member `evidence` of a request. */
  wireEvidence(options: AzureTdxEvidenceOptions = {}): JsonObject {
    return wireEvidence(this.evidence(options));
  }

  /** The report as the guest reads it from NV index 0x01400001. */
  hclReport(options: AzureTdxEvidenceOptions = {}): Uint8Array {
    return buildHclReport({
      hardwareReport: this.tdReport(options),
      runtimeClaims: this.runtimeClaims(options),
      reportType: HCL_REPORT_TYPE_TDX,
      ...options.hcl,
    });
  }

  /** The TDREPORT that is in it. */
  tdReport(options: AzureTdxEvidenceOptions = {}): Uint8Array {
    const { tdReport = {} } = options;
    return buildTdReport({ ...this.#td(options), ...tdReport.fields }, tdReport);
  }

  /** The quote that the host makes of the TDREPORT, with zeros at its end as Azure gives it. */
  tdQuote(options: AzureTdxEvidenceOptions = {}): Uint8Array {
    const { tdQuote = {} } = options;
    const quote = this.platform.quote({ ...tdQuote, fields: { ...this.#td(options), ...tdQuote.fields } });
    // A test that changes the end of a quote needs it unchanged.
    return tdQuote.trailing === undefined && tdQuote.afterSigning === undefined ? filled(quote) : quote;
  }

  /** The runtime claims as they are hashed. */
  runtimeClaims(options: AzureTdxEvidenceOptions = {}): Uint8Array {
    const { runtimeClaims } = options;
    if (runtimeClaims !== undefined) return Uint8Array.from(Buffer.from(runtimeClaims));
    const { nonPersistedTpm = false } = this.#options;
    const claims = { ...this.#options.claims, ...options.claims };
    const { vmConfiguration } = claims;
    return buildRuntimeClaims({
      ak: this.vtpm.publicJwk,
      ek: this.#ek,
      userData: boundBy(options),
      ...claims,
      vmConfiguration: vmConfiguration === null ? null : { 'tpm-persisted': !nonPersistedTpm, ...vmConfiguration },
    });
  }

  #td(options: AzureTdxEvidenceOptions): TdBodyFields {
    const { teeTcbSvn } = this.platform;
    return {
      ...azureTdFields(),
      teeTcbSvn,
      teeTcbSvn2: teeTcbSvn,
      reportData: reportDataOver(this.runtimeClaims(options)),
      ...this.#options.td,
      ...options.td,
    };
  }
}

/** An Azure confidential VM on a platform. */
export async function createTdxVirtualMachine(options: TdxVirtualMachineOptions): Promise<TdxVirtualMachine> {
  return new TdxVirtualMachine(options, options.vtpm ?? (await VirtualTpm.create()));
}

/** X. */
function boundBy({ nonce = new Uint8Array(), jwk = null }: AzureTdxEvidenceOptions): Uint8Array {
  return boundValue(nonce, jwk);
}

function filled(quote: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(Math.max(AZURE_QUOTE_SIZE, quote.byteLength));
  bytes.set(quote);
  return bytes;
}
