import {
  isNamedLikeSharedProvider,
  isRegionShaped,
  SHARED_REGIONS,
  sharedProvider,
} from '../model/azure-attestation-regions.js';
import { listedNames } from '../model/names-in-messages.js';
import type {
  CallerConfiguration,
  Configuration,
  ListenConfiguration,
  MaaConfiguration,
  MaaIssuerConfiguration,
} from './configuration.js';
import { longestEventLog } from './longest-event-log.js';
import { isLoopbackHost } from './values.js';

/** What is wrong between values that are right by themselves. */
export function consistencyProblems(configuration: Configuration): readonly string[] {
  const { listen, callers, azure, maa, ita } = configuration;
  return [
    ...listenProblems(configuration),
    ...tlsProblems(listen),
    ...limitProblems(configuration),
    ...Object.entries(callers).flatMap(([name, caller]) => callerProblems(`callers.${name}`, caller)),
    ...repeated(
      Object.entries(callers).flatMap(([name, { apiKeySha256 }]) =>
        apiKeySha256 === null ? [] : [[`callers.${name}.apiKeySha256`, apiKeySha256] as const],
      ),
      'is the key of another caller too',
    ),
    ...repeated(
      azure.paravisors.idKeyDigests.map(
        (entry, index) =>
          [`azure.paravisors.idKeyDigests[${index}]`, typeof entry === 'string' ? entry : entry.digest] as const,
      ),
      'is listed twice',
    ),
    ...regionProblems(maa),
    ...maa.issuers.flatMap((issuer, index) => maaIssuerProblems(`maa.issuers[${index}]`, issuer)),
    ...repeated(
      maa.issuers.map(({ issuer }, index) => [`maa.issuers[${index}].issuer`, issuer] as const),
      'is listed twice',
    ),
    ...repeated(
      ita.issuers.map(({ issuer }, index) => [`ita.issuers[${index}].issuer`, issuer] as const),
      'is listed twice',
    ),
    ...maa.submit.endpoints.flatMap((endpoint, index) =>
      isAcceptedIssuer(endpoint, maa) ? [] : [`maa.submit.endpoints[${index}]: is no issuer whose tokens are accepted`],
    ),
    ...(maa.submit.credential !== null && maa.submit.endpoints.length === 0
      ? ['maa.submit.credential: there are no endpoints that it would be for']
      : []),
  ];
}

/** There is no open service by accident: without callers, other machines are let in only where that is spelt out. */
function listenProblems({ listen, callers }: Configuration): readonly string[] {
  if (Object.keys(callers).length > 0 || listen.insecure || isLoopbackHost(listen.host)) return [];
  return ['listen.host: not a loopback address, and no callers are configured (listen.insecure: true serves anybody)'];
}

/** Whoever sets a limit relies on it, and would wonder at another one that is met first. */
function limitProblems({ limits: { bodyBytes, eventLogBytes } }: Configuration): readonly string[] {
  const longest = longestEventLog(bodyBytes);
  if (eventLogBytes <= longest) return [];
  const why = `a body of limits.bodyBytes (${bodyBytes}) has room for an event log of at most ${longest} bytes in base64`;
  return [`limits.eventLogBytes: can never be reached: ${why}`];
}

function tlsProblems({ tls }: ListenConfiguration): readonly string[] {
  if ((tls.cert === null) !== (tls.key === null)) return ['listen.tls: needs both cert and key'];
  return tls.clientCa !== null && tls.cert === null ? ['listen.tls.clientCa: needs cert and key'] : [];
}

function callerProblems(place: string, caller: CallerConfiguration): readonly string[] {
  const ways = [caller.apiKeySha256, caller.oidc, caller.mtls, caller.kubernetes].filter((way) => way !== null);
  const problems = [];
  if (ways.length !== 1) problems.push(`${place}: needs one of apiKeySha256, oidc, mtls and kubernetes`);
  if (caller.apiKeySha256 !== null && caller.expires === null) problems.push(`${place}.expires: is missing`);
  return problems;
}

/** Microsoft adds regions, so one that is not known is no problem (but a warning); what can be none is. */
function regionProblems({ shared }: MaaConfiguration): readonly string[] {
  if (typeof shared === 'boolean') return [];
  const known = `such as weu or eus2; known are ${listedNames(SHARED_REGIONS)}`;
  return shared.flatMap((region, index) =>
    isRegionShaped(region)
      ? []
      : [`maa.shared[${index}]: ${region} is no region as Azure Attestation abbreviates them (${known})`],
  );
}

/** Whoever owns another instance writes its policy, and so can issue any claim. */
function maaIssuerProblems(place: string, { issuer, policyHash }: MaaIssuerConfiguration): readonly string[] {
  if (policyHash !== null || isNamedLikeSharedProvider(issuer)) return [];
  return [`${place}.policyHash: is missing, and the issuer is no shared provider (any accepts every policy)`];
}

/** A token that comes back has to be one that is accepted, or the evidence was sent for nothing. */
function isAcceptedIssuer(endpoint: string, { shared, issuers }: MaaConfiguration): boolean {
  const regions = shared === true ? SHARED_REGIONS : shared || [];
  return [...regions.map(sharedProvider), ...issuers.map(({ issuer }) => issuer)].includes(endpoint);
}

function repeated(placed: readonly (readonly [place: string, value: string])[], what: string): readonly string[] {
  const seen = new Set<string>();
  return placed.flatMap(([place, value]) => {
    const isRepeated = seen.has(value);
    seen.add(value);
    return isRepeated ? [`${place}: ${what}`] : [];
  });
}
