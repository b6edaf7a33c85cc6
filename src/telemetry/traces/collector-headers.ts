import { ConfigurationError } from '../../core/errors.js';
import { readConfiguredText } from '../../files/configured-text.js';
import type { ReadBytes } from '../../files/whole-files.js';

/** Headers of requests with spans, by their names as written. They are credentials: their values are never shown. */
export type CollectorHeaders = Readonly<Record<string, string>>;

/** RFC 9110, 5.1 and 5.5, without bytes beyond ASCII, whose meaning is ambiguous. */
const LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)[ \t]*$/;

const [MOST_HEADERS, MOST_CHARACTERS] = [16, 16_384];

/** Headers of framing, routing and content, which the exporter sets itself. */
const OWN = /^(?:host|connection|expect|te|trailer|upgrade|user-agent|transfer-encoding|content-.*|proxy-.*)$/i;

/**
 * Reads the headers for spans: `Name: value` on each line. Skips empty lines.
 * @throws {ConfigurationError} without a quote from the file
 */
export async function readCollectorHeaders(file: string, readBytes?: ReadBytes): Promise<CollectorHeaders> {
  const path = ['traces', 'headersFile'];
  const read = parseHeaders(await readConfiguredText(path, file, readBytes));
  if (typeof read === 'string') throw new ConfigurationError([{ path, what: `${file}: ${read}` }]);
  return read;
}

/** Returns the headers, or the fault. */
function parseHeaders(text: string): CollectorHeaders | string {
  if (text.length > MOST_CHARACTERS) return `is over ${MOST_CHARACTERS} characters`;
  const headers = new Map<string, readonly [name: string, value: string]>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const [, name, value] = LINE.exec(line) ?? [];
    if (name === undefined || value === undefined) return `line ${index + 1} is not of the form Name: value`;
    if (OWN.test(name)) return `line ${index + 1} names a header that the service sets itself`;
    if (headers.has(name.toLowerCase())) return `line ${index + 1} names a header again`;
    headers.set(name.toLowerCase(), [name, value]);
  }
  if (headers.size === 0) return 'has no header; write them as Name: value, one a line';
  if (headers.size > MOST_HEADERS) return `has more than ${MOST_HEADERS} headers`;
  return Object.fromEntries(headers.values());
}
