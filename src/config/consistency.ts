import {
  isNamedLikeSharedProvider,
  isRegionShaped,
  regionNamed,
  SHARED_REGIONS,
  sharedProvider,
} from '../core/azure-attestation-regions.js';
import { vaultKeyId } from '../core/key-vault-key.js';
import { whyNoParavisorKey } from '../core/microsoft-launches.js';
import { listedNames, meantHint } from '../core/names-in-messages.js';
import { isOwnName } from '../core/receipt.js';
import type { Place } from '../schema/schema.js';
import type { ItaConfiguration, MaaConfiguration, MaaIssuerConfiguration } from './attestation-services.js';
import { checkCaller, markOf } from './callers.js';
import { type Configuration, type ListenConfiguration, longestEventLog } from './configuration.js';
import { checkProductLines } from './product-lines.js';
import { checkStores, postgresAddressOf } from './stores.js';
import { checkTenants } from './tenants.js';
import { isLoopbackHost } from './values.js';

/** Rejects contradictions between values that are valid by themselves. */
export function checkConsistency(configuration: Configuration, at: Place): void {
  const { listen, amd, gates } = configuration;
  checkListening(configuration, at.member('listen'));
  checkManagement(configuration, at.member('listen', 'management'));
  checkTls(listen, at.member('listen', 'tls'));
  checkLimits(configuration, at.member('limits'));
  checkProductLines(amd, at.member('amd'));
  checkEarly(configuration, at.member('intel', 'early'));
  checkCallers(configuration, at.member('callers'));
  checkClientCertificates(configuration, at);
  checkParavisorKeys(configuration, at.member('azure', 'paravisors', 'idKeyDigests'));
  checkTenants(configuration, at);
  checkStores(configuration, at);
  checkStoredNowhere(configuration.decisions, at.member('decisions'));
  checkEgress(configuration, at.member('egress'));
  checkReleasedKeys(configuration, at);
  checkMaa(configuration.maa, at.member('maa'));
  checkIta(configuration.ita, at.member('ita'));
  checkReceiptCredential(configuration, at.member('receipts', 'credential'));
  checkEphemeralKey(configuration, at.member('receipts', 'key'));
  for (const [name, { audience }] of Object.entries(gates)) {
    refuseOwnName(audience, at.member('gates', name, 'audience'));
  }
}

function checkCallers({ callers, receipts, maa, ita }: Configuration, at: Place): void {
  const evidence = [...maa.issuers, ...ita.issuers].map(({ issuer }) => issuer);
  for (const [name, caller] of Object.entries(callers)) {
    checkCaller(caller, { receipts: receipts.issuer, evidence }, at.member(name));
    for (const [index, audience] of (caller.audience ?? []).entries()) {
      refuseOwnName(audience, at.member(name, 'audience', index));
    }
  }
  const keys = Object.entries(callers).flatMap(([name, { apiKeySha256, next }]): readonly Placed[] => [
    [at.member(name, 'apiKeySha256'), apiKeySha256],
    [at.member(name, 'next', 'apiKeySha256'), next?.apiKeySha256 ?? null],
  ]);
  refuseRepeated(keys, 'is another key of a caller too');
}

function checkParavisorKeys({ azure }: Configuration, at: Place): void {
  const digests = azure.paravisors.idKeyDigests.map(
    (entry, index): Placed => [at.member(index), typeof entry === 'string' ? entry : entry.digest],
  );
  refuseRepeated(digests, 'is listed twice');
  for (const [place, digest] of digests) {
    const why = digest === null ? null : whyNoParavisorKey(digest);
    if (why !== null) place.refuse(why);
  }
}

/** Prevents an open service by accident: without callers, other machines only get access with an explicit setting. */
function checkListening({ listen, callers }: Configuration, at: Place): void {
  if (Object.keys(callers).length > 0 || listen.insecure || isLoopbackHost(listen.host)) return;
  const why = 'not a loopback address, and no callers are configured (listen.insecure: true serves anyone)';
  at.member('host').refuse(why);
}

/** Metrics cover all tenants: if other machines can connect, the configuration must declare them public. */
function checkManagement({ listen, callers }: Configuration, at: Place): void {
  const { management, insecure } = listen;
  if (management === null) return;
  if (!insecure && !isLoopbackHost(management.host)) {
    if (Object.keys(callers).length === 0) {
      at.member('host').refuse(
        'not a loopback address, and no callers are configured (listen.insecure: true serves anyone)',
      );
    }
    if (management.metrics === 'open') {
      at.member('metrics').refuse(
        'must be callers, since the host is not a loopback address (listen.insecure: true shows the metrics to anyone)',
      );
    }
  }
  if (listen.port !== 0 && management.port === listen.port && overlap(management.host, listen.host)) {
    at.member('port').refuse('must not be listen.port: probes and metrics need a port of their own');
  }
}

const EVERY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** Whether two hosts may be one address. */
function overlap(a: string, b: string): boolean {
  return a === b || EVERY_ADDRESS.has(a) || EVERY_ADDRESS.has(b);
}

/** Rejects a limit without effect: an operator relies on it, but another limit applies first. */
function checkLimits({ limits, callers }: Configuration, at: Place): void {
  const { bodyBytes, bodyBytesInFlight, eventLogBytes } = limits;
  const parts = Object.keys(callers).length > 0 ? 3 : 1;
  if (bodyBytesInFlight < parts * bodyBytes) {
    const whose = parts === 1 ? 'one body' : 'one body of a caller, who may hold a third of it';
    at.member('bodyBytesInFlight').refuse(`must be at least ${parts * bodyBytes}: it has no room for ${whose}`);
  }
  const longest = longestEventLog(bodyBytes);
  if (eventLogBytes <= longest) return;
  const why = `a body of limits.bodyBytes (${bodyBytes}) has room for an event log of at most ${longest} bytes in base64`;
  at.member('eventLogBytes').refuse(`can never be reached: ${why}`);
}

function checkEarly({ intel }: Configuration, at: Place): void {
  if (intel.early === 'off' || intel.pcs !== 'off') return;
  at.refuse('intel.pcs is off, so there is no service that early collateral could come from');
}

function checkTls({ tls }: ListenConfiguration, at: Place): void {
  if ((tls.cert === null) !== (tls.key === null)) at.refuse('needs both cert and key');
  else if (tls.clientCa !== null && tls.cert === null) at.member('clientCa').refuse('needs cert and key');
  if (tls.clientCrl !== null && tls.clientCa === null) at.member('clientCrl').refuse('needs clientCa');
}

/** Without `clientCa` the listener requests no client certificate. One that matches two callers would authenticate neither. */
function checkClientCertificates({ callers, listen }: Configuration, at: Place): void {
  const marks = Object.entries(callers).flatMap(([name, { mtls }]): readonly Placed[] => {
    const mark = mtls === null ? null : markOf(mtls);
    return mtls === null ? [] : [[at.member('callers', name, 'mtls'), mark === null ? null : mark.join(' ')]];
  });
  refuseRepeated(marks, 'is what another caller is recognised by too');
  if (listen.tls.clientCa !== null) return;
  for (const [place] of marks) place.refuse('needs listen.tls.clientCa, the CAs that issue client certificates');
}

function checkEgress({ egress: { proxy, passwordFile } }: Configuration, at: Place): void {
  const user = proxy === null ? '' : new URL(proxy).username;
  if (user !== '' && passwordFile === null) at.member('passwordFile').refuse('is missing: the proxy names a user');
  if (user === '' && passwordFile !== null)
    at.member('passwordFile').refuse('needs a proxy that names a user: user@host');
}

/** Each release attempt is stored before the key is requested. */
function checkReleasedKeys({ keys, callers, decisions }: Configuration, at: Place): void {
  if (Object.keys(keys).length > 0 && decisions.log === 'off') {
    at.member('keys').refuse('decisions.log is off, and each attempt to release a key has to be stored');
  }
  for (const [name, caller] of Object.entries(callers)) {
    for (const [index, id] of caller.keys.entries()) {
      const key = keys[id];
      const place = at.member('callers', name, 'keys', index);
      if (key === undefined) place.refuse(`there is no key ${id} in keys${meantHint(id, Object.keys(keys))}`);
      else if (key.tenant !== caller.tenant) place.refuse(`${id} is of the tenant ${key.tenant}`);
    }
  }
}

/** Rejects a copy, or kept evidence, without the log: otherwise the operator would miss them only when needed. */
function checkStoredNowhere({ log, copy, keepEvidence }: Configuration['decisions'], at: Place): void {
  if (log !== 'off') return;
  const why = 'decisions.log is off, so there are no records';
  if (copy !== 'off') at.member('copy').refuse(`${why} to be copied`);
  if (keepEvidence === 'full') at.member('keepEvidence').refuse(`${why} that evidence could be kept with`);
}

function refuseOwnName(audience: string, at: Place): void {
  if (isOwnName(audience)) at.refuse('names that begin with urn:veritee: are of the service itself');
}

function checkMaa(maa: MaaConfiguration, at: Place): void {
  const { shared, issuers, submit } = maa;
  const regions = typeof shared === 'boolean' ? [] : shared;
  regions.forEach((region, index) => {
    checkRegion(region, at.member('shared', index));
  });
  issuers.forEach((issuer, index) => {
    checkMaaIssuer(issuer, at.member('issuers', index));
  });
  refuseRepeated(issuersIn(maa, at), 'is listed twice');
  submit.endpoints.forEach((endpoint, index) => {
    if (isAcceptedIssuer(endpoint, maa)) return;
    at.member('submit', 'endpoints', index).refuse('is not an issuer whose tokens are accepted');
  });
  if (submit.credential !== null && submit.endpoints.length === 0) {
    at.member('submit', 'credential').refuse('there are no endpoints that would use it');
  }
}

/** Microsoft adds regions, so an unknown one is only a warning; a malformed one is an error. */
function checkRegion(region: string, at: Place): void {
  if (isRegionShaped(region)) return;
  const meant = regionNamed(region);
  if (meant !== null) {
    at.refuse(`${region} is not a region as Azure Attestation abbreviates them; did you mean ${meant}?`);
    return;
  }
  const known = `such as weu or eus2; known are ${listedNames(SHARED_REGIONS)}`;
  at.refuse(`${region} is not a region as Azure Attestation abbreviates them (${known})`);
}

/** The owner of another instance writes its policy, and so can issue any claim. */
function checkMaaIssuer({ issuer, policyHash }: MaaIssuerConfiguration, at: Place): void {
  if (policyHash !== null || isNamedLikeSharedProvider(issuer)) return;
  at.member('policyHash').refuse('is missing, and the issuer is not a shared provider (any accepts every policy)');
}

/** The issuer of the returned token must be accepted, or the evidence is sent for nothing. */
function isAcceptedIssuer(endpoint: string, { shared, issuers }: MaaConfiguration): boolean {
  const regions = shared === true ? SHARED_REGIONS : shared || [];
  return [...regions.map(sharedProvider), ...issuers.map(({ issuer }) => issuer)].includes(endpoint);
}

function checkIta(ita: ItaConfiguration, at: Place): void {
  refuseRepeated(issuersIn(ita, at), 'is listed twice');
  if (ita.submit?.policyMustMatch === true && ita.submit.policyIds.length === 0)
    at.member('submit', 'policyMustMatch').refuse('there are no policyIds that would have to match');
}

function checkReceiptCredential({ receipts }: Configuration, at: Place): void {
  const { key, next, previous, credential } = receipts;
  const isUsed = [key, next ?? '', ...previous].some((where) => vaultKeyId(where) !== null);
  if (isUsed && credential === null) at.refuse('is missing, and there are keys of a Key Vault');
  if (!isUsed && credential !== null) at.refuse('there are no keys of a Key Vault that would use it');
}

/** With a shared store, any replica may answer: a relying party then asks one replica for the key of another. */
function checkEphemeralKey(configuration: Configuration, at: Place): void {
  if (configuration.receipts.key !== 'ephemeral' || postgresAddressOf(configuration) === null) return;
  at.refuse('must not be ephemeral, since stores.url may be shared: each replica would sign with a key of its own');
}

type Placed = readonly [at: Place, value: string | null];

function issuersIn({ issuers }: { readonly issuers: readonly { readonly issuer: string }[] }, at: Place) {
  return issuers.map(({ issuer }, index): Placed => [at.member('issuers', index, 'issuer'), issuer]);
}

function refuseRepeated(placed: readonly Placed[], what: string): void {
  const seen = new Set<string>();
  for (const [at, value] of placed) {
    if (value === null) continue;
    if (seen.has(value)) at.refuse(what);
    seen.add(value);
  }
}
