/**
 * Returns the smallest decision id at or after a time. Decision ids are UUIDs of version 7: they begin with the
 * millisecond of the decision (RFC 9562, section 5.7).
 */
export function leastIdAt(time: Date): string {
  const hex = Math.max(0, time.getTime()).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-`;
}
