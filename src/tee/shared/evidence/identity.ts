import type { EventLogInput, TpmQuoteInput } from '../../../core/evidence.js';

/** The parts of an evidence identity. `evidenceSha256` hashes them in this order and omits absent parts. */
export interface IdentityParts {
  /** The report, the quote or the paravisor's report. For a token alone, its signing input. */
  readonly first?: Uint8Array;
  /** A TD quote that came with the paravisor's report. */
  readonly tdQuote?: Uint8Array;
  readonly tpmQuote?: { readonly message: Uint8Array; readonly signature: Uint8Array; readonly pcrs: Uint8Array };
  readonly runtimeData?: Uint8Array;
  readonly eventLog?: Uint8Array;
}

/** Normalises the signatures of hardware evidence: of (r, s) and (r, n-s), selects the one with the smaller s. */
export interface SmallerS {
  /** @param start offset of the SNP report */
  snpReport(bytes: Uint8Array, start: number): Uint8Array;
  tdQuote(quote: Uint8Array): Uint8Array;
}

export function identityOfTpmQuote({ message, signature, pcrs }: TpmQuoteInput) {
  const values = [...(pcrs.get('sha256') ?? [])].sort(([a], [b]) => a - b);
  return { message, signature, pcrs: Buffer.concat(values.map(([, value]) => value)) };
}

/** Concatenates the logs. */
export function identityOfEventLog(logs: EventLogInput | null): Uint8Array {
  return Buffer.concat(logs?.filter((log) => log !== undefined) ?? []);
}
