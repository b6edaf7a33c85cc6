import type { Checks } from '../../core/check.js';
import type { Claims, HclClaims } from '../../core/claims.js';
import type { CheckId } from '../../core/codes.js';
import type { AkIssuersRequest, UsedEndorsement } from '../../core/endorsement.js';
import type { AkCertificateInput, AzureGuestMembers, EventLogInput, TpmQuoteInput } from '../../core/evidence.js';
import type { JsonObject } from '../../core/json.js';
import type { EventLogGaps, FreshnessPlace, VerificationContext } from '../../core/verification.js';
import type { Verified } from '../../core/verified.js';
import { type AkPath, missingIssuers, readAkPath } from '../shared/attestation-key/ak-path.js';
import type { AkRoots } from '../shared/attestation-key/ak-roots.js';
import {
  type GuestKeys,
  openGuestKeys,
  verifyAkPublic,
  verifyGuestKeys,
} from '../shared/attestation-key/guest-keys.js';
import { withNonce } from '../shared/binding/report-data-binding.js';
import { NO_EVENT_LOG } from '../shared/event-log/event-log.js';
import {
  EVENT_LOG,
  readVtpmEventLog,
  VTPM_EVENT_LOG_CHECKS,
  type VtpmEventLog,
  verifyVtpmEventLog,
  withEventLog,
} from '../shared/event-log/vtpm-event-log.js';
import { markVerified, present } from '../shared/evidence/mark-verified.js';
import type { OpenedTpmQuote, QuoteKey, TpmQuoteVerification, TpmQuoteVerifier } from '../shared/evidence/parts.js';
import {
  hclClaims,
  PARAVISOR_CHECKS,
  type ParavisorClaims,
  verifyUserData,
} from '../shared/paravisor/paravisor-claims.js';
import { AK_CERTIFICATE_CHECKS, type AkVerdict, NO_AK_VERDICT, verifyAkCertificate } from './ak-certificate.js';

export const HCL_REPORT = '/evidence/hclReport';
const TPM_QUOTE = '/evidence/tpmQuote';

/** The members of Azure's evidence that are the same for SNP and TDX. */
interface GuestEvidence extends AzureGuestMembers {
  readonly tpmQuote: TpmQuoteInput;
  readonly ak: AkCertificateInput | null;
  readonly eventLog: EventLogInput | null;
}

export interface Guest {
  readonly claims: Pick<Claims, 'hcl' | 'tpm'>;
  readonly bound: readonly FreshnessPlace[];
  readonly endorsements: readonly UsedEndorsement[];
  readonly validUntil: Date | null;
  /** `vm-configuration`, if only the AK certificate identifies the paravisor. */
  readonly withheldConfiguration: JsonObject | null;
  /** SHA-256 PCRs in the signed selection; null without a signed quote. */
  readonly selectedPcrs: readonly number[] | null;
  readonly eventLogGaps: EventLogGaps | null;
  /** Thumbprint of the attestation key that signed the quote; null if the quote makes no claims. */
  readonly akThumbprint: string | null;
}

const NOTHING: Guest = {
  claims: {},
  bound: [],
  endorsements: [],
  validUntil: null,
  withheldConfiguration: null,
  selectedPcrs: null,
  eventLogGaps: null,
  akThumbprint: null,
};

/** The hardware's statement about the guest. */
export interface VouchedParavisor {
  readonly claims: ParavisorClaims;
  readonly reportType: HclClaims['reportType'];
  /** The paravisor as the hardware identifies it; null if the hardware evidence yields no claims. */
  readonly known: HclClaims['paravisor'] | null;
}

export interface OpenedGuest {
  readonly quote: OpenedTpmQuote;
  /** The certificate of the attestation key; null if none was sent. */
  readonly akPath: AkPath | null;
  /** Null if none was sent. */
  readonly eventLog: VtpmEventLog | null;
  readonly keys: GuestKeys;
  readonly needs: readonly AkIssuersRequest[];
}

/**
 * Verifies the guest's part of the evidence: quote of the vTPM, nonce, attestation key, its certificate, and event
 * log.
 */
export class GuestVerifier {
  readonly #quotes: TpmQuoteVerifier;
  readonly #roots: AkRoots;
  readonly #eventLogBytes: number;

  /** @param eventLogBytes maximum length of an event log */
  constructor(quotes: TpmQuoteVerifier, roots: AkRoots, eventLogBytes: number) {
    this.#quotes = quotes;
    this.#roots = roots;
    this.#eventLogBytes = eventLogBytes;
  }

  /** @throws {FormatError} `tpm_format`, `cert_format`, `eventlog_format`, `eventlog_limit` */
  open(evidence: GuestEvidence): OpenedGuest {
    const { tpmQuote, ak, eventLog } = evidence;
    const akPath = ak === null ? null : readAkPath(ak);
    return {
      quote: this.#quotes.open(tpmQuote, TPM_QUOTE),
      akPath,
      eventLog: eventLog === null ? null : readVtpmEventLog(eventLog, this.#eventLogBytes),
      keys: openGuestKeys(evidence, this.#quotes),
      needs: akPath === null ? [] : missingIssuers(akPath, this.#roots),
    };
  }

  /** Checks that must have an outcome, in addition to those of the hardware. */
  required(
    { akPath, keys, eventLog }: OpenedGuest,
    { binding }: Pick<VerificationContext, 'binding'>,
  ): readonly CheckId[] {
    const always = ['hcl_binding', ...PARAVISOR_CHECKS, ...this.#quotes.required] as const;
    const ofKey = keys.akPublic === null ? [] : (['hcl_ak_mismatch'] as const);
    return [
      ...withNonce(always, binding),
      ...(akPath === null ? ofKey : AK_CERTIFICATE_CHECKS),
      ...(eventLog === null ? [] : VTPM_EVENT_LOG_CHECKS),
    ];
  }

  /**
   * The result if nothing vouches for the attestation key. Still verifies its certificate, except for the key in it.
   */
  notReached(checks: Checks, guest: OpenedGuest, context: VerificationContext): Guest {
    this.#verifyCertificate(checks, guest, null, context);
    checks.skipRest(this.required(guest, context), 'no verified report certifies the attestation key');
    return NOTHING;
  }

  /** @param checks the checks of the paravisor's report */
  verify(
    checks: Checks,
    guest: OpenedGuest,
    { claims, reportType, known }: VouchedParavisor,
    context: VerificationContext,
  ): Guest {
    // If the attestation key certified the bound key, the evidence must hold the nonce alone.
    const ak = quoteKeyOf(claims.ak);
    const { binding, withCertifiedKey } = verifyGuestKeys(checks, guest.keys, guest.quote, ak, context.binding);

    // 7. The nonce in user-data.
    const inReport = verifyUserData(checks, claims, binding);

    // 8. The quote of the vTPM.
    const quote = guest.quote.verify(ak, binding);
    checks.addAll(quote.checks);

    // 9 to 11. The guest's copy of the attestation key, and the certificate.
    verifyAkPublic(checks, guest.keys, ak);
    const certificate = this.#verifyCertificate(checks, guest, claims.ak, context);
    const { endorsements, validUntil } = certificate;

    // 12. The event log.
    const boot = verifyLog(checks, guest, quote);
    const bound = boundPlaces(quote.bound, inReport);
    if (known === null) return { ...NOTHING, bound, endorsements, validUntil };
    const hcl = describeParavisor(claims, reportType, known, certificate.knowsParavisor);
    const tpm = withEventLog(quote.claims, boot);
    return {
      ...hcl,
      claims: { ...hcl.claims, ...present({ tpm: withCertifiedKey(tpm) }) },
      eventLogGaps: boot.gaps,
      selectedPcrs: quote.selectedPcrs,
      akThumbprint: quote.claims === null ? null : claims.akThumbprint,
      bound,
      endorsements,
      validUntil,
    };
  }

  #verifyCertificate(
    checks: Checks,
    { akPath }: OpenedGuest,
    key: ParavisorClaims['ak'] | null,
    context: VerificationContext,
  ): AkVerdict {
    return akPath === null ? NO_AK_VERDICT : verifyAkCertificate(checks, akPath, key, this.#roots, context);
  }
}

function boundPlaces(inQuote: boolean, inReport: boolean): readonly FreshnessPlace[] {
  return [...(inQuote ? (['tpm.extraData'] as const) : []), ...(inReport ? (['hcl.userData'] as const) : [])];
}

function verifyLog(checks: Checks, { eventLog }: OpenedGuest, { claims }: TpmQuoteVerification) {
  return eventLog === null ? NO_EVENT_LOG : verifyVtpmEventLog(checks.at(EVENT_LOG), eventLog, claims);
}

function quoteKeyOf({ n, e }: ParavisorClaims['ak']): Verified<QuoteKey> {
  return markVerified({ kind: 'rsa', modulus: n, exponent: e });
}

/**
 * Builds the claims about the paravisor. If only the AK certificate identifies the paravisor, `vm-configuration` is
 * withheld: Azure vouches for the key only, and another guest may have put the key into claims of its own.
 */
function describeParavisor(
  claims: ParavisorClaims,
  reportType: HclClaims['reportType'],
  byHardware: HclClaims['paravisor'],
  byCertificate: boolean,
): Pick<Guest, 'claims' | 'withheldConfiguration'> {
  if (byHardware.known || !byCertificate) {
    return { claims: { hcl: hclClaims(claims, reportType, byHardware) }, withheldConfiguration: null };
  }
  const paravisor = { known: true, by: 'akCertificate' as const };
  const { vmConfiguration } = claims;
  const hcl = hclClaims({ ...claims, vmConfiguration: null }, reportType, paravisor);
  return { claims: { hcl }, withheldConfiguration: vmConfiguration };
}

/** The members of the verification result about the guest, except checks and endorsements. */
export function guestMembers({ withheldConfiguration, selectedPcrs, eventLogGaps, akThumbprint }: Guest) {
  return present({ withheldConfiguration, selectedPcrs, eventLogGaps, akThumbprint });
}
