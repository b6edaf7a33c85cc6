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

/** The part of Azure's evidence that is the same whatever the hardware. */
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
  /** `vm-configuration`, where only the key is vouched for. */
  readonly withheldConfiguration: JsonObject | null;
  /** SHA-256 PCRs of the signed selection; null where there is none to go by. */
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
  /** As the hardware knows the paravisor; null where no claims may be made of it, since something was out of reach. */
  readonly known: HclClaims['paravisor'] | null;
}

export interface OpenedGuest {
  readonly quote: OpenedTpmQuote;
  /** The certificate of the attestation key; null where none was sent. */
  readonly akPath: AkPath | null;
  /** Null where none was sent. */
  readonly eventLog: VtpmEventLog | null;
  readonly keys: GuestKeys;
  readonly needs: readonly AkIssuersRequest[];
}

/** Verifies what runtime claims vouch for: the quote of the vTPM, its nonce, the certificate of its key, its event log. */
export class GuestVerifier {
  readonly #quotes: TpmQuoteVerifier;
  readonly #roots: AkRoots;
  readonly #eventLogBytes: number;

  /** @param eventLogBytes the longest event log that is read */
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

  /** Checks that must have an outcome, beside those of the hardware. */
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

  /** Nothing vouches for an attestation key. A certificate that was sent is judged all the same, but for its key. */
  notReached(checks: Checks, guest: OpenedGuest, context: VerificationContext): Guest {
    this.#verifyCertificate(checks, guest, null, context);
    checks.skipRest(this.required(guest, context), 'no verified report certifies the attestation key');
    return NOTHING;
  }

  /** @param checks of the paravisor's report */
  verify(
    checks: Checks,
    guest: OpenedGuest,
    { claims, reportType, known }: VouchedParavisor,
    context: VerificationContext,
  ): Guest {
    // A key that the attestation key certified: where it is the bound one, the nonce alone has to be held.
    const ak = quoteKeyOf(claims.ak);
    const { binding, withCertifiedKey } = verifyGuestKeys(checks, guest.keys, guest.quote, ak, context.binding);

    // 7. The nonce in user-data.
    const inReport = verifyUserData(checks, claims, binding);

    // 8. The quote of the vTPM.
    const quote = guest.quote.verify(ak, binding);
    checks.addAll(quote.checks);

    // 9 to 11. The attestation key as the guest states it, and its certificate.
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
 * The claims about the paravisor. Where only the certificate of the key knows it, `vm-configuration` is no claim:
 * Azure vouches for the key, and another guest may have named it in claims of its own.
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

/** The result about the guest beside checks and endorsements. */
export function guestMembers({ withheldConfiguration, selectedPcrs, eventLogGaps, akThumbprint }: Guest) {
  return present({ withheldConfiguration, selectedPcrs, eventLogGaps, akThumbprint });
}
