const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Requires a URL with a trustworthy answer: https, or http to this machine.
 *
 * @param name the name of the URL in the error
 * @throws {TypeError} for any other URL, and for one with a user, a query or a fragment
 */
export function secureUrl(text: unknown, name: string): URL {
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : null;
  if (url === null) throw new TypeError(`${name} is no URL: expected one such as https://veritee.example`);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && LOOPBACK.test(url.hostname))) {
    throw new TypeError(`${name} is not an https URL: plain http is taken for localhost, 127.0.0.1 and [::1] alone`);
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new TypeError(`${name} has a user, a query or a fragment: expected scheme, host and path alone`);
  }
  return url;
}
