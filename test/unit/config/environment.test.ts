import { describe, expect, it } from 'vitest';
import { CONFIGURATION_SCHEMA, type Configuration } from '../../../src/config/configuration.js';
import { environmentSegment, mistypedVariables } from '../../../src/config/environment.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { lineConfiguration } from '../../lab/amd-lines.js';
import { environmentNames } from './configuration-keys.js';

const HASH = 'ab'.repeat(32);
const SHA384 = 'cd'.repeat(48);
const SHARED = 'https://sharedweu.weu.attest.azure.net';
const VAULT_KEY = 'https://v.vault.azure.net/keys/k/0123456789abcdef0123456789abcdef';
const CALLER = `{"apiKeySha256":"${HASH}","expires":"2027-01-31","roles":["verify"]}`;

function load(environment: Record<string, string | undefined>, text: string | null = null): Configuration {
  return loadConfiguration({ text, environment });
}

type Case = readonly [name: string, spelled: string, pick: (configuration: Configuration) => unknown, value: unknown];

/** Each key: a value, and what it is read as. */
const CASES: readonly Case[] = [
  ['VERITEE__LISTEN__HOST', '127.0.0.2', (c) => c.listen.host, '127.0.0.2'],
  ['VERITEE__LISTEN__PORT', '0', (c) => c.listen.port, 0],
  ['VERITEE__LISTEN__INSECURE', 'true', (c) => c.listen.insecure, true],
  ['VERITEE__LISTEN__TLS__CERT', 'c.pem', (c) => c.listen.tls.cert, 'c.pem'],
  ['VERITEE__LISTEN__TLS__KEY', 'k.pem', (c) => c.listen.tls.key, 'k.pem'],
  ['VERITEE__LISTEN__TLS__CLIENT_CA', 'null', (c) => c.listen.tls.clientCa, null],
  ['VERITEE__LISTEN__TLS__CLIENT_CRL', 'null', (c) => c.listen.tls.clientCrl, null],
  ['VERITEE__LISTEN__TRUSTED_PROXIES', '["10.0.0.0/8"]', (c) => c.listen.trustedProxies, ['10.0.0.0/8']],
  ['VERITEE__LISTEN__MANAGEMENT__HOST', '::1', (c) => c.listen.management?.host, '::1'],
  ['VERITEE__LISTEN__MANAGEMENT__PORT', '0', (c) => c.listen.management?.port, 0],
  ['VERITEE__LISTEN__MANAGEMENT__TLS__CERT', 'c.pem', (c) => c.listen.management?.tls?.cert, 'c.pem'],
  ['VERITEE__LISTEN__MANAGEMENT__TLS__KEY', 'k.pem', (c) => c.listen.management?.tls?.key, 'k.pem'],
  ['VERITEE__LISTEN__MANAGEMENT__METRICS', 'open', (c) => c.listen.management?.metrics, 'open'],
  [
    'VERITEE__TENANTS',
    '{"a": {"policies": {"directory": "/etc/a"}}}',
    (c) => c.tenants['a']?.policies.directory,
    '/etc/a',
  ],
  ['VERITEE__POLICIES__DIRECTORY', '/etc/p', (c) => c.policies.directory, '/etc/p'],
  ['VERITEE__POLICIES__DEFAULT', 'mine', (c) => c.policies.default, 'mine'],
  ['VERITEE__POLICIES__SHADOW', '["next"]', (c) => c.policies.shadow, ['next']],
  ['VERITEE__HISTORICAL', 'true', (c) => c.historical, true],
  ['VERITEE__LIMITS__BODY_BYTES', '2048', (c) => c.limits.bodyBytes, 2048],
  ['VERITEE__LIMITS__BODY_BYTES_IN_FLIGHT', '6291456', (c) => c.limits.bodyBytesInFlight, 6_291_456],
  ['VERITEE__LIMITS__EVENT_LOG_BYTES', '8192', (c) => c.limits.eventLogBytes, 8192],
  ['VERITEE__DEADLINE_SECONDS', '2.5', (c) => c.deadlineSeconds, 2.5],
  ['VERITEE__TIME__TOKEN_LEEWAY_SECONDS', '1', (c) => c.time.tokenLeewaySeconds, 1],
  ['VERITEE__AMD__KDS', 'off', (c) => c.amd.kds, 'off'],
  ['VERITEE__AMD__CHAINS', './amd', (c) => c.amd.chains, './amd'],
  [
    'VERITEE__AMD__PRODUCTS',
    JSON.stringify({ Venice: lineConfiguration('Venice', [HASH]) }),
    (c) => c.amd.products['Venice']?.arkSpki,
    [HASH],
  ],
  ['VERITEE__AMD__REFUSE_PRODUCTS', '["Milan"]', (c) => c.amd.refuseProducts, ['Milan']],
  ['VERITEE__INTEL__PCS', 'https://pccs.example', (c) => c.intel.pcs, 'https://pccs.example'],
  ['VERITEE__INTEL__EARLY', 'shadow', (c) => c.intel.early, 'shadow'],
  ['VERITEE__INTEL__COLLATERAL', './intel', (c) => c.intel.collateral, './intel'],
  ['VERITEE__AZURE__THIM', 'http://169.254.169.254', (c) => c.azure.thim, 'http://169.254.169.254'],
  ['VERITEE__AZURE__PARAVISORS__ID_KEY_DIGESTS', `["${SHA384}"]`, (c) => c.azure.paravisors.idKeyDigests, [SHA384]],
  ['VERITEE__AZURE__PARAVISORS__MRTDS', `["${SHA384}"]`, (c) => c.azure.paravisors.mrtds, [SHA384]],
  ['VERITEE__AZURE__PARAVISORS__AK_CERTIFICATES', '2025-10-01', (c) => c.azure.paravisors.akCertificates, '2025-10-01'],
  ['VERITEE__EGRESS__PROXY', 'http://proxy.example:3128', (c) => c.egress.proxy, 'http://proxy.example:3128'],
  ['VERITEE__EGRESS__PASSWORD_FILE', 'password', (c) => c.egress.passwordFile, 'password'],
  ['VERITEE__EGRESS__NO_PROXY', '[".svc"]', (c) => c.egress.noProxy, ['.svc']],
  ['VERITEE__TPM__ROOTS', '["root.pem"]', (c) => c.tpm.roots, ['root.pem']],
  ['VERITEE__TPM__INTERMEDIATES', '/var/tpm', (c) => c.tpm.intermediates, '/var/tpm'],
  ['VERITEE__MAA__SHARED', '["weu"]', (c) => c.maa.shared, ['weu']],
  [
    'VERITEE__MAA__ISSUERS',
    '[{"issuer":"https://a.example","policyHash":"any"}]',
    (c) => c.maa.issuers,
    [{ issuer: 'https://a.example', keys: 'jwks', policyHash: 'any', policySigner: null, teeSigner: 'any' }],
  ],
  ['VERITEE__MAA__SUBMIT__ENDPOINTS', `["${SHARED}"]`, (c) => c.maa.submit.endpoints, [SHARED]],
  ['VERITEE__MAA__SUBMIT__API_VERSION', '2022-08-01', (c) => c.maa.submit.apiVersion, '2022-08-01'],
  [
    'VERITEE__MAA__SUBMIT__CREDENTIAL',
    '"managed-identity"',
    (c) => c.maa.submit.credential,
    { kind: 'managed-identity', clientId: null },
  ],
  [
    'VERITEE__ITA__ISSUERS',
    '[{"issuer":"a","keys":"f","roots":"r"}]',
    (c) => c.ita.issuers[0],
    { issuer: 'a', keys: 'f', roots: 'r', policyIds: [] },
  ],
  ['VERITEE__ITA__SUBMIT', 'null', (c) => c.ita.submit, null],
  ['VERITEE__CHALLENGES__LIFETIME_SECONDS', '7', (c) => c.challenges.lifetimeSeconds, 7],
  ['VERITEE__CHALLENGES__KEY', '/run/k', (c) => c.challenges.key, '/run/k'],
  ['VERITEE__STORES__URL', 'sqlite:/srv/v.db', (c) => c.stores.url, 'sqlite:/srv/v.db'],
  ['VERITEE__STORES__CONNECTIONS', '16', (c) => c.stores.connections, 16],
  ['VERITEE__STORES__PASSWORD_FILE', 'null', (c) => c.stores.passwordFile, null],
  ['VERITEE__STORES__CREDENTIAL', 'null', (c) => c.stores.credential, null],
  ['VERITEE__STORES__CA', 'null', (c) => c.stores.ca, null],
  ['VERITEE__DECISIONS__LOG', 'off', (c) => c.decisions.log, 'off'],
  ['VERITEE__DECISIONS__COPY', 'stdout', (c) => c.decisions.copy, 'stdout'],
  ['VERITEE__DECISIONS__KEEP_EVIDENCE', 'hash', (c) => c.decisions.keepEvidence, 'hash'],
  ['VERITEE__DECISIONS__RETENTION_DAYS', '30', (c) => c.decisions.retentionDays, 30],
  ['VERITEE__RECEIPTS__ISSUER', 'https://me.example', (c) => c.receipts.issuer, 'https://me.example'],
  ['VERITEE__RECEIPTS__KEY', 'ephemeral', (c) => c.receipts.key, 'ephemeral'],
  ['VERITEE__RECEIPTS__NEXT', 'next.pem', (c) => c.receipts.next, 'next.pem'],
  ['VERITEE__RECEIPTS__PREVIOUS', '["old.pem"]', (c) => c.receipts.previous, ['old.pem']],
  [
    'VERITEE__RECEIPTS__CREDENTIAL',
    '"managed-identity"',
    (c) => c.receipts.credential,
    { kind: 'managed-identity', clientId: null },
  ],
  ['VERITEE__RECEIPTS__LIFETIME_SECONDS', '60', (c) => c.receipts.lifetimeSeconds, 60],
  ['VERITEE__KEYS', '{}', (c) => Object.keys(c.keys), []],
  ['VERITEE__GATES', '{"web":{"audience":"a","policy":"p"}}', (c) => Object.keys(c.gates), ['web']],
  ['VERITEE__CALLERS', `{"ci":${CALLER}}`, (c) => Object.keys(c.callers), ['ci']],
  ['VERITEE__INSPECTOR', 'false', (c) => c.inspector, false],
  ['VERITEE__LOG__LEVEL', 'warn', (c) => c.log.level, 'warn'],
  ['VERITEE__TRACES__ENDPOINT', 'https://c.example', (c) => c.traces?.endpoint, 'https://c.example'],
  ['VERITEE__TRACES__HEADERS_FILE', 'headers', (c) => c.traces?.headersFile, 'headers'],
  ['VERITEE__TRACES__SAMPLE', '0.5', (c) => c.traces?.sample, 0.5],
  ['VERITEE__TRACES__TRUST_PARENT', 'true', (c) => c.traces?.trustParent, true],
];

const PORT: Record<string, string> = { VERITEE__LISTEN__MANAGEMENT__PORT: '9090' };
const TRACES: Record<string, string> = { VERITEE__TRACES__ENDPOINT: 'https://c.example' };

/** Other keys that a key needs to load. */
const TOGETHER: ReadonlyMap<string, Record<string, string>> = new Map([
  ['VERITEE__LISTEN__TLS__CERT', { VERITEE__LISTEN__TLS__KEY: 'k.pem' }],
  ['VERITEE__LISTEN__TLS__KEY', { VERITEE__LISTEN__TLS__CERT: 'c.pem' }],
  ['VERITEE__EGRESS__PASSWORD_FILE', { VERITEE__EGRESS__PROXY: 'http://user@proxy.example:3128' }],
  ['VERITEE__TRACES__HEADERS_FILE', TRACES],
  ['VERITEE__TRACES__SAMPLE', TRACES],
  ['VERITEE__TRACES__TRUST_PARENT', TRACES],
  ['VERITEE__LISTEN__MANAGEMENT__HOST', PORT],
  ['VERITEE__LISTEN__MANAGEMENT__TLS__CERT', { ...PORT, VERITEE__LISTEN__MANAGEMENT__TLS__KEY: 'k.pem' }],
  ['VERITEE__LISTEN__MANAGEMENT__TLS__KEY', { ...PORT, VERITEE__LISTEN__MANAGEMENT__TLS__CERT: 'c.pem' }],
  ['VERITEE__LISTEN__MANAGEMENT__METRICS', PORT],
  ['VERITEE__MAA__SUBMIT__CREDENTIAL', { VERITEE__MAA__SUBMIT__ENDPOINTS: `["${SHARED}"]` }],
  ['VERITEE__RECEIPTS__CREDENTIAL', { VERITEE__RECEIPTS__KEY: VAULT_KEY }],
]);

describe('every key can be given in the environment', () => {
  it.each(CASES)('%s', (name, spelled, pick, value) => {
    expect(pick(load({ ...TOGETHER.get(name), [name]: spelled }))).toEqual(value);
  });

  it('and none is missing from this list', () => {
    expect(CASES.map(([name]) => name).sort()).toEqual(environmentNames(CONFIGURATION_SCHEMA).sort());
  });
});

describe('names', () => {
  it('are written as members in capitals', () => {
    expect(environmentSegment('tokenLeewaySeconds')).toBe('TOKEN_LEEWAY_SECONDS');
    expect(environmentSegment('apiKeySha256')).toBe('API_KEY_SHA256');
  });

  const PORT = 'did you mean VERITEE__LISTEN__PORT?';
  const NAMES = 'names here are capital letters and digits, with single underscores between them';

  it.each([
    ['VERITEE__', expect.stringMatching(/^VERITEE__: unknown key; there are VERITEE__LISTEN, .+, VERITEE__TRACES$/)],
    ['VERITEE__LISTEN__PROT', PORT],
    ['VERITEE__LISTEN__PORT__', PORT],
    ['VERITEE__LISTEN__PORT__NUMBER', 'VERITEE__LISTEN__PORT is given as a whole'],
    ['VERITEE__LISTEN___PORT', PORT],
    ['VERITEE__listen__port', PORT],
    ['VERITEE__LISTEN_PORT', PORT],
    ['VERITEE__TIME__TOKENLEEWAYSECONDS', 'did you mean VERITEE__TIME__TOKEN_LEEWAY_SECONDS?'],
    ['VERITEE__MAA__ISSUERS__0', 'VERITEE__MAA__ISSUERS is given as a whole'],
    ['VERITEE__MAA__SUBMIT__CREDENTIAL__KIND', 'VERITEE__MAA__SUBMIT__CREDENTIAL is given as a whole'],
    ['VERITEE__ITA__SUBMIT__API', 'VERITEE__ITA__SUBMIT is given as a whole'],
    ['VERITEE__CALLERS__ci', NAMES],
    ['VERITEE__CALLERS____PROTO____ROLES', NAMES],
    ['VERITEE__CALLERS__CI__ROLE', 'did you mean VERITEE__CALLERS__CI__ROLES?'],
  ])('refuses to start with %s', (name, hint) => {
    const problem = typeof hint === 'string' ? `${name}: unknown key; ${hint}` : hint;
    expect(() => load({ [name]: '1' })).toThrow(expect.objectContaining({ problems: [problem] }));
  });

  it.each(['VERITEE_VECTORS', 'VERITEE_LISTEN__PORT', 'veritee__listen__port', 'PORT', 'XVERITEE__LISTEN__PORT'])(
    'does not look at %s',
    (name) => {
      expect(load({ [name]: '1' })).toEqual(load({}));
    },
  );

  it('with too few underscores at the beginning are found where a key has that name', () => {
    const environment = {
      VERITEE_TIME_TOKEN_LEEWAY_SECONDS: '1',
      VERITEE_LISTEN_PORT: '1',
      VERITEE_LISTEN__HOST: '1',
      VERITEE__LOG__LEVEL: 'info',
      VERITEE_VECTORS: '1',
      VERITEE_API_KEY: '1',
      LISTEN_PORT: '1',
    };
    expect(mistypedVariables(environment, CONFIGURATION_SCHEMA)).toEqual([
      { name: 'VERITEE_LISTEN_PORT', meant: 'VERITEE__LISTEN__PORT' },
      { name: 'VERITEE_LISTEN__HOST', meant: 'VERITEE__LISTEN__HOST' },
      { name: 'VERITEE_TIME_TOKEN_LEEWAY_SECONDS', meant: 'VERITEE__TIME__TOKEN_LEEWAY_SECONDS' },
    ]);
  });

  it('of callers become camelCase', () => {
    const callers = load({
      VERITEE__CALLERS__BUILD_AGENT__API_KEY_SHA256: HASH,
      VERITEE__CALLERS__BUILD_AGENT__EXPIRES: '2027-01-31',
      VERITEE__CALLERS__BUILD_AGENT__ROLES: '["verify","metrics"]',
    }).callers;
    expect(Object.keys(callers)).toEqual(['buildAgent']);
    expect(callers['buildAgent']).toMatchObject({ apiKeySha256: HASH, roles: ['verify', 'metrics'] });
  });

  it('of callers may be words that objects know', () => {
    expect(Object.keys(load({ VERITEE__CALLERS__CONSTRUCTOR: CALLER }).callers)).toEqual(['constructor']);
  });
});

describe('values', () => {
  it('win over the file, and leave the rest of it', () => {
    const { listen } = load({ VERITEE__LISTEN__PORT: '9000' }, 'listen: { host: 127.0.0.2, port: 8000 }');
    expect(listen).toMatchObject({ host: '127.0.0.2', port: 9000 });
  });

  it('of a section take its place, and a more precise name wins', () => {
    const { listen } = load(
      { VERITEE__LISTEN__PORT: '9000', VERITEE__LISTEN: '{"port":1,"insecure":true}' },
      'listen: { host: 127.0.0.2 }',
    );
    expect(listen).toMatchObject({ host: '127.0.0.1', port: 9000, insecure: true });
  });

  it('add the hash of a key to a caller of the file', () => {
    const { callers } = load(
      { VERITEE__CALLERS__CI__API_KEY_SHA256: HASH },
      'callers: { ci: { expires: 2027-01-31, roles: [verify] } }',
    );
    expect(callers['ci']?.apiKeySha256).toBe(HASH);
  });

  it('do not hide a file that is wrong', () => {
    expect(() => load({ VERITEE__LISTEN__PORT: '1' }, 'listen: 5')).toThrow('listen: must be an object');
  });

  it.each([
    ['VERITEE__LISTEN__PORT', '08', 'VERITEE__LISTEN__PORT: must be a whole number from 0 to 65535'],
    ['VERITEE__LISTEN__PORT', '', 'VERITEE__LISTEN__PORT: must be a whole number from 0 to 65535'],
    ['VERITEE__LISTEN__PORT', '"80"', 'VERITEE__LISTEN__PORT: must be a whole number from 0 to 65535, without quotes'],
    ['VERITEE__LISTEN__PORT', '65536', 'VERITEE__LISTEN__PORT: must be a whole number from 0 to 65535'],
    ['VERITEE__HISTORICAL', 'yes', 'VERITEE__HISTORICAL: must be true or false'],
    ['VERITEE__TPM__ROOTS', '[a]', 'VERITEE__TPM__ROOTS: must be a list in JSON, such as ["a", "b"]'],
    ['VERITEE__TPM__ROOTS', 'a', 'VERITEE__TPM__ROOTS: must be a list in JSON, such as ["a", "b"]'],
    ['VERITEE__LISTEN', 'a', 'VERITEE__LISTEN: must be JSON, such as {"key": "value"}'],
    ['VERITEE__LISTEN', '{"port":1,"port":2}', 'VERITEE__LISTEN line 1, column 11: this key appears twice'],
    ['VERITEE__LISTEN', '{"port":-1}', 'VERITEE__LISTEN: listen.port: must be a whole number from 0 to 65535'],
    ['VERITEE__CHALLENGES__KEY', '', 'VERITEE__CHALLENGES__KEY: must be a path, not empty'],
    ['VERITEE__POLICIES__DEFAULT', 'null ', 'VERITEE__POLICIES__DEFAULT: must be a policy id'],
  ])('refuses %s=%s', (name, spelled, problem) => {
    expect(() => load({ [name]: spelled })).toThrow(expect.objectContaining({ problems: [problem] }));
  });
});
