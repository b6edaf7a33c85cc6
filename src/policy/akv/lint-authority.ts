import type { TokenRoute } from '../../core/evidence.js';
import { tokenTypeOf } from '../../core/evidence-traits.js';
import type { PolicyProblem } from '../document/policy-problem.js';
import { withLowerHost, withoutSlash } from './compare-authority.js';
import type { ReleaseAuthority } from './policy-tree.js';
import { shownValue } from './shown-values.js';

/** Whether an issuer, without trailing slash, is accepted for tokens of a route. */
export type KnownAuthorities = (issuer: string, route: TokenRoute) => boolean;

/** The tokens that a release policy is evaluated on. */
export interface TokenSight {
  readonly routes: readonly TokenRoute[];
  /** Whether it is a rule in a policy, whose author can accept other tokens. */
  readonly isRule: boolean;
}

/** Reports an authority that no token should meet or can meet, and one that is not written like an issuer. */
export function lintAuthority(
  { pointer, authority }: ReleaseAuthority,
  isKnown: KnownAuthorities,
  sight: TokenSight,
): readonly PolicyProblem[] {
  const at = `${pointer}/authority`;
  const problems: PolicyProblem[] = [];
  const issuer = withoutSlash(authority);
  const distrusted = whyNotRelied(issuer, isKnown, sight);
  if (distrusted !== null) problems.push({ code: 'akv_authority', pointer: at, message: distrusted });
  if (issuer !== authority) {
    const message = `the authority ends in a slash, which iss does not: write ${shownValue(issuer)}`;
    problems.push({ code: 'akv_slash', pointer: at, message });
  }
  return problems;
}

function whyNotRelied(issuer: string, isKnown: KnownAuthorities, sight: TokenSight): string | null {
  const host = /^https:\/\/([^/?#]+)/.exec(issuer)?.[1];
  const shown = shownValue(issuer);
  if (host?.toLowerCase().split('.').includes('test')) {
    return `${shown} is a test instance, whose tokens prove nothing: name the instance without test`;
  }
  const isSeen = (name: string) => sight.routes.some((route) => isKnown(name, route));
  if (isSeen(issuer)) return null;
  const unseen = ROUTES.find((route) => isKnown(issuer, route));
  if (unseen !== undefined) return `${shown} ${whyNotSeen(unseen, sight)}`;
  if (host === undefined) return `${shown} is no address that starts with https://: write the issuer of the tokens`;
  const lower = withLowerHost(issuer);
  return lower !== issuer && isSeen(lower)
    ? `${shown} has its host in upper case, which iss does not: write ${shownValue(lower)}`
    : `${shown} is not among the issuers that are relied on: ${howToRely(sight)}`;
}

const ROUTES: readonly TokenRoute[] = ['maa', 'ita'];

const VERIFIERS: { readonly [route in TokenRoute]: string } = {
  maa: 'Azure Attestation',
  ita: 'Intel Trust Authority',
};

function whyNotSeen(route: TokenRoute, { isRule }: TokenSight): string {
  const accept = `${tokenTypeOf(route)}, or evidence with routes.${route}`;
  return isRule
    ? `issues tokens of ${VERIFIERS[route]}, and this policy never sees one: accept ${accept}`
    : `issues tokens of ${VERIFIERS[route]}, and a release policy that stands alone is judged on maa-token only: write it as a rule of a policy that accepts ${accept}`;
}

function howToRely({ routes }: TokenSight): string {
  const places = routes.map((route) => `${route}.issuers`).join(' or ');
  return `${routes.includes('maa') ? 'name a shared provider, or configure it in' : 'configure it in'} ${places}`;
}
