import { ConfigurationError } from '../../core/errors.js';
import { readConfiguredText } from '../../files/configured-text.js';
import type { ReadBytes } from '../../files/whole-files.js';

/** Headers that are sent with spans, by their names as written. They are credentials: nothing shows their values. */
export type CollectorHeaders = Readonly<Record<string, string>>;

/** RFC 9110, 5.1 and 5.5, without the bytes beyond ASCII that nobody agrees on. */
const LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)[ \t]*$/;

const [MOST_HEADERS, MOST_CHARACTERS] = [16, 16_384];

/** Headers of framing, routing and content belong to the exporter, and not to the file. */
const OWN = /^(?:host|connection|expect|te|trailer|upgrade|user-agent|transfer-encoding|content-.*|proxy-.*)$/i;

/**
 * Reads the headers that are sent with spans: `Name: value` a line. Empty lines are passed over.
 * @throws {ConfigurationError} which never quotes the file
 */
export async function readCollectorHeaders(file: string, readBytes?: ReadBytes): Promise<CollectorHeaders> {
  const path = ['traces', 'headersFile'];
  const read = parseHeaders(await readConfiguredText(path, file, readBytes));
  if (typeof read === 'string') throw new ConfigurationError([{ path, what: `${file}: ${read}` }]);
  return read;
}

/** The headers, or what is wrong. */
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
