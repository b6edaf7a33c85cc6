/** @throws {TypeError} where it is not a valid date: compared with one, nothing would ever have expired */
export function requireDate(at: Date): void {
  if (!(at instanceof Date) || Number.isNaN(at.getTime())) throw new TypeError('at is not a valid date');
}
