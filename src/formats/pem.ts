import { base64, latin1, looseBytes } from '../core/bytes.js';
import { FormatError, nullIfMalformed } from '../core/errors.js';
import { withoutFilling } from './der.js';

/** Chains of vendors have less than a third. Such text is read before anything is verified. */
export const PEM_TEXT_BYTES = 32 * 1024;

/** RFC 7468 writes 64 characters to a line, RFC 2045 (MIME) 76. */
const LINE_LENGTH = 76;

/** The supported labels of PEM blocks (RFC 7468 sections 5, 6 and 13). */
export type PemLabel = 'CERTIFICATE' | 'X509 CRL' | 'PUBLIC KEY';

export interface PemBlock {
  readonly label: PemLabel;
  readonly der: Uint8Array;
}

type PemCode = 'cert_format' | 'cert_chain';

interface PemBounds {
  /** Most certificates: a text with more is malformed. */
  readonly certificates?: number;
  /** Most bytes of the text. Files of the operator have separate limits and may be longer. */
  readonly bytes?: number;
}

/**
 * Reads certificates from PEM (RFC 7468 section 3): CERTIFICATE blocks with only blank lines around them. Lines end with
 * LF or CRLF; the last end may be missing. Base64 lines have one length, at most 76 characters; the last
 * may be shorter. Zeros after the DER in a block are dropped: some machines send a whole buffer. Otherwise
 * the content of the blocks is not parsed.
 *
 * @param code the code for a malformed text: `cert_chain` if a chain was expected, else `cert_format`
 * @returns at least one certificate, DER, in the order of the text, as copies
 * @throws {FormatError} `code`; `cert_format` for a text that is too long
 */
export function parsePemCertificates(text: string, code: PemCode, bounds: PemBounds = {}): Uint8Array[] {
  const { certificates = Number.POSITIVE_INFINITY, bytes = PEM_TEXT_BYTES } = bounds;
  requireLength(text, bytes);
  return readBlocks(text, ['CERTIFICATE'], code, certificates).map(({ der }) => der);
}

/** Writes a certificate as PEM, in lines of 64 characters. */
export function pemOf(der: Uint8Array): string {
  const lines = base64(der, 'base64').match(/.{1,64}/g) ?? [];
  return [PEM_BEGIN, ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function requireLength(text: string, maximum: number): void {
  if (text.length <= maximum) return;
  throw new FormatError('cert_format', `PEM is ${text.length} characters, at most ${maximum} are allowed`);
}

/**
 * Reads certificates and CRLs from PEM, in any order, as strictly as `parsePemCertificates`.
 *
 * @param maximum length of the text; unlimited for files and fetched material, whose caller limits the length
 * @returns at least one block, in the order of the text
 * @throws {FormatError} `cert_format`
 */
export function parsePemBlocks(text: string, maximum = Number.POSITIVE_INFINITY): PemBlock[] {
  requireLength(text, maximum);
  return readBlocks(text, ['CERTIFICATE', 'X509 CRL'], 'cert_format', Number.POSITIVE_INFINITY);
}

/**
 * Reads one public key from PEM, as strictly as `parsePemCertificates`.
 *
 * @returns DER of a SubjectPublicKeyInfo, not parsed; null for any other text
 */
export function parsePemPublicKey(text: string): Uint8Array | null {
  const blocks = nullIfMalformed(() => readBlocks(text, ['PUBLIC KEY'], 'cert_format', 1));
  return blocks?.[0]?.der ?? null;
}

function readBlocks(text: string, labels: readonly PemLabel[], code: PemCode, maximum: number): PemBlock[] {
  const blocks: PemBlock[] = [];
  const lines = pemLines(text).values();
  for (let line = lines.next(); !line.done; line = lines.next()) {
    if (line.value === '') continue;
    const label = labels.find((candidate) => line.value === `-----BEGIN ${candidate}-----`);
    if (label === undefined) throw new FormatError(code, blocks.length === 0 ? noPem(text) : otherThings(text));
    if (blocks.length === maximum) throw new FormatError(code, `PEM has more than ${maximum} certificates`);
    blocks.push({ label, der: decodeBody(readBody(lines, label, code), code) });
  }
  if (blocks.length === 0) throw new FormatError(code, CUT_SHORT);
  return blocks;
}

const CUT_SHORT = 'PEM is cut short';

/** The lines up to the end of a block. */
function readBody(lines: Iterator<string>, label: PemLabel, code: PemCode): readonly string[] {
  const body: string[] = [];
  for (let line = lines.next(); !line.done; line = lines.next()) {
    if (line.value === `-----END ${label}-----`) return body;
    body.push(line.value);
  }
  throw new FormatError(code, CUT_SHORT);
}

/** A private key among certificates. The error must tell the sender about it, since the key is now exposed. */
const PRIVATE_KEY = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/;

function otherThings(text: string): string {
  return PRIVATE_KEY.test(text)
    ? 'PEM has a private key, which must not be sent: expected certificates alone'
    : 'PEM has something other than certificates';
}

/**
 * Splits the text that Azure returns: the VCEK, then ASK and ARK. The caller parses the blocks. A single block
 * is the VCEK.
 */
export function splitVcekChain(bytes: Uint8Array): { readonly vek: string; readonly chain: string | null } {
  const pem = latin1(bytes);
  const second = pem.indexOf(PEM_BEGIN, PEM_BEGIN.length);
  return second < 0 ? { vek: pem, chain: null } : { vek: pem.slice(0, second), chain: pem.slice(second) };
}

const PEM_BEGIN = '-----BEGIN CERTIFICATE-----';

export const PEM_IN_BASE64 = 'this is PEM written in base64';

/** The start of PEM in base64: "-----BEGIN ". */
const BASE64_OF_PEM = /^\s*LS0tLS1CRUdJTi/;

/** Describes the kind of a text that does not begin as PEM, without its content. */
function noPem(text: string): string {
  if (BASE64_OF_PEM.test(text)) return `${PEM_IN_BASE64}: expected PEM as it is`;
  if (/^-----BEGIN [A-Z0-9 ]+-----\\[nr]/.test(text)) return 'PEM has \\n written out: expected line feeds';
  if (text.includes('-----BEGIN')) return otherThings(text);
  const isName = /^[^\n]{1,256}\.(?:pem|crt|cer|der)\s*$/i.test(text);
  return `this is ${isName ? 'the name of a file' : 'not PEM'}: expected PEM, which starts with -----BEGIN CERTIFICATE-----`;
}

/** Lines without their ends, LF or CRLF. A CR elsewhere stays in its line. */
function pemLines(text: string): readonly string[] {
  return text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
}

function decodeBody(lines: readonly string[], code: PemCode): Uint8Array {
  const text = lines.join('');
  const bytes = looseBytes(text, 'base64');
  // The decoder skips invalid characters: the text is base64 only if encoding returns it (RFC 4648 section 3.5)
  if (!isFolded(lines) || text === '' || base64(bytes, 'base64') !== text) {
    throw new FormatError(code, `PEM is not base64 in lines of one length, at most ${LINE_LENGTH} characters`);
  }
  return new Uint8Array(withoutFilling(bytes));
}

function isFolded(lines: readonly string[]): boolean {
  const width = lines[0]?.length ?? 0;
  return (
    lines.every((line, index) =>
      index < lines.length - 1 ? line.length === width : line.length > 0 && line.length <= width,
    ) && width <= LINE_LENGTH
  );
}
