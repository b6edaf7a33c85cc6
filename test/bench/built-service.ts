import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { buildIfNeeded } from '../../scripts/build-if-needed.mjs';
import type { Material } from './protocol.js';

/** As `npm start` runs it, with the roots of the lab. */
const COMMAND = ['--max-semi-space-size=64', fileURLToPath(new URL('../system/lab-main.mjs', import.meta.url))];

/** The service as `npm run build` makes it, of so many workers, as a process. */
export class BuiltService {
  readonly #child: ReturnType<typeof spawn>;
  readonly url: string;
  readonly management: string;

  private constructor(child: ReturnType<typeof spawn>, url: string, management: string) {
    this.#child = child;
    this.url = url;
    this.management = management;
  }

  static async start(material: Material, workers: number): Promise<BuiltService> {
    if ((await buildIfNeeded()) !== 0) throw new Error('the service does not compile');
    const { folder, amdPins, intelPins } = material.service;
    const home = join(folder, `workers-${workers}`);
    await mkdir(home);
    const configuration = {
      workers,
      listen: { port: 0, management: { port: 0, metrics: 'open' } },
      log: { level: 'warn' },
      amd: { kds: 'off', chains: join(folder, 'chains') },
      policies: { directory: join(folder, 'policies') },
    };
    await writeFile(join(home, 'veritee.json'), JSON.stringify(configuration));
    await writeFile(join(home, 'pins.json'), JSON.stringify({ amd: amdPins, intel: intelPins }));
    const args = [...COMMAND, join(home, 'veritee.json'), join(home, 'pins.json')];
    const child = spawn(process.execPath, args, { cwd: home, stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: child.stdout })) {
      const { msg, url, management } = JSON.parse(line);
      if (msg !== 'listening') continue;
      child.stdout.resume();
      return new BuiltService(child, url, management);
    }
    throw new Error('the service did not start');
  }

  /** The highest 99th percentile of the delay of the event loop among the workers since this was last asked, milliseconds. */
  async lagMs(): Promise<number> {
    const text = await (await request(`${this.management}/metrics`)).body.text();
    const lags = [...text.matchAll(/^nodejs_eventloop_lag_p99_seconds\S* (\S+)$/gm)].map(([, value]) => Number(value));
    return Math.max(...lags) * 1000;
  }

  close(): void {
    this.#child.kill('SIGTERM');
  }
}
