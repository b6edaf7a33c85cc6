import type { RunningService } from '../../../src/app/service.js';
import { base64Url, LabService, lenientPolicy, NONCE } from '../../integration/service/lab-service.js';
import { createIntelPki, createTdxGuest, TdxPlatform } from '../../lab/index.js';
import { LabPcs } from '../../lab/pcs.js';
import { TlsAuthority } from '../../lab/tls-authority.js';
import { type Asked, askFor, type Holding, HttpDependency } from '../dependency.js';
import { DEADLINE_SECONDS } from '../matrix-settings.js';
import type { Timing } from '../timing.js';

const DAY_MS = 24 * 3_600_000;
/** Longer than a fetch counts as a confirmation, so that the source is asked before use. */
const UNCONFIRMED_MS = 2 * DAY_MS + 3_600_000;

const INTEL = createIntelPki();

/** A service without collateral of its own, and one source of it. */
export class CollateralSource extends HttpDependency {
  readonly holdings: readonly Holding[];
  readonly #lab: LabService;
  readonly #server: LabPcs;
  readonly #configured: (origin: string) => object;
  readonly #platform = new TdxPlatform({ pki: INTEL });
  readonly #guest = createTdxGuest({ platform: this.#platform });
  #services = 0;

  private constructor(name: string, lab: LabService, server: LabPcs, configured: (origin: string) => object) {
    super(server, /./);
    this.holdings = [
      { label: `${name}: nothing`, ageMs: 0 },
      { label: `${name}: current collateral`, ageMs: UNCONFIRMED_MS },
      { label: `${name}: collateral that ended`, ageMs: 40 * DAY_MS },
    ];
    this.#lab = lab;
    this.#server = server;
    this.#configured = configured;
  }

  static async pcs(): Promise<CollateralSource> {
    return CollateralSource.#create('Intel PCS', (origin) => ({ intel: { pcs: origin } }));
  }

  static async thim(): Promise<CollateralSource> {
    return CollateralSource.#create('Azure THIM', (origin) => ({ intel: { pcs: 'off' }, azure: { thim: origin } }));
  }

  static async #create(name: string, configured: (origin: string) => object): Promise<CollateralSource> {
    const tls = new TlsAuthority();
    const lab = await LabService.create(tls);
    await lab.writePolicy(lenientPolicy('quotes', { accepts: ['tdx'], freshness: 'required' }));
    return new CollateralSource(name, lab, await LabPcs.start({ tls }), configured);
  }

  async ask(timing: Timing): Promise<Asked> {
    const evidence = this.#guest.wireEvidence({ nonce: NONCE, collateral: null });
    return askFor(timing, this.service, { evidence, nonce: base64Url(NONCE), policy: 'quotes' });
  }

  async stop(): Promise<void> {
    await this.#lab.stop();
  }

  async close(): Promise<void> {
    await this.#lab.close();
    await this.#server.close();
  }

  protected async open(): Promise<RunningService> {
    this.#services += 1;
    const connect = { ca: this.#lab.kds.authorityPem, lookup: this.lookup };
    const world = { clock: this.clock, intelRootPins: INTEL.pins, connect };
    const keys = { deadlineSeconds: DEADLINE_SECONDS, ...this.#configured(this.#server.origin) };
    return this.#lab.start(keys, world, `service-${this.#services}`);
  }

  protected serve(): void {
    this.#server.serve(this.#platform, { at: this.clock.now() });
  }

  protected serveStale(): void {
    this.#serveDated(-31, -1);
  }

  protected serveEarly(askedAt: Date): void {
    this.#serveDated(1, 31, askedAt);
  }

  #serveDated(from: number, to: number, now = this.clock.now()): void {
    const day = (days: number) => new Date(now.getTime() + days * DAY_MS);
    const dated = { issueDate: day(from), nextUpdate: day(to) };
    this.#server.serve(this.#platform, { at: now, tcbInfo: dated, qeIdentity: dated });
  }
}
