/** A component of a TDX TCB that is behind, named as collateral names it, with its position in the list. */
export interface TcbShortfall {
  readonly component: string;
  readonly have: number;
  readonly need: number;
  /** The collateral's name of the component; null if it has none. */
  readonly type: string | null;
}

/** The shortfall for people. */
export function shortfallLine({ component, have, need, type }: TcbShortfall): string {
  return `${component}${type === null ? '' : ` (${type})`} has ${have}, needs ${need}`;
}
