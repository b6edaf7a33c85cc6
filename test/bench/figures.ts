import { Client } from './client.js';
import { MeasuredProcess } from './measured-process.js';
import { Peers } from './peers.js';
import { AT_A_TIME, type Material, type Primitive, type Yardstick } from './protocol.js';

/** Something whose CPU time is measured, many times in a row. */
export interface Figure {
  readonly process: { cpuSeconds(): Promise<number> };
  /** @returns how long each took for the client, in milliseconds, where there is a client */
  readonly run: (times: number) => Promise<readonly number[]>;
  /** Times, until code is compiled and caches hold what they hold in the long run. */
  readonly warmUp: number;
  /** How many of it there are for each one that is asked for. */
  readonly share: number;
}

export const PRIMITIVES: readonly Primitive[] = ['P-384', 'P-256', 'RSA-2048'];

type Peer = 'Go' | 'Go with CRL' | 'Go with CRL, first-seen chip' | 'go-tdx-guest';
export type FigureName =
  | Primitive
  | 'Fastify + P-384'
  | 'Fastify + P-384 + RSA-2048'
  | 'Fastify POST'
  | 'snp'
  | 'snp, 64 connections'
  | 'snp, 3 000 chips'
  | 'snp, first-seen chip'
  | 'az-snp-vtpm'
  | 'az-snp-vtpm, event log'
  | 'az-snp-vtpm, 15 rules, explained'
  | 'az-snp-vtpm, receipt'
  | 'az-snp-vtpm, stored'
  | 'az-snp-vtpm, receipt, stored'
  | 'tdx'
  | 'maa-token'
  | Peer;
/** Figures that need the verifiers in Go. */
export const PEERS: ReadonlySet<FigureName> = new Set<Peer>([
  'Go',
  'Go with CRL',
  'Go with CRL, first-seen chip',
  'go-tdx-guest',
]);

const CHIPS = 3_000;
const WARM_UP = 2_000;
/** For what is compiled beforehand, and for chips, which can be first seen only once. */
const SHORT_WARM_UP = 300;
const FIRST_SEEN = { warmUp: SHORT_WARM_UP, share: 0.5 };
const MANY_CONNECTIONS = { connections: 64, warmUp: SHORT_WARM_UP, share: 3 };

/** How many chips it takes for so many rounds. */
export function chipsNeeded(rounds: number, times: number): number {
  return Math.max(CHIPS, FIRST_SEEN.warmUp + rounds * Math.ceil(times * FIRST_SEEN.share));
}

/** A server, in a process that is measured. */
interface Server<P extends Figure['process'] = Figure['process']> {
  readonly process: P;
  readonly url: string;
}

interface Options {
  readonly warmUp?: number;
  readonly share?: number;
  readonly connections?: number;
}

/** The processes that are measured, and what is measured in each. */
export class Figures {
  readonly all = new Map<FigureName, Figure>();
  readonly #material: Material;
  readonly #clients: Client[] = [];
  readonly #processes: { kill(): void }[] = [];

  constructor(material: Material) {
    this.#material = material;
  }

  /** @param nodeOptions of its runtime */
  async addService(nodeOptions: readonly string[]): Promise<Server<MeasuredProcess>> {
    const { bodies, logged, ruled, addressed } = this.#material;
    const service = await this.#serve(nodeOptions);
    this.#add('snp', service, bodies.snp);
    this.#add('snp, 64 connections', service, bodies.snp, MANY_CONNECTIONS);
    this.#add('az-snp-vtpm', service, bodies['az-snp-vtpm']);
    this.#add('az-snp-vtpm, event log', service, logged);
    const explained = { process: service.process, url: `${service.url}?explain=tree` };
    this.#add('az-snp-vtpm, 15 rules, explained', explained, ruled);
    this.#add('az-snp-vtpm, receipt', service, addressed);
    this.#add('tdx', service, bodies.tdx);
    this.#add('maa-token', service, bodies['maa-token']);
    return service;
  }

  /** The service as it is by default: each decision is stored. */
  async addStore(nodeOptions: readonly string[]): Promise<void> {
    const { bodies, addressed } = this.#material;
    const service = await this.#serve(nodeOptions, { isStored: true });
    this.#add('az-snp-vtpm, stored', service, bodies['az-snp-vtpm']);
    this.#add('az-snp-vtpm, receipt, stored', service, addressed);
  }

  /** Each in a service of its own: what chips leave in the caches of one must not be there in another. */
  async addChips(): Promise<void> {
    const { bodies, chips } = this.#material;
    this.#add('snp, 3 000 chips', await this.#serve(), chips.slice(0, CHIPS), { warmUp: CHIPS });
    const firstSeen = await this.#serve();
    await this.#client(firstSeen.url, bodies.snp).verify(WARM_UP);
    this.#add('snp, first-seen chip', firstSeen, chips, FIRST_SEEN);
  }

  /** The yardstick in this runtime. */
  async addYardsticks(service: Server): Promise<void> {
    const { bodies, report, vek } = this.#material;
    const answerBytes = {
      snp: await this.#answerBytes(service, 'snp'),
      'az-snp-vtpm': await this.#answerBytes(service, 'az-snp-vtpm'),
      'maa-token': await this.#answerBytes(service, 'maa-token'),
    };
    const process = this.#start();
    const urls = await process.ask({ ask: 'stand', material: { report, vek, answerBytes } });
    const add = (name: FigureName, type: Yardstick, options: Options = {}) =>
      this.#add(name, { process, url: `${urls[type]}/verify` }, bodies[type], options);
    add('Fastify + P-384', 'snp');
    add('Fastify + P-384 + RSA-2048', 'az-snp-vtpm');
    // so short that the usual number of them is too little to measure
    add('Fastify POST', 'maa-token', { share: 5 });
    for (const what of PRIMITIVES) {
      const run = async (times: number) => {
        await process.ask({ ask: 'verify', what, times });
        return [];
      };
      this.all.set(what, { process, run, warmUp: SHORT_WARM_UP, share: 1 });
    }
  }

  /** @param executable of the Go verifiers */
  async addPeers(executable: string, service: Server): Promise<void> {
    const {
      bodies,
      chips,
      service: { folder },
    } = this.#material;
    const process = await Peers.start(executable, folder, await this.#answerBytes(service, 'snp'));
    this.#processes.push(process);
    const options = { warmUp: SHORT_WARM_UP };
    this.#add('Go', { process, url: process.withoutCrl }, bodies.snp, options);
    this.#add('Go with CRL', { process, url: process.withCrl }, bodies.snp, options);
    this.#add('Go with CRL, first-seen chip', { process, url: process.withCrl }, chips, FIRST_SEEN);
    const run = async (times: number) => {
      await process.verifyTdx(times);
      return [];
    };
    this.all.set('go-tdx-guest', { process, run, ...options, share: 1 });
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    for (const process of this.#processes) process.kill();
  }

  #add(name: FigureName, { process, url }: Server, bodies: readonly string[], options: Options = {}): void {
    const { connections, warmUp = WARM_UP, share = 1 } = options;
    const client = this.#client(url, bodies, connections);
    this.all.set(name, { process, run: (times) => client.verify(times), warmUp, share });
  }

  async #serve(
    nodeOptions: readonly string[] = [],
    options: { readonly isStored?: boolean } = {},
  ): Promise<Server<MeasuredProcess>> {
    const process = this.#start(nodeOptions);
    return { process, url: await process.serve({ ...this.#material.service, ...options }) };
  }

  #start(nodeOptions: readonly string[] = []): MeasuredProcess {
    const process = new MeasuredProcess(this.#material.service.folder, nodeOptions);
    this.#processes.push(process);
    return process;
  }

  #client(url: string, bodies: readonly string[], connections = AT_A_TIME): Client {
    const client = new Client(url, bodies, connections);
    this.#clients.push(client);
    return client;
  }

  async #answerBytes({ url }: Server, type: Yardstick): Promise<number> {
    return (await this.#client(url, this.#material.bodies[type]).send()).length;
  }
}
