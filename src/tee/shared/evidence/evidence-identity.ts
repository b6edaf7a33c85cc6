import { hex } from '../../../core/bytes.js';
import { nullIfMalformed } from '../../../core/errors.js';
import type {
  AzSnpVtpmEvidence,
  AzTdxVtpmEvidence,
  EventLogInput,
  Evidence,
  TpmQuoteInput,
} from '../../../core/evidence.js';
import { sha256 } from '../../../crypto/digest.js';
import { lowS, rawEcdsa } from '../../../crypto/ecdsa.js';
import { HCL_HARDWARE_OFFSET } from '../../../formats/hcl-report.js';
import { SNP_REPORT_LENGTH, SNP_SIGNATURE } from '../../../formats/snp-report.js';
import { signaturesOfTdQuote, TD_QUOTE_SIGNATURE_LENGTH } from '../../../formats/td-quote.js';
import { parseTpmSignature } from '../../../formats/tpmt-signature.js';

/** Of the length before each part. */
const LENGTH_BYTES = 4;

/** Scheme and hash of a TPMT_SIGNATURE. */
const TPMT_HEADER_LENGTH = 4;

/**
 * SHA-256 of the evidence, hex: one identity for the same evidence in native form and dialect, whatever endorsements
 * come with it. Over report, quote or paravisor report; TD quote behind a paravisor; message, signature and SHA-256 PCRs
 * of the TPM quote; runtime data; event log; or, of a token alone, its signing input; in this order, each preceded by its
 * length in 4 bytes big endian, an absent one having length 0. Of two signatures (r, s) and (r, n-s), which verify
 * alike, the one with the smaller s counts.
 */
export function evidenceSha256(evidence: Evidence): string {
  const parts = partsOf(evidence);
  const all = Buffer.allocUnsafe(parts.reduce((sum, { byteLength }) => sum + LENGTH_BYTES + byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    offset = all.writeUInt32BE(part.byteLength, offset);
    all.set(part, offset);
    offset += part.byteLength;
  }
  return hex(sha256(all));
}

function partsOf(evidence: Evidence): readonly Uint8Array[] {
  const none = new Uint8Array();
  switch (evidence.type) {
    case 'snp':
      return [withLowS(evidence.report, 0), none, none, none, none, evidence.runtimeData ?? none, none];
    case 'tdx': {
      const { quote, runtimeData, ccel } = evidence;
      return [quoteWithLowS(quote), none, none, none, none, runtimeData ?? none, ccel ?? none];
    }
    case 'az-snp-vtpm': {
      const [report, claims] = hclParts(evidence);
      return [report, none, ...quoteParts(evidence.tpmQuote), claims, logPart(evidence.eventLog)];
    }
    case 'az-tdx-vtpm': {
      const [report, claims] = hclParts(evidence);
      const quote = quoteWithLowS(evidence.tdQuote);
      return [report, quote, ...quoteParts(evidence.tpmQuote), claims, logPart(evidence.eventLog)];
    }
    case 'tpm':
      return [none, none, ...quoteParts(withLowSOfQuote(evidence.tpmQuote)), none, logPart(evidence.eventLog)];
    default:
      return [signingInput(evidence.token), none, none, none, none, none, none];
  }
}

/**
 * The paravisor's report; or the hardware report alone, and the runtime claims, where the guest took it apart. That is
 * another identity: header and filling of the report are missing, and nothing says what they were.
 */
function hclParts({ type, hclReport }: AzSnpVtpmEvidence | AzTdxVtpmEvidence): readonly [Uint8Array, Uint8Array] {
  const none = new Uint8Array();
  if (hclReport instanceof Uint8Array) {
    return [type === 'az-snp-vtpm' ? withLowS(hclReport, HCL_HARDWARE_OFFSET) : hclReport, none];
  }
  const { hardwareReport, runtimeClaims } = hclReport;
  return [hardwareReport === null ? none : withLowS(hardwareReport, 0), runtimeClaims];
}

/**
 * What the issuer signed: header and payload as sent, in ASCII (RFC 7515, section 5.1). The signature is no part of a
 * token's identity: for PS384 there are many for one token.
 */
function signingInput(token: string): Uint8Array {
  return Buffer.from(token.slice(0, token.lastIndexOf('.')), 'ascii');
}

/**
 * An ECDSA signature in one form: each number as long as the field of the curve, the smaller s. A number of a P-384
 * signature that is as short as one of P-256 is one in 2^127.
 */
function withLowSOfQuote(quote: TpmQuoteInput): TpmQuoteInput {
  const read = nullIfMalformed(() => parseTpmSignature(quote.signature, null));
  if (read?.scheme !== 'ecdsa') return quote;
  const curve = read.r.byteLength > 32 || read.s.byteLength > 32 ? 'P-384' : 'P-256';
  const raw = rawEcdsa(read, curve);
  if (raw === null) return quote;
  const header = quote.signature.subarray(0, TPMT_HEADER_LENGTH);
  return { ...quote, signature: Buffer.concat([header, lowS(curve, raw)]) };
}

function quoteParts(quote: TpmQuoteInput): readonly Uint8Array[] {
  const values = [...(quote.pcrs.get('sha256') ?? [])].sort(([a], [b]) => a - b);
  return [quote.message, quote.signature, Buffer.concat(values.map(([, value]) => value))];
}

/** Logs are read one after the other. */
function logPart(logs: EventLogInput | null): Uint8Array {
  return Buffer.concat(logs?.filter((log) => log !== undefined) ?? []);
}

/** Bytes that are too short for a report have no signature to reduce; they are refused elsewhere. */
function withLowS(bytes: Uint8Array, report: number): Uint8Array {
  if (bytes.byteLength < report + SNP_REPORT_LENGTH) return bytes;
  const { length } = SNP_SIGNATURE;
  const [r, s] = [report + SNP_SIGNATURE.r, report + SNP_SIGNATURE.s];
  const bigEndian = (start: number) => Buffer.from(bytes.subarray(start, start + length)).reverse();
  const reduced = Buffer.from(lowS('P-384', Buffer.concat([bigEndian(r), bigEndian(s)])).subarray(length)).reverse();
  if (reduced.equals(bytes.subarray(s, s + length))) return bytes;
  const copy = Uint8Array.from(bytes);
  copy.set(reduced, s);
  return copy;
}

/**
 * Both signatures of a TD quote: the attestation key's, and the platform's over the quoting enclave. Those in the
 * certificates that it carries stay as they are. What is no quote has none to reduce; it is refused elsewhere.
 */
function quoteWithLowS(bytes: Uint8Array): Uint8Array {
  let quote = bytes;
  for (const start of signaturesOfTdQuote(bytes)) {
    const signature = bytes.subarray(start, start + TD_QUOTE_SIGNATURE_LENGTH);
    const low = lowS('P-256', signature);
    if (low === signature) continue;
    if (quote === bytes) quote = Uint8Array.from(bytes);
    quote.set(low, start);
  }
  return quote;
}
