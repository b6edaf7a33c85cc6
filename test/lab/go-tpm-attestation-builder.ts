import type { TpmEvidence, TpmQuoteInput } from '../../src/core/evidence.js';
import { joinBytes } from './byte-patch.js';

/** A field of a message in binary protobuf: a number, or bytes with their length. */
export function protobufField(number: number, value: number | Uint8Array): Uint8Array {
  if (typeof value === 'number') return joinBytes(varint(number * 8), varint(value));
  return joinBytes(varint(number * 8 + 2), varint(value.byteLength), value);
}

/** Seven bits a byte, the lowest first. */
export function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.of(...bytes, rest);
    bytes.push((rest % 128) + 128);
  }
}

/** TPM_ALG_ID of the banks. */
export const HASH_ALGO = { sha1: 0x0004, sha256: 0x000b, sha384: 0x000c, sha512: 0x000d } as const;

/** A tpm.Quote of one bank. */
export function buildGoTpmQuote({ message, signature, pcrs }: TpmQuoteInput, bank: keyof typeof HASH_ALGO): Uint8Array {
  const entries = [...(pcrs.get(bank) ?? [])].map(([index, value]) => goTpmPcr(index, value));
  return joinBytes(
    protobufField(1, message),
    protobufField(2, signature),
    protobufField(3, joinBytes(protobufField(1, HASH_ALGO[bank]), ...entries)),
  );
}

/** An entry of the map of PCRs. */
export function goTpmPcr(index: number, value: Uint8Array): Uint8Array {
  return protobufField(2, joinBytes(protobufField(1, index), protobufField(2, value)));
}

/** The fields of an attest.Attestation. */
export interface GoTpmFields {
  readonly ak_pub?: Uint8Array;
  readonly quotes?: readonly Uint8Array[];
  readonly event_log?: Uint8Array;
  readonly instance_info?: Uint8Array;
  readonly canonical_event_log?: Uint8Array;
  readonly ak_cert?: Uint8Array;
  readonly intermediate_certs?: readonly Uint8Array[];
  readonly sev_snp_attestation?: Uint8Array;
  readonly tdx_attestation?: Uint8Array;
}

const NUMBERS: { readonly [name in keyof GoTpmFields]-?: number } = {
  ak_pub: 1,
  quotes: 2,
  event_log: 3,
  instance_info: 4,
  canonical_event_log: 5,
  ak_cert: 6,
  intermediate_certs: 7,
  sev_snp_attestation: 8,
  tdx_attestation: 9,
};

/** Writes an attest.Attestation of google/go-tpm-tools in binary protobuf. Nothing is checked. */
export function buildGoTpmAttestation(fields: GoTpmFields): Uint8Array {
  const parts = Object.entries(NUMBERS).flatMap(([name, number]) => {
    const value = fields[name as keyof GoTpmFields] ?? [];
    const values = value instanceof Uint8Array ? [value] : value;
    return values.map((bytes) => protobufField(number, bytes));
  });
  return joinBytes(...parts);
}

/**
 * The fields of an attestation with the parts of native evidence: the certificate as DER, and a SHA-256 quote.
 *
 * @param akPublic TPMT_PUBLIC
 * @param chain DER, the issuer of the certificate first
 */
export function goTpmFields(
  { tpmQuote, ak, eventLog }: TpmEvidence,
  akPublic: Uint8Array,
  chain: readonly Uint8Array[],
): GoTpmFields {
  return {
    ak_pub: akPublic,
    quotes: [buildGoTpmQuote(tpmQuote, 'sha256')],
    ...(eventLog === null ? {} : { event_log: eventLog[0] }),
    ak_cert: 'der' in ak.certificate ? ak.certificate.der : new Uint8Array(),
    intermediate_certs: chain,
  };
}
