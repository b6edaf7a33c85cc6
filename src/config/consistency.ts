import {
  isNamedLikeSharedProvider,
  isRegionShaped,
  SHARED_REGIONS,
  sharedProvider,
} from '../model/azure-attestation-regions.js';
import { listedNames } from '../model/names-in-messages.js';
import type { Path, Problem } from '../schema/schema.js';
import type {
  CallerConfiguration,
  Configuration,
  ListenConfiguration,
  MaaConfiguration,
  MaaIssuerConfiguration,
} from './configuration.js';
import { longestEventLog } from './schema.js';
import { isLoopbackHost } from './values.js';

/** What is wrong between values that are right by themselves. */
export function consistencyProblems(configuration: Configuration): readonly Problem[] {
  const { listen, callers, azure, maa, ita } = configuration;
  return [
    ...listenProblems(configuration),
    ...tlsProblems(listen),
    ...limitProblems(configuration),
    ...Object.entries(callers).flatMap(([name, caller]) => callerProblems(['callers', name], caller)),
    ...repeated(
      Object.entries(callers).flatMap(([name, { apiKeySha256 }]) =>
        apiKeySha256 === null ? [] : [[['callers', name, 'apiKeySha256'], apiKeySha256] as const],
      ),
      'is the key of another caller too',
    ),
    ...repeated(
      azure.paravisors.idKeyDigests.map(
        (entry, index) =>
          [['azure', 'paravisors', 'idKeyDigests', index], typeof entry === 'string' ? entry : entry.digest] as const,
      ),
      'is listed twice',
    ),
    ...regionProblems(maa),
    ...maa.issuers.flatMap((issuer, index) => maaIssuerProblems(['maa', 'issuers', index], issuer)),
    ...repeated(
      maa.issuers.map(({ issuer }, index) => [['maa', 'issuers', index, 'issuer'], issuer] as const),
      'is listed twice',
    ),
    ...repeated(
      ita.issuers.map(({ issuer }, index) => [['ita', 'issuers', index, 'issuer'], issuer] as const),
      'is listed twice',
    ),
    ...maa.submit.endpoints.flatMap((endpoint, index) =>
      isAcceptedIssuer(endpoint, maa)
        ? []
        : [{ path: ['maa', 'submit', 'endpoints', index], what: 'is no issuer whose tokens are accepted' }],
    ),
    ...(maa.submit.credential !== null && maa.submit.endpoints.length === 0
      ? [{ path: ['maa', 'submit', 'credential'], what: 'there are no endpoints that it would be for' }]
      : []),
  ];
}

/** There is no open service by accident: without callers, other machines are let in only where that is spelt out. */
function listenProblems({ listen, callers }: Configuration): readonly Problem[] {
  if (Object.keys(callers).length > 0 || listen.insecure || isLoopbackHost(listen.host)) return [];
  const what = 'not a loopback address, and no callers are configured (listen.insecure: true serves anybody)';
  return [{ path: ['listen', 'host'], what }];
}

/** Whoever sets a limit relies on it, and would wonder at another one that is met first. */
function limitProblems({ limits: { bodyBytes, eventLogBytes } }: Configuration): readonly Problem[] {
  const longest = longestEventLog(bodyBytes);
  if (eventLogBytes <= longest) return [];
  const why = `a body of limits.bodyBytes (${bodyBytes}) has room for an event log of at most ${longest} bytes in base64`;
  return [{ path: ['limits', 'eventLogBytes'], what: `can never be reached: ${why}` }];
}

function tlsProblems({ tls }: ListenConfiguration): readonly Problem[] {
  if ((tls.cert === null) !== (tls.key === null)) return [{ path: ['listen', 'tls'], what: 'needs both cert and key' }];
  return tls.clientCa !== null && tls.cert === null
    ? [{ path: ['listen', 'tls', 'clientCa'], what: 'needs cert and key' }]
    : [];
}

function callerProblems(path: Path, caller: CallerConfiguration): readonly Problem[] {
  const ways = [caller.apiKeySha256, caller.oidc, caller.mtls, caller.kubernetes].filter((way) => way !== null);
  const problems: Problem[] = [];
  if (ways.length !== 1) problems.push({ path, what: 'needs one of apiKeySha256, oidc, mtls and kubernetes' });
  if (caller.apiKeySha256 !== null && caller.expires === null) {
    problems.push({ path: [...path, 'expires'], what: 'is missing' });
  }
  return problems;
}

/** Microsoft adds regions, so one that is not known is no problem (but a warning); what can be none is. */
function regionProblems({ shared }: MaaConfiguration): readonly Problem[] {
  if (typeof shared === 'boolean') return [];
  const known = `such as weu or eus2; known are ${listedNames(SHARED_REGIONS)}`;
  return shared.flatMap((region, index) =>
    isRegionShaped(region)
      ? []
      : [
          {
            path: ['maa', 'shared', index],
            what: `${region} is no region as Azure Attestation abbreviates them (${known})`,
          },
        ],
  );
}

/** Whoever owns another instance writes its policy, and so can issue any claim. */
function maaIssuerProblems(path: Path, { issuer, policyHash }: MaaIssuerConfiguration): readonly Problem[] {
  if (policyHash !== null || isNamedLikeSharedProvider(issuer)) return [];
  const what = 'is missing, and the issuer is no shared provider (any accepts every policy)';
  return [{ path: [...path, 'policyHash'], what }];
}

/** A token that comes back has to be one that is accepted, or the evidence was sent for nothing. */
function isAcceptedIssuer(endpoint: string, { shared, issuers }: MaaConfiguration): boolean {
  const regions = shared === true ? SHARED_REGIONS : shared || [];
  return [...regions.map(sharedProvider), ...issuers.map(({ issuer }) => issuer)].includes(endpoint);
}

function repeated(placed: readonly (readonly [path: Path, value: string])[], what: string): readonly Problem[] {
  const seen = new Set<string>();
  return placed.flatMap(([path, value]) => {
    const isRepeated = seen.has(value);
    seen.add(value);
    return isRepeated ? [{ path, what }] : [];
  });
}
