import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { destination } from 'pino';
import { type RunningService, type ServiceOptions, startService } from '../../src/app/service.js';
import { loadConfiguration } from '../../src/config/load-configuration.js';
import { createLog } from '../../src/telemetry/log.js';
import type { Answers, Question, ServiceMaterial } from './protocol.js';
import { Yardsticks } from './yardsticks.js';

/**
 * A process that is measured: the service, or what it is compared with. It holds no client and makes no evidence, so
 * that its CPU time is that of the service alone.
 */

let service: RunningService | null = null;
let yardsticks: Yardsticks | null = null;
const eventLoop = monitorEventLoopDelay({ resolution: 1 });

async function answer(question: Question): Promise<Answers[Question['ask']]> {
  switch (question.ask) {
    case 'serve':
      service = await serve(question.material);
      return service.url;
    case 'stand':
      yardsticks = await Yardsticks.start(question.material);
      return yardsticks.urls;
    case 'verify':
      await yardsticks?.verify(question.what, question.times);
      return null;
    case 'usage':
      return { cpuSeconds: cpuSeconds(), upMs: performance.now() };
    case 'delay':
      return longestDelay();
    case 'stop':
      await Promise.all([service?.close(), yardsticks?.stop()]);
      return null;
  }
}

/** The whole service as it is shipped, its log at `info`. */
function serve({ folder, amdPins, intelPins, issuer, isStored = false }: ServiceMaterial): Promise<RunningService> {
  const text = JSON.stringify({
    listen: { port: 0 },
    amd: { kds: 'off', chains: join(folder, 'chains') },
    intel: { pcs: 'off', collateral: join(folder, 'intel') },
    policies: { directory: join(folder, 'policies') },
    stores: { url: `sqlite:${join(folder, `veritee-${process.pid}.db`)}` },
    decisions: { log: isStored ? 'on' : 'off' },
    maa: { shared: false, issuers: [{ issuer, keys: join(folder, 'maa.jwks.json'), policyHash: 'any' }] },
  });
  const pins = new Map(amdPins.map(([product, digests]) => [product, new Set(digests)]));
  return startService(loadConfiguration({ text, environment: {} }), {
    log: createLog('info', destination('/dev/null')),
    amdRootPins: pins as NonNullable<ServiceOptions['amdRootPins']>,
    intelRootPins: new Set(intelPins),
  });
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** The timer that measures the delay is due every millisecond. */
const SETTLE_MS = 10;

/** Longest delay since the last call, in milliseconds, once that timer has had its turn. The first call starts it. */
async function longestDelay(): Promise<number> {
  eventLoop.enable();
  await sleep(SETTLE_MS);
  const milliseconds = eventLoop.max / 1e6;
  eventLoop.reset();
  return milliseconds;
}

process.on('message', (question: Question) => {
  answer(question).then(
    (value) => process.send?.({ value }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.stack : String(error) }),
  );
});

// Also where whoever asks has died: the servers would stay.
process.once('disconnect', () => process.exit());
