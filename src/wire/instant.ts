import { FormatError } from '../model/errors.js';

/** What a time must look like, in words. */
export const INSTANT_FORM = 'not a time: expected RFC 3339 in UTC, with seconds and Z, such as 2026-01-15T12:00:00Z';

const INSTANT = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z$/;

/**
 * Reads a time: RFC 3339 in UTC. Digits after the millisecond are dropped.
 *
 * @throws {FormatError} `schema` for another form; for a day or time that does not exist, a leap second included
 */
export function readInstant(text: string, pointer: string): Date {
  if (!INSTANT.test(text)) throw new FormatError('schema', INSTANT_FORM, { pointer });
  const instant = new Date(text);
  // the platform takes 30 February for 2 March, and 24:00 for the next day
  if (Number.isNaN(instant.getTime()) || instant.toISOString().slice(0, 19) !== text.slice(0, 19)) {
    throw new FormatError('schema', 'there is no such day or time', { pointer });
  }
  return instant;
}
