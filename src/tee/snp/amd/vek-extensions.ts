import { latin1 } from '../../../core/bytes.js';
import type { SnpTcbComponent } from '../../../core/claims.js';
import { DER, malformed, parseDer, smallUnsigned } from '../../../formats/der.js';
import type { X509Certificate } from '../../../formats/x509-certificate.js';
import { onlyExtension } from '../../../formats/x509-extension.js';

/**
 * The chip or provider of a VCEK or VLEK, and its firmware (AMD 57230, chapter 3). A member is null if its extension is
 * missing or repeated. The chain check rejects a certificate with a repeated extension (`cert_extension`).
 */
export interface VekExtensions {
  readonly structVersion: number | null;
  /** `Milan-B0`, or `Milan` without stepping. */
  readonly productName: string | null;
  /** The TCB that the key was derived for. `fmc` is on Turin only. */
  readonly tcb: { readonly [component in SnpTcbComponent]: number | null };
  /**
   * The chip id: 64 bytes, on Turin 8. VCEK only. Content in another form than AMD's is kept unchanged, and equals no
   * chip id.
   */
  readonly hwId: Uint8Array | null;
  /** VLEK only. */
  readonly cspId: string | null;
}

const ARC = '1.3.6.1.4.1.3704.1';
/** The OCTET STRING of 64 bytes in which newer certificates wrap hwID. */
const WRAPPED_HWID = { tag: DER.octetString, length: 64 } as const;
const PRINTABLE_ASCII = /^[ -~]+$/;

/**
 * Reads AMD's extensions. Ignores spl4 to spl7 (.3.4 to .3.7), which are reserved and have no counterpart in
 * REPORTED_TCB.
 *
 * @throws {FormatError} `cert_format` if a number is not a minimal INTEGER from 0 to 255, or a text is not an IA5String
 */
export function parseVekExtensions(certificate: X509Certificate): VekExtensions {
  const value = (suffix: string) => onlyExtension(certificate.extensions, `${ARC}.${suffix}`)?.value ?? null;
  return {
    structVersion: readByte(value('1'), 'structVersion'),
    productName: readText(value('2'), 'productName'),
    tcb: {
      fmc: readByte(value('3.9'), 'fmcSPL'),
      bootloader: readByte(value('3.1'), 'blSPL'),
      tee: readByte(value('3.2'), 'teeSPL'),
      snp: readByte(value('3.3'), 'snpSPL'),
      microcode: readByte(value('3.8'), 'ucodeSPL'),
    },
    hwId: readHwId(value('4')),
    cspId: readText(value('5'), 'cspID'),
  };
}

function readByte(value: Uint8Array | null, what: string): number | null {
  if (value === null) return null;
  const element = parseDer(value);
  if (element.tag !== DER.integer) throw malformed(`${what} is not an integer`);
  return smallUnsigned(element.content, 0xff, what);
}

function readText(value: Uint8Array | null, what: string): string | null {
  if (value === null) return null;
  const { tag, content } = parseDer(value);
  const text = latin1(content);
  if (tag !== DER.ia5String || !PRINTABLE_ASCII.test(text)) throw malformed(`${what} is not ASCII text`);
  return text;
}

/**
 * Reads hwID. Older certificates have the 64 bytes without a wrapper, newer ones in an OCTET STRING. Turin has 8 bare
 * bytes.
 */
function readHwId(value: Uint8Array | null): Uint8Array | null {
  if (value === null) return null;
  const isWrapped =
    value.length === 2 + WRAPPED_HWID.length && value[0] === WRAPPED_HWID.tag && value[1] === WRAPPED_HWID.length;
  return isWrapped ? value.subarray(2) : value;
}
