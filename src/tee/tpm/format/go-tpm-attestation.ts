import { FormatError } from '../../../core/errors.js';
import { type ProtobufMessage, parseProtobuf } from '../../../formats/protobuf.js';

/** A TPM of a PC has 24 PCRs. */
const PCR_COUNT = 24;

/** Limit of quotes and certificates: more than a TPM has banks, and more than a chain above an attestation key has. */
const MOST_QUOTES = 8;
const MOST_INTERMEDIATES = 8;

/** HashAlgo of SHA-256: its TPM_ALG_ID. */
const SHA256 = 0x000b;

const ATTESTATION = {
  name: 'Attestation',
  code: 'tpm_format',
  fields: {
    ak_pub: { number: 1, kind: 'bytes' },
    quotes: { number: 2, kind: 'bytes', most: MOST_QUOTES },
    event_log: { number: 3, kind: 'bytes' },
    instance_info: { number: 4, kind: 'bytes' },
    canonical_event_log: { number: 5, kind: 'bytes' },
    ak_cert: { number: 6, kind: 'bytes' },
    intermediate_certs: { number: 7, kind: 'bytes', most: MOST_INTERMEDIATES },
    // The two members of tee_attestation.
    sev_snp_attestation: { number: 8, kind: 'bytes' },
    tdx_attestation: { number: 9, kind: 'bytes' },
  },
} as const satisfies ProtobufMessage;

const QUOTE = {
  name: 'Quote',
  code: 'tpm_format',
  fields: {
    quote: { number: 1, kind: 'bytes' },
    raw_sig: { number: 2, kind: 'bytes' },
    pcrs: { number: 3, kind: 'bytes' },
  },
} as const satisfies ProtobufMessage;

const PCRS = {
  name: 'PCRs',
  code: 'tpm_format',
  fields: { hash: { number: 1, kind: 'uint32' }, pcrs: { number: 2, kind: 'bytes', most: PCR_COUNT } },
} as const satisfies ProtobufMessage;

/** An entry of a map (Protocol Buffers, Encoding, Maps). */
const PCR_ENTRY = {
  name: 'PCRs.pcrs',
  code: 'tpm_format',
  fields: { key: { number: 1, kind: 'uint32' }, value: { number: 2, kind: 'bytes' } },
} as const satisfies ProtobufMessage;

/** A quote of one bank, and the stated PCR values. */
interface GoTpmQuote {
  /** TPM_ALG_ID of the bank. */
  readonly hash: number;
  /** TPMS_ATTEST. */
  readonly message: Uint8Array;
  /** TPMT_SIGNATURE. */
  readonly signature: Uint8Array;
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
}

/** The attestation of go-tpm-tools. Not verified, and its byte members are not parsed here. */
export interface GoTpmAttestation {
  /** TPMT_PUBLIC of the attestation key. */
  readonly akPublic: Uint8Array;
  /** The quote of the SHA-256 bank. */
  readonly quote: GoTpmQuote;
  /** Null if the firmware has none. */
  readonly eventLog: Uint8Array | null;
  /** DER. */
  readonly akCertificate: Uint8Array;
  /** DER, the issuer of the AK certificate first. */
  readonly intermediates: readonly Uint8Array[];
}

/**
 * Reads an `attest.Attestation` of go-tpm-tools (google/go-tpm-tools, proto/attest.proto) in binary protobuf. It has
 * one quote per bank. Ignores quotes of banks other than SHA-256, and `instance_info`, which nothing measures.
 *
 * @throws {FormatError} as `parseProtobuf`; `schema` for a field that is missing, and without a SHA-256 quote;
 * `duplicate_key` for
 *   two quotes of one bank, or two values of one PCR; `type_mismatch` for the evidence of a TEE; `unknown_property`
 * for a canonical
 *   event log; `tpm_format` for a PCR that no TPM has
 */
export function parseGoTpmAttestation(bytes: Uint8Array): GoTpmAttestation {
  const attestation = parseProtobuf(bytes, ATTESTATION);
  for (const field of ['sev_snp_attestation', 'tdx_attestation'] as const) {
    if (attestation[field].length === 0) continue;
    const message = `Attestation has tee_attestation (${field}), and evidence of type tpm has none of a TEE`;
    throw new FormatError('type_mismatch', message);
  }
  if (attestation.canonical_event_log.length > 0) {
    const message = 'Attestation has canonical_event_log, which is not read in this dialect';
    throw new FormatError('unknown_property', message);
  }
  return {
    akPublic: only(attestation.ak_pub, 'Attestation.ak_pub'),
    quote: sha256Quote(attestation.quotes.map(readQuote)),
    eventLog: attestation.event_log[0] ?? null,
    akCertificate: only(attestation.ak_cert, 'Attestation.ak_cert'),
    intermediates: attestation.intermediate_certs,
  };
}

function sha256Quote(quotes: readonly GoTpmQuote[]): GoTpmQuote {
  const banks = quotes.map(({ hash }) => hash);
  const again = banks.find((hash, index) => banks.indexOf(hash) < index);
  if (again !== undefined) {
    throw new FormatError('duplicate_key', `Attestation.quotes has two quotes of the bank 0x${again.toString(16)}`);
  }
  return only(
    quotes.filter(({ hash }) => hash === SHA256),
    'the SHA-256 quote of Attestation.quotes',
  );
}

function readQuote(bytes: Uint8Array): GoTpmQuote {
  const quote = parseProtobuf(bytes, QUOTE);
  const { hash, pcrs } = parseProtobuf(only(quote.pcrs, 'Quote.pcrs'), PCRS);
  return {
    hash: only(hash, 'PCRs.hash'),
    message: only(quote.quote, 'Quote.quote'),
    signature: only(quote.raw_sig, 'Quote.raw_sig'),
    pcrs: readPcrs(pcrs),
  };
}

function readPcrs(entries: readonly Uint8Array[]): ReadonlyMap<number, Uint8Array> {
  const pcrs = new Map<number, Uint8Array>();
  for (const entry of entries) {
    const { key, value } = parseProtobuf(entry, PCR_ENTRY);
    // An omitted number is zero.
    const [index = 0] = key;
    if (index >= PCR_COUNT) throw new FormatError('tpm_format', `PCRs.pcrs has PCR ${index}, and a TPM has 0 to 23`);
    if (pcrs.has(index)) throw new FormatError('duplicate_key', `PCRs.pcrs has PCR ${index} twice`);
    pcrs.set(index, only(value, `PCRs.pcrs of PCR ${index}`));
  }
  return pcrs;
}

/** Returns the only value of a field. */
function only<T>([value]: readonly T[], name: string): T {
  if (value === undefined) throw new FormatError('schema', `${name} is missing`);
  return value;
}
