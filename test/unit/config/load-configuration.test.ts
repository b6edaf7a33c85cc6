import { describe, expect, it } from 'vitest';
import type { Configuration } from '../../../src/config/configuration.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { SHARED_REGIONS } from '../../../src/core/azure-attestation-regions.js';
import { ConfigurationError } from '../../../src/core/errors.js';

const SHARED = 'https://sharedweu.weu.attest.azure.net';
/** Of a region that the list does not have. */
const NEWER = 'https://sharedxyz.xyz.attest.azure.net';
const NO_REGION = (region: string) =>
  `maa.shared[1]: ${region} is not a region as Azure Attestation abbreviates them (such as weu or eus2; known are eus, eus2, ` +
  `scus, ncus, cus, cuse, eus2e, cae, cac, wus, neu, weu, sasia, easia, uks, ukw and ${SHARED_REGIONS.length - 16} more)`;
const KEY_HASH = 'Ab'.repeat(32);
const VERSION = '0123456789abcdef0123456789abcdef';
const UNKNOWN_CLOUD =
  'names no vault of a cloud that is known: the host has to be the name of the vault before one of .vault.azure.net, .managedhsm.azure.net, .vault.azure.cn, .managedhsm.azure.cn, .vault.usgovcloudapi.net, .managedhsm.usgovcloudapi.net, also where a private endpoint answers; use a file for a key of elsewhere';
const VAULT_URL = 'must be the URL of a vault, as https://NAME.vault.azure.net';
const PROXY =
  'must be http://host:port or https://host:port, with user@ before the host where the proxy wants a password';
const UNPROXIED =
  'must be a host name, a suffix such as .example.com, an IP address or a range such as 10.0.0.0/8, without a port';
const VAULT_FORM = 'https://NAME.vault.azure.net/keys/NAME/VERSION';

function load(text: string | null, environment: Record<string, string | undefined> = {}): Configuration {
  return loadConfiguration({ text, environment });
}

function problemsOf(
  text: string | null,
  environment: Record<string, string | undefined> = {},
  file?: string,
): readonly string[] {
  try {
    loadConfiguration({ text, environment, file });
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

/** Objects without prototype as plain ones. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

const [WORLD, EUROPE] = ['https://portal.trustauthority.intel.com', 'https://portal.eu.trustauthority.intel.com'];
const TRUST_AUTHORITIES = [
  { issuer: 'Intel Trust Authority', keys: `${WORLD}/certs`, roots: null, policyIds: [] },
  { issuer: WORLD, keys: `${WORLD}/certs`, roots: null, policyIds: [] },
  { issuer: EUROPE, keys: `${EUROPE}/certs`, roots: null, policyIds: [] },
];

describe('defaults', () => {
  it('are those of the contract', () => {
    expect(plain(load(null))).toEqual({
      listen: {
        host: '127.0.0.1',
        port: 8080,
        insecure: false,
        tls: { cert: null, key: null, clientCa: null, clientCrl: null },
        trustedProxies: [],
        management: null,
      },
      policies: { directory: './policies', default: 'azure-cvm-baseline', shadow: [] },
      tenants: {},
      historical: false,
      limits: { bodyBytes: 2097152, bodyBytesInFlight: 100663296, eventLogBytes: 1048576 },
      deadlineSeconds: 5,
      time: { tokenLeewaySeconds: 60 },
      amd: { kds: 'https://kdsintf.amd.com', chains: './endorsements/amd', refuseProducts: [], products: {} },
      intel: { pcs: 'https://api.trustedservices.intel.com', collateral: './endorsements/intel', early: 'off' },
      azure: { thim: 'off', paravisors: { idKeyDigests: [], mrtds: [], akCertificates: 'off' } },
      tpm: { roots: [], intermediates: './endorsements/tpm' },
      maa: { shared: true, issuers: [], submit: { endpoints: [], apiVersion: '2025-06-01', credential: null } },
      ita: {
        issuers: TRUST_AUTHORITIES,
        submit: null,
      },
      challenges: { lifetimeSeconds: 300, key: null },
      stores: {
        url: 'sqlite:./data/veritee.db',
        connections: 8,
        passwordFile: null,
        credential: null,
        ca: null,
      },
      decisions: { log: 'on', copy: 'off', keepEvidence: 'hash', retentionDays: 365 },
      receipts: {
        issuer: null,
        key: 'ephemeral',
        next: null,
        previous: [],
        credential: null,
        lifetimeSeconds: 300,
      },
      keys: {},
      gates: {},
      callers: {},
      inspector: true,
      log: { level: 'info' },
      traces: null,
      egress: { proxy: null, passwordFile: null, noProxy: [] },
    });
  });

  it.each(['', '# nothing', '---', 'null', '{}'])('hold for a file that says nothing: %j', (text) => {
    expect(load(text)).toEqual(load(null));
  });

  it('are filled in for what a section leaves out', () => {
    expect(load('listen: { port: 0 }').listen).toMatchObject({ host: '127.0.0.1', port: 0 });
  });
});

describe('traces', () => {
  it('are made of a tenth of the requests, and follow nobody, where nothing else is said', () => {
    const defaults = { headersFile: null, sample: 0.1, trustParent: false };
    const endpoint = 'https://collector.example:4318';
    expect(plain(load(`traces: { endpoint: "${endpoint}" }`).traces)).toEqual({ endpoint, ...defaults });
    expect(plain(load(null, { VERITEE__TRACES__ENDPOINT: endpoint }).traces)).toEqual({ endpoint, ...defaults });
  });

  it.each(['http://127.0.0.1:4318', 'http://localhost:4318/v1/traces', 'http://[::1]:4318'])(
    'may go to %s, which is this machine',
    (endpoint) => expect(load(`traces: { endpoint: "${endpoint}" }`).traces?.endpoint).toBe(endpoint),
  );
});

describe('the limit of an event log', () => {
  it('may be as large as fits into a body', () => {
    expect(load('limits: { eventLogBytes: 1572864 }').limits.eventLogBytes).toBe(1_572_864);
    expect(load('limits: { bodyBytes: 4194304, eventLogBytes: 3145728 }').limits.eventLogBytes).toBe(3_145_728);
  });

  it('goes down with that of the body where it is not set, and never up', () => {
    expect(load('limits: { bodyBytes: 65536 }').limits.eventLogBytes).toBe(49_152);
    expect(load(null, { VERITEE__LIMITS__BODY_BYTES: '65536' }).limits.eventLogBytes).toBe(49_152);
    expect(load('limits: { bodyBytes: 67108864 }').limits.eventLogBytes).toBe(1_048_576);
  });

  it('is a problem where the environment makes the body too small for it', () => {
    const problems = problemsOf('limits: { eventLogBytes: 1048576 }', { VERITEE__LIMITS__BODY_BYTES: '65536' });
    expect(problems).toEqual([expect.stringMatching(/^limits\.eventLogBytes: .* at most 49152 bytes/)]);
  });
});

describe('the result', () => {
  it('is frozen to the last member', () => {
    const configuration = load(`callers: { ci: { apiKeySha256: ${KEY_HASH}, expires: 2027-01-31, roles: [verify] } }`);
    const isFrozen = (value: unknown): boolean =>
      typeof value !== 'object' ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every((member) => isFrozen(member)));
    expect(isFrozen(configuration)).toBe(true);
  });

  it('has keys of both kinds with their defaults', () => {
    const text = `keys:
  db: { vault: "https://V.vault.azure.net/", name: k, policy: p, enc: RSA_AES_KEY_WRAP_384 }
  disk: { local: ./disk.key, policy: p, tenant: other }
tenants: { other: { policies: { directory: ./other } } }`;
    const { db, disk } = load(text).keys;
    expect({ ...db }).toEqual({
      vault: 'https://V.vault.azure.net',
      name: 'k',
      version: null,
      enc: 'RSA_AES_KEY_WRAP_384',
      roots: null,
      credential: { kind: 'managed-identity', clientId: null },
      policy: 'p',
      anyMachine: false,
      tenant: 'default',
    });
    expect({ ...disk }).toEqual({ local: './disk.key', policy: 'p', anyMachine: false, tenant: 'other' });
  });

  it('has a caller with keys of its tenant', () => {
    const text = `keys: { disk: { local: k.bin, policy: p } }
callers: { ci: { apiKeySha256: ${KEY_HASH}, expires: 2027-01-31, roles: [release], keys: [disk] } }`;
    expect(load(text).callers['ci']?.keys).toEqual(['disk']);
  });

  it('takes no member from the prototype', () => {
    expect(load(null).callers['constructor']).toBeUndefined();
    expect(load('keys: {}').keys['toString']).toBeUndefined();
  });

  it('has a caller with hex in lower case, its instant in UTC and its defaults', () => {
    const { callers } = load(`callers: { ci: { apiKeySha256: ${KEY_HASH}, expires: 2027-01-31, roles: [verify] } }`);
    expect(callers['ci']).toEqual({
      apiKeySha256: KEY_HASH.toLowerCase(),
      expires: '2027-01-31T00:00:00.000Z',
      next: null,
      roles: ['verify'],
      policies: null,
      audience: null,
      tenant: 'default',
      keys: [],
      oidc: null,
      mtls: null,
      kubernetes: null,
    });
  });
});

describe('YAML', () => {
  it.each([
    ['a repeated key', 'historical: true\nhistorical: false', 'line 2, column 1: this key appears twice'],
    ['an alias', 'tpm: { roots: &r [a] }\nmaa: { shared: *r }', 'line 2, column 16: aliases (*name) are not read'],
    ['an unknown tag', 'listen: !env {}', 'line 1, column 9: unknown tag (!name)'],
    ['a second document', '{}\n---\n{}', 'line 2, column 1: a second document begins: only one is read'],
    [
      'a text without end',
      'historical: "',
      'line 1, column 14: something is missing: a closing quote or bracket, a comma, or the space after a colon',
    ],
    ['a tab', 'listen:\n\tport: 1', 'line 2, column 1: tabs cannot indent: use spaces'],
    [
      'a bracket without end',
      'listen: { port: 1',
      'line 1, column 18: indented differently from what it belongs to, or a bracket is not closed',
    ],
  ])('refuses %s, with line and column', (_, text, problem) => {
    expect(problemsOf(text)).toEqual([`configuration file ${problem}`]);
    expect(problemsOf(text, {}, 'own.yaml')).toEqual([`own.yaml ${problem}`]);
  });

  it.each([
    ['something else than an object', '- listen', 'configuration: must be an object'],
    ['a version directive', '%YAML 1.1\n---\nhistorical: yes', 'configuration file: has a version directive (%YAML)'],
    [
      'a merge key',
      'listen: { <<: { port: 1 } }',
      'listen.<<: unknown key; there are host, port, insecure, tls, trustedProxies, management',
    ],
  ])('refuses %s', (_, text, problem) => {
    expect(problemsOf(text)).toContain(problem);
  });

  it('names the file that is not an object, where there is one', () => {
    expect(problemsOf('- listen', {}, 'own.yaml')).toEqual(['own.yaml: must be an object']);
    expect(problemsOf('configuration: 1', {}, 'own.yaml')).toEqual([
      expect.stringMatching(/^own\.yaml line 1: configuration: unknown key/),
    ]);
  });

  it.each([
    [
      'a member',
      'log:\n  level: info\nlisten:\n  port: x\n',
      'own.yaml line 4: listen.port: must be a whole number from 0 to 65535',
    ],
    [
      'an unknown key',
      'listen:\n  host: ::1\n  prot: 1\n',
      'own.yaml line 3: listen.prot: unknown key; did you mean port?',
    ],
    ['an item', 'tpm:\n  roots:\n  - a\n  - 7\n', 'own.yaml line 4: tpm.roots[1]: must be a path, not empty'],
    [
      'a member of an item',
      'maa:\n  issuers:\n  - issuer: https://a.example\n    policyHash: any\n    teeSigner: no\n',
      'own.yaml line 5: maa.issuers[0].teeSigner: must be any or required',
    ],
    [
      'a member of something whose name has a dot',
      `callers:\n  a.b:\n    apiKeySha256: ${KEY_HASH}\n    expires: soon\n    roles: [verify]\n`,
      'own.yaml line 4: callers.a.b.expires: must be a date such as 2027-01-31, or with a time in UTC',
    ],
    [
      'what is missing, around it',
      'keys:\n  k: { vault: https://v.vault.azure.net, name: k, enc: RSA_AES_KEY_WRAP_384 }',
      'own.yaml line 2: keys.k.policy: is missing',
    ],
    [
      'what does not fit together',
      'listen:\n  host: 0.0.0.0\n',
      'own.yaml line 2: listen.host: not a loopback address, and no callers are configured (listen.insecure: true serves anyone)',
    ],
  ])('a problem names file and line: %s', (_, text, problem) => {
    expect(problemsOf(text, {}, 'own.yaml')).toEqual([problem]);
  });

  it('what is missing beside a variable names it, where the file does not have its surroundings', () => {
    const environment = { VERITEE__CALLERS__GATE__API_KEY_SHA256: 'ab'.repeat(32) };
    const problemsWith = (text: string) =>
      problemsOf(text, environment, 'me.yaml').filter((problem) => problem.includes('roles'));
    const from = '(callers.gate is from VERITEE__CALLERS__GATE__API_KEY_SHA256)';
    expect(problemsWith('log: { level: warn }\ncallers: {}')).toEqual([`callers.gate.roles: is missing ${from}`]);
    expect(problemsWith('callers: { gate: { tenant: default } }')).toEqual([
      'me.yaml line 1: callers.gate.roles: is missing',
    ]);
  });

  it('a value of the environment is not looked for in the file', () => {
    const problems = problemsOf('listen:\n  port: 1\n', { VERITEE__LISTEN__PORT: '-1' }, 'own.yaml');
    expect(problems).toEqual(['VERITEE__LISTEN__PORT: must be a whole number from 0 to 65535']);
  });

  it('does not quote the file, which may hold secrets', () => {
    const problems = problemsOf('callers: { ci: { apiKeySha256: sesame\n  "sesame" ] }').join();
    expect(problems).not.toBe('');
    expect(problems).not.toContain('sesame');
  });
});

describe('each refusal names its place', () => {
  const DIGEST = 'ab'.repeat(48);
  const paravisor = (entries: string) => `azure: { paravisors: { idKeyDigests: [${entries}] } }`;
  const caller = (members: string) => `callers: { ci: { roles: [verify], ${members} } }`;
  const keyed = (members: string) => caller(`apiKeySha256: ${KEY_HASH}, expires: 2027-01-31, ${members}`);
  const key = (members: string) => `keys: { db: { vault: https://v.vault.azure.net, name: k, policy: p, ${members} } }`;
  const submit = (members: string) => `maa: { submit: { ${members} } }`;
  const credential = (value: string) => submit(`endpoints: [ ${SHARED} ], credential: ${value}`);
  const ita = (members: string) => `ita: { submit: { ${members} } }`;
  const TENANT_PROBLEM = 'maa.submit.credential.tenantId: must be the id or the domain of a tenant';
  const AUTHORITY_PROBLEM = 'maa.submit.credential.authority: must be an https URL without path';
  const issuer = (members: string) => `maa: { issuers: [ { issuer: https://my.weu.attest.azure.net, ${members} } ] }`;

  it.each([
    ['lisen: {}', 'lisen: unknown key; did you mean listen?'],
    ['listen: { prot: 1 }', 'listen.prot: unknown key; did you mean port?'],
    ['__proto__: {}', '__proto__: unknown key;'],
    ['listen:', 'listen: must be an object'],
    ['listen: { host: "" }', 'listen.host: must be a host name or address, without a port'],
    ['listen: { host: "127.0.0.1:8080" }', 'listen.host: must be a host name or address, without a port'],
    ['listen: { host: "[::1]" }', 'listen.host: must be a host name or address, without a port'],
    ['listen: { host: "a b" }', 'listen.host: must be a host name or address, without a port'],
    ['listen: { port: "8080" }', 'listen.port: must be a whole number from 0 to 65535, without quotes'],
    ['listen: { port: "http" }', 'listen.port: must be a whole number from 0 to 65535'],
    ['listen: { port: "" }', 'listen.port: must be a whole number from 0 to 65535'],
    ['historical: "true"', 'historical: must be true or false, without quotes'],
    ['listen: { port: 65536 }', 'listen.port: must be a whole number from 0 to 65535'],
    ['listen: { port: -1 }', 'listen.port: must be a whole number from 0 to 65535'],
    ['listen: { port: 80.5 }', 'listen.port: must be a whole number from 0 to 65535'],
    ['listen: { port: null }', 'listen.port: must be a whole number from 0 to 65535'],
    ['listen: { insecure: yes }', 'listen.insecure: must be true or false'],
    ['listen: { tls: { cert: a.pem } }', 'listen.tls: needs both cert and key'],
    ['listen: { tls: { key: a.pem } }', 'listen.tls: needs both cert and key'],
    ['listen: { tls: { clientCa: a.pem } }', 'listen.tls.clientCa: needs cert and key'],
    ['listen: { tls: { cert: a.pem, key: b.pem, clientCrl: c.pem } }', 'listen.tls.clientCrl: needs clientCa'],
    ['listen: { tls: { cert: "", key: a } }', 'listen.tls.cert: must be a path, not empty'],
    ['listen: { trustedProxies: 10.0.0.1 }', 'listen.trustedProxies: must be a list'],
    [
      'listen: { trustedProxies: [ 10.0.0.1, proxy ] }',
      'listen.trustedProxies[1]: must be an IP address or a range such as 10.0.0.0/8, and not every address',
    ],
    [
      'listen: { trustedProxies: [ 0.0.0.0/0 ] }',
      'listen.trustedProxies[0]: must be an IP address or a range such as 10.0.0.0/8, and not every address',
    ],
    [
      'listen: { trustedProxies: [ 10.0.0.0/33 ] }',
      'listen.trustedProxies[0]: must be an IP address or a range such as 10.0.0.0/8, and not every address',
    ],
    ['listen: { trustedProxies: [ 10.0.0.1, 10.0.0.1 ] }', 'listen.trustedProxies: repeats an item'],
    ['policies: { default: Azure }', 'policies.default: must be a policy id'],
    ['policies: { directory: 7 }', 'policies.directory: must be a path, not empty'],
    ['historical: 1', 'historical: must be true or false'],
    ['limits: { bodyBytes: 1023 }', 'limits.bodyBytes: must be a whole number from 1024 to 67108864'],
    [
      'limits: { bodyBytesInFlight: 2097151 }',
      'limits.bodyBytesInFlight: must be at least 2097152: it has no room for one body',
    ],
    [
      `limits: { bodyBytesInFlight: 6291455 }\ncallers: { ci: { apiKeySha256: ${KEY_HASH}, expires: 2027-01-31, roles: [verify] } }`,
      'limits.bodyBytesInFlight: must be at least 6291456: it has no room for one body of a caller, who may hold a third of it',
    ],
    ['limits: { eventLogBytes: 67108865 }', 'limits.eventLogBytes: must be a whole number from 1024 to 67108864'],
    [
      'limits: { bodyBytes: 1048576, eventLogBytes: 1048576 }',
      'limits.eventLogBytes: can never be reached: a body of limits.bodyBytes (1048576) has room for an event log of at most 786432 bytes in base64',
    ],
    [
      'limits: { eventLogBytes: 1572865 }',
      'limits.eventLogBytes: can never be reached: a body of limits.bodyBytes (2097152) has room for an event log of at most 1572864 bytes in base64',
    ],
    ['deadlineSeconds: 0', 'deadlineSeconds: must be a number from 0.1 to 120'],
    ['deadlineSeconds: .nan', 'deadlineSeconds: must be a number from 0.1 to 120'],
    ['deadlineSeconds: .inf', 'deadlineSeconds: must be a number from 0.1 to 120'],
    ['time: { tokenLeewaySeconds: 301 }', 'time.tokenLeewaySeconds: must be a whole number from 0 to 300'],
    ['time: { tokenLeewaySeconds: -1 }', 'time.tokenLeewaySeconds: must be a whole number from 0 to 300'],
    ['amd: { kds: ftp://a }', 'amd.kds: must be off, or an http or https URL without user, query and fragment'],
    ['amd: { kds: false }', 'amd.kds: must be off, or an http or https URL without user, query and fragment'],
    ['amd: { kds: https://u:p@a }', 'amd.kds: must be off, or an http or https URL without user, query and fragment'],
    ['amd: { kds: https://a?b }', 'amd.kds: must be off, or an http or https URL without user, query and fragment'],
    ['amd: { refuseProducts: [Rome] }', 'amd.refuseProducts[0]: must be one of Milan, Genoa, Turin'],
    ['intel: { early: on }', 'intel.early: must be off or shadow'],
    [
      'intel: { pcs: off, early: shadow }',
      'intel.early: intel.pcs is off, so there is no service that early collateral could come from',
    ],
    ['intel: { pcs: on }', 'intel.pcs: must be off, or an http or https URL without user, query and fragment'],
    ['azure: { thim: true }', 'azure.thim: must be off, or an http or https URL without user, query and fragment'],
    [
      paravisor('ab'),
      'azure.paravisors.idKeyDigests[0]: must be 48 bytes in hex, or { digest, minGuestSvn } with minGuestSvn from 0 to 65535',
    ],
    [paravisor(`{ digest: ${DIGEST} }`), 'azure.paravisors.idKeyDigests[0].minGuestSvn: is missing'],
    [
      paravisor(`{ digest: ${DIGEST}, minGuestSvn: 65536 }`),
      'azure.paravisors.idKeyDigests[0].minGuestSvn: must be a whole number from 0 to 65535',
    ],
    [
      paravisor(`{ digest: ${DIGEST}, minGuestSvn: "9" }`),
      'azure.paravisors.idKeyDigests[0].minGuestSvn: must be a whole number from 0 to 65535, without quotes',
    ],
    [
      paravisor(`${DIGEST}, { digest: ${DIGEST.toUpperCase()}, minGuestSvn: 1 }`),
      'azure.paravisors.idKeyDigests[1]: is listed twice',
    ],
    [
      paravisor(`"${'00'.repeat(48)}"`),
      'azure.paravisors.idKeyDigests[0]: is all zero: no key signed the launch, so any guest can have it',
    ],
    [
      paravisor(
        '{ digest: b5874f6d74ec184263d6d11af9c29d5824413c4adb303fbc210e5200b2c159be39c59907714b76c7b385ab225b7ad80f, minGuestSvn: 2 }',
      ),
      'azure.paravisors.idKeyDigests[0]: is of Azure container groups, which any tenant can start',
    ],
    ['azure: { paravisors: { mrtds: [ab] } }', 'azure.paravisors.mrtds[0]: must be 48 bytes in hex'],
    ['tpm: { roots: [1] }', 'tpm.roots[0]: must be a path, not empty'],
    ['maa: { shared: all }', 'maa.shared: must be true, false, or a list of regions'],
    ...['WEU', 'sharedweu.weu.attest.azure.net', '""'].map((entry): [string, string] => [
      `maa: { shared: [weu, ${entry}] }`,
      'maa.shared[1]: must be the abbreviation of a region in lower case, such as weu or eus2',
    ]),
    ['maa: { shared: [weu, weu] }', 'maa.shared: repeats an item'],
    ...[
      ['eastus', 'eus'],
      ['westeurope', 'weu'],
      ['germanywestcentral', 'dewc'],
    ].map(([name, abbreviation]): [string, string] => [
      `maa: { shared: [weu, ${name}] }`,
      `maa.shared[1]: ${name} is not a region as Azure Attestation abbreviates them; did you mean ${abbreviation}?`,
    ]),
    ...['test', 'westatlantis', 'constructor', 'w', 'weu22', 'eus2ex'].map((region): [string, string] => [
      `maa: { shared: [weu, ${region}] }`,
      region === 'w'
        ? 'maa.shared[1]: must be the abbreviation of a region in lower case, such as weu or eus2'
        : NO_REGION(region),
    ]),
    ['maa: { issuers: [ {} ] }', 'maa.issuers[0].issuer: is missing'],
    [
      'maa: { issuers: [ { issuer: http://a.example, policyHash: any } ] }',
      'maa.issuers[0].issuer: must be an https URL without user, query and fragment',
    ],
    [issuer('policyHash: all'), 'maa.issuers[0].policyHash: must be any, or a list of SHA-256 hashes in base64url'],
    [issuer('policyHash: []'), 'maa.issuers[0].policyHash: must not be empty'],
    [
      issuer('keys: jwks'),
      'maa.issuers[0].policyHash: is missing, and the issuer is not a shared provider (any accepts every policy)',
    ],
    [
      'maa: { issuers: [ { issuer: https://sharedweu.eus.attest.azure.net } ] }',
      'maa.issuers[0].policyHash: is missing, and the issuer is not a shared provider (any accepts every policy)',
    ],
    ...[
      'https://shareduga.ugv.attest.azure.us',
      'https://shareduga.uga.attest.azure.de',
      'https://shareduga.uga.attest.azure.us.example',
      'https://shareduga.uga.attestXazure.us',
      'https://sharedtest.test.attest.azure.net',
      'https://sharedtest.test.attest.azure.us',
      'https://sharedwesteurope.westeurope.attest.azure.net',
    ].map((other): [string, string] => [
      `maa: { issuers: [ { issuer: ${other} } ] }`,
      'maa.issuers[0].policyHash: is missing, and the issuer is not a shared provider (any accepts every policy)',
    ]),
    [
      'maa: { issuers: [ { issuer: https://a.example, policyHash: any }, { issuer: https://a.example, keys: f, policyHash: any } ] }',
      'maa.issuers[1].issuer: is listed twice',
    ],
    ['maa: { submit: { apiVersion: 2025 } }', 'maa.submit.apiVersion: must be a version such as 2025-06-01'],
    ['maa: { submit: { apiVersion: latest } }', 'maa.submit.apiVersion: must be a version such as 2025-06-01'],
    [issuer('policyHash: any, policySigner: []'), 'maa.issuers[0].policySigner: must not be empty'],
    [issuer('policyHash: any, policySigner: [ab]'), 'maa.issuers[0].policySigner[0]: must be 32 bytes in hex'],
    [issuer('policyHash: any, teeSigner: true'), 'maa.issuers[0].teeSigner: must be any or required'],
    [issuer('policyHash: any, policySigners: []'), 'maa.issuers[0].policySigners: unknown key;'],
    [submit('endpoints: [ http://a.example ]'), 'maa.submit.endpoints[0]: must be an https URL without path'],
    [submit(`endpoints: [ ${SHARED}/ ]`), 'maa.submit.endpoints[0]: must be an https URL without path'],
    [submit(`endpoints: [ ${SHARED}, ${SHARED} ]`), 'maa.submit.endpoints: repeats an item'],
    [submit('credential: managed-identity'), 'maa.submit.credential: there are no endpoints that would use it'],
    [credential('7'), 'maa.submit.credential: must be an object, or the name of its kind'],
    [
      credential('default'),
      'maa.submit.credential.kind: must be one of workload-identity, managed-identity, client-secret, client-certificate',
    ],
    [
      credential('{}'),
      'maa.submit.credential.kind: must be one of workload-identity, managed-identity, client-secret, client-certificate',
    ],
    [credential('client-secret'), 'maa.submit.credential.secretFile: is missing'],
    [credential('{ kind: client-secret, secret: sesame }'), 'maa.submit.credential.secret: unknown key;'],
    [credential('{ kind: client-certificate }'), 'maa.submit.credential.certificateFile: is missing'],
    [credential('{ kind: client-certificate, tenantId: a/b }'), TENANT_PROBLEM],
    [credential('{ kind: managed-identity, clientId: mine }'), 'maa.submit.credential.clientId: must be a UUID'],
    [
      credential('{ kind: managed-identity, authority: https://login.microsoftonline.us }'),
      'maa.submit.credential.authority: unknown key;',
    ],
    [credential('{ kind: workload-identity, authority: http://127.0.0.1:1 }'), AUTHORITY_PROBLEM],
    [credential('{ kind: workload-identity, authority: https://login.microsoftonline.us/x }'), AUTHORITY_PROBLEM],
    ['ita: { issuers: [ { issuer: a } ] }', 'ita.issuers[0].keys: is missing'],
    [
      'ita: { issuers: [ { issuer: a, keys: http://a.example } ] }',
      'ita.issuers[0].keys: must be an https URL or a path',
    ],
    ['ita: { issuers: [ { issuer: a, keys: f }, { issuer: a, keys: g } ] }', 'ita.issuers[1].issuer: is listed twice'],
    [
      'ita: { issuers: [ { issuer: a, keys: f, policyIds: [ mine ] } ] }',
      'ita.issuers[0].policyIds[0]: must be a UUID',
    ],
    ['ita: { submit: yes }', 'ita.submit: must be an object'],
    ['ita: { submit: {} }', 'ita.submit.apiKeyFile: is missing'],
    [ita('api: http://api.example'), 'ita.submit.api: must be an https URL without path'],
    [ita('api: https://api.example/v2'), 'ita.submit.api: must be an https URL without path'],
    [ita('apiKey: sesame'), 'ita.submit.apiKey: unknown key;'],
    [ita('policyIds: [mine]'), 'ita.submit.policyIds[0]: must be a UUID'],
    [ita('policyMustMatch: 1'), 'ita.submit.policyMustMatch: must be true or false'],
    [
      ita('api: https://api.example, apiKeyFile: k, policyMustMatch: true'),
      'ita.submit.policyMustMatch: there are no policyIds that would have to match',
    ],
    [ita('signingAlgorithm: HS256'), 'ita.submit.signingAlgorithm: must be PS384 or RS256'],
    ['challenges: { lifetimeSeconds: 0 }', 'challenges.lifetimeSeconds: must be a whole number from 1 to 3600'],
    ['challenges: { key: [] }', 'challenges.key: must be a path, not empty'],
    ['decisions: { log: maybe }', 'decisions.log: must be on or off'],
    ['decisions: { keepEvidence: all }', 'decisions.keepEvidence: must be hash or full'],
    ['decisions: { retentionDays: 0 }', 'decisions.retentionDays: must be a whole number from 1 to 36500'],
    ['receipts: { issuer: "" }', 'receipts.issuer: must be an https URL without user, query and fragment'],
    [
      'receipts: { issuer: "http://veritee.example" }',
      'receipts.issuer: must be an https URL without user, query and fragment',
    ],
    [
      'receipts: { issuer: "https://veritee.example?a=b" }',
      'receipts.issuer: must be an https URL without user, query and fragment',
    ],
    ['receipts: { previous: [a.pem, a.pem] }', 'receipts.previous: repeats an item'],
    ['egress: { proxy: "proxy.example:3128" }', `egress.proxy: ${PROXY}`],
    ['egress: { proxy: "http://proxy.example" }', `egress.proxy: ${PROXY}`],
    ['egress: { proxy: "http://user:secret@proxy.example:3128" }', `egress.proxy: ${PROXY}`],
    ['egress: { proxy: "http://proxy.example:3128/" }', `egress.proxy: ${PROXY}`],
    ['egress: { proxy: "http://proxy.example:3128?a" }', `egress.proxy: ${PROXY}`],
    ['egress: { proxy: "socks5://proxy.example:1080" }', `egress.proxy: ${PROXY}`],
    ['egress: { proxy: "http://proxy.example:99999" }', `egress.proxy: ${PROXY}`],
    ['egress: { proxy: "http://us%3Aer@proxy.example:1" }', `egress.proxy: ${PROXY}`],
    ['egress: { proxy: "http://%zz@proxy.example:1" }', `egress.proxy: ${PROXY}`],
    ['egress: { proxy: "http://a b:1" }', `egress.proxy: ${PROXY}`],
    ['egress: { noProxy: ["*"] }', `egress.noProxy[0]: ${UNPROXIED}`],
    ['egress: { noProxy: ["*.example"] }', `egress.noProxy[0]: ${UNPROXIED}`],
    ['egress: { noProxy: ["host:443"] }', `egress.noProxy[0]: ${UNPROXIED}`],
    ['egress: { noProxy: ["https://host"] }', `egress.noProxy[0]: ${UNPROXIED}`],
    ['egress: { noProxy: ["10.0.0.0/0"] }', `egress.noProxy[0]: ${UNPROXIED}`],
    ['egress: { noProxy: ["10.0.0.0/33"] }', `egress.noProxy[0]: ${UNPROXIED}`],
    ['egress: { noProxy: ["a..b"] }', `egress.noProxy[0]: ${UNPROXIED}`],
    ['egress: { noProxy: [""] }', `egress.noProxy[0]: ${UNPROXIED}`],
    ['egress: { noProxy: ["."] }', `egress.noProxy[0]: ${UNPROXIED}`],
    ['egress: { proxy: "http://user@p.example:1" }', 'egress.passwordFile: is missing: the proxy names a user'],
    [
      'egress: { proxy: "http://p.example:1", passwordFile: f }',
      'egress.passwordFile: needs a proxy that names a user: user@host',
    ],
    ['egress: { passwordFile: f }', 'egress.passwordFile: needs a proxy that names a user: user@host'],
    ['traces: { sample: 1 }', 'traces.endpoint: is missing'],
    ['traces: { headersFile: headers }', 'traces.endpoint: is missing'],
    [
      'traces: { endpoint: "http://collector.example:4318" }',
      'traces.endpoint: must be an https URL without user, query and fragment',
    ],
    [
      'traces: { endpoint: "https://me:secret@collector.example" }',
      'traces.endpoint: must be an https URL without user, query and fragment',
    ],
    ['traces: { endpoint: "https://a.example", sample: 1.1 }', 'traces.sample: must be a number from 0 to 1'],
    ['traces: { endpoint: "https://a.example", sample: -0.1 }', 'traces.sample: must be a number from 0 to 1'],
    [
      'traces: { endpoint: "https://a.example", trustParent: "true" }',
      'traces.trustParent: must be true or false, without quotes',
    ],
    ['receipts: { key: "" }', 'receipts.key: must be a path, or the URL of a version of a Key Vault key, not empty'],
    [
      'receipts: { key: https://v.vault.azure.net/secrets/k }',
      `receipts.key: must be a path, or the URL of a version of a key in Azure Key Vault or Managed HSM (${VAULT_FORM})`,
    ],
    [`receipts: { key: https://v.vault.example/keys/k/${VERSION} }`, `receipts.key: ${UNKNOWN_CLOUD}`],
    [
      `receipts: { next: https://v.privatelink.vaultcore.azure.net/keys/k/${VERSION} }`,
      `receipts.next: ${UNKNOWN_CLOUD}`,
    ],
    [
      `receipts: { next: http://v.vault.azure.net/keys/k/${VERSION} }`,
      `receipts.next: must be a path, or the URL of a version of a key in Azure Key Vault or Managed HSM (${VAULT_FORM})`,
    ],
    [
      `receipts: { previous: [a.pem, https://v.vault.azure.net:444/keys/k/${VERSION}] }`,
      `receipts.previous[1]: must be a path, or the URL of a version of a key in Azure Key Vault or Managed HSM (${VAULT_FORM})`,
    ],
    [
      'receipts: { key: https://v.vault.azure.net/keys/k }',
      `receipts.key: names no version of the key, and so another key after each rotation there (${VAULT_FORM})`,
    ],
    [
      'receipts: { key: https://v.vault.azure.net/keys/k/ }',
      `receipts.key: names no version of the key, and so another key after each rotation there (${VAULT_FORM})`,
    ],
    [
      `receipts: { key: https://v.vault.azure.net/keys/k/${VERSION} }`,
      'receipts.credential: is missing, and there are keys of a Key Vault',
    ],
    [
      `receipts: { next: https://v.managedhsm.azure.net/keys/k/${VERSION} }`,
      'receipts.credential: is missing, and there are keys of a Key Vault',
    ],
    [
      `receipts: { key: a.pem, previous: [https://v.vault.azure.cn/keys/k/${VERSION}] }`,
      'receipts.credential: is missing, and there are keys of a Key Vault',
    ],
    [
      'stores: { url: "postgres://veritee@db.example/veritee" }\nchallenges: { key: k }\nreceipts: { key: ephemeral }',
      'receipts.key: must not be ephemeral, since stores.url may be shared: each replica would sign with a key of its own',
    ],
    [
      'decisions: { log: off, copy: stdout }',
      'decisions.copy: decisions.log is off, so there are no records to be copied',
    ],
    [
      'decisions: { log: off, keepEvidence: full }',
      'decisions.keepEvidence: decisions.log is off, so there are no records that evidence could be kept with',
    ],
    [
      'receipts: { key: a.pem, credential: managed-identity }',
      'receipts.credential: there are no keys of a Key Vault that would use it',
    ],
    [
      `receipts: { key: https://v.vault.azure.net/keys/k/${VERSION}, credential: mine }`,
      'receipts.credential.kind: must be one of workload-identity, managed-identity, client-secret, client-certificate',
    ],
    ['receipts: { lifetimeSeconds: 301 }', 'receipts.lifetimeSeconds: must be a whole number from 1 to 300'],
    ['keys: []', 'keys: must be an object'],
    [
      key('enc: RSA-OAEP'),
      'keys.db.enc: must be one of CKM_RSA_AES_KEY_WRAP, RSA_AES_KEY_WRAP_256, RSA_AES_KEY_WRAP_384',
    ],
    [key('version: 7'), 'keys.db.version: must be the version of a key: 32 digits of hex in lower case'],
    [
      'keys: { db: { vault: https://v.vault.azure.net, name: data_base } }',
      'keys.db.name: must be the name of a key: 1 to 127 letters, digits and hyphens',
    ],
    [key('enc: RSA_AES_KEY_WRAP_384, roots: 7'), 'keys.db.roots: must be a path, not empty'],
    [
      key('enc: RSA_AES_KEY_WRAP_384, credential: mine'),
      'keys.db.credential.kind: must be one of workload-identity, managed-identity, client-secret, client-certificate',
    ],
    [key('enc: RSA_AES_KEY_WRAP_384, tenant: ""'), 'keys.db.tenant: must be a name'],
    ['keys: { db: { vault: https://v.vault.example } }', `keys.db.vault: ${UNKNOWN_CLOUD.replace(/; use.*/, '')}`],
    ['keys: { db: { vault: https://v.vault.azure.net/keys } }', `keys.db.vault: ${VAULT_URL}`],
    ['keys: { db: { vault: http://v.vault.azure.net } }', `keys.db.vault: ${VAULT_URL}`],
    ['keys: { db: { vault: https://v.vault.azure.net:444 } }', `keys.db.vault: ${VAULT_URL}`],
    ['keys: { db: { local: 7, policy: p } }', 'keys.db.local: must be a path, not empty'],
    ['keys: { db: { local: k.bin } }', 'keys.db.policy: is missing'],
    ['keys: { db: { local: k.bin, policy: p, name: k } }', 'keys.db.name: unknown key;'],
    [
      'keys: { db: { local: k.bin, policy: p } }\ndecisions: { log: off }',
      'keys: decisions.log is off, and each attempt to release a key has to be stored',
    ],
    [keyed('keys: [db]'), 'callers.ci.keys[0]: there is no key db in keys'],
    [
      `keys: { disk: { local: k.bin, policy: p } }\n${keyed('keys: [disc]')}`,
      'callers.ci.keys[0]: there is no key disc in keys; did you mean disk?',
    ],
    [
      `tenants: { other: { policies: { directory: p } } }\nkeys: { db: { local: k.bin, policy: p, tenant: other } }\n${keyed('keys: [db]')}`,
      'callers.ci.keys[0]: db is of the tenant other',
    ],
    ['keys: { db: {} }', 'keys.db.vault: is missing'],
    ['keys: { db: {} }', 'keys.db.policy: is missing'],
    ['callers: { "../x": {} }', 'callers.../x: is not a name'],
    ['callers: { __proto__: {} }', 'callers.__proto__: is not a name'],
    ['callers: { ci: null }', 'callers.ci: must be an object'],
    ['callers: { ci: { apiKey: sesame } }', 'callers.ci.apiKey: unknown key;'],
    ['callers: { ci: {} }', 'callers.ci.roles: is missing'],
    ['callers: { ci: { roles: [] } }', 'callers.ci.roles: must not be empty'],
    [
      'callers: { ci: { roles: [admin] } }',
      'callers.ci.roles[0]: must be one of verify, release, policy:read, audit:read, metrics',
    ],
    [caller('apiKeySha256: abcd'), 'callers.ci.apiKeySha256: must be 32 bytes in hex'],
    [caller(`apiKeySha256: ${KEY_HASH}`), 'callers.ci.expires: is missing'],
    [caller('expires: 2027-01-31'), 'callers.ci: needs one of apiKeySha256, oidc, mtls and kubernetes'],
    [keyed('mtls: {}'), 'callers.ci: needs one of apiKeySha256, oidc, mtls and kubernetes'],
    [caller('expires: 2027-02-30'), 'callers.ci.expires: must be a date such as 2027-01-31, or with a time in UTC'],
    [caller('expires: 2027'), 'callers.ci.expires: must be a date such as 2027-01-31, or with a time in UTC'],
    [
      caller('expires: "2027-01-31T00:00:00+02:00"'),
      'callers.ci.expires: must be a date such as 2027-01-31, or with a time in UTC',
    ],
    [caller('mtls: {}, expires: 2027-01-31'), 'callers.ci.expires: is for apiKeySha256 alone'],
    [
      caller(`mtls: {}, next: { apiKeySha256: ${KEY_HASH}, expires: 2027-01-31 }`),
      'callers.ci.next: is for apiKeySha256 alone',
    ],
    [keyed(`next: { apiKeySha256: ${KEY_HASH} }`), 'callers.ci.next.expires: is missing'],
    [
      keyed(`next: { apiKeySha256: ${KEY_HASH}, expires: 2028-01-31 }`),
      'callers.ci.next.apiKeySha256: is another key of a caller too',
    ],
    [keyed('policies: []'), 'callers.ci.policies: must not be empty'],
    [keyed('audience: https://a'), 'callers.ci.audience: must be a list'],
    [
      keyed('audience: [https://a, URN:veritee:gate]'),
      'callers.ci.audience[1]: names that begin with urn:veritee: are of the service itself',
    ],
    [keyed('tenant: "a b"'), 'callers.ci.tenant: must be a name'],
    [
      `callers: { a: { apiKeySha256: ${KEY_HASH}, expires: 2027-01-31, roles: [verify] }, b: { apiKeySha256: ${KEY_HASH.toLowerCase()}, expires: 2027-01-31, roles: [verify] } }`,
      'callers.b.apiKeySha256: is another key of a caller too',
    ],
    ['gates: { web: { policy: p } }', 'gates.web.audience: is missing'],
    ['gates: { web: { audience: a } }', 'gates.web.policy: is missing'],
    ['gates: { "a/b": { audience: a, policy: p } }', 'gates.a/b: is not a name'],
    [
      'gates: { web: { audience: urn:veritee:not-allowed, policy: p } }',
      'gates.web.audience: names that begin with urn:veritee: are of the service itself',
    ],
    ['gates: { web: { audience: a, policy: p, tenant: "" } }', 'gates.web.tenant: must be a name'],
    [
      'gates: { web: { audience: a, policy: p, url: http://app.example } }',
      'gates.web.url: must be an https URL without path',
    ],
    [
      'gates: { web: { audience: a, policy: p, url: https://app.example/x } }',
      'gates.web.url: must be an https URL without path',
    ],
    ['log: { level: silent }', 'log.level: must be one of fatal, error, warn, info, debug, trace'],
  ])('%s', (text, problem) => {
    expect(problemsOf(text)).toContainEqual(problem.endsWith(';') ? expect.stringContaining(problem) : problem);
  });

  it.each(['on', 'true', '2025', '2025-02-30', '"2025-10-01T00:00:00Z"'])('akCertificates: %s', (value) => {
    expect(problemsOf(`azure: { paravisors: { akCertificates: ${value} } }`)).toEqual([
      'azure.paravisors.akCertificates: must be off, or a date such as 2025-10-01',
    ]);
  });

  it('reports everything that is wrong at once, of file and environment', () => {
    const problems = problemsOf('historical: 1\nlog: { level: loud }', {
      VERITEE__PORT: '1',
      VERITEE__LISTEN__PORT: 'x',
    });
    expect(problems).toEqual([
      expect.stringMatching(/^VERITEE__PORT: unknown key; there are VERITEE__LISTEN, /),
      'VERITEE__LISTEN__PORT: must be a whole number from 0 to 65535',
      'historical: must be true or false',
      'log.level: must be one of fatal, error, warn, info, debug, trace',
    ]);
  });

  it('does not repeat a wrong secret', () => {
    expect(problemsOf(caller('apiKeySha256: sesame')).join()).not.toContain('sesame');
  });
});

it('a key of receipts that all replicas have goes with a database', () => {
  const text = 'stores: { url: "postgres://veritee@db.example/veritee" }\nchallenges: { key: k }';
  expect(problemsOf(`${text}\nreceipts: { key: receipts.pem }`)).toEqual([]);
});

describe('the grammar takes', () => {
  it.each([
    ['amd: { kds: off }', (c: Configuration) => c.amd.kds, 'off'],
    ['amd: { kds: http://127.0.0.1:9000 }', (c: Configuration) => c.amd.kds, 'http://127.0.0.1:9000'],
    ['azure: { thim: http://169.254.169.254/x }', (c: Configuration) => c.azure.thim, 'http://169.254.169.254/x'],
    ['maa: { shared: false }', (c: Configuration) => c.maa.shared, false],
    ['maa: { shared: [weu, eus2] }', (c: Configuration) => c.maa.shared, ['weu', 'eus2']],
    ['maa: { shared: [wus3, eus2e, xyz] }', (c: Configuration) => c.maa.shared, ['wus3', 'eus2e', 'xyz']],
    [
      'maa: { issuers: [ { issuer: https://sharedweu.weu.attest.azure.net } ] }',
      (c: Configuration) => c.maa.issuers[0],
      {
        issuer: 'https://sharedweu.weu.attest.azure.net',
        keys: 'jwks',
        policyHash: null,
        policySigner: null,
        teeSigner: 'any',
      },
    ],
    [
      'maa: { issuers: [ { issuer: http://127.0.0.1:1, keys: ./k.json, policyHash: any } ] }',
      (c: Configuration) => c.maa.issuers[0],
      { issuer: 'http://127.0.0.1:1', keys: './k.json', policyHash: 'any', policySigner: null, teeSigner: 'any' },
    ],
    [
      'maa: { issuers: [ { issuer: "http://[::1]:1", policyHash: any } ] }',
      (c: Configuration) => c.maa.issuers[0]?.issuer,
      'http://[::1]:1',
    ],
    ['ita: { issuers: [] }', (c: Configuration) => c.ita.issuers, TRUST_AUTHORITIES],
    [
      'ita: { issuers: [ { issuer: "https://portal.trustauthority.intel.com", keys: ./k.json } ] }',
      (c: Configuration) => c.ita.issuers,
      [
        { issuer: 'https://portal.trustauthority.intel.com', keys: './k.json', roots: null, policyIds: [] },
        { issuer: 'Intel Trust Authority', keys: './k.json', roots: null, policyIds: [] },
        ...TRUST_AUTHORITIES.slice(2),
      ],
    ],
    [
      'ita: { issuers: [ { issuer: Intel Trust Authority, keys: ./k.json, roots: ./r.pem, policyIds: [ 1a2b3c4d-0000-4000-8000-0123456789ab ] } ] }',
      (c: Configuration) => c.ita.issuers.map(({ issuer, roots, policyIds }) => [issuer, roots, policyIds.length]),
      [
        ['Intel Trust Authority', './r.pem', 1],
        [WORLD, './r.pem', 1],
        [EUROPE, null, 0],
      ],
    ],
    [
      `ita: { issuers: [ { issuer: a, keys: "${WORLD}/certs", policyIds: [ 1a2b3c4d-0000-4000-8000-0123456789ab ] } ] }`,
      (c: Configuration) => c.ita.issuers.map(({ issuer, policyIds }) => [issuer, policyIds.length]),
      [
        ['a', 1],
        ['Intel Trust Authority', 1],
        [WORLD, 1],
        [EUROPE, 0],
      ],
    ],
    [
      `ita: { issuers: [ { issuer: a, keys: "${WORLD}/certs" }, { issuer: Intel Trust Authority, keys: "${WORLD}/certs", roots: ./r.pem, policyIds: [ 1a2b3c4d-0000-4000-8000-0123456789ab ] } ] }`,
      (c: Configuration) => c.ita.issuers.map(({ issuer, roots, policyIds }) => [issuer, roots, policyIds.length]),
      [
        ['a', null, 0],
        ['Intel Trust Authority', './r.pem', 1],
        [WORLD, './r.pem', 1],
        [EUROPE, null, 0],
      ],
    ],
    [
      'ita: { issuers: [ { issuer: a, keys: "https://Portal.TrustAuthority.Intel.com:443/certs", policyIds: [ 1a2b3c4d-0000-4000-8000-0123456789ab ] } ] }',
      (c: Configuration) => c.ita.issuers.map(({ issuer, policyIds }) => [issuer, policyIds.length]),
      [
        ['a', 1],
        ['Intel Trust Authority', 1],
        [WORLD, 1],
        [EUROPE, 0],
      ],
    ],
    [
      `ita: { issuers: [ { issuer: Intel Trust Authority, keys: "${EUROPE}/certs", policyIds: [ 1a2b3c4d-0000-4000-8000-0123456789ab ] } ] }`,
      (c: Configuration) => c.ita.issuers.map(({ issuer, keys, policyIds }) => [issuer, keys, policyIds.length]),
      [
        ['Intel Trust Authority', `${EUROPE}/certs`, 1],
        [WORLD, `${WORLD}/certs`, 1],
        [EUROPE, `${EUROPE}/certs`, 1],
      ],
    ],
    [
      'ita: { issuers: [ { issuer: own, keys: ./k.json, policyIds: [ 1A2B3C4D-0000-4000-8000-0123456789AB ] } ] }',
      (c: Configuration) => c.ita.issuers,
      [
        { issuer: 'own', keys: './k.json', roots: null, policyIds: ['1a2b3c4d-0000-4000-8000-0123456789ab'] },
        ...TRUST_AUTHORITIES,
      ],
    ],
    ['decisions: { log: off }', (c: Configuration) => c.decisions.log, 'off'],
    ['receipts: { issuer: https://me.example }', (c: Configuration) => c.receipts.issuer, 'https://me.example'],
    ['deadlineSeconds: 0.5', (c: Configuration) => c.deadlineSeconds, 0.5],
    ['time: { tokenLeewaySeconds: 0 }', (c: Configuration) => c.time.tokenLeewaySeconds, 0],
    ['time: { tokenLeewaySeconds: 300 }', (c: Configuration) => c.time.tokenLeewaySeconds, 300],
    [
      'listen: { trustedProxies: [ 10.0.0.0/8, "fd00::/8", 192.0.2.1 ] }',
      (c: Configuration) => c.listen.trustedProxies,
      ['10.0.0.0/8', 'fd00::/8', '192.0.2.1'],
    ],
    [
      `callers: { ci: { apiKeySha256: ${KEY_HASH}, expires: "2027-01-31T12:00:00Z", roles: [metrics] } }`,
      (c: Configuration) => c.callers['ci']?.expires,
      '2027-01-31T12:00:00.000Z',
    ],
  ])('%s', (text, pick, value) => {
    expect(pick(load(text))).toEqual(value);
  });
});

describe('issuers of Azure Attestation', () => {
  it.each([NEWER, 'https://sharedugv.ugv.attest.azure.us', 'https://sharedcn2.cn2.attest.azure.cn'])(
    'may leave out policyHash where they are shared providers of any cloud: %s',
    (issuer) => {
      const { issuers } = load(`maa: { issuers: [ { issuer: ${issuer} } ] }`).maa;
      expect(issuers.map(({ issuer, policyHash }) => [issuer, policyHash])).toEqual([[issuer, null]]);
    },
  );
});

describe('submitting to Azure Attestation', () => {
  const OWN = 'https://my.weu.attest.azure.net';
  const CLIENT = '5a1c8f5e-0d3c-4c41-9c1b-7f6f2d6a9b10';
  const own = `issuers: [ { issuer: ${OWN}, policyHash: any, policySigner: [ ${KEY_HASH} ], teeSigner: required } ]`;
  const submitTo = (endpoint: string, others = 'shared: true') =>
    `maa: { ${others}, submit: { endpoints: [ "${endpoint}" ] } }`;

  it('is off by default', () => {
    expect(load('').maa.submit).toEqual({ endpoints: [], apiVersion: '2025-06-01', credential: null });
    expect(load('').ita.submit).toBeNull();
  });

  it.each([
    [SHARED, 'shared: true'],
    [SHARED, 'shared: [neu, weu]'],
    [NEWER, 'shared: [xyz]'],
    [NEWER, `shared: false, issuers: [ { issuer: ${NEWER} } ]`],
    [SHARED, `shared: false, issuers: [ { issuer: ${SHARED} } ]`],
    [OWN, own],
    ['https://localhost:8443', 'issuers: [ { issuer: "https://localhost:8443", policyHash: any } ]'],
  ])('goes to %s with %s', (endpoint, others) => {
    expect(load(submitTo(endpoint, others)).maa.submit.endpoints).toEqual([endpoint]);
  });

  it.each([
    [SHARED, 'shared: false'],
    [SHARED, 'shared: [neu]'],
    [OWN, 'shared: true'],
    ['https://sharedweu.eus.attest.azure.net', 'shared: true'],
    [NEWER, 'shared: true'],
    ['https://sharedweu.weu.attest.azure.net.example', 'shared: true'],
    ['https://sharedweu.weu.test.attest.azure.net', 'shared: true'],
  ])('never goes to %s with %s, whose tokens would not count', (endpoint, others) => {
    expect(problemsOf(submitTo(endpoint, others))).toEqual([
      'maa.submit.endpoints[0]: is not an issuer whose tokens are accepted',
    ]);
  });

  it('reads what a policy has to be signed by, and that a TEE must hold the key', () => {
    expect(load(`maa: { ${own} }`).maa.issuers[0]).toMatchObject({
      policySigner: [KEY_HASH.toLowerCase()],
      teeSigner: 'required',
    });
  });

  it.each([
    ['null', null],
    ['managed-identity', { kind: 'managed-identity', clientId: null }],
    [`{ kind: managed-identity, clientId: ${CLIENT} }`, { kind: 'managed-identity', clientId: CLIENT }],
    [
      'workload-identity',
      { kind: 'workload-identity', tenantId: null, clientId: null, tokenFile: null, authority: null },
    ],
    [
      `{ kind: workload-identity, tenantId: t.example, clientId: ${CLIENT}, tokenFile: ./t, authority: https://login.microsoftonline.us }`,
      {
        kind: 'workload-identity',
        tenantId: 't.example',
        clientId: CLIENT,
        tokenFile: './t',
        authority: 'https://login.microsoftonline.us',
      },
    ],
    [
      `{ kind: client-secret, tenantId: t.example, clientId: ${CLIENT}, secretFile: ./s }`,
      { kind: 'client-secret', tenantId: 't.example', clientId: CLIENT, secretFile: './s', authority: null },
    ],
    [
      `{ kind: client-certificate, tenantId: t.example, clientId: ${CLIENT}, certificateFile: ./c }`,
      { kind: 'client-certificate', tenantId: 't.example', clientId: CLIENT, certificateFile: './c', authority: null },
    ],
  ])('with the credential %s', (written, read) => {
    const text = `maa: { submit: { endpoints: [ ${SHARED} ], credential: ${written} } }`;
    expect(load(text).maa.submit.credential).toEqual(read);
  });
});

describe('no open service by accident', () => {
  const withCaller = `callers: { ci: { apiKeySha256: ${KEY_HASH}, expires: 2027-01-31, roles: [verify] } }`;
  const problem = /^listen\.host: not a loopback address, and no callers are configured/;

  it.each(['0.0.0.0', '::', '10.0.0.1', '::ffff:127.0.0.1', '128.0.0.1', 'localhost.example', '127.example'])(
    'refuses to listen on %s without callers',
    (host) => {
      expect(problemsOf(`listen: { host: "${host}" }`)).toEqual([expect.stringMatching(problem)]);
      expect(load(`listen: { host: "${host}", insecure: true }`).listen.host).toBe(host);
      expect(load(`listen: { host: "${host}" }\n${withCaller}`).listen.host).toBe(host);
    },
  );

  it.each(['127.0.0.1', '127.9.9.9', '::1', 'localhost'])('listens on %s without callers', (host) => {
    expect(load(`listen: { host: "${host}" }`).listen.host).toBe(host);
  });
});
