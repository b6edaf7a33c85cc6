/**
 * Compares texts without telling by its time where they differ. Texts of different length are plainly not equal. Browsers have
 * no function for this.
 */
export function isSameText(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let at = 0; at < a.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at);
  return difference === 0;
}
