import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { StopSignals } from '../../src/app/reload/stop-signals.ts';
import { startService } from '../../src/app/service.ts';
import { loadConfiguration } from '../../src/config/load-configuration.ts';
import { createLog } from '../../src/telemetry/log.ts';

/**
 * `veritee serve` as it was compiled, but for the roots, which are a lab's: no configuration can change those.
 * Arguments: a configuration, the pins of the roots as JSON, and, where it asks servers of a lab, their authority (PEM), the
 * port of its vaults and the time limit of its stores as JSON: every name is then this machine. Over IPC, where there is any,
 * it answers everything with its memory after a garbage collection.
 */
const [configurationFile, pinsFile, serversFile] = process.argv.slice(2);
const { amd, intel } = JSON.parse(readFileSync(pinsFile, 'utf8'));
const amdRootPins = new Map(amd.map(([product, digests]) => [product, new Set(digests)]));
const servers = serversFile === undefined ? {} : serversOf(JSON.parse(readFileSync(serversFile, 'utf8')));
const world = { amdRootPins, intelRootPins: new Set(intel), ...servers };
const signals = new StopSignals();
const configuration = loadConfiguration({ text: readFileSync(configurationFile, 'utf8'), environment: {} });
const log = createLog(configuration.log.level);
const service = await startService(configuration, { ...world, log });
if (process.send !== undefined) {
  process.on('message', async () => process.send(await memoryLeft()));
  process.channel.unref();
}
const { url, managementUrl: management } = service;
process.stdout.write(`${JSON.stringify({ msg: 'listening', url, management })}\n`);
await signals.serve(service, log);

function serversOf({ ca, vaultPort, storeTimeoutMs }) {
  const here = { address: '127.0.0.1', family: 4 };
  const lookup = (_name, { all }, done) => (all === true ? done(null, [here]) : done(null, here.address, here.family));
  return { connect: { ca, lookup }, vaultPort, storeTimeoutMs };
}

/**
 * V8 frees the memory of buffers on another thread, after a collection has returned. The first collection finds what
 * is dead, the later ones find that thread done.
 */
async function memoryLeft() {
  for (let collection = 0; collection < 4; collection++) {
    globalThis.gc();
    await setTimeout(50);
  }
  return process.memoryUsage();
}
