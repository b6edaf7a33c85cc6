import { generateKeyPairSync } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import engine from 'libsql';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { checkConfiguration } from '../../../../src/app/check/check-configuration.js';
import { CONFIGURATION_PROBLEMS } from '../../../../src/config/configuration-problem.js';
import type { LintProblem } from '../../../../src/core/lint-problem.js';
import { MIGRATIONS } from '../../../../src/stores/sqlite/schema.js';
import { SqliteStore } from '../../../../src/stores/sqlite/sqlite-store.js';
import { createAmdPki } from '../../../lab/amd-pki.js';
import { createAzureAkPki } from '../../../lab/azure-ak-pki.js';
import { TlsAuthority } from '../../../lab/tls-authority.js';

/** Root may read and write anything: what the system says to others is put in its place. */
const fs = await vi.hoisted(async () => {
  const { access } = await import('node:fs/promises');
  return { access, mocked: vi.fn(access) };
});
vi.mock('node:fs/promises', async (original) => ({
  ...(await original<typeof import('node:fs/promises')>()),
  access: fs.mocked,
}));

const POLICY = `apiVersion: veritee/v1
id: payments
version: 1
accepts: [snp]
minimums: { snp: { Milan: { snp: 24, microcode: 219 } } }
`;
/** The members that a policy needs beside its pins for a key release. */
const FIT = 'nonce: challenge\nbinding: required\n';
const MEASURED = `referenceValues: [{ snp: { measurement: [${'a1'.repeat(48)}] } }]\n`;
const PINNED = `${FIT}referenceValues: [{ snp: { authorKeyDigest: [${'c3'.repeat(48)}] } }]\n`;
const KEY = 'ab'.repeat(32);
const UUID = '5a1c8f5e-0d3c-4c41-9c1b-7f6f2d6a9b10';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veritee-check-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const path = (name: string) => join(folder, name);

async function write(name: string, content: string | Uint8Array): Promise<string> {
  await mkdir(dirname(path(name)), { recursive: true });
  // Others may not read it, as keys need it.
  await writeFile(path(name), content, { mode: 0o600 });
  return path(name);
}

/** The problems of this configuration, with everything else in the folder of the test. */
async function check(
  configuration: object,
  { at = '2026-06-01T00:00:00Z', environment = {} }: { at?: string; environment?: Record<string, string> } = {},
): Promise<readonly LintProblem[]> {
  const file = await write(
    'veritee.yaml',
    JSON.stringify({ stores: { url: `sqlite:${path('data/v.db')}` }, ...configuration }),
  );
  return checkConfiguration({ file, environment, clock: { now: () => new Date(at), monotonicMs: () => 0 } });
}

/** Code, pointer and message, with the folder of the test left out. */
function briefly(problems: readonly LintProblem[]): readonly string[] {
  return problems.map(({ code, pointer, message }) =>
    `${code} ${pointer}: ${message}`.replaceAll(`${folder}/`, '').replaceAll(folder, '.'),
  );
}

async function entries(): Promise<readonly string[]> {
  return (await readdir(folder, { recursive: true })).sort();
}

describe('a configuration without problems', () => {
  it('has none, and nothing is created', async () => {
    await write('policies/payments.yaml', POLICY);
    const configuration = { policies: { directory: path('policies'), default: 'payments' } };
    expect(await check(configuration)).toEqual([]);
    expect(await entries()).toEqual(['policies', 'policies/payments.yaml', 'veritee.yaml']);
  });

  it('may be none at all', async () => {
    const clock = { now: () => new Date('2026-06-01T00:00:00Z'), monotonicMs: () => 0 };
    expect(await checkConfiguration({ file: null, environment: {}, clock })).toEqual([]);
  });
});

describe('the configuration itself', () => {
  it('is config_file where its file cannot be read', async () => {
    const clock = { now: () => new Date(), monotonicMs: () => 0 };
    const problems = await checkConfiguration({ file: path('none.yaml'), environment: {}, clock });
    expect(briefly(problems)).toEqual(['config_file : configuration file none.yaml: there is no such file']);
  });

  it('is config_schema where it is no YAML, with the place, and nothing of it is followed', async () => {
    const file = await write('veritee.yaml', 'a: [1\nb: 2\n');
    const clock = { now: () => new Date(), monotonicMs: () => 0 };
    const problems = await checkConfiguration({ file, environment: {}, clock });
    expect(briefly(problems)).toEqual([expect.stringMatching(/^config_schema : line 2, column 1: indented /)]);
  });

  it('is config_schema for each wrong value, with its pointer and line or variable, and its severity and remedy', async () => {
    const problems = await check(
      { listen: { prot: 1 }, callers: { 'a/b': {} } },
      { environment: { VERITEE__LOG__LEVEL: 'loud', VERITEE__FOO: '1' } },
    );
    expect(briefly(problems)).toEqual([
      expect.stringMatching(/^config_schema : VERITEE__FOO: unknown key; /),
      'config_schema /listen/prot: line 1: unknown key; did you mean port?',
      expect.stringMatching(/^config_schema \/callers\/a~1b: line 1: /),
      expect.stringMatching(/^config_schema \/log\/level: VERITEE__LOG__LEVEL: must be one of /),
    ]);
    const { severity, remedy } = CONFIGURATION_PROBLEMS.config_schema;
    for (const problem of problems) expect(problem).toMatchObject({ severity, remedy });
  });

  /** A caller that may have these keys. */
  const caller = (...keys: readonly string[]) => ({
    gate: { apiKeySha256: KEY, expires: '2030-01-01', roles: ['release'], keys },
  });
  const RELEASABLE = { vault: 'https://v.vault.azure.net', name: 'k', policy: 'payments', enc: 'RSA_AES_KEY_WRAP_384' };

  it('is config_schema for a key whose policy is not there, or releases none', async () => {
    expect(briefly(await check({ keys: { db: RELEASABLE }, callers: caller('db') }))).toEqual([
      'config_schema /keys/db/policy: there is no policy payments',
    ]);
    await write('policies/payments.yaml', POLICY);
    const policies = { directory: path('policies') };
    const misspelt = { ...RELEASABLE, policy: 'paymnets' };
    expect(briefly(await check({ policies, keys: { db: misspelt }, callers: caller('db') }))).toEqual([
      'config_schema /keys/db/policy: there is no policy paymnets; did you mean payments?',
    ]);
    expect(briefly(await check({ policies, keys: { db: RELEASABLE }, callers: caller('db') }))).toEqual([
      'config_schema /keys/db/policy: no key is released by the policy payments, which lacks nonce: challenge, binding: required',
    ]);
  });

  it('REL-07 is config_schema for a key whose policy pins neither code nor machine, with both ways out', async () => {
    await write('policies/payments.yaml', `${POLICY}${FIT}`);
    const policies = { directory: path('policies') };
    expect(briefly(await check({ policies, keys: { db: RELEASABLE }, callers: caller('db') }))).toEqual([
      expect.stringMatching(
        /^config_schema \/keys\/db\/policy: the policy payments pins neither .*: see \/referenceValues; pin .*, or write anyMachine: true/,
      ),
    ]);
  });

  it('REL-07 is a warning for a key that may go to any VM', async () => {
    await write('policies/payments.yaml', `${POLICY}${FIT}`);
    const policies = { directory: path('policies') };
    const keys = { db: { ...RELEASABLE, anyMachine: true } };
    const problems = await check({ policies, keys, callers: caller('db') });
    expect(briefly(problems)).toEqual([
      expect.stringMatching(/^config_setting \/keys\/db\/anyMachine: any VM that the policy allows gets the key/),
    ]);
    expect(problems[0]?.severity).toBe('warning');
  });

  it('REL-07 is release_firmware_only for a key whose policy pins firmware alone, and for no other policy', async () => {
    await write('policies/payments.yaml', `${POLICY}${FIT}${MEASURED}`);
    const policies = { directory: path('policies') };
    const keyed = (members: object) => ({
      policies,
      keys: { db: { ...RELEASABLE, ...members } },
      callers: caller('db'),
    });
    const problems = await check(keyed({}));
    expect(briefly(problems)).toEqual([
      expect.stringMatching(/^release_firmware_only \/referenceValues\/0: payments\.yaml:8: pins firmware alone: /),
    ]);
    expect(problems[0]?.severity).toBe('warning');
    expect(await check({ policies })).toEqual([]);
  });

  it('is config_file for a file of headers of traces that is missing or wrong, and says nothing of what is in it', async () => {
    const traces = (name: string) => ({ traces: { endpoint: 'https://collector.example', headersFile: path(name) } });
    expect(briefly(await check(traces('none')))).toEqual([
      'config_file /traces/headersFile: none: there is no such file',
    ]);
    await write('headers', 'secret-42');
    expect(briefly(await check(traces('headers')))).toEqual([
      'config_file /traces/headersFile: headers: line 1 is not of the form Name: value',
    ]);
    await write('headers', 'x-key: secret-42');
    expect(await check(traces('headers'))).toEqual([]);
  });

  it('is config_file for files of keys that the service does not start without, config_missing for those read later', async () => {
    await write('policies/payments.yaml', `${POLICY}${PINNED}`);
    const policies = { directory: path('policies') };
    const credential = { kind: 'client-secret', tenantId: 'a', clientId: UUID, secretFile: path('secret') };
    const keys = {
      db: { ...RELEASABLE, roots: path('roots.pem'), credential },
      disk: { local: path('disk.key'), policy: 'payments' },
      empty: { local: await write('empty.key', ''), policy: 'payments' },
    };
    expect(briefly(await check({ policies, keys, callers: caller('db', 'disk', 'empty') }))).toEqual([
      'config_file /keys/db/roots: roots.pem: there is no such file',
      'config_file /keys/disk/local: disk.key: there is no such file',
      'config_file /keys/empty/local: empty.key: is empty',
      'config_missing /keys/db/credential/secretFile: secret: there is no such file',
    ]);
  });

  it('is config_schema for a key whose vault would be asked by an identity that the environment lacks', async () => {
    await write('policies/payments.yaml', `${POLICY}${PINNED}`);
    const policies = { directory: path('policies') };
    const keys = { db: { ...RELEASABLE, credential: 'workload-identity' } };
    expect(briefly(await check({ policies, keys }))).toContain(
      'config_schema /keys/db/credential: AZURE_TENANT_ID: is missing in the environment, and the credential does not say it',
    );
  });

  it('is config_setting for what is allowed and deserves a second look', async () => {
    const callers = {
      ci: { apiKeySha256: KEY, expires: '2030-01-01', roles: ['verify'], policies: ['azure-cmv-baseline'] },
    };
    expect(briefly(await check({ maa: { shared: ['weu', 'ewu'] }, callers }))).toEqual([
      expect.stringMatching(/^config_setting \/maa\/shared\/1: this version does not know the region ewu/),
      'config_setting /callers/ci/policies/0: there is no policy azure-cmv-baseline; did you mean azure-cvm-baseline?',
    ]);
    expect(briefly(await check({ listen: { insecure: true } }))).toEqual([
      expect.stringMatching(/^config_setting \/listen\/insecure: no callers are configured/),
    ]);
  });

  it('does not warn of open access where the callers are what is wrong', async () => {
    const problems = await check({
      listen: { insecure: true },
      callers: { ci: { roles: ['verify'], apiKeySha256: 'x' } },
    });
    expect(problems.map(({ code }) => code)).toEqual(['config_schema']);
  });
});

describe('everything at once', () => {
  it('a wrong section, a broken policy and a missing root are found together, errors first', async () => {
    await write('policies/broken.yaml', POLICY.replace('version: 1', 'version: one'));
    await write('amd/x.pem', 'hello');
    const problems = await check({
      log: { level: 'loud' },
      policies: { directory: path('policies') },
      tpm: { roots: [path('root.pem')] },
      amd: { chains: path('amd') },
    });
    expect(problems.map(({ code, severity }) => `${severity} ${code}`)).toEqual([
      'error config_schema',
      'error policy_schema',
      'error config_file',
      'warning config_unused',
    ]);
  });

  it('a section that is wrong itself is not followed', async () => {
    const problems = await check({ tpm: { roots: [path('root.pem')], intermediate: 'x' } });
    expect(briefly(problems)).toEqual([
      'config_schema /tpm/intermediate: line 1: unknown key; did you mean intermediates?',
    ]);
  });
});

describe('policies', () => {
  it('have pointers into the policy, and messages that name the file', async () => {
    await write('policies/broken.yaml', POLICY.replace('version: 1', 'version: one'));
    await write('policies/syntax.yaml', 'apiVersion: [');
    await write(
      'policies/unused.yaml',
      POLICY.replace('payments', 'unused').concat('require: { tdx: { xfamMask: "00" } }\n'),
    );
    const problems = await check({ policies: { directory: path('policies') } });
    expect(briefly(problems)).toEqual([
      expect.stringMatching(/^policy_schema \/version: broken\.yaml:3: must be a whole number/),
      expect.stringMatching(/^policy_schema : syntax\.yaml:1: /),
      expect.stringMatching(/^policy_[a-z_]+ \/require\/tdx.*: unused\.yaml:6: /),
    ]);
  });

  it('are config_file where the file cannot be served, or the directory is missing', async () => {
    await chmod(await write('policies/open.yaml', POLICY), 0o666);
    await write('policies/twice.yaml', POLICY.replace('payments', 'azure-cvm-baseline'));
    expect(briefly(await check({ policies: { directory: path('policies') } }))).toEqual([
      'config_file /policies/directory: open.yaml: is writable by everyone',
      'config_file /policies/directory: twice.yaml: id azure-cvm-baseline is that of a built-in policy: give the policy an id of its own',
    ]);
    expect(briefly(await check({ policies: { directory: path('none') } }))).toEqual([
      'config_file /policies/directory: none does not exist',
    ]);
  });

  it('are config_schema where that of a gate does not exist, and config_setting where it binds a key without a url', async () => {
    await write('policies/bound.yaml', `${POLICY}binding: required\nnonce: challenge\n`);
    const gates = {
      closed: { audience: 'a', policy: 'payments' },
      open: { audience: 'a', policy: 'payments', url: 'https://app.example' },
      lost: { audience: 'a', policy: 'nobody' },
    };
    expect(briefly(await check({ policies: { directory: path('policies') }, gates }))).toEqual([
      'config_schema /gates/lost/policy: there is no policy nobody',
      expect.stringMatching(/^config_setting \/gates\/closed\/url: is missing: the policy payments has binding/),
    ]);
    // A section that is wrong itself is not followed.
    const wrong = { ...gates, wrong: { audience: 'urn:veritee:x', policy: 'nobody' } };
    expect(briefly(await check({ policies: { directory: path('policies') }, gates: wrong }))).toContainEqual(
      expect.stringMatching(/^config_schema \/gates\/wrong\/audience: /),
    );
  });

  it('GAT-03 are config_setting where a gate accepts own nonces, and where it refuses what its policy accepts', async () => {
    await write('policies/any.yaml', POLICY);
    const gates = {
      old: { audience: 'a', policy: 'payments', ownNonces: true },
      narrow: { audience: 'a', policy: 'payments' },
      built: { audience: 'a', policy: 'azure-cvm-baseline' },
    };
    expect(briefly(await check({ policies: { directory: path('policies') }, gates }))).toEqual([
      expect.stringMatching(/^config_setting \/gates\/old\/ownNonces: the gate accepts a receipt whose nonce/),
      expect.stringMatching(/^config_setting \/gates\/narrow\/policy: the policy payments has nonce: any/),
      expect.stringMatching(/^config_setting \/gates\/built\/policy: the policy azure-cvm-baseline has nonce: any/),
    ]);
  });

  it('are config_schema where the default one does not exist', async () => {
    expect(briefly(await check({ policies: { default: 'payments' } }))).toEqual([
      'config_schema /policies/default: there is no policy payments',
    ]);
  });

  it('are expiry_near for a waiver near its end or past it, and boot_unpinned for a boot that is pinned in part', async () => {
    const waivers = ['2026-06-20', '2026-05-01', '2027-01-01'].map(
      (expires) => `{ check: crl_unavailable, reason: offline, approver: bob, expires: "${expires}" }`,
    );
    await write('policies/ends.yaml', `${POLICY}waivers: [${waivers.join(', ')}]\n`);
    const vtpm = POLICY.replace('payments', 'lines').replace('[snp]', '[az-snp-vtpm]');
    await write('policies/lines.yaml', `${vtpm}referenceValues: [{ tpm: { boot: { commandLines: [quiet] } } }]\n`);
    const problems = await check({ policies: { directory: path('policies') } });
    expect(briefly(problems)).toEqual([
      expect.stringMatching(
        /^boot_unpinned \/referenceValues\/0\/tpm\/boot: lines\.yaml:6: commandLines without files/,
      ),
      'expiry_near /waivers/0: ends.yaml: crl_unavailable, approved by bob: a waiver expires soon (2026-06-20)',
      'expiry_near /waivers/1: ends.yaml: crl_unavailable, approved by bob: a waiver has expired: it covers nothing any more (2026-05-01)',
    ]);
  });
});

describe('files', () => {
  it('of receipts are config_file, all of them', async () => {
    await write('next.pem', 'no key');
    expect(briefly(await check({ receipts: { key: path('key.pem'), next: path('next.pem') } }))).toEqual([
      'config_file /receipts/key: key.pem: there is no such file',
      'config_file /receipts/next: next.pem: neither a private key in PEM nor a JWK',
    ]);
  });

  it('of receipts are looked at beside keys of a vault, which is not contacted: what would ask it is', async () => {
    const key = 'https://v.vault.azure.net/keys/k/0123456789abcdef0123456789abcdef';
    const named = { key, next: key, previous: [key, path('old.pem')] };
    const secret = { kind: 'client-secret', tenantId: 't', clientId: UUID, secretFile: path('secret') };
    expect(briefly(await check({ receipts: { ...named, credential: secret } }))).toEqual([
      'config_file /receipts/previous/1: old.pem: there is no such file',
      'config_file /receipts/credential/secretFile: secret: there is no such file',
    ]);
    await write('secret', 'sesame');
    const receipts = { key, credential: secret };
    expect(await check({ receipts })).toEqual([]);
    expect(briefly(await check({ receipts: { key, credential: 'workload-identity' } }))).toEqual([
      'config_schema /receipts/credential: AZURE_TENANT_ID: is missing in the environment, and the credential does not say it',
    ]);
    expect(briefly(await check({ receipts: { key: 'https://v.vault.azure.net/keys/k', credential: secret } }))).toEqual(
      [expect.stringMatching(/^config_schema \/receipts\/key: line 1: names no version of the key/)],
    );
  });

  it('of TLS are config_file, all of them, and their certificates config_expiry near their end', async () => {
    const tls = { cert: path('cert'), key: path('key'), clientCa: path('ca') };
    expect(briefly(await check({ listen: { tls } }))).toEqual([
      'config_file /listen/tls/cert: cert: there is no such file',
      'config_file /listen/tls/key: key: there is no such file',
      'config_file /listen/tls/clientCa: ca: there is no such file',
    ]);
    const { cert, key } = new TlsAuthority().issueForLoopback();
    await write('cert', cert);
    await write('key', key);
    const problems = await check({ listen: { tls: { cert: tls.cert, key: tls.key } } }, { at: '2090-01-01T00:00:00Z' });
    expect(briefly(problems)).toEqual([
      expect.stringMatching(
        /^config_expiry \/listen\/tls\/cert: listen\.tls\.cert: .+: a certificate of the listener has expired/,
      ),
    ]);
  });

  it('of TLS of the management listener are as those of the other', async () => {
    const management = { port: 0, tls: { cert: path('cert'), key: path('key') } };
    expect(briefly(await check({ listen: { management } }))).toEqual([
      'config_file /listen/management/tls/cert: cert: there is no such file',
      'config_file /listen/management/tls/key: key: there is no such file',
    ]);
    const { cert, key } = new TlsAuthority().issueForLoopback();
    await write('cert', cert);
    await write('key', key);
    const problems = await check({ listen: { management } }, { at: '2090-01-01T00:00:00Z' });
    expect(briefly(problems)).toEqual([
      expect.stringMatching(
        /^config_expiry \/listen\/management\/tls\/cert: listen\.management\.tls\.cert: .+: a certificate of the listener has expired/,
      ),
    ]);
  });

  it('of roots and of keys of token issuers are config_file, all of them', async () => {
    const issuers = [{ issuer: 'me', keys: path('keys.json'), roots: path('roots.pem') }];
    const maa = { issuers: [{ issuer: 'https://my.weu.attest.azure.net', keys: path('maa.json'), policyHash: 'any' }] };
    await write('tpm.pem', 'no PEM');
    expect(
      briefly(await check({ ita: { issuers }, maa, tpm: { roots: [path('tpm.pem'), path('none.pem')] } })),
    ).toEqual([
      'config_file /ita/issuers: roots of me: roots.pem: there is no such file',
      expect.stringMatching(/^config_file \/tpm\/roots: tpm\.pem: /),
      'config_file /tpm/roots: none.pem: there is no such file',
      'config_file /maa/issuers: keys of https://my.weu.attest.azure.net: maa.json: there is no such file',
      'config_file /ita/issuers: keys of me: keys.json: there is no such file',
    ]);
  });

  it('of credentials are config_missing, and config_schema what the environment lacks', async () => {
    const submit = { endpoints: ['https://sharedweu.weu.attest.azure.net'], credential: 'workload-identity' };
    const ita = { submit: { api: 'https://api.trustauthority.intel.com', apiKeyFile: path('key') } };
    expect(briefly(await check({ maa: { submit }, ita }))).toEqual([
      'config_schema /maa/submit/credential: AZURE_TENANT_ID: is missing in the environment, and the credential does not say it',
      'config_missing /ita/submit/apiKeyFile: key: there is no such file',
    ]);
    const id = '1a2b3c4d-0000-4000-8000-0123456789ab';
    const secret = { kind: 'client-secret', tenantId: id, clientId: id, secretFile: path('secret') };
    expect(briefly(await check({ maa: { submit: { ...submit, credential: secret } } }))).toEqual([
      'config_missing /maa/submit/credential/secretFile: secret: there is no such file',
    ]);
  });

  it('of a database are config_file', async () => {
    const stores = { url: 'postgres://veritee@db.example/veritee', passwordFile: path('password'), ca: path('ca.pem') };
    await write('password', 'secret');
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await write('receipts.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    const shared = { challenges: { key: path('challenges.key') }, receipts: { key: path('receipts.pem') } };
    expect(briefly(await check({ ...shared, stores }))).toEqual([
      'config_file /stores/ca: ca.pem: there is no such file',
    ]);
    await write('ca.pem', 'PEM');
    expect(briefly(await check({ ...shared, stores }))).toEqual([
      'config_file /stores/ca: ca.pem: not PEM certificates',
    ]);
    await write('ca.pem', createAmdPki().chainPem('Milan'));
    expect(briefly(await check({ ...shared, stores }))).toEqual([]);
    expect(briefly(await check({ ...shared, stores: { ...stores, passwordFile: path('none') } }))).toEqual([
      'config_file /stores/passwordFile: none: there is no such file',
    ]);
  });

  it('of endorsements are config_unused where they are not taken, and their folders config_missing', async () => {
    await write('amd/x.pem', 'hello');
    await write('amd/ask.pem', createAmdPki().chainPem('Milan'));
    await write('intel/x.json', '{}');
    await write('tpm/x.crt', 'hello');
    const folders = {
      amd: { chains: path('amd') },
      intel: { collateral: path('intel') },
      tpm: { intermediates: path('tpm') },
    };
    expect((await check(folders)).map(({ code, pointer, severity }) => `${severity} ${code} ${pointer}`)).toEqual([
      // ASK and ARK of the lab, whose chain does not end at AMD's root, and what is no certificate.
      'warning config_unused /amd/chains',
      'warning config_unused /amd/chains',
      'warning config_unused /amd/chains',
      'warning config_unused /intel/collateral',
      'warning config_unused /tpm/intermediates',
    ]);
    expect(
      briefly(await check({ amd: { chains: path('none') }, tpm: { intermediates: path('veritee.yaml') } })),
    ).toEqual([
      'config_missing /amd/chains: none: there is no such folder',
      'config_missing /tpm/intermediates: cannot be read: is a file, and a folder is expected',
    ]);
  });

  it('are config_expiry for CRLs near their end or past it', async () => {
    const pki = createAmdPki();
    const put = (name: string, nextUpdate: string) =>
      write(`amd/${name}`, pki.issueCrl({ product: 'Milan', overrides: { nextUpdate: new Date(nextUpdate) } }));
    await put('ended.crl', '2026-05-01T00:00:00Z');
    await put('soon.crl', '2026-06-20T00:00:00Z');
    await put('later.crl', '2027-01-01T00:00:00Z');
    expect(briefly(await check({ amd: { chains: path('amd') } }))).toEqual([
      'config_expiry /amd/chains: ended.crl: CRL of ARK-Milan: a CRL has expired: without a newer one, checks that need it are crl_stale (2026-05-01T00:00:00.000Z)',
      'config_expiry /amd/chains: soon.crl: CRL of ARK-Milan: a CRL expires soon (2026-06-20T00:00:00.000Z)',
    ]);
  });

  it('are config_expiry for issuers of AK certificates near their end', async () => {
    await write('tpm/ca.pem', createAzureAkPki().chainPem('2026'));
    const problems = await check({ tpm: { intermediates: path('tpm') } }, { at: '2090-01-01T00:00:00Z' });
    expect(new Set(problems.map(({ code, pointer }) => `${code} ${pointer}`))).toEqual(
      new Set(['config_expiry /tpm/intermediates']),
    );
  });
});

describe('callers', () => {
  it('are config_expiry for API keys near their end or past it', async () => {
    const caller = (name: string, expires: string) => ({
      [name]: { apiKeySha256: Buffer.from(name.padEnd(32)).toString('hex'), expires, roles: ['verify'] },
    });
    const callers = { ...caller('old', '2026-05-01'), ...caller('soon', '2026-06-20'), ...caller('new', '2027-01-01') };
    expect(briefly(await check({ callers }))).toEqual([
      'config_expiry /callers/old/expires: an API key has expired: requests with it are rejected (2026-05-01T00:00:00.000Z)',
      'config_expiry /callers/soon/expires: an API key expires soon (2026-06-20T00:00:00.000Z)',
    ]);
  });

  it('are config_expiry for the successor of an API key', async () => {
    const next = { apiKeySha256: 'ef'.repeat(32), expires: '2026-06-20' };
    const callers = { ci: { apiKeySha256: 'ab'.repeat(32), expires: '2027-01-01', next, roles: ['verify'] } };
    expect(briefly(await check({ callers }))).toEqual([
      'config_expiry /callers/ci/next/expires: an API key expires soon (2026-06-20T00:00:00.000Z)',
    ]);
  });
});

describe('what the service writes', () => {
  it('is config_file where the challenge key is none, and is left as it is', async () => {
    await write('data/challenges.key', 'short');
    expect(briefly(await check({}))).toEqual([
      'config_file /challenges/key: data/challenges.key is not a file of 32 bytes',
    ]);
    expect(await entries()).toEqual(['data', 'data/challenges.key', 'veritee.yaml']);
  });

  it('is config_permission where the challenge key cannot be created, and config_data for the rest', async () => {
    await write('data', 'a file');
    const problems = await check({});
    expect(briefly(problems)).toEqual([
      'config_permission /stores/url: data/v.db: data is a file, and a folder is expected',
      'config_permission /challenges/key: data/challenges.key: data is a file, and a folder is expected',
      'config_data /stores/url: data/endorsements: data is a file, and a folder is expected',
      'config_data /stores/url: data/tpm-resets: data is a file, and a folder is expected',
    ]);
    expect(problems.map(({ severity }) => severity)).toEqual(['error', 'error', 'warning', 'warning']);
  });

  it('is config_data where reset counts of any tenant cannot be kept', async () => {
    await write('data/tpm-resets/tenants/payments', 'a file');
    await write('data/tpm-resets/tenants/other', 'a file');
    const problems = await check({
      tenants: { payments: { policies: { directory: 'policies' } }, search: { policies: { directory: 'policies' } } },
    });
    expect(briefly(problems).filter((problem) => problem.startsWith('config_data'))).toEqual([
      `config_data /stores/url: data/tpm-resets/tenants/payments: data/tpm-resets/tenants/payments is a file, and a folder is expected`,
    ]);
  });

  /** The problem of the store, and that nothing was made or changed. */
  async function ofStore(): Promise<readonly string[]> {
    await write('veritee.yaml', '{}');
    const before = [await entries(), await readFile(path('data/v.db')).catch(() => null)];
    const problems = briefly(await check({}));
    expect([await entries(), await readFile(path('data/v.db')).catch(() => null)]).toEqual(before);
    return problems;
  }

  const database = async (...statements: readonly string[]) => {
    await mkdir(path('data'), { recursive: true });
    const raw = new engine(path('data/v.db'));
    for (const sql of statements) raw.exec(sql);
    raw.close();
  };

  it('STO-05 is config_file where the store is no database', async () => {
    await write('data/v.db', 'x'.repeat(5000));
    expect(await ofStore()).toEqual(['config_file /stores/url: data/v.db: file is not a database']);
  });

  it('STO-05 is config_file where the store is a directory', async () => {
    await mkdir(path('data/v.db'), { recursive: true });
    expect(await ofStore()).toEqual(['config_file /stores/url: data/v.db: is a directory, and a file is expected']);
  });

  it('STO-05 is config_file where the store is of another program', async () => {
    await database('CREATE TABLE theirs (a)');
    expect(await ofStore()).toEqual(['config_file /stores/url: data/v.db: it is a SQLite database of another program']);
  });

  it('STO-05 is config_file where the store is ours and damaged, so that the service does not start', async () => {
    await database(`PRAGMA application_id = ${0x76727465}`, `PRAGMA user_version = ${MIGRATIONS.length}`);
    expect(await ofStore()).toEqual(['config_file /stores/url: data/v.db: no such table: meta']);
  });

  it('STO-05 is config_file where the store is of a newer version, also where only its write-ahead log says so', async () => {
    const newer = `config_file /stores/url: data/v.db: it was written by a newer version of veritee (schema 99, this one knows ${MIGRATIONS.length})`;
    await database(`PRAGMA application_id = ${0x76727465}`, 'PRAGMA user_version = 99');
    expect(await ofStore()).toEqual([newer]);
    await rm(path('data/v.db'));
    await database('PRAGMA journal_mode = WAL');
    const running = new engine(path('data/v.db'));
    try {
      running.exec(`PRAGMA application_id = ${0x76727465}; PRAGMA user_version = 99; CREATE TABLE later (a)`);
      expect(await ofStore()).toEqual([newer]);
    } finally {
      running.close();
    }
  });

  it('STO-05 is config_file where the store cannot be read, or only be read', async () => {
    await write('data/v.db', '');
    const refused = (mode: number) =>
      fs.mocked.mockImplementation(async (file, asked) => {
        if (file === path('data/v.db') && asked === mode)
          throw Object.assign(new Error('EACCES'), { code: 'EACCES', syscall: 'access' });
      });
    try {
      refused(constants.R_OK);
      expect(await ofStore()).toEqual([expect.stringMatching(/^config_file \/stores\/url: data\/v\.db: .*read/)]);
      refused(constants.W_OK);
      expect(await ofStore()).toEqual([
        'config_file /stores/url: data/v.db: cannot be written: the user of this process may not write it',
      ]);
    } finally {
      fs.mocked.mockImplementation(fs.access);
    }
  });

  it('is right where the store is there, empty or of this version, and nothing is put beside it', async () => {
    await write('data/v.db', '');
    expect(await ofStore()).toEqual([]);
    const store = await SqliteStore.open(path('data/v.db'));
    try {
      expect(await ofStore()).toEqual([]);
    } finally {
      await store.close();
    }
    expect(await ofStore()).toEqual([]);
  });

  it('is right where the key is there, wherever the other things go', async () => {
    const key = await write('secrets/challenges.key', new Uint8Array(32));
    expect(await check({ challenges: { key } })).toEqual([]);
  });
});

describe('what others see', () => {
  it('is config_readable for a secret that every user of the machine may read', async () => {
    const key = await write('challenges.key', new Uint8Array(32));
    await chmod(key, 0o644);
    await chmod(dirname(key), 0o755);
    const problems = await check({ challenges: { key } });
    expect(problems).toMatchObject([
      { code: 'config_readable', pointer: '/challenges/key', severity: 'warning', remedy: expect.any(String) },
    ]);
    // A section that was refused has no files.
    const refused = await check({ challenges: { key, lifetimeSeconds: 0 } });
    expect(refused.map(({ code }) => code)).toEqual(['config_schema']);
  });

  it('is config_setting for a variable that is not read, and config_missing for a password that is not there', async () => {
    const environment = { HTTPS_PROXY: 'http://user:sesame@proxy.example:3128', VERITEE_LISTEN_PORT: '1' };
    expect(briefly(await check({}, { environment }))).toEqual([
      'config_setting /egress/proxy: HTTPS_PROXY is set, and not read: connections are direct, unless this key names the proxy',
      'config_setting : VERITEE_LISTEN_PORT is not read; did you mean VERITEE__LISTEN__PORT?',
    ]);
    const egress = { proxy: 'https://user@proxy.example:3128', passwordFile: path('password') };
    expect(briefly(await check({ egress }))).toEqual([
      'config_missing /egress/passwordFile: password: there is no such file',
    ]);
  });

  it('says nothing of callers that were refused', async () => {
    const keys = { disk: { local: await write('disk.key', new Uint8Array(32)), policy: 'p' } };
    const problems = await check({ keys, callers: { gate: { roles: ['release'], keys: ['disk'], expires: 1 } } });
    expect(problems.map(({ code }) => code)).not.toContain('config_setting');
  });
});

describe('sections that are wrong', () => {
  it('are not followed, and nothing else is compared with them', async () => {
    // The policy names a part that a wrong section may have meant to add.
    await write('policies/payments.yaml', POLICY.replace('Milan:', 'Venice:'));
    const sections = { amd: { products: 5 }, callers: 5, gates: 5, egress: 5, traces: 5, tpm: 5, intel: 5 };
    const problems = await check({ policies: { directory: path('policies') }, ...sections });
    expect(problems.map(({ code, pointer }) => `${code} ${pointer}`).sort()).toEqual([
      'config_schema /amd/products',
      'config_schema /callers',
      'config_schema /egress',
      'config_schema /gates',
      'config_schema /intel',
      'config_schema /tpm',
      'config_schema /traces',
    ]);
  });
});
