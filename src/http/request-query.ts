const NO_QUERY = new URLSearchParams();

/** The query of a request target. */
export function queryOf(target: string): URLSearchParams {
  const start = target.indexOf('?');
  return start < 0 ? NO_QUERY : new URLSearchParams(target.slice(start + 1));
}
