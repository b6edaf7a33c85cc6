import { readFileSync } from 'node:fs';
import { openAttestationServices } from '../src/app/attestation-services.js';
import { openEndorsements } from '../src/app/endorsements.js';
import { openHeldKeys } from '../src/app/held-keys.js';
import { openCallers } from '../src/app/open-callers.js';
import { OpenParts } from '../src/app/open-parts.js';
import { openTraces } from '../src/app/open-telemetry.js';
import { databasePassword } from '../src/app/postgres-server.js';
import { openReceiptVaults } from '../src/app/receipt-vaults.js';
import { SYSTEM_CLOCK } from '../src/app/system.js';
import { loadConfiguration } from '../src/config/load-configuration.js';
import { postgresAddressOf } from '../src/config/stores.js';
import type { Log } from '../src/core/ports.js';
import { ClockWatch } from '../src/judge/clock-watch.js';
import type { OriginObserver } from '../src/outside/outages.js';

const DOCUMENT = new URL('../docs/hardening.md', import.meta.url);
const BEGIN = '<!-- outgoing addresses: made by npm run generate -->\n';
const END = '<!-- end of outgoing addresses -->\n';

const SILENT: Log = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} };

/** A key of the configuration that names addresses. */
export interface AddressKey {
  readonly key: string;
  /** The requests to the address, and their time. */
  readonly use: string;
  /** Sections of the configuration with the default of the key, and with no service to contact. */
  readonly configured: object;
  readonly off: object;
  /** How an operator turns it off; null if it is off by default. */
  readonly offSetting: string | null;
}

const INSTANCE = 'https://my.weu.attest.azure.net';
const OWN_INSTANCE = { issuer: INSTANCE, policyHash: ['47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU'] };
const APPLICATION = {
  kind: 'client-secret',
  tenantId: 'contoso.example',
  clientId: '5a1c8f5e-0d3c-4c41-9c1b-7f6f2d6a9b10',
  secretFile: 'secret',
};

const VAULT_KEY = 'https://my.vault.azure.net/keys/receipts/0123456789abcdef0123456789abcdef';

const RELEASED_KEY = { vault: 'https://my.vault.azure.net', name: 'db', policy: 'db', enc: 'RSA_AES_KEY_WRAP_384' };

const DATABASE = 'postgres://veritee@my.postgres.database.azure.com/veritee';

const OIDC = {
  profile: 'generic',
  issuer: 'https://token.actions.githubusercontent.com',
  keys: 'discovery',
  audience: 'veritee',
  subjects: ['repo:org/app'],
};
const KUBERNETES = {
  issuer: 'https://kubernetes.default.svc.cluster.local',
  keys: 'https://kubernetes.default.svc/openid/v1/jwks',
  audience: 'veritee',
  serviceAccounts: ['gates/release'],
};

/** Those that are built in. */
export const TRUST_AUTHORITIES = [
  'Intel Trust Authority',
  'https://portal.trustauthority.intel.com',
  'https://portal.eu.trustauthority.intel.com',
];

/** In the order of docs/configuration.md. */
export const ADDRESS_KEYS: readonly AddressKey[] = [
  {
    key: 'amd.kds',
    use: 'CRLs of AMD for SEV-SNP evidence, then daily; the VCEK of evidence that comes without it',
    configured: {},
    off: { amd: { kds: 'off' } },
    offSetting: 'amd.kds: off',
  },
  {
    key: 'intel.pcs',
    use: 'collateral of Intel, before TDX evidence of a platform is first verified, then daily',
    configured: {},
    off: { intel: { pcs: 'off' } },
    offSetting: 'intel.pcs: off',
  },
  {
    key: 'azure.thim',
    use: 'collateral where `intel.pcs` gives none',
    configured: { azure: { thim: 'https://global.acccache.azure.net/sgx/certification/v4/' } },
    off: {},
    offSetting: null,
  },
  {
    key: 'maa.shared',
    use: 'the key set of a shared provider, when one of its tokens is verified',
    configured: {},
    off: { maa: { shared: false } },
    offSetting: 'maa.shared: false',
  },
  {
    key: 'maa.issuers',
    use: 'the key set of a listed instance, when one of its tokens is verified',
    configured: { maa: { issuers: [OWN_INSTANCE] } },
    off: {},
    offSetting: null,
  },
  {
    key: 'maa.submit.endpoints',
    use: 'evidence, where a policy has the route `maa`',
    configured: { maa: { shared: ['weu'], submit: { endpoints: ['https://sharedweu.weu.attest.azure.net'] } } },
    off: { maa: { shared: false } },
    offSetting: null,
  },
  {
    key: 'maa.submit.credential',
    use: 'an access token for it: Entra ID, or the `authority` that is configured',
    configured: {
      maa: { submit: { endpoints: ['https://sharedweu.weu.attest.azure.net'], credential: APPLICATION } },
    },
    off: {},
    offSetting: null,
  },
  {
    key: 'ita.issuers',
    use: 'the key set of Trust Authority and the CRLs of its signers, when one of its tokens is verified',
    configured: {},
    off: { ita: { issuers: TRUST_AUTHORITIES.map((issuer) => ({ issuer, keys: './keys.json' })) } },
    offSetting: 'ita.issuers: each issuer with a file as keys',
  },
  {
    key: 'ita.submit',
    use: 'evidence of TDX, where a policy has the route `ita`',
    configured: { ita: { submit: { api: 'https://api.trustauthority.intel.com', apiKeyFile: 'key' } } },
    off: {},
    offSetting: null,
  },
  {
    key: 'stores.credential',
    use: 'an access token for the database, from the start: Entra ID, or the `authority` that is configured',
    configured: {
      challenges: { key: 'challenges' },
      stores: { url: DATABASE, credential: APPLICATION },
      receipts: { key: 'receipts' },
    },
    off: {},
    offSetting: null,
  },
  {
    key: 'receipts.key',
    use: 'the public key at start and at a reload; the digest of each receipt',
    configured: { receipts: { key: VAULT_KEY, credential: 'managed-identity' } },
    off: {},
    offSetting: null,
  },
  {
    key: 'receipts.credential',
    use: 'an access token for the vault: Entra ID, or the `authority` that is configured',
    configured: { receipts: { key: VAULT_KEY, credential: APPLICATION } },
    off: { receipts: { key: VAULT_KEY, credential: 'managed-identity' } },
    offSetting: null,
  },
  {
    key: 'callers.<name>.oidc',
    use: 'the discovery document and the key set of the issuer, when one of its tokens is verified',
    configured: { callers: { ci: { roles: ['verify'], oidc: OIDC } } },
    off: {},
    offSetting: null,
  },
  {
    key: 'callers.<name>.kubernetes',
    use: 'the key set of the cluster, when one of its tokens is verified',
    configured: { callers: { ci: { roles: ['verify'], kubernetes: KUBERNETES } } },
    off: {},
    offSetting: null,
  },
  {
    key: 'keys.<name>.vault',
    use: 'the token of a guest, when its key is to be released',
    configured: { keys: { db: RELEASED_KEY } },
    off: {},
    offSetting: null,
  },
  {
    key: 'keys.<name>.credential',
    use: 'an access token for the vault: Entra ID, or the `authority` that is configured',
    configured: { keys: { db: { ...RELEASED_KEY, credential: APPLICATION } } },
    off: { keys: { db: RELEASED_KEY } },
    offSetting: null,
  },
  {
    key: 'traces.endpoint',
    use: 'spans of the requests that are traced, some seconds after them',
    configured: { traces: { endpoint: 'https://collector.example:4318' } },
    off: {},
    offSetting: null,
  },
];

/** Origins that a service with this configuration may contact. */
export async function originsOf(sections: object): Promise<ReadonlySet<string>> {
  // Nothing is written, and nothing is contacted before it is needed.
  const text = JSON.stringify(sections);
  const configuration = loadConfiguration({ text, environment: {} });
  const origins = new Set<string>();
  const observer: OriginObserver = {
    register: (origin) => void origins.add(origin),
    answered: () => {},
    refused: () => {},
    failed: () => {},
  };
  const world = { clock: SYSTEM_CLOCK, log: SILENT, observer };
  const endorsements = openEndorsements(configuration, world);
  // The files that the configuration names do not exist here, which says nothing about addresses.
  endorsements.ready.catch(() => {});
  const vaults = await openReceiptVaults(configuration, world);
  const heldKeys = await openHeldKeys(configuration, world);
  const services = await openAttestationServices(configuration, world);
  const { keyring } = await openCallers(configuration, { ...world, clock: new ClockWatch(SYSTEM_CLOCK, SILENT) });
  const traces = await openTraces(configuration, { ...world, version: '' });
  const stores = new OpenParts();
  const database = postgresAddressOf(configuration);
  if (database !== null) await databasePassword(configuration, database, world, stores);
  const opened = [endorsements, services, heldKeys, keyring, traces, stores, ...(vaults === null ? [] : [vaults])];
  await Promise.all(opened.map((part) => part.close()));
  return origins;
}

/** Rows of the table: the origins that a key adds, what goes there, and how to turn it off. */
async function row({ key, use, configured, off, offSetting }: AddressKey): Promise<string> {
  const without = await originsOf(off);
  const origins = [...(await originsOf(configured))].filter((origin) => !without.has(origin));
  if (origins.length === 0) throw new Error(`${key} adds no address`);
  const addresses = origins.map((origin) => `\`${origin}\``).join(', ');
  return `| ${addresses} | \`${key}\` | ${use} | ${offSetting === null ? 'off by default' : `\`${offSetting}\``} |\n`;
}

/** docs/hardening.md with the table as the configuration makes it. */
export async function hardeningText(): Promise<string> {
  const rows: string[] = [];
  for (const key of ADDRESS_KEYS) rows.push(await row(key));
  const table = `\n| Address | Key | What for, and when | Turned off by |\n|---|---|---|---|\n${rows.join('')}\n`;
  const text = readFileSync(DOCUMENT, 'utf8');
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error('docs/hardening.md has no place for the table of outgoing addresses');
  return text.slice(0, begin + BEGIN.length) + table + text.slice(end);
}
