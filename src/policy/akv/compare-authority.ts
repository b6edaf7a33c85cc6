import type { Comparison } from './compare-values.js';

/** Whether the authority of an entry is the issuer of a token. */
export interface ComparedAuthority {
  readonly met: boolean;
  /** The differences that compatible comparison ignored; empty if there are none. */
  readonly normalisations: readonly string[];
  /** The difference, if only compatible comparison would accept the issuer; else null. */
  readonly note: string | null;
}

const ADDRESS = /^([A-Za-z][A-Za-z\d+.-]*:\/\/(?:[^/?#@]*@)?)([^/?#@]*)(.*)$/s;

/**
 * Compares an authority with `iss`. `strict`: character by character. `compatible`: ignores one trailing slash of
 * either, and the case of the host. Does not decide whether the issuer is trusted.
 */
export function compareAuthority(authority: string, issuer: string, comparison: Comparison): ComparedAuthority {
  if (authority === issuer) return { met: true, normalisations: [], note: null };
  const differences = whatDiffers(authority, issuer);
  if (differences === null) return { met: false, normalisations: [], note: null };
  if (comparison === 'compatible') return { met: true, normalisations: differences, note: null };
  return {
    met: false,
    normalisations: [],
    note: `${differences.join('; ')}: comparison compatible takes them as equal`,
  };
}

/** The differences of two values that are equal in compatible comparison; null if they are not equal. */
function whatDiffers(authority: string, issuer: string): readonly string[] | null {
  const ours = withoutSlash(authority);
  const theirs = withoutSlash(issuer);
  if (withLowerHost(ours) !== withLowerHost(theirs)) return null;
  const differences: string[] = [];
  if (authority.endsWith('/') && !issuer.endsWith('/'))
    differences.push('the authority ends in a slash, the issuer does not');
  if (issuer.endsWith('/') && !authority.endsWith('/'))
    differences.push('the issuer ends in a slash, the authority does not');
  if (ours !== theirs) differences.push('authority and issuer have their host in different case');
  return differences;
}

/** Removes one trailing slash. */
export function withoutSlash(issuer: string): string {
  return issuer.endsWith('/') ? issuer.slice(0, -1) : issuer;
}

/** Converts the host to lower case. Only ASCII letters, since some other letters fold to ASCII ones. */
export function withLowerHost(issuer: string): string {
  return issuer.replace(ADDRESS, (_, before: string, host: string, rest: string) => before + lowerCase(host) + rest);
}

function lowerCase(host: string): string {
  return host.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
