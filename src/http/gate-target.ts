import { GateRefusal } from '../core/gate.js';

/** The path of the route for all gates. */
export const GATE_PATH = '/authorize';

/** In absolute form and with more slashes, too, so that none of them is answered otherwise. */
const FOR_GATES = /^(?:[a-z][a-z0-9+.-]*:\/\/[^/?#]*)?\/+authorize(?:[/?#]|$)/i;

/**
 * The target that the router is given. What follows `/authorize/` is the path of another service, in whatever spelling its
 * client chose: the router is not to read it, and does not refuse what it cannot read.
 */
export function routedTarget(target: string): string {
  return FOR_GATES.test(target) ? GATE_PATH : target;
}

const TARGET = /^\/authorize\/([A-Za-z0-9][A-Za-z0-9._-]{0,63})((?:\/[^/?#]+)*\/?)(?:\?[^#]*)?$/;

/** Characters of a path (RFC 3986, section 3.3). */
const PLAIN = /^(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*$/;

/** Encoded dots, slashes and backslashes, and control characters. */
const HIDING = /%(?:2e|2f|5c|[01][0-9a-f]|7f)/i;

/** Some servers cut off what follows a semicolon, also an encoded one, before they look for dots. */
const DOTS = /\/\.{1,2}(?:(?:;|%3b)[^/]*)?(?=\/|$)/i;

/** A target, taken apart. */
export interface GateTarget {
  readonly gate: string;
  /** The path after the name, without query; null if there is none. */
  readonly path: string | null;
}

/**
 * Takes the target of a request to a gate apart. A path that a proxy and the service behind it may read in two ways is
 * refused: one with dot segments, encoded slashes or dots, a backslash, empty segments or control characters.
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
