import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';
import type { JsonValue } from '../../src/core/json.js';
import { ServiceProcess } from '../system/service-process.js';
import type { Body, ServiceName } from './body.js';
import { type Answer, canonicalAnswer, isMembers } from './canonical.js';
import { configurationFile, SERVICES } from './setting.js';

/** Digests of the vendors' root keys and carried certificates, each with the one of the lab that takes its place. */
export type RootPairs = readonly (readonly [vendor: string, lab: string])[];

/** Requests that wait for one service at a time. */
export const AT_ONCE = 4;
const ATTEMPTS = 100;
const PAUSE_MS = 100;
const LAB_ROOTS = new URL('lab-roots.mjs', import.meta.url).href;

/** The services of one checkout, as processes. */
export class Services {
  readonly #processes: readonly ServiceProcess[];
  readonly #pools: ReadonlyMap<ServiceName, Pool>;

  private constructor(processes: ReadonlyMap<ServiceName, ServiceProcess>) {
    this.#processes = [...processes.values()];
    this.#pools = new Map(
      [...processes].map(([name, { url }]) => [name, new Pool(url, { connections: AT_ONCE, pipelining: 1 })]),
    );
  }

  /**
   * @param checkout built already
   * @param setting folder with the configurations
   * @param data folder that the services may write to; it must not be there yet
   */
  static async start(checkout: string, setting: string, data: string, roots: RootPairs): Promise<Services> {
    const main = join(checkout, 'dist', 'main.js');
    const processes = new Map<ServiceName, ServiceProcess>();
    try {
      for (const name of SERVICES) {
        const cwd = join(data, name);
        await mkdir(cwd, { recursive: true });
        const preload = name === 'lab' ? ['--import', LAB_ROOTS] : [];
        const command = [process.execPath, ...preload, main, 'serve', '--config', configurationFile(setting, name)];
        const environment = { ANSWERS_ROOTS: JSON.stringify(roots) };
        processes.set(name, await ServiceProcess.start(command, { cwd, environment }));
      }
      return new Services(processes);
    } catch (error) {
      await Promise.all([...processes.values()].map((service) => service.close()));
      throw error;
    }
  }

  /** The answer to a body, in canonical form. */
  async canonical(body: Body, text: string): Promise<JsonValue> {
    return canonicalAnswer(await this.#post(body, text), body.atInstant ? null : new Date());
  }

  /** A service that sheds load has not looked at the request: it is asked again. */
  async #post({ service, target }: Body, text: string): Promise<Answer> {
    const pool = this.#pools.get(service);
    if (pool === undefined) throw new Error(`there is no service ${service}`);
    for (let attempt = 0; ; attempt++) {
      const headers = { 'content-type': 'application/json' };
      const answer = await pool.request({ method: 'POST', path: target, headers, body: text });
      const json = (await answer.body.json()) as JsonValue;
      const isShed = answer.statusCode === 503 && isMembers(json) && json['code'] === 'overloaded';
      if (!isShed)
        return { status: answer.statusCode, contentType: String(answer.headers['content-type']), body: json };
      if (attempt === ATTEMPTS) throw new Error(`the service ${service} takes no requests`);
      await sleep(PAUSE_MS);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()));
    await Promise.all(this.#processes.map((service) => service.close()));
  }
}

/** The folder of this checkout. */
export const THIS_CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
