import type { Checks } from '../../core/check.js';
import type { TokenClaims } from '../../core/claims.js';
import type { CheckId } from '../../core/codes.js';
import type { EvidenceType, TokenRoute } from '../../core/evidence.js';
import { isTokenType, placeOf, teeOf, tokenRouteOf } from '../../core/evidence-traits.js';
import { isTdxStatus, UP_TO_DATE } from '../../core/tdx-status.js';
import type { Policy } from '../document/policy-document.js';
import type { AppraisalTopic, ResultState, TopicInput } from './appraisal-topic.js';

const ABSENT: ResultState = { state: 'absent' };

function resultState(route: TokenRoute, { results }: TopicInput): ResultState {
  return results.get(route) ?? ABSENT;
}

const TOKEN_ROUTES: readonly TokenRoute[] = ['maa', 'ita'];

/**
 * Requires the Attestation Results that a policy demands in addition to hardware evidence, and appraises their content.
 * Base checks verify the token and that it is about this TEE, even if the route is off.
 */
export const attestationResults: AppraisalTopic = {
  needs: () => [],
  required: (policy, evidenceType) => {
    const ids: CheckId[] = [...demandedChecks(policy, evidenceType)];
    if (TOKEN_ROUTES.some((route) => policy.routes[route] === 'required')) ids.push('route_missing');
    return ids;
  },
  appraise: (policy, input, checks) => {
    for (const route of TOKEN_ROUTES) {
      appraiseRoute(policy, route, input, checks.at('/attestationResults'));
      appraiseDemands(policy, route, input, checks.ofRoute(route));
    }
  },
};

function appraiseRoute({ routes }: Policy, route: TokenRoute, input: TopicInput, checks: Checks): void {
  const wanted = routes[route];
  const found = resultState(route, input);
  if (wanted === 'off') return;
  if (found.state === 'verified') {
    checks.pass('route_missing', { expected: route, detail: `a token for the route ${route} was verified` });
  } else if (found.state === 'refused' || found.state === 'not judged') {
    checks.skip(['route_missing'], `no token for the route ${route} can be relied on`);
  } else if (found.state === 'unavailable') {
    const { detail, retryable } = found;
    if (wanted === 'required')
      checks.unavailable('route_unavailable', { detail, retryable, setting: `${route}.submit` });
    else checks.unavailableOptional('route_unavailable', detail);
  } else if (wanted === 'required') {
    checks.fail('route_missing', { expected: route, ...whyMissing(route, found, input.evidenceType) });
  } else {
    // Not recorded as route_missing, which must hold each time if another route is required.
    checks.notConfigured('route_unavailable', whyMissing(route, found, input.evidenceType).detail);
  }
}

/** The finding if there is no token. */
interface Missing {
  readonly actual: 'not asked' | 'never fetched' | 'never issued' | null;
  readonly detail: string;
}

/** The reason for a missing token. Reasons that no configuration can change come first. */
function whyMissing(route: TokenRoute, found: ResultState, evidenceType: EvidenceType): Missing {
  const notSent = `no token was sent for the route ${route}`;
  if (route === 'ita' && teeOf(evidenceType) === 'snp') {
    return {
      actual: 'never issued',
      detail: `${notSent}, and Intel Trust Authority issues none about SEV-SNP evidence`,
    };
  }
  if (isTokenType(evidenceType)) {
    const detail = `${notSent}, and none can be fetched where the evidence itself is a token`;
    return { actual: 'never fetched', detail };
  }
  return found.state === 'held back'
    ? { actual: 'not asked', detail: `${notSent}, and none was requested, because ${found.because}` }
    : { actual: null, detail: `${notSent}, and nothing is configured to fetch one for this evidence` };
}

/** Display names of other verifiers. */
const VERIFIERS: { readonly [route in TokenRoute]: string } = {
  maa: 'Azure Attestation',
  ita: 'Intel Trust Authority',
};

/** One claim of a token, and the values that the policy accepts. */
interface Demand {
  readonly id: CheckId;
  readonly what: string;
  /** The member of the policy. */
  readonly member: string;
  readonly accepted: readonly string[];
  readonly actual: (token: TokenClaims) => string | null;
}

/** Ids of the checks that must have an outcome if a policy has requirements for tokens. */
function demandedChecks(policy: Policy, evidenceType: EvidenceType): readonly CheckId[] {
  return [...idsOf(policy, 'maa', evidenceType), ...idsOf(policy, 'ita', evidenceType)];
}

/**
 * Compares the claims of a token with the requirements of the policy, for tokens from the caller and from the route.
 * The check of the route covers an unavailable token.
 */
function appraiseDemands(policy: Policy, route: TokenRoute, input: TopicInput, checks: Checks): void {
  const isEvidence = tokenRouteOf(input.evidenceType) === route;
  const place = checks.at(isEvidence ? placeOf(route, input.evidenceType) : '/attestationResults');
  const token = input.verification.claims[route];
  // If the configured verifier is unreachable, a token from the caller does not replace its token.
  if (token === undefined || resultState(route, input).state === 'unavailable') {
    noteMissing(idsOf(policy, route, input.evidenceType), route, input, place);
    return;
  }
  for (const demand of demandsOf(policy, route)) appraiseDemand(demand, route, token, place);
  if (route === 'ita') appraisePolicyIds(policy.require.ita?.policyIds ?? null, token, place);
  appraiseTcbStatus(policy, route, token, place);
}

function idsOf(policy: Policy, route: TokenRoute, evidenceType: EvidenceType): readonly CheckId[] {
  const ids: CheckId[] = demandsOf(policy, route).map(({ id }) => id);
  if (route === 'ita' && policy.require.ita?.policyIds != null) ids.push('ita_policy');
  // Only a token about a TD has a TCB status. The type of token evidence does not show the TEE.
  if (policy.require[route]?.tcbStatus != null && teeOf(evidenceType) === 'tdx') ids.push(`${route}_tcb_status`);
  return ids;
}

function demandsOf({ require }: Policy, route: TokenRoute): readonly Demand[] {
  const maa = route === 'maa' ? require.maa : null;
  const rows: readonly (Omit<Demand, 'accepted'> & { readonly accepted: Demand['accepted'] | null | undefined })[] = [
    {
      id: 'token_issuer',
      what: 'the issuer',
      member: `require.${route}.issuers`,
      accepted: require[route]?.issuers,
      actual: ({ issuer }) => issuer,
    },
    {
      id: 'token_compliance',
      what: 'the compliance status',
      member: 'require.maa.complianceStatus',
      accepted: maa?.complianceStatus,
      actual: ({ stated }) => stated.complianceStatus,
    },
    {
      id: 'token_claim_type',
      what: 'the attestation type',
      member: 'require.maa.attestationType',
      accepted: maa?.attestationType,
      actual: ({ attestationType }) => attestationType,
    },
  ];
  return rows.flatMap(({ accepted, ...row }) => (accepted == null ? [] : [{ ...row, accepted }]));
}

function noteMissing(ids: readonly CheckId[], route: TokenRoute, input: TopicInput, checks: Checks): void {
  if (ids.length === 0) return;
  const found = resultState(route, input);
  if (found.state === 'absent' || found.state === 'held back') {
    const detail = `there are no claims of ${VERIFIERS[route]}`;
    checks.fail('claim_missing', { expected: route, detail });
    checks.skip(ids, detail);
  } else if (found.state === 'unavailable') {
    const detail = `no token of ${VERIFIERS[route]} could be fetched`;
    for (const id of ids) checks.unavailable(id, { detail, retryable: found.retryable });
  } else {
    checks.skip(ids, `no token of ${VERIFIERS[route]} can be relied on`);
  }
}

function appraiseDemand(
  { id, what, member, accepted, actual }: Demand,
  route: TokenRoute,
  token: TokenClaims,
  checks: Checks,
): void {
  const said = actual(token);
  checks.require(said !== null && accepted.includes(said), id, {
    expected: accepted,
    actual: said,
    detail: `${what} that ${VERIFIERS[route]} states is listed in ${member}`,
    otherwise: `${what} that ${VERIFIERS[route]} states is not listed in ${member}`,
    setting: member,
  });
}

/** Requires that every required id matched. Ignores other matched ids. */
function appraisePolicyIds(
  policyIds: readonly string[] | null,
  { stated: { matchedPolicyIds } }: TokenClaims,
  checks: Checks,
): void {
  if (policyIds === null) return;
  const all = policyIds.every((id) => matchedPolicyIds.includes(id));
  checks.require(all, 'ita_policy', {
    expected: policyIds,
    actual: matchedPolicyIds,
    detail: 'Intel Trust Authority says that every policy in require.ita.policyIds matches',
    otherwise: 'Intel Trust Authority does not say that every policy in require.ita.policyIds matches',
  });
}

/**
 * Requires an accepted TCB status. Makes no check for a token about an SEV-SNP VM, which has no such status, nor for a
 * status that Intel does not define, which the verifier rejects under every policy.
 */
function appraiseTcbStatus(
  { require }: Policy,
  route: TokenRoute,
  { stated: { tcbStatus } }: TokenClaims,
  checks: Checks,
): void {
  if (!isTdxStatus(tcbStatus)) return;
  const id = `${route}_tcb_status` as const;
  const accepted = require[route]?.tcbStatus ?? null;
  const said = `${VERIFIERS[route]} calls the platform ${tcbStatus}`;
  if (accepted === null) {
    if (tcbStatus === UP_TO_DATE) return;
    const detail = `${said}, and the policy has no require.${route}.tcbStatus`;
    checks.warn(id, { expected: UP_TO_DATE, actual: tcbStatus, detail });
    return;
  }
  checks.require(accepted.includes(tcbStatus), id, {
    expected: accepted,
    actual: tcbStatus,
    detail: `${said}, which require.${route}.tcbStatus lists`,
    otherwise: `${said}, which require.${route}.tcbStatus does not list`,
  });
}
