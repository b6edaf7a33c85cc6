/** An outdated component of a TDX TCB, with its name in collateral and its position in the list. */
export interface TcbShortfall {
  readonly component: string;
  readonly have: number;
  readonly need: number;
  /** The collateral's name of the component; null if it has none. */
  readonly type: string | null;
}

/** The shortfall as a message. */
export function shortfallLine({ component, have, need, type }: TcbShortfall): string {
  return `${component}${type === null ? '' : ` (${type})`} has ${have}, needs ${need}`;
}
