import type { ChainEnd } from '../core/decision-log.js';
import type { ChainReport } from '../core/log-report.js';

type Writable<T> = { -readonly [member in keyof T]: T[member] };

/** A chain that is being read. */
export interface ChainReading extends Omit<Writable<ChainReport>, keyof ChainEnd | 'vouchedFor'> {
  end: ChainEnd;
  /** The last record that a signed head vouches for, also by a record that it covers and that names this chain; -1: none. */
  vouchedFor: number;
}

/** A chain of which nothing was read before this record. */
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
