import type { TdxTcbClaim } from '../../core/claims.js';
import { shortfallLine, type TcbShortfall } from '../../core/tcb-shortfall.js';

/** Explains a status: its three parts, a line for each component that is not up to date, and Intel's advisories. */
export function explained(
  { platformStatus, moduleStatus, qeStatus, advisories }: TdxTcbClaim,
  shortfalls: readonly TcbShortfall[],
): string {
  return [
    `(platform ${platformStatus}, module ${moduleStatus ?? 'without levels'}, QE ${qeStatus})`,
    ...shortfalls.map(shortfallLine),
    ...(advisories.length === 0 ? [] : [`advisories: ${advisories.join(', ')}`]),
  ].join('; ');
}

/** The reasons why the TCB is not up to date: the status of each part, each component, and the advisories. */
export function behindOf(
  { platformStatus, moduleStatus, qeStatus, advisories }: TdxTcbClaim,
  shortfalls: readonly TcbShortfall[],
): readonly string[] {
  const parts = [
    ['platform', platformStatus],
    ['TDX module', moduleStatus],
    ['QE', qeStatus],
  ] as const;
  const low = parts.filter(([, status]) => status !== null && status !== 'UpToDate');
  return [
    ...low.map(([part, status]) => `${part} ${status}`),
    ...shortfalls.map(shortfallLine),
    ...(advisories.length === 0 ? [] : [`advisories ${advisories.join(', ')}`]),
  ];
}
