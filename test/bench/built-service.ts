import { execFileSync, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Material } from './protocol.js';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const COMPILE = ['scripts/compile.mjs', 'test/system/lab-main.mjs'];
/** As `npm start` runs it, with the roots of the lab. */
const COMMAND = ['--max-semi-space-size=64', join(PROJECT, 'dist/lab-main.js')];

/** The service as `npm run build` makes it, as a process. */
export class BuiltService {
  readonly #child: ReturnType<typeof spawn>;
  readonly url: string;

  private constructor(child: ReturnType<typeof spawn>, url: string) {
    this.#child = child;
    this.url = url;
  }

  static async start(material: Material): Promise<BuiltService> {
    execFileSync(process.execPath, COMPILE, { cwd: PROJECT, stdio: 'inherit' });
    const { folder, amdPins, intelPins } = material.service;
    const home = join(folder, 'built-service');
    await mkdir(home);
    const configuration = {
      listen: { port: 0 },
      log: { level: 'warn' },
      amd: { kds: 'off', chains: join(folder, 'chains') },
      policies: { directory: join(folder, 'policies') },
    };
    await writeFile(join(home, 'veritee.json'), JSON.stringify(configuration));
    await writeFile(join(home, 'pins.json'), JSON.stringify({ amd: amdPins, intel: intelPins }));
    const args = [...COMMAND, join(home, 'veritee.json'), join(home, 'pins.json')];
    const child = spawn(process.execPath, args, { cwd: home, stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: child.stdout })) {
      const { msg, url } = JSON.parse(line);
      if (msg !== 'listening') continue;
      child.stdout.resume();
      return new BuiltService(child, url);
    }
    throw new Error('the service did not start');
  }

  close(): void {
    this.#child.kill('SIGTERM');
  }
}
