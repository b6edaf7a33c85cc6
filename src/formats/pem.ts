import { FormatError } from '../model/errors.js';

const LINE_LENGTH = 64;

/** What PEM blocks hold here (RFC 7468 sections 5 and 6). */
export type PemLabel = 'CERTIFICATE' | 'X509 CRL';

export interface PemBlock {
  readonly label: PemLabel;
  readonly der: Uint8Array;
}

type PemCode = 'cert_format' | 'cert_chain';

/**
 * The lines of a text without their ends, LF or CRLF, of which the last may be missing. They are all that is read of a
 * text here: texts of the same lines read alike, and a CR that is no line end stays in its line.
 */
export function pemLines(text: string): readonly string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
}

/**
 * Reads certificates from PEM (RFC 7468 section 3, strict form): CERTIFICATE blocks one after the other and nothing
 * else, lines ended by LF or CRLF (the last end may be missing), base64 in lines of 64 characters of which the last
 * may be shorter. The content of the blocks is not read.
 *
 * @param code what a malformed text is: `cert_chain` where a chain was expected, else `cert_format`
 * @param maximum certificates that there may be: a text with more is malformed too
 * @returns at least one certificate, DER, in the order of the text
 * @throws {FormatError} `code`
 */
export function parsePemCertificates(
  text: string,
  code: PemCode,
  maximum: number = Number.POSITIVE_INFINITY,
): Uint8Array[] {
  return readBlocks(text, ['CERTIFICATE'], code, maximum).map(({ der }) => der);
}

/**
 * Reads certificates and revocation lists from PEM, in any order, as strictly as `parsePemCertificates`.
 *
 * @returns at least one block, in the order of the text
 * @throws {FormatError} `cert_format`
 */
export function parsePemBlocks(text: string): PemBlock[] {
  return readBlocks(text, ['CERTIFICATE', 'X509 CRL'], 'cert_format', Number.POSITIVE_INFINITY);
}

function readBlocks(text: string, labels: readonly PemLabel[], code: PemCode, maximum: number): PemBlock[] {
  const blocks: PemBlock[] = [];
  let open: { readonly label: PemLabel; readonly body: string[] } | null = null;
  for (const line of pemLines(text)) {
    if (open === null) {
      const label = labels.find((candidate) => line === `-----BEGIN ${candidate}-----`);
      if (label === undefined) throw new FormatError(code, 'pem has something else than certificates');
      if (blocks.length === maximum) throw new FormatError(code, `pem has more than ${maximum} certificates`);
      open = { label, body: [] };
    } else if (line === `-----END ${open.label}-----`) {
      blocks.push({ label: open.label, der: decodeBody(open.body, code) });
      open = null;
    } else {
      open.body.push(line);
    }
  }
  if (open !== null || blocks.length === 0) throw new FormatError(code, 'pem is cut short');
  return blocks;
}

function decodeBody(lines: readonly string[], code: PemCode): Uint8Array {
  const isFolded = lines.every((line, index) =>
    index < lines.length - 1 ? line.length === LINE_LENGTH : line.length > 0 && line.length <= LINE_LENGTH,
  );
  const text = lines.join('');
  const bytes = Buffer.from(text, 'base64');
  // Buffer drops what it does not like: only a text that comes out again the same was base64 (RFC 4648 section 3.5)
  if (!isFolded || text === '' || bytes.toString('base64') !== text) {
    throw new FormatError(code, 'pem is not base64 in lines of 64 characters');
  }
  return new Uint8Array(bytes);
}
