import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { namedTests } from '../../../scripts/test-titles.js';
import { verifyOptions } from '../../../src/app/container.js';
import { CONFIGURATION_SCHEMA } from '../../../src/config/configuration.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { listKeys } from './configuration-keys.js';

/** A test, as file and title, in which a start, a decision or an answer changes with the key. */
type Shown = readonly [file: string, title: string];

const LINES = 'integration/service/product-lines.test.ts';
const CONFIGURED = 'unit/tee/snp/configured-lines.test.ts';
const SERVE = 'integration/cli/serve-command.test.ts';
const CONNECTIONS = 'integration/stores/postgres-connection.test.ts';
const NOT_STARTED: Shown = [SERVE, 'does not start with %s, and says why'];
const TENANTS = 'integration/service/tenants.test.ts';
const CERTIFICATES = 'integration/service/client-certificates.test.ts';
const MARK: Shown = [CERTIFICATES, 'by its %s has the roles of its caller'];
const ADDRESSES: Shown = ['unit/app/outgoing-addresses.test.ts', 'are none where every source is off'];
const WIRING = 'unit/app/wiring.test.ts';
const MANAGEMENT = 'integration/service/management.test.ts';
const APART: Shown = [MANAGEMENT, 'serves probes and metrics at an address of its own, and the service serves neither'];
const APART_TLS: Shown = [MANAGEMENT, 'has TLS of its own, which a reload reads again'];
const ISSUERS = 'unit/app/token-issuers.test.ts';
const RECEIPTS = 'integration/service/receipts.test.ts';
const VAULT = 'integration/service/receipt-vaults.test.ts';
const RELEASE = 'integration/service/key-release.test.ts';
const VAULT_KEYS = 'integration/service/vault-key-release.test.ts';
const VAULT_RELEASE: Shown = [VAULT_KEYS, 'releases the key of the vault, and the guest unwraps it'];
const MAA = 'integration/service/maa-token.test.ts';
const TD_ROUTES = 'integration/service/td-submissions.test.ts';
const SUBMISSIONS = 'integration/service/submissions.test.ts';
const TRACES = 'integration/service/traces.test.ts';
const GATES = 'integration/service/gates.test.ts';
const CALLERS = 'unit/callers/callers.test.ts';
const TOKEN_CALLERS = 'integration/service/token-callers.test.ts';
const TOKENS: Shown = [TOKEN_CALLERS, 'is recognised by the tokens of its issuer, whose keys are fetched once'];
const NOT_DEMANDED: Shown = [TOKEN_CALLERS, 'is nobody with a token that it does not demand'];
const KEY_FILES: Shown = [TOKEN_CALLERS, 'in files that are not there keep the service from starting: %s'];
const DEMANDS = 'unit/callers/token-callers.test.ts';
const SCOPE: Shown = [
  'integration/service/freshness.test.ts',
  'FRS-01 is kept: a challenge of another %s is denied, and stays unused',
];
const NARROW: Shown = ['integration/service/freshness.test.ts', 'is no wider than what its caller may name'];
const OWN_FOLDER: Shown = [
  'integration/cli/endorsement-bundles.test.ts',
  'carry the collateral of a quote to a machine without network',
];

const PROXY = 'integration/outgoing/egress-proxy.test.ts';
const PROXIED = 'integration/outgoing/proxied-addresses.test.ts';

const SHOWN: Readonly<Record<string, Shown>> = {
  'listen.host': NOT_STARTED,
  'listen.port': [SERVE, 'does not start, and says why with 1'],
  'listen.insecure': [SERVE, 'says who is let in without callers, insecure: %s'],
  'listen.tls.cert': NOT_STARTED,
  'listen.tls.key': NOT_STARTED,
  'listen.tls.clientCa': [
    'integration/http/tls.test.ts',
    'with an authority for clients, lets no client in that has no certificate of it',
  ],
  'listen.tls.clientCrl': [CERTIFICATES, 'that is on a CRL of its CA does not connect'],
  'listen.trustedProxies': [
    'integration/http/request-limits.test.ts',
    'REQ-15 with an X-Forwarded-For of a configured proxy give the address that it saw',
  ],
  'listen.management.host': APART,
  'listen.management.port': APART,
  'listen.management.tls.cert': APART_TLS,
  'listen.management.tls.key': APART_TLS,
  'listen.management.metrics': [
    'unit/config/management.test.ts',
    'shows metrics to everybody only on loopback, or where listen.insecure says so',
  ],
  'policies.directory': NOT_STARTED,
  'policies.default': [
    'integration/service/policies.test.ts',
    'DEC-01 without the default one keep the service from starting',
  ],
  'policies.shadow': ['integration/service/policy-routes.test.ts', 'are judged beside, and never decide'],
  historical: [
    'integration/service/failures.test.ts',
    'is judged where it is enabled, but not in the future, and releases nothing',
  ],
  'limits.bodyBytes': [
    MAA,
    'TOK-20 refuses one that is longer than tokens are, and a body that is longer than bodies are',
  ],
  'limits.bodyBytesInFlight': [
    'integration/http/body-budget.test.ts',
    'REQ-40 are reserved by Content-Length before a byte comes, and given back where the client leaves',
  ],
  'limits.eventLogBytes': [WIRING, 'inspects event logs up to the longest that is configured'],
  deadlineSeconds: ['integration/service/failures.test.ts', 'DEC-09 that %s is answered at the deadline'],
  'time.tokenLeewaySeconds': ['unit/tee/maa/token-standing.test.ts', 'TOK-07 counts to the second without a leeway'],
  'egress.proxy': [PROXIED, '%s'],
  'egress.passwordFile': [PROXY, 'gets Basic credentials, which the far end does not get'],
  'egress.noProxy': [PROXY, 'is not asked for hosts of this machine, nor for those of noProxy'],
  'amd.kds': ADDRESSES,
  'amd.chains': OWN_FOLDER,
  'amd.refuseProducts': ['integration/service/decision.test.ts', 'SNP-22 is denied, however genuine the report'],
  'amd.products': [LINES, 'are allowed with a warning, with all that vouches for them fetched from KDS'],
  'amd.products.<name>.arkSpki': [
    CONFIGURED,
    'SNP-25 fail cert_untrusted under a root of the right name and another key',
  ],
  'amd.products.<name>.cpuid.family': [CONFIGURED, 'SNP-17 fail snp_product: a processor of %s under a key of %s'],
  'amd.products.<name>.cpuid.models': [CONFIGURED, 'SNP-17 fail snp_product: a processor of %s under a key of %s'],
  'amd.products.<name>.parts': [CONFIGURED, 'name an unknown part for a model that no part has'],
  'amd.products.<name>.parts.<name>': [CONFIGURED, 'name an unknown part for a model that no part has'],
  'amd.products.<name>.hwid': [
    CONFIGURED,
    'SNP-13 fail snp_chip_id where the certificate has 8 bytes on a line that has 64',
  ],
  'amd.products.<name>.tcb': [CONFIGURED, 'SNP-14 fail snp_tcb_cert for a certificate of another FMC'],
  'intel.pcs': ADDRESSES,
  'intel.collateral': OWN_FOLDER,
  'intel.early': [
    'integration/service/early-collateral.test.ts',
    'says what will be denied, why and from about when, and decides as without it',
  ],
  'azure.thim': [
    'integration/endorsements/intel-endorsements.test.ts',
    'the cache of Azure behind its metadata service, asked where Intel gives nothing',
  ],
  'azure.paravisors.idKeyDigests': [WIRING, 'HCL-16 adds those of the configuration, a bare digest without a floor'],
  'azure.paravisors.idKeyDigests[].digest': [
    WIRING,
    'HCL-16 keeps a built-in floor for a bare digest, and replaces it where another is written',
  ],
  'azure.paravisors.idKeyDigests[].minGuestSvn': [
    WIRING,
    'HCL-16 keeps a built-in floor for a bare digest, and replaces it where another is written',
  ],
  'azure.paravisors.mrtds': [WIRING, 'knows no paravisor on TDX but those that the configuration lists'],
  'azure.paravisors.akCertificates': [
    'integration/service/azure-tdx.test.ts',
    'HCL-15 is known by the certificate of its key, and then says nothing of Secure Boot',
  ],
  'tpm.roots': [
    'integration/service/azure-tdx.test.ts',
    'HCL-14 trusts the certificate below a root of the operator for the key, and knows no paravisor by it',
  ],
  'tpm.intermediates': [
    'integration/service/tpm.test.ts',
    'HCL-14 completes a chain from the folder of the operator, for every evidence with a vTPM',
  ],
  'maa.shared': [ISSUERS, 'are those of some regions, or none'],
  'maa.issuers': [ISSUERS, 'replace a shared provider of their name'],
  'maa.issuers[].issuer': [ISSUERS, 'replace a shared provider of their name'],
  'maa.issuers[].keys': [ISSUERS, 'have their keys at their own place, or in a file'],
  'maa.issuers[].policyHash': [MAA, 'TOK-17 says of an issuer whose owner may issue any claim that it is one'],
  'maa.issuers[].policySigner': [ISSUERS, 'TOK-17 are pinned by the hashes of their policy, or said to be any'],
  'maa.issuers[].teeSigner': [ISSUERS, 'TOK-17 are pinned by the hashes of their policy, or said to be any'],
  'maa.submit.endpoints': [SUBMISSIONS, 'asks the next endpoint where the first is out of reach'],
  'maa.submit.apiVersion': [
    'integration/attestation-services/azure-attestation.test.ts',
    'is sent in the version of the interface that is configured',
  ],
  'maa.submit.credential': [SUBMISSIONS, 'is told, by a token that Entra gives out once'],
  'ita.issuers': [ISSUERS, 'have their keys in a file where one is named'],
  'ita.issuers[].issuer': [ISSUERS, 'have their keys in a file where one is named'],
  'ita.issuers[].keys': [ISSUERS, 'have their keys in a file where one is named'],
  'ita.issuers[].roots': [ISSUERS, 'with roots that cannot be read do not start'],
  'ita.issuers[].policyIds': [
    'integration/service/ita-token.test.ts',
    'TOK-21 that %s configures are demanded of a token that the caller brings',
  ],
  'ita.submit': [TD_ROUTES, 'has a TD judged by the configured policies of Trust Authority'],
  'challenges.lifetimeSeconds': [
    'integration/service/freshness.test.ts',
    'TPM-09, FRS-07 is denied from its expiry on, used or not',
  ],
  'challenges.key': ['unit/config/directories.test.ts', 'takes the key of challenges from where it is said to be'],
  'stores.url': ['unit/config/directories.test.ts', 'with stores in %s, the data directory is %s'],
  'stores.connections': [CONNECTIONS, 'share no connection: log, reads and challenges each have their own'],
  'stores.passwordFile': [CONNECTIONS, 'gives the password that stands in the file now'],
  'stores.credential': ['unit/app/postgres-server.test.ts', 'is an access token for the cloud of the server'],
  'stores.ca': [CONNECTIONS, 'names the authorities that the server may have its certificate from'],
  'decisions.log': [
    'unit/app/decision-store.test.ts',
    'are the file for challenges alone, where decisions are not stored',
  ],
  'decisions.copy': [
    'integration/service/decision-log.test.ts',
    'has no nonce, no id of chip or VM, no evidence and no key, and neither have copy and backup',
  ],
  'decisions.keepEvidence': ['integration/service/replay.test.ts', 'is equal, whatever has changed since'],
  'decisions.retentionDays': ['unit/app/decision-store.test.ts', 'drops what is older than decisions are kept'],
  'receipts.issuer': [RECEIPTS, 'is that of a file, and signs with %s'],
  'receipts.key': [RECEIPTS, 'is that of a file, and signs with %s'],
  'receipts.next': [RECEIPTS, 'that comes next and those of before are published'],
  'receipts.previous': [RECEIPTS, 'that comes next and those of before are published'],
  'receipts.credential': [VAULT, 'signs, after the start has found that it does, and the key set has it'],
  'receipts.lifetimeSeconds': ['unit/config/every-key.test.ts', 'bounds how long a decision may be relied on'],
  gates: [GATES, 'opens for the receipt of an allow for it, whatever the method, and names the decision'],
  'gates.<name>.audience': [GATES, 'GAT-02 stays closed for %s'],
  'gates.<name>.policy': [GATES, 'keeps the service from starting where its policy does not exist'],
  'gates.<name>.tenant': [GATES, 'opens for receipts of its tenant alone'],
  'gates.<name>.url': [GATES, 'opens for its own url alone'],
  'gates.<name>.ownNonces': [GATES, 'GAT-03 opens for the caller’s own nonce only where ownNonces is set'],
  keys: [RELEASE, 'gives the guest that holds the bound key what it opens, and nobody else'],
  'keys.<name>.local': [RELEASE, 'gives the guest that holds the bound key what it opens, and nobody else'],
  'keys.<name>.vault': VAULT_RELEASE,
  'keys.<name>.name': VAULT_RELEASE,
  'keys.<name>.version': [VAULT_KEYS, 'of a version is that version alone'],
  'keys.<name>.policy': [RELEASE, 'REL-03 with a warning that nothing waives is refused'],
  'keys.<name>.anyMachine': [RELEASE, 'loads for a key that may go to any VM, with a warning at each start'],
  'keys.<name>.enc': [VAULT_KEYS, 'is wrapped as its configuration says: %s'],
  'keys.<name>.roots': [VAULT_KEYS, 'is handed out only where the answer chains to the roots of the configuration'],
  'keys.<name>.credential': VAULT_RELEASE,
  'keys.<name>.tenant': [RELEASE, 'REL-04 %s is forbidden to a caller that does not list it'],
  callers: [SERVE, 'says who is let in without callers, insecure: %s'],
  'callers.<name>.apiKeySha256': [CALLERS, 'knows a caller by %s'],
  'callers.<name>.expires': [
    CALLERS,
    'does not know a key at the instant of its expiry, and knows it a millisecond before',
  ],
  'callers.<name>.next.apiKeySha256': [CALLERS, 'knows a key and its successor, each until it expires'],
  'callers.<name>.next.expires': [CALLERS, 'knows a key and its successor, each until it expires'],
  'callers.<name>.roles': ['integration/service/failures.test.ts', 'is for callers with the role audit:read'],
  'callers.<name>.policies': NARROW,
  'callers.<name>.audience': NARROW,
  'callers.<name>.tenant': SCOPE,
  'callers.<name>.keys': [RELEASE, 'REL-04 %s is forbidden to a caller that does not list it'],
  'callers.<name>.oidc.profile': TOKENS,
  'callers.<name>.oidc.issuer': TOKENS,
  'callers.<name>.oidc.keys': [TOKEN_CALLERS, 'may be a file, which a reload reads again'],
  'callers.<name>.oidc.ca': TOKENS,
  'callers.<name>.oidc.audience': NOT_DEMANDED,
  'callers.<name>.oidc.tenantId': [DEMANDS, 'is not met by a token of %s'],
  'callers.<name>.oidc.clientIds': NOT_DEMANDED,
  'callers.<name>.oidc.appRoles': [DEMANDS, 'is not met by a token of %s'],
  'callers.<name>.oidc.subjects': [DEMANDS, 'is its subject, exactly, or each of its claims, exactly'],
  'callers.<name>.oidc.claims': NOT_DEMANDED,
  'callers.<name>.mtls.uri': MARK,
  'callers.<name>.mtls.dns': MARK,
  'callers.<name>.mtls.spkiSha256': MARK,
  'callers.<name>.kubernetes.issuer': TOKENS,
  'callers.<name>.kubernetes.keys': KEY_FILES,
  'callers.<name>.kubernetes.ca': KEY_FILES,
  'callers.<name>.kubernetes.tokenFile': KEY_FILES,
  'callers.<name>.kubernetes.audience': TOKENS,
  'callers.<name>.kubernetes.serviceAccounts': NOT_DEMANDED,
  tenants: [TENANTS, 'have policies of their own, under the same id too'],
  'tenants.<name>.policies.directory': [TENANTS, 'have policies of their own, under the same id too'],
  'tenants.<name>.policies.default': [TENANTS, 'have a default policy of their own'],
  'tenants.<name>.policies.shadow': [TENANTS, 'have shadow policies of their own'],
  'traces.endpoint': [TRACES, 'shows its steps, each under the one that waits for it, and nothing secret'],
  'traces.headersFile': [TRACES, 'is sent other headers after a reload'],
  'traces.sample': [TRACES, 'of 0 traces nothing, contacts nobody, and leaves the log without a trace'],
  'traces.trustParent': [TRACES, 'is followed where it is trusted, with its flag and without tracestate'],
  inspector: [
    'integration/service/pages.test.ts',
    'are not served where they are switched off, but for /docs and the files that it loads',
  ],
  'log.level': ['unit/telemetry/log.test.ts', 'writes nothing below its level'],
};

describe('every key of the configuration', () => {
  const keys = listKeys(CONFIGURATION_SCHEMA).map(({ key }) => key);

  it('has a test in which something changes with it', () => {
    expect(keys.filter((key) => SHOWN[key] === undefined)).toEqual([]);
    expect(Object.keys(SHOWN).filter((key) => !keys.includes(key))).toEqual([]);
  });

  it.each(Object.entries(SHOWN).map(([key, [file, title]]) => [key, file, title] as const))(
    '%s: the test is there, in %s',
    (_key, file, title) => {
      const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
      expect(namedTests(text).map((test) => test.title)).toContain(title);
    },
  );
});

describe('the lifetime of receipts', () => {
  const options = (text: string) => verifyOptions(loadConfiguration({ text, environment: {} }), true);

  it('bounds how long a decision may be relied on', () => {
    expect(options('{}').lifetimeMs).toBe(300_000);
    expect(options('receipts: { lifetimeSeconds: 60 }').lifetimeMs).toBe(60_000);
  });
});
