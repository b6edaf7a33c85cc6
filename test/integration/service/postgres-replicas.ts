import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import type { RunningService, ServiceOptions } from '../../../src/app/service.js';
import { p256 } from '../../unit/receipts/keys.js';
import { call as callOnce } from '../http/exchange.js';
import { emptyChallenges, PATIENT } from '../stores/postgres-challenges.js';
import { PostgresLogs, SERVICE } from '../stores/postgres-logs.js';
import { PostgresServer } from '../stores/postgres-server.js';
import { LabService } from './lab-service.js';

export type Keys = { readonly [key: string]: unknown };

/** Replicas of the service that share a database. Each has a folder of its own. */
export class PostgresReplicas {
  readonly lab: LabService;
  readonly logs: PostgresLogs;
  readonly #running: RunningService[] = [];

  private constructor(lab: LabService, logs: PostgresLogs) {
    this.lab = lab;
    this.logs = logs;
  }

  /** @param given left out: a lab of their own, which they close */
  static async create(given?: LabService): Promise<PostgresReplicas> {
    const lab = given ?? (await LabService.create());
    await writeFile(join(lab.root, 'challenges.key'), randomBytes(32));
    await writeFile(join(lab.root, 'receipts.pem'), p256().export({ type: 'pkcs8', format: 'pem' }));
    const logs = new PostgresLogs(await PostgresServer.start());
    await logs.migrate();
    return new PostgresReplicas(lab, logs);
  }

  get server(): PostgresServer {
    return this.logs.server;
  }

  /** Address of the database. @param port another one, such as that of a proxy */
  url(port: number = this.server.port, user: string = SERVICE): string {
    return `postgres://${user}@127.0.0.1:${port}/${this.server.database}`;
  }

  /** Keys of the configuration that replicas share. */
  get shared() {
    return {
      stores: { url: this.url() },
      challenges: { key: join(this.lab.root, 'challenges.key') },
      receipts: { key: join(this.lab.root, 'receipts.pem') },
    };
  }

  /** Starts a replica. @param name of its folder; left out, a new one. Unless a test is about time, a busy machine has much of it. */
  async start(
    keys: Keys = {},
    world: Partial<ServiceOptions> = {},
    name = `replica-${this.#running.length}`,
  ): Promise<RunningService> {
    const { stores, challenges, receipts, ...others } = keys;
    const { shared } = this;
    const configuration = {
      ...shared,
      stores: { ...shared.stores, ...(stores as object | undefined) },
      challenges: { ...shared.challenges, ...(challenges as object | undefined) },
      receipts: { ...shared.receipts, ...(receipts as object | undefined) },
      ...others,
    };
    const service = await this.lab.start(configuration, { storeTimeoutMs: 10_000, ...world }, name);
    this.#running.push(service);
    return service;
  }

  /** Stops them all. */
  async stop(): Promise<void> {
    await Promise.all(this.#running.splice(0).map((service) => service.close()));
  }

  /** Stops them all, and makes the tables empty. */
  async reset(): Promise<void> {
    await this.stop();
    await this.logs.close();
    await this.logs.empty();
    await emptyChallenges(this.logs);
    await this.logs.sql('TRUNCATE reset_counts, used_proofs, rollback_marks');
  }

  async close(): Promise<void> {
    await this.lab.close();
    await this.closeServer();
  }

  /** For those of a lab that somebody else closes. */
  async closeServer(): Promise<void> {
    await this.logs.close();
    await this.server.close();
  }
}

/** Asks for a challenge, and once only: a refusal is an answer. */
export function askOnce(url: string) {
  const headers = { 'content-type': 'application/json' };
  return callOnce(url, '/challenges', { method: 'POST', headers, body: '{}' });
}

/** Waits until there are challenges again. */
export function isBack({ url }: RunningService): Promise<Uint8Array> {
  return vi.waitFor(async () => {
    const { status, body } = await askOnce(url);
    expect(status).toBe(200);
    return Buffer.from(body.nonce, 'base64url');
  }, PATIENT);
}
