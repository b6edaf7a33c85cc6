import type { FigureName } from './figures.js';

/** The measurement of a figure in one round. */
export interface Measured {
  /** CPU time of the process for one request, in microseconds. */
  readonly cpuUs: number;
  /** How long each request took for the client, in milliseconds, in ascending order. */
  readonly tookMs: readonly number[];
}
export type Round = ReadonlyMap<FigureName, Measured>;

/** A line of the table, before it is measured. */
export interface Row {
  readonly name: string;
  readonly aim: number;
  /** Whether the aim is an upper bound. */
  readonly isLimit: boolean;
  readonly figures: readonly FigureName[];
  /** Of one round. */
  readonly ratio: (round: Round) => number;
}

/** A line of the table. */
export interface Line extends Pick<Row, 'name' | 'aim' | 'isLimit'> {
  readonly values: readonly number[];
  /** The figure; by default the median of the values. */
  readonly value?: number;
}

/** A figure that is measured in rounds, and its aim. */
export const ROWS: readonly Row[] = [
  atLeast(2.0, 'snp: Go with CRL over ours', 'Go with CRL', 'snp'),
  atLeast(1.5, 'snp: Go without CRL over ours', 'Go', 'snp'),
  atLeast(1.2, 'snp, first-seen chip: Go with CRL over ours', 'Go with CRL, first-seen chip', 'snp, first-seen chip'),
  atLeast(0.7, 'snp: Fastify and the same signature over ours', 'Fastify + P-384', 'snp'),
  atLeast(0.52, 'az-snp-vtpm: Fastify and the same signatures over ours', 'Fastify + P-384 + RSA-2048', 'az-snp-vtpm'),
  atLeast(3.0, 'tdx: go-tdx-guest, called, over ours', 'go-tdx-guest', 'tdx'),
  atLeast(0.22, 'maa-token: bare Fastify POST over ours', 'Fastify POST', 'maa-token'),
  {
    ...atLeast(2, 'az-snp-vtpm: with an event log over without', 'az-snp-vtpm, event log', 'az-snp-vtpm'),
    isLimit: true,
  },
  {
    ...atLeast(
      1.1,
      'az-snp-vtpm: with 15 rules and ?explain=tree over without',
      'az-snp-vtpm, 15 rules, explained',
      'az-snp-vtpm',
    ),
    isLimit: true,
  },
  {
    ...atLeast(1.15, 'az-snp-vtpm: with a receipt over without', 'az-snp-vtpm, receipt', 'az-snp-vtpm'),
    isLimit: true,
  },
  { ...atLeast(1.15, 'az-snp-vtpm: stored over not stored', 'az-snp-vtpm, stored', 'az-snp-vtpm'), isLimit: true },
  {
    ...atLeast(1.15, 'az-snp-vtpm: receipt and stored over neither', 'az-snp-vtpm, receipt, stored', 'az-snp-vtpm'),
    isLimit: true,
  },
  { ...atLeast(1.05, 'snp: 3 000 chips in rotation over one', 'snp, 3 000 chips', 'snp'), isLimit: true },
  tail(3, 'snp: p99 / p50 at 8 connections', 'snp'),
  tail(4, 'snp: p99 / p50 at 64 connections', 'snp, 64 connections'),
];

function atLeast(aim: number, name: string, over: FigureName, under: FigureName): Row {
  const ratio = (round: Round) => (round.get(over)?.cpuUs ?? Number.NaN) / (round.get(under)?.cpuUs ?? Number.NaN);
  return { name, aim, isLimit: false, figures: [over, under], ratio };
}

function tail(aim: number, name: string, figure: FigureName): Row {
  const ratio = (round: Round) => {
    const { tookMs = [] } = round.get(figure) ?? {};
    return quantile(tookMs, 0.99) / quantile(tookMs, 0.5);
  };
  return { name, aim, isLimit: true, figures: [figure], ratio };
}

/** CPU time of each figure, then the table. */
export function tableOf(rounds: readonly Round[], lines: readonly Line[]): readonly string[] {
  const figures = [...(rounds[0]?.keys() ?? [])].map((figure) => {
    const values = rounds.map((round) => round.get(figure)?.cpuUs ?? Number.NaN);
    return `${figure.padEnd(NAME)}${format(medianOf(values)).padStart(8)}  ${spreadOf(values)}`;
  });
  return [
    `${'CPU each, in microseconds'.padEnd(NAME)}${'median'.padStart(8)}  10-90 %`,
    ...figures,
    '',
    `${'warm, over HTTP, plugins and logs on'.padEnd(NAME)}${'now'.padStart(8)}  ${'10-90 %'.padEnd(SPREAD)}aim`,
    ...lines.map(textOf),
  ];
}

const [NAME, SPREAD] = [58, 16];

function textOf({ name, aim, isLimit, values, value = medianOf(values) }: Line): string {
  const isMet = isLimit ? value <= aim : value >= aim;
  const aimed = `${isLimit ? 'at most' : 'at least'} ${aim}${isMet ? '' : ', missed'}`;
  return `${name.padEnd(NAME)}${format(value).padStart(8)}  ${spreadOf(values).padEnd(SPREAD)}${aimed}`;
}

function medianOf(values: readonly number[]): number {
  return quantile(ascending(values), 0.5);
}

function spreadOf(values: readonly number[]): string {
  const sorted = ascending(values);
  return `${format(quantile(sorted, 0.1))}-${format(quantile(sorted, 0.9))}`;
}

function format(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}

export function ascending(values: readonly number[]): readonly number[] {
  return [...values].sort((a, b) => a - b);
}

/** Of values in ascending order. */
export function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
