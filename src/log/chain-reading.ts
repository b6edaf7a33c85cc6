import type { ChainEnd } from '../core/decision-log.js';
import type { ChainReport } from '../core/log-report.js';

type Writable<T> = { -readonly [member in keyof T]: T[member] };

/** The state of a chain during verification. */
export interface ChainReading extends Omit<Writable<ChainReport>, keyof ChainEnd | 'vouchedFor'> {
  end: ChainEnd;
  /** The last record covered by a signed head, or by a covered record that names this chain; -1: none. */
  vouchedFor: number;
}

/** Begins a chain at its first record. */
export function newReading(end: ChainEnd): ChainReading {
  return {
    end,
    from: null,
    until: null,
    beginsLog: false,
    lastHead: null,
    keptHead: null,
    pruned: 0,
    vouchedFor: -1,
  };
}

export function chainReport({ end, vouchedFor, ...rest }: ChainReading): ChainReport {
  return { ...end, ...rest, vouchedFor: vouchedFor < 0 ? null : vouchedFor };
}
