import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningService, type ServiceOptions, startService } from '../../../src/app/service.js';
import { SYSTEM_CLOCK } from '../../../src/app/system.js';
import type { Configuration } from '../../../src/config/configuration.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { sqliteFileOf } from '../../../src/config/stores.js';
import type { Clock } from '../../../src/core/ports.js';
import { createLog } from '../../../src/telemetry/log.js';
import {
  type AzureEvidenceOptions,
  createAmdPki,
  createVirtualMachine,
  TlsAuthority,
  type VirtualMachine,
} from '../../lab/index.js';
import { LabKds } from '../../lab/kds.js';
import { type Answer, type Call, call as callOnce } from '../http/exchange.js';

/** The whole service over HTTP, as it is put together for production but for roots, folders and what a test changes. */

/** Issued around the present, since the service's own clock is the machine's. */
export const PKI = createAmdPki();

/** Nothing but the hardware report comes with the evidence: what vouches for it has to be found. */
export const WITHOUT_ENDORSEMENTS = { vek: null, chain: null, crls: [] } as const;

const ATTEMPTS = 10;

export const NONCE = Uint8Array.from({ length: 32 }, (_, index) => 0x40 + index);

/** Lets pass whatever is genuine: for what has to be denied in spite of it. */
export function lenientPolicy(id: string, members: object = {}): string {
  return JSON.stringify({
    apiVersion: 'veritee/v1',
    id,
    version: 1,
    accepts: ['snp', 'az-snp-vtpm'],
    minimums: 'any',
    freshness: 'none',
    ...members,
  });
}

export const base64Url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
export const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A clock that runs with the machine's. Time can go by, and its wall time can be set. */
export class MovableClock implements Clock {
  #aheadMs = 0;
  #setByMs = 0;

  now(): Date {
    return new Date(SYSTEM_CLOCK.now().getTime() + this.#aheadMs + this.#setByMs);
  }

  monotonicMs(): number {
    return SYSTEM_CLOCK.monotonicMs() + this.#aheadMs;
  }

  advance(milliseconds: number): void {
    this.#aheadMs += milliseconds;
  }

  /** Wall time jumps; monotonic time does not. */
  setBy(milliseconds: number): void {
    this.#setByMs += milliseconds;
  }
}

/** A request to /verify for evidence that holds the nonce. */
export interface Asked extends AzureEvidenceOptions {
  readonly members?: object;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An Azure VM of the lab, AMD's KDS for it, folders, and services on them. */
export class LabService {
  readonly kds: LabKds;
  readonly vm: VirtualMachine;
  readonly root: string;
  /** Everything that the services have logged, one line a record. */
  output = '';
  readonly #running: RunningService[] = [];
  readonly #before = process.cwd();

  private constructor(kds: LabKds, vm: VirtualMachine, root: string) {
    this.kds = kds;
    this.vm = vm;
    this.root = root;
  }

  /** @param tls issues the certificates of its servers; left out, one of its own */
  static async create(tls = new TlsAuthority()): Promise<LabService> {
    const vm = await createVirtualMachine({ pki: PKI });
    const lab = new LabService(await LabKds.start({ tls }), vm, await mkdtemp(join(tmpdir(), 'veritee-service-')));
    const { product, chipId, tcb, vek } = vm.platform;
    lab.kds.serveLine(PKI, product);
    lab.kds.serveVcek(product, chipId, tcb, vek.der);
    for (const folder of [lab.policyFolder, lab.chainFolder]) await mkdir(folder);
    return lab;
  }

  get policyFolder(): string {
    return join(this.root, 'policies');
  }

  /** `tenants` of a configuration: each has the policies of the folder of the tenant `default`. */
  tenants(...names: readonly string[]): Readonly<Record<string, object>> {
    return Object.fromEntries(names.map((name) => [name, { policies: { directory: this.policyFolder } }]));
  }

  /** The operator's folder of AMD's certificates. */
  get chainFolder(): string {
    return join(this.root, 'amd');
  }

  /** A policy file, which appears whole. */
  async writePolicy(text: string, name = `${JSON.parse(text).id}.json`): Promise<void> {
    await writeFile(join(this.root, name), text);
    await rename(join(this.root, name), join(this.policyFolder, name));
  }

  /**
   * Starts a service.
   * @param data name of the folder where it keeps what it writes: two services of one name are one, started again
   */
  async start(
    keys: { readonly amd?: object; readonly [key: string]: unknown } = {},
    world: Partial<ServiceOptions> = {},
    data = 'data',
  ): Promise<RunningService> {
    const { amd, ...others } = keys;
    const text = JSON.stringify({
      listen: { host: '127.0.0.1', port: 0 },
      policies: { directory: this.policyFolder },
      amd: { kds: this.kds.origin, chains: this.chainFolder, ...amd },
      ...others,
    });
    const loaded = loadConfiguration({ text, environment: {} });
    const configuration = await this.#inFolder(loaded, join(this.root, data));
    const service = await startService(configuration, {
      log: createLog(configuration.log.level, { write: (line) => this.#keep(line) }),
      amdRootPins: PKI.pins(['Milan']),
      connect: { ca: this.kds.authorityPem },
      // Unless a test is about time, a busy machine has much of it.
      storeTimeoutMs: 10_000,
      ...world,
    });
    this.#running.push(service);
    return service;
  }

  /** Asks for a decision on the VM's evidence. Nonce and evidence agree unless the members say otherwise. */
  verify({ url }: Pick<RunningService, 'url'>, asked: Asked = {}): Promise<Answer> {
    const { members = {}, query = '', headers = {} } = asked;
    return post(url, `/verify${query}`, this.verifyBody({ ...asked, members }), headers);
  }

  verifyBody({ members = {}, query: _, headers: __, ...evidence }: Asked = {}): string {
    const { nonce = NONCE, jwk = null } = evidence;
    return JSON.stringify({
      evidence: this.vm.wireEvidence({ endorsements: WITHOUT_ENDORSEMENTS, ...evidence, nonce }),
      nonce: base64Url(nonce),
      ...(jwk === null ? {} : { binding: { jwk } }),
      ...members,
    });
  }

  /** Stops every service: one that runs on hears of the files of the next. */
  async stop(): Promise<void> {
    await Promise.all(this.#running.splice(0).map((service) => service.close()));
  }

  async close(): Promise<void> {
    await this.stop();
    await this.kds.close();
    process.chdir(this.#before);
    await rm(this.root, { recursive: true, force: true });
  }

  /** The folder of what is written follows the file of the stores, or the working folder where that is none. */
  async #inFolder(configuration: Configuration, folder: string): Promise<Configuration> {
    if (sqliteFileOf(configuration) === null) {
      await mkdir(folder, { recursive: true });
      process.chdir(folder);
      return configuration;
    }
    return { ...configuration, stores: { ...configuration.stores, url: `sqlite:${join(folder, 'veritee.db')}` } };
  }

  #keep(line: string): void {
    this.output += line;
  }
}

/**
 * Makes a call, and again where load was shed, as its answer says. Requests are built in the process that serves them,
 * which on a busy machine is delay enough; what is refused so was not looked at.
 */
export async function call(url: string, target: string, options: Call = {}): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    const answer = await callOnce(url, target, options);
    if (answer.body?.code !== 'overloaded' || attempt === ATTEMPTS) return answer;
    await sleep(Number(answer.headers['retry-after']) * 1000);
  }
}

/** Posts JSON. */
export function post(
  url: string,
  target: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return call(url, target, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
}

/** A challenge of the service. */
export async function challenge(
  { url }: Pick<RunningService, 'url'>,
  scope: object = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Uint8Array> {
  const { status, body } = await post(url, '/challenges', JSON.stringify(scope), headers);
  if (status !== 200) throw new Error(`no challenge: ${status} ${body.code}`);
  return Buffer.from(body.nonce, 'base64url');
}

/** Decision and reasons of an answer. */
export function verdictOf({ status, body }: Answer): readonly unknown[] {
  return status === 200 ? [body.decision, ...body.reasons] : [status, body.code];
}
