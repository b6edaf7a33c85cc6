import { parseTcgEventLog, type TcgEventLog } from '../../boot/format/tcg-event-log.js';
import { hex } from '../../core/bytes.js';
import type { Checks } from '../../core/check.js';
import type { TdxClaims } from '../../core/claims.js';
import type { CheckId } from '../../core/codes.js';
import { within } from '../../core/errors.js';
import type { TdxEvidence } from '../../core/evidence.js';
import type {
  EvidenceVerifier,
  ExpectedBinding,
  OpenedEvidence,
  Verification,
  VerificationContext,
} from '../../core/verification.js';
import type { Verified } from '../../core/verified.js';
import { equalInConstantTime } from '../../crypto/constant-time.js';
import { sha512 } from '../../crypto/digest.js';
import { checksAt } from '../catalogue.js';
import { verifyNonceInReportData, withNonce } from '../shared/binding/report-data-binding.js';
import { type EventLogVerdict, NO_EVENT_LOG } from '../shared/event-log/event-log.js';
import { markVerified, present } from '../shared/evidence/mark-verified.js';
import type { OpenedTdQuote, TdQuoteVerification, TdQuoteVerifier } from '../shared/evidence/parts.js';
import { namesAttestationKey, readRuntimeObject } from '../shared/format/runtime-claims.js';
import { paravisorByMrtd } from '../shared/paravisor/paravisor-claims.js';
import { RUNTIME_DATA, type RuntimeData, verifyReportData } from '../shared/paravisor/runtime-data.js';
import { CCEL_CHECKS, verifyCcel } from './ccel.js';

const QUOTE = '/evidence/quote';
const COLLATERAL = '/evidence/collateral';
const CCEL = '/evidence/ccel';

/** Verifies a bare TD quote. Runtime data, if present, must hash to its REPORTDATA. */
export class TdxVerifier implements EvidenceVerifier<'tdx'> {
  readonly evidenceType = 'tdx';
  readonly #quotes: TdQuoteVerifier;
  readonly #mrtds: ReadonlySet<string>;
  readonly #eventLogBytes: number;

  /**
   * @param mrtds MRTDs of paravisors that count as known, lower-case hex
   * @param eventLogBytes maximum length of an event log
   */
  constructor(quotes: TdQuoteVerifier, mrtds: ReadonlySet<string>, eventLogBytes: number) {
    this.#quotes = quotes;
    this.#mrtds = mrtds;
    this.#eventLogBytes = eventLogBytes;
  }

  open(evidence: TdxEvidence): OpenedEvidence {
    const { ccel } = evidence;
    const log = ccel === null ? null : within(CCEL, () => parseTcgEventLog(ccel, this.#eventLogBytes));
    const quote = this.#quotes.open(evidence.quote, evidence.collateral, { quote: QUOTE, collateral: COLLATERAL });
    return { needs: quote.needs, verify: async (context) => this.#verify(evidence, { quote, log }, context) };
  }

  #verify(evidence: TdxEvidence, { quote: opened, log }: OpenedParts, context: VerificationContext): Verification {
    const { binding } = context;
    const checks = checksAt(QUOTE);

    // 1 to 12. The quote and its collateral.
    const quote = opened.verify(context);
    checks.addAll(quote.checks);
    const { claims } = quote;

    // 13. The nonce in REPORTDATA, or in runtime data that hashes to REPORTDATA.
    const data = this.#verifyReportData(checks, evidence, { ...quote, vmId: opened.said.vmId }, binding);

    // 14. The event log.
    const boot = verifyLog(checks.at(CCEL), log, claims);
    return {
      checks: checks.all,
      required: [...quote.required, ...requiredOf(evidence, binding)],
      claims: markVerified(present({ tdx: withEventLog(claims, boot), hcl: data.hcl })),
      endorsements: quote.endorsements,
      bound: data.bound,
      validUntil: quote.validUntil,
      tcbShortfalls: quote.shortfalls,
      ...present({ collateralIssued: quote.collateralIssued, eventLogGaps: boot.gaps }),
      submission: claims === null ? null : { tee: 'tdx', quote: evidence.quote, runtimeData: data.hashed },
    };
  }

  #verifyReportData(
    checks: Checks,
    { runtimeData, verifierNonce }: TdxEvidence,
    { claims, reportData, vmId }: TdQuoteVerification & { readonly vmId: number },
    binding: ExpectedBinding | null,
  ): RuntimeData {
    const mayBeHeld = verifierNonce !== undefined && runtimeData !== null && reportData !== null;
    if (mayBeHeld && isTrustAuthorityReportData(verifierNonce, runtimeData, reportData)) {
      const detail = "report data is the SHA-512 of Intel's nonce and the runtime data";
      checks.at(RUNTIME_DATA).pass('hcl_binding', { actual: hex(reportData), detail });
      // The sender chooses where the nonce ends and the data begins, so this service's nonce does not count in the
      // data.
      const bound = verifyNonceInReportData(checks, reportData, 'tdx.reportData', binding);
      return { hcl: null, hashed: null, bound };
    }
    return verifyReportData(checks, {
      tee: 'tdx',
      reportData,
      runtimeData,
      binding,
      // A TD has no VMPL: software in the TD requests its reports. Under a paravisor, only the paravisor can.
      paravisor: () => (claims === null ? null : paravisorByMrtd(claims, vmId, this.#mrtds)),
    });
  }
}

interface OpenedParts {
  readonly quote: OpenedTdQuote;
  readonly log: TcgEventLog | null;
}

function verifyLog(checks: Checks, log: TcgEventLog | null, claims: Verified<TdxClaims> | null): EventLogVerdict {
  if (log === null) return NO_EVENT_LOG;
  if (claims !== null) return verifyCcel(checks, log, claims.rtmr);
  checks.skip(CCEL_CHECKS, 'the quote could not be relied on');
  return NO_EVENT_LOG;
}

function withEventLog(claims: Verified<TdxClaims> | null, { claims: eventLog }: EventLogVerdict) {
  return claims === null || eventLog === null ? claims : { ...claims, eventLog };
}

/**
 * Whether REPORTDATA is the value that a client of Intel Trust Authority computes from its data and Intel's nonce, on a
 * TD without a paravisor. Claims of a paravisor never count this way: Azure's paravisor binds them by SHA-256.
 */
function isTrustAuthorityReportData(verifierNonce: Uint8Array, data: Uint8Array, reportData: Uint8Array): boolean {
  if (!equalInConstantTime(sha512(verifierNonce, data), reportData)) return false;
  const object = readRuntimeObject(data);
  return !object.ok || !namesAttestationKey(object.value);
}

function requiredOf({ runtimeData, ccel }: TdxEvidence, binding: ExpectedBinding | null): readonly CheckId[] {
  const hashed = runtimeData === null ? [] : (['hcl_binding'] as const);
  return withNonce([...hashed, ...(ccel === null ? [] : CCEL_CHECKS)], binding);
}
