import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { readProjectFile } from '../architecture/project-files.js';

/** Ports of what stands behind the proxy. */
export interface Behind {
  readonly veritee: number;
  readonly application: number;
}

export interface ProxyAnswer {
  readonly status: number;
  readonly body: string;
}

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/** nginx with deploy/gates/nginx/veritee-gate.conf, in which the addresses alone are others. */
export class Nginx {
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
  }

  static async start({ veritee, application }: Behind, change = (conf: string) => conf): Promise<Nginx> {
    const folder = await mkdtemp(join(tmpdir(), 'veritee-nginx-'));
    // Its workers are somebody else where the tests run as root.
    await chmod(folder, 0o755);
    const snippet = change(readProjectFile('deploy/gates/nginx/veritee-gate.conf'))
      .replace('listen 127.0.0.1:8000;', `listen unix:${folder}/socket;`)
      .replace('server 127.0.0.1:8080;', `server 127.0.0.1:${veritee};`)
      .replace('server 127.0.0.1:3000;', `server 127.0.0.1:${application};`);
    const paths = TEMPORARY.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(' ');
    const main = `pid ${folder}/pid; error_log ${folder}/error.log; daemon off; worker_processes 1; events {}
      http { access_log off; ${paths} include ${folder}/gate.conf; }`;
    await writeFile(join(folder, 'gate.conf'), snippet);
    await writeFile(join(folder, 'nginx.conf'), main);
    const child = spawn('nginx', ['-p', folder, '-e', join(folder, 'error.log'), '-c', join(folder, 'nginx.conf')], {
      stdio: 'ignore',
    });
    const nginx = new Nginx(child, folder);
    await nginx.#listening();
    return nginx;
  }

  get #socket(): string {
    return join(this.#folder, 'socket');
  }

  async #listening(): Promise<void> {
    for (let tries = 0; tries < 1_000; tries++) {
      if (this.#child.exitCode !== null) break;
      if (await isOpen(this.#socket)) return;
      await sleep(10);
    }
    throw new Error(`nginx did not start: ${await this.errors()}`);
  }

  errors(): Promise<string> {
    return readFile(join(this.#folder, 'error.log'), 'utf8');
  }

  ask(
    path: string,
    headers: Readonly<Record<string, string | readonly string[]>> = {},
    { method = 'GET', body = '' } = {},
  ): Promise<ProxyAnswer> {
    return new Promise((resolve, reject) => {
      const options = { socketPath: this.#socket, path, method, headers: { host: 'app.example', ...headers } };
      const sent = request({ ...options, headers: options.headers as Record<string, string> }, (response) => {
        text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }

  async close(): Promise<void> {
    const ended = once(this.#child, 'close');
    if (this.#child.exitCode === null) this.#child.kill('SIGTERM');
    await ended;
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function isOpen(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
