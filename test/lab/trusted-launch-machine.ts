import type { AkCertificateInput, EventLogInput, TpmEvidence } from '../../src/core/evidence.js';
import type { JsonObject } from '../../src/core/json.js';
import { type AkCertificateOptions, type AzureAkPki, createAzureAkPki } from './azure-ak-pki.js';
import { boundValue } from './bound-value.js';
import { type QuoteOptions, VirtualTpm } from './vtpm.js';
import { wireEvidence } from './wire-evidence.js';

interface TrustedLaunchMachineOptions {
  readonly pki?: AzureAkPki;
  readonly vtpm?: VirtualTpm;
}

/** The content of one piece of evidence, and its faults. */
export interface TpmEvidenceOptions {
  readonly nonce?: Uint8Array;
  /** Public JWK to bind, together with the nonce. */
  readonly jwk?: JsonObject | null;
  readonly quote?: QuoteOptions;
  /** How the certificate of the attestation key is issued and sent. */
  readonly certificate?: Partial<AkCertificateOptions>;
  /** Certificate and chain as they stand, in place of those that are issued. */
  readonly ak?: AkCertificateInput;
  /** None if left out. */
  readonly eventLog?: EventLogInput;
}

/** A VM with Trusted Launch: a vTPM, and the certificate of its attestation key; no hardware report. */
export class TrustedLaunchMachine {
  readonly pki: AzureAkPki;
  readonly vtpm: VirtualTpm;

  constructor(pki: AzureAkPki, vtpm: VirtualTpm) {
    this.pki = pki;
    this.vtpm = vtpm;
  }

  /** Native `tpm` evidence, decoded: X is extraData of the quote. */
  evidence({ nonce, jwk = null, quote, certificate, ak, eventLog }: TpmEvidenceOptions = {}): TpmEvidence {
    return {
      type: 'tpm',
      tpmQuote: this.vtpm.quote({ extraData: boundValue(nonce ?? new Uint8Array(), jwk), ...quote }),
      ak: ak ?? this.certificate(certificate),
      eventLog: eventLog ?? null,
    };
  }

  /** The same as the member `evidence` of a request. */
  wireEvidence(options: TpmEvidenceOptions = {}): JsonObject {
    return wireEvidence(this.evidence(options));
  }

  /** Certificate of the attestation key, and the chain above it. */
  certificate(options: Partial<AkCertificateOptions> = {}): AkCertificateInput {
    return this.pki.certificate({ key: this.vtpm.publicJwk, vm: 'TrustedVM', ...options });
  }
}

export async function createTrustedLaunchMachine({
  pki = createAzureAkPki(),
  vtpm,
}: TrustedLaunchMachineOptions = {}): Promise<TrustedLaunchMachine> {
  return new TrustedLaunchMachine(pki, vtpm ?? (await VirtualTpm.create()));
}
