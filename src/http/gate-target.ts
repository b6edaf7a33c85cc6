import { GateRefusal } from '../core/gate.js';

/** The path of the route for all gates. */
export const GATE_PATH = '/authorize';

/** Also matches the absolute form and repeated slashes, so that all of them get the same answer. */
const FOR_GATES = /^(?:[a-z][a-z0-9+.-]*:\/\/[^/?#]*)?\/+authorize(?:[/?#]|$)/i;

/**
 * Returns the target for the router. After `/authorize/` follows the path of another service, in a spelling of its
 * client: the router must neither interpret nor reject it.
 */
export function routedTarget(target: string): string {
  return FOR_GATES.test(target) ? GATE_PATH : target;
}

const TARGET = /^\/authorize\/([A-Za-z0-9][A-Za-z0-9._-]{0,63})((?:\/[^/?#]+)*\/?)(?:\?[^#]*)?$/;

/** Characters of a path (RFC 3986, section 3.3). */
const PLAIN = /^(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*$/;

/** Encoded dots, slashes and backslashes, and control characters. */
const HIDING = /%(?:2e|2f|5c|[01][0-9a-f]|7f)/i;

/** Some servers drop everything after a semicolon, encoded or not, before they look for dots. */
const DOTS = /\/\.{1,2}(?:(?:;|%3b)[^/]*)?(?=\/|$)/i;

/** A parsed target. */
export interface GateTarget {
  readonly gate: string;
  /** The path after the name, without query; null if there is none. */
  readonly path: string | null;
}

/**
 * Parses the target of a request to a gate. Rejects a path that a proxy and the service behind it may read differently:
 * dot segments, encoded slashes or dots, a backslash, empty segments or control characters.
 *
 * @param target as in the request line
 * @throws {GateRefusal} `gate_path`
 */
export function parseGateTarget(target: string): GateTarget {
  const [, gate, path = ''] = TARGET.exec(target) ?? [];
  if (gate === undefined || !PLAIN.test(path) || HIDING.test(path) || DOTS.test(path)) {
    throw new GateRefusal('gate_path', 'the target does not name a gate and a path that can be read in one way');
  }
  return { gate, path: path === '' ? null : path };
}
