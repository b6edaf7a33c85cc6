import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { onServerCpu } from './pinning.js';
import type { Answers, Question, ServiceMaterial } from './protocol.js';

const HERE = dirname(fileURLToPath(import.meta.url));
const WORKER = join(HERE, '../../dist/bench/test/bench/worker.js');
/** As `npm start`, the image and the unit run it. */
const AS_DEPLOYED = ['--max-semi-space-size=64'];

/**
 * Compiles what is measured as the product is compiled: a loader that translates on the fly wraps every function to
 * keep its name, and that would be measured too.
 */
export function compile(): void {
  const compiler = createRequire(import.meta.url).resolve('typescript-7/bin/tsc');
  const { status } = spawnSync(process.execPath, [compiler, '-p', HERE], { stdio: 'inherit' });
  if (status !== 0) throw new Error('what is to be measured does not compile');
  // the service reads its version beside the built code
  copyFileSync(join(HERE, '../../package.json'), join(HERE, '../../dist/bench/package.json'));
}

/** The worker in a process of its own. */
export class MeasuredProcess {
  readonly #child: ChildProcess;
  readonly #output: Promise<string>;

  /**
   * @param folder its working directory, where it may write
   * @param nodeOptions of its runtime
   */
  constructor(folder: string, nodeOptions: readonly string[] = []) {
    const [execPath, execArgv] = onServerCpu(process.execPath, [...AS_DEPLOYED, ...nodeOptions]);
    const stdio: ['ignore', 'pipe', 'inherit', 'ipc'] = ['ignore', 'pipe', 'inherit', 'ipc'];
    this.#child = fork(WORKER, { cwd: folder, execPath, execArgv, stdio, env: {} });
    this.#output = this.#child.stdout === null ? Promise.resolve('') : text(this.#child.stdout);
  }

  async ask<Q extends Question>(question: Q): Promise<Answers[Q['ask']]> {
    const ended = new AbortController();
    const answered = once(this.#child, 'message', ended).then(([message]) => message);
    const exited = once(this.#child, 'exit', ended).then(() => ({ error: 'the measured process has ended' }));
    this.#child.send(question);
    const answer = await Promise.race([answered, exited]);
    ended.abort();
    await Promise.allSettled([answered, exited]);
    if ('error' in answer) throw new Error(answer.error);
    return answer.value;
  }

  /** Starts the service in it. @returns where requests go */
  async serve(material: ServiceMaterial): Promise<string> {
    return `${await this.ask({ ask: 'serve', material })}/verify`;
  }

  async cpuSeconds(): Promise<number> {
    return (await this.ask({ ask: 'usage' })).cpuSeconds;
  }

  /** Ends it in good order. What it has printed comes back. */
  async stop(): Promise<string> {
    await this.ask({ ask: 'stop' });
    this.kill();
    return this.#output;
  }

  /** Lets go of the process, which then ends. */
  kill(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}
