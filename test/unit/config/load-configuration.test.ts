import { describe, expect, it } from 'vitest';
import type { Configuration } from '../../../src/config/configuration.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { ConfigurationError } from '../../../src/model/errors.js';

const KEY_HASH = 'Ab'.repeat(32);

function load(text: string | null, environment: Record<string, string | undefined> = {}): Configuration {
  return loadConfiguration({ text, environment });
}

function problemsOf(text: string | null, environment: Record<string, string | undefined> = {}): readonly string[] {
  try {
    load(text, environment);
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

describe('defaults', () => {
  it('are those of the contract', () => {
    expect(plain(load(null))).toEqual({
      listen: {
        host: '127.0.0.1',
        port: 8080,
        insecure: false,
        tls: { cert: null, key: null, clientCa: null },
        trustedProxies: [],
      },
      policies: { directory: './policies', default: 'azure-cvm-baseline' },
      historical: false,
      limits: { bodyBytes: 1048576, batchBytes: 16777216, eventLogBytes: 1048576 },
      deadlineSeconds: 5,
      time: { tokenLeewaySeconds: 60 },
      amd: { kds: 'https://kdsintf.amd.com', chains: './endorsements/amd', refuseProducts: [] },
      intel: { pcs: 'https://api.trustedservices.intel.com', collateral: './endorsements/intel' },
      azure: { thim: 'off', paravisors: { idKeyDigests: [], mrtds: [] } },
      tpm: { roots: [] },
      maa: { shared: true, issuers: [], submit: { endpoints: [], apiVersion: '2025-06-01', credential: null } },
      ita: {
        issuers: [
          { issuer: 'Intel Trust Authority', keys: 'https://portal.trustauthority.intel.com/certs', roots: null },
        ],
        submit: null,
      },
      challenges: { store: 'memory', lifetimeSeconds: 300, key: null },
      decisions: { store: './data/veritee.db', keepEvidence: 'hash', retentionDays: 365 },
      receipts: { issuer: null, key: 'ephemeral', lifetimeSeconds: 300 },
      keys: {},
      callers: {},
      log: { level: 'info' },
    });
  });

  it.each(['', '# nothing', '---', 'null', '{}'])('hold for a file that says nothing: %j', (text) => {
    expect(load(text)).toEqual(load(null));
  });

  it('are filled in for what a section leaves out', () => {
    expect(load('listen: { port: 0 }').listen).toMatchObject({ host: '127.0.0.1', port: 0 });
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

  it('takes no member from the prototype', () => {
    expect(load(null).callers['constructor']).toBeUndefined();
    expect(load('keys: {}').keys['toString']).toBeUndefined();
  });

  it('has a caller with hex in lower case, its instant in UTC and its defaults', () => {
    const { callers } = load(`callers: { ci: { apiKeySha256: ${KEY_HASH}, expires: 2027-01-31, roles: [verify] } }`);
    expect(callers['ci']).toEqual({
      apiKeySha256: KEY_HASH.toLowerCase(),
      expires: '2027-01-31T00:00:00.000Z',
      roles: ['verify'],
      policies: null,
      audience: null,
      tenant: 'default',
      oidc: null,
      mtls: null,
      kubernetes: null,
    });
  });
});

describe('YAML', () => {
  it.each([
    ['a repeated key', 'historical: true\nhistorical: false', 'configuration file line 2: duplicate key'],
    ['an alias', 'tpm: { roots: &r [a] }\nmaa: { shared: *r }', 'configuration file line 2: aliases are not read'],
    ['an unknown tag', 'listen: !env {}', 'configuration file line 1: tag resolve failed'],
    ['a second document', '{}\n---\n{}', 'configuration file line 2: multiple docs'],
    ['a syntax error', 'historical: "', 'configuration file line 1: missing char'],
    ['something else than an object', '- listen', 'configuration: must be an object'],
    ['a version directive', '%YAML 1.1\n---\nhistorical: yes', 'configuration file: has a version directive'],
    ['a merge key', 'listen: { <<: { port: 1 } }', 'listen.<<: unknown key'],
  ])('refuses %s', (_, text, problem) => {
    expect(problemsOf(text)).toContain(problem);
  });

  it('does not quote the file, which may hold secrets', () => {
    const problems = problemsOf('callers: { ci: { apiKeySha256: sesame\n  "sesame" ] }').join();
    expect(problems).not.toBe('');
    expect(problems).not.toContain('sesame');
  });
});

describe('each refusal names its place', () => {
  const caller = (members: string) => `callers: { ci: { roles: [verify], ${members} } }`;
  const keyed = (members: string) => caller(`apiKeySha256: ${KEY_HASH}, expires: 2027-01-31, ${members}`);
  const key = (members: string) => `keys: { db: { vault: https://v.example, name: k, policy: p, ${members} } }`;
  const issuer = (members: string) => `maa: { issuers: [ { issuer: https://my.weu.attest.azure.net, ${members} } ] }`;

  it.each([
    ['lisen: {}', 'lisen: unknown key'],
    ['listen: { prot: 1 }', 'listen.prot: unknown key'],
    ['__proto__: {}', '__proto__: unknown key'],
    ['listen:', 'listen: must be an object'],
    ['listen: { host: "" }', 'listen.host: must be a host name or address'],
    ['listen: { host: "a b" }', 'listen.host: must be a host name or address'],
    ['listen: { port: "8080" }', 'listen.port: must be a whole number from 0 to 65535'],
    ['listen: { port: 65536 }', 'listen.port: must be a whole number from 0 to 65535'],
    ['listen: { port: -1 }', 'listen.port: must be a whole number from 0 to 65535'],
    ['listen: { port: 80.5 }', 'listen.port: must be a whole number from 0 to 65535'],
    ['listen: { port: null }', 'listen.port: must be a whole number from 0 to 65535'],
    ['listen: { insecure: yes }', 'listen.insecure: must be true or false'],
    ['listen: { tls: { cert: a.pem } }', 'listen.tls: needs both cert and key'],
    ['listen: { tls: { key: a.pem } }', 'listen.tls: needs both cert and key'],
    ['listen: { tls: { clientCa: a.pem } }', 'listen.tls.clientCa: needs cert and key'],
    ['listen: { tls: { cert: "", key: a } }', 'listen.tls.cert: must be a path, not empty'],
    ['listen: { trustedProxies: 10.0.0.1 }', 'listen.trustedProxies: must be a list'],
    [
      'listen: { trustedProxies: [ 10.0.0.1, proxy ] }',
      'listen.trustedProxies[1]: must be an IP address or a range such as 10.0.0.0/8',
    ],
    [
      'listen: { trustedProxies: [ 0.0.0.0/0 ] }',
      'listen.trustedProxies[0]: must be an IP address or a range such as 10.0.0.0/8',
    ],
    [
      'listen: { trustedProxies: [ 10.0.0.0/33 ] }',
      'listen.trustedProxies[0]: must be an IP address or a range such as 10.0.0.0/8',
    ],
    ['listen: { trustedProxies: [ 10.0.0.1, 10.0.0.1 ] }', 'listen.trustedProxies: repeats an item'],
    ['policies: { default: Azure }', 'policies.default: must be a policy id'],
    ['policies: { directory: 7 }', 'policies.directory: must be a path, not empty'],
    ['historical: 1', 'historical: must be true or false'],
    ['limits: { bodyBytes: 1023 }', 'limits.bodyBytes: must be a whole number from 1024 to 67108864'],
    ['limits: { batchBytes: 268435457 }', 'limits.batchBytes: must be a whole number from 1024 to 268435456'],
    ['limits: { eventLogBytes: 67108865 }', 'limits.eventLogBytes: must be a whole number from 1024 to 67108864'],
    ['deadlineSeconds: 0', 'deadlineSeconds: must be a number from 0.1 to 120'],
    ['deadlineSeconds: .nan', 'deadlineSeconds: must be a number from 0.1 to 120'],
    ['deadlineSeconds: .inf', 'deadlineSeconds: must be a number from 0.1 to 120'],
    ['time: { tokenLeewaySeconds: 301 }', 'time.tokenLeewaySeconds: must be a whole number from 0 to 300'],
    ['time: { tokenLeewaySeconds: -1 }', 'time.tokenLeewaySeconds: must be a whole number from 0 to 300'],
    ['amd: { kds: ftp://a }', 'amd.kds: must be off, or an http or https URL without user, query and fragment'],
    ['amd: { kds: false }', 'amd.kds: must be off, or an http or https URL without user, query and fragment'],
    ['amd: { kds: https://u:p@a }', 'amd.kds: must be off, or an http or https URL without user, query and fragment'],
    ['amd: { kds: https://a?b }', 'amd.kds: must be off, or an http or https URL without user, query and fragment'],
    ['amd: { refuseProducts: [Rome] }', 'amd.refuseProducts[0]: must be Milan or Genoa or Turin'],
    ['intel: { pcs: on }', 'intel.pcs: must be off, or an http or https URL without user, query and fragment'],
    ['azure: { thim: true }', 'azure.thim: must be off, or an http or https URL without user, query and fragment'],
    ['azure: { paravisors: { idKeyDigests: [ab] } }', 'azure.paravisors.idKeyDigests[0]: must be 48 bytes in hex'],
    ['azure: { paravisors: { mrtds: [ab] } }', 'azure.paravisors.mrtds[0]: must be 48 bytes in hex'],
    ['tpm: { roots: [1] }', 'tpm.roots[0]: must be a path, not empty'],
    ['maa: { shared: all }', 'maa.shared: must be true, false, or a list of regions'],
    ['maa: { shared: [WEU] }', 'maa.shared: must be true, false, or a list of regions'],
    ['maa: { issuers: [ {} ] }', 'maa.issuers[0].issuer: is missing'],
    [
      'maa: { issuers: [ { issuer: http://a.example, policyHash: any } ] }',
      'maa.issuers[0].issuer: must be an https URL without user, query and fragment',
    ],
    [issuer('policyHash: all'), 'maa.issuers[0].policyHash: must be any, or a list of SHA-256 hashes in base64url'],
    [issuer('policyHash: []'), 'maa.issuers[0].policyHash: must be any, or a list of SHA-256 hashes in base64url'],
    [
      issuer('keys: jwks'),
      'maa.issuers[0].policyHash: is missing, and the issuer is no shared provider (any accepts every policy)',
    ],
    [
      'maa: { issuers: [ { issuer: https://sharedweu.eus.attest.azure.net } ] }',
      'maa.issuers[0].policyHash: is missing, and the issuer is no shared provider (any accepts every policy)',
    ],
    [
      'maa: { issuers: [ { issuer: https://a.example, policyHash: any }, { issuer: https://a.example, keys: f, policyHash: any } ] }',
      'maa.issuers[1].issuer: is listed twice',
    ],
    ['maa: { submit: { apiVersion: 2025 } }', 'maa.submit.apiVersion: must be text, not empty'],
    ['ita: { issuers: [ { issuer: a } ] }', 'ita.issuers[0].keys: is missing'],
    [
      'ita: { issuers: [ { issuer: a, keys: http://a.example } ] }',
      'ita.issuers[0].keys: must be an https URL or a path',
    ],
    ['ita: { issuers: [ { issuer: a, keys: f }, { issuer: a, keys: g } ] }', 'ita.issuers[1].issuer: is listed twice'],
    ['ita: { submit: yes }', 'ita.submit: must be an object'],
    ['challenges: { store: disk }', 'challenges.store: must be memory, or a redis or rediss URL'],
    ['challenges: { lifetimeSeconds: 0 }', 'challenges.lifetimeSeconds: must be a whole number from 1 to 3600'],
    ['challenges: { key: [] }', 'challenges.key: must be a path, not empty'],
    ['decisions: { store: http://a }', 'decisions.store: must be off, a path, or a redis or rediss URL'],
    ['decisions: { keepEvidence: all }', 'decisions.keepEvidence: must be hash or full'],
    ['decisions: { retentionDays: 0 }', 'decisions.retentionDays: must be a whole number from 1 to 36500'],
    ['receipts: { issuer: "" }', 'receipts.issuer: must be text, not empty'],
    ['receipts: { key: "" }', 'receipts.key: must be an https URL or a path'],
    ['receipts: { lifetimeSeconds: 301 }', 'receipts.lifetimeSeconds: must be a whole number from 1 to 300'],
    ['keys: []', 'keys: must be an object'],
    [key('enc: RSA-OAEP'), 'keys.db.enc: must be RSA_AES_KEY_WRAP_384 or RSA_AES_KEY_WRAP_256 or CKM_RSA_AES_KEY_WRAP'],
    [key('version: 7'), 'keys.db.version: must be the version of a key'],
    ['keys: { db: {} }', 'keys.db.vault: is missing'],
    ['keys: { db: {} }', 'keys.db.policy: is missing'],
    ['callers: { "../x": {} }', 'callers.../x: is not a name'],
    ['callers: { __proto__: {} }', 'callers.__proto__: is not a name'],
    ['callers: { ci: null }', 'callers.ci: must be an object'],
    ['callers: { ci: { apiKey: sesame } }', 'callers.ci.apiKey: unknown key'],
    ['callers: { ci: {} }', 'callers.ci.roles: is missing'],
    ['callers: { ci: { roles: [] } }', 'callers.ci.roles: must not be empty'],
    [
      'callers: { ci: { roles: [admin] } }',
      'callers.ci.roles[0]: must be verify or release or policy:read or audit:read or metrics',
    ],
    [caller('apiKeySha256: abcd'), 'callers.ci.apiKeySha256: must be 32 bytes in hex'],
    [caller(`apiKeySha256: ${KEY_HASH}`), 'callers.ci.expires: is missing'],
    [caller('expires: 2027-01-31'), 'callers.ci: needs one of apiKeySha256, oidc, mtls and kubernetes'],
    [keyed('oidc: {}'), 'callers.ci: needs one of apiKeySha256, oidc, mtls and kubernetes'],
    [caller('expires: 2027-02-30'), 'callers.ci.expires: must be a date such as 2027-01-31, or with a time in UTC'],
    [caller('expires: 2027'), 'callers.ci.expires: must be a date such as 2027-01-31, or with a time in UTC'],
    [
      caller('expires: "2027-01-31T00:00:00+02:00"'),
      'callers.ci.expires: must be a date such as 2027-01-31, or with a time in UTC',
    ],
    [keyed('policies: []'), 'callers.ci.policies: must not be empty'],
    [keyed('audience: https://a'), 'callers.ci.audience: must be a list'],
    [keyed('tenant: "a b"'), 'callers.ci.tenant: must be a name'],
    [
      `callers: { a: { apiKeySha256: ${KEY_HASH}, expires: 2027-01-31, roles: [verify] }, b: { apiKeySha256: ${KEY_HASH.toLowerCase()}, expires: 2027-01-31, roles: [verify] } }`,
      'callers.b.apiKeySha256: is the key of another caller too',
    ],
    ['log: { level: silent }', 'log.level: must be fatal or error or warn or info or debug or trace'],
  ])('%s', (text, problem) => {
    expect(problemsOf(text)).toContain(problem);
  });

  it('reports everything that is wrong at once, of file and environment', () => {
    const problems = problemsOf('historical: 1\nlog: { level: loud }', {
      VERITEE__PORT: '1',
      VERITEE__LISTEN__PORT: 'x',
    });
    expect(problems).toEqual([
      'VERITEE__PORT: unknown key',
      'VERITEE__LISTEN__PORT: must be JSON',
      'historical: must be true or false',
      'log.level: must be fatal or error or warn or info or debug or trace',
    ]);
  });

  it('does not repeat a wrong secret', () => {
    expect(problemsOf(caller('apiKeySha256: sesame')).join()).not.toContain('sesame');
  });
});

describe('the grammar takes', () => {
  it.each([
    ['amd: { kds: off }', (c: Configuration) => c.amd.kds, 'off'],
    ['amd: { kds: http://127.0.0.1:9000 }', (c: Configuration) => c.amd.kds, 'http://127.0.0.1:9000'],
    ['azure: { thim: http://169.254.169.254/x }', (c: Configuration) => c.azure.thim, 'http://169.254.169.254/x'],
    ['maa: { shared: false }', (c: Configuration) => c.maa.shared, false],
    ['maa: { shared: [weu, eus2] }', (c: Configuration) => c.maa.shared, ['weu', 'eus2']],
    [
      'maa: { issuers: [ { issuer: https://sharedweu.weu.attest.azure.net } ] }',
      (c: Configuration) => c.maa.issuers[0],
      { issuer: 'https://sharedweu.weu.attest.azure.net', keys: 'jwks', policyHash: null },
    ],
    [
      'maa: { issuers: [ { issuer: http://127.0.0.1:1, keys: ./k.json, policyHash: any } ] }',
      (c: Configuration) => c.maa.issuers[0],
      { issuer: 'http://127.0.0.1:1', keys: './k.json', policyHash: 'any' },
    ],
    [
      'maa: { issuers: [ { issuer: "http://[::1]:1", policyHash: any } ] }',
      (c: Configuration) => c.maa.issuers[0]?.issuer,
      'http://[::1]:1',
    ],
    ['ita: { issuers: [] }', (c: Configuration) => c.ita.issuers, []],
    ['decisions: { store: off }', (c: Configuration) => c.decisions.store, 'off'],
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
