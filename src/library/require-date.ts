/** @throws {TypeError} if it is not a valid date: compared with it, no certificate would ever expire */
export function requireDate(at: Date): void {
  if (!(at instanceof Date) || Number.isNaN(at.getTime())) throw new TypeError('at is not a valid date');
}
