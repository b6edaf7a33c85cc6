import { createPublicKey } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningService } from '../../../src/app/service.js';
import type { JsonObject } from '../../../src/core/json.js';
import { VaultLab } from '../../integration/key-vault/vault-lab.js';
import { challenge, LabService, lenientPolicy, PKI, sha256Hex } from '../../integration/service/lab-service.js';
import { boundValue } from '../../lab/bound-value.js';
import { LabMaa, wireEvidence } from '../../lab/index.js';
import { namedRsaKey } from '../../lab/lab-keys.js';
import type { LabServer } from '../../lab/lab-server.js';
import { TlsAuthority } from '../../lab/tls-authority.js';
import { type Asked, askFor, type Holding, HttpDependency } from '../dependency.js';
import { DEADLINE_SECONDS } from '../matrix-settings.js';
import type { Timing } from '../timing.js';

const HOUR_SECONDS = 3_600;
const DAY_MS = 24 * HOUR_SECONDS * 1000;
const HEADERS = { authorization: 'Bearer sesame-gate' };
const WAIVERS = ['snp_product_advisory', 'snp_tcb_floor_missing'].map((check) => ({
  check,
  reason: 'a lab',
  approver: 'the lab',
  expires: '2999-01-01',
}));

/** The key that the guest of the lab has its tokens made with. */
const {
  kty = '',
  n = '',
  e = '',
} = createPublicKey(namedRsaKey('maa-ephemeral', 2048).privateKey).export({
  format: 'jwk',
});
const JWK: JsonObject = { kty, n, e };

/** The parts of both dependencies: a service, Azure Attestation, a vault and Entra. */
interface Parts {
  readonly lab: LabService;
  readonly maa: LabMaa;
  readonly vaults: VaultLab;
}

/** A service that releases a key of a vault, by an access token of Entra. */
abstract class KeyRelease extends HttpDependency {
  protected readonly vaults: VaultLab;
  readonly #lab: LabService;
  readonly #maa: LabMaa;
  #services = 0;

  protected constructor({ lab, maa, vaults }: Parts, server: LabServer, on: RegExp, host?: string) {
    super(server, on, host);
    this.#lab = lab;
    this.#maa = maa;
    this.vaults = vaults;
  }

  protected static async make<D extends KeyRelease>(dependencyOf: (parts: Parts) => D): Promise<D> {
    const tls = new TlsAuthority();
    const lab = await LabService.create(tls);
    const clocked = { now: () => new Date() };
    const maa = await LabMaa.start({ pki: PKI, tls, clock: () => clocked.now() });
    const vaults = await VaultLab.start({ clock: () => clocked.now() }, tls);
    const members = { freshness: 'strict', nonce: 'challenge', binding: 'required', waivers: WAIVERS };
    await lab.writePolicy(lenientPolicy('keys', members));
    // All else is at hand, so that nobody but vault and Entra is asked.
    await writeFile(join(lab.root, 'vault-root.pem'), vaults.vault.answers.rootPem());
    await writeFile(join(lab.root, 'maa.json'), JSON.stringify(maa.keySet()));
    await writeFile(join(lab.chainFolder, 'chain.pem'), lab.vm.platform.chain);
    await writeFile(join(lab.chainFolder, 'list.crl'), lab.vm.platform.crl);
    const compliant = { claim: 'x-ms-isolation-tee.x-ms-compliance-status', equals: 'azure-compliant-cvm' };
    vaults.vault.addExportable('disk', { anyOf: [{ authority: maa.issuer, allOf: [compliant] }] });
    const dependency = dependencyOf({ lab, maa, vaults });
    clocked.now = () => dependency.clock.now();
    return dependency;
  }

  /** Evidence and token of one moment, as a guest makes both. */
  async ask(timing: Timing): Promise<Asked> {
    const service = this.service;
    // The library counts by the machine's clock: an hour on that of the service.
    this.vaults.entra.lifetimeSeconds = HOUR_SECONDS + Math.ceil((this.clock.now().getTime() - Date.now()) / 1000);
    const nonce = await challenge(service, {}, HEADERS);
    const evidence = this.#lab.vm.evidence({ nonce, jwk: JWK, endorsements: { chain: null, crls: [] } });
    const { hclReport } = evidence;
    const token = this.#maa.issueAzureVm({ hclReport, clientPayloadNonce: boundValue(nonce, JWK) });
    const body = {
      evidence: wireEvidence(evidence),
      nonce: Buffer.from(nonce).toString('base64url'),
      binding: { jwk: JWK },
      attestationResults: [{ type: 'maa-token', token }],
    };
    return askFor(timing, service, body, { target: '/keys/db/release', headers: HEADERS });
  }

  async stop(): Promise<void> {
    await this.#lab.stop();
  }

  async close(): Promise<void> {
    await Promise.all([this.#lab.close(), this.#maa.close()]);
    await this.vaults.close();
  }

  protected async open(): Promise<RunningService> {
    this.#services += 1;
    const db = {
      vault: `https://${this.vaults.vault.host}`,
      name: 'disk',
      enc: 'RSA_AES_KEY_WRAP_384',
      policy: 'keys',
      anyMachine: true,
      roots: join(this.#lab.root, 'vault-root.pem'),
      credential: await this.vaults.identity(),
    };
    const gate = { apiKeySha256: sha256Hex('sesame-gate'), expires: '2999-01-01', keys: ['db'] };
    const { issuer, policyHash } = this.#maa;
    const keys = {
      deadlineSeconds: DEADLINE_SECONDS,
      amd: { kds: 'off' },
      maa: { shared: false, issuers: [{ issuer, policyHash: [policyHash], keys: join(this.#lab.root, 'maa.json') }] },
      keys: { db },
      callers: { gate: { ...gate, roles: ['release', 'verify'] } },
    };
    const connect = { ca: this.#lab.kds.authorityPem, lookup: this.lookup };
    const world = { clock: this.clock, connect, vaultPort: this.vaults.vault.port };
    return this.#lab.start(keys, world, `service-${this.#services}`);
  }
}

/** The vault. It is asked for each release, and nothing of it is held. */
export class VaultOfKeys extends KeyRelease {
  readonly holdings: readonly Holding[] = [{ label: 'Key Vault, a key: asked each time', ageMs: 0 }];

  static create(): Promise<VaultOfKeys> {
    return KeyRelease.make((parts) => new VaultOfKeys(parts, parts.vaults.vault, /release/, parts.vaults.vault.host));
  }

  protected serve(): void {
    this.vaults.vault.releaseMaking = {};
  }

  /** Its answer to another request. */
  protected serveStale(): void {
    this.vaults.vault.releaseMaking = { request: { nonce: Buffer.alloc(32, 7).toString('base64url') } };
  }

  /** Signed with a certificate of tomorrow. */
  protected serveEarly(askedAt: Date): void {
    const { answers } = this.vaults.vault;
    const notBefore = new Date(askedAt.getTime() + DAY_MS);
    const [, ...issuers] = answers.chain();
    this.vaults.vault.releaseMaking = { chain: [answers.leafCertificate({ notBefore }), ...issuers] };
  }
}

/** Entra, which gives the token for the vault. */
export class EntraTokens extends KeyRelease {
  readonly holdings: readonly Holding[] = [
    { label: 'Entra, token for a vault: none', ageMs: 0 },
    // Past half of its life.
    { label: 'Entra, token for a vault: a token', ageMs: 31 * 60_000 },
    { label: 'Entra, token for a vault: ended', ageMs: 65 * 60_000 },
  ];

  static create(): Promise<EntraTokens> {
    return KeyRelease.make((parts) => new EntraTokens(parts, parts.vaults.entra, /./));
  }

  protected serve(): void {}

  protected serveStale(): void {
    const ended = { access_token: 'x', token_type: 'Bearer', expires_in: -5 };
    this.vaults.entra.fail(/token/, { status: 200, body: ended });
  }

  protected serveEarly(): never {
    throw new Error('an access token is for the vault to judge');
  }
}
