import { FormatError } from '../model/errors.js';

/**
 * Reads an instant whose shape the schema has checked: RFC 3339 in UTC. Digits after the millisecond are dropped.
 *
 * @throws {FormatError} `schema` for a day or time that does not exist, a leap second included
 */
export function readInstant(text: string, pointer: string): Date {
  const instant = new Date(text);
  // the platform takes 30 February for 2 March, and 24:00 for the next day
  if (Number.isNaN(instant.getTime()) || instant.toISOString().slice(0, 19) !== text.slice(0, 19)) {
    throw new FormatError('schema', 'no such instant', { pointer });
  }
  return instant;
}
