import { inject, injectable } from 'tsyringe';
import { equalInConstantTime } from '../../crypto/constant-time.js';
import { hex, sha512 } from '../../crypto/digest.js';
import { namesAttestationKey, readRuntimeObject } from '../../formats/runtime-claims.js';
import { parseTcgEventLog, type TcgEventLog } from '../../formats/tcg-event-log.js';
import { CheckList } from '../../model/check.js';
import type { HclClaims, TdxClaims } from '../../model/claims.js';
import type { CheckId } from '../../model/codes.js';
import type { EndorsementRequest } from '../../model/endorsement.js';
import { within } from '../../model/errors.js';
import type { TdxEvidence } from '../../model/evidence.js';
import { TOKENS } from '../../model/injection-tokens.js';
import type {
  EvidenceVerifier,
  ExpectedBinding,
  FreshnessPlace,
  TdQuoteVerification,
  TdQuoteVerifier,
  Verification,
  VerificationContext,
} from '../../model/verification.js';
import type { Verified } from '../../model/verified.js';
import { verifyNonceInData, verifyNonceInReportData, verifyNonceInUserData } from '../binding/report-data-binding.js';
import { markVerified } from '../evidence/mark-verified.js';
import { readOnce } from '../evidence/read-once.js';
import {
  hclClaims,
  PARAVISOR_CHECKS,
  paravisorByMrtd,
  verifyParavisorClaims,
  verifyRuntimeDataHash,
} from '../paravisor/paravisor-claims.js';
import { CCEL_CHECKS, verifyCcel } from './ccel.js';

const QUOTE = '/evidence/quote';
const ABOUT = { quote: QUOTE, collateral: '/evidence/collateral' };
const RUNTIME_DATA = '/evidence/runtimeData';
const CCEL = '/evidence/ccel';

/** What runtime data came to. */
interface RuntimeData {
  readonly hcl: HclClaims | null;
  /** The bytes, where their SHA-256 is in REPORTDATA. */
  readonly hashed: Uint8Array | null;
  readonly bound: readonly FreshnessPlace[];
}

/** Verifies a bare TD quote, with or without the runtime data that its REPORTDATA is the hash of. */
@injectable()
export class TdxVerifier implements EvidenceVerifier<'tdx'> {
  readonly evidenceType = 'tdx';
  readonly #quotes: TdQuoteVerifier;
  readonly #mrtds: ReadonlySet<string>;
  readonly #readLog: (ccel: Uint8Array) => TcgEventLog;

  /**
   * @param mrtds MRTDs of paravisors that count as known, lower-case hex
   * @param eventLogBytes the longest event log that is read
   */
  constructor(
    @inject(TOKENS.tdQuoteVerifier) quotes: TdQuoteVerifier,
    @inject(TOKENS.paravisorMrtds) mrtds: ReadonlySet<string>,
    @inject(TOKENS.eventLogBytes) eventLogBytes: number,
  ) {
    this.#quotes = quotes;
    this.#mrtds = mrtds;
    this.#readLog = readOnce((ccel) => within(CCEL, () => parseTcgEventLog(ccel, eventLogBytes)));
  }

  endorsementsFor({ quote, collateral, ccel }: TdxEvidence): readonly EndorsementRequest[] {
    if (ccel !== null) this.#readLog(ccel);
    return this.#quotes.quoteEndorsements(quote, collateral, ABOUT);
  }

  async verify(evidence: TdxEvidence, context: VerificationContext): Promise<Verification> {
    const { at, endorsements, binding } = context;
    const quote = await this.#quotes.verifyQuote(evidence.quote, { at, endorsements, about: ABOUT });
    const checks = new CheckList();
    checks.addAll(quote.checks);
    const data = this.#verifyReportData(checks, evidence, quote, binding);
    const { claims } = quote;
    if (evidence.ccel !== null) this.#verifyLog(checks, evidence.ccel, claims);
    return {
      checks: checks.all,
      required: [...quote.required, ...requiredOf(evidence, binding)],
      claims: markVerified({
        ...(claims === null ? {} : { tdx: claims }),
        ...(data.hcl === null ? {} : { hcl: data.hcl }),
      }),
      endorsements: quote.endorsements,
      bound: data.bound,
      validUntil: quote.validUntil,
      tcbShortfalls: quote.shortfalls,
      ...(quote.collateralIssued === null ? {} : { collateralIssued: quote.collateralIssued }),
      submission: claims === null ? null : { tee: 'tdx', quote: evidence.quote, runtimeData: data.hashed },
    };
  }

  /** Nothing that the log says becomes a claim: a policy judges the registers that the quote itself has. */
  #verifyLog(checks: CheckList, ccel: Uint8Array, claims: Verified<TdxClaims> | null): void {
    const log = this.#readLog(ccel);
    if (claims === null) checks.skip(CCEL_CHECKS, CCEL, 'the quote could not be relied on');
    else verifyCcel(checks, log, claims.rtmr, CCEL);
  }

  #verifyReportData(
    checks: CheckList,
    { runtimeData, verifierNonce }: TdxEvidence,
    { claims, reportData }: TdQuoteVerification,
    binding: ExpectedBinding | null,
  ): RuntimeData {
    if (reportData === null) {
      const ids: readonly CheckId[] = runtimeData === null ? [] : ['hcl_binding', ...PARAVISOR_CHECKS];
      return nothing(checks, ids, binding, QUOTE, 'the quote could not be relied on');
    }
    if (runtimeData === null) {
      const bound = verifyNonceInReportData(checks, reportData, 'tdx.reportData', binding, QUOTE);
      return { hcl: null, hashed: null, bound };
    }
    if (verifierNonce !== undefined && isHeldUnder(verifierNonce, runtimeData, reportData)) {
      const detail = "report data is SHA-512 of intel's nonce and the runtime data";
      checks.pass('hcl_binding', RUNTIME_DATA, { actual: hex(reportData), detail });
      // Whoever posts it says where the nonce ends and the data begins, so that no nonce of ours counts inside of the data.
      const bound = verifyNonceInReportData(checks, reportData, 'tdx.reportData', binding, QUOTE);
      return { hcl: null, hashed: null, bound };
    }
    if (!verifyRuntimeDataHash(checks, runtimeData, reportData, RUNTIME_DATA)) {
      return nothing(checks, PARAVISOR_CHECKS, binding, RUNTIME_DATA, 'the runtime data is not that of the quote');
    }
    return this.#verifyRuntimeData(checks, runtimeData, claims, binding);
  }

  /**
   * Runtime data of Azure's paravisor (it has `HCLAkPub`) is judged as such; any other JSON may hold nonce and key.
   * A TD has no VMPL: whoever runs in it asks for its reports, and below a paravisor that is the paravisor alone.
   */
  #verifyRuntimeData(
    checks: CheckList,
    runtimeData: Uint8Array,
    claims: Verified<TdxClaims> | null,
    binding: ExpectedBinding | null,
  ): RuntimeData {
    const object = readRuntimeObject(runtimeData);
    if (!object.ok && object.code === 'hcl_duplicate') {
      checks.fail('hcl_duplicate', RUNTIME_DATA, { detail: object.detail });
    }
    if (!object.ok || !namesAttestationKey(object.value)) {
      const data = object.ok ? object.value : null;
      return { hcl: null, hashed: runtimeData, bound: verifyNonceInData(checks, data, binding, RUNTIME_DATA) };
    }
    const paravisor = verifyParavisorClaims(checks, runtimeData, RUNTIME_DATA);
    if (paravisor === null) {
      return nothing(checks, [], binding, RUNTIME_DATA, 'the runtime claims cannot be relied on');
    }
    const bound = verifyNonceInUserData(checks, paravisor, binding, RUNTIME_DATA);
    const hcl = claims === null ? null : hclClaims(paravisor, 'tdx', paravisorByMrtd(claims, this.#mrtds));
    return { hcl, hashed: runtimeData, bound };
  }
}

/**
 * Whether REPORTDATA is what a client of Intel Trust Authority makes of its data and Intel's nonce, on a TD without
 * paravisor. Claims of a paravisor never count so: Azure's binds them by SHA-256.
 */
function isHeldUnder(verifierNonce: Uint8Array, data: Uint8Array, reportData: Uint8Array): boolean {
  if (!equalInConstantTime(sha512(verifierNonce, data), reportData)) return false;
  const object = readRuntimeObject(data);
  return !object.ok || !namesAttestationKey(object.value);
}

function nothing(
  checks: CheckList,
  ids: readonly CheckId[],
  binding: ExpectedBinding | null,
  about: string,
  because: string,
): RuntimeData {
  checks.skip(binding === null ? ids : [...ids, 'nonce_mismatch'], about, because);
  return { hcl: null, hashed: null, bound: [] };
}

function requiredOf({ runtimeData, ccel }: TdxEvidence, binding: ExpectedBinding | null): readonly CheckId[] {
  return [
    ...(runtimeData === null ? [] : (['hcl_binding'] as const)),
    ...(ccel === null ? [] : CCEL_CHECKS),
    ...(binding === null ? [] : (['nonce_mismatch'] as const)),
  ];
}
