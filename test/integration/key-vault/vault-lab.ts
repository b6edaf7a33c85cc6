import { createPublicKey, randomBytes, X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { buildConnector } from 'undici';
import type { AzureIdentity } from '../../../src/core/azure-identity.js';
import type { JsonObject } from '../../../src/core/json.js';
import { type ReleaseAsk, releasableKey } from '../../../src/core/key-release.js';
import { type VaultKeyId, vaultKeyId } from '../../../src/core/key-vault-key.js';
import { DEFAULT_BREAKER } from '../../../src/outside/origin-breaker.js';
import { Outages } from '../../../src/outside/outages.js';
import type { VaultKey } from '../../../src/release/vault/key-vault.js';
import {
  type KeyVaults,
  type OpenKeyVaultsOptions,
  openKeyVaults,
} from '../../../src/release/vault/open-key-vaults.js';
import { BearerTokens } from '../../lab/bearer-tokens.js';
import { LabEntra } from '../../lab/entra.js';
import type { LabReleasePolicy } from '../../lab/key-release.js';
import { LabKeyVault, type LabKeyVaultOptions } from '../../lab/key-vault.js';
import { namedRsaKey } from '../../lab/lab-keys.js';
import { azureKey } from '../../lab/runtime-claims-builder.js';
import { TlsAuthority } from '../../lab/tls-authority.js';
import { type MembersChange, makeToken } from '../../lab/token-making.js';
import { ManualClock } from '../../unit/endorsements/manual-clock.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { labLookup } from '../lab-lookup.js';

export const CLIENT_ID = '5a1c8f5e-0d3c-4c41-9c1b-7f6f2d6a9b10';
export const SECRET = 'sesame-of-the-lab-42';

/** Ends with the test. */
export const NEVER = new AbortController().signal;

/** A key by its URL, which has to be one. */
export function keyId(url: string): VaultKeyId {
  const id = vaultKeyId(url);
  if (id === null) throw new Error(`${url} is no version of a key`);
  return id;
}

/** Issuer of the tokens of the lab's guests. */
const ISSUER = 'https://sharedweu.weu.attest.azure.net';
/** The guest's own key, to which vaults wrap. */
export const GUEST_KEY = namedRsaKey('vault', 2048).privateKey;
export const GUEST_JWK = createPublicKey(GUEST_KEY).export({ format: 'jwk' }) as JsonObject;
export const WRAPPING_KID = 'TpmEphemeralEncryptionKey';
const STATUS = 'x-ms-isolation-tee.x-ms-compliance-status';

/** Lets those have a key who have a token for a compliant VM. */
export const COMPLIANT: LabReleasePolicy = {
  anyOf: [{ authority: ISSUER, allOf: [{ claim: STATUS, equals: 'azure-compliant-cvm' }] }],
};

/** A token as guest attestation gives one, signed by nobody in particular. */
export function guestToken(claims: MembersChange = {}): string {
  const genuine = {
    iss: ISSUER,
    exp: Math.floor(Date.now() / 1000) + 3600,
    'x-ms-isolation-tee': { 'x-ms-compliance-status': 'azure-compliant-cvm' },
    'x-ms-runtime': { keys: [azureKey(WRAPPING_KID, ['encrypt'], GUEST_JWK)] },
  };
  return makeToken({ header: { typ: 'JWT' }, claims: genuine, key: GUEST_KEY, algorithm: 'RS256' }, { claims });
}

export interface Opened {
  readonly vaults: KeyVaults;
  readonly log: RecordingLog;
  readonly outages: Outages;
  read(url: string): Promise<VaultKey>;
}

/** A vault and Entra on loopback, a clock, an identity, and clients of all that. */
export class VaultLab {
  readonly clock = new ManualClock(new Date());
  readonly vault: LabKeyVault;
  readonly entra: LabEntra;
  readonly bearers: BearerTokens;
  readonly #folder: string;
  readonly #opened: KeyVaults[] = [];

  private constructor(folder: string, vault: LabKeyVault, entra: LabEntra, bearers: BearerTokens) {
    this.#folder = folder;
    this.vault = vault;
    this.entra = entra;
    this.bearers = bearers;
  }

  static async start(options: Partial<LabKeyVaultOptions> = {}, tls = new TlsAuthority()): Promise<VaultLab> {
    const bearers = new BearerTokens();
    const [vault, entra] = await Promise.all([
      LabKeyVault.start({ tls, bearers, ...options }),
      LabEntra.start({ tls, bearers, clients: [{ clientId: CLIENT_ID, secret: SECRET }] }),
    ]);
    return new VaultLab(await mkdtemp(join(tmpdir(), 'veritee-vault-')), vault, entra, bearers);
  }

  /** @param url of a key of the vault that is opened */
  async open(url: string, options: Partial<OpenKeyVaultsOptions> = {}): Promise<Opened> {
    const log = new RecordingLog();
    const outages = new Outages(this.clock, log);
    const vaults = await openKeyVaults({
      keys: [keyId(url)],
      identity: await this.identity(),
      environment: {},
      deadlineMs: 50_000,
      clock: this.clock,
      log,
      observer: outages,
      connect: this.connect,
      port: this.vault.port,
      ...options,
      tuning: { health: { ...DEFAULT_BREAKER, openMs: 20 }, ...options.tuning },
    });
    this.#opened.push(vaults);
    return { vaults, log, outages, read: (of) => vaults.read(keyId(of), NEVER) };
  }

  /**
   * A request for a key of the vault, by a new token and nonce.
   * @param url with the version that is configured, or without
   */
  ask(url: string, changes: Partial<ReleaseAsk> = {}): ReleaseAsk {
    const [, name = '', version = null] = /\/keys\/([^/]+)(?:\/([^/]+))?$/.exec(url) ?? [];
    const root = new X509Certificate(this.vault.answers.rootPem()).raw;
    const key = releasableKey(`https://${this.vault.host}`, name, version, [root]);
    if (key === null) throw new Error(`${url} is no key`);
    const nonce = randomBytes(32).toString('base64url');
    const asked = { key, target: guestToken(), nonce, enc: 'RSA_AES_KEY_WRAP_384', at: this.clock.now() } as const;
    return { ...asked, principal: 'guests', ...changes };
  }

  /** Trust in the lab's authority, and a resolver that asks no real one. */
  get connect(): buildConnector.BuildOptions {
    return { ca: this.vault.authorityPem, lookup: labLookup(() => true) };
  }

  /** As a configuration has it. */
  async identity(): Promise<AzureIdentity> {
    const secretFile = join(this.#folder, 'secret');
    await writeFile(secretFile, SECRET);
    const { origin: authority, tenantId } = this.entra;
    return { kind: 'client-secret', tenantId, clientId: CLIENT_ID, secretFile, authority };
  }

  /** Requests of the vault with an access token, and without. */
  get asked(): { readonly authorised: readonly string[]; readonly anonymous: readonly string[] } {
    const of = (isAuthorised: boolean) =>
      this.vault.received
        .filter(({ headers }) => (headers.authorization !== undefined) === isAuthorised)
        .map(({ method, url }) => `${method} ${url.replace(/\?.*/, '')}`);
    return { authorised: of(true), anonymous: of(false) };
  }

  async close(): Promise<void> {
    await Promise.all(this.#opened.map((vaults) => vaults.close()));
    await Promise.all([this.vault.close(), this.entra.close()]);
    await rm(this.#folder, { recursive: true, force: true });
  }
}
