import type { JsonObject } from '../../src/core/json.js';

/**
 * A TD quote as somebody else's verifier reads it. Written apart from the project's own reader, so that the two can
 * disagree. Nothing of it is verified: signatures and collateral are not looked at.
 */
export interface ReadTdQuote {
  /** 64 bytes, lower-case hex. */
  readonly reportData: string;
  /** Members of a token that both services name alike. */
  readonly claims: JsonObject;
}

const TDX = 0x81;
const BODY_LENGTHS: ReadonlyMap<number, number> = new Map([
  [2, 584],
  [3, 648],
  [4, 885],
]);

/** @throws {RangeError} if it is not a quote of version 4 or 5 about a TD */
export function readTdQuote(bytes: Uint8Array): ReadTdQuote {
  const quote = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const body = bodyOf(quote);
  const hex = (offset: number, length: number) => body.toString('hex', offset, offset + length);
  const attributes = body.readBigUInt64LE(120);
  const isSet = (bit: bigint) => ((attributes >> bit) & 1n) === 1n;
  const reportData = hex(520, 64);
  return {
    reportData,
    claims: {
      dbgstat: isSet(0n) ? 'enabled' : 'disabled',
      tdx_mrconfigid: hex(184, 48),
      tdx_mrowner: hex(232, 48),
      tdx_mrownerconfig: hex(280, 48),
      tdx_mrseam: hex(16, 48),
      tdx_mrsignerseam: hex(64, 48),
      tdx_mrtd: hex(136, 48),
      tdx_report_data: reportData,
      tdx_rtmr0: hex(328, 48),
      tdx_rtmr1: hex(376, 48),
      tdx_rtmr2: hex(424, 48),
      tdx_rtmr3: hex(472, 48),
      tdx_seam_attributes: hex(112, 8),
      tdx_seamsvn: body.readUInt8(0),
      tdx_td_attributes: hex(120, 8),
      tdx_td_attributes_debug: isSet(0n),
      tdx_td_attributes_key_locker: isSet(31n),
      tdx_td_attributes_perfmon: isSet(63n),
      tdx_td_attributes_protection_keys: isSet(30n),
      tdx_td_attributes_septve_disable: isSet(28n),
      tdx_tee_tcb_svn: hex(0, 16),
      tdx_xfam: hex(128, 8),
    },
  };
}

function bodyOf(quote: Buffer): Buffer {
  const version = quote.readUInt16LE(0);
  if (quote.readUInt32LE(4) !== TDX) throw new RangeError('the quote is not about a TD');
  if (version === 4) return part(quote, 48, 584);
  if (version !== 5) throw new RangeError('the quote is of another version');
  const length = quote.readUInt32LE(50);
  if (BODY_LENGTHS.get(quote.readUInt16LE(48)) !== length) throw new RangeError('the body is of another kind');
  return part(quote, 54, length);
}

function part(quote: Buffer, offset: number, length: number): Buffer {
  if (quote.byteLength < offset + length) throw new RangeError('the quote is too short');
  return quote.subarray(offset, offset + length);
}
