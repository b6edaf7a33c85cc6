import type { RunningService } from '../../../src/app/service.js';
import type { JsonObject, JsonValue } from '../../../src/core/json.js';
import { base64Url, LabService, lenientPolicy, NONCE, PKI } from '../../integration/service/lab-service.js';
import { LabMaa, LabTrustAuthority } from '../../lab/index.js';
import { maaJwk, maaSigner } from '../../lab/maa-signer.js';
import { TlsAuthority } from '../../lab/tls-authority.js';
import { type Asked, askFor, type Holding, HttpDependency } from '../dependency.js';
import { DEADLINE_SECONDS } from '../matrix-settings.js';
import type { Timing } from '../timing.js';

const DAY_MS = 24 * 3_600_000;
/** From then on a key set is fetched again before it is used. */
const DUE_MS = 11 * 60_000;

/** An issuer, as far as both kinds are alike. */
type Issuer = (LabMaa | LabTrustAuthority) & { publish(keySet: JsonValue | null): void };

/** A service that judges tokens of one issuer by the keys that it publishes. */
abstract class TokenIssuer<I extends Issuer> extends HttpDependency {
  readonly holdings: readonly Holding[];
  protected readonly lab: LabService;
  protected readonly issuer: I;
  #services = 0;

  protected constructor(name: string, lab: LabService, issuer: I) {
    super(issuer, /./);
    this.holdings = [
      { label: `${name}: nothing`, ageMs: 0 },
      { label: `${name}: a key set`, ageMs: DUE_MS },
      { label: `${name}: a day old`, ageMs: DAY_MS },
    ];
    this.lab = lab;
    this.issuer = issuer;
  }

  /** Of the moment. */
  protected abstract token(): JsonObject;
  protected abstract readonly configured: object;

  async ask(timing: Timing): Promise<Asked> {
    const body = { evidence: this.token(), nonce: base64Url(NONCE), policy: 'tokens' };
    return askFor(timing, this.service, body);
  }

  async stop(): Promise<void> {
    await this.lab.stop();
  }

  async close(): Promise<void> {
    await this.lab.close();
    await this.issuer.close();
  }

  protected async open(): Promise<RunningService> {
    this.#services += 1;
    const world = { clock: this.clock, connect: { ca: this.lab.kds.authorityPem, lookup: this.lookup } };
    const keys = { deadlineSeconds: DEADLINE_SECONDS, ...this.configured };
    return this.lab.start(keys, world, `service-${this.#services}`);
  }

  protected serve(): void {
    this.issuer.publish(null);
  }

  /** The same set without the key that signs. */
  protected serveStale(): void {
    const signer = maaSigner({ name: 'maa-signer-before', issuer: this.issuer.issuer, at: this.clock.now() });
    this.issuer.publish({ keys: [maaJwk(signer)] });
  }
}

/** Where the clock of an issuer is read before the issuer has one. */
interface Clocked {
  now: () => Date;
}

/** Azure Attestation. */
export class MaaKeys extends TokenIssuer<LabMaa> {
  protected readonly configured = {
    maa: { shared: false, issuers: [{ issuer: this.issuer.issuer, policyHash: [this.issuer.policyHash] }] },
  };

  static async create(): Promise<MaaKeys> {
    const tls = new TlsAuthority();
    const clocked: Clocked = { now: () => new Date() };
    const lab = await LabService.create(tls);
    const routes = { hardware: 'off', maa: 'required' };
    await lab.writePolicy(lenientPolicy('tokens', { accepts: ['maa-token'], routes }));
    const dependency = new MaaKeys(
      'Azure Attestation keys',
      lab,
      await LabMaa.start({ pki: PKI, tls, clock: () => clocked.now() }),
    );
    clocked.now = () => dependency.clock.now();
    return dependency;
  }

  protected token(): JsonObject {
    const { hclReport } = this.lab.vm.evidence({ nonce: NONCE });
    return { type: 'maa-token', token: this.issuer.issueAzureVm({ hclReport, clientPayloadNonce: NONCE }) };
  }

  /** The key that signs, with a certificate of tomorrow. */
  protected serveEarly(askedAt: Date): void {
    const { kid } = this.issuer.signer;
    const dates = {
      notBefore: new Date(askedAt.getTime() + DAY_MS),
      notAfter: new Date(askedAt.getTime() + 9 * DAY_MS),
    };
    const early = maaSigner({
      name: 'maa-signer-1',
      issuer: this.issuer.issuer,
      at: this.clock.now(),
      certificate: () => dates,
    });
    this.issuer.publish({ keys: [{ ...maaJwk(early), kid }] });
  }
}

/** Trust Authority. */
export class ItaKeys extends TokenIssuer<LabTrustAuthority> {
  protected readonly configured = {
    ita: { issuers: [{ issuer: this.issuer.issuer, keys: `${this.issuer.origin}/certs` }] },
  };

  static async create(): Promise<ItaKeys> {
    const tls = new TlsAuthority();
    const clocked: Clocked = { now: () => new Date() };
    const lab = await LabService.create(tls);
    const routes = { hardware: 'off', ita: 'required' };
    await lab.writePolicy(lenientPolicy('tokens', { accepts: ['ita-token'], routes, freshness: 'required' }));
    const dependency = new ItaKeys(
      'Trust Authority keys',
      lab,
      await LabTrustAuthority.start({ tls, clock: () => clocked.now() }),
    );
    clocked.now = () => dependency.clock.now();
    return dependency;
  }

  protected token(): JsonObject {
    const tdx = { attester_held_data: Buffer.from(NONCE).toString('base64') };
    return { type: 'ita-token', token: this.issuer.issue({ tdx }) };
  }

  protected serveEarly(): never {
    throw new Error('a key set has no dates');
  }
}
