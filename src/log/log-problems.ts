import type { RecordPosition } from '../core/decision-log.js';
import type { LogProblem } from '../core/log-report.js';

/** Collects the problems of a log. */
export class LogProblems {
  readonly found: LogProblem[] = [];

  add(
    code: LogProblem['code'],
    position: RecordPosition | null,
    detail: string,
    decisionId: string | null = null,
  ): void {
    this.found.push({ code, chain: position?.chain ?? null, seq: position?.seq ?? null, decisionId, detail });
  }
}
