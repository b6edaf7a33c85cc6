import { DER, type DerElement, type DerReader, malformed } from './der.js';

const UTC_TIME = /^\d{12}Z$/;
const GENERALIZED_TIME = /^\d{14}Z$/;
/** First year that a GeneralizedTime may speak of, and one after the last that a UTCTime can (RFC 5280 4.1.2.5). */
const FIRST_GENERALIZED_YEAR = 2050;

/** Whether the next element is a time. */
export function isTimeNext(reader: DerReader): boolean {
  return reader.nextTag === DER.utcTime || reader.nextTag === DER.generalizedTime;
}

/**
 * Reads the next element as a Time. Null where it is not in the only form that RFC 5280 4.1.2.5 allows: UTCTime to
 * the second in Zulu before 2050, GeneralizedTime likewise from 2050 on, and a day that exists. That is not for the
 * parser to judge: a certificate without a time is not valid at any.
 *
 * @throws {FormatError} `cert_format` where the next element is no time at all
 */
export function readTime(reader: DerReader, what: string): Date | null {
  const element = reader.any(what);
  if (element.tag === DER.utcTime) return utcTime(element);
  if (element.tag === DER.generalizedTime) return generalizedTime(element);
  throw malformed(`${what} is not a time`);
}

function utcTime(element: DerElement): Date | null {
  const text = textOf(element);
  if (!UTC_TIME.test(text)) return null;
  return instant(`${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}`);
}

function generalizedTime(element: DerElement): Date | null {
  const text = textOf(element);
  if (!GENERALIZED_TIME.test(text) || Number(text.slice(0, 4)) < FIRST_GENERALIZED_YEAR) return null;
  return instant(text);
}

/** `YYYYMMDDHHMMSSZ`. Null for what does not exist, such as 30 February: `Date` carries that over into another day. */
function instant(text: string): Date | null {
  const part = (start: number, end: number) => Number(text.slice(start, end));
  const [year, month, day] = [part(0, 4), part(4, 6), part(6, 8)];
  const [hour, minute, second] = [part(8, 10), part(10, 12), part(12, 14)];
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const isCarriedOver =
    date.getUTCMonth() !== month - 1 ||
    date.getUTCDate() !== day ||
    date.getUTCHours() !== hour ||
    date.getUTCMinutes() !== minute ||
    date.getUTCSeconds() !== second;
  return isCarriedOver ? null : date;
}

function textOf({ content }: DerElement): string {
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1');
}
