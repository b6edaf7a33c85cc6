/** The longest event log that a body has room for: it is sent in base64, three bytes in four characters. */
export function longestEventLog(bodyBytes: number): number {
  return Math.floor((bodyBytes * 3) / 4);
}
