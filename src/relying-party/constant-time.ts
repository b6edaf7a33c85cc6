/**
 * Compares texts in constant time for the same length. Texts of different lengths differ. Browsers have
 * no function for this.
 */
export function isSameText(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let at = 0; at < a.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at);
  return difference === 0;
}
