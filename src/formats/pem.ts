import { FormatError } from '../model/errors.js';

const BEGIN = '-----BEGIN CERTIFICATE-----';
const END = '-----END CERTIFICATE-----';
const LINE_LENGTH = 64;

/**
 * Reads certificates from PEM (RFC 7468 section 3, strict form): CERTIFICATE blocks one after the other and nothing
 * else, lines ended by LF or CRLF (the last end may be missing), base64 in lines of 64 characters of which the last
 * may be shorter. The content of the blocks is not read.
 *
 * @param code what a malformed text is: `cert_chain` where a chain was expected, else `cert_format`
 * @returns at least one certificate, DER, in the order of the text
 * @throws {FormatError} `code`
 */
export function parsePemCertificates(text: string, code: 'cert_format' | 'cert_chain'): Uint8Array[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const certificates: Uint8Array[] = [];
  let body: string[] | null = null;
  for (const ended of lines) {
    const line = ended.endsWith('\r') ? ended.slice(0, -1) : ended;
    if (body === null) {
      if (line !== BEGIN) throw new FormatError(code, 'pem has something else than certificates');
      body = [];
    } else if (line === END) {
      certificates.push(decodeBody(body, code));
      body = null;
    } else {
      body.push(line);
    }
  }
  if (body !== null || certificates.length === 0) throw new FormatError(code, 'pem is cut short');
  return certificates;
}

function decodeBody(lines: readonly string[], code: 'cert_format' | 'cert_chain'): Uint8Array {
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
