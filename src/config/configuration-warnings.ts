import { isKnownRegion, sharedProvider, unknownRegionOf } from '../core/azure-attestation-regions.js';
import type { KeyPath, PlacedProblem } from '../core/places.js';
import type { ItaConfiguration, ItaIssuerConfiguration, MaaConfiguration } from './attestation-services.js';
import { CONFIGURATION_SCHEMA, type Configuration, type ListenConfiguration } from './configuration.js';
import { type Environment, mistypedVariables } from './environment.js';
import { isLoopbackHost } from './values.js';

/** The day of the fix of CVE-2025-49707 in the paravisor. It was rolled out later. */
const AK_CERTIFICATION_FIXED = '2025-08-13';

type Warn = (configuration: Configuration, environment: Environment) => readonly PlacedProblem[];

/** Warnings, by the sections that they concern. */
const WARNINGS: readonly (readonly [sections: readonly (keyof Configuration)[], warn: Warn])[] = [
  [['listen'], ({ listen }) => managementWarnings(listen)],
  [['listen', 'callers'], plainKeyWarnings],
  [['azure'], ({ azure }) => certificationWarnings(azure.paravisors)],
  [['maa'], ({ maa }) => regionWarnings(maa)],
  [['ita'], ({ ita }) => pinWarnings(ita)],
  [['keys', 'callers'], releaseWarnings],
  [['callers'], asteriskWarnings],
  [['egress'], ({ egress }, environment) => [...plainPasswordWarnings(egress), ...proxyWarnings(egress, environment)]],
  [[], (_configuration, environment) => variableWarnings(environment)],
];

/**
 * Lists permitted settings that the operator may not have intended.
 * @param wrong rejected sections. They have defaults, so they get no warnings
 */
export function configurationWarnings(
  configuration: Configuration,
  environment: Environment,
  wrong: ReadonlySet<string> = new Set(),
): readonly PlacedProblem[] {
  return WARNINGS.filter(([sections]) => !sections.some((section) => wrong.has(section))).flatMap(([, warn]) =>
    warn(configuration, environment),
  );
}

function managementWarnings({ management }: ListenConfiguration): readonly PlacedProblem[] {
  if (management === null || management.metrics !== 'open' || isLoopbackHost(management.host)) return [];
  const what = 'anyone who can connect reads the metrics of all tenants';
  return [{ path: ['listen', 'management', 'metrics'], what }];
}

/** A release needs the role, and the key in the list of the caller. */
function releaseWarnings({ keys, callers }: Configuration): readonly PlacedProblem[] {
  const entries = Object.entries(callers);
  const may = entries.filter(([, { roles }]) => roles.includes('release'));
  return [
    ...Object.keys(keys)
      .filter((id) => !may.some(([, caller]) => caller.keys.includes(id)))
      .map((id) => ({
        path: ['keys', id],
        what: 'no caller with the role release has it in keys, so no caller can have it released',
      })),
    ...Object.entries(keys)
      .filter(([, { anyMachine }]) => anyMachine)
      .map(([id]) => ({
        path: ['keys', id, 'anyMachine'],
        what: 'any VM that the policy allows gets the key: the policy need not pin code or machine',
      })),
    ...may
      .filter(([, caller]) => caller.keys.length === 0)
      .map(([name]) => ({
        path: ['callers', name, 'keys'],
        what: 'is empty, so the role release lets it have no key',
      })),
  ];
}

/** Operators may expect wildcards, which an asterisk is in the rules of clouds. */
function asteriskWarnings({ callers }: Configuration): readonly PlacedProblem[] {
  return Object.entries(callers).flatMap(([name, { oidc }]) => {
    if (oidc === null) return [];
    const claims = Object.entries(oidc.claims).map(([claim, text]) => [['claims', claim], text] as const);
    const subjects = oidc.subjects.map((text, index) => [['subjects', index], text] as const);
    return [...claims, ...subjects]
      .filter(([, text]) => text.includes('*'))
      .map(([path, text]) => ({
        path: ['callers', name, 'oidc', ...path],
        what: `${text} is compared character by character: an asterisk stands for itself`,
      }));
  });
}

function certificationWarnings({ akCertificates }: Configuration['azure']['paravisors']): readonly PlacedProblem[] {
  if (akCertificates === 'off' || akCertificates >= AK_CERTIFICATION_FIXED) return [];
  const what = `${akCertificates} is before ${AK_CERTIFICATION_FIXED}; until then the owner of a VM could have Azure certify a key of his own (CVE-2025-49707), so such certificates may vouch for an invented paravisor`;
  return [{ path: ['azure', 'paravisors', 'akCertificates'], what }];
}

/** The owner of the signing keys chooses the issuer in its tokens. */
function pinWarnings({ issuers }: ItaConfiguration): readonly PlacedProblem[] {
  const pinsOf = ({ roots, policyIds }: ItaIssuerConfiguration) => JSON.stringify([roots, policyIds.toSorted()]);
  return issuers.flatMap((entry, index) => {
    const other = issuers.slice(0, index).find(({ keys }) => keys === entry.keys);
    if (other === undefined || pinsOf(other) === pinsOf(entry)) return [];
    const what = `${other.issuer} and ${entry.issuer} have the same keys but not the same policyIds and roots, so a token that one refuses may be accepted under the other name`;
    return [{ path: ['ita', 'issuers'], what }];
  });
}

/** A misspelt region leaves out the intended one, which only shows when its tokens are rejected. */
function regionWarnings({ shared, issuers }: MaaConfiguration): readonly PlacedProblem[] {
  const regions = typeof shared === 'boolean' ? [] : shared;
  return [
    ...regions.flatMap((region, index) =>
      isKnownRegion(region) ? [] : [unknownRegion(['maa', 'shared', index], region, sharedProvider(region))],
    ),
    // With a policyHash the service trusts the policy, not the owner of the instance.
    ...issuers.flatMap(({ issuer, policyHash }, index) => {
      const region = policyHash === null ? unknownRegionOf(issuer) : null;
      return region === null ? [] : [unknownRegion(['maa', 'issuers', index], region, issuer)];
    }),
  ];
}

function unknownRegion(path: KeyPath, region: string, provider: string): PlacedProblem {
  const what = `this version does not know the region ${region}; tokens of ${provider} are accepted all the same, so check that the provider is Microsoft's`;
  return { path, what };
}

/** API keys that cross a network in plain text. A proxy that ends TLS on another machine does not change that. */
function plainKeyWarnings({ listen, callers }: Configuration): readonly PlacedProblem[] {
  if (!Object.values(callers).some(({ apiKeySha256 }) => apiKeySha256 !== null)) return [];
  const { management } = listen;
  const what =
    'API keys of callers are sent without TLS to an address that is not loopback: set a certificate and a key';
  const places: readonly (readonly [path: KeyPath, host: string, isPlain: boolean])[] = [
    [['listen', 'tls'], listen.host, listen.tls.cert === null],
    ...(management === null || management.metrics === 'open'
      ? []
      : ([[['listen', 'management', 'tls'], management.host, management.tls === null]] as const)),
  ];
  return places.flatMap(([path, host, isPlain]) => (isPlain && !isLoopbackHost(host) ? [{ path, what }] : []));
}

function plainPasswordWarnings({ proxy, passwordFile }: Configuration['egress']): readonly PlacedProblem[] {
  if (proxy === null || passwordFile === null) return [];
  const { protocol, hostname } = new URL(proxy);
  if (protocol === 'https:' || isLoopbackHost(hostname)) return [];
  const what = 'the password is sent to the proxy in plain text: use an https URL, if the proxy has one';
  return [{ path: ['egress', 'proxy'], what }];
}

/** Variables that configure a proxy for other programs. */
const PROXY_VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]);

/** The message does not repeat the value of a variable: it may contain a password. */
function proxyWarnings({ proxy }: Configuration['egress'], environment: Environment): readonly PlacedProblem[] {
  const isUsed = (value: string) => proxy !== null && hostOf(value) === hostOf(proxy);
  return PROXY_VARIABLES.filter((name) => (environment[name] ?? '') !== '' && !isUsed(environment[name] ?? '')).map(
    (name) => ({
      path: ['egress', 'proxy'],
      what:
        proxy === null
          ? `${name} is set, and not read: connections are direct, unless this key names the proxy`
          : `${name} names another proxy, and is not read: connections go through the proxy of this key`,
    }),
  );
}

/** Host and port. The scheme of a proxy may be missing. */
function hostOf(proxy: string): string | null {
  const url = proxy.includes('://') ? proxy : `http://${proxy}`;
  return URL.canParse(url) ? new URL(url).host : null;
}

function variableWarnings(environment: Environment): readonly PlacedProblem[] {
  return mistypedVariables(environment, CONFIGURATION_SCHEMA).map(({ name, meant }) => ({
    path: [],
    what: `${name} is not read; did you mean ${meant}?`,
  }));
}
