import { STRICT_JSON_LIMITS, type StrictJsonLimits } from '../formats/strict-json.js';

export type RequestLimits = StrictJsonLimits;

/**
 * Limits of the JSON of a request: no text in it is longer than an event log in base64. All else that evidence holds is
 * shorter than the default, whatever is allowed for logs.
 *
 * @param eventLogBytes the longest event log that is read
 */
export function requestLimits(eventLogBytes: number): RequestLimits {
  const base64Length = 4 * Math.ceil(eventLogBytes / 3);
  return { ...STRICT_JSON_LIMITS, stringBytes: Math.max(STRICT_JSON_LIMITS.stringBytes, base64Length) };
}
