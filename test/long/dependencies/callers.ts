import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningService } from '../../../src/app/service.js';
import { LabService, lenientPolicy } from '../../integration/service/lab-service.js';
import { LabCallerIssuer } from '../../lab/caller-issuer.js';
import { TlsAuthority } from '../../lab/tls-authority.js';
import { type Asked, askFor, type Holding, HttpDependency } from '../dependency.js';
import { DEADLINE_SECONDS } from '../matrix-settings.js';
import type { Timing } from '../timing.js';

const DAY_MS = 24 * 3_600_000;
const TENANT = '5f1c0c2a-7c65-4a0e-8f2b-5d3b7a1e9c04';
const APP = '5a1c8f5e-0d3c-4c41-9c1b-7f6f2d6a9b10';
const KEY = 'caller-1';

/** A service whose callers come with tokens of Entra ID. Their evidence is complete. */
export class CallerKeys extends HttpDependency {
  readonly holdings: readonly Holding[] = [
    { label: 'Entra, keys of callers: nothing', ageMs: 0 },
    { label: 'Entra, keys of callers: a key set', ageMs: 11 * 60_000 },
    { label: 'Entra, keys of callers: a day old', ageMs: DAY_MS },
  ];
  readonly #lab: LabService;
  readonly #issuer: LabCallerIssuer;
  #services = 0;

  private constructor(lab: LabService, issuer: LabCallerIssuer) {
    super(issuer, /./);
    this.#lab = lab;
    this.#issuer = issuer;
  }

  static async create(): Promise<CallerKeys> {
    const tls = new TlsAuthority();
    const lab = await LabService.create(tls);
    await lab.writePolicy(lenientPolicy('reports'));
    await writeFile(join(lab.root, 'ca.pem'), tls.pem);
    return new CallerKeys(lab, await LabCallerIssuer.start({ tls }));
  }

  async ask(timing: Timing): Promise<Asked> {
    const body = { ...JSON.parse(this.#lab.verifyBody({ endorsements: {} })), policy: 'reports' };
    return askFor(timing, this.service, body, { headers: { authorization: `Bearer ${this.#token()}` } });
  }

  async stop(): Promise<void> {
    await this.#lab.stop();
  }

  async close(): Promise<void> {
    await this.#lab.close();
    await this.#issuer.close();
  }

  protected async open(): Promise<RunningService> {
    this.#services += 1;
    const oidc = {
      profile: 'entra',
      issuer: this.#issuer.issuer,
      keys: 'discovery',
      ca: join(this.#lab.root, 'ca.pem'),
      audience: ['api://veritee'],
      tenantId: TENANT,
      clientIds: [APP],
      appRoles: ['verify'],
    };
    const callers = { app: { roles: ['verify'], policies: ['reports'], oidc } };
    const keys = { deadlineSeconds: DEADLINE_SECONDS, amd: { kds: 'off' }, callers };
    const world = { clock: this.clock, connect: { lookup: this.lookup } };
    await this.#fillFolder();
    return this.#lab.start(keys, world, `service-${this.#services}`);
  }

  protected serve(): void {
    this.#issuer.keyNames = [KEY];
  }

  /** The set from before the key that signs. */
  protected serveStale(): void {
    this.#issuer.keyNames = ['caller-before'];
  }

  protected serveEarly(): never {
    throw new Error('a key set has no dates');
  }

  /** So that nothing is asked of AMD. */
  async #fillFolder(): Promise<void> {
    const { platform } = this.#lab.vm;
    await writeFile(join(this.#lab.chainFolder, 'chain.pem'), platform.chain);
    await writeFile(join(this.#lab.chainFolder, 'list.crl'), platform.crl);
  }

  #token(): string {
    const now = Math.floor(this.clock.now().getTime() / 1000);
    const claims = { aud: 'api://veritee', ver: '2.0', tid: TENANT, azp: APP, idtyp: 'app', roles: ['verify'] };
    const names = this.#issuer.keyNames;
    // Whatever it publishes, this one signs.
    this.#issuer.keyNames = [KEY];
    const token = this.#issuer.issue({ ...claims, iat: now, nbf: now, exp: now + 600 });
    this.#issuer.keyNames = names;
    return token;
  }
}
