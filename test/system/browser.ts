import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Requirement } from '../requirements.js';

const PROGRAMS = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'] as const;

export const CHROMIUM: Requirement = {
  what: PROGRAMS.join(' or '),
  command: ['sh', '-c', PROGRAMS.map((program) => `command -v ${program}`).join(' || ')],
};

/** No name but the loopback address is resolved, and nothing is asked for in the background. */
const OPTIONS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

/** Serves a page with one script, which posts its result to `/result`. */
class Page {
  readonly #server: Server;
  readonly result: Promise<unknown>;

  constructor(script: string) {
    this.#server = createServer();
    this.result = new Promise((resolve, reject) => {
      this.#server.on('request', (request, response) => {
        if (request.url === '/result') text(request).then((body) => resolve(JSON.parse(body)), reject);
        if (request.url === '/script.js') response.setHeader('content-type', 'text/javascript').end(script);
        else response.setHeader('content-type', 'text/html').end('<!doctype html><script src="/script.js"></script>');
      });
    });
  }

  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/**
 * Runs a script in a page of Chromium.
 *
 * @param script posts JSON to `/result`
 * @returns what it posted
 */
export async function runInBrowser(script: string): Promise<unknown> {
  const profile = await mkdtemp(join(tmpdir(), 'veritee-browser-'));
  const page = new Page(script);
  const url = await page.open();
  const browser = spawn(browserProgram(), [...OPTIONS, `--user-data-dir=${profile}`, url], {
    detached: true,
    stdio: 'ignore',
  });
  const ended = once(browser, 'close');
  try {
    const early = ended.then(() => Promise.reject(new Error('the browser ended without a result')));
    return await Promise.race([page.result, early]);
  } finally {
    killGroup(browser);
    await ended;
    page.close();
    // Processes of the group that are ending write into it still.
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

/** Path of the browser. */
export function browserProgram(): string {
  const [command = '', ...args] = CHROMIUM.command;
  return spawnSync(command, args, { encoding: 'utf8' }).stdout.trim();
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
