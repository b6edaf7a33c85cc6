/** Material that cannot be read, does not verify, or is not what was looked for. */
export class UnfitError extends Error {
  override readonly name = 'UnfitError';
}
