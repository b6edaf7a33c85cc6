const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

/**
 * Whether a Host header names this machine: `localhost`, an address of 127.0.0.0/8, or `[::1]`, with or without port.
 * Other spellings of the same addresses (decimal, `127.1`, a trailing dot) are not taken: no client sends them by itself.
 */
export function namesLoopback(host: string | undefined): boolean {
  return host !== undefined && LOOPBACK.test(host);
}
