import { relative } from 'node:path';
import type { Reporter, TestModule, Vitest } from 'vitest/node';
import type { LeftOut } from './parts.js';

interface Options {
  /** The tests that the run leaves out on purpose. */
  readonly leftOut?: readonly LeftOut[];
}

/**
 * Ends a run with what did not run and why, and with one plain line, `N passed, N failed` (and `, N skipped` where some
 * were).
 */
export default class SummaryReporter implements Reporter {
  readonly #leftOut: readonly LeftOut[];
  #root = '';
  /** Whether tests were asked for by their titles, so that all others count as skipped. */
  #isByTitle = false;

  constructor({ leftOut = [] }: Options = {}) {
    this.#leftOut = leftOut;
  }

  onInit({ config }: Vitest): void {
    this.#root = config.root;
    this.#isByTitle = config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandled.length, skipped: 0 };
    const lines = this.#leftOut.map(({ files, why }) => `left out: ${files.join(', ')}: ${why}`);
    if (lines.length > 0) lines.push('`npm run test:all` runs them');
    for (const module of modules) {
      // A module that could not be collected is a failure, though it holds no test.
      if (module.state() === 'failed' && module.children.size === 0) count.failed += 1;
      const before = count.skipped;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state !== 'pending') count[state] += 1;
      }
      const skipped = count.skipped - before;
      if (skipped > 0 && !this.#isByTitle)
        lines.push(`skipped: ${skipped} of ${relative(this.#root, module.moduleId)}`);
    }
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
    lines.push(`${count.passed} passed, ${count.failed} failed${skipped}`);
    // After the default reporter's own summary, which is written in the same turn.
    process.on('exit', () => process.stdout.write(`${lines.join('\n')}\n`));
  }
}
