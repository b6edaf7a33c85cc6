import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { destination } from 'pino';
import type { RunningService } from '../../src/composition/service.js';
import { startService } from '../../src/composition/service.js';
import { loadConfiguration } from '../../src/config/load-configuration.js';
import { createLog } from '../../src/http/log.js';
import { readVerifyRequest } from '../../src/wire/read-verify-request.js';
import { dcapQvl } from './dcap-qvl.js';
import { FastifyServer } from './fastify-server.js';
import { library } from './library.js';
import { PlainServer } from './plain-server.js';
import { primitives, type Verify } from './primitives.js';
import type { Answers, InProcess, Material, Measured, Question } from './protocol.js';
import { repeat } from './repeat.js';

/**
 * The process that is measured. It holds no client and makes no evidence, so that its CPU time is that of the
 * service, the library or the primitive alone, whichever is asked for.
 */
class Worker {
  readonly #service: RunningService;
  readonly #plain: PlainServer;
  readonly #fastify: FastifyServer;
  readonly #measured: ReadonlyMap<InProcess, Verify>;

  private constructor(
    service: RunningService,
    plain: PlainServer,
    bareFastify: FastifyServer,
    measured: ReadonlyMap<InProcess, Verify>,
  ) {
    this.#service = service;
    this.#plain = plain;
    this.#fastify = bareFastify;
    this.#measured = measured;
  }

  static async start(material: Material): Promise<Worker> {
    const bare = primitives(firstReport(material), Buffer.from(material.vek, 'base64'));
    const ofLibrary = await library(material);
    return new Worker(
      await serve(material),
      await PlainServer.start(bare['P-384']),
      await FastifyServer.start(),
      new Map<InProcess, Verify>([
        ['P-384', bare['P-384']],
        ['P-256', bare['P-256']],
        ['RSA-2048', bare['RSA-2048']],
        ['library snp', ofLibrary('snp')],
        ['library az-snp-vtpm', ofLibrary('az-snp-vtpm')],
        ['library tdx', ofLibrary('tdx')],
        ['dcap-qvl', dcapQvl(material)],
        ['library maa-token', ofLibrary('maa-token')],
      ]),
    );
  }

  get urls(): Answers['start'] {
    return { service: this.#service.url, plain: this.#plain.url, fastify: this.#fastify.url };
  }

  async measure(what: InProcess, times: number): Promise<Measured> {
    const verify = this.#measured.get(what);
    if (verify === undefined) throw new Error(`nothing is called ${what}`);
    const before = cpuSeconds();
    await repeat(times, verify);
    return { count: times, cpuSeconds: cpuSeconds() - before };
  }

  async stop(): Promise<void> {
    await Promise.all([this.#service.close(), this.#plain.close(), this.#fastify.close()]);
  }
}

/** The whole service as it is shipped, its log at `info`. */
function serve({ folder, pins, intel, issuer }: Material): Promise<RunningService> {
  const text = JSON.stringify({
    listen: { port: 0 },
    amd: { kds: 'off', chains: join(folder, 'chains') },
    intel: { pcs: 'off', collateral: join(folder, 'intel') },
    policies: { directory: join(folder, 'policies') },
    decisions: { store: join(folder, 'veritee.db') },
    maa: { shared: false, issuers: [{ issuer, keys: join(folder, 'maa.jwks.json'), policyHash: 'any' }] },
  });
  const log = createLog('info', destination('/dev/null'));
  return startService(loadConfiguration({ text, environment: {} }), {
    log,
    amdRootPins: new Map(pins.map(([product, digests]) => [product, new Set(digests)])),
    intelRootPins: new Set(intel.pins),
  });
}

function firstReport({ bodies }: Material): Uint8Array {
  const { evidence } = readVerifyRequest(Buffer.from(bodies.snp[0] ?? ''));
  if (evidence.type !== 'snp') throw new Error('the first request is not one of a bare guest');
  return evidence.report;
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Longest delay since the last call, in milliseconds, once the timer that measures it has had its turn. */
async function longestDelay(): Promise<number> {
  await sleep(SETTLE_MS);
  const milliseconds = eventLoop.max / 1e6;
  eventLoop.reset();
  return milliseconds;
}

/** That timer is due every millisecond. */
const SETTLE_MS = 10;

const eventLoop = monitorEventLoopDelay({ resolution: 1 });

let worker: Worker | null = null;

async function answer(question: Question): Promise<Answers[Question['ask']]> {
  if (question.ask === 'start') {
    worker = await Worker.start(question.material);
    eventLoop.enable();
    return worker.urls;
  }
  if (question.ask === 'measure' && worker !== null) return worker.measure(question.what, question.times);
  if (question.ask === 'stop') await worker?.stop();
  if (question.ask === 'delay') return longestDelay();
  return question.ask === 'cpu' ? cpuSeconds() : null;
}

process.on('message', (question: Question) => {
  answer(question).then(
    (value) => process.send?.({ value }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.stack : String(error) }),
  );
});

// Also where whoever asks has died: the servers would stay.
process.once('disconnect', () => process.exit());
