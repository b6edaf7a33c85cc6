import { randomBytes } from 'node:crypto';
import dns from 'node:dns';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningService } from '../../../src/app/service.js';
import { post } from '../../integration/http/exchange.js';
import { LabService, lenientPolicy, MovableClock } from '../../integration/service/lab-service.js';
import { PostgresLogs, SERVICE } from '../../integration/stores/postgres-logs.js';
import { PostgresServer } from '../../integration/stores/postgres-server.js';
import { TlsAuthority } from '../../lab/tls-authority.js';
import { p256 } from '../../unit/receipts/keys.js';
import { type Asked, askFor, type Dependency, type Holding, healthOf, running } from '../dependency.js';
import type { Fault } from '../expected-outcomes.js';
import { FullBacklog } from '../full-backlog.js';
import { DEADLINE_SECONDS } from '../matrix-settings.js';
import { StoreFront } from '../store-front.js';
import type { Timing } from '../timing.js';

/** Under this name the service knows its store. */
const NAME = 'localhost';
/** Five times that of production: many services run in this process. */
const STORE_TIMEOUT_MS = 500;
const RETRY_MS = 200;
/** As often as an answer may be asked for. */
const CHALLENGES = 10;
const STARTS = 5;

/** A service whose challenges are in PostgreSQL, over TLS. */
export class NonceStore implements Dependency {
  readonly holdings: readonly Holding[] = [{ label: 'Nonce store: asked each time', ageMs: 0 }];
  readonly restMs = 0;
  /** Another replica may reach it. */
  readonly isReadyMeanwhile = false;
  readonly #lab: LabService;
  readonly #primary: PostgresServer;
  readonly #standby: PostgresServer;
  readonly #front: StoreFront;
  readonly #genuineLookup = dns.lookup;
  #clock = new MovableClock();
  #backlog: FullBacklog | null = null;
  #service: RunningService | null = null;
  #services = 0;
  /** Challenges for the next requests: while the store fails, none is issued. */
  readonly #challenges: string[] = [];

  private constructor(lab: LabService, servers: readonly [PostgresServer, PostgresServer], front: StoreFront) {
    this.#lab = lab;
    [this.#primary, this.#standby] = servers;
    this.#front = front;
  }

  static async create(): Promise<NonceStore> {
    const tls = new TlsAuthority();
    const lab = await LabService.create(tls);
    await lab.writePolicy(lenientPolicy('reports', { nonce: 'challenge', freshness: 'required' }));
    await writeFile(join(lab.root, 'ca.pem'), tls.pem);
    await writeFile(join(lab.root, 'challenges.key'), randomBytes(32));
    await writeFile(join(lab.root, 'receipts.pem'), p256().export({ type: 'pkcs8', format: 'pem' }));
    const primary = await PostgresServer.start();
    const logs = new PostgresLogs(primary);
    await logs.migrate();
    await logs.close();
    return new NonceStore(lab, [primary, await primary.standby()], await StoreFront.start(primary.port, tls));
  }

  async start(): Promise<void> {
    this.#clock = new MovableClock();
    this.#services += 1;
    const path = (name: string) => join(this.#lab.root, name);
    const url = `postgres://${SERVICE}@${NAME}:${this.#front.port}/${this.#primary.database}`;
    const keys = {
      deadlineSeconds: DEADLINE_SECONDS,
      stores: { url, ca: path('ca.pem') },
      decisions: { log: 'off' },
      challenges: { key: path('challenges.key') },
      receipts: { key: path('receipts.pem') },
    };
    const world = { clock: this.#clock, storeTimeoutMs: STORE_TIMEOUT_MS };
    this.#service = await retried(() => this.#lab.start(keys, world, `service-${this.#services}`));
    this.#challenges.length = 0;
    while (this.#challenges.length < CHALLENGES) {
      if (!(await this.#takeChallenge())) await sleep(RETRY_MS);
    }
  }

  async ask(timing: Timing): Promise<Asked> {
    if (this.#challenges.length === 0) await this.#takeChallenge();
    const nonce = this.#challenges.pop();
    if (nonce === undefined) return { outcome: 'no challenge is issued', ms: 0, lateMs: 0 };
    const evidence = this.#lab.vm.wireEvidence({ nonce: Buffer.from(nonce, 'base64url') });
    return askFor(timing, running(this.#service), { evidence, nonce, policy: 'reports' });
  }

  health(): Promise<readonly [live: number, ready: number]> {
    return healthOf(running(this.#service));
  }

  advance(milliseconds: number): void {
    this.#clock.advance(milliseconds);
  }

  async fail(fault: Fault): Promise<void> {
    switch (fault) {
      case 'DNS':
        this.#lookUp(false);
        return this.#front.cut();
      case 'conn':
        await this.#front.close();
        this.#backlog = await FullBacklog.open(this.#front.port);
        return;
      case 'TLS':
        this.#front.beStranger(true);
        return this.#front.cut();
      case 'half':
      case 'drip':
      case 'garb':
      case 'over':
        return this.#front.spoil(fault);
      case 'stale':
        return this.#front.pointTo(this.#standby.port);
      default:
        throw new Error(`a store cannot fail by ${fault}`);
    }
  }

  async mend(): Promise<void> {
    this.#lookUp(true);
    this.#front.beStranger(false);
    this.#front.spoil(null);
    if (this.#backlog !== null) {
      await this.#backlog.close();
      this.#backlog = null;
      await this.#front.listen();
    }
    this.#front.pointTo(this.#primary.port);
  }

  async stop(): Promise<void> {
    await this.#lab.stop();
  }

  async close(): Promise<void> {
    this.#lookUp(true);
    await this.#lab.close();
    await this.#front.close();
    await this.#standby.close();
    await this.#primary.close();
  }

  /** @returns whether one is issued */
  async #takeChallenge(): Promise<boolean> {
    const { status, body } = await post(running(this.#service).url, '/challenges', '{}');
    if (status === 200) this.#challenges.push(body.nonce);
    return status === 200;
  }

  /** Nothing lets a store's name be looked up elsewhere than by the system, whose answer is changed for this one name. */
  #lookUp(resolves: boolean): void {
    const genuine = this.#genuineLookup;
    const failing = ((name: string, ...rest: unknown[]) => {
      const done = rest.at(-1) as (error: Error) => void;
      if (name === NAME) done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${NAME}`), { code: 'ENOTFOUND' }));
      else Reflect.apply(genuine, dns, [name, ...rest]);
    }) as typeof dns.lookup;
    dns.lookup = resolves ? genuine : failing;
  }
}

/** A busy machine may need a few attempts within the time that a store has. */
async function retried<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start();
    } catch (error) {
      if (attempt === STARTS) throw error;
    }
  }
}
