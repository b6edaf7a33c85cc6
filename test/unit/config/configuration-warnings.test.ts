import { describe, expect, it } from 'vitest';
import { configurationWarnings } from '../../../src/config/configuration-warnings.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { placedText } from '../../../src/core/places.js';

function warningsAbout(
  text: string,
  environment: Record<string, string> = {},
  wrong: readonly string[] = [],
): readonly string[] {
  const configuration = loadConfiguration({ text, environment: {} });
  return configurationWarnings(configuration, environment, new Set(wrong)).map(placedText);
}

function warningsOf(akCertificates: string): readonly string[] {
  return warningsAbout(`azure: { paravisors: { akCertificates: ${akCertificates} } }`);
}

describe('warnings about a configuration', () => {
  it('TOK-22 name two issuers with the same keys and other pins', () => {
    const ids = '[ 1a2b3c4d-0000-4000-8000-0123456789ab ]';
    const pinned = `{ issuer: a, keys: ./k.json, policyIds: ${ids} }`;
    expect(warningsAbout(`ita: { issuers: [ ${pinned}, { issuer: b, keys: ./k.json } ] }`)).toEqual([
      'ita.issuers: a and b have the same keys but not the same policyIds and roots, so a token that one refuses may be accepted under the other name',
    ]);
    expect(warningsAbout(`ita: { issuers: [ ${pinned}, { issuer: b, keys: ./k.json, policyIds: ${ids} } ] }`)).toEqual(
      [],
    );
    expect(warningsAbout(`ita: { issuers: [ ${pinned}, { issuer: b, keys: ./other.json } ] }`)).toEqual([]);
  });

  it('say that metrics are for everybody where other machines can connect', () => {
    const listen = (host: string) =>
      `listen: { insecure: true, management: { host: ${host}, port: 9090, metrics: open } }`;
    expect(warningsAbout(listen('0.0.0.0'))).toEqual([
      'listen.management.metrics: anyone who can connect reads the metrics of all tenants',
    ]);
    expect(warningsAbout(listen('127.0.0.1'))).toEqual([]);
    expect(warningsAbout(listen('0.0.0.0').replace('open', 'callers'))).toEqual([]);
  });

  it('name keys that nobody can have released, and callers whose role lets them have none', () => {
    const keys = 'keys: { disk: { local: ./disk.key, policy: p } }';
    const caller = (members: string) =>
      `callers: { gate: { apiKeySha256: ${'ab'.repeat(32)}, expires: 2027-01-31, ${members} } }`;
    const nobody = 'keys.disk: no caller with the role release has it in keys, so no caller can have it released';
    expect(warningsAbout(keys)).toEqual([nobody]);
    expect(warningsAbout(`${keys}\n${caller('roles: [verify], keys: [disk]')}`)).toEqual([nobody]);
    expect(warningsAbout(`${keys}\n${caller('roles: [release]')}`)).toEqual([
      nobody,
      'callers.gate.keys: is empty, so the role release lets it have no key',
    ]);
    expect(warningsAbout(`${keys}\n${caller('roles: [release], keys: [disk]')}`)).toEqual([]);
  });

  it('REL-07 name keys that may go to any VM', () => {
    const keys = (members: string) => `keys: { disk: { local: ./disk.key, policy: p${members} } }
callers: { gate: { apiKeySha256: ${'ab'.repeat(32)}, expires: 2027-01-31, roles: [release], keys: [disk] } }`;
    expect(warningsAbout(keys(', anyMachine: true'))).toEqual([
      'keys.disk.anyMachine: any VM that the policy allows gets the key: the policy need not pin code or machine',
    ]);
    expect(warningsAbout(keys(', anyMachine: false'))).toEqual([]);
    expect(warningsAbout(keys(''))).toEqual([]);
  });

  it('say that an asterisk in what is compared stands for itself', () => {
    const caller = (members: string) =>
      `callers: { ci: { roles: [verify], oidc: { profile: generic, issuer: https://issuer.example, keys: discovery, audience: [veritee], ${members} } } }`;
    const exactly = 'is compared character by character: an asterisk stands for itself';
    expect(warningsAbout(caller('claims: { ref: refs/heads/* }, subjects: [a, "repo:org/*"]'))).toEqual([
      `callers.ci.oidc.claims.ref: refs/heads/* ${exactly}`,
      `callers.ci.oidc.subjects[1]: repo:org/* ${exactly}`,
    ]);
    expect(warningsAbout(caller('claims: { ref: refs/heads/main }'))).toEqual([]);
  });

  it('say that API keys cross a network in plain text', () => {
    const caller = `callers: { ci: { apiKeySha256: ${'ab'.repeat(32)}, expires: 2027-01-31, roles: [verify] } }`;
    const listen = (members: string) => `${caller}\nlisten: { ${members} }`;
    const plain =
      'API keys of callers are sent without TLS to an address that is not loopback: set a certificate and a key';
    const tls = 'tls: { cert: c.pem, key: k.pem }';
    const management = (members: string) => `management: { port: 1, ${members} }`;
    expect(warningsAbout(listen('host: 0.0.0.0'))).toEqual([`listen.tls: ${plain}`]);
    expect(warningsAbout(listen(`host: 0.0.0.0, ${tls}`))).toEqual([]);
    expect(warningsAbout(listen('host: 127.0.0.1'))).toEqual([]);
    expect(warningsAbout(listen(management('host: 10.0.0.1')))).toEqual([`listen.management.tls: ${plain}`]);
    expect(warningsAbout(listen(management(`host: 10.0.0.1, ${tls}`)))).toEqual([]);
    expect(warningsAbout(listen(management('host: 127.0.0.1')))).toEqual([]);
    expect(warningsAbout('listen: { host: 0.0.0.0, insecure: true }')).toEqual([]);
  });

  it('say that the password of a proxy is sent in plain text', () => {
    const egress = (proxy: string) => `egress: { proxy: "${proxy}", passwordFile: ./password }`;
    expect(warningsAbout(egress('http://user@proxy.example:3128'))).toEqual([
      'egress.proxy: the password is sent to the proxy in plain text: use an https URL, if the proxy has one',
    ]);
    expect(warningsAbout(egress('https://user@proxy.example:3128'))).toEqual([]);
    expect(warningsAbout(egress('http://user@127.0.0.1:3128'))).toEqual([]);
    expect(warningsAbout('egress: { proxy: "http://proxy.example:3128" }')).toEqual([]);
  });

  it.each(['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy'])(
    'name %s, which is not read',
    (name) => {
      const unread = `egress.proxy: ${name} is set, and not read: connections are direct, unless this key names the proxy`;
      const other = `egress.proxy: ${name} names another proxy, and is not read: connections go through the proxy of this key`;
      const egress = 'egress: { proxy: "http://proxy.example:3128" }';
      expect(warningsAbout('{}', { [name]: 'http://user:secret@proxy.example:3128' })).toEqual([unread]);
      expect(warningsAbout(egress, { [name]: 'http://other.example:3128' })).toEqual([other]);
      expect(warningsAbout(egress, { [name]: 'not a proxy' })).toEqual([other]);
      expect(warningsAbout(egress, { [name]: 'http://user:secret@proxy.example:3128/' })).toEqual([]);
      expect(warningsAbout(egress, { [name]: 'proxy.example:3128' })).toEqual([]);
      expect(warningsAbout('{}', { [name]: '' })).toEqual([]);
    },
  );

  it('name variables with too few underscores, and the right one', () => {
    expect(warningsAbout('{}', { VERITEE_LISTEN_PORT: '1', VERITEE_VECTORS: '.' })).toEqual([
      'VERITEE_LISTEN_PORT is not read; did you mean VERITEE__LISTEN__PORT?',
    ]);
  });

  it('say nothing of sections that were refused', () => {
    const keys = 'keys: { disk: { local: ./disk.key, policy: p } }';
    expect(warningsAbout(keys, {}, ['callers'])).toEqual([]);
    expect(warningsAbout(keys, {}, ['keys'])).toEqual([]);
    expect(warningsAbout(keys, {}, ['listen'])).toHaveLength(1);
    expect(warningsAbout('{}', { HTTP_PROXY: 'http://proxy.example:1' }, ['egress'])).toEqual([]);
  });

  it('are none about defaults, written or not', () => {
    expect(warningsAbout('{}')).toEqual([]);
    const written = 'limits: { bodyBytes: 2097152 }\ndecisions: { retentionDays: 365 }\nreceipts: { issuer: null }';
    expect(warningsAbout(written)).toEqual([]);
  });

  it.each(['off', '2025-08-13', '2026-01-01'])('HCL-17 are none about AK certificates: %s', (value) => {
    expect(warningsOf(value)).toEqual([]);
  });

  it.each(['2025-08-12', '2024-12-31', '1970-01-01'])(
    'HCL-17 name AK certificates from before the fix: %s',
    (value) => {
      expect(warningsOf(value)).toEqual([
        expect.stringMatching(
          new RegExp(`^azure\\.paravisors\\.akCertificates: ${value} is before 2025-08-13; .*CVE-2025-49707`),
        ),
      ]);
    },
  );

  it.each(['true', 'false', '[]', '[weu, wus3]'])('are none about shared providers: %s', (shared) => {
    expect(warningsAbout(`maa: { shared: ${shared} }`)).toEqual([]);
  });

  it('name regions that this version does not know, which a slip of the pen can be', () => {
    expect(warningsAbout('maa: { shared: [weu, ewu] }')).toEqual([
      'maa.shared[1]: this version does not know the region ewu; tokens of https://sharedewu.ewu.attest.azure.net are accepted all the ' +
        "same, so check that the provider is Microsoft's",
    ]);
  });

  it('name such a region of a listed issuer without policyHash too', () => {
    const known = '{ issuer: https://sharedweu.weu.attest.azure.net }';
    const unknown = '{ issuer: https://sharedzzz.zzz.attest.azure.net }';
    expect(warningsAbout(`maa: { shared: false, issuers: [${known}, ${unknown}] }`)).toEqual([
      'maa.issuers[1]: this version does not know the region zzz; tokens of https://sharedzzz.zzz.attest.azure.net are accepted all the ' +
        "same, so check that the provider is Microsoft's",
    ]);
  });

  it.each([
    '{ issuer: https://sharedweu.weu.attest.azure.net }',
    '{ issuer: https://sharedzzz.zzz.attest.azure.net, policyHash: [47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU] }',
    '{ issuer: https://sharedzzz.zzz.attest.azure.net, policyHash: any }',
    // Of sovereign clouds no regions are known.
    '{ issuer: https://sharedugv.ugv.attest.azure.us }',
    '{ issuer: https://contoso.weu.attest.azure.net, policyHash: any }',
  ])('are none about the issuer %s', (issuer) => {
    expect(warningsAbout(`maa: { shared: false, issuers: [${issuer}] }`)).toEqual([]);
  });
});
