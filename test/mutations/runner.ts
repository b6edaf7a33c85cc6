import { setMaxListeners } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type File, getFn, startTests, type Test } from '@vitest/runner';
import { hasFailed } from '@vitest/runner/utils';
import { inject, vi } from 'vitest';
import { VitestTestRunner } from 'vitest/runners';
import { Outcomes } from './outcomes.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The path of Outcomes. */
    outcomes: string;
  }
}

/** How often each change was reached. */
type Reached = Record<string, number>;

/** What the instrumented sources ask, and where they count. */
interface Switches {
  activeMutant: string | undefined;
  currentTestId: 'test' | undefined;
  hitCount: number | undefined;
  hitLimit: number;
  readonly mutantCoverage: { static: Reached; perTest: { test?: Reached } };
}

/** A change may make a loop go on for ever: it is stopped after so many times as often as it was reached without the change. */
const LONGER = 100;
/** Where another change is what is reached. */
const LIMIT_MS = 10_000;
/** Where none is. The process is killed. */
const HANG_MS = 60_000;

const switches: Switches = {
  activeMutant: undefined,
  currentTestId: undefined,
  hitCount: undefined,
  hitLimit: 0,
  mutantCoverage: { static: {}, perTest: {} },
};
Object.assign(globalThis, { __stryker__: switches });
// A test that runs again adds to what listens to its signal.
setMaxListeners(0);

/**
 * Runs each test once, then again for each change that it reaches and that no test has noticed. What is reached while no
 * test runs, by an import or a hook, takes a run of the whole file for each.
 */
export default class MutationRunner extends VitestTestRunner {
  readonly #outcomes = new Outcomes(inject('outcomes'));
  readonly #watched = watch(inject('outcomes'));
  readonly #whole = new Map<string, number>();

  async runTask(test: Test): Promise<void> {
    const run = getFn(test);
    const reached = await reachedBy(run);
    const left = [...reached].filter(([id]) => !this.#outcomes.isNoticed(Number(id)));
    for (const [index, [id, count]] of left.entries()) {
      // What the test leaves behind may be what makes it fail when it runs again.
      if ((index === 0 && !(await holds(run))) || !(await this.#tryInPlace(run, id, count))) {
        for (const [other, hits] of left.slice(index)) this.#whole.set(other, hits);
        return;
      }
    }
  }

  override async onAfterRunFiles(files?: File[]): Promise<void> {
    for (const file of files ?? []) this.#outcomes.end(file.filepath, await this.#tryFile(file));
    super.onAfterRunFiles();
  }

  /** @returns false if nothing can be said */
  async #tryInPlace(run: () => unknown, id: string, count: number): Promise<boolean> {
    if (this.#outcomes.isNoticed(Number(id))) return true;
    const isUnnoticed = await this.#changed(id, count, () => holds(run));
    if (!isUnnoticed && !(await holds(run))) return false;
    if (!isUnnoticed) this.#outcomes.notice(Number(id));
    return true;
  }

  /** @returns what is wrong with the tests */
  async #tryFile(file: File): Promise<string | null> {
    if (hasFailed(file)) return 'fails without a change';
    const outside = [...Object.entries(switches.mutantCoverage.static), ...this.#whole];
    const left = outside.filter(([id]) => !this.#outcomes.isNoticed(Number(id)));
    if (left.length > 0 && !(await this.#fileHolds(file.filepath))) return 'fails when it runs again';
    for (const [id, count] of left) {
      if (this.#outcomes.isNoticed(Number(id))) continue;
      const isUnnoticed = await this.#changed(id, count, () => this.#fileHolds(file.filepath));
      if (!isUnnoticed) this.#outcomes.notice(Number(id));
    }
    return null;
  }

  /** Runs all tests of a file, up to the first that fails, with modules of its own. Vitest is not told. */
  async #fileHolds(path: string): Promise<boolean> {
    vi.resetModules();
    let isFailed = false;
    const own = (value: unknown) => ({ value, writable: true });
    const quiet: VitestTestRunner = Object.create(this, {
      onCollectStart: own(undefined),
      onCollected: own(undefined),
      onTaskUpdate: own(undefined),
      onAfterRunFiles: own(undefined),
      runTask: own((test: Test) => getFn(test)()),
      onBeforeRunTask: own((test: Test) => {
        if (isFailed) test.mode = 'skip';
      }),
      onAfterRunTask: own((test: Test) => {
        isFailed ||= test.result?.state === 'fail';
      }),
    });
    return !hasFailed(await startTests([path], quiet));
  }

  async #changed(id: string, count: number, run: () => Promise<boolean>): Promise<boolean> {
    const started = performance.now();
    const limited: ProxyHandler<Reached> = {
      set: () => {
        if (performance.now() - started > LIMIT_MS) throw new Error('too long');
        return true;
      },
    };
    const { mutantCoverage } = switches;
    const before = mutantCoverage.static;
    Object.assign(switches, { activeMutant: id, hitCount: 0, hitLimit: LONGER * (count + LONGER) });
    mutantCoverage.static = new Proxy({}, limited);
    this.#watched.begin(Number(id));
    try {
      return await run();
    } finally {
      this.#watched.end();
      Object.assign(switches, { activeMutant: undefined, hitCount: undefined });
      mutantCoverage.static = before;
    }
  }
}

async function reachedBy(run: () => unknown): Promise<Map<string, number>> {
  const { mutantCoverage } = switches;
  mutantCoverage.perTest = {};
  switches.currentTestId = 'test';
  try {
    await run();
  } finally {
    switches.currentTestId = undefined;
  }
  return new Map(Object.entries(mutantCoverage.perTest.test ?? {}));
}

async function holds(run: () => unknown): Promise<boolean> {
  try {
    await run();
    return true;
  } catch {
    return false;
  }
}

/** A thread that says that a change is noticed, and kills the process, if its test never ends. */
function watch(outcomes: string): { begin(id: number): void; end(): void } {
  const state = new Float64Array(new SharedArrayBuffer(16));
  const [ID, SINCE] = [0, 1];
  const text = `
    const { openSync, writeSync } = require('node:fs');
    const { workerData: { state, outcomes, limit } } = require('node:worker_threads');
    setInterval(() => {
      const [id, since] = state;
      if (since === 0 || Date.now() - since < limit) return;
      writeSync(openSync(outcomes, 'r+'), Buffer.of(1), 0, 1, id);
      process.kill(process.pid, 'SIGKILL');
    }, 1000);`;
  const workerData = { state, outcomes, limit: HANG_MS };
  new Worker(text, { eval: true, workerData }).unref();
  return {
    begin: (id) => {
      state[ID] = id;
      state[SINCE] = Date.now();
    },
    end: () => {
      state[SINCE] = 0;
    },
  };
}
