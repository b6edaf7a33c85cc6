import type { CheckId } from '../../core/codes.js';
import type { TpmEvidence } from '../../core/evidence.js';
import type {
  EvidenceVerifier,
  ExpectedBinding,
  OpenedEvidence,
  Verification,
  VerificationContext,
} from '../../core/verification.js';
import type { Verified } from '../../core/verified.js';
import { keyThumbprint } from '../../crypto/jwk-thumbprint.js';
import { type PathProfile, RSA_PKCS1_PROFILE } from '../../crypto/path-profile.js';
import type { PublicKey } from '../../formats/public-key.js';
import { checksAt } from '../catalogue.js';
import {
  AK_LEAF,
  AK_PATH_CHECKS,
  type AkPath,
  missingIssuers,
  readAkPath,
  verifyAkPath,
} from '../shared/attestation-key/ak-path.js';
import type { AkRoots } from '../shared/attestation-key/ak-roots.js';
import {
  type GuestKeys,
  openGuestKeys,
  verifyAkPublic,
  verifyGuestKeys,
} from '../shared/attestation-key/guest-keys.js';
import { isPadded, padded } from '../shared/binding/held-value.js';
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
import type { OpenedTpmQuote, QuoteKey, TpmQuoteVerifier } from '../shared/evidence/parts.js';

const TPM_QUOTE = '/evidence/tpmQuote';

/** Azure's CAs use RSA. CAs of other vTPM vendors may use P-256, and their attestation keys also P-384. */
const TPM_PROFILE: PathProfile = {
  ...RSA_PKCS1_PROFILE,
  signatureAlgorithms: new Set([...RSA_PKCS1_PROFILE.signatureAlgorithms, 'ecdsa-sha256']),
  issuerKeys: [...RSA_PKCS1_PROFILE.issuerKeys, { kind: 'ec', curve: 'P-256' }],
  leafKeys: [...RSA_PKCS1_PROFILE.leafKeys, { kind: 'ec', curve: 'P-256' }, { kind: 'ec', curve: 'P-384' }],
};

const TRUSTED = {
  detail:
    'the certificate is an AK certificate, and its chain ends at a pinned root; TPM only: nothing here vouches for hardware',
};

interface Opened {
  readonly quote: OpenedTpmQuote;
  readonly akPath: AkPath;
  /** Null if none was sent. */
  readonly eventLog: VtpmEventLog | null;
  readonly keys: GuestKeys;
  readonly evidence: TpmEvidence;
}

/**
 * Verifies a vTPM alone: the certificate of its attestation key, and the quote by that key. The result shows the boot
 * that the vTPM measured, and nothing about the machine that runs the vTPM. README.md in this folder lists the checks
 * that are deliberately not made.
 */
export class TpmOnlyVerifier implements EvidenceVerifier<'tpm'> {
  readonly evidenceType = 'tpm';
  readonly #quotes: TpmQuoteVerifier;
  readonly #roots: AkRoots;
  readonly #eventLogBytes: number;

  /** @param eventLogBytes maximum length of an event log */
  constructor(quotes: TpmQuoteVerifier, akRoots: AkRoots, eventLogBytes: number) {
    this.#quotes = quotes;
    this.#roots = akRoots;
    this.#eventLogBytes = eventLogBytes;
  }

  /** @throws {FormatError} `tpm_format`, `cert_format`, `eventlog_format`, `eventlog_limit` */
  open(evidence: TpmEvidence): OpenedEvidence {
    const { tpmQuote, ak, eventLog } = evidence;
    const opened = {
      evidence,
      quote: this.#quotes.open(tpmQuote, TPM_QUOTE),
      akPath: readAkPath(ak),
      keys: openGuestKeys(evidence, this.#quotes),
      eventLog: eventLog === null ? null : readVtpmEventLog(eventLog, this.#eventLogBytes),
    };
    return {
      needs: missingIssuers(opened.akPath, this.#roots),
      verify: async (context) => this.#verify(opened, context),
    };
  }

  /** Runs steps 2 to 6 of README.md in this folder. `open` runs step 1. */
  #verify(opened: Opened, context: VerificationContext): Verification {
    const { quote: openedQuote, akPath, keys, eventLog } = opened;
    const checks = checksAt(AK_LEAF);

    // 2 to 4. The certificate of the attestation key. Nothing else vouches for the key.
    const trust = { roots: this.#roots, profile: TPM_PROFILE };
    const trusted = verifyAkPath(checks, akPath, trust, context, TRUSTED);
    const key = trusted === null ? null : quoteKeyOf(trusted.leaf.publicKey);
    const required = this.#required(opened, context);
    if (trusted === null || key === null) {
      checks.skipRest(required, 'no certificate that can be relied on vouches for the attestation key');
      return { checks: checks.all, required, claims: markVerified({}), endorsements: [], bound: [], validUntil: null };
    }

    // 5. The quote under that key, with the nonce. Before it, the guest's copy of the key and its certified key.
    verifyAkPublic(checks, keys, key);
    const { binding, withCertifiedKey } = verifyGuestKeys(checks, keys, openedQuote, key, context.binding);
    const quote = openedQuote.verify(key, filled(binding, opened));
    checks.addAll(quote.checks);

    // 6. The event log.
    const boot = eventLog === null ? NO_EVENT_LOG : verifyVtpmEventLog(checks.at(EVENT_LOG), eventLog, quote.claims);
    return {
      checks: checks.all,
      required,
      claims: markVerified(present({ tpm: withCertifiedKey(withEventLog(quote.claims, boot)) })),
      endorsements: trusted.endorsements,
      bound: quote.bound ? ['tpm.extraData'] : [],
      validUntil: trusted.validUntil,
      ...present({
        selectedPcrs: quote.selectedPcrs,
        eventLogGaps: boot.gaps,
        akThumbprint: quote.claims === null ? null : keyThumbprint(key),
      }),
    };
  }

  #required({ keys, eventLog }: Opened, { binding }: VerificationContext): readonly CheckId[] {
    return [
      ...AK_PATH_CHECKS,
      ...(keys.akPublic === null ? [] : (['hcl_ak_mismatch'] as const)),
      ...withNonce(this.#quotes.required, binding),
      ...(eventLog === null ? [] : VTPM_EVENT_LOG_CHECKS),
    ];
  }
}

/** Pads the expected value with zeros for dialects in which guests pad the field to a fixed length. */
function filled(binding: ExpectedBinding | null, { quote: { said }, evidence }: Opened): ExpectedBinding | null {
  const isFilled =
    binding !== null && evidence.exactNonce !== undefined && isPadded(said?.extraData ?? null, binding.value);
  return isFilled ? { ...binding, value: padded(binding.value) } : binding;
}

/** Converts the key of a verified path, which has one of the kinds in the profile. */
function quoteKeyOf(key: PublicKey): Verified<QuoteKey> | null {
  return key.kind === 'other' ? null : markVerified(key);
}
