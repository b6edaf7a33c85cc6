import type { ChainEnd } from '../model/decision-log.js';
import type { ChainReport } from '../model/log-report.js';

type Writable<T> = { -readonly [member in keyof T]: T[member] };

/** A chain that is being read. */
export interface ChainReading extends Omit<Writable<ChainReport>, keyof ChainEnd> {
  end: ChainEnd;
  /** The last record of which only the hash is left; -1 where there is none. */
  lastPruned: number;
}

/** Of the chain of a record, none of which was read before. */
export function newReading(end: ChainEnd): ChainReading {
  return {
    end,
    from: null,
    until: null,
    beginsLog: false,
    lastHead: null,
    keptHead: null,
    pruned: 0,
    lastPruned: -1,
  };
}

/** The last record of a chain that a signed head vouches for, in the log or kept elsewhere; -1 where there is none. */
export function signedUpTo(reading: ChainReading | undefined): number {
  return Math.max(reading?.lastHead ?? -1, reading?.keptHead ?? -1);
}

export function chainReport({ end, lastPruned: _, ...rest }: ChainReading): ChainReport {
  return { ...end, ...rest };
}
