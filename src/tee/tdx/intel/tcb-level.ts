import type { TcbShortfall } from '../../../core/tcb-shortfall.js';
import type { PckExtension } from './pck-extension.js';
import type { TcbInfo, TcbLevel } from './tcb-info.js';

/** SVNs of a platform, from its PCK certificate and its quote. */
export interface PlatformSvns {
  readonly pck: Pick<PckExtension, 'sgxTcbComponents' | 'pceSvn'>;
  readonly teeTcbSvn: Uint8Array;
}

/**
 * The highest level that the platform reaches in every component; null if it reaches none (Intel PCS v4, TDX TCB Info,
 * step 3).
 */
export function levelOf({ levels }: TcbInfo, svns: PlatformSvns): TcbLevel | null {
  return levels.find((level) => shortfallsTo(level, svns).length === 0) ?? null;
}

/** The highest level that the PCK certificate reaches, without the TDX components. */
export function sgxLevelOf({ levels }: TcbInfo, { pck }: PlatformSvns): TcbLevel | null {
  return levels.find((level) => sgxShortfalls(level, pck).length === 0) ?? null;
}

/**
 * The components below the nearest level, which is the level with the fewest components to update. If a status is
 * given, only levels with that status count.
 */
export function nearestShortfalls({ levels }: TcbInfo, svns: PlatformSvns, status?: string): readonly TcbShortfall[] {
  const wanted = levels.filter(({ tcbStatus }) => status === undefined || tcbStatus === status);
  const each = wanted.map((level) => shortfallsTo(level, svns));
  // Of equally near levels, selects the lowest, which is the last.
  return (
    each.reduce<readonly TcbShortfall[] | null>(
      (best, next) => (best === null || next.length <= best.length ? next : best),
      null,
    ) ?? []
  );
}

function shortfallsTo(level: TcbLevel, { pck, teeTcbSvn }: PlatformSvns): readonly TcbShortfall[] {
  return [...sgxShortfalls(level, pck), ...tdxShortfalls(level, teeTcbSvn)];
}

function sgxShortfalls(level: TcbLevel, pck: PlatformSvns['pck']): readonly TcbShortfall[] {
  const components = level.sgxComponents.flatMap(({ svn, type }, index) =>
    behind(`sgxtcbcomponents[${index}]`, pck.sgxTcbComponents[index] ?? 0, svn, type),
  );
  return [...components, ...behind('pcesvn', pck.pceSvn, level.pceSvn)];
}

/**
 * The TDX components below a level. If TEE_TCB_SVN[1] is not 0, skips the first two components: they are the SVN and
 * the version of the module, which its module identity rates.
 */
function tdxShortfalls(level: TcbLevel, teeTcbSvn: Uint8Array): readonly TcbShortfall[] {
  const first = (teeTcbSvn[1] ?? 0) > 0 ? 2 : 0;
  return level.tdxComponents.flatMap(({ svn, type }, index) =>
    index < first ? [] : behind(`tdxtcbcomponents[${index}]`, teeTcbSvn[index] ?? 0, svn, type),
  );
}

/** One shortfall if a component is below the required value, else none. */
export function behind(
  component: string,
  have: number,
  need: number,
  type: string | null = null,
): readonly TcbShortfall[] {
  return have < need ? [{ component, have, need, type }] : [];
}
