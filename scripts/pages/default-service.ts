import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningService, startService } from '../../src/app/service.js';
import { loadConfiguration } from '../../src/config/load-configuration.js';
import type { JsonObject, JsonValue } from '../../src/core/json.js';
import type { Clock, Log } from '../../src/core/ports.js';

const SILENT: Log = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} };

/** The time of the examples: when their requests were made, and when a service answers them. */
export const MADE_AT = new Date('2026-11-27T12:00:00Z');
export const CLOCK_OF_EXAMPLES: Clock = { now: () => MADE_AT, monotonicMs: () => performance.now() };

/** A machine that builds may be busy with much else. */
const STORE_TIMEOUT_MS = 60_000;
const [ATTEMPTS, PAUSE_MS] = [60, 1000];

/** Stands for ids, which differ from answer to answer. */
const DECISION_ID = '019bc1f0-5a3c-7b52-9d9f-3a0e8d0f5c11';

export type LabRoots = Pick<Parameters<typeof startService>[1], 'amdRootPins' | 'intelRootPins'>;

export interface DefaultService extends RunningService {
  /** Closes the service, and removes what it wrote. */
  close(): Promise<void>;
}

export type AnsweringService = Pick<DefaultService, 'url'>;

/**
 * A service with its defaults but for the port, and for folders of its own. No vendor is contacted: their names do not
 * resolve.
 *
 * @param configuration what is not to be as it is by default
 * @param roots those of a lab, which no configuration can name
 */
export async function startDefaultService(
  clock: Clock,
  configuration: object = {},
  roots: LabRoots = {},
): Promise<DefaultService> {
  const folder = await mkdtemp(join(tmpdir(), 'veritee-examples-'));
  const policies = join(folder, 'policies');
  await mkdir(policies);
  const text = JSON.stringify({
    listen: { port: 0 },
    policies: { directory: policies },
    stores: { url: `sqlite:${join(folder, 'veritee.db')}` },
    ...configuration,
  });
  const service = await startService(loadConfiguration({ text, environment: {} }), {
    ...roots,
    log: SILENT,
    clock,
    storeTimeoutMs: STORE_TIMEOUT_MS,
    connect: { lookup: (_name, _options, done) => done(new Error('ENOTFOUND'), '', 4) },
  });
  const close = async () => {
    await service.close();
    await rm(folder, { recursive: true });
  };
  return { ...service, close };
}

/**
 * The answer of a service to a body, with an id that is always the same. One that is overloaded is asked again.
 * @throws {Error} if it refuses the body
 */
export async function answerTo({ url }: AnsweringService, path: string, body: JsonValue): Promise<JsonObject> {
  const headers = { 'content-type': 'application/json' };
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    const answer = (await response.json()) as JsonObject;
    if (response.status === 200) return 'decisionId' in answer ? { ...answer, decisionId: DECISION_ID } : answer;
    if (response.status !== 503 || attempt === ATTEMPTS)
      throw new Error(`${path} answers ${response.status}: ${JSON.stringify(answer)}`);
    await sleep(PAUSE_MS);
  }
}
